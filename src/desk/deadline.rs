//! When answers are due and when held orders lapse (R10, R18): by closing on the n-th working day after a day.

use std::fmt::Write as _;
use std::iter;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::calendar::Calendar;

/// R18, R10: closing on the `working_days`-th working day after `day`. Where that is no working day (0 days from a day off; a calendar without
/// working days, which the configuration refuses), the end of that day.
pub fn due(calendar: &Calendar, day: NaiveDate, working_days: u32) -> DateTime<Utc> {
    let last = calendar.add_working_days(day, working_days);
    calendar
        .closing(last)
        .unwrap_or_else(|| calendar.end_of_day(last))
}

/// R20: a due moment moved by so many working days: from closing to closing, else to the same working time of the later day, at the latest its closing.
pub fn extended(calendar: &Calendar, due: DateTime<Utc>, working_days: u32) -> DateTime<Utc> {
    if working_days == 0 {
        return due;
    }
    let day = day_owed(calendar, due);
    let later = calendar.add_working_days(day, working_days);
    let closing = calendar
        .closing(later)
        .unwrap_or_else(|| calendar.end_of_day(later));
    match (calendar.opening(day), calendar.opening(later)) {
        (Some(opening), Some(opens)) if calendar.closing(day) != Some(due) => {
            let worked = calendar.working_time(opening, due);
            calendar.after_working_time(opens, worked).min(closing)
        }
        _ => closing,
    }
}

/// The day on which a due moment lies: a closing at midnight belongs to the day that it ends.
pub fn day_owed(calendar: &Calendar, due: DateTime<Utc>) -> NaiveDate {
    let before = due.checked_sub_signed(TimeDelta::microseconds(1));
    calendar.day_of(before.unwrap_or(due))
}

/// R21: the specialists are warned at the opening of the working day that lies so many working days before the due moment's day.
pub fn warning(calendar: &Calendar, due: DateTime<Utc>, warn_before: u32) -> DateTime<Utc> {
    let day = calendar.working_days_before(day_owed(calendar, due), warn_before);
    calendar
        .opening(day)
        .unwrap_or_else(|| calendar.start_of_day(day))
}

/// The counting behind [`due`], for people who want to see it, in one line:
/// `Thu 2026-05-07; 1: Fri 2026-05-08 09:00-12:30 13:30-15:00; 2: Tue 2026-05-12 …; due Fri 2026-05-15 16:00 +05:00`.
pub fn reckoning(calendar: &Calendar, day: NaiveDate, working_days: u32) -> String {
    let counted = iter::successors(Some(day), |&day| Some(calendar.next_working_day(day))).skip(1);
    let mut line = day.format("%a %F").to_string();
    for (number, day) in (1..=working_days).zip(counted) {
        // Writing to a `String` cannot fail.
        let _ = write!(line, "; {number}: {}", day.format("%a %F"));
        for interval in calendar.intervals(day) {
            let _ = write!(line, " {interval}");
        }
    }
    let due = due(calendar, day, working_days).with_timezone(&calendar.zone());
    let _ = write!(line, "; due {}", due.format("%a %F %H:%M %:z"));
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use std::collections::BTreeMap;

    use chrono_tz::Asia::Yekaterinburg;
    use proptest::prelude::*;

    use super::super::calendar::Interval;
    use super::super::production;
    use super::*;

    /// The example desk of R15 with the Russian production calendar.
    fn office() -> Calendar {
        let hours = |texts: [&str; 2]| texts.map(|text| Interval::read(text).expect(text)).to_vec();
        let long = hours(["09:00-12:30", "13:30-17:00"]);
        let friday = hours(["09:00-12:30", "13:30-16:00"]);
        let off = Vec::new;
        let week = [
            long.clone(),
            long.clone(),
            long.clone(),
            long,
            friday,
            off(),
            off(),
        ];
        let days = production::ru().unwrap().into_days();
        Calendar::new(Yekaterinburg, week, days, BTreeMap::new(), 60)
    }

    fn day(text: &str) -> NaiveDate {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").expect(text)
    }

    /// F64, R18: closing on the fifth working day after the day of registration: a week later to the day, but for holidays, moved and shortened days.
    #[test]
    fn answers_are_due_at_a_closing() {
        let office = office();
        for (registered, expected) in [
            ("2026-05-18", "2026-05-25T17:00:00+05:00"),
            ("2026-05-21", "2026-05-28T17:00:00+05:00"),
            ("2026-05-22", "2026-05-29T16:00:00+05:00"),
            // Holidays of May: 8 is short, 9 to 11 are off.
            ("2026-04-30", "2026-05-08T15:00:00+05:00"),
            ("2026-05-07", "2026-05-15T16:00:00+05:00"),
            // The New Year: nothing from 31 December to 10 January.
            ("2026-12-25", "2027-01-12T17:00:00+05:00"),
            // Saturday 27 April 2024 is worked, 29 April to 1 May are off.
            ("2024-04-22", "2024-04-27T17:00:00+05:00"),
            ("2024-04-26", "2024-05-07T17:00:00+05:00"),
            // Saturday 20 February 2027 is worked and short.
            ("2027-02-15", "2027-02-20T16:00:00+05:00"),
        ] {
            let due = due(&office, day(registered), 5).with_timezone(&Yekaterinburg);
            assert_eq!(due.to_rfc3339(), expected, "{registered}");
        }
    }

    /// R18: nothing to count and nothing to close: the end of the day.
    #[test]
    fn zero_days_from_a_day_off() {
        let due = due(&office(), day("2026-05-16"), 0).with_timezone(&Yekaterinburg);
        assert_eq!(due.to_rfc3339(), "2026-05-17T00:00:00+05:00");
    }

    /// F64: the arithmetic that is shown.
    #[test]
    fn the_reckoning_is_shown() {
        assert_eq!(
            reckoning(&office(), day("2026-05-07"), 2),
            "Thu 2026-05-07; 1: Fri 2026-05-08 09:00-12:30 13:30-15:00; 2: Tue 2026-05-12 09:00-12:30 13:30-17:00; due Tue 2026-05-12 17:00 +05:00"
        );
    }

    /// F64: the example of the manual is what the desk computes.
    #[test]
    fn the_manual_counts_as_the_desk_does() {
        let office = office();
        let arrived = DateTime::parse_from_rfc3339("2026-04-30T16:20:00+05:00").unwrap();
        let place = office.place(arrived.to_utc());
        let opens = place.opens.with_timezone(&Yekaterinburg).to_rfc3339();
        assert_eq!(opens, "2026-05-04T09:00:00+05:00");
        let counted = reckoning(&office, place.day, 5).replace("; ", "\n  ");
        let manual = include_str!("../../docs/calendar.md");
        assert!(manual.contains(&counted), "{counted}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// F64: the arithmetic that is shown is the one that is computed.
        #[test]
        fn the_reckoning_is_what_is_computed(after in 0_u64..2_500, count in 1_u32..15) {
            let office = office();
            let from = day("2020-01-01").checked_add_days(chrono::Days::new(after)).unwrap();
            let shown = reckoning(&office, from, count);
            let due = due(&office, from, count).with_timezone(&Yekaterinburg);
            let (day, time) = (due.format("%a %F"), due.format("%H:%M"));
            let last = shown.split("; ").nth(usize::try_from(count).unwrap()).unwrap();
            prop_assert!(last.starts_with(&format!("{count}: {day} ")), "{shown}");
            prop_assert!(last.ends_with(&format!("-{time}")), "{shown}");
            let end = format!("; due {day} {time} +05:00");
            prop_assert!(shown.ends_with(&end), "{shown}");
        }
    }
}
