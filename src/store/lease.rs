//! Which of several daemons on one database is the active one: a lock that dies with its holder, and a fence that stops a holder who lost it.

use anyhow::Result;

use super::pool::Store;

/// Held while this process is the active daemon. On SQLite a file lock beside the database, on PostgreSQL a session advisory lock.
#[derive(Debug)]
pub struct Lease {}

impl Store {
    /// Takes the lease if nobody holds it; otherwise says who does, as far as is known.
    ///
    /// # Errors
    /// The database or the lock file can't be reached.
    pub async fn try_lease(&self) -> Result<std::result::Result<Lease, String>> {
        todo!()
    }
}
