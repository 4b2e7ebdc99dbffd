//! When the desk works (R15): hours, lunch, holidays, transferred and shortened days, in the desk's own zone; and what that makes of an arrival (R16).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::iter;

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset,
    TimeDelta, TimeZone, Utc,
};
use chrono_tz::{GapInfo, Tz};

/// How far a working day is looked for: two years. The configuration refuses calendars with far shorter holes, so this only bounds the work.
const SEARCH_DAYS: usize = 731;

/// Minutes in a day of the wall clock: 24:00.
const MIDNIGHT: u16 = 1440;

/// A half-open stretch of a working day in minutes from midnight, local time: `start <= t < end`, `end` at most 1440 (24:00).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    start: u16,
    end: u16,
}

impl Interval {
    /// A stretch from `start` to `end`; none unless `start < end <= 1440`.
    pub fn new(start: u16, end: u16) -> Option<Self> {
        (start < end && end <= MIDNIGHT).then_some(Self { start, end })
    }

    /// Reads `09:00-12:30`: two digits each, no spaces; `24:00` may end it, nothing else may be past `23:59`.
    pub fn read(text: &str) -> Option<Self> {
        let (start, end) = text.split_once('-')?;
        let end = match end {
            "24:00" => MIDNIGHT,
            _ => minute_of(end)?,
        };
        Self::new(minute_of(start)?, end)
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

/// As it is read: `09:00-12:30`.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |minute: u16| (minute.div_euclid(60), minute.rem_euclid(60));
        let ((h1, m1), (h2, m2)) = (clock(self.start), clock(self.end));
        write!(f, "{h1:02}:{m1:02}-{h2:02}:{m2:02}")
    }
}

/// Minutes from midnight of `09:05`; none for anything but a time of the clock.
fn minute_of(text: &str) -> Option<u16> {
    let &[h1, h2, b':', m1, m2] = text.as_bytes() else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(10);
    let number = |tens: u8, ones: u8| digit(tens)?.checked_mul(10)?.checked_add(digit(ones)?);
    let (hour, minute) = (number(h1, h2)?, number(m1, m2)?);
    if hour > 23 || minute > 59 {
        return None;
    }
    u16::try_from(hour.checked_mul(60)?.checked_add(minute)?).ok()
}

/// What a calendar says of one day, against the ordinary week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayRule {
    /// A day off.
    Off,
    /// The day closes earlier than it would otherwise.
    Short,
    /// A working day with the hours that the ordinary week gives to the day it replaces; where that is unknown or has none, to its own weekday,
    /// or else to the last weekday before it that has any.
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
    week: Week,
    /// The hours of every day that a calendar speaks of, worked out once: they are asked for all the time.
    special: BTreeMap<NaiveDate, Vec<Interval>>,
}

/// The hours of each weekday from Monday on, in order and apart.
type Week = [Vec<Interval>; 7];

/// Which side of a stretch a time of the wall clock is; they differ where the clock is set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Opening,
    Closing,
}

impl Calendar {
    /// A calendar in `zone` with the hours of each weekday from Monday on; `own` days win over the `production` calendar's;
    /// a shortened day closes `shorter_by` minutes earlier.
    ///
    /// An own day that is only `Short`, or `Working` without the day it replaces, keeps what the production calendar knows of that day's hours.
    pub fn new(
        zone: Tz,
        week: [Vec<Interval>; 7],
        production: BTreeMap<NaiveDate, DayRule>,
        own: BTreeMap<NaiveDate, DayRule>,
        shorter_by: u16,
    ) -> Self {
        let week = week.map(in_order);
        let days: BTreeSet<NaiveDate> = production.keys().chain(own.keys()).copied().collect();
        let special = days
            .into_iter()
            .map(|day| {
                let (own, production) = (own.get(&day), production.get(&day));
                (day, hours_by_rules(&week, day, own, production, shorter_by))
            })
            .collect();
        Self {
            zone,
            week,
            special,
        }
    }

    /// The hours of each weekday, from Monday on.
    pub fn week(&self) -> &[Vec<Interval>; 7] {
        &self.week
    }

    /// The desk's zone.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The day of the desk's calendar on which a moment falls.
    pub fn day_of(&self, moment: DateTime<Utc>) -> NaiveDate {
        let utc = moment.naive_utc();
        let offset = self.zone.offset_from_utc_datetime(&utc).fix();
        // `DateTime::date_naive` panics in the last hours that chrono knows.
        utc.checked_add_offset(offset).unwrap_or(utc).date()
    }

    /// The working stretches of a day, in order and apart; empty on a day off.
    pub fn intervals(&self, day: NaiveDate) -> Vec<Interval> {
        self.hours(day).to_vec()
    }

    /// Whether the desk works on this day at all.
    pub fn is_working(&self, day: NaiveDate) -> bool {
        !self.hours(day).is_empty()
    }

    /// Whether there is a working day among `day` and the `days` after it, looking no further than two years (a calendar without any is a mistake of
    /// the configuration).
    pub fn works_within(&self, day: NaiveDate, days: u32) -> bool {
        let days = usize::try_from(days).map_or(SEARCH_DAYS, |days| days.min(SEARCH_DAYS));
        self.is_working(day)
            || day
                .iter_days()
                .skip(1)
                .take(days)
                .any(|d| self.is_working(d))
    }

    /// The moment the day's work begins; none on a day off.
    ///
    /// An opening that the clock skips (summer time begins) is the first moment after the gap, one that comes twice is the earlier.
    pub fn opening(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let first = self.hours(day).first()?;
        Some(self.moment(day, first.start, Edge::Opening))
    }

    /// The moment the day's work is over; none on a day off. It is the first one that no longer belongs to the day (half-open).
    ///
    /// A closing that the clock skips is the first moment after the gap, one that comes twice is the later; 24:00 is where the next day begins.
    pub fn closing(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let last = self.hours(day).last()?;
        Some(self.moment(day, last.end, Edge::Closing))
    }

    /// The moment a day begins: midnight, or the first moment after a gap that swallows it.
    pub fn start_of_day(&self, day: NaiveDate) -> DateTime<Utc> {
        self.moment(day, 0, Edge::Opening)
    }

    /// The first moment of the day after `day`.
    pub fn end_of_day(&self, day: NaiveDate) -> DateTime<Utc> {
        self.moment(day, MIDNIGHT, Edge::Closing)
    }

    /// The first working day after `day`. A calendar without any within two years (the configuration refuses those) gives `day` + 1.
    pub fn next_working_day(&self, day: NaiveDate) -> NaiveDate {
        self.working_day_after(day)
            .unwrap_or_else(|| day.succ_opt().unwrap_or(day))
    }

    /// The `count`-th working day before `day`; `day` itself for 0. Where no working day lies within two years before, every day counts.
    pub fn working_days_before(&self, day: NaiveDate, count: u32) -> NaiveDate {
        (0..count).fold(day, |reached, _| {
            let days = iter::successors(reached.pred_opt(), NaiveDate::pred_opt);
            days.take(SEARCH_DAYS)
                .find(|&day| self.is_working(day))
                .or_else(|| reached.pred_opt())
                .unwrap_or(reached)
        })
    }

    /// The `count`-th working day after `day`; `day` itself for 0. Where no working day follows within two years, every day counts from there on.
    pub fn add_working_days(&self, day: NaiveDate, count: u32) -> NaiveDate {
        let mut reached = day;
        for counted in 0..count {
            let Some(next) = self.working_day_after(reached) else {
                let left = count.saturating_sub(counted);
                return reached
                    .checked_add_days(Days::new(u64::from(left)))
                    .unwrap_or(NaiveDate::MAX);
            };
            reached = next;
        }
        reached
    }

    /// R16: where an arrival is registered: on the first working day whose closing is still to come.
    pub fn place(&self, arrived: DateTime<Utc>) -> Place {
        let today = self.day_of(arrived);
        // Yesterday's closing can be still to come in a night in which the clock is set back over midnight.
        let yesterday = today.pred_opt().unwrap_or(today);
        let day = [yesterday, today]
            .into_iter()
            .find(|&day| self.closing(day).is_some_and(|closing| arrived < closing))
            .unwrap_or_else(|| self.next_working_day(today));
        let opening = self
            .opening(day)
            .unwrap_or_else(|| self.moment(day, 0, Edge::Opening));
        Place {
            day,
            opens: opening.max(arrived),
            queued: opening > arrived,
        }
    }

    /// The working time between two moments; zero if they are the wrong way round.
    pub fn working_time(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> TimeDelta {
        self.stretches_from(from)
            .take_while(|(start, _)| *start < to)
            .fold(TimeDelta::zero(), |sum, (start, end)| {
                let worked = end.min(to).signed_duration_since(start);
                sum.checked_add(&worked).unwrap_or(TimeDelta::MAX)
            })
    }

    /// The moment by which `span` of working time has passed since `from` (R19): the earliest one, so a closing and not the opening after it;
    /// `from` itself for a span that is zero or negative. Where no working day follows within two years the rest of the span counts without a break.
    pub fn after_working_time(&self, from: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
        let mut left = span.max(TimeDelta::zero());
        let mut reached = from;
        if left.is_zero() {
            return from;
        }
        for (start, end) in self.stretches_from(from) {
            let worked = end.signed_duration_since(start);
            if left <= worked {
                reached = start;
                break;
            }
            left = left.checked_sub(&worked).unwrap_or(TimeDelta::zero());
            reached = end;
        }
        reached
            .checked_add_signed(left)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn hours(&self, day: NaiveDate) -> &[Interval] {
        match self.special.get(&day) {
            Some(hours) => hours,
            None => weekday_hours(&self.week, day),
        }
    }

    fn working_day_after(&self, day: NaiveDate) -> Option<NaiveDate> {
        day.iter_days()
            .skip(1)
            .take(SEARCH_DAYS)
            .find(|&day| self.is_working(day))
    }

    /// Every working stretch from `from` on, in order and apart, as moments: what two stretches of the wall clock share in the night
    /// in which the clock is set back is counted once.
    fn stretches_from(
        &self,
        from: DateTime<Utc>,
    ) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        let before = self.day_of(from);
        // Yesterday may still be open (see `place`), so the search begins after the day before it.
        let before = before.checked_sub_days(Days::new(2)).unwrap_or(before);
        let days = iter::successors(self.working_day_after(before), |&day| {
            self.working_day_after(day)
        });
        days.flat_map(|day| self.hours(day).iter().map(move |stretch| (day, *stretch)))
            .map(|(day, stretch)| {
                (
                    self.moment(day, stretch.start, Edge::Opening),
                    self.moment(day, stretch.end, Edge::Closing),
                )
            })
            .scan(from, |counted, (start, end)| {
                let start = start.max(*counted);
                *counted = end.max(start);
                Some((start, *counted))
            })
            .filter(|(start, end)| start < end)
    }

    /// The moment of a time of the wall clock, `minute` from midnight of `day`.
    fn moment(&self, day: NaiveDate, minute: u16, edge: Edge) -> DateTime<Utc> {
        let local = day
            .and_time(NaiveTime::MIN)
            .checked_add_signed(TimeDelta::minutes(i64::from(minute)))
            .unwrap_or(NaiveDateTime::MAX);
        match self.zone.from_local_datetime(&local) {
            MappedLocalTime::Single(moment) => moment.to_utc(),
            // A day ends where the next one begins, even if its midnight comes again an hour later (Havana).
            MappedLocalTime::Ambiguous(one, other)
                if edge == Edge::Opening || minute == MIDNIGHT =>
            {
                one.min(other).to_utc()
            }
            MappedLocalTime::Ambiguous(one, other) => one.max(other).to_utc(),
            MappedLocalTime::None => GapInfo::new(&local, &self.zone)
                .and_then(|gap| gap.end)
                .map_or_else(|| local.and_utc(), |after| after.to_utc()),
        }
    }
}

/// What the ordinary week gives to a day.
fn weekday_hours(week: &Week, day: NaiveDate) -> &[Interval] {
    let index = usize::try_from(day.weekday().num_days_from_monday()).unwrap_or(0);
    week.get(index).map_or(&[], Vec::as_slice)
}

/// The hours of a day that one calendar or both speak of.
fn hours_by_rules(
    week: &Week,
    day: NaiveDate,
    own: Option<&DayRule>,
    production: Option<&DayRule>,
    shorter_by: u16,
) -> Vec<Interval> {
    let known = match production {
        Some(DayRule::Working { replaces, .. }) => *replaces,
        Some(DayRule::Off | DayRule::Short | DayRule::Hours(_)) | None => None,
    };
    let (hours, short) = match own.or(production) {
        None => (weekday_hours(week, day).to_vec(), false),
        Some(DayRule::Off) => (Vec::new(), false),
        Some(DayRule::Hours(hours)) => (in_order(hours.clone()), false),
        Some(DayRule::Working { replaces, short }) => {
            (working_hours(week, day, replaces.or(known)), *short)
        }
        Some(DayRule::Short) => {
            let hours = match production {
                Some(DayRule::Working { replaces, .. }) => working_hours(week, day, *replaces),
                Some(DayRule::Hours(hours)) => in_order(hours.clone()),
                Some(DayRule::Off | DayRule::Short) | None => weekday_hours(week, day).to_vec(),
            };
            (hours, true)
        }
    };
    if short {
        shortened(hours, shorter_by)
    } else {
        hours
    }
}

/// The hours of a day off that is worked.
fn working_hours(week: &Week, day: NaiveDate, replaces: Option<NaiveDate>) -> Vec<Interval> {
    let week_back = iter::successors(Some(day), |day| day.pred_opt()).take(7);
    replaces
        .into_iter()
        .chain(week_back)
        .map(|day| weekday_hours(week, day))
        .find(|hours| !hours.is_empty())
        .unwrap_or_default()
        .to_vec()
}

/// The same day, closing `by` minutes earlier: the clock decides, so a stretch after the new closing falls away and the one before may be cut.
fn shortened(hours: Vec<Interval>, by: u16) -> Vec<Interval> {
    let closing = hours.last().map_or(0, |last| last.end.saturating_sub(by));
    hours
        .into_iter()
        .filter_map(|stretch| Interval::new(stretch.start, stretch.end.min(closing)))
        .collect()
}

/// Sorts the stretches of a day and joins those that touch or overlap.
fn in_order(mut hours: Vec<Interval>) -> Vec<Interval> {
    hours.sort_unstable();
    hours.dedup_by(|later, earlier| {
        let joined = later.start <= earlier.end;
        if joined {
            earlier.end = earlier.end.max(later.end);
        }
        joined
    });
    hours
}

#[cfg(test)]
mod tests;
