//! What signatures bring with them: decisions that wait for the DNS, and replays of a signed letter (K4).

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};

use super::column::micros;
use super::letters::LetterId;
use super::work::Work;

impl Work {
    /// Puts the decision on a letter off. Reading it succeeded, so that its attempts are counted anew.
    ///
    /// # Errors
    /// The database refused, or the letter is decided already.
    pub async fn postpone(&mut self, id: LetterId, until: DateTime<Utc>) -> Result<()> {
        let moved = sqlx::query(
            "UPDATE letters SET not_before_us = $2, postponed = postponed + 1, attempts = 0 WHERE id = $1 AND decided_us IS NULL",
        )
        .bind(id.0)
        .bind(micros(until))
        .execute(&mut *self.tx)
        .await
        .context("The letter's decision could not be put off")?
        .rows_affected();
        if moved != 1 {
            bail!("Letter {} is decided already", id.0);
        }
        Ok(())
    }

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
        let row = sqlx::query(
            "SELECT id FROM letters WHERE signature_key = $1 AND content_key <> $2 AND id <> $3 AND decided_us IS NOT NULL LIMIT 1",
        )
        .bind(signature_key.to_vec())
        .bind(content_key.to_vec())
        .bind(except.0)
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(row.is_some())
    }
}
