//! What the look before the move finds in the way, in a tenant that is made for it; and what it does not tell.

mod limits;
mod looked;
mod rights;
mod target;
mod workloads;
