//! A mailbox as a Maildir that an MTA, getmail or fetchmail fills: new files since the last look, and a wait for more.
//!
//! How "new" survives a crash without a state of its own: the ledger is the only memory. A file is known by its unique name (before the `:`),
//! from which its UID is made; a UID that the ledger has is passed over. So after a start the caller takes [`Maildir::uids`], asks the ledger
//! which of them it has, and tells [`Maildir::pass_over`]; what was not told is offered, whichever folder it lies in. A file moves from
//! `new/` to `cur/` only after its letter was committed; if the move is lost in a crash, the next start makes up for it.
//!
//! `new/` is looked at on every call. `cur/` also may hold what was never seen, because a mail reader moves there what it has shown; it is looked
//! through at the first call and then once a minute, for it may be large.
//!
//! Reading is done in place (local files, a few megabytes at most), not on a thread of its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use notify::event::{EventKind, ModifyKind, RenameMode};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// What is taken of a file that is too large.
const BEGINNING: u64 = 256 * 1024;
/// How often `cur/` is looked through.
const RECONCILE: Duration = Duration::from_secs(60);
/// How often `new/` is looked at where the system can't tell of arrivals.
const LOOK: Duration = Duration::from_secs(2);

/// A Maildir.
#[derive(Debug)]
pub struct Maildir {
    path: PathBuf,
    /// Kept already, so not to be offered.
    passed: BTreeSet<i64>,
    /// Offered and not yet known to be kept.
    offered: BTreeMap<i64, Entry>,
    /// Listed and not yet offered, oldest first.
    waiting: VecDeque<Entry>,
    reconciled: Option<Instant>,
    arrival: Arc<Notify>,
    /// None where the system can't tell of arrivals; it tells as long as this lives.
    watcher: Option<RecommendedWatcher>,
}

/// A letter that lies in the Maildir.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Made from the file's unique name; at least 1, the same for ever.
    pub uid: i64,
    /// When the file was written.
    pub arrived: DateTime<Utc>,
    /// Its octets; only the first 256 KiB if it is too large.
    pub raw: Vec<u8>,
    /// Its size, if that is more than is taken.
    pub oversize: Option<u64>,
}

/// How a kept letter lies in `cur/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Unread, as a mail reader shows it.
    Unseen,
    /// Read.
    Seen,
}

/// A file that is known by name only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    arrived: DateTime<Utc>,
    name: OsString,
    folder: &'static str,
    uid: i64,
}

impl Maildir {
    /// Opens a Maildir; makes what is missing of its three folders.
    ///
    /// # Errors
    /// A folder can't be made.
    pub fn open(path: &Path) -> Result<Self> {
        for folder in ["tmp", "new", "cur"] {
            let folder = path.join(folder);
            fs::create_dir_all(&folder)
                .with_context(|| format!("Can't make the folder {}", folder.display()))?;
        }
        let arrival = Arc::new(Notify::new());
        let watcher = match watch(&path.join("new"), Arc::clone(&arrival)) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::warn!(%error, "the system can't tell of arrivals in a Maildir; looking every few seconds");
                None
            }
        };
        Ok(Self {
            path: path.to_owned(),
            passed: BTreeSet::new(),
            offered: BTreeMap::new(),
            waiting: VecDeque::new(),
            reconciled: None,
            arrival,
            watcher,
        })
    }

    /// The UIDs of all letters that lie here, kept or not.
    ///
    /// # Errors
    /// The folders can't be read.
    pub fn uids(&self) -> Result<Vec<i64>> {
        let mut all = self.list("new")?;
        all.extend(self.list("cur")?);
        Ok(all.into_iter().map(|entry| entry.uid).collect())
    }

    /// Says that these letters are kept already, and need not be offered. One that still lies in `new/` lost its move in a crash: it is
    /// moved now, or it would lie there for ever.
    pub fn pass_over(&mut self, uids: impl IntoIterator<Item = i64>) {
        self.passed.extend(uids);
        let left = self.list("new").unwrap_or_default();
        for entry in left.iter().filter(|e| self.passed.contains(&e.uid)) {
            if let Err(error) = self.settle(entry, Mark::Unseen) {
                // Where it lies makes no difference to what is known of it.
                tracing::warn!(%error, "can't move a letter that is kept already from new/ to cur/");
            }
        }
    }

    /// Letters that are not known to be kept, oldest first: at most `limit` of them and about `max_bytes` octets together, at least one.
    /// Of a letter above `max_letter` octets only the beginning is read. A letter that is offered and then not reported to [`Self::after_kept`] is
    /// offered again once all others were.
    ///
    /// # Errors
    /// The folders can't be read. A file that can't be read is passed over until the next look and does not keep others back.
    pub fn new_messages(
        &mut self,
        limit: usize,
        max_bytes: u64,
        max_letter: u64,
    ) -> Result<Vec<Found>> {
        if self.waiting.is_empty() {
            self.look()?;
        }
        let mut found: Vec<Found> = Vec::new();
        let (mut octets, mut unreadable) = (0_u64, 0_u32);
        while found.len() < limit && (found.is_empty() || octets < max_bytes) {
            let Some(entry) = self.waiting.pop_front() else {
                break;
            };
            match read(&self.path_of(&entry), max_letter) {
                Ok((raw, oversize)) => {
                    octets = octets.saturating_add(raw.len() as u64);
                    found.push(Found {
                        uid: entry.uid,
                        arrived: entry.arrived,
                        raw,
                        oversize,
                    });
                    self.offered.insert(entry.uid, entry);
                }
                // Somebody moved it: to `cur/`, so that is looked through again.
                Err(error) if error.kind() == ErrorKind::NotFound => self.reconciled = None,
                Err(error) => {
                    tracing::debug!(%error, file = ?entry.name, "can't read a letter");
                    unreadable = unreadable.saturating_add(1);
                }
            }
        }
        if unreadable > 0 {
            tracing::warn!(
                unreadable,
                "there are letters in a Maildir that can't be read"
            );
        }
        Ok(found)
    }

    /// Moves letters that are kept to `cur/`, and will not offer them again.
    ///
    /// # Errors
    /// A file can't be moved. The others are, and none of them is offered again.
    pub fn after_kept(&mut self, uids: &[i64], mark: Mark) -> Result<()> {
        let mut outcome = Ok(());
        for uid in uids {
            self.passed.insert(*uid);
            let Some(entry) = self.offered.remove(uid) else {
                continue;
            };
            if let Err(error) = self.settle(&entry, mark)
                && error.kind() != ErrorKind::NotFound
            {
                outcome = Err(error).context("Can't move a letter from new/ to cur/");
            }
        }
        outcome
    }

    /// Returns once something may have arrived, or after `poll`, whichever is first. May be dropped and called again.
    pub async fn wait(&mut self, poll: Duration) {
        if !self.waiting.is_empty() {
            return;
        }
        let longest = if self.watcher.is_some() {
            RECONCILE
        } else {
            LOOK
        };
        timeout(poll.min(longest), self.arrival.notified())
            .await
            .ok();
    }

    /// Lists what is to be offered.
    fn look(&mut self) -> Result<()> {
        let mut entries = self.list("new")?;
        let due = self
            .reconciled
            .is_none_or(|last| last.elapsed() >= RECONCILE);
        if due {
            entries.extend(self.list("cur")?);
            // What no longer lies here needs no memory.
            let here: BTreeSet<i64> = entries.iter().map(|entry| entry.uid).collect();
            self.passed.retain(|uid| here.contains(uid));
            self.offered.retain(|uid, _| here.contains(uid));
            self.reconciled = Some(Instant::now());
        }
        entries.retain(|entry| !self.passed.contains(&entry.uid));
        entries.sort();
        self.waiting = entries.into();
        Ok(())
    }

    /// The letters of one folder: plain files only, for a pipe or a link is no delivery.
    fn list(&self, folder: &'static str) -> Result<Vec<Entry>> {
        let path = self.path.join(folder);
        let reading = || format!("Can't read the folder {}", path.display());
        let mut entries = Vec::new();
        for item in fs::read_dir(&path).with_context(reading)? {
            let item = item.with_context(reading)?;
            let name = item.file_name();
            if name.as_bytes().starts_with(b".") {
                continue;
            }
            // It may be gone by now.
            let Ok(about) = item.metadata() else {
                continue;
            };
            if !about.is_file() {
                continue;
            }
            entries.push(Entry {
                arrived: about
                    .modified()
                    .map_or(DateTime::UNIX_EPOCH, DateTime::from),
                uid: uid_of(&name),
                name,
                folder,
            });
        }
        Ok(entries)
    }

    fn settle(&self, entry: &Entry, mark: Mark) -> std::io::Result<()> {
        let mut name = unique(&entry.name).to_owned();
        match (mark, entry.folder) {
            // Where a mail reader put it is where it stays, with the flags that it has.
            (Mark::Unseen, "cur") => return Ok(()),
            (Mark::Unseen, _) => name.push(":2,"),
            (Mark::Seen, _) => {
                name.clear();
                name.push(seen_name(&entry.name));
            }
        }
        fs::rename(self.path_of(entry), self.path.join("cur").join(name))
    }

    fn path_of(&self, entry: &Entry) -> PathBuf {
        self.path.join(entry.folder).join(&entry.name)
    }
}

/// A file's octets, or its beginning and its size if it has more than `max_letter`.
fn read(path: &Path, max_letter: u64) -> std::io::Result<(Vec<u8>, Option<u64>)> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let (take, oversize) = if size > max_letter {
        (BEGINNING, Some(size))
    } else {
        (max_letter, None)
    };
    let mut raw = Vec::new();
    file.take(take).read_to_end(&mut raw)?;
    Ok((raw, oversize))
}

/// The name before the flags.
fn unique(name: &OsStr) -> &OsStr {
    let bytes = name.as_bytes().split(|byte| *byte == b':').next();
    OsStr::from_bytes(bytes.unwrap_or_default())
}

fn uid_of(name: &OsStr) -> i64 {
    let digest = Sha256::digest(unique(name).as_bytes());
    let bytes = digest.iter().take(8);
    let number = bytes.fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    i64::try_from(number >> 1).unwrap_or(i64::MAX).max(1)
}

/// The name with the flag S among its flags, in ASCII order as Maildir wants them.
fn seen_name(name: &OsStr) -> OsString {
    let bytes = name.as_bytes();
    let start = bytes.windows(3).position(|w| w == b":2,");
    let flags = start.and_then(|at| bytes.get(at.saturating_add(3)..));
    let mut flags: BTreeSet<u8> = flags.unwrap_or_default().iter().copied().collect();
    flags.insert(b'S');
    let mut out = unique(name).as_bytes().to_vec();
    out.extend(b":2,");
    out.extend(flags);
    OsString::from_vec(out)
}

/// Wakes when a file comes to the folder; our own moves out of it do not.
fn watch(folder: &Path, arrival: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let wakes = event.map_or(true, |event| {
            event.need_rescan()
                || matches!(
                    event.kind,
                    EventKind::Create(_)
                        | EventKind::Modify(ModifyKind::Name(
                            RenameMode::To | RenameMode::Both | RenameMode::Any
                        ))
                        | EventKind::Any
                        | EventKind::Other
                )
        });
        if wakes {
            arrival.notify_one();
        }
    })?;
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::disallowed_methods,
        reason = "tests"
    )]

    use std::fs;
    use std::path::Path;
    use std::time::{Duration, Instant, SystemTime};

    use super::{Found, Maildir, Mark, uid_of};

    /// Delivers as an MTA does, so many seconds after the epoch.
    fn deliver(dir: &Path, name: &str, text: &str, at: u64) {
        let tmp = dir.join("tmp").join(name);
        fs::write(&tmp, text).unwrap();
        let file = fs::File::options().write(true).open(&tmp).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(at))
            .unwrap();
        fs::rename(tmp, dir.join("new").join(name)).unwrap();
    }

    fn texts(found: &[Found]) -> Vec<&str> {
        let text = |found| std::str::from_utf8(found).unwrap();
        found.iter().map(|found| text(&found.raw)).collect()
    }

    fn names(dir: &Path, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir.join(folder))
            .unwrap()
            .map(|item| item.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A8: oldest first, in bounded batches, and moved only once kept.
    #[test]
    fn letters_come_oldest_first_and_move_when_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut maildir = Maildir::open(dir.path()).unwrap();
        deliver(dir.path(), "2.b.host", "second", 200);
        deliver(dir.path(), "9.a.host", "first", 100);
        deliver(dir.path(), "1.c.host", "third", 300);
        let found = maildir.new_messages(2, 1000, 1000).unwrap();
        assert_eq!(texts(&found), ["first", "second"]);
        assert_eq!(found[0].arrived.timestamp(), 100);
        assert_eq!(names(dir.path(), "new").len(), 3);
        maildir.after_kept(&[found[0].uid], Mark::Unseen).unwrap();
        maildir.after_kept(&[found[1].uid], Mark::Seen).unwrap();
        assert_eq!(names(dir.path(), "cur"), ["2.b.host:2,S", "9.a.host:2,"]);
        let found = maildir.new_messages(2, 1000, 1000).unwrap();
        assert_eq!(texts(&found), ["third"]);
    }

    /// P1, P2: what was offered and not kept is offered again, by this process and by the next; what the ledger has is not.
    #[test]
    fn only_the_ledger_makes_a_letter_old() {
        let dir = tempfile::tempdir().unwrap();
        let mut maildir = Maildir::open(dir.path()).unwrap();
        deliver(dir.path(), "1.host", "letter", 100);
        let first = maildir.new_messages(9, 1000, 1000).unwrap();
        let again = maildir.new_messages(9, 1000, 1000).unwrap();
        assert_eq!(first, again);
        // A mail reader shows it, and so moves it; then the process dies before the commit.
        fs::rename(
            dir.path().join("new/1.host"),
            dir.path().join("cur/1.host:2,RS"),
        )
        .unwrap();
        let mut next = Maildir::open(dir.path()).unwrap();
        assert_eq!(next.new_messages(9, 1000, 1000).unwrap(), first);
        next.after_kept(&[first[0].uid], Mark::Unseen).unwrap();
        assert_eq!(names(dir.path(), "cur"), ["1.host:2,RS"]);
        // The one after that asks the ledger.
        let mut third = Maildir::open(dir.path()).unwrap();
        assert_eq!(third.uids().unwrap(), [first[0].uid]);
        third.pass_over(first.iter().map(|f| f.uid));
        assert_eq!(third.new_messages(9, 1000, 1000).unwrap(), []);
    }

    /// A death between the commit and the move: the next process makes up for the move, and for no other's.
    #[test]
    fn a_move_that_was_lost_is_made_up_for() {
        let dir = tempfile::tempdir().unwrap();
        let mut maildir = Maildir::open(dir.path()).unwrap();
        deliver(dir.path(), "1.host", "letter", 100);
        deliver(dir.path(), "2.host", "another", 200);
        let kept = maildir.new_messages(1, 1000, 1000).unwrap();
        let mut next = Maildir::open(dir.path()).unwrap();
        next.pass_over([kept[0].uid]);
        assert_eq!(names(dir.path(), "new"), ["2.host"]);
        assert_eq!(names(dir.path(), "cur"), ["1.host:2,"]);
        assert_eq!(
            texts(&next.new_messages(9, 1000, 1000).unwrap()),
            ["another"]
        );
    }

    /// A15: a file above the limit comes with its beginning; octets bound a batch, but never to nothing.
    #[test]
    fn large_files_come_with_their_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let mut maildir = Maildir::open(dir.path()).unwrap();
        deliver(dir.path(), "1.host", &"x".repeat(300_000), 100);
        deliver(dir.path(), "2.host", &"y".repeat(290_000), 200);
        let found = maildir.new_messages(9, 1000, 295_000).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].raw.len(), found[0].oversize),
            (262_144, Some(300_000))
        );
        let found = maildir.new_messages(9, 1000, 295_000).unwrap();
        assert_eq!((found[0].raw.len(), found[0].oversize), (290_000, None));
    }

    /// P8: what is no plain file, or can't be read, keeps nothing back.
    #[test]
    fn odd_entries_are_no_letters() {
        let dir = tempfile::tempdir().unwrap();
        let mut maildir = Maildir::open(dir.path()).unwrap();
        fs::create_dir(dir.path().join("new/folder")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("new/link")).unwrap();
        fs::write(dir.path().join("new/.hidden"), "x").unwrap();
        deliver(dir.path(), "1.host", "letter", 100);
        assert_eq!(
            texts(&maildir.new_messages(9, 9, 1000).unwrap()),
            ["letter"]
        );
    }

    #[test]
    fn a_uid_is_positive_and_stays() {
        let uid = |name: &str| uid_of(std::ffi::OsStr::new(name));
        assert_eq!(uid("1.host"), uid("1.host:2,S"));
        assert_ne!(uid("1.host"), uid("2.host"));
        assert!((0..1000).all(|n| uid(&n.to_string()) > 0));
    }

    /// A16: an arrival ends the wait within 50 ms (median of 21).
    #[tokio::test]
    async fn arrivals_wake() {
        let dir = tempfile::tempdir().unwrap();
        let mut maildir = Maildir::open(dir.path()).unwrap();
        let mut times = Vec::new();
        for number in 0..21 {
            let path = dir.path().to_owned();
            let delivery = tokio::spawn(async move {
                // Lets the wait begin.
                tokio::task::yield_now().await;
                let begun = Instant::now();
                deliver(&path, &format!("{number}.host"), "letter", 100);
                begun
            });
            let found = loop {
                maildir.wait(Duration::from_secs(10)).await;
                let found = maildir.new_messages(9, 1000, 1000).unwrap();
                if !found.is_empty() {
                    break found;
                }
            };
            times.push(delivery.await.unwrap().elapsed());
            maildir.after_kept(&[found[0].uid], Mark::Unseen).unwrap();
        }
        times.sort();
        assert!(times[10] < Duration::from_millis(50), "{times:?}");
    }
}
