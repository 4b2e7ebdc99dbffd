//! The letters that wait for their decision: in order of arrival, with every attempt counted, some put off until a moment.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::column::{digest, micros, moment};
use super::letters::{LetterId, Original, Waiting};
use super::pool::Store;
use super::statement::{list, made, padded};

impl Store {
    /// The undecided letters, in order of arrival, at most `limit` of them.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn undecided(&self, limit: u32, now: DateTime<Utc>) -> Result<Vec<Waiting>> {
        let found = sqlx::query(
            "SELECT id, mailbox, arrived_us, attempts, size, sha256, oversize, postponed FROM letters \
             WHERE decided_us IS NULL AND (not_before_us IS NULL OR not_before_us <= $2) ORDER BY arrived_us, id LIMIT CAST($1 AS BIGINT)",
        )
        .bind(i64::from(limit))
        .bind(micros(now))
        .fetch_all(&self.reader)
        .await?;
        found.iter().map(waiting).collect()
    }

    /// The bytes of these letters, each beside its letter.
    ///
    /// # Errors
    /// The database can't be read, or lacks the bytes of one.
    pub async fn originals(&self, letters: Vec<Waiting>) -> Result<Vec<(Waiting, Original)>> {
        let ids: Vec<i64> = letters.iter().map(|letter| letter.id.0).collect();
        let mut packed: BTreeMap<i64, Vec<u8>> = BTreeMap::new();
        for piece in padded(&ids) {
            let mut query = made(format!(
                "SELECT letter_id, raw FROM originals WHERE letter_id IN ({})",
                list(1, piece.len())
            ));
            for id in piece {
                query = query.bind(id);
            }
            for row in query.fetch_all(&self.reader).await? {
                packed.insert(row.try_get(0)?, row.try_get(1)?);
            }
        }
        let beside = |letter: Waiting| {
            let packed = packed
                .remove(&letter.id.0)
                .with_context(|| format!("Letter {} has no bytes", letter.id.0))?;
            let size = i64::try_from(letter.size)?;
            Ok((letter, Original { packed, size }))
        };
        letters.into_iter().map(beside).collect()
    }

    /// Counts one more attempt at reading each of these letters, and commits: before the attempt is made.
    ///
    /// # Errors
    /// The database refused.
    pub async fn count_attempt(&self, ids: &[LetterId]) -> Result<()> {
        self.add_attempts(ids, 1).await
    }

    /// Takes the attempt back for those that are still undecided: it ended for reasons that were not theirs.
    ///
    /// # Errors
    /// The database refused.
    pub async fn forgive_attempt(&self, ids: &[LetterId]) -> Result<()> {
        self.add_attempts(ids, -1).await
    }

    async fn add_attempts(&self, ids: &[LetterId], difference: i64) -> Result<()> {
        let mut tx = self.begin_write().await?;
        for piece in padded(ids) {
            let mut query = made(format!(
                "UPDATE letters SET attempts = attempts + $1 WHERE decided_us IS NULL AND attempts + $1 >= 0 AND id IN ({})",
                list(2, piece.len())
            ))
            .bind(difference);
            for id in piece {
                query = query.bind(id.0);
            }
            query.execute(&mut *tx).await?;
        }
        tx.commit().await.context("The attempt was not counted")
    }

    /// Puts the decision on these letters off, each until its moment. Reading them succeeded, so that their attempts are counted anew.
    ///
    /// # Errors
    /// The database refused: nothing was put off.
    pub async fn postpone(&self, waits: &[(LetterId, DateTime<Utc>)]) -> Result<()> {
        if waits.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin_write().await?;
        for (id, until) in waits {
            sqlx::query(
                "UPDATE letters SET not_before_us = $2, postponed = postponed + 1, attempts = 0 WHERE id = $1 AND decided_us IS NULL",
            )
            .bind(id.0)
            .bind(micros(*until))
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await.context("No decision was put off")
    }
}

fn waiting(row: &AnyRow) -> Result<Waiting> {
    let sha256: Vec<u8> = row.try_get(5)?;
    Ok(Waiting {
        id: LetterId(row.try_get(0)?),
        mailbox: row.try_get(1)?,
        arrived: moment(row.try_get(2)?)?,
        attempts: u32::try_from(row.try_get::<i64, _>(3)?)?,
        postponed: u32::try_from(row.try_get::<i64, _>(7)?)?,
        size: u64::try_from(row.try_get::<i64, _>(4)?)?,
        sha256: digest(&sha256)?,
        oversize: row
            .try_get::<Option<i64>, _>(6)?
            .map(u64::try_from)
            .transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use crate::store::testing::{kept, minute, on_each_engine};

    #[tokio::test]
    async fn a_letter_that_was_put_off_comes_back_at_its_moment_with_its_arrival() {
        on_each_engine(async |db| {
            let one = kept(&db.store, 1, "one").await;
            let two = kept(&db.store, 2, "two").await;
            db.store.count_attempt(&[one.id, two.id]).await.unwrap();
            let before = db.store.undecided(9, minute(5)).await.unwrap();
            db.store.postpone(&[(one.id, minute(10))]).await.unwrap();
            let waiting = db.store.undecided(9, minute(9)).await.unwrap();
            assert_eq!(waiting.len(), 1);
            assert_eq!(waiting[0].id, two.id);
            assert_eq!(db.store.next_moment().await.unwrap(), Some(minute(10)));
            let waiting = db.store.undecided(9, minute(10)).await.unwrap();
            let back = waiting.iter().find(|w| w.id == one.id).unwrap();
            assert_eq!((back.attempts, back.postponed), (0, 1));
            // What was put off has no attempt left that could be taken back.
            db.store.forgive_attempt(&[one.id]).await.unwrap();
            let waiting = db.store.undecided(9, minute(10)).await.unwrap();
            assert!(waiting.iter().all(|w| w.id != one.id || w.attempts == 0));
            assert_eq!(back.arrived, before[0].arrived);
        })
        .await;
    }
}
