//! What a letter's clues lead to: requests by name, number and Message-ID, letters of ours by name.

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::Row;

use super::column::unpack;
use super::requests::{REQUEST, read_all};
use super::statement::{list, made, padded};
use super::unwritten::Letter;
use super::work::Work;
use crate::desk::decide::Verdict;
use crate::desk::request::{Number, Request, RequestId};

/// A letter of ours that is already in the store, as a token or Message-ID leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its name.
    pub id: i64,
    /// The request it was about.
    pub request: Option<RequestId>,
    /// The pending that a reply to it settles.
    pub pending: Option<i64>,
    /// To whom it went.
    pub recipient: String,
    /// Whether it was for the desk's own people.
    pub internal: bool,
    /// Which wording.
    pub template: String,
    /// Whether it was about a failure itself.
    pub about_failure: bool,
    /// Whether it is known that it will never arrive.
    pub lost: bool,
}

impl Work {
    /// A request with what it waits for.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn request(&mut self, id: RequestId) -> Result<Option<Request>> {
        if self.unwritten.touches(id) {
            self.flush().await?;
        }
        let query = made(format!("{REQUEST} WHERE r.id = $1 ORDER BY p.id")).bind(id.0);
        Ok(read_all(&query.fetch_all(self.connection()).await?)?.pop())
    }

    /// The same by number.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn request_by_number(&mut self, number: Number) -> Result<Option<Request>> {
        self.flush().await?;
        let query = made(format!(
            "{REQUEST} WHERE r.number_year = $1 AND r.number_count = $2 ORDER BY p.id"
        ))
        .bind(i64::from(number.year()))
        .bind(i64::from(number.count()));
        Ok(read_all(&query.fetch_all(self.connection()).await?)?.pop())
    }

    /// The requests whose letters, received or sent, bear these Message-IDs (D49). Where several letters bear one, a letter of ours goes
    /// before one received, and the earlier before the later; what only waits for a person beside a request is no letter of it (S5). Only the
    /// first 64 are tried.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn requests_by_message_ids(
        &mut self,
        ids: &[String],
    ) -> Result<BTreeMap<String, RequestId>> {
        let Some(piece) = padded(ids.get(..ids.len().min(64)).unwrap_or_default()).next() else {
            return Ok(BTreeMap::new());
        };
        let places = list(1, piece.len());
        let mut query = made(format!(
            "SELECT message_id, request_id, 0 AS source, id FROM outbox WHERE message_id IN ({places}) AND request_id IS NOT NULL \
             UNION ALL \
             SELECT message_id, request_id, 1 AS source, id FROM letters WHERE message_id IN ({places}) AND request_id IS NOT NULL \
             AND verdict <> '{}' \
             ORDER BY source, id",
            Verdict::Held.word()
        ));
        for id in &piece {
            query = query.bind(id.clone());
        }
        // By Message-ID: whether it was received, the letter's id, the request; the smallest is the first.
        let mut found: BTreeMap<String, (i64, i64, i64)> = BTreeMap::new();
        let mut note = |id: String, place: (i64, i64, i64)| {
            let first = found.entry(id).or_insert(place);
            *first = place.min(*first);
        };
        for row in query.fetch_all(self.connection()).await? {
            let place = (row.try_get(2)?, row.try_get(3)?, row.try_get(1)?);
            note(row.try_get(0)?, place);
        }
        for (id, request, letter) in self.lately.by_message_id(&piece) {
            note(id.to_owned(), (1, letter.0, request.0));
        }
        let requests = found.into_iter();
        Ok(requests
            .map(|(id, (_, _, request))| (id, RequestId(request)))
            .collect())
    }

    /// A letter of ours by its name.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn sent(&mut self, outbox: i64) -> Result<Option<Sent>> {
        let own = |letter: &Letter| letter.outgoing.id == outbox;
        if self.unwritten.outbox.iter().any(own) {
            self.flush().await?;
        }
        let lost = self.unwritten.lost.iter().any(|lost| lost.id == outbox);
        let row = sqlx::query(
            "SELECT id, request_id, pending_id, recipient, internal, template, about_failure, state FROM outbox WHERE id = $1",
        )
        .bind(outbox)
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| {
            Ok(Sent {
                id: row.try_get(0)?,
                request: row.try_get::<Option<i64>, _>(1)?.map(RequestId),
                pending: row.try_get(2)?,
                recipient: row.try_get(3)?,
                internal: row.try_get::<i64, _>(4)? != 0,
                template: row.try_get(5)?,
                about_failure: row.try_get::<i64, _>(6)? != 0,
                lost: lost || row.try_get::<String, _>(7)? == "failed",
            })
        })
        .transpose()
    }

    /// The original of the letter that opened a request; none if it was not opened by one.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn opening_letter(&mut self, id: RequestId) -> Result<Option<Vec<u8>>> {
        let opened_by = self.lately.opened_by(id);
        let row = sqlx::query(
            "SELECT o.raw, l.size FROM letters l JOIN originals o ON o.letter_id = l.id \
             WHERE (l.request_id = $1 AND l.verdict IN ($2, $3)) OR l.id = $4 ORDER BY l.id LIMIT 1",
        )
        .bind(id.0)
        .bind(Verdict::Registered.word())
        .bind(Verdict::Queued.word())
        .bind(opened_by.map(|letter| letter.0))
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| unpack(&row.try_get::<Vec<u8>, _>(0)?, row.try_get(1)?))
            .transpose()
    }
}
