//! How a request's clock ran: what stopped, resumed and lengthened it, replayed into the moment its answer is due (R18, R19, R20).

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::address::Address;
use super::calendar::Calendar;
use super::deadline;
use super::request::{Status, Type};

/// What happened to the clock at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It stands still from here: the desk owes nothing (R19).
    Stopped,
    /// It runs again: the working time that was left is given back (R19).
    Resumed,
    /// So many working days more were agreed to (R20).
    Extended(u32),
}

/// How a request ended, for the journal; none while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// With an answer.
    Solved,
    /// An approver declined it (R26), or a specialist did.
    Declined,
    /// The information that was asked for never came (R22).
    Unanswered,
    /// The requester needs it no more.
    Withdrawn,
}

impl Ending {
    /// Every ending.
    pub const ALL: [Self; 4] = [
        Self::Solved,
        Self::Declined,
        Self::Unanswered,
        Self::Withdrawn,
    ];

    /// The word in store and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Solved => "solved",
            Self::Declined => "declined",
            Self::Unanswered => "unanswered",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads the word back.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.word() == word)
    }
}

/// What the approvers have agreed to (R25, R26).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// That it is this.
    pub to: Type,
    /// Who agreed, and when their word arrived.
    pub by: Vec<(Address, DateTime<Utc>)>,
    /// Whether that is enough.
    pub whole: bool,
}

/// The clock of a request, what people were told of it, and what the approvers agreed to. Made again at any time from the request's history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Course {
    /// Since when the request has its status, as of the letter that changed it; none while it has its first one.
    pub since: Option<DateTime<Utc>>,
    /// What happened to the clock, in the order in which it became known.
    pub turns: Vec<(DateTime<Utc>, Turn)>,
    /// The due moment that the specialists were warned of (R21): one that moves is warned of again.
    pub warned: Option<DateTime<Utc>>,
    /// The due moment of whose passing they were told (R21).
    pub overdue: Option<DateTime<Utc>>,
    /// When the requester was reminded in this status (R22).
    pub reminded: Option<DateTime<Utc>>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// What the approvers agreed to; none while nobody has (R25).
    pub consent: Option<Consent>,
    /// Why a specialist asked for more time; none while nobody asks (R20).
    pub more_time: Option<String>,
}

/// What the clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// When the answer is due; while the clock stands, when it was due when it stopped.
    pub due: DateTime<Utc>,
    /// Since when the clock stands; none while it runs.
    pub stopped: Option<DateTime<Utc>>,
}

impl Shown {
    /// The working time that is left while the clock stands; zero if the due moment had passed.
    pub fn left(&self, calendar: &Calendar) -> Option<TimeDelta> {
        self.stopped
            .map(|since| calendar.working_time(since, self.due))
    }
}

/// Whether the desk owes work in this status: only then its clock runs.
pub fn runs(status: Status) -> bool {
    match status {
        Status::InProgress | Status::WithDeveloper => true,
        Status::AwaitingInformation | Status::Resolved | Status::Closed => false,
    }
}

/// R18, R19, R20: the turns of a clock in order of their moments, whenever they became known. Stopping a clock that stands and resuming one
/// that runs changes nothing, so two overlapping pauses count once.
pub fn replay(
    calendar: &Calendar,
    registration_day: NaiveDate,
    working_days: u32,
    turns: &[(DateTime<Utc>, Turn)],
) -> Shown {
    let mut shown = Shown {
        due: deadline::due(calendar, registration_day, working_days),
        stopped: None,
    };
    // Days that were agreed to while the clock stood are whole days after it runs again.
    let mut more = 0_u32;
    let mut turns = turns.to_vec();
    turns.sort_by_key(|(at, _)| *at);
    for (at, turn) in turns {
        match (turn, shown.stopped) {
            (Turn::Stopped, None) => shown.stopped = Some(at),
            (Turn::Resumed, Some(since)) => {
                let left = calendar.working_time(since, shown.due);
                if !left.is_zero() {
                    shown.due = calendar.after_working_time(at, left);
                }
                shown.due = deadline::extended(calendar, shown.due, more);
                (shown.stopped, more) = (None, 0);
            }
            (Turn::Extended(days), None) => {
                shown.due = deadline::extended(calendar, shown.due, days);
            }
            (Turn::Extended(days), Some(_)) => more = more.saturating_add(days),
            (Turn::Stopped, Some(_)) | (Turn::Resumed, None) => {}
        }
    }
    shown.due = deadline::extended(calendar, shown.due, more);
    shown
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::arithmetic_side_effects,
        reason = "tests"
    )]

    use std::collections::BTreeMap;

    use chrono::NaiveDateTime;
    use chrono_tz::Asia::Yekaterinburg;
    use proptest::prelude::*;

    use super::super::calendar::Interval;
    use super::super::production;
    use super::*;

    fn office() -> Calendar {
        let hours = |texts: [&str; 2]| texts.map(|text| Interval::read(text).expect(text)).to_vec();
        let long = hours(["09:00-12:30", "13:30-17:00"]);
        let friday = hours(["09:00-12:30", "13:30-16:00"]);
        let week = [
            long.clone(),
            long.clone(),
            long.clone(),
            long,
            friday,
            vec![],
            vec![],
        ];
        let days = production::ru().unwrap().into_days();
        Calendar::new(Yekaterinburg, week, days, BTreeMap::new(), 60)
    }

    fn at(text: &str) -> DateTime<Utc> {
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect(text);
        local.and_local_timezone(Yekaterinburg).unwrap().to_utc()
    }

    fn due(turns: &[(&str, Turn)]) -> String {
        let turns: Vec<_> = turns.iter().map(|(when, turn)| (at(when), *turn)).collect();
        let monday = NaiveDate::from_ymd_opt(2026, 8, 17).unwrap();
        let shown = replay(&office(), monday, 5, &turns);
        let local = shown.due.with_timezone(&Yekaterinburg);
        local.format("%a %Y-%m-%d %H:%M").to_string()
    }

    /// R19, F65: the working time that was left is given back; two overlapping pauses count once; what becomes known late counts as of its moment.
    #[test]
    fn a_pause_is_given_back() {
        use Turn::{Extended, Resumed, Stopped};
        assert_eq!(due(&[]), "Mon 2026-08-24 17:00");
        let pause = [("2026-08-18 12:00", Stopped), ("2026-08-20 12:00", Resumed)];
        assert_eq!(due(&pause), "Wed 2026-08-26 17:00");
        // Two hours before closing; it goes on at the opening after a letter of Saturday.
        let night = [("2026-08-21 14:00", Stopped), ("2026-08-22 11:00", Resumed)];
        assert_eq!(due(&night), "Tue 2026-08-25 11:00");
        let twice = [
            ("2026-08-18 12:00", Stopped),
            ("2026-08-19 12:00", Stopped),
            ("2026-08-20 12:00", Resumed),
        ];
        assert_eq!(due(&twice), "Wed 2026-08-26 17:00");
        let late = [("2026-08-20 12:00", Resumed), ("2026-08-18 12:00", Stopped)];
        assert_eq!(due(&late), "Wed 2026-08-26 17:00");
        // Nothing was left, so nothing is given back.
        let over = [("2026-08-25 12:00", Stopped), ("2026-08-27 12:00", Resumed)];
        assert_eq!(due(&over), "Mon 2026-08-24 17:00");
        assert_eq!(
            due(&[("2026-08-19 12:00", Extended(3))]),
            "Thu 2026-08-27 17:00"
        );
        // Agreed to while the clock stood.
        let both = [
            ("2026-08-18 12:00", Stopped),
            ("2026-08-19 12:00", Extended(2)),
            ("2026-08-20 12:00", Resumed),
        ];
        assert_eq!(due(&both), "Fri 2026-08-28 16:00");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// R19: wherever the pauses lie, the desk has as much working time as without them, and the due moment is one of working time.
        #[test]
        fn no_pause_costs_working_time(minutes in prop::collection::vec(0_i64..20_000, 0..8)) {
            let office = office();
            let monday = NaiveDate::from_ymd_opt(2026, 8, 17).unwrap();
            let start = at("2026-08-17 09:00");
            let mut moments: Vec<_> = minutes.iter().map(|m| start + TimeDelta::minutes(*m)).collect();
            moments.sort_unstable();
            let turns: Vec<_> = moments.iter().enumerate()
                .map(|(i, at)| (*at, if i % 2 == 0 { Turn::Stopped } else { Turn::Resumed })).collect();
            let plain = replay(&office, monday, 5, &[]).due;
            let shown = replay(&office, monday, 5, &turns);
            let mut spent = TimeDelta::zero();
            let mut from = start;
            for pair in moments.chunks(2) {
                let until = pair[0].min(shown.due);
                spent += office.working_time(from, until);
                from = pair.get(1).copied().unwrap_or(shown.due);
            }
            spent += office.working_time(from, shown.due);
            if shown.stopped.is_none() {
                prop_assert_eq!(spent, office.working_time(start, plain));
            }
            prop_assert!(shown.due >= plain);
            let before = shown.due - TimeDelta::minutes(1);
            prop_assert_eq!(office.working_time(before, shown.due), TimeDelta::minutes(1));
        }

        /// F65: the order in which things become known does not matter.
        #[test]
        fn late_news_change_nothing(minutes in prop::collection::btree_set(0_i64..20_000, 0..8), seed in 0_usize..1_000) {
            let office = office();
            let monday = NaiveDate::from_ymd_opt(2026, 8, 17).unwrap();
            let kinds = [Turn::Stopped, Turn::Resumed, Turn::Extended(1)];
            let mut turns: Vec<_> = minutes.iter().enumerate()
                .map(|(i, m)| (at("2026-08-17 09:00") + TimeDelta::minutes(*m), kinds[(i + seed) % 3])).collect();
            let in_order = replay(&office, monday, 5, &turns);
            let len = turns.len().max(1);
            turns.rotate_left(seed % len);
            turns.reverse();
            prop_assert_eq!(replay(&office, monday, 5, &turns), in_order);
        }
    }
}
