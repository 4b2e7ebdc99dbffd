//! One mailbox, for as long as the daemon runs: connect, take what is new, wait for more; the first two stops of a letter's way in.
//!
//! The mailbox is the queue of last resort: nothing on the server is touched before the bytes are committed, and the cursor moves in the
//! same transaction as the bytes. A mailbox that can't be reached is tried again with growing pauses; the others don't notice.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use tokio::sync::{Notify, watch};

use crate::backlog::Backlog;
use crate::clock::Clock;
use crate::config::{After, ImapConfig, Mailbox, Source, Start};
use crate::imap::fault::ImapFault;
use crate::imap::fetch::{Batch, Message};
use crate::imap::session::Session;
use crate::maildir::{Found, Maildir, Mark};
use crate::store::letters::{Cursor, Fetched, Location};
use crate::store::pool::Store;
use crate::telemetry;

/// Attempts at getting one message out of a server before it is recorded as unreadable (A4, A5).
const STRIKES: u32 = 3;
/// How far before the last look a message may have arrived and still be new: servers announce late, clocks differ.
const SLACK: TimeDelta = TimeDelta::minutes(5);
/// Files of a Maildir taken in one batch, and their octets (P9).
const FILES: usize = 200;
const FILE_BYTES: u64 = 4 << 20;
/// How often a Maildir is looked at even if the system tells of nothing.
const MAILDIR_POLL: Duration = Duration::from_secs(60);

/// What the intake of one mailbox stands on.
#[derive(Debug, Clone)]
pub struct Intake {
    /// Where letters are kept.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Woken when something new is kept.
    pub wake: Arc<Notify>,
    /// The largest letter that is taken whole, in octets.
    pub max_letter: u64,
    /// Told whenever a mailbox was read to its end.
    pub backlog: Backlog,
}

/// What is remembered of a mailbox from one connection to the next.
#[derive(Debug, Default)]
struct Memory {
    /// Connections that failed in a row.
    failures: u32,
    /// One message at a time: something in the last window broke the connection.
    careful: bool,
    /// How often a message could not be got.
    strikes: BTreeMap<i64, u32>,
}

/// Marks a fault of the store, so that the mailbox is not blamed for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StoreTrouble;

impl fmt::Display for StoreTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The store refused")
    }
}

fn of_store<T>(result: Result<T>) -> Result<T> {
    result.context(StoreTrouble)
}

impl Intake {
    /// Takes letters from a mailbox until `stop`.
    pub async fn run(&self, mailbox: &Mailbox, mut stop: watch::Receiver<bool>) {
        let name = mailbox.policy.name.as_str();
        let mut memory = Memory::default();
        loop {
            let ended = tokio::select! {
                _ = stop.wait_for(|s| *s) => return,
                ended = self.visit(mailbox, &mut memory) => ended,
            };
            let Err(error) = ended else { continue };
            let pause = pause(memory.failures, &error);
            memory.failures = memory.failures.saturating_add(1);
            if error.is::<StoreTrouble>() {
                telemetry::trouble(&format!("keep letters of {name}"), &error);
            } else {
                telemetry::mailbox_down(name, &format!("{error:#}"), pause.as_secs());
            }
            tokio::select! {
                _ = stop.wait_for(|s| *s) => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn visit(&self, mailbox: &Mailbox, memory: &mut Memory) -> Result<()> {
        match &mailbox.source {
            Source::Imap(config) => self.imap(&mailbox.policy.name, config, memory).await,
            Source::Maildir(path) => {
                let mut maildir = self.open_maildir(&mailbox.policy.name, path).await?;
                memory.failures = 0;
                loop {
                    let looked = self.clock.now();
                    while self.take_files(&mailbox.policy.name, &mut maildir).await? > 0 {}
                    self.backlog.note(&mailbox.policy.name, looked);
                    maildir.wait(MAILDIR_POLL).await;
                }
            }
        }
    }

    /// One connection, until it ends.
    async fn imap(&self, name: &str, config: &ImapConfig, memory: &mut Memory) -> Result<()> {
        let mut session = Session::open(config).await?;
        let mut cursor = self.cursor(name, config, &session).await?;
        telemetry::mailbox_up(name);
        memory.failures = 0;
        loop {
            let looked = self.clock.now();
            let mut new = session.new_uids(cursor.uid).await?;
            while !new.is_empty() {
                let before = new.len();
                new = self
                    .take_window(name, config, &mut session, &mut cursor, memory, new)
                    .await?;
                if new.len() >= before {
                    break;
                }
            }
            if new.is_empty() {
                memory.careful = false;
                let caught_up = cursor.polled.is_none();
                cursor.polled = Some(looked);
                self.backlog.note(name, looked);
                if caught_up {
                    of_store(self.store.set_cursor(name, cursor).await)?;
                }
            }
            session.wait(config.poll).await?;
        }
    }

    /// Where to go on: the stored cursor, a first start as configured, or the beginning of a new UIDVALIDITY.
    async fn cursor(&self, name: &str, config: &ImapConfig, session: &Session) -> Result<Cursor> {
        let uidvalidity = session.uidvalidity();
        let now = self.clock.now();
        let stored = of_store(self.store.cursor(name).await)?;
        let fresh = Cursor {
            uidvalidity,
            uid: 0,
            since: None,
            polled: None,
        };
        let cursor = match stored {
            Some(cursor) if cursor.uidvalidity == uidvalidity => return Ok(cursor),
            Some(cursor) => {
                telemetry::uidvalidity_changed(name, cursor.uidvalidity, uidvalidity);
                Cursor {
                    since: cursor.since,
                    ..fresh
                }
            }
            None => match config.start {
                Start::Beginning => fresh,
                Start::Since(day) => Cursor {
                    since: Some(day.and_time(NaiveTime::MIN).and_utc()),
                    ..fresh
                },
                Start::Now => {
                    telemetry::older_left(name, session.exists());
                    let next = session.uidnext().map_or(0, i64::from);
                    Cursor {
                        uid: next.saturating_sub(1).max(0),
                        since: Some(now),
                        ..fresh
                    }
                }
            },
        };
        of_store(self.store.set_cursor(name, cursor).await)?;
        Ok(cursor)
    }

    /// Takes one window of messages; gives back what is still to be asked for.
    async fn take_window(
        &self,
        name: &str,
        config: &ImapConfig,
        session: &mut Session,
        cursor: &mut Cursor,
        memory: &mut Memory,
        new: Vec<i64>,
    ) -> Result<Vec<i64>> {
        let asked: &[i64] = if memory.careful {
            new.get(..1).unwrap_or_default()
        } else {
            &new
        };
        let mut batch = match session.fetch(asked, self.max_letter).await {
            Ok(batch) => batch,
            Err(fault) => return self.blame(name, cursor, memory, asked, fault).await,
        };
        batch.rest.extend(new.iter().skip(asked.len()));
        if !batch.gone.is_empty() {
            telemetry::letters_vanished(name, &batch.gone);
        }
        let given_up = strike(memory, &batch.withheld);
        let waits: Vec<i64> = batch
            .withheld
            .iter()
            .copied()
            .filter(|uid| !given_up.contains(uid))
            .collect();
        let next = batch.rest.iter().chain(&waits).copied().min();
        let last = new.iter().copied().max().unwrap_or(cursor.uid);
        let reached = Cursor {
            uid: next
                .map_or(last, |uid| uid.saturating_sub(1))
                .max(cursor.uid),
            ..*cursor
        };
        let kept: Vec<i64> = batch.messages.iter().map(|m| m.uid).collect();
        self.keep(name, cursor, reached, batch, &given_up).await?;
        *cursor = reached;
        if config.after != After::Keep && !kept.is_empty() {
            match session.after_kept(&kept, &config.after).await {
                Ok(()) => {}
                // Cosmetic: the letters are ours already (A12).
                Err(ImapFault::Refused(why)) => telemetry::after_refused(name, &why),
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(new
            .into_iter()
            .filter(|uid| *uid > cursor.uid && !kept.contains(uid))
            .collect())
    }

    async fn keep(
        &self,
        name: &str,
        cursor: &Cursor,
        reached: Cursor,
        batch: Batch,
        given_up: &[i64],
    ) -> Result<()> {
        let now = self.clock.now();
        let mut fetched: Vec<Fetched> = batch
            .messages
            .into_iter()
            .filter_map(|message| taken(message, cursor, now))
            .collect();
        fetched.extend(
            given_up
                .iter()
                .map(|uid| stub(name, cursor.uidvalidity, *uid, now)),
        );
        let count = fetched.len();
        let kept = of_store(self.store.keep(name, &fetched, Some(reached), now).await)?;
        let fresh = kept.iter().filter(|k| k.fresh).count();
        if count > 0 {
            telemetry::letters_kept(name, count, fresh);
        }
        if fresh > 0 {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// A window that broke the connection is asked for again message by message; a message that does so three times is recorded as unreadable.
    async fn blame(
        &self,
        name: &str,
        cursor: &mut Cursor,
        memory: &mut Memory,
        asked: &[i64],
        fault: ImapFault,
    ) -> Result<Vec<i64>> {
        if !matches!(
            fault,
            ImapFault::Protocol(_) | ImapFault::Timeout(_) | ImapFault::Refused(_)
        ) {
            return Err(fault.into());
        }
        if let [uid] = asked
            && strike(memory, asked).contains(uid)
        {
            let reached = Cursor {
                uid: *uid,
                ..*cursor
            };
            self.keep(name, cursor, reached, Batch::default(), asked)
                .await?;
            *cursor = reached;
        }
        memory.careful = true;
        Err(fault.into())
    }

    /// Opens a Maildir; what the ledger has of it is not new.
    ///
    /// # Errors
    /// The folder can't be made or read, or the store can't.
    pub async fn open_maildir(&self, name: &str, path: &Path) -> Result<Maildir> {
        let mut maildir = Maildir::open(path)?;
        let known = of_store(self.store.known_uids(name, 0, &maildir.uids()?).await)?;
        maildir.pass_over(known);
        Ok(maildir)
    }

    /// Takes what lies new in a Maildir: kept and committed first, moved after. Returns how many.
    ///
    /// # Errors
    /// The folder can't be read, or the store refused: then nothing was moved.
    pub async fn take_files(&self, name: &str, maildir: &mut Maildir) -> Result<usize> {
        let found = maildir.new_messages(FILES, FILE_BYTES, self.max_letter)?;
        if found.is_empty() {
            return Ok(0);
        }
        let now = self.clock.now();
        let fetched: Vec<Fetched> = found.iter().map(|f| of_file(f, now)).collect();
        let kept = of_store(self.store.keep(name, &fetched, None, now).await)?;
        let uids: Vec<i64> = found.iter().map(|f| f.uid).collect();
        maildir.after_kept(&uids, Mark::Unseen)?;
        let fresh = kept.iter().filter(|k| k.fresh).count();
        telemetry::letters_kept(name, found.len(), fresh);
        if fresh > 0 {
            self.wake.notify_one();
        }
        Ok(found.len())
    }
}

/// How long to leave a mailbox alone: a second at first, five minutes at most; a refused login is not tried more than three times an hour (B17).
fn pause(failures: u32, error: &anyhow::Error) -> Duration {
    let refused = matches!(error.downcast_ref::<ImapFault>(), Some(ImapFault::Auth(_)));
    let seconds = if refused && failures >= 2 {
        1_200
    } else {
        1_u64.checked_shl(failures).unwrap_or(u64::MAX).min(300)
    };
    Duration::from_secs(seconds)
}

/// Counts an attempt against each; those that have had enough.
fn strike(memory: &mut Memory, uids: &[i64]) -> Vec<i64> {
    let mut enough = Vec::new();
    for uid in uids {
        let count = memory.strikes.entry(*uid).or_default();
        *count = count.saturating_add(1);
        if *count >= STRIKES {
            memory.strikes.remove(uid);
            enough.push(*uid);
        }
    }
    enough
}

/// A message as the store keeps it; none if it is older than the mailbox's first start and so not the desk's. That is asked only until
/// the mailbox was once read to its end: what comes later with an old date (moved here from another folder) is new to the desk.
fn taken(message: Message, cursor: &Cursor, now: DateTime<Utc>) -> Option<Fetched> {
    let unknown = message.arrived == DateTime::UNIX_EPOCH;
    let catching_up = cursor.polled.is_none();
    if catching_up
        && cursor
            .since
            .is_some_and(|since| message.arrived < since && !unknown)
    {
        return None;
    }
    Some(Fetched {
        location: Location {
            uidvalidity: cursor.uidvalidity,
            uid: message.uid,
        },
        arrived: clamped(message.arrived, cursor.polled, now),
        raw: message.raw,
        oversize: message.oversize,
    })
}

/// R2, B26: the server's moment, but never later than now, and never well before the last look at which the message was not there.
fn clamped(
    arrived: DateTime<Utc>,
    polled: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let unknown = arrived == DateTime::UNIX_EPOCH;
    let earliest = polled.and_then(|p| p.checked_sub_signed(SLACK));
    match earliest {
        Some(earliest) if arrived < earliest => polled.unwrap_or(now).min(now),
        None if unknown => now,
        _ => arrived.min(now),
    }
}

/// What is kept of a message that the server never handed out: it is put before a person like any letter that can't be read (A4).
fn stub(mailbox: &str, uidvalidity: u32, uid: i64, now: DateTime<Utc>) -> Fetched {
    let raw = format!("Subject: (unreadable)\r\n\r\nThe server did not hand out message {uid} of {mailbox} (UIDVALIDITY {uidvalidity}).\r\n").into_bytes();
    Fetched {
        location: Location { uidvalidity, uid },
        arrived: now,
        raw,
        oversize: None,
    }
}

fn of_file(found: &Found, now: DateTime<Utc>) -> Fetched {
    Fetched {
        location: Location {
            uidvalidity: 0,
            uid: found.uid,
        },
        arrived: found.arrived.min(now),
        raw: found.raw.clone(),
        oversize: found.oversize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_fault_of_the_store_is_not_the_mailboxes() {
        let fault = of_store::<()>(Err(anyhow::anyhow!("disk full"))).unwrap_err();
        assert!(fault.is::<StoreTrouble>());
        assert_eq!(format!("{fault:#}"), "The store refused: disk full");
    }

    /// B26, R2: the server's date counts where it can be true.
    #[test]
    fn an_arrival_is_never_in_the_future_and_never_before_the_last_look() {
        let now = at("2026-08-21T12:00:00Z");
        let polled = Some(at("2026-08-21T11:00:00Z"));
        let cases = [
            ("2026-08-21T11:30:00Z", polled, "2026-08-21T11:30:00Z"),
            ("2026-08-21T13:00:00Z", polled, "2026-08-21T12:00:00Z"),
            ("2026-08-21T10:57:00Z", polled, "2026-08-21T10:57:00Z"),
            ("2019-01-01T00:00:00Z", polled, "2026-08-21T11:00:00Z"),
            ("2019-01-01T00:00:00Z", None, "2019-01-01T00:00:00Z"),
            ("1970-01-01T00:00:00Z", None, "2026-08-21T12:00:00Z"),
        ];
        for (arrived, polled, counts) in cases {
            assert_eq!(clamped(at(arrived), polled, now), at(counts), "{arrived}");
        }
    }

    /// B17: a refused password is not repeated until the account is locked.
    #[test]
    fn a_refused_login_is_tried_three_times_an_hour_at_most() {
        let refused = anyhow::Error::new(ImapFault::Auth("no".into()));
        assert_eq!(pause(0, &refused).as_secs(), 1);
        assert_eq!(pause(2, &refused).as_secs(), 1_200);
        let lost = anyhow::Error::new(ImapFault::Disconnected("gone".into()));
        assert_eq!(pause(3, &lost).as_secs(), 8);
        assert_eq!(pause(60, &lost).as_secs(), 300);
    }

    #[test]
    fn the_third_strike_is_enough() {
        let mut memory = Memory::default();
        assert!(strike(&mut memory, &[7]).is_empty());
        assert!(strike(&mut memory, &[7]).is_empty());
        assert_eq!(strike(&mut memory, &[7]), vec![7]);
    }
}
