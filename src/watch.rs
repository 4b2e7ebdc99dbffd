//! What the way in remembers of the last hour and need not keep: texts that come again, tokens that are none of ours, what outsiders caused, whom it told of.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::desk::decide::{Decision, Known};
use crate::desk::notice::Alert;
use crate::store::letters::LetterId;

/// How many texts, and how many domains, are remembered at a time (P9).
const MOST: usize = 20_000;
/// How many letters are counted of one text, domain or kind; no limit looks further.
const COUNTED: usize = 1_000;

/// One letter as the watch sees it.
#[derive(Debug, Clone)]
pub struct Sight {
    /// Which letter: one that is tried again counts once.
    pub id: LetterId,
    /// The comparison key of its sender's address, and whether something vouches for it; what forgers cause says nothing of the one whose name they use.
    pub sender: Option<(String, bool)>,
    /// The domain of that address.
    pub domain: Option<String>,
    /// What it says, apart from its figures.
    pub essence: Option<[u8; 32]>,
    /// How many tokens in it were none of ours.
    pub bad_tokens: usize,
}

/// What alarms the specialists at most once an hour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    Sender(String, bool),
    Tokens(String),
    Flood,
}

/// When each of these letters was decided on.
type Times = BTreeMap<LetterId, DateTime<Utc>>;

/// The memory. Lost with the process: then a machine is answered a few times more, and no longer.
#[derive(Debug, Default)]
pub struct Watch {
    texts: BTreeMap<(String, bool, [u8; 32]), Times>,
    tokens: BTreeMap<String, Times>,
    outsiders: BTreeMap<LetterId, (DateTime<Utc>, u32)>,
    /// The letters of all `outsiders` together.
    outside: u32,
    /// When, and for which letter: one that is decided on again because the store refused must not find itself told of.
    told: BTreeMap<Alarm, (DateTime<Utc>, LetterId)>,
    swept: Option<DateTime<Utc>>,
}

impl Watch {
    /// What it knows that bears on a letter, the letter itself counted among the tokens and not among the texts.
    pub fn look(&mut self, known: &mut Known, sight: &Sight, now: DateTime<Utc>) {
        self.sweep(now);
        if let Some((sender, vouched)) = &sight.sender {
            let told = Alarm::Sender(sender.clone(), *vouched);
            known.limit_told = self.is_told(&told, sight.id, now);
            if let Some(essence) = sight.essence {
                let said = self.texts.get(&(sender.clone(), *vouched, essence));
                known.same_text_last_hour = said.map_or(0, |t| others(t, sight.id, now));
            }
        }
        if let Some(domain) = &sight.domain {
            let before = self.tokens.get(domain);
            let before = before.map_or(0, |t| others(t, sight.id, now));
            known.bad_tokens_last_hour = before.saturating_add(u32::from(sight.bad_tokens > 0));
            known.bad_tokens_told = self.is_told(&Alarm::Tokens(domain.clone()), sight.id, now);
        }
        let own = self.outsiders.get(&sight.id).map_or(0, |(_, own)| *own);
        known.outsider_letters_last_hour = self.outside.saturating_sub(own);
        known.flood_told = self.is_told(&Alarm::Flood, sight.id, now);
    }

    /// Remembers what became of a letter.
    pub fn note(&mut self, sight: &Sight, decision: &Decision, now: DateTime<Utc>) {
        if let (Some((sender, vouched)), Some(essence)) = (&sight.sender, sight.essence) {
            let key = (sender.clone(), *vouched, essence);
            count(&mut self.texts, key, sight.id, now);
        }
        if let (Some(domain), true) = (&sight.domain, sight.bad_tokens > 0) {
            count(&mut self.tokens, domain.clone(), sight.id, now);
        }
        let outside = decision.notices.iter();
        let outside = outside.filter(|n| !n.template.is_internal()).count();
        if outside > 0 && decision.sender.as_ref().is_some_and(|s| s.is_outsider()) {
            let letters = u32::try_from(outside).unwrap_or(u32::MAX);
            let before = self.outsiders.insert(sight.id, (now, letters));
            let before = before.map_or(0, |(_, letters)| letters);
            self.outside = self.outside.saturating_sub(before).saturating_add(letters);
        }
        for alert in decision
            .notices
            .iter()
            .filter_map(|n| n.tells.alert.as_ref())
        {
            let alarm = match alert {
                Alert::OverLimit => sight
                    .sender
                    .clone()
                    .map(|(sender, vouched)| Alarm::Sender(sender, vouched)),
                Alert::Flood => Some(Alarm::Flood),
                Alert::BadTokens(domain, _) => Some(Alarm::Tokens(domain.clone())),
                Alert::Held(_)
                | Alert::SuccessionTried
                | Alert::Unreadable
                | Alert::Undelivered(..)
                | Alert::BadConfiguration
                | Alert::GoodConfiguration => None,
            };
            if let Some(alarm) = alarm {
                self.told.insert(alarm, (now, sight.id));
            }
        }
    }

    fn is_told(&self, alarm: &Alarm, id: LetterId, now: DateTime<Utc>) -> bool {
        let told = self.told.get(alarm);
        told.is_some_and(|(at, letter)| *letter != id && is_recent(*at, now))
    }

    /// Forgets what is older than an hour; now and then, for it looks at everything.
    fn sweep(&mut self, now: DateTime<Utc>) {
        let due = TimeDelta::minutes(1);
        if self
            .swept
            .is_some_and(|at| now.signed_duration_since(at).abs() < due)
        {
            return;
        }
        self.swept = Some(now);
        let lives = |times: &mut Times| {
            times.retain(|_, at| is_recent(*at, now));
            !times.is_empty()
        };
        self.texts.retain(|_, times| lives(times));
        self.tokens.retain(|_, times| lives(times));
        self.outsiders.retain(|_, (at, _)| is_recent(*at, now));
        let letters = self.outsiders.values().map(|(_, letters)| *letters);
        self.outside = letters.fold(0, u32::saturating_add);
        self.told.retain(|_, (at, _)| is_recent(*at, now));
    }
}

fn is_recent(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now.signed_duration_since(at) < TimeDelta::hours(1)
}

/// The letters of the last hour but this one.
fn others(times: &Times, id: LetterId, now: DateTime<Utc>) -> u32 {
    let counted = times
        .iter()
        .filter(|(letter, at)| **letter != id && is_recent(**at, now));
    u32::try_from(counted.count()).unwrap_or(u32::MAX)
}

fn count<K: Ord>(counted: &mut BTreeMap<K, Times>, key: K, id: LetterId, now: DateTime<Utc>) {
    if counted.len() >= MOST && !counted.contains_key(&key) {
        counted.pop_first();
    }
    let times = counted.entry(key).or_default();
    if times.len() >= COUNTED {
        times.pop_first();
    }
    times.insert(id, now);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests")]
    use super::*;
    use crate::desk::address::Address;
    use crate::desk::decide::Sender;
    use crate::desk::notice::{Notice, Purpose, Tells, Template, Thread};
    use crate::desk::people::Locale;

    fn sight(id: i64, essence: u8, bad_tokens: usize) -> Sight {
        Sight {
            id: LetterId(id),
            sender: Some(("a@x.example".into(), true)),
            domain: Some("x.example".into()),
            essence: Some([essence; 32]),
            bad_tokens,
        }
    }

    fn decision(notices: Vec<Notice>) -> Decision {
        use crate::desk::decide::{Concern, Verdict};
        Decision {
            verdict: Verdict::Registered,
            sender: None,
            concern: Concern::Nothing,
            events: vec![],
            notices,
            reasons: vec![],
            findings: Default::default(),
            onward: None,
        }
    }

    fn seen(watch: &mut Watch, sight: &Sight, now: DateTime<Utc>) -> Known {
        let mut known = Known::default();
        watch.look(&mut known, sight, now);
        watch.note(sight, &decision(vec![]), now);
        known
    }

    #[test]
    fn e56_a_text_that_comes_again_is_counted_for_an_hour_by_sender() {
        let mut watch = Watch::default();
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let at = |minutes| start + TimeDelta::minutes(minutes);
        let count = |known: Known| known.same_text_last_hour;
        assert_eq!(count(seen(&mut watch, &sight(1, 7, 0), at(0))), 0);
        assert_eq!(count(seen(&mut watch, &sight(2, 7, 0), at(1))), 1);
        // Tried again after a failure: the same letter.
        assert_eq!(count(seen(&mut watch, &sight(2, 7, 0), at(1))), 1);
        assert_eq!(count(seen(&mut watch, &sight(3, 8, 0), at(2))), 0);
        let forged = Sight {
            sender: Some(("a@x.example".into(), false)),
            ..sight(4, 7, 0)
        };
        assert_eq!(count(seen(&mut watch, &forged, at(3))), 0);
        assert_eq!(count(seen(&mut watch, &sight(5, 7, 0), at(60))), 1);
        assert_eq!(count(seen(&mut watch, &sight(6, 7, 0), at(200))), 0);
        assert_eq!(watch.texts.len(), 1);
    }

    #[test]
    fn bad_tokens_are_counted_by_domain_with_the_letter_itself() {
        let mut watch = Watch::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for n in 1..=25_i64 {
            let known = seen(&mut watch, &sight(n, 1, 2), now);
            assert_eq!(i64::from(known.bad_tokens_last_hour), n);
        }
        let known = seen(&mut watch, &sight(26, 1, 0), now);
        assert_eq!(known.bad_tokens_last_hour, 25);
    }

    fn notice(template: Template, alert: Option<Alert>) -> Notice {
        Notice {
            template,
            to: Address::new("a@x.example").unwrap(),
            name: String::new(),
            locale: Locale::En,
            purpose: Purpose::Nothing,
            thread: Thread::default(),
            tells: Tells {
                alert,
                ..Tells::default()
            },
        }
    }

    fn by(role: &'static str, notices: Vec<Notice>) -> Decision {
        let (customer, installation) = (None, None);
        Decision {
            sender: Some(Sender {
                role,
                customer,
                installation,
            }),
            ..decision(notices)
        }
    }

    #[test]
    fn e59_what_outsiders_cause_is_counted_without_letters_inside_and_once() {
        let mut watch = Watch::default();
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let outside = || notice(Template::NotRepresentative, None);
        let two = vec![
            outside(),
            outside(),
            notice(Template::SpecialistAlert, None),
        ];
        let count = |watch: &mut Watch, id, now| {
            let mut known = Known::default();
            watch.look(&mut known, &sight(id, 1, 0), now);
            known.outsider_letters_last_hour
        };
        watch.note(&sight(1, 1, 0), &by("stranger", two.clone()), start);
        watch.note(&sight(2, 2, 0), &by("primary", two.clone()), start);
        watch.note(&sight(3, 3, 0), &decision(two.clone()), start);
        assert_eq!(count(&mut watch, 9, start), 2);
        // Decided on again: its own count neither for nor twice.
        assert_eq!(count(&mut watch, 1, start), 0);
        watch.note(
            &sight(1, 1, 0),
            &by("former", vec![outside()]),
            start + TimeDelta::seconds(30),
        );
        assert_eq!(count(&mut watch, 9, start + TimeDelta::seconds(30)), 1);
        let nearly = start + TimeDelta::seconds(30) + TimeDelta::minutes(59);
        assert_eq!(count(&mut watch, 9, nearly), 1);
        assert_eq!(count(&mut watch, 9, nearly + TimeDelta::minutes(1)), 0);
    }

    #[test]
    fn each_alarm_is_remembered_for_an_hour_and_by_whom_it_is_about() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let told = |watch: &mut Watch, sight: &Sight, now| {
            let mut known = Known::default();
            watch.look(&mut known, sight, now);
            (known.limit_told, known.bad_tokens_told, known.flood_told)
        };
        let tokens = Alert::BadTokens("x.example".to_owned(), 20);
        for (alert, expected, elsewhere) in [
            (
                Alert::OverLimit,
                (true, false, false),
                (false, false, false),
            ),
            (tokens, (false, true, false), (false, false, false)),
            (Alert::Flood, (false, false, true), (false, false, true)),
            (
                Alert::Unreadable,
                (false, false, false),
                (false, false, false),
            ),
        ] {
            let mut watch = Watch::default();
            let alarm = notice(Template::SpecialistAlert, Some(alert));
            watch.note(&sight(1, 1, 0), &decision(vec![alarm]), start);
            assert_eq!(told(&mut watch, &sight(2, 1, 0), start), expected);
            // The letter that told is decided on again: it must tell again.
            assert_eq!(
                told(&mut watch, &sight(1, 1, 0), start),
                (false, false, false)
            );
            let mut other = sight(3, 1, 0);
            other.sender = Some(("b@y.example".to_owned(), true));
            other.domain = Some("y.example".to_owned());
            assert_eq!(told(&mut watch, &other, start), elsewhere);
            let later = start + TimeDelta::minutes(60);
            assert_eq!(
                told(&mut watch, &sight(2, 1, 0), later - TimeDelta::seconds(1)),
                expected
            );
            assert_eq!(
                told(&mut watch, &sight(2, 1, 0), later),
                (false, false, false)
            );
            watch.sweep(later + TimeDelta::minutes(2));
            assert_eq!(watch.told.len(), 0);
        }
    }

    #[test]
    fn it_never_remembers_more_than_it_may() {
        let mut counted: BTreeMap<i64, Times> = BTreeMap::new();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for key in 0..25_000 {
            count(&mut counted, key, LetterId(key), now);
        }
        for letter in 0..2_000 {
            count(&mut counted, 24_999, LetterId(letter), now);
        }
        assert_eq!(counted.len(), MOST);
        assert_eq!(counted.get(&24_999).map(Times::len), Some(COUNTED));
    }
}
