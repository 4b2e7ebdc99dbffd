//! The boundaries of working time to the second, the nights in which clocks change, and what holds for every calendar.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use chrono::Timelike;
use chrono_tz::America::{Havana, Santiago, St_Johns};
use chrono_tz::Asia::Yekaterinburg;
use chrono_tz::Australia::Lord_Howe;
use chrono_tz::Europe::Berlin;
use proptest::prelude::*;

use super::super::production;
use super::*;

fn hours(texts: &[&str]) -> Vec<Interval> {
    texts
        .iter()
        .map(|text| Interval::read(text).expect(text))
        .collect()
}

fn day(text: &str) -> NaiveDate {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").expect(text)
}

fn utc(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).expect(text).to_utc()
}

/// The example desk of R15: Monday to Thursday 09:00–17:00, Friday to 16:00, lunch 12:30–13:30.
fn office_week() -> Week {
    let long = hours(&["09:00-12:30", "13:30-17:00"]);
    let friday = hours(&["09:00-12:30", "13:30-16:00"]);
    let off = Vec::new;
    [
        long.clone(),
        long.clone(),
        long.clone(),
        long,
        friday,
        off(),
        off(),
    ]
}

fn russian_days() -> BTreeMap<NaiveDate, DayRule> {
    production::ru().unwrap().into_days()
}

/// The example desk in Yekaterinburg with the Russian production calendar.
fn office() -> Calendar {
    Calendar::new(
        Yekaterinburg,
        office_week(),
        russian_days(),
        BTreeMap::new(),
        60,
    )
}

/// The same with days of its own.
fn office_with(own: &[(&str, DayRule)]) -> Calendar {
    let own = own.iter().map(|(d, rule)| (day(d), rule.clone())).collect();
    Calendar::new(Yekaterinburg, office_week(), russian_days(), own, 60)
}

/// A desk with the same hours every day and no calendar.
fn daily(zone: Tz, texts: &[&str]) -> Calendar {
    let week = std::array::from_fn(|_| hours(texts));
    Calendar::new(zone, week, BTreeMap::new(), BTreeMap::new(), 60)
}

/// A time of the wall clock in Yekaterinburg, `2026-05-14 16:59:59`.
fn local(text: &str) -> DateTime<Utc> {
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").expect(text);
    Yekaterinburg
        .from_local_datetime(&naive)
        .single()
        .expect(text)
        .to_utc()
}

/// Each arrival is registered at once, or else at the opening that is named.
fn check_places(calendar: &Calendar, arrivals: &[(&str, &str)]) {
    for (arrived, registered) in arrivals {
        let moment = local(arrived);
        let opens = match *registered {
            "at once" => moment,
            opening => local(opening),
        };
        let expected = Place {
            day: calendar.day_of(opens),
            opens,
            queued: *registered != "at once",
        };
        assert_eq!(calendar.place(moment), expected, "{arrived}");
    }
}

/// F61, D4, R16: a day ends with the second before closing; what comes later or on a day off waits for the next working day's opening,
/// what comes before opening for today's.
#[test]
fn arrivals_at_the_edges_of_a_day() {
    check_places(
        &office(),
        &[
            ("2026-05-14 08:59:59", "2026-05-14 09:00:00"),
            ("2026-05-14 09:00:00", "at once"),
            ("2026-05-14 16:59:59", "at once"),
            ("2026-05-14 16:59:59.999999999", "at once"),
            ("2026-05-14 17:00:00", "2026-05-15 09:00:00"),
            ("2026-05-14 23:59:59", "2026-05-15 09:00:00"),
            ("2026-05-15 00:00:00", "2026-05-15 09:00:00"),
            ("2026-05-15 15:59:59", "at once"),
            ("2026-05-15 16:00:00", "2026-05-18 09:00:00"),
            ("2026-05-16 12:00:00", "2026-05-18 09:00:00"),
            ("2026-05-17 23:59:59", "2026-05-18 09:00:00"),
            ("2026-05-18 00:00:00", "2026-05-18 09:00:00"),
            ("2026-05-18 09:00:00", "at once"),
        ],
    );
}

/// F61, D4, R16: before and within a run of holidays, the first working day after it.
#[test]
fn arrivals_before_holidays() {
    check_places(
        &office(),
        &[
            ("2025-12-30 16:59:59", "at once"),
            ("2025-12-30 17:00:00", "2026-01-12 09:00:00"),
            ("2026-01-09 10:00:00", "2026-01-12 09:00:00"),
            ("2026-04-30 16:00:00", "2026-05-04 09:00:00"),
            ("2026-12-30 17:00:00", "2027-01-11 09:00:00"),
            ("2026-12-31 10:00:00", "2027-01-11 09:00:00"),
        ],
    );
}

/// F62, D4, R16: lunch is no closing; who writes then is registered at once.
#[test]
fn arrivals_during_lunch() {
    check_places(
        &office(),
        &[
            ("2026-05-14 12:29:59", "at once"),
            ("2026-05-14 12:30:00", "at once"),
            ("2026-05-14 13:29:59", "at once"),
            ("2026-05-14 13:30:00", "at once"),
        ],
    );
}

/// F62, R15: working time leaves out lunch, nights and days off, and Friday is shorter.
#[test]
fn working_time_excludes_lunch() {
    let office = office();
    let worked = |from, to| office.working_time(local(from), local(to)).num_minutes();
    assert_eq!(worked("2026-05-14 12:00:00", "2026-05-14 14:00:00"), 60);
    assert_eq!(worked("2026-05-14 12:30:00", "2026-05-14 13:30:00"), 0);
    assert_eq!(worked("2026-05-14 00:00:00", "2026-05-15 00:00:00"), 7 * 60);
    assert_eq!(worked("2026-05-15 00:00:00", "2026-05-16 00:00:00"), 6 * 60);
    assert_eq!(worked("2026-05-15 15:30:00", "2026-05-18 09:30:00"), 60);
    assert_eq!(
        worked("2026-05-18 00:00:00", "2026-05-25 00:00:00"),
        34 * 60
    );
    assert_eq!(worked("2026-05-18 12:00:00", "2026-05-18 11:00:00"), 0);
    let half = office.working_time(local("2026-05-14 16:59:59.5"), local("2026-05-15 08:00:00"));
    assert_eq!(half, TimeDelta::milliseconds(500));
}

/// F63, D4, R15: a shortened Friday closes at 15:00, moved days off are off, and a working Saturday has the hours of the day off instead of it.
#[test]
fn arrivals_around_moved_and_shortened_days() {
    check_places(
        &office(),
        &[
            ("2026-05-08 14:59:59", "at once"),
            ("2026-05-08 15:00:00", "2026-05-12 09:00:00"),
            ("2024-04-27 09:00:00", "at once"),
            ("2024-04-27 16:59:59", "at once"),
            ("2024-04-27 17:00:00", "2024-05-02 09:00:00"),
            ("2024-04-26 16:00:00", "2024-04-27 09:00:00"),
            ("2024-04-29 10:00:00", "2024-05-02 09:00:00"),
            ("2024-11-02 15:59:59", "at once"),
            ("2024-11-02 16:00:00", "2024-11-05 09:00:00"),
            ("2024-12-28 16:59:59", "at once"),
            ("2024-12-28 17:00:00", "2025-01-09 09:00:00"),
            ("2027-02-20 15:59:59", "at once"),
            ("2027-02-20 16:00:00", "2027-02-24 09:00:00"),
        ],
    );
}

/// F63, R15: own days win over the production calendar, and take from it what they leave open.
#[test]
fn own_days_win() {
    let working = |replaces, short| DayRule::Working { replaces, short };
    let own = office_with(&[
        ("2026-12-30", DayRule::Off),
        ("2026-12-31", working(None, false)),
        ("2026-05-08", working(None, false)),
        (
            "2026-05-07",
            DayRule::Hours(hours(&["14:00-15:00", "09:00-12:00"])),
        ),
        ("2026-05-16", working(None, false)),
        ("2026-05-17", working(Some(day("2026-05-19")), true)),
        ("2026-05-23", DayRule::Short),
        ("2026-01-09", DayRule::Short),
        ("2024-04-27", DayRule::Short),
        ("2027-02-20", working(None, false)),
        ("2020-04-01", working(None, false)),
    ]);
    let shown = |text| {
        let intervals = own.intervals(day(text));
        let texts: Vec<_> = intervals.iter().map(Interval::to_string).collect();
        texts.join(" ")
    };
    assert_eq!(shown("2026-12-30"), "");
    assert_eq!(shown("2026-12-31"), "09:00-12:30 13:30-17:00");
    assert_eq!(shown("2026-05-08"), "09:00-12:30 13:30-16:00");
    assert_eq!(shown("2026-05-07"), "09:00-12:00 14:00-15:00");
    // A Saturday that is worked instead of nobody knows what: as the Friday before.
    assert_eq!(shown("2026-05-16"), "09:00-12:30 13:30-16:00");
    assert_eq!(shown("2026-05-17"), "09:00-12:30 13:30-16:00");
    // Nothing to shorten.
    assert_eq!(shown("2026-05-23"), "");
    assert_eq!(shown("2026-01-09"), "09:00-12:30 13:30-15:00");
    // The Saturdays keep the hours of the Mondays that they replace.
    assert_eq!(shown("2024-04-27"), "09:00-12:30 13:30-16:00");
    assert_eq!(shown("2027-02-20"), "09:00-12:30 13:30-17:00");
    // A desk that worked on the non-working days of 2020.
    assert_eq!(shown("2020-04-01"), "09:00-12:30 13:30-17:00");
    assert_eq!(shown("2020-04-02"), "");
}

/// R15: a shortened day closes earlier by the clock, also where that reaches into lunch or beyond.
#[test]
fn shortened_days_close_earlier() {
    let closing = |texts: &[&str], by| {
        let short = shortened(hours(texts), by);
        let texts: Vec<_> = short.iter().map(Interval::to_string).collect();
        texts.join(" ")
    };
    assert_eq!(
        closing(&["09:00-12:30", "13:30-17:00"], 60),
        "09:00-12:30 13:30-16:00"
    );
    assert_eq!(closing(&["09:00-12:30", "13:30-14:00"], 60), "09:00-12:30");
    assert_eq!(closing(&["09:00-12:30", "12:45-13:00"], 60), "09:00-12:00");
    assert_eq!(closing(&["00:00-24:00"], 60), "00:00-23:00");
    assert_eq!(closing(&["09:00-10:00"], 60), "");
    assert_eq!(closing(&["00:10-00:30"], 60), "");
    assert_eq!(closing(&[], 60), "");
}

/// R15: hours are read strictly and written back the same.
#[test]
fn intervals_are_read_strictly() {
    for text in ["09:00-12:30", "00:00-24:00", "23:59-24:00", "00:00-00:01"] {
        assert_eq!(Interval::read(text).expect(text).to_string(), text);
    }
    assert_eq!(Interval::read("09:00-12:30"), Interval::new(540, 750));
    assert_eq!(Interval::read("00:00-24:00"), Interval::new(0, 1440));
    for text in [
        "",
        "-",
        "9:00-12:30",
        "09:00-9:30",
        "09:00 - 12:30",
        "09:00-12:60",
        "24:00-24:00",
        "09:00-24:01",
        "12:30-09:00",
        "09:00-09:00",
        "09.00-12.30",
        "09:00–12:30",
        "+9:00-12:30",
        "09:00-12:30-13:00",
        "٠٩:00-12:30",
        "25:00-26:00",
    ] {
        assert_eq!(Interval::read(text), None, "{text}");
    }
}

/// R15: stretches that touch or overlap are one, so nothing is counted twice.
#[test]
fn stretches_that_touch_are_one() {
    let day = day("2026-05-18");
    let joined = |texts: &[&str]| daily(Berlin, texts).intervals(day);
    assert_eq!(
        joined(&["12:00-17:00", "09:00-12:00"]),
        hours(&["09:00-17:00"])
    );
    assert_eq!(
        joined(&["09:00-15:00", "10:00-11:00", "14:00-17:00"]),
        hours(&["09:00-17:00"])
    );
    assert_eq!(joined(&["09:00-12:00", "12:01-17:00"]).len(), 2);
}

/// D2, R15: an opening or closing in the hour that Berlin skips on 29 March 2026 is the moment after it.
#[test]
fn clocks_are_put_forward() {
    let sunday = day("2026-03-29");
    let after_the_gap = utc("2026-03-29T03:00:00+02:00");
    assert_eq!(
        daily(Berlin, &["02:30-17:00"]).opening(sunday),
        Some(after_the_gap)
    );
    assert_eq!(
        daily(Berlin, &["02:00-17:00"]).opening(sunday),
        Some(after_the_gap)
    );
    assert_eq!(
        daily(Berlin, &["01:00-02:30"]).closing(sunday),
        Some(after_the_gap)
    );
    assert_eq!(
        daily(Berlin, &["01:00-03:00"]).closing(sunday),
        Some(after_the_gap)
    );
    let lost = daily(Berlin, &["02:15-02:45"]);
    assert_eq!(lost.opening(sunday), Some(after_the_gap));
    assert_eq!(lost.closing(sunday), Some(after_the_gap));
    let whole = daily(Berlin, &["00:00-24:00"]);
    let (start, end) = (
        utc("2026-03-29T00:00:00+01:00"),
        utc("2026-03-30T00:00:00+02:00"),
    );
    assert_eq!(whole.opening(sunday), Some(start));
    assert_eq!(whole.closing(sunday), Some(end));
    assert_eq!(whole.working_time(start, end), TimeDelta::hours(23));
    // In Havana midnight itself is skipped: Saturday ends and Sunday begins at 01:00.
    let (saturday, sunday) = (day("2026-03-07"), day("2026-03-08"));
    let havana = daily(Havana, &["00:00-24:00"]);
    assert_eq!(
        havana.closing(saturday),
        Some(utc("2026-03-08T01:00:00-04:00"))
    );
    assert_eq!(
        havana.opening(sunday),
        Some(utc("2026-03-08T01:00:00-04:00"))
    );
}

/// D2, R15: in the hour that Berlin has twice on 25 October 2026 an opening is the earlier, a closing the later; nothing is counted twice.
#[test]
fn clocks_are_put_back() {
    let sunday = day("2026-10-25");
    let (earlier, later) = (
        utc("2026-10-25T02:30:00+02:00"),
        utc("2026-10-25T02:30:00+01:00"),
    );
    assert_eq!(
        daily(Berlin, &["02:30-17:00"]).opening(sunday),
        Some(earlier)
    );
    assert_eq!(daily(Berlin, &["01:00-02:30"]).closing(sunday), Some(later));
    assert_eq!(
        daily(Berlin, &["01:00-03:00"]).closing(sunday),
        Some(utc("2026-10-25T03:00:00+01:00"))
    );
    let (start, end) = (
        utc("2026-10-25T00:00:00+02:00"),
        utc("2026-10-26T00:00:00+01:00"),
    );
    let whole = daily(Berlin, &["00:00-24:00"]);
    assert_eq!(whole.working_time(start, end), TimeDelta::hours(25));
    // By the clock the pause is from 02:15 to 02:45; the first stretch ends after the second has begun.
    let split = daily(Berlin, &["01:00-02:15", "02:45-04:00"]);
    assert_eq!(split.working_time(start, end), TimeDelta::hours(4));
    let night = daily(Berlin, &["01:00-02:30"]);
    let between = utc("2026-10-25T02:45:00+02:00");
    assert_eq!(
        night.place(between),
        Place {
            day: sunday,
            opens: between,
            queued: false
        }
    );
    assert_eq!(night.place(later).day, day("2026-10-26"));
}

/// D2: a day that ends at 24:00 ends where the next one begins, even if the clock goes back over midnight then.
#[test]
fn clocks_are_put_back_over_midnight() {
    // Havana, 1 November 2026: 01:00 becomes 00:00, so midnight comes twice.
    let (saturday, sunday) = (day("2026-10-31"), day("2026-11-01"));
    let first_midnight = utc("2026-11-01T00:00:00-04:00");
    let havana = daily(Havana, &["00:00-24:00"]);
    assert_eq!(havana.closing(saturday), Some(first_midnight));
    assert_eq!(havana.opening(sunday), Some(first_midnight));
    assert_eq!(havana.place(first_midnight).day, sunday);
    // Santiago, 4 April 2026: 24:00 becomes 23:00 of the same Saturday.
    let santiago = daily(Santiago, &["22:00-23:30"]);
    let closing = utc("2026-04-04T23:30:00-04:00");
    assert_eq!(santiago.closing(day("2026-04-04")), Some(closing));
    let first_time = utc("2026-04-04T23:45:00-03:00");
    assert!(!santiago.place(first_time).queued);
    // St. John's until 2011: a minute after midnight it was 23:01 of the day before. That Saturday is not over before its clock says so.
    let johns = daily(St_Johns, &["22:00-23:30"]);
    let sunday_for_a_minute = utc("2010-11-07T00:00:30-02:30");
    assert_eq!(johns.day_of(sunday_for_a_minute), day("2010-11-07"));
    assert_eq!(johns.place(sunday_for_a_minute).day, day("2010-11-06"));
    // From 00:00:30 to the second 23:30: thirty seconds, then from 23:01 on.
    let left = johns.working_time(sunday_for_a_minute, utc("2010-11-07T12:00:00-03:30"));
    assert_eq!(left, TimeDelta::seconds(30) + TimeDelta::minutes(29));
}

/// F67, R15: the desk's own zone decides what day and what time it is.
#[test]
fn zones() {
    let monday = day("2026-05-18");
    assert_eq!(office().opening(monday), Some(utc("2026-05-18T04:00:00Z")));
    assert_eq!(office().closing(monday), Some(utc("2026-05-18T12:00:00Z")));
    assert_eq!(office().day_of(utc("2026-05-17T19:00:00Z")), monday);
    let johns = daily(St_Johns, &["09:00-17:00"]);
    assert_eq!(johns.opening(monday), Some(utc("2026-05-18T11:30:00Z")));
    assert_eq!(
        johns.opening(day("2026-01-18")),
        Some(utc("2026-01-18T12:30:00Z"))
    );
    assert_eq!(johns.day_of(utc("2026-05-18T02:29:59Z")), day("2026-05-17"));
    assert_eq!(johns.day_of(utc("2026-05-18T02:30:00Z")), monday);
    assert_eq!(johns.zone(), St_Johns);
}

/// R19, F65: a span of working time given back ends at a closing, never at the opening after it.
#[test]
fn working_time_is_given_back() {
    let office = office();
    let after = |from, hours| office.after_working_time(local(from), TimeDelta::hours(hours));
    assert_eq!(
        after("2026-05-14 12:00:00", 1),
        local("2026-05-14 14:00:00")
    );
    assert_eq!(
        after("2026-05-14 14:00:00", 3),
        local("2026-05-14 17:00:00")
    );
    assert_eq!(
        after("2026-05-16 20:00:00", 3),
        local("2026-05-18 12:00:00")
    );
    assert_eq!(
        after("2026-05-08 14:00:00", 8),
        local("2026-05-12 17:00:00")
    );
    assert_eq!(
        after("2026-05-16 20:00:00", 0),
        local("2026-05-16 20:00:00")
    );
    assert_eq!(
        after("2026-05-16 20:00:00", -5),
        local("2026-05-16 20:00:00")
    );
}

/// F64, R18: working days are counted over weekends, holidays and working Saturdays.
#[test]
fn working_days_are_counted() {
    let office = office();
    let add = |from, count| office.add_working_days(day(from), count).to_string();
    assert_eq!(add("2026-05-18", 0), "2026-05-18");
    assert_eq!(add("2026-05-16", 0), "2026-05-16");
    assert_eq!(add("2026-05-18", 5), "2026-05-25");
    assert_eq!(add("2026-05-16", 1), "2026-05-18");
    assert_eq!(add("2026-05-07", 2), "2026-05-12");
    assert_eq!(add("2024-04-25", 3), "2024-05-02");
    assert_eq!(add("2026-12-30", 1), "2027-01-11");
    assert_eq!(add("2026-01-01", 247), "2026-12-30");
    assert!(office.works_within(day("2026-05-16"), 2));
    assert!(!office.works_within(day("2026-05-16"), 1));
    assert!(office.works_within(day("2026-05-18"), 0));
}

/// D8: a calendar without working days, which the configuration refuses, still gives answers, at once.
#[test]
fn never_working_is_no_endless_loop() {
    let never = Calendar::new(
        Berlin,
        Week::default(),
        BTreeMap::new(),
        BTreeMap::new(),
        60,
    );
    let friday = day("2026-05-15");
    let noon = utc("2026-05-15T12:00:00+02:00");
    assert_eq!(never.next_working_day(friday), day("2026-05-16"));
    assert_eq!(never.add_working_days(friday, 5), day("2026-05-20"));
    assert_eq!(never.add_working_days(friday, u32::MAX), NaiveDate::MAX);
    assert!(!never.works_within(friday, u32::MAX));
    let place = never.place(noon);
    assert_eq!(
        (place.day, place.opens, place.queued),
        (day("2026-05-16"), utc("2026-05-16T00:00:00+02:00"), true)
    );
    assert_eq!(
        never.working_time(noon, DateTime::<Utc>::MAX_UTC),
        TimeDelta::zero()
    );
    assert_eq!(
        never.after_working_time(noon, TimeDelta::hours(1)),
        utc("2026-05-15T13:00:00+02:00")
    );
}

/// Nothing here fails at the ends of time.
#[test]
fn ends_of_time() {
    for zone in [Berlin, Yekaterinburg, St_Johns] {
        let whole = daily(zone, &["00:00-24:00"]);
        for moment in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let place = whole.place(moment);
            whole.working_time(moment, moment);
            whole.after_working_time(moment, TimeDelta::MAX.min(TimeDelta::days(3)));
            for day in [place.day, NaiveDate::MIN, NaiveDate::MAX] {
                whole.next_working_day(day);
                whole.add_working_days(day, 3);
                whole.opening(day);
                whole.closing(day);
                whole.end_of_day(day);
            }
        }
    }
}

fn any_hours() -> impl Strategy<Value = Vec<Interval>> {
    let interval = (0_u16..1440, 1_u16..=1440)
        .prop_filter_map("backwards", |(start, end)| Interval::new(start, end));
    prop_oneof![
        2 => Just(Vec::new()),
        3 => Just(hours(&["09:00-12:30", "13:30-17:00"])),
        1 => Just(hours(&["00:00-24:00"])),
        4 => prop::collection::vec(interval, 1..4),
    ]
}

fn any_rule() -> impl Strategy<Value = DayRule> {
    prop_oneof![
        Just(DayRule::Off),
        Just(DayRule::Short),
        (prop::option::of(any_day()), any::<bool>())
            .prop_map(|(replaces, short)| DayRule::Working { replaces, short }),
        any_hours().prop_map(DayRule::Hours),
    ]
}

fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0_u64..730).prop_map(|after| day("2026-01-01") + Days::new(after))
}

/// Half of them in the days around which the clocks of the zones below change.
fn any_moment() -> impl Strategy<Value = DateTime<Utc>> {
    let anywhere = utc("2026-01-01T00:00:00Z").timestamp()..utc("2028-01-01T00:00:00Z").timestamp();
    let changes = prop::sample::select(vec![
        "2026-03-08",
        "2026-03-29",
        "2026-04-05",
        "2026-10-04",
        "2026-10-25",
        "2026-11-01",
    ]);
    let near = (changes, -86_400_i64..2 * 86_400)
        .prop_map(|(day, after)| utc(&format!("{day}T00:00:00Z")).timestamp() + after);
    prop_oneof![anywhere, near].prop_map(|second| DateTime::from_timestamp(second, 0).unwrap())
}

/// Calendars that a configuration accepts: some day of the week is worked.
fn any_calendar() -> impl Strategy<Value = Calendar> {
    let zone = prop::sample::select(vec![
        Yekaterinburg,
        Berlin,
        St_Johns,
        Havana,
        Santiago,
        Lord_Howe,
    ]);
    let week = prop::array::uniform7(any_hours()).prop_filter("never works", |week| {
        week.iter().any(|hours| !hours.is_empty())
    });
    let own = prop::collection::btree_map(any_day(), any_rule(), 0..40);
    (zone, week, any::<bool>(), own, 0_u16..200).prop_map(
        |(zone, week, russian, own, shorter_by)| {
            let production = if russian {
                russian_days()
            } else {
                BTreeMap::new()
            };
            Calendar::new(zone, week, production, own, shorter_by)
        },
    )
}

/// What `working_time` should say, minute by minute, where no clock changes.
fn counted_minutes(calendar: &Calendar, from: DateTime<Utc>, minutes: i64) -> i64 {
    let works = |moment: DateTime<Utc>| {
        let minute = moment
            .with_timezone(&calendar.zone)
            .num_seconds_from_midnight()
            / 60;
        calendar
            .intervals(calendar.day_of(moment))
            .iter()
            .any(|hours| (u32::from(hours.start)..u32::from(hours.end)).contains(&minute))
    };
    let all = (0..minutes).map(|minute| from + TimeDelta::minutes(minute));
    i64::try_from(all.filter(|moment| works(*moment)).count()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// F61, R16: the day of registration is a working day, registration is never before arrival and lies within the day's working span.
    #[test]
    fn places_are_within_working_days(calendar in any_calendar(), arrived in any_moment()) {
        let place = calendar.place(arrived);
        prop_assert!(calendar.is_working(place.day));
        prop_assert!(place.opens >= arrived);
        prop_assert_eq!(place.queued, place.opens > arrived);
        let (opening, closing) = (calendar.opening(place.day).unwrap(), calendar.closing(place.day).unwrap());
        // A day whose hours are all skipped by the clock opens and closes at one moment.
        prop_assert!(opening <= place.opens && (place.opens < closing || opening == closing));
        if place.queued {
            prop_assert_eq!(place.opens, opening);
        }
    }

    /// F61, R17, R18: who comes later is neither registered nor answered earlier.
    #[test]
    fn places_and_due_dates_keep_the_order_of_arrival(
        calendar in any_calendar(), arrived in any_moment(), later in 0_i64..400_000, days in 0_u32..12,
    ) {
        let first = calendar.place(arrived);
        let second = calendar.place(arrived + TimeDelta::seconds(later));
        prop_assert!(first.opens <= second.opens);
        prop_assert!(first.day <= second.day);
        let due = |place: Place| super::super::deadline::due(&calendar, place.day, days);
        prop_assert!(due(first) <= due(second));
        prop_assert!(days == 0 || due(first) > first.opens);
    }

    /// R19: working time split anywhere adds up.
    #[test]
    fn working_time_adds_up(calendar in any_calendar(), from in any_moment(), a in 0_i64..900_000, b in 0_i64..900_000) {
        let between = from + TimeDelta::seconds(a);
        let to = between + TimeDelta::seconds(b);
        let parts = calendar.working_time(from, between) + calendar.working_time(between, to);
        prop_assert_eq!(calendar.working_time(from, to), parts);
        prop_assert!(parts <= TimeDelta::seconds(a + b));
    }

    /// R19: giving back and measuring are each other's inverse.
    #[test]
    fn giving_back_is_the_inverse_of_measuring(calendar in any_calendar(), from in any_moment(), seconds in 0_i64..200_000) {
        let span = TimeDelta::seconds(seconds);
        let reached = calendar.after_working_time(from, span);
        prop_assert_eq!(calendar.working_time(from, reached), span);
        // The earliest such moment.
        let to = from + span;
        let measured = calendar.working_time(from, to);
        let back = calendar.after_working_time(from, measured);
        prop_assert!(back <= to);
        prop_assert_eq!(calendar.working_time(back, to), TimeDelta::zero());
    }

    /// F62: working time is what a clock on the wall would count.
    #[test]
    fn working_time_is_what_the_clock_counts(calendar in any_calendar(), from in any_moment(), minutes in 0_i64..4_000) {
        let calendar = Calendar { zone: Yekaterinburg, ..calendar };
        let from = from - TimeDelta::seconds(from.timestamp() % 60);
        let measured = calendar.working_time(from, from + TimeDelta::minutes(minutes));
        prop_assert_eq!(measured, TimeDelta::minutes(counted_minutes(&calendar, from, minutes)));
    }

    /// F64: the next working day is the first one, and counting is taking it again and again.
    #[test]
    fn counting_takes_the_next_day_again_and_again(calendar in any_calendar(), from in any_day(), count in 0_u32..12) {
        let next = calendar.next_working_day(from);
        prop_assert!(next > from && calendar.is_working(next));
        prop_assert!(from.iter_days().skip(1).take_while(|day| *day < next).all(|day| !calendar.is_working(day)));
        let reached = (0..count).fold(from, |day, _| calendar.next_working_day(day));
        prop_assert_eq!(calendar.add_working_days(from, count), reached);
    }

    /// R15: the stretches of a day are in order and apart, whatever order they were written in.
    #[test]
    fn stretches_are_in_order(calendar in any_calendar(), day in any_day()) {
        let intervals = calendar.intervals(day);
        prop_assert!(intervals.windows(2).all(|two| two[0].end < two[1].start));
    }
}
