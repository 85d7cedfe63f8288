//! A client of PostgreSQL servers: questions that cannot write, and statements that take effect all together or not at all.
//!
//! It knows nothing of Azure, journals or scripts. Who may write is asked of a guard, right before the end of a transaction.

mod error;
mod link;
mod password;
mod pool;
mod statement;
mod tls;
mod value;

pub use error::Error;
pub use link::Guard;
pub use password::Password;
pub use pool::Pool;
pub use statement::Statement;
