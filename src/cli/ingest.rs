//! `ingest`: letters from files, an mbox or a Maildir, taken the same way as from IMAP.

use std::io::Read as _;
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

/// Letters kept in one transaction.
const BATCH: usize = 100;

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
        for batch in read(file, arrived, clock.now(), config.max_letter)?.chunks(BATCH) {
            let kept = store.keep(mailbox, batch, None, clock.now()).await?;
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
    loop {
        let ticked = inbound.tick(config).await?;
        let stepped = inbound.step(config).await?;
        if ticked.decided == 0 && stepped.is_idle() {
            return Ok(true);
        }
    }
}

fn read(
    path: &Path,
    arrived: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<Fetched>> {
    if path.is_dir() {
        return read_maildir(path, arrived, limit);
    }
    let mut raw = Vec::new();
    if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .read_to_end(&mut raw)
            .context("Standard input can't be read")?;
    } else {
        std::fs::File::open(path)
            .and_then(|mut f| f.read_to_end(&mut raw))
            .with_context(|| format!("{} can't be read", path.display()))?;
    }
    if !mbox::is_mbox(&raw) {
        return Ok(vec![fetched(raw, arrived.unwrap_or(now), limit)]);
    }
    let letters = mbox::letters(raw.as_slice())
        .map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    Ok(letters
        .into_iter()
        .map(|l| fetched(l.raw, arrived.or(l.arrived).unwrap_or(now).min(now), limit))
        .collect())
}

fn read_maildir(path: &Path, arrived: Option<DateTime<Utc>>, limit: u64) -> Result<Vec<Fetched>> {
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
            let raw = std::fs::read(entry.path())
                .with_context(|| format!("{} can't be read", entry.path().display()))?;
            found.push(fetched(
                raw,
                arrived.unwrap_or_else(|| DateTime::<Utc>::from(written)),
                limit,
            ));
        }
    }
    found.sort_by_key(|f| f.arrived);
    Ok(found)
}

/// A letter from a file has no place on a server: its place is made from its bytes, so that the same file is the same letter.
fn fetched(mut raw: Vec<u8>, arrived: DateTime<Utc>, limit: u64) -> Fetched {
    let digest = Sha256::digest(&raw);
    let head: [u8; 8] = digest.first_chunk().copied().unwrap_or_default();
    let uid = i64::from_be_bytes(head) & i64::MAX;
    let size = u64::try_from(raw.len()).unwrap_or(u64::MAX);
    let oversize = (size > limit).then_some(size);
    if oversize.is_some() {
        raw.truncate(256 << 10);
    }
    Fetched {
        location: Location {
            uidvalidity: 0,
            uid,
        },
        arrived,
        raw,
        oversize,
    }
}
