//! Why an answer is due when it is, and what comes next by itself: the figures behind a date, for the people who are told it (R18–R20, R22, R45).

use chrono::{DateTime, TimeDelta, Utc};

use super::calendar::Calendar;
use super::course;
use super::deadline;
use super::policy::Desk;
use super::request::{Request, Status};
use super::ticking;

/// An amount of working time as people count it: whole working days, and a rest of less than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Whole working days.
    pub days: u32,
    /// The minutes beside them, rounded down.
    pub minutes: u32,
}

impl Span {
    /// The working time between two moments: the days that lie whole between them, and the pieces of the first and the last one. Pieces that
    /// make up a day of the length of the last one count as one.
    pub fn between(calendar: &Calendar, from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        if from >= to {
            return Self::default();
        }
        let (first, last) = (calendar.day_of(from), deadline::day_owed(calendar, to));
        if first >= last {
            return Self::of(0, calendar.working_time(from, to), calendar, to);
        }
        let begun = calendar.working_time(from, calendar.end_of_day(first));
        let ended = calendar.working_time(calendar.start_of_day(last), to);
        let pieces = begun.checked_add(&ended).unwrap_or(TimeDelta::MAX);
        let between = first.iter_days().skip(1).take_while(|day| *day < last);
        let days = between.filter(|day| calendar.is_working(*day)).count();
        Self::of(
            u32::try_from(days).unwrap_or(u32::MAX),
            pieces,
            calendar,
            to,
        )
    }

    /// Both together; the rest counts as a day where it makes up the last day before `to`.
    fn and(self, more: Self, calendar: &Calendar, to: DateTime<Utc>) -> Self {
        let minutes = i64::from(self.minutes).saturating_add(i64::from(more.minutes));
        let days = self.days.saturating_add(more.days);
        Self::of(days, TimeDelta::minutes(minutes), calendar, to)
    }

    fn of(days: u32, pieces: TimeDelta, calendar: &Calendar, to: DateTime<Utc>) -> Self {
        let last = deadline::day_owed(calendar, to);
        let whole = calendar.working_time(calendar.start_of_day(last), calendar.end_of_day(last));
        let (mut days, mut rest) = (days, pieces);
        // A piece at each end, and what was carried from another span: never more than three days.
        for _ in 0..3 {
            if whole.is_zero() || rest < whole {
                break;
            }
            days = days.saturating_add(1);
            rest = rest.checked_sub(&whole).unwrap_or_default();
        }
        let minutes = u32::try_from(rest.num_minutes()).unwrap_or(u32::MAX);
        Self { days, minutes }
    }

    /// Whether there is nothing of it.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }
}

/// The figures behind a due moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// It is counted as this working day after the day of registration (R18).
    pub working_days: u32,
    /// The working time that was given back for pauses (R19).
    pub given_back: Span,
    /// The working days that extensions added (R20).
    pub extended: u32,
    /// While the clock stands: the working time that is left (R19).
    pub left: Option<Span>,
    /// Whether the due moment has passed and the answer is still owed.
    pub late: bool,
    /// What time does next: when it closes the request; for a closed one, until when a reply takes it up again (R22).
    pub until: Option<DateTime<Utc>>,
}

/// The figures of a request as it stands; none where they would not give the due moment that it has.
pub fn of(desk: &Desk, request: &Request, now: DateTime<Utc>) -> Option<Why> {
    let calendar = &desk.calendar;
    let day = request.matter.registration_day;
    let working_days = desk.deadlines.answer;
    let shown = course::replay(calendar, day, working_days, &request.course.turns);
    if request.due != Some(shown.due) {
        return None;
    }
    let more = |sum: Span, (from, to): &(DateTime<Utc>, DateTime<Utc>)| {
        sum.and(Span::between(calendar, *from, *to), calendar, *to)
    };
    let owed = !matches!(request.status, Status::Resolved | Status::Closed);
    let left = shown.stopped.filter(|_| owed);
    Some(Why {
        working_days,
        given_back: shown.given_back.iter().fold(Span::default(), more),
        extended: shown.extended,
        left: left.map(|since| Span::between(calendar, since, shown.due)),
        late: owed && left.is_none() && shown.due <= now,
        until: ticking::until(desk, request),
    })
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
    use chrono_tz::Europe::Moscow;
    use proptest::prelude::*;

    use super::super::calendar::Interval;
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
        Calendar::new(Moscow, week, BTreeMap::new(), BTreeMap::new(), 60)
    }

    fn at(text: &str) -> DateTime<Utc> {
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect(text);
        local.and_local_timezone(Moscow).unwrap().to_utc()
    }

    /// R19, F64: as people count: Monday to Monday are five days, whatever their hours.
    #[test]
    fn working_time_is_told_in_days_and_hours() {
        for (from, to, days, minutes) in [
            ("2026-08-17 17:00", "2026-08-24 17:00", 5, 0),
            ("2026-08-18 09:00", "2026-08-24 17:00", 5, 0),
            ("2026-08-18 12:00", "2026-08-24 17:00", 4, 4 * 60),
            ("2026-08-18 16:00", "2026-08-19 10:00", 0, 2 * 60),
            ("2026-08-18 10:00", "2026-08-18 14:00", 0, 3 * 60),
            ("2026-08-18 10:00", "2026-08-20 10:00", 2, 0),
            ("2026-08-21 15:00", "2026-08-24 09:30", 0, 90),
            ("2026-08-22 11:00", "2026-08-23 11:00", 0, 0),
            ("2026-08-24 17:00", "2026-08-18 09:00", 0, 0),
        ] {
            let span = Span::between(&office(), at(from), at(to));
            assert_eq!(span, Span { days, minutes }, "{from} {to}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// F64: the rest is less than a day, and later is never less.
        #[test]
        fn what_is_told_grows_with_time(from in 0_i64..40_000, long in 0_i64..40_000, more in 0_i64..3_000) {
            let office = office();
            let start = at("2026-08-03 00:00");
            let moment = |m: i64| start + TimeDelta::minutes(m);
            let span = |to: i64| Span::between(&office, moment(from), moment(from + to));
            let less = span(long);
            prop_assert!(less.minutes <= 7 * 60, "{less:?}");
            let (a, b) = (less, span(long + more));
            let hours = |s: Span| i64::from(s.days) * 7 * 60 + i64::from(s.minutes);
            // A day is six hours on Fridays and seven else.
            prop_assert!(hours(b) + 60 >= hours(a), "{a:?} {b:?}");
        }
    }
}
