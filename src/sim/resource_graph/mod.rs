//! x
mod compare;
mod moment;
mod syntax;
mod text;
mod value;
