//! What signatures bring with them: decisions that wait for the DNS, and replays of a signed letter (K4).

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};

use super::column::micros;
use super::letters::LetterId;
use super::pool::Store;
use super::work::Work;

impl Store {
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

impl Work {
    /// Whether this signature vouched before for a letter of other content: then one of the two is a replay.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn signature_seen(
        &mut self,
        signature_key: &[u8; 32],
        content_key: &[u8; 32],
        except: LetterId,
    ) -> Result<bool> {
        if self.lately.signature(signature_key, content_key, except) {
            return Ok(true);
        }
        let row = sqlx::query(
            "SELECT id FROM letters WHERE signature_key = $1 AND content_key <> $2 AND id <> $3 AND decided_us IS NOT NULL LIMIT 1",
        )
        .bind(signature_key.to_vec())
        .bind(content_key.to_vec())
        .bind(except.0)
        .fetch_optional(self.connection())
        .await?;
        Ok(row.is_some())
    }
}

#[cfg(test)]
mod tests {
    use crate::desk::decide::{Concern, Verdict};
    use crate::store::testing::{apply, decision, kept, minute, on_each_engine};

    #[tokio::test]
    async fn a_letter_that_was_put_off_comes_back_at_its_moment_with_its_arrival() {
        on_each_engine(async |db| {
            let one = kept(&db.store, 1, "one").await;
            let two = kept(&db.store, 2, "two").await;
            db.store.count_attempt(&[one.id, two.id]).await.unwrap();
            let before = db.store.undecided(9, 999, minute(5)).await.unwrap();
            db.store.postpone(&[(one.id, minute(10))]).await.unwrap();
            let waiting = db.store.undecided(9, 999, minute(9)).await.unwrap();
            assert_eq!(waiting.len(), 1);
            assert_eq!(waiting[0].id, two.id);
            assert_eq!(db.store.next_moment().await.unwrap(), Some(minute(10)));
            let waiting = db.store.undecided(9, 999, minute(10)).await.unwrap();
            let back = waiting.iter().find(|w| w.id == one.id).unwrap();
            assert_eq!((back.attempts, back.postponed), (0, 1));
            assert_eq!(back.arrived, before[0].arrived);
        })
        .await;
    }

    #[tokio::test]
    async fn k4_a_signature_under_another_content_is_known() {
        on_each_engine(async |db| {
            let mut one = kept(&db.store, 1, "one").await;
            let two = kept(&db.store, 2, "two").await;
            one.signature_key = Some([7; 32]);
            let (own, other) = (one.content_key.unwrap(), two.content_key.unwrap());
            let mut work = db.store.begin().await.unwrap();
            let ignored = decision(Verdict::Ignored, Concern::Nothing, vec![]);
            apply(&mut work, Some(&one), &ignored, minute(1)).await;
            assert!(work.signature_seen(&[7; 32], &other, two.id).await.unwrap());
            work.commit().await.unwrap();
            let mut work = db.store.begin().await.unwrap();
            assert!(work.signature_seen(&[7; 32], &other, two.id).await.unwrap());
            assert!(!work.signature_seen(&[7; 32], &own, two.id).await.unwrap());
            assert!(!work.signature_seen(&[8; 32], &other, two.id).await.unwrap());
        })
        .await;
    }
}
