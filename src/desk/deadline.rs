//! When answers are due and when held orders lapse (R10, R18): by closing on the n-th working day after a day.

use chrono::{DateTime, NaiveDate, Utc};

use super::calendar::Calendar;

/// R18, R10: closing on the `working_days`-th working day after `day`.
pub fn due(calendar: &Calendar, day: NaiveDate, working_days: u32) -> DateTime<Utc> {
    let last = calendar.add_working_days(day, working_days);
    calendar.closing(last).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
