//! What the desk has told of its requests, as far as the next decision depends on it.

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::Row;

use super::column::micros;
use super::statement::{list, made};
use super::work::Work;
use crate::desk::request::RequestId;

impl Work {
    /// Of these requests the one that the newest letter to this address was about; none if it was never written to about any.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn last_told_of(
        &mut self,
        address_key: &str,
        requests: &[RequestId],
    ) -> Result<Option<RequestId>> {
        if requests.is_empty() {
            return Ok(None);
        }
        let mut query = made(format!(
            "SELECT request_id FROM outbox WHERE request_id IN ({}) AND recipient_key = $1 ORDER BY id DESC LIMIT 1",
            list(2, requests.len())
        ))
        .bind(address_key.to_owned());
        for request in requests {
            query = query.bind(request.0);
        }
        let row = query.fetch_optional(self.connection()).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.map(RequestId))
    }

    /// How many letters about a request went out of the desk since then, the most to any one reader (S40).
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn letters_about(
        &mut self,
        request: RequestId,
        hour_ago: DateTime<Utc>,
    ) -> Result<u32> {
        let row = sqlx::query(
            "SELECT COALESCE(MAX(t.n), 0) FROM (SELECT COUNT(*) AS n FROM outbox WHERE request_id = $1 AND created_us >= $2 \
             AND internal = 0 GROUP BY recipient_key) AS t",
        )
        .bind(request.0)
        .bind(micros(hour_ago))
        .fetch_one(self.connection())
        .await?;
        Ok(u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(u32::MAX))
    }
}
