//! The letters that are decided on together: fetched from the store, and read on another thread while others are decided on.

use std::sync::Arc;

use anyhow::{Context, Result};

use crate::config::Config;
use crate::examination::{self, Examined};
use crate::store::letters::{Original, Waiting};
use crate::store::pool::Store;

/// Letters decided on in one transaction.
const PORTION: usize = 32;
/// Raw octets held in memory at a time (P9), unless one letter has more.
const PORTION_BYTES: u64 = 4 << 20;

/// The letters in portions that are read and decided on together.
pub fn portions(letters: Vec<Waiting>) -> Vec<Vec<Waiting>> {
    let mut portions: Vec<Vec<Waiting>> = Vec::new();
    let mut room = 0_u64;
    for letter in letters {
        let left = room.checked_sub(letter.size);
        match (portions.last_mut(), left) {
            (Some(portion), Some(left)) if portion.len() < PORTION => {
                room = left;
                portion.push(letter);
            }
            _ => {
                room = PORTION_BYTES.saturating_sub(letter.size);
                portions.push(vec![letter]);
            }
        }
    }
    portions
}

/// Fetches letters and reads them off the async threads: a hostile one costs time there, and a panic costs only this attempt.
///
/// # Errors
/// The store can't be read, or reading a letter broke off.
pub async fn read(
    store: &Store,
    config: &Arc<Config>,
    portion: Option<Vec<Waiting>>,
) -> Result<Option<Vec<(Waiting, Examined)>>> {
    let Some(portion) = portion else {
        return Ok(None);
    };
    let originals = store.originals(portion).await?;
    let config = Arc::clone(config);
    let examine = move |(waiting, original): (Waiting, Original)| -> Result<_> {
        let raw = original.unpacked()?;
        let examined = examination::examine(&raw, &config, &waiting.mailbox, waiting.arrived);
        Ok((waiting, examined))
    };
    let examined: Result<Vec<_>> =
        tokio::task::spawn_blocking(move || originals.into_iter().map(examine).collect())
            .await
            .context("Reading a letter broke off; it will be tried again alone")?;
    examined.map(Some)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::store::letters::LetterId;

    fn sizes(letters: &[u64]) -> Vec<Vec<u64>> {
        let letters = letters.iter().map(|size| Waiting {
            id: LetterId(1),
            mailbox: String::new(),
            arrived: DateTime::UNIX_EPOCH,
            attempts: 0,
            postponed: 0,
            size: *size,
            sha256: [0; 32],
            oversize: None,
        });
        let portions = portions(letters.collect()).into_iter();
        portions
            .map(|portion| portion.iter().map(|letter| letter.size).collect())
            .collect()
    }

    #[test]
    fn a_portion_has_few_letters_and_few_octets_and_at_least_one() {
        let most = PORTION_BYTES;
        assert_eq!(sizes(&[1, most - 1, 1]), [vec![1, most - 1], vec![1]]);
        assert_eq!(
            sizes(&[most + 1, 1, 2]),
            [vec![most + 1], vec![1, 2]],
            "however large it is"
        );
        let counts: Vec<usize> = sizes(&[1; 40]).iter().map(Vec::len).collect();
        assert_eq!(counts, [32, 8]);
        assert!(sizes(&[]).is_empty());
    }
}
