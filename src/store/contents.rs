//! What the store has seen already: the same bytes (K2), the same content by another path (K3), a signature under other content (K4).

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::{Any, Row, Transaction};

use super::column::digest;
use super::lately::ENTERED;
use super::letters::LetterId;
use super::statement::{list, made, padded};
use super::work::Work;
use crate::desk::assurance::Level;

impl Work {
    /// Whether a letter with this content key was decided on before (K3). One that led to nothing counts only where the desk was no less
    /// sure of its sender than of this one's: a forged copy that comes first must not swallow the letter itself.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn content_seen(
        &mut self,
        content_key: &[u8; 32],
        except: LetterId,
        assurance: Level,
    ) -> Result<bool> {
        if let Some(seen) = self.lately.content(content_key, except, assurance) {
            return Ok(seen);
        }
        let as_sure = Level::ALL.into_iter().filter(|level| *level >= assurance);
        let as_sure: Vec<&str> = as_sure.map(Level::word).collect();
        let mut query = made(format!(
            "SELECT id FROM letters WHERE content_key = $1 AND id <> $2 AND decided_us IS NOT NULL \
             AND (verdict IN ({}) OR assurance IN ({})) LIMIT 1",
            list(3, ENTERED.len()),
            list(ENTERED.len().saturating_add(3), as_sure.len())
        ))
        .bind(content_key.to_vec())
        .bind(except.0);
        for word in ENTERED.iter().map(|v| v.word()).chain(as_sure) {
            query = query.bind(word);
        }
        let row = query.fetch_optional(self.connection()).await?;
        Ok(row.is_some())
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

/// The letters that have these bytes, by their SHA-256.
pub(crate) async fn known_digests(
    tx: &mut Transaction<'static, Any>,
    digests: &[[u8; 32]],
) -> Result<BTreeMap<[u8; 32], i64>> {
    let mut known = BTreeMap::new();
    for piece in padded(digests) {
        let mut query = made(format!(
            "SELECT sha256, id FROM letters WHERE sha256 IN ({})",
            list(1, piece.len())
        ));
        for digest in piece {
            query = query.bind(digest.to_vec());
        }
        for row in query.fetch_all(&mut **tx).await? {
            known.insert(digest(&row.try_get::<Vec<u8>, _>(0)?)?, row.try_get(1)?);
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use crate::desk::decide::{Concern, Verdict};
    use crate::store::testing::{apply, decision, kept, minute, on_each_engine};

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
