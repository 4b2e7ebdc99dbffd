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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
    use crate::desk::decide::{Concern, Verdict};
    use crate::desk::notice::{Purpose, Template};
    use crate::store::testing::{apply, decision, kept, minute, notice, on_each_engine, register};

    /// What R48 counts for one request, and which request was last told of (D48).
    #[tokio::test]
    async fn what_was_told_of_requests_is_known_by_reader() {
        on_each_engine(async |db| {
            let (first, _) = register(&db.store, 1, "one").await;
            let (second, _) = register(&db.store, 2, "two").await;
            let both = [first, second];
            let maria = "maria@raduga.example";
            let mut work = db.store.begin().await.unwrap();
            let told = work.last_told_of(maria, &both).await.unwrap();
            assert_eq!(told, Some(second));
            assert_eq!(work.last_told_of("oleg@x", &both).await.unwrap(), None);
            assert_eq!(work.last_told_of(maria, &[]).await.unwrap(), None);
            let before = work.letters_about(first, minute(0)).await.unwrap();
            drop(work);

            let letter = kept(&db.store, 3, "three").await;
            let mut work = db.store.begin().await.unwrap();
            let mut more = decision(Verdict::Attached, Concern::Existing(first), vec![]);
            more.notices = vec![
                notice(Template::StatusChanged, Purpose::Reply),
                notice(Template::ForSpecialist, Purpose::Internal),
            ];
            apply(&mut work, Some(&letter), &more, minute(30)).await;
            work.commit().await.unwrap();

            let mut work = db.store.look().await.unwrap();
            let told = work.last_told_of(maria, &both).await.unwrap();
            assert_eq!(told, Some(first));
            // What stays inside does not count, nor what is older than an hour.
            let after = work.letters_about(first, minute(0)).await.unwrap();
            assert_eq!(after, before.saturating_add(1));
            assert_eq!(work.letters_about(first, minute(31)).await.unwrap(), 0);
        })
        .await;
    }
}
