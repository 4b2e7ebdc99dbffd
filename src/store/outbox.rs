//! What is to go out: rows claimed one attempt at a time and marked with their fate.

use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::column::{micros, moment, unpack_bytes};
use super::pool::{Engine, Store};
use super::statement::{made, typed_rows};
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
    /// The database refused; then nothing was marked and nothing claimed. [`super::pool::Fenced`] if another daemon has taken over.
    pub async fn settle_and_claim(
        &self,
        settled: &[(i64, Fate)],
        limit: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<Due>> {
        let changed = self
            .settle_or_claim(settled, limit, now)
            .await
            .context("The outbox was not changed")?;
        if changed.is_empty() {
            // Nothing to do, or no right to do it.
            self.still_ours().await?;
        }
        let mut due = vec![];
        for row in &changed {
            if row.try_get::<String, _>(9)? == "sending" {
                due.push(read(row)?);
            }
        }
        // RETURNING promises no order.
        due.sort_by_key(|letter: &Due| (letter.created, letter.id));
        Ok(due)
    }

    /// One statement, and so one transaction: a desk with much to send does this for every letter. Gives the rows that were changed; a row
    /// that is sent already stays sent, and nothing is changed once another daemon has raised the fence.
    async fn settle_or_claim(
        &self,
        settled: &[(i64, Fate)],
        limit: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<AnyRow>> {
        let (skip, share) = match self.engine {
            Engine::Sqlite => ("", ""),
            Engine::Postgres => (" FOR UPDATE SKIP LOCKED", " FOR SHARE"),
        };
        let types = ["BIGINT", "TEXT", "BIGINT", "BIGINT", "TEXT", "BIGINT"];
        let first = settled.len().saturating_mul(types.len());
        let place = |n: usize| first.saturating_add(n);
        let mut fates = format!(
            "SELECT id AS column1, 'sending' AS column2, CAST(NULL AS BIGINT) AS column3, CAST(0 AS BIGINT) AS column4, \
             CAST(NULL AS TEXT) AS column5, CAST(NULL AS BIGINT) AS column6 \
             FROM (SELECT id FROM outbox WHERE due_us <= ${} ORDER BY due_us, id LIMIT CAST(${} AS BIGINT){skip}) AS due",
            place(1),
            place(2),
        );
        if !settled.is_empty() {
            let rows = typed_rows(self.engine, &types, settled.len());
            fates = format!("SELECT * FROM (VALUES {rows}) AS given UNION ALL {fates}");
        }
        let fence = place(3);
        let mut query = made(format!(
            "UPDATE outbox SET state = v.column2, due_us = v.column3, unknowns = unknowns + v.column4, settled_us = v.column6, \
             answer = CASE v.column2 WHEN 'sending' THEN answer ELSE v.column5 END, \
             attempts = attempts + CASE v.column2 WHEN 'sending' THEN 1 ELSE 0 END \
             FROM ({fates}) AS v WHERE outbox.id = v.column1 AND outbox.state NOT IN ('sent', 'failed') \
             AND (${fence} = 0 OR ${fence} = (SELECT fence FROM lease{share})) \
             RETURNING id, request_id, recipient, internal, about_failure, attempts, created_us, message_id, \
             CASE state WHEN 'sending' THEN bytes END, state"
        ));
        for (id, fate) in settled {
            let (state, due, unknown, answer) = match fate {
                Fate::Sent(answer) => ("sent", None, false, answer),
                Fate::Later { at, why, unknown } => ("deferred", Some(micros(*at)), *unknown, why),
                Fate::Never(why) => ("failed", None, false, why),
            };
            query = query
                .bind(*id)
                .bind(state.to_owned())
                .bind(due)
                .bind(i64::from(unknown))
                .bind(answer.clone())
                .bind(due.is_none().then(|| micros(now)));
        }
        let query = query
            .bind(micros(now))
            .bind(i64::from(limit))
            .bind(self.fence.load(Ordering::SeqCst));
        Ok(query.fetch_all(&self.writer).await?)
    }

    async fn still_ours(&self) -> Result<()> {
        let mut tx = self.begin_write().await?;
        self.check_fence(&mut tx).await
    }

    /// At the start of the active daemon: rows left claimed by a dead one are due again, with the same bytes. Returns how many.
    ///
    /// # Errors
    /// The database refused; [`super::pool::Fenced`] if another daemon has taken over.
    pub async fn reclaim(&self, now: DateTime<Utc>) -> Result<u64> {
        let mut tx = self.begin_write().await?;
        self.check_fence(&mut tx).await?;
        // Nobody knows how far the dead one came: its server may have taken the letter.
        let done = sqlx::query(
            "UPDATE outbox SET state = 'deferred', due_us = $1, unknowns = unknowns + 1, answer = $2 WHERE state = 'sending'",
        )
        .bind(micros(now))
        .bind("the desk stopped during the attempt")
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await.context("The outbox was not reclaimed")?;
        Ok(done)
    }

    /// The wording of a letter of ours, by its name.
    ///
    /// # Errors
    /// There is no such letter, or the database can't be read.
    pub async fn template_of(&self, outbox: i64) -> Result<String> {
        let row = sqlx::query("SELECT template FROM outbox WHERE id = $1")
            .bind(outbox)
            .fetch_one(&self.reader)
            .await?;
        Ok(row.try_get(0)?)
    }

    /// The moment at which the next row is due; none if nothing waits.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn next_due(&self) -> Result<Option<DateTime<Utc>>> {
        sqlx::query("SELECT MIN(due_us) FROM outbox WHERE due_us IS NOT NULL")
            .fetch_one(&self.reader)
            .await?
            .try_get::<Option<i64>, _>(0)?
            .map(moment)
            .transpose()
    }

    /// How many rows wait, and since when the oldest does. Rows under way count too: they are not sent yet.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn backlog(&self) -> Result<(u64, Option<DateTime<Utc>>)> {
        let row = sqlx::query(
            // Not OR: for that SQLite would read the whole table.
            "SELECT COUNT(*), MIN(t.created_us) FROM (SELECT created_us FROM outbox WHERE due_us IS NOT NULL \
             UNION ALL SELECT created_us FROM outbox WHERE state = 'sending') AS t",
        )
        .fetch_one(&self.reader)
        .await?;
        Ok((
            u64::try_from(row.try_get::<i64, _>(0)?)?,
            row.try_get::<Option<i64>, _>(1)?.map(moment).transpose()?,
        ))
    }
}

fn read(row: &AnyRow) -> Result<Due> {
    Ok(Due {
        id: row.try_get(0)?,
        request: row.try_get::<Option<i64>, _>(1)?.map(RequestId),
        recipient: row.try_get(2)?,
        internal: row.try_get::<i64, _>(3)? != 0,
        about_failure: row.try_get::<i64, _>(4)? != 0,
        attempt: u32::try_from(row.try_get::<i64, _>(5)?)?,
        created: moment(row.try_get(6)?)?,
        message_id: row.try_get(7)?,
        bytes: unpack_bytes(&row.try_get::<Vec<u8>, _>(8)?)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic,
        clippy::string_slice,
        reason = "tests"
    )]
    use super::*;
    use crate::store::testing::{Database, minute, on_each_engine, register};

    /// Three letters, written at minutes 1, 2 and 3.
    async fn three(db: &Database) -> Vec<i64> {
        for uid in 1..=3 {
            register(&db.store, uid, &format!("letter {uid}")).await;
        }
        vec![1, 2, 3]
    }

    fn names(due: &[Due]) -> Vec<i64> {
        due.iter().map(|letter| letter.id).collect()
    }

    #[tokio::test]
    async fn an_attempt_is_counted_before_it_is_made() {
        on_each_engine(async |db| {
            let ids = three(db).await;
            assert_eq!(db.store.next_due().await.unwrap(), Some(minute(1)));
            assert_eq!(db.store.backlog().await.unwrap(), (3, Some(minute(1))));
            let due = db.store.settle_and_claim(&[], 2, minute(3)).await.unwrap();
            assert_eq!(names(&due), ids[..2]);
            assert_eq!(due[0].attempt, 1);
            assert_eq!(due[0].recipient, "maria@raduga.example");
            assert_eq!(due[0].message_id, "out-1@desk.example");
            assert_eq!(due[0].created, minute(1));
            assert!(due[0].bytes.ends_with("\r\n\r\nПринято\r\n".as_bytes()));
            let other = db.open_again().await;
            assert_eq!(
                names(&other.settle_and_claim(&[], 9, minute(3)).await.unwrap()),
                ids[2..]
            );
            assert!(
                db.store
                    .settle_and_claim(&[], 9, minute(99))
                    .await
                    .unwrap()
                    .is_empty()
            );
            assert_eq!(db.store.next_due().await.unwrap(), None);
            assert_eq!(
                db.store.backlog().await.unwrap().0,
                3,
                "claimed is not sent"
            );
        })
        .await;
    }

    #[tokio::test]
    async fn each_fate_is_written_with_the_next_claim() {
        on_each_engine(async |db| {
            let ids = three(db).await;
            db.store.settle_and_claim(&[], 9, minute(3)).await.unwrap();
            let later = Fate::Later {
                at: minute(20),
                why: "451 später".into(),
                unknown: true,
            };
            let fates = [
                (ids[0], Fate::Sent("250 queued as 1".into())),
                (ids[1], later),
                (ids[2], Fate::Never("550 no such user".into())),
            ];
            assert!(db.store.settle_and_claim(&fates, 9, minute(4)).await.unwrap().is_empty());
            assert_eq!(db.store.next_due().await.unwrap(), Some(minute(20)));
            assert_eq!(db.store.backlog().await.unwrap(), (1, Some(minute(2))));
            assert_eq!(
                db.count("SELECT COUNT(*) FROM outbox WHERE state = 'sent' AND answer = '250 queued as 1' AND settled_us IS NOT NULL").await,
                1
            );
            assert_eq!(db.count("SELECT COUNT(*) FROM outbox WHERE state = 'failed'").await, 1);
            let again = db.store.settle_and_claim(&[], 9, minute(20)).await.unwrap();
            assert_eq!(names(&again), [ids[1]]);
            assert_eq!(again[0].attempt, 2);
            assert_eq!(db.count("SELECT unknowns FROM outbox WHERE id = 2").await, 1);
            let late = [(ids[0], Fate::Never("too late".into()))];
            db.store.settle_and_claim(&late, 0, minute(21)).await.unwrap();
            assert_eq!(
                db.count("SELECT COUNT(*) FROM outbox WHERE id = 1 AND state = 'sent'").await,
                1,
                "what is sent stays sent"
            );
        })
        .await;
    }

    #[tokio::test]
    async fn what_a_dead_process_had_claimed_is_due_again_with_the_same_bytes() {
        on_each_engine(async |db| {
            three(db).await;
            let before = db.store.settle_and_claim(&[], 9, minute(3)).await.unwrap();
            let next = db.open_again().await;
            assert_eq!(next.reclaim(minute(9)).await.unwrap(), 3);
            assert_eq!(next.reclaim(minute(9)).await.unwrap(), 0);
            let after = next.settle_and_claim(&[], 9, minute(9)).await.unwrap();
            assert_eq!(names(&after), names(&before));
            for (one, two) in before.iter().zip(&after) {
                assert_eq!((&one.bytes, &one.message_id), (&two.bytes, &two.message_id));
                assert_eq!(two.attempt, 2);
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_message_id_goes_out_once() {
        on_each_engine(async |db| {
            three(db).await;
            let copy = "INSERT INTO outbox SELECT 9, request_id, pending_id, recipient, recipient_key, template, refusal, internal, \
                 about_failure, subject, message_id, bytes, created_us, state, due_us, attempts, unknowns, answer, settled_us, cause_key, cause_vouched FROM outbox WHERE id = 1";
            let error = sqlx::query(copy).execute(&db.store.writer).await.unwrap_err();
            assert!(error.as_database_error().is_some_and(|e| e.is_unique_violation()));
        })
        .await;
    }
}
