//! Reading requests for people and programs: lists, one request with its history, and when something is next due.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::pool::Store;
use crate::desk::request::{Number, Request, RequestId, Status};

/// One line of a request's history.
#[derive(Debug, Clone)]
pub struct HistoryLine {
    /// Its place in the chain.
    pub seq: i64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The event's word.
    pub word: String,
    /// What it says, as JSON.
    pub data: String,
}

impl Store {
    /// Requests by status (all open ones if none is given: neither resolved nor closed) and customer, by number, queued ones last.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn requests(
        &self,
        status: Option<Status>,
        customer: Option<&str>,
    ) -> Result<Vec<Request>> {
        let _ = (status, customer);
        todo!()
    }

    /// One request by number.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn request(&self, number: Number) -> Result<Option<Request>> {
        let _ = number;
        todo!()
    }

    /// The history of a request, oldest first (R24).
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn history(&self, request: RequestId) -> Result<Vec<HistoryLine>> {
        let _ = request;
        todo!()
    }

    /// The next moment at which a queued request opens or a pending lapses.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn next_moment(&self) -> Result<Option<DateTime<Utc>>> {
        todo!()
    }
}
