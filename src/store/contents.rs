//! What the store has seen already: the same bytes (K2), the same content by another path (K3).

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
