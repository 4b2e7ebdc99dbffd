//! The letters of a request as they are kept, one at a time: they may be large.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::Row;

use super::column::{moment, unpack};
use super::letters::LetterId;
use super::work::Work;
use crate::desk::decide::Verdict;
use crate::desk::request::RequestId;

impl Work {
    /// The letters that opened a request and continued it, oldest first; of many the first and the last, `most` together. What this unit of work
    /// has decided counts.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn letters_of(&mut self, request: RequestId, most: usize) -> Result<Vec<LetterId>> {
        self.flush().await?;
        let rows = sqlx::query(
            "SELECT id FROM letters WHERE request_id = $1 AND verdict IN ($2, $3, $4) ORDER BY arrived_us, id",
        )
        .bind(request.0)
        .bind(Verdict::Registered.word())
        .bind(Verdict::Queued.word())
        .bind(Verdict::Attached.word())
        .fetch_all(self.connection())
        .await?;
        let mut ids = rows
            .iter()
            .map(|row| Ok(LetterId(row.try_get(0)?)))
            .collect::<Result<Vec<_>>>()?;
        for id in self.lately.letters_of(request) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        while ids.len() > most.max(1) {
            ids.remove(1);
        }
        Ok(ids)
    }

    /// A letter's bytes and when it arrived.
    ///
    /// # Errors
    /// It isn't kept, or the database can't be read.
    pub async fn original(&mut self, id: LetterId) -> Result<(DateTime<Utc>, Vec<u8>)> {
        let row = sqlx::query(
            "SELECT l.arrived_us, o.raw, l.size FROM letters l JOIN originals o ON o.letter_id = l.id WHERE l.id = $1",
        )
        .bind(id.0)
        .fetch_optional(self.connection())
        .await?
        .with_context(|| format!("Letter {} is not kept", id.0))?;
        let raw = unpack(&row.try_get::<Vec<u8>, _>(1)?, row.try_get(2)?)?;
        Ok((moment(row.try_get(0)?)?, raw))
    }
}
