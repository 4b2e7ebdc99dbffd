//! What happened lately as a unit of work sees it: read for many letters at once, and what the unit itself adds.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{AnyConnection, Row};

use super::apply::is_about_failure;
use super::column::{digest, micros};
use super::letters::LetterId;
use super::pool::Store;
use super::statement::{list, made, padded};
use super::work::{Counts, Ledger, LetterResult};
use crate::desk::assurance::Level;
use crate::desk::decide::{Concern, Decision, Verdict};
use crate::desk::notice::Template;
use crate::desk::request::RequestId;

/// Verdicts that put a letter into a request: what bears such a verdict is a copy's original whoever sent it.
pub(crate) const ENTERED: [Verdict; 3] = [Verdict::Registered, Verdict::Queued, Verdict::Attached];

/// The two moments that limits count from (R12, R48).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// An hour ago.
    pub hour: DateTime<Utc>,
    /// When the desk's day began.
    pub day: DateTime<Utc>,
}

/// What is known without asking the database.
#[derive(Debug, Default)]
pub(crate) struct Lately {
    /// The moments that the tallies count from.
    since: Option<Since>,
    /// By comparison key of the sender; only of senders that were asked for.
    tallies: BTreeMap<String, Tally>,
    /// Alerts by reader since a moment (R48).
    alerts: Option<(DateTime<Utc>, BTreeMap<String, u32>)>,
    /// Content keys that were asked for, and whether a decided letter of the database has them (K3).
    contents: BTreeMap<[u8; 32], bool>,
    /// The letters that this unit decided on.
    entered: Vec<Entered>,
}

/// A letter that this unit decided on.
#[derive(Debug)]
struct Entered {
    id: LetterId,
    content_key: Option<[u8; 32]>,
    signature_key: Option<[u8; 32]>,
    message_id: Option<String>,
    request: Option<RequestId>,
    verdict: Verdict,
    assurance: Level,
}

/// What senders caused, kept from one unit of work to the next.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    /// The ledger as the unit of work left it that this is of: while it stands so, nobody else wrote anything that counts.
    ledger: Option<Ledger>,
    /// When the day began that the refusals are of.
    day: DateTime<Utc>,
    tallies: BTreeMap<String, Tally>,
}

/// Senders whose tallies are kept; past that they are read anew.
const SENDERS: usize = 10_000;

/// What one sender caused; what authenticated letters caused stands apart (`true`).
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    /// The first moment of which something was counted as of the last hour.
    first_us: Option<i64>,
    letters: BTreeMap<(String, bool), u32>,
    requests: BTreeMap<bool, u32>,
    refusals: BTreeMap<bool, u32>,
}

impl Tally {
    /// Whether it is still true for an hour that began later: nothing of what it counted lies before that.
    fn holds(&self, since: Since) -> bool {
        self.first_us
            .is_none_or(|first| first >= micros(since.hour))
    }

    /// Notes a moment of which something is counted as of the last hour.
    fn reach_back(&mut self, us: Option<i64>) {
        self.first_us = [self.first_us, us].into_iter().flatten().min();
    }

    /// With `vouched` only what authenticated letters caused counts: forgers must not silence the one whose name they use.
    fn counts(&self, vouched: bool) -> Counts {
        let sum = |all: &BTreeMap<bool, u32>| {
            all.iter()
                .filter(|(authentic, _)| **authentic || !vouched)
                .fold(0_u32, |sum, (_, n)| sum.saturating_add(*n))
        };
        let mut by_reader: BTreeMap<&str, u32> = BTreeMap::new();
        for ((reader, authentic), n) in &self.letters {
            if *authentic || !vouched {
                let all = by_reader.entry(reader).or_default();
                *all = all.saturating_add(*n);
            }
        }
        Counts {
            letters_last_hour: by_reader.into_values().max().unwrap_or_default(),
            requests_last_hour: sum(&self.requests),
            refusals_today: sum(&self.refusals),
        }
    }
}

impl Lately {
    /// Notes a letter that was decided on.
    pub(crate) fn enter(
        &mut self,
        letter: &LetterResult,
        decision: &Decision,
        request: Option<RequestId>,
    ) {
        self.entered.push(Entered {
            id: letter.id,
            content_key: letter.content_key,
            signature_key: letter.signature_key,
            message_id: letter.message_id.clone(),
            request,
            verdict: decision.verdict,
            assurance: letter.assurance,
        });
    }

    /// The letters that this unit has put into a request.
    pub(crate) fn letters_of(&self, request: RequestId) -> Vec<LetterId> {
        let entered = self.entered.iter();
        entered
            .filter(|l| l.request == Some(request) && ENTERED.contains(&l.verdict))
            .map(|l| l.id)
            .collect()
    }

    /// Whether this unit decided on a letter of other content with this signature (K4).
    pub(crate) fn signature(
        &self,
        signature_key: &[u8; 32],
        content_key: &[u8; 32],
        except: LetterId,
    ) -> bool {
        self.entered.iter().any(|letter| {
            letter.id != except
                && letter.signature_key.as_ref() == Some(signature_key)
                && letter.content_key.as_ref() != Some(content_key)
        })
    }

    /// Notes what a decision caused: letters to `readers`, a request, refusals, alerts.
    pub(crate) fn told(
        &mut self,
        letter: Option<&LetterResult>,
        decision: &Decision,
        readers: &[String],
        now: DateTime<Utc>,
    ) {
        for (notice, reader) in decision.notices.iter().zip(readers) {
            let alarms = notice.template == Template::SpecialistAlert && !is_about_failure(notice);
            if let Some((since, alerts)) = &mut self.alerts
                && alarms
                && now >= *since
            {
                add(alerts.entry(reader.clone()).or_default());
            }
        }
        let (Some(letter), Some(since)) = (letter, self.since) else {
            return;
        };
        let Some(tally) = letter.sender.as_ref().and_then(|s| self.tallies.get_mut(s)) else {
            return;
        };
        let vouched = letter.assurance.is_authenticated();
        tally.reach_back(Some(micros(now)));
        for (notice, reader) in decision.notices.iter().zip(readers) {
            if now >= since.hour {
                add(tally.letters.entry((reader.clone(), vouched)).or_default());
            }
            if notice.template.is_refusal() && now >= since.day {
                add(tally.refusals.entry(vouched).or_default());
            }
        }
        if let Concern::Opened(matter) = &decision.concern
            && now >= since.hour
        {
            let vouched = matter.vouched.is_authenticated();
            add(tally.requests.entry(vouched).or_default());
        }
    }

    /// What is known of a sender; none if the database must be asked.
    pub(crate) fn counts(&self, sender: &str, since: Since, vouched: bool) -> Option<Counts> {
        let tally = self
            .tallies
            .get(sender)
            .filter(|tally| self.since == Some(since) && tally.holds(since))?;
        Some(tally.counts(vouched))
    }

    /// The most alerts to one reader; none if the database must be asked.
    pub(crate) fn alerts(&self, hour_ago: DateTime<Utc>) -> Option<u32> {
        let (since, alerts) = self.alerts.as_ref()?;
        (*since == hour_ago).then(|| alerts.values().copied().max().unwrap_or_default())
    }

    /// Whether a decided letter with this content is known (K3): of this unit, or none in the database. None if it must be asked.
    pub(crate) fn content(
        &self,
        key: &[u8; 32],
        except: LetterId,
        assurance: Level,
    ) -> Option<bool> {
        let mut others = self
            .entered
            .iter()
            .filter(|e| e.content_key.as_ref() == Some(key) && e.id != except);
        if others.any(|e| ENTERED.contains(&e.verdict) || e.assurance >= assurance) {
            return Some(true);
        }
        (self.contents.get(key) == Some(&false)).then_some(false)
    }

    /// The requests that letters of this unit with these Message-IDs are about, each with the letter's id.
    pub(crate) fn by_message_id<'a>(
        &'a self,
        ids: &'a [String],
    ) -> impl Iterator<Item = (&'a str, RequestId, LetterId)> {
        let joined = self.entered.iter().filter(|e| e.verdict != Verdict::Held);
        joined.filter_map(|e| {
            let id = e
                .message_id
                .as_deref()
                .filter(|id| ids.iter().any(|i| i == id))?;
            Some((id, e.request?, e.id))
        })
    }

    /// The letter of this unit that opened a request.
    pub(crate) fn opened_by(&self, request: RequestId) -> Option<LetterId> {
        let opened = [Verdict::Registered, Verdict::Queued];
        let mut entered = self.entered.iter();
        entered
            .find(|e| e.request == Some(request) && opened.contains(&e.verdict))
            .map(|e| e.id)
    }

    /// Reads for many letters at once what they will be asked about one by one.
    pub(crate) async fn foresee(
        &mut self,
        connection: &mut AnyConnection,
        contents: &[[u8; 32]],
        senders: &[String],
        since: Since,
    ) -> Result<()> {
        for keys in padded(contents) {
            let mut query = made(format!(
                "SELECT content_key FROM letters WHERE content_key IN ({}) AND decided_us IS NOT NULL",
                list(1, keys.len())
            ));
            for key in keys {
                query = query.bind(key.to_vec());
                self.contents.insert(key, false);
            }
            for row in query.fetch_all(&mut *connection).await? {
                self.contents
                    .insert(digest(&row.try_get::<Vec<u8>, _>(0)?)?, true);
            }
        }
        self.since = Some(since);
        let known = |sender: &&String| self.tallies.get(*sender).is_some_and(|t| t.holds(since));
        let unknown: Vec<String> = senders.iter().filter(|s| !known(s)).cloned().collect();
        self.tallies
            .extend(tallies(connection, &unknown, since).await?);
        Ok(())
    }

    /// Takes over what the last unit of work knew of senders, if that is still so.
    pub(crate) fn recall(&mut self, store: &Store, ledger: &Ledger, since: Since) {
        let remembered = std::mem::take(&mut *remembered(store));
        if remembered.ledger.as_ref() == Some(ledger) && remembered.day == since.day {
            self.tallies = remembered.tallies;
        }
    }

    /// Leaves what is known of senders to the next unit of work, now that all of this one is written and the ledger stands so.
    pub(crate) fn remember(self, store: &Store, ledger: Ledger) {
        if let Some(since) = self.since
            && self.tallies.len() <= SENDERS
        {
            *remembered(store) = Remembered {
                ledger: Some(ledger),
                day: since.day,
                tallies: self.tallies,
            };
        }
    }

    /// Reads how many alerts went to each specialist, whoever caused them.
    pub(crate) async fn read_alerts(
        &mut self,
        connection: &mut AnyConnection,
        hour_ago: DateTime<Utc>,
    ) -> Result<u32> {
        let rows = sqlx::query(
            "SELECT recipient_key, COUNT(*) FROM outbox WHERE template = 'specialist-alert' AND created_us >= $1 AND about_failure = 0 \
             GROUP BY recipient_key",
        )
        .bind(micros(hour_ago))
        .fetch_all(connection)
        .await?;
        let mut alerts = BTreeMap::new();
        for row in &rows {
            alerts.insert(row.try_get(0)?, count(row.try_get(1)?));
        }
        let most = alerts.values().copied().max().unwrap_or_default();
        self.alerts = Some((hour_ago, alerts));
        Ok(most)
    }
}

/// Whoever panicked with it in hand left all of it or nothing.
fn remembered(store: &Store) -> MutexGuard<'_, Remembered> {
    let held = store.remembered.lock();
    held.unwrap_or_else(PoisonError::into_inner)
}

/// What one sender caused, asked for alone.
pub(crate) async fn counts(
    connection: &mut AnyConnection,
    sender: &str,
    since: Since,
    vouched: bool,
) -> Result<Counts> {
    let tallies = tallies(connection, &[sender.to_owned()], since).await?;
    Ok(tallies
        .get(sender)
        .map(|tally| tally.counts(vouched))
        .unwrap_or_default())
}

async fn tallies(
    connection: &mut AnyConnection,
    senders: &[String],
    since: Since,
) -> Result<BTreeMap<String, Tally>> {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for keys in padded(senders) {
        for key in &keys {
            tallies.insert(key.clone(), Tally::default());
        }
        let places = list(4, keys.len());
        let mut letters = made(format!(
            "SELECT cause_key, recipient_key, cause_vouched, CAST(SUM(CASE WHEN created_us >= $1 THEN 1 ELSE 0 END) AS BIGINT), \
             CAST(SUM(CASE WHEN created_us >= $2 THEN refusal ELSE 0 END) AS BIGINT), MIN(CASE WHEN created_us >= $1 THEN created_us END) FROM outbox \
             WHERE cause_key IN ({places}) AND created_us >= $3 GROUP BY cause_key, recipient_key, cause_vouched"
        ))
        .bind(micros(since.hour))
        .bind(micros(since.day))
        .bind(micros(since.hour.min(since.day)));
        let places = list(4, keys.len());
        let mut requests = made(format!(
            "SELECT requester_key, CASE WHEN vouched IN ($2, $3) THEN 0 ELSE 1 END AS authentic, COUNT(*), MIN(created_us) FROM requests \
             WHERE requester_key IN ({places}) AND created_us >= $1 GROUP BY requester_key, authentic"
        ))
        .bind(micros(since.hour))
        .bind(Level::None.word())
        .bind(Level::Weak.word());
        for key in keys {
            letters = letters.bind(key.clone());
            requests = requests.bind(key);
        }
        for row in letters.fetch_all(&mut *connection).await? {
            let tally = tallies.entry(row.try_get(0)?).or_default();
            let vouched = row.try_get::<i64, _>(2)? != 0;
            let (sent, refused) = (count(row.try_get(3)?), count(row.try_get(4)?));
            if sent > 0 {
                tally.letters.insert((row.try_get(1)?, vouched), sent);
            }
            tally.reach_back(row.try_get(5)?);
            let refusals = tally.refusals.entry(vouched).or_default();
            *refusals = refusals.saturating_add(refused);
        }
        for row in requests.fetch_all(&mut *connection).await? {
            let tally = tallies.entry(row.try_get(0)?).or_default();
            let authentic = row.try_get::<i64, _>(1)? != 0;
            tally.reach_back(row.try_get(3)?);
            tally.requests.insert(authentic, count(row.try_get(2)?));
        }
    }
    Ok(tallies)
}

fn count(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn add(n: &mut u32) {
    *n = n.saturating_add(1);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::desk::decide::next_number;
    use crate::desk::notice::Purpose;
    use crate::store::testing::{
        apply, decision, kept, matter, minute, notice, on_each_engine, registered,
    };

    /// R48: what is kept in memory says the same as the database, whoever wrote meanwhile and however far the hour has gone on.
    #[tokio::test]
    async fn what_is_remembered_of_a_sender_counts_as_the_database_does() {
        on_each_engine(async |db| {
            let sender = "maria@raduga.example".to_owned();
            let other = db.open_again().await;
            let turns = [
                (1, false),
                (1, false),
                (1, true),
                (1, false),
                (3, false),
                (9, false),
            ];
            for ((hour, by_other), uid) in turns.into_iter().zip(1..) {
                let store = if by_other { &other } else { &db.store };
                let since = Since {
                    hour: minute(hour),
                    day: minute(0),
                };
                let letter = kept(store, uid, &format!("letter {uid}")).await;
                let mut work = store.look().await.unwrap();
                let senders = std::slice::from_ref(&sender);
                work.foresee(&[], senders, since).await.unwrap();
                let known = work.counts(&sender, since, false).await.unwrap();
                let mut without = db.open_again().await.look().await.unwrap();
                let asked = without.counts(&sender, since, false).await.unwrap();
                assert_eq!(known, asked, "before letter {uid}");
                let number = next_number(work.last_numbers(), 2026);
                let mut opened = decision(
                    Verdict::Registered,
                    Concern::Opened(matter()),
                    vec![registered(number)],
                );
                opened.notices = vec![notice(Template::Registered, Purpose::Reply)];
                apply(&mut work, Some(&letter), &opened, minute(uid)).await;
                work.commit().await.unwrap();
            }
        })
        .await;
    }
}
