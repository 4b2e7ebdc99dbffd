//! What is to go out: rows claimed one attempt at a time and marked with their fate.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::pool::Store;
use crate::desk::request::RequestId;

/// A letter that is due.
#[derive(Debug, Clone)]
pub struct Due {
    /// Its name.
    pub id: i64,
    /// The request it is about.
    pub request: Option<RequestId>,
    /// To whom.
    pub recipient: String,
    /// Whether it is for the desk's own people.
    pub internal: bool,
    /// Whether it was about a failure itself: then another failure is only logged.
    pub about_failure: bool,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// When it was written.
    pub created: DateTime<Utc>,
    /// Its Message-ID, without brackets.
    pub message_id: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The server took it over; its answer.
    Sent(String),
    /// Try again at this moment; why. `unknown` if the server may have taken it.
    Later {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        why: String,
        /// Whether the connection was lost after the final dot.
        unknown: bool,
    },
    /// It will never be delivered; why.
    Never(String),
}

impl Store {
    /// In one transaction: marks these attempts with their fates, then claims at most `limit` further due rows (oldest first), counting
    /// their attempts. A row claimed by a process that died is due again as soon as [`Store::reclaim`] was called.
    ///
    /// # Errors
    /// The database refused; then nothing was marked and nothing claimed.
    pub async fn settle_and_claim(
        &self,
        settled: &[(i64, Fate)],
        limit: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Due>> {
        let _ = (settled, limit, now);
        todo!()
    }

    /// At the start of the active daemon: rows left claimed by a dead one are due again, with the same bytes. Returns how many.
    ///
    /// # Errors
    /// The database refused.
    pub async fn reclaim(&self, now: DateTime<Utc>) -> Result<u64> {
        let _ = now;
        todo!()
    }

    /// The moment at which the next row is due; none if nothing waits.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn next_due(&self) -> Result<Option<DateTime<Utc>>> {
        todo!()
    }

    /// How many rows wait, and since when the oldest does.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn backlog(&self) -> Result<(u64, Option<DateTime<Utc>>)> {
        todo!()
    }
}
