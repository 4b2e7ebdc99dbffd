//! The history as a hash chain over salted commitments (R36): each entry commits to the one before it; a check names the first altered one.

use anyhow::Result;

use super::pool::Store;

/// What a walk along the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainState {
    /// Whole: so many entries, and the hash of the last.
    Whole {
        /// How many entries there are.
        entries: i64,
        /// The hash of the last, in hexadecimal.
        head: String,
    },
    /// The first entry that does not fit, and why.
    Broken {
        /// Its place.
        seq: i64,
        /// What does not fit.
        why: String,
    },
}

impl Store {
    /// Walks the whole chain, raw letters included.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn verify_chain(&self) -> Result<ChainState> {
        todo!()
    }
}
