//! Opening the database: SQLite or PostgreSQL by URL, migrations, and the assertion that a commit is durable.

use anyhow::Result;

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {}

impl Store {
    /// Opens (and creates, and migrates) the database at `url` (`sqlite://path` or `postgres://…`).
    ///
    /// # Errors
    /// It can't be opened, a migration fails, its schema is newer than this program, or SQLite is not in WAL mode with `synchronous=FULL`.
    pub async fn open(url: &str) -> Result<Self> {
        let _ = url;
        todo!()
    }
}
