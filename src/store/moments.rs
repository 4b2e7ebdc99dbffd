//! What has become due by time alone, found by its moment: openings, lapses, reminders, and requests that need looking at.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::Row;

use super::column::{micros, moment};
use super::requests::{REQUEST, grouped, read_all};
use super::statement::{list, made, padded};
use super::work::Work;
use crate::desk::request::{Pending, Request, RequestId, Status};

/// Queued requests whose moment has come, by arrival.
const OPENINGS: &str = "SELECT id FROM requests WHERE number_count IS NULL AND opens_us <= $1 AND arrived_us <= $3 \
     ORDER BY arrived_us, id LIMIT CAST($2 AS BIGINT)";
/// Requests that need looking at.
const DUE: &str = "SELECT id, wakes_us FROM requests WHERE wakes_us IS NOT NULL AND wakes_us <= $1 \
     AND (status IN ($2, $3) OR wakes_us <= $4) ORDER BY wakes_us, id LIMIT CAST($5 AS BIGINT)";

impl Work {
    /// Queued requests whose moment has come and that arrived by then, in order of arrival; at most `limit`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn openings(
        &mut self,
        now: DateTime<Utc>,
        arrived: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Request>> {
        self.flush().await?;
        let query = made(format!(
            "{REQUEST} WHERE r.id IN ({OPENINGS}) ORDER BY r.arrived_us, r.id, p.id"
        ))
        .bind(micros(now))
        .bind(i64::from(limit))
        .bind(micros(arrived));
        read_all(&query.fetch_all(self.connection()).await?)
    }

    /// Requests that need looking at, with when, the longest overdue first; at most `limit`. What time does to a request that the desk works on
    /// only tells of it, until `now`; the others it may close, until `closing`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn due(
        &mut self,
        now: DateTime<Utc>,
        closing: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(DateTime<Utc>, Request)>> {
        self.flush().await?;
        let found = sqlx::query(DUE)
            .bind(micros(now.max(closing)))
            .bind(Status::InProgress.word())
            .bind(Status::WithDeveloper.word())
            .bind(micros(closing))
            .bind(i64::from(limit))
            .fetch_all(self.connection())
            .await?;
        let mut moments = Vec::new();
        for row in &found {
            moments.push((row.try_get::<i64, _>(0)?, moment(row.try_get(1)?)?));
        }
        let ids: Vec<i64> = moments.iter().map(|(id, _)| *id).collect();
        let mut requests = self.by_id(&ids).await?;
        Ok(moments
            .into_iter()
            .filter_map(|(id, at)| Some((at, requests.remove(&id)?)))
            .collect())
    }

    /// Requests beyond `after` that are not closed, in order of their ids; at most `limit`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn goes_on(&mut self, after: RequestId, limit: u32) -> Result<Vec<Request>> {
        self.flush().await?;
        let query = made(format!(
            "{REQUEST} WHERE r.id IN (SELECT id FROM requests WHERE id > $1 AND status <> $2 ORDER BY id LIMIT CAST($3 AS BIGINT)) ORDER BY r.id, p.id"
        ))
        .bind(after.0)
        .bind(Status::Closed.word())
        .bind(i64::from(limit));
        read_all(&query.fetch_all(self.connection()).await?)
    }

    /// Sets when a request next needs looking at. It follows from the request and the configuration, and is no part of its history.
    ///
    /// # Errors
    /// The database refused.
    pub async fn wake(&mut self, id: RequestId, at: Option<DateTime<Utc>>) -> Result<()> {
        made(
            "UPDATE requests SET wakes_us = $2 WHERE id = $1 AND wakes_us IS DISTINCT FROM $2"
                .to_owned(),
        )
        .bind(id.0)
        .bind(at.map(micros))
        .execute(self.connection())
        .await
        .context("When a request needs looking at could not be set")?;
        Ok(())
    }

    /// Pendings whose time is over, oldest first, with their requests; at most `limit`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn lapses(
        &mut self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(Request, Pending)>> {
        let found = "SELECT id, request_id FROM pendings WHERE settled_us IS NULL AND lapses_us <= $1 ORDER BY lapses_us, id LIMIT CAST($2 AS BIGINT)";
        self.pendings(found, now, limit).await
    }

    /// Pendings whose party is to be reminded, oldest first, with their requests; at most `limit`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn reminders(
        &mut self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(Request, Pending)>> {
        let found = "SELECT id, request_id FROM pendings WHERE settled_us IS NULL AND remind_us IS NOT NULL AND remind_us <= $1 \
             ORDER BY remind_us, id LIMIT CAST($2 AS BIGINT)";
        self.pendings(found, now, limit).await
    }

    async fn pendings(
        &mut self,
        which: &'static str,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(Request, Pending)>> {
        self.flush().await?;
        let due = sqlx::query(which)
            .bind(micros(now))
            .bind(i64::from(limit))
            .fetch_all(self.connection())
            .await?;
        let mut ids = vec![];
        for row in &due {
            ids.push(row.try_get::<i64, _>(1)?);
        }
        let found = self.by_id(&ids).await?;
        let mut with_requests = vec![];
        for row in &due {
            let (pending, request) = (row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?);
            let request = found
                .get(&request)
                .with_context(|| format!("Pending {pending} belongs to no request"))?;
            if let Some(pending) = request.pending.iter().find(|p| p.id == pending) {
                with_requests.push((request.clone(), pending.clone()));
            }
        }
        Ok(with_requests)
    }

    async fn by_id(&mut self, ids: &[i64]) -> Result<BTreeMap<i64, Request>> {
        let mut found = BTreeMap::new();
        for piece in padded(ids) {
            let mut query = made(format!(
                "{REQUEST} WHERE r.id IN ({}) ORDER BY r.id, p.id",
                list(1, piece.len())
            ));
            for id in piece {
                query = query.bind(id);
            }
            found.extend(grouped(&query.fetch_all(self.connection()).await?)?);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests")]
    use super::*;
    use crate::desk::course::Course;
    use crate::desk::decide::{Concern, Onward, Verdict};
    use crate::desk::request::Number;
    use crate::store::testing::{apply, decision, matter, minute, on_each_engine, registered};

    async fn open(work: &mut Work, count: u32, wakes: Option<DateTime<Utc>>) {
        let mut opened = decision(
            Verdict::Registered,
            Concern::Opened(matter()),
            vec![registered(Number::new(2026, count))],
        );
        opened.onward = Some(Onward {
            succession: None,
            course: Course::default(),
            continues: (count > 2).then(|| Number::new(2026, 1)),
            wakes,
        });
        apply(work, None, &opened, minute(1)).await;
    }

    #[tokio::test]
    async fn what_is_due_is_found_in_order_and_what_was_reset_is_not() {
        on_each_engine(async |db| {
            let mut work = db.store.begin().await.unwrap();
            for (count, at) in [(1, Some(7)), (2, Some(5)), (3, None), (4, Some(99))] {
                open(&mut work, count, at.map(minute)).await;
            }
            work.commit().await.unwrap();
            let mut work = db.store.begin().await.unwrap();
            let due = async |work: &mut Work, now, closing| {
                let due = work.due(minute(now), minute(closing), 9).await.unwrap();
                due.iter().map(|(at, r)| (*at, r.id.0)).collect::<Vec<_>>()
            };
            // They are worked on: what time does to them is no closing.
            assert_eq!(due(&mut work, 9, 0).await, [(minute(5), 2), (minute(7), 1)]);
            work.wake(RequestId(2), None).await.unwrap();
            work.wake(RequestId(3), Some(minute(8))).await.unwrap();
            assert_eq!(due(&mut work, 9, 0).await, [(minute(7), 1), (minute(8), 3)]);
            let rest = work.goes_on(RequestId(1), 2).await.unwrap();
            assert_eq!(rest.iter().map(|r| r.id.0).collect::<Vec<_>>(), [2, 3]);
            // D50: the newest that goes on from it.
            let newest = work.continuation(Number::new(2026, 1)).await.unwrap();
            assert_eq!(newest.map(|r| r.id.0), Some(4));
            assert!(
                work.continuation(Number::new(2026, 2))
                    .await
                    .unwrap()
                    .is_none()
            );
        })
        .await;
    }

    /// Item 7: no polling of everything. Each question is answered by an index.
    #[tokio::test]
    async fn nothing_that_is_asked_at_each_turn_reads_all_requests() {
        on_each_engine(async |db| {
            if !db.url.starts_with("sqlite") {
                return;
            }
            let plan = async |sql: &str| {
                let rows = made(format!("EXPLAIN QUERY PLAN {sql}"))
                    .fetch_all(&db.store.reader)
                    .await
                    .unwrap();
                let told = rows.iter().map(|r| r.try_get::<String, _>(3).unwrap());
                told.collect::<Vec<_>>().join("\n")
            };
            for sql in [
                DUE,
                OPENINGS,
                "SELECT MIN(wakes_us) FROM requests WHERE wakes_us IS NOT NULL",
                "SELECT MIN(arrived_us) FROM requests WHERE number_count IS NULL AND opens_us <= 9",
                "SELECT MAX(id) FROM requests WHERE continues_year = 2026 AND continues_count = 1",
                "SELECT id FROM requests WHERE (requester IN ('a', 'b') OR installation IN ('c')) AND status <> 'closed'",
            ] {
                let sql = ["$1", "$2", "$3", "$4", "$5"]
                    .into_iter()
                    .fold(sql.to_owned(), |sql, place| sql.replace(place, "9"));
                let plan = plan(&sql).await;
                assert!(plan.contains("INDEX") && !plan.contains("SCAN requests\n"), "{sql}: {plan}");
            }
        })
        .await;
    }
}
