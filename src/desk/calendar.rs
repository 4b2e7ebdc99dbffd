//! When the desk works (R15): hours, lunch, holidays, transferred and shortened days, in the desk's own zone; and what that makes of an arrival (R16).

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

/// A half-open stretch of a working day in minutes from midnight, local time: `start <= t < end`, `end` at most 1440 (24:00).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    start: u16,
    end: u16,
}

impl Interval {
    /// A stretch from `start` to `end`; none unless `start < end <= 1440`.
    pub fn new(start: u16, end: u16) -> Option<Self> {
        (start < end && end <= 1440).then_some(Self { start, end })
    }

    /// Reads `09:00-12:30`; `24:00` may end it.
    pub fn read(text: &str) -> Option<Self> {
        let _ = text;
        None
    }

    /// Minutes from midnight at which it begins.
    pub fn start(self) -> u16 {
        self.start
    }

    /// Minutes from midnight at which it is over.
    pub fn end(self) -> u16 {
        self.end
    }
}

/// What a calendar says of one day, against the ordinary week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayRule {
    /// A day off.
    Off,
    /// The day closes earlier.
    Short,
    /// A working day with the hours of the day it replaces, named by a weekday's date, or of the last working weekday before it.
    Working {
        /// The day whose hours it takes over, where it is known.
        replaces: Option<NaiveDate>,
        /// Whether it is shortened as well.
        short: bool,
    },
    /// A working day with hours of its own.
    Hours(Vec<Interval>),
}

/// Where R16 puts an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The working day of registration.
    pub day: NaiveDate,
    /// The moment of registration: the arrival itself within hours and lunch, else the opening.
    pub opens: DateTime<Utc>,
    /// Whether it waits for that opening.
    pub queued: bool,
}

/// The working time of one desk.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: Tz,
    week: [Vec<Interval>; 7],
    production: BTreeMap<NaiveDate, DayRule>,
    own: BTreeMap<NaiveDate, DayRule>,
    shorter_by: u16,
}

impl Calendar {
    /// A calendar in `zone` with the hours of each weekday from Monday on; `own` days win over the `production` calendar's;
    /// a shortened day closes `shorter_by` minutes earlier.
    pub fn new(
        zone: Tz,
        week: [Vec<Interval>; 7],
        production: BTreeMap<NaiveDate, DayRule>,
        own: BTreeMap<NaiveDate, DayRule>,
        shorter_by: u16,
    ) -> Self {
        Self {
            zone,
            week,
            production,
            own,
            shorter_by,
        }
    }

    /// The desk's zone.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The day of the desk's calendar on which a moment falls.
    pub fn day_of(&self, moment: DateTime<Utc>) -> NaiveDate {
        moment.with_timezone(&self.zone).date_naive()
    }

    /// The working stretches of a day, in order; empty on a day off.
    pub fn intervals(&self, day: NaiveDate) -> Vec<Interval> {
        let _ = (
            day,
            &self.week,
            &self.production,
            &self.own,
            self.shorter_by,
        );
        Vec::new()
    }

    /// Whether the desk works on this day at all.
    pub fn is_working(&self, day: NaiveDate) -> bool {
        !self.intervals(day).is_empty()
    }

    /// The moment the day's work begins; none on a day off.
    pub fn opening(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let _ = day;
        None
    }

    /// The moment the day's work is over; none on a day off.
    pub fn closing(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let _ = day;
        None
    }

    /// The first working day after `day`. A calendar without any within two years (the configuration refuses those) gives `day` + 1.
    pub fn next_working_day(&self, day: NaiveDate) -> NaiveDate {
        day
    }

    /// The `count`-th working day after `day`; `day` itself for 0.
    pub fn add_working_days(&self, day: NaiveDate, count: u32) -> NaiveDate {
        let _ = count;
        day
    }

    /// R16: where an arrival is registered.
    pub fn place(&self, arrived: DateTime<Utc>) -> Place {
        Place {
            day: self.day_of(arrived),
            opens: arrived,
            queued: false,
        }
    }

    /// The working time between two moments; zero if they are the wrong way round.
    pub fn working_time(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> TimeDelta {
        let _ = (from, to);
        TimeDelta::zero()
    }

    /// The moment by which `span` of working time has passed since `from` (R19).
    pub fn after_working_time(&self, from: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
        let _ = span;
        from
    }
}

/// The moment at which a day begins in a zone: midnight, or the first moment after a gap that swallows it.
pub fn midnight(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    use chrono::{NaiveTime, TimeZone};
    let naive = day.and_time(NaiveTime::MIN);
    let after_gap = naive
        .checked_add_signed(TimeDelta::hours(2))
        .unwrap_or(naive);
    zone.from_local_datetime(&naive)
        .earliest()
        .or_else(|| zone.from_local_datetime(&after_gap).earliest())
        .map_or(naive.and_utc(), |at| at.to_utc())
}
