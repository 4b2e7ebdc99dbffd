//! Messages in bounded batches: sizes first, then what fits.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::fault::ImapFault;
use super::guard::Allowance;
use super::session::Session;
use super::syntax::{moment, uid_set};
use super::told::{Item, Told};
use super::wire::{Answer, small};

/// Messages asked for at a time.
const WINDOW: usize = 200;
/// About so many octets make a batch; one message may be larger than that.
const BATCH: u64 = 4 * 1024 * 1024;
/// What is taken of a message that is too large: its header block and the beginning.
const BEGINNING: u64 = 256 * 1024;
/// How far a literal may be larger than the limit on letters: some servers count lines, not octets.
const SLACK: u64 = 64 * 1024;

/// A message as the server handed it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its UID in this session's UIDVALIDITY.
    pub uid: i64,
    /// INTERNALDATE; 1970-01-01 if the server's can't be read, so that whoever keeps it between the last poll and now comes to the last poll.
    pub arrived: DateTime<Utc>,
    /// How many octets it has on the server.
    pub size: u64,
    /// Its octets; only the first 256 KiB if it is too large.
    pub raw: Vec<u8>,
    /// Its size, if that is more than is taken.
    pub oversize: Option<u64>,
}

/// What came of asking for messages. Every UID asked for is in exactly one of the four.
///
/// A cursor may pass neither the least of `rest` nor the least of `withheld`: a message above it may have come all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The messages, by ascending UID.
    pub messages: Vec<Message>,
    /// UIDs that are no longer in the folder: a search after the attempt did not find them.
    pub gone: Vec<i64>,
    /// UIDs that the server still shows and whose content it does not hand out.
    pub withheld: Vec<i64>,
    /// UIDs that were not tried, or whose turn failed with the folder changing underneath: ask again.
    pub rest: Vec<i64>,
}

/// What is known of a message before its body.
#[derive(Debug, Clone, Copy)]
struct Size {
    octets: u64,
    arrived: DateTime<Utc>,
}

/// How one FETCH ended.
enum Outcome<T> {
    /// With OK.
    All(BTreeMap<u32, T>),
    /// With NO: what came before it, and the server's reason.
    Part(BTreeMap<u32, T>, String),
}

impl<T> Outcome<T> {
    fn into_parts(self) -> (BTreeMap<u32, T>, Option<String>) {
        match self {
            Self::All(items) => (items, None),
            Self::Part(items, why) => (items, Some(why)),
        }
    }
}

impl Session {
    /// Fetches the first of these messages, about 200 or 4 MiB of them; `rest` has those to ask for next. A message above
    /// `max_letter` octets comes with its beginning only. Flags are not touched (`BODY.PEEK`).
    ///
    /// # Errors
    /// Any [`ImapFault`]. After a `Protocol` one, `fetch(&[uid])` on new sessions finds the message to blame. A NO with the folder unchanged
    /// is `Refused`; with messages gone meanwhile it is a batch (RFC 2180 section 4.1.2).
    pub async fn fetch(&mut self, uids: &[i64], max_letter: u64) -> Result<Batch, ImapFault> {
        let mut batch = Batch::default();
        let mut window = BTreeSet::new();
        for uid in uids {
            match u32::try_from(*uid) {
                Ok(good) if good > 0 && window.len() < WINDOW => {
                    window.insert(good);
                }
                Ok(good) if good > 0 => batch.rest.push(*uid),
                // No server can have a message of such a UID.
                Ok(_) | Err(_) => batch.gone.push(*uid),
            }
        }
        if window.is_empty() {
            return Ok(batch);
        }
        let (sizes, refusal) = self.sizes(&window).await?.into_parts();
        let unknown: BTreeSet<u32> = window
            .into_iter()
            .filter(|uid| !sizes.contains_key(uid))
            .collect();
        self.place(unknown, refusal, !sizes.is_empty(), &mut batch)
            .await?;

        let (mut octets, mut full) = (0_u64, false);
        let (mut whole, mut large) = (BTreeMap::new(), BTreeMap::new());
        for (uid, size) in sizes {
            let taken = if size.octets > max_letter {
                BEGINNING
            } else {
                size.octets
            };
            // From the first that does not fit: a batch has no holes, so that a cursor can follow it.
            full |= octets > 0 && octets.saturating_add(taken) > BATCH;
            if full {
                batch.rest.push(i64::from(uid));
                continue;
            }
            octets = octets.saturating_add(taken);
            if size.octets > max_letter {
                large.insert(uid, size);
            } else {
                whole.insert(uid, size);
            }
        }
        let allowance = self.allowance(&whole, max_letter);
        self.bodies(whole, "BODY.PEEK[]", allowance, max_letter, &mut batch)
            .await?;
        let allowance = self.allowance(&large, BEGINNING);
        let item = format!("BODY.PEEK[]<0.{BEGINNING}>");
        self.bodies(large, &item, allowance, max_letter, &mut batch)
            .await?;

        batch.messages.sort_by_key(|message| message.uid);
        batch.rest.sort_unstable();
        Ok(batch)
    }

    /// Fetches the bodies of these messages into the batch.
    async fn bodies(
        &mut self,
        asked: BTreeMap<u32, Size>,
        item: &str,
        allowance: Allowance,
        max_letter: u64,
        batch: &mut Batch,
    ) -> Result<(), ImapFault> {
        if asked.is_empty() {
            return Ok(());
        }
        let outcome = self
            .collect(asked.keys().copied(), item, allowance, |item| item.body)
            .await?;
        let (mut bodies, refusal) = outcome.into_parts();
        let mut missing = BTreeSet::new();
        let mut progress = false;
        for (uid, size) in asked {
            match bodies.remove(&uid) {
                Some(raw) => {
                    batch.messages.push(message(uid, size, raw, max_letter));
                    progress = true;
                }
                None => {
                    missing.insert(uid);
                }
            }
        }
        self.place(missing, refusal, progress, batch).await
    }

    async fn sizes(&mut self, window: &BTreeSet<u32>) -> Result<Outcome<Size>, ImapFault> {
        let allowance = small(self.wire.pace);
        let items = "INTERNALDATE RFC822.SIZE";
        self.collect(window.iter().copied(), items, allowance, |item| {
            let arrived = item.arrived.as_deref().and_then(moment);
            item.size.map(|octets| Size {
                octets,
                arrived: arrived.unwrap_or(DateTime::UNIX_EPOCH),
            })
        })
        .await
    }

    /// One FETCH; `read` takes what was asked for. Messages that were not asked for are passed over.
    async fn collect<T>(
        &mut self,
        uids: impl Iterator<Item = u32>,
        items: &str,
        allowance: Allowance,
        read: impl Fn(Item) -> Option<T>,
    ) -> Result<Outcome<T>, ImapFault> {
        let asked: BTreeSet<u32> = uids.collect();
        let command = format!("UID FETCH {} (UID {items})", uid_set(asked.iter().copied()));
        let mut found = BTreeMap::new();
        let each = |told| {
            if let Told::Item(item) = told
                && let Some(uid) = item.uid.filter(|uid| asked.contains(uid))
                && let Some(value) = read(item)
            {
                found.insert(uid, value);
            }
        };
        match self
            .wire
            .run_for("FETCH", &command, allowance, each)
            .await?
        {
            Answer::Ok => Ok(Outcome::All(found)),
            Answer::No(why) => Ok(Outcome::Part(found, why)),
            Answer::Bad(why) => Err(ImapFault::Refused(format!("FETCH: {why}"))),
        }
    }

    /// Finds out about messages that were asked for and did not come: gone, withheld, or worth asking for again.
    async fn place(
        &mut self,
        missing: BTreeSet<u32>,
        refusal: Option<String>,
        progress: bool,
        batch: &mut Batch,
    ) -> Result<(), ImapFault> {
        if missing.is_empty() {
            return Ok(());
        }
        let present = self.present(missing.iter().copied()).await?;
        let there = missing.iter().filter(|uid| present.contains(uid));
        let there: Vec<i64> = there.copied().map(i64::from).collect();
        let gone = missing.iter().filter(|uid| !present.contains(uid));
        let gone: Vec<i64> = gone.copied().map(i64::from).collect();
        match refusal {
            Some(why) if gone.is_empty() && !progress => {
                return Err(ImapFault::Refused(format!("FETCH: {why}")));
            }
            Some(_) => batch.rest.extend(there),
            None => batch.withheld.extend(there),
        }
        batch.gone.extend(gone);
        Ok(())
    }

    /// What the bodies of these messages may bring. Sizes that servers tell are not always exact.
    fn allowance(&self, asked: &BTreeMap<u32, Size>, largest: u64) -> Allowance {
        let literal = largest.saturating_add(SLACK);
        let told = asked.values().map(|size| size.octets.min(largest));
        let told = told.fold(0_u64, u64::saturating_add);
        Allowance {
            literal,
            literals: told.saturating_mul(2).saturating_add(SLACK).max(literal),
            expected: told,
            silence: self.wire.pace.answer,
        }
    }
}

fn message(uid: u32, size: Size, mut raw: Vec<u8>, max_letter: u64) -> Message {
    // Of a whole message what came counts, not what was announced.
    let octets = if size.octets > max_letter {
        size.octets
    } else {
        raw.len() as u64
    };
    let oversize = (octets > max_letter).then_some(octets);
    if oversize.is_some() {
        raw.truncate(usize::try_from(BEGINNING).unwrap_or(usize::MAX));
    }
    Message {
        uid: i64::from(uid),
        arrived: size.arrived,
        size: octets,
        raw,
        oversize,
    }
}
