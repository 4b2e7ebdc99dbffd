//! `ingest`: letters from files, an mbox or a Maildir, taken the same way as from IMAP.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::failure::Failure;
use super::settings;
use crate::clock::Clock;
use crate::config::Config;
use crate::dns::resolver::Resolver;
use crate::inbound::Inbound;
use crate::mail::mbox;
use crate::store::letters::{Fetched, Location};
use crate::store::pool::Store;
use crate::takeover;

/// Letters kept in one transaction…
const BATCH: usize = 100;
/// …and octets, and a letter more.
const BATCH_BYTES: usize = 4 << 20;
/// How much is held of a letter that is larger than the desk takes.
const OVERSIZE_KEPT: usize = 256 << 10;

/// `postdesk ingest`.
///
/// # Errors
/// An unknown mailbox, a file that can't be read, a bad configuration, or a database that refuses.
pub async fn ingest(
    config: Option<PathBuf>,
    mailbox: &str,
    arrived: Option<DateTime<Utc>>,
    files: &[PathBuf],
) -> Result<(), Failure> {
    let config = Arc::new(settings::load(&settings::file(config)?)?);
    if !config.mailboxes.iter().any(|m| m.policy.name == mailbox) {
        let known: Vec<&str> = config
            .mailboxes
            .iter()
            .map(|m| m.policy.name.as_str())
            .collect();
        return Err(Failure::Usage(format!(
            "there is no mailbox {mailbox:?}; there are {}",
            known.join(", ")
        )));
    }
    let clock = Clock::System;
    let store = settings::make(&config).await?;
    let (mut taken, mut fresh) = (0_usize, 0_usize);
    for file in files {
        let mut letters = Letters::open(file, arrived, clock.now(), config.max_letter)?;
        loop {
            let batch = letters.batch()?;
            if batch.is_empty() {
                break;
            }
            let kept = store.keep(mailbox, &batch, None, clock.now()).await?;
            taken = taken.saturating_add(batch.len());
            fresh = fresh.saturating_add(kept.iter().filter(|k| k.fresh).count());
        }
    }
    let decided = decide(&config, &store, &clock).await?;
    store.close().await;
    let known = taken.saturating_sub(fresh);
    let letters = if taken == 1 { "letter" } else { "letters" };
    let by_whom = if decided {
        "all are decided: see `postdesk requests`, or `postdesk explain MESSAGE-ID` for one of them"
    } else {
        "a daemon is running and decides on them"
    };
    settings::say(&format!(
        "{taken} {letters} read: {fresh} new, {known} known already; {by_whom}"
    ));
    Ok(())
}

/// Decides at once, unless a daemon is at work: then it does.
async fn decide(config: &Arc<Config>, store: &Store, clock: &Clock) -> Result<bool> {
    let Ok(_lease) = store.try_lease().await? else {
        return Ok(false);
    };
    let dns = Resolver::asking(config.dns.servers.clone(), config.dns.patience);
    let mut inbound = Inbound::new(store.clone(), clock.clone(), Arc::default()).asking(dns);
    takeover::appointments(store, config, clock.now()).await?;
    loop {
        let ticked = inbound.tick(config).await?;
        let stepped = inbound.step(config).await?;
        if ticked.decided == 0 && stepped.is_idle() {
            return Ok(true);
        }
    }
}

/// The letters of one file, mbox or Maildir, read as they are asked for (P9).
struct Letters {
    source: Source,
    arrived: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    limit: u64,
}

enum Source {
    /// One letter; none once it was read.
    File(Option<Box<dyn BufRead>>),
    Mbox(PathBuf, mbox::Letters<Box<dyn BufRead>>),
    /// Files with the moments they were written at, the first one to read last.
    Maildir(Vec<(DateTime<Utc>, PathBuf)>),
}

impl Letters {
    fn open(
        path: &Path,
        arrived: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        limit: u64,
    ) -> Result<Self> {
        let source = if path.is_dir() {
            Source::Maildir(in_maildir(path)?)
        } else {
            let mut reader: Box<dyn BufRead> = if path == Path::new("-") {
                Box::new(BufReader::new(std::io::stdin()))
            } else {
                Box::new(BufReader::new(
                    File::open(path).with_context(unreadable(path))?,
                ))
            };
            let beginning = reader.fill_buf().with_context(unreadable(path))?;
            if mbox::is_mbox(beginning) {
                Source::Mbox(path.to_owned(), mbox::letters(reader))
            } else {
                Source::File(Some(reader))
            }
        };
        Ok(Self {
            source,
            arrived,
            now,
            limit,
        })
    }

    /// The next letters, a transaction's worth; none at the end.
    fn batch(&mut self) -> Result<Vec<Fetched>> {
        let (mut batch, mut octets) = (Vec::new(), 0_usize);
        while batch.len() < BATCH && octets < BATCH_BYTES {
            let Some(letter) = self.next()? else { break };
            octets = octets.saturating_add(letter.raw.len());
            batch.push(letter);
        }
        Ok(batch)
    }

    fn next(&mut self) -> Result<Option<Fetched>> {
        Ok(match &mut self.source {
            Source::File(reader) => match reader.take() {
                Some(reader) => Some(
                    fetched(reader, self.arrived.unwrap_or(self.now), self.limit)
                        .context("The letter can't be read")?,
                ),
                None => None,
            },
            Source::Mbox(path, letters) => match letters.next() {
                Some(letter) => {
                    let letter =
                        letter.map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
                    let arrived = self.arrived.or(letter.arrived).unwrap_or(self.now);
                    Some(fetched(
                        letter.raw.as_slice(),
                        arrived.min(self.now),
                        self.limit,
                    )?)
                }
                None => None,
            },
            Source::Maildir(files) => match files.pop() {
                Some((written, path)) => {
                    let file = File::open(&path).with_context(unreadable(&path))?;
                    let arrived = self.arrived.unwrap_or(written);
                    Some(fetched(file, arrived, self.limit).with_context(unreadable(&path))?)
                }
                None => None,
            },
        })
    }
}

fn unreadable(path: &Path) -> impl Fn() -> String {
    move || format!("{} can't be read", path.display())
}

fn in_maildir(path: &Path) -> Result<Vec<(DateTime<Utc>, PathBuf)>> {
    let mut found = Vec::new();
    for folder in ["new", "cur"] {
        let folder = path.join(folder);
        let entries = std::fs::read_dir(&folder).with_context(|| {
            format!(
                "{} is no Maildir: {} can't be read",
                path.display(),
                folder.display()
            )
        })?;
        for entry in entries {
            let entry = entry?;
            let written = entry.metadata().and_then(|m| m.modified())?;
            found.push((DateTime::<Utc>::from(written), entry.path()));
        }
    }
    found.sort();
    found.reverse();
    Ok(found)
}

/// A letter from a file has no place on a server: its place is made from its bytes, so that the same file is the same letter. Of one that is
/// larger than the desk takes only the beginning is held.
fn fetched(mut reader: impl Read, arrived: DateTime<Utc>, limit: u64) -> std::io::Result<Fetched> {
    let mut raw = Vec::new();
    let read = (&mut reader)
        .take(limit.saturating_add(1))
        .read_to_end(&mut raw)?;
    let mut hash = Sha256::new();
    hash.update(&raw);
    let mut size = u64::try_from(read).unwrap_or(u64::MAX);
    if size > limit {
        raw.truncate(OVERSIZE_KEPT);
        raw.shrink_to_fit();
        size = size.saturating_add(std::io::copy(&mut reader, &mut hash)?);
    }
    let digest = hash.finalize();
    let head: [u8; 8] = digest.first_chunk().copied().unwrap_or_default();
    Ok(Fetched {
        location: Location {
            uidvalidity: 0,
            uid: i64::from_be_bytes(head) & i64::MAX,
        },
        arrived,
        raw,
        oversize: (size > limit).then_some(size),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn a_letter_that_is_too_large_is_known_by_all_of_it_and_held_in_part() {
        let (limit, now) = (300_000, DateTime::UNIX_EPOCH);
        let mut long = vec![b'x'; 400_000];
        let one = fetched(long.as_slice(), now, limit).unwrap();
        long[399_999] = b'y';
        let other = fetched(long.as_slice(), now, limit).unwrap();
        assert_eq!(one.raw.len(), OVERSIZE_KEPT);
        assert_eq!((one.oversize, &one.raw), (Some(400_000), &other.raw));
        assert_ne!(one.location, other.location);
        let short = fetched(&long[..300_000], now, limit).unwrap();
        assert_eq!((short.raw.len(), short.oversize), (300_000, None));
    }

    #[test]
    fn a_maildir_is_read_oldest_first_in_batches() {
        let folder = tempfile::tempdir().unwrap();
        for (name, octets) in [("new/b", 3 << 20), ("cur/a", 3 << 20), ("cur/c", 10)] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, vec![name.as_bytes()[4]; octets]).unwrap();
            let at = std::time::UNIX_EPOCH
                + std::time::Duration::from_secs(u64::from(name.as_bytes()[4]));
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(at)
                .unwrap();
        }
        let now = "2026-11-21T10:00:00Z".parse().unwrap();
        let mut letters = Letters::open(folder.path(), None, now, 25 << 20).unwrap();
        let mut batches = vec![];
        loop {
            let batch = letters.batch().unwrap();
            if batch.is_empty() {
                break;
            }
            batches.push(
                batch
                    .iter()
                    .map(|l| char::from(l.raw[0]))
                    .collect::<String>(),
            );
        }
        assert_eq!(batches, ["ab", "c"]);
    }
}
