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
            "{REQUEST} WHERE r.id IN (SELECT id FROM requests WHERE number_count IS NULL AND opens_us <= $1 AND arrived_us <= $3 \
             ORDER BY arrived_us, id LIMIT $2) ORDER BY r.arrived_us, r.id, p.id"
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
        let found = made(
            "SELECT id, wakes_us FROM requests WHERE wakes_us IS NOT NULL AND wakes_us <= $1 \
             AND (status IN ($2, $3) OR wakes_us <= $4) ORDER BY wakes_us, id LIMIT $5"
                .to_owned(),
        )
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
            "{REQUEST} WHERE r.id IN (SELECT id FROM requests WHERE id > $1 AND status <> $2 ORDER BY id LIMIT $3) ORDER BY r.id, p.id"
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
        let found = "SELECT id, request_id FROM pendings WHERE settled_us IS NULL AND lapses_us <= $1 ORDER BY lapses_us, id LIMIT $2";
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
             ORDER BY remind_us, id LIMIT $2";
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
