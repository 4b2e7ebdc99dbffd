//! Days, moments, counts and sizes in words, Russian and English; the zone is said as a UTC offset, for readers elsewhere.

use chrono::{
    DateTime, Datelike, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;

use crate::desk::people::Locale;

/// The forms in which letters speak of one moment. Ordinary spaces that must not break are U+00A0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// «до понедельника 30 ноября 2026 г., 17:00», "by Monday 30 November 2026, 17:00".
    pub until: String,
    /// «в понедельник 30 ноября 2026 г. в 9:00», "on Monday 30 November 2026 at 9:00".
    pub at: String,
    /// «понедельник, 30 ноября 2026 г., 17:00», "Monday, 30 November 2026, 17:00".
    pub full: String,
    /// The same for the end of a span, which at midnight is 24:00 of the day before.
    pub end: String,
    /// «время екатеринбургское, UTC+5», "Yekaterinburg time, UTC+5".
    pub zone: String,
}

impl Moment {
    /// A moment as it is said in `zone`; none past the year 9999, where the calendar has no answer.
    pub fn new(locale: Locale, zone: Tz, moment: DateTime<Utc>) -> Option<Self> {
        let offset = zone.offset_from_utc_datetime(&moment.naive_utc()).fix();
        let seconds = offset.local_minus_utc();
        let local = moment
            .naive_utc()
            .checked_add_signed(TimeDelta::seconds(seconds.into()))?;
        if !(1..=9999).contains(&local.year()) {
            return None;
        }
        // A span that ends at midnight ends with the day before: «до 24:00», not «до вторника, 0:00».
        let (last_day, end) = match local.date().pred_opt() {
            Some(before) if local.num_seconds_from_midnight() == 0 => (before, "24:00".into()),
            _ => (local.date(), clock(local)),
        };
        let day = local.date();
        let time = clock(local);
        Some(match locale {
            Locale::Ru => Self {
                until: format!(
                    "до {} {}, {end}",
                    ru_weekday(last_day).1,
                    date(locale, last_day)
                ),
                at: format!("{} {} в\u{a0}{time}", ru_weekday(day).2, date(locale, day)),
                full: format!("{}, {}, {time}", ru_weekday(day).0, date(locale, day)),
                end: format!(
                    "{}, {}, {end}",
                    ru_weekday(last_day).0,
                    date(locale, last_day)
                ),
                zone: zone_name(locale, zone, seconds),
            },
            Locale::En => Self {
                until: format!(
                    "by {} {}, {end}",
                    en_weekday(last_day),
                    date(locale, last_day)
                ),
                at: format!(
                    "on {} {} at\u{a0}{time}",
                    en_weekday(day),
                    date(locale, day)
                ),
                full: format!("{}, {}, {time}", en_weekday(day), date(locale, day)),
                end: format!(
                    "{}, {}, {end}",
                    en_weekday(last_day),
                    date(locale, last_day)
                ),
                zone: zone_name(locale, zone, seconds),
            },
        })
    }
}

/// «понедельник, 30 ноября 2026 г.», "Monday, 30 November 2026".
pub fn day(locale: Locale, day: NaiveDate) -> String {
    let weekday = match locale {
        Locale::Ru => ru_weekday(day).0,
        Locale::En => en_weekday(day),
    };
    format!("{weekday}, {}", date(locale, day))
}

/// «5 рабочих дней», "5 working days".
pub fn working_days(locale: Locale, count: u32) -> String {
    let noun = match locale {
        Locale::Ru => ru_plural(count, "рабочий день", "рабочих дня", "рабочих дней"),
        Locale::En => en_plural(count, "working day", "working days"),
    };
    format!("{count}\u{a0}{noun}")
}

/// «5-й рабочий день», "5th working day".
pub fn nth_working_day(locale: Locale, count: u32) -> String {
    match locale {
        Locale::Ru => format!("{count}-й рабочий день"),
        Locale::En => {
            let ending = match (count % 10, count % 100) {
                (_, 11..=13) => "th",
                (1, _) => "st",
                (2, _) => "nd",
                (3, _) => "rd",
                _ => "th",
            };
            format!("{count}{ending} working day")
        }
    }
}

/// «3 рабочих дня 2 часа 15 минут», "3 working days 2 hours 15 minutes"; what is none is left out, and all of it is «0 минут».
pub fn working_time(locale: Locale, days: u32, minutes: u32) -> String {
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let hour = match locale {
        Locale::Ru => ru_plural(hours, "час", "часа", "часов"),
        Locale::En => en_plural(hours, "hour", "hours"),
    };
    let minute = match locale {
        Locale::Ru => ru_plural(minutes, "минута", "минуты", "минут"),
        Locale::En => en_plural(minutes, "minute", "minutes"),
    };
    let mut said = Vec::new();
    if days > 0 {
        said.push(working_days(locale, days));
    }
    if hours > 0 {
        said.push(format!("{hours}\u{a0}{hour}"));
    }
    if minutes > 0 || (days == 0 && hours == 0) {
        said.push(format!("{minutes}\u{a0}{minute}"));
    }
    said.join("\u{a0}")
}

/// «25 МБ», "25 MB": the largest unit that leaves at least one, rounded down so that the limit is not overstated.
pub fn size(locale: Locale, octets: u64) -> String {
    let (units, comma) = match locale {
        Locale::Ru => (["байт", "КБ", "МБ", "ГБ"], ','),
        Locale::En => (["bytes", "KB", "MB", "GB"], '.'),
    };
    let mut divisor: u64 = 1;
    let mut unit = units[0];
    for larger in units.into_iter().skip(1) {
        let Some(next) = divisor.checked_mul(1024).filter(|next| octets >= *next) else {
            break;
        };
        (divisor, unit) = (next, larger);
    }
    let whole = octets.checked_div(divisor).unwrap_or(0);
    let rest = octets.checked_rem(divisor).unwrap_or(0);
    let tenth = rest.saturating_mul(10).checked_div(divisor).unwrap_or(0);
    if tenth == 0 {
        format!("{whole}\u{a0}{unit}")
    } else {
        format!("{whole}{comma}{tenth}\u{a0}{unit}")
    }
}

/// CLDR's cardinal plural of Russian for whole numbers: one (1, 21), few (2–4, 22), many (0, 5–20, 11–14).
pub fn ru_plural<'a>(count: u32, one: &'a str, few: &'a str, many: &'a str) -> &'a str {
    match (count % 10, count % 100) {
        (_, 11..=14) => many,
        (1, _) => one,
        (2..=4, _) => few,
        _ => many,
    }
}

/// CLDR's cardinal plural of English for whole numbers.
pub fn en_plural<'a>(count: u32, one: &'a str, other: &'a str) -> &'a str {
    if count == 1 { one } else { other }
}

fn clock(local: NaiveDateTime) -> String {
    format!("{}:{:02}", local.hour(), local.minute())
}

fn date(locale: Locale, day: NaiveDate) -> String {
    let month = usize::try_from(day.month0()).unwrap_or(0);
    let (names, ending) = match locale {
        Locale::Ru => (RU_MONTHS, "\u{a0}г."),
        Locale::En => (EN_MONTHS, ""),
    };
    let month = names.get(month).copied().unwrap_or("");
    format!("{}\u{a0}{month} {}{ending}", day.day(), day.year())
}

const RU_MONTHS: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];

const EN_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Nominative, genitive («до …»), accusative with its preposition.
fn ru_weekday(day: NaiveDate) -> (&'static str, &'static str, &'static str) {
    match day.weekday() {
        chrono::Weekday::Mon => ("понедельник", "понедельника", "в понедельник"),
        chrono::Weekday::Tue => ("вторник", "вторника", "во вторник"),
        chrono::Weekday::Wed => ("среда", "среды", "в среду"),
        chrono::Weekday::Thu => ("четверг", "четверга", "в четверг"),
        chrono::Weekday::Fri => ("пятница", "пятницы", "в пятницу"),
        chrono::Weekday::Sat => ("суббота", "субботы", "в субботу"),
        chrono::Weekday::Sun => ("воскресенье", "воскресенья", "в воскресенье"),
    }
}

fn en_weekday(day: NaiveDate) -> &'static str {
    match day.weekday() {
        chrono::Weekday::Mon => "Monday",
        chrono::Weekday::Tue => "Tuesday",
        chrono::Weekday::Wed => "Wednesday",
        chrono::Weekday::Thu => "Thursday",
        chrono::Weekday::Fri => "Friday",
        chrono::Weekday::Sat => "Saturday",
        chrono::Weekday::Sun => "Sunday",
    }
}

fn zone_name(locale: Locale, zone: Tz, seconds: i32) -> String {
    let offset = utc_offset(seconds);
    match locale {
        Locale::Ru => match ru_zone(zone.name()) {
            Some(name) => format!("время {name}, {offset}"),
            None => format!("время {offset}"),
        },
        Locale::En => match zone.name().rsplit_once('/') {
            Some((area, city)) if area != "Etc" => {
                format!("{} time, {offset}", city.replace('_', " "))
            }
            _ => offset,
        },
    }
}

fn utc_offset(seconds: i32) -> String {
    let minutes = seconds.unsigned_abs() / 60;
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let sign = if seconds < 0 { '−' } else { '+' };
    match (hours, minutes) {
        (0, 0) => "UTC".to_owned(),
        (_, 0) => format!("UTC{sign}{hours}"),
        _ => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

/// What people in Russia call the time of their zone; other zones are named by offset alone, which everybody understands.
fn ru_zone(name: &str) -> Option<&'static str> {
    Some(match name {
        "Europe/Kaliningrad" => "калининградское",
        "Europe/Moscow" | "Europe/Kirov" | "Europe/Simferopol" | "Europe/Volgograd" | "W-SU" => {
            "московское"
        }
        "Europe/Samara" => "самарское",
        "Europe/Saratov" => "саратовское",
        "Europe/Ulyanovsk" => "ульяновское",
        "Europe/Astrakhan" => "астраханское",
        "Asia/Yekaterinburg" => "екатеринбургское",
        "Asia/Omsk" => "омское",
        "Asia/Novosibirsk" => "новосибирское",
        "Asia/Barnaul" => "барнаульское",
        "Asia/Tomsk" => "томское",
        "Asia/Novokuznetsk" => "новокузнецкое",
        "Asia/Krasnoyarsk" => "красноярское",
        "Asia/Irkutsk" => "иркутское",
        "Asia/Chita" => "читинское",
        "Asia/Yakutsk" => "якутское",
        "Asia/Vladivostok" => "владивостокское",
        "Asia/Magadan" => "магаданское",
        "Asia/Sakhalin" => "сахалинское",
        "Asia/Srednekolymsk" => "среднеколымское",
        "Asia/Kamchatka" => "камчатское",
        "Asia/Anadyr" => "анадырское",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn said(locale: Locale, zone: Tz, moment: &str) -> Moment {
        let moment = DateTime::parse_from_rfc3339(moment).unwrap().to_utc();
        let m = Moment::new(locale, zone, moment).unwrap();
        Moment {
            until: m.until.replace('\u{a0}', " "),
            at: m.at.replace('\u{a0}', " "),
            full: m.full.replace('\u{a0}', " "),
            end: m.end.replace('\u{a0}', " "),
            zone: m.zone,
        }
    }

    #[test]
    fn a_moment_is_said_in_the_zone_of_the_desk() {
        let m = said(Locale::Ru, Tz::Asia__Yekaterinburg, "2026-11-30T12:00:00Z");
        assert_eq!(m.until, "до понедельника 30 ноября 2026 г., 17:00");
        assert_eq!(m.at, "в понедельник 30 ноября 2026 г. в 17:00");
        assert_eq!(m.full, "понедельник, 30 ноября 2026 г., 17:00");
        assert_eq!(m.zone, "время екатеринбургское, UTC+5");
        let m = said(Locale::En, Tz::Europe__Berlin, "2026-07-14T07:00:00Z");
        assert_eq!(m.until, "by Tuesday 14 July 2026, 9:00");
        assert_eq!(m.at, "on Tuesday 14 July 2026 at 9:00");
        assert_eq!(m.zone, "Berlin time, UTC+2");
        let m = said(Locale::Ru, Tz::Europe__Berlin, "2026-12-01T07:00:00Z");
        assert_eq!(m.at, "во вторник 1 декабря 2026 г. в 8:00");
        assert_eq!(m.zone, "время UTC+1");
        assert_eq!(
            said(Locale::En, Tz::Asia__Kolkata, "2026-12-01T07:00:00Z").zone,
            "Kolkata time, UTC+5:30"
        );
        assert_eq!(
            said(Locale::En, Tz::America__St_Johns, "2026-12-01T07:00:00Z").zone,
            "St Johns time, UTC−3:30"
        );
        assert_eq!(
            said(Locale::En, Tz::UTC, "2026-12-01T07:00:00Z").zone,
            "UTC"
        );
    }

    #[test]
    fn what_ends_at_midnight_ends_with_the_day_before() {
        let m = said(Locale::Ru, Tz::Europe__Moscow, "2026-11-30T21:00:00Z");
        assert_eq!(m.until, "до понедельника 30 ноября 2026 г., 24:00");
        assert_eq!(m.at, "во вторник 1 декабря 2026 г. в 0:00");
    }

    #[test]
    fn a_moment_beyond_the_calendar_is_not_said() {
        for moment in [DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC] {
            assert_eq!(Moment::new(Locale::Ru, Tz::Asia__Kamchatka, moment), None);
            assert_eq!(
                Moment::new(Locale::En, Tz::Pacific__Pago_Pago, moment),
                None
            );
        }
    }

    #[test]
    fn counted_days_are_in_the_right_plural() {
        let ru = |n| working_days(Locale::Ru, n).replace('\u{a0}', " ");
        for (count, words) in [
            (0, "0 рабочих дней"),
            (1, "1 рабочий день"),
            (2, "2 рабочих дня"),
            (4, "4 рабочих дня"),
            (5, "5 рабочих дней"),
            (11, "11 рабочих дней"),
            (12, "12 рабочих дней"),
            (14, "14 рабочих дней"),
            (20, "20 рабочих дней"),
            (21, "21 рабочий день"),
            (22, "22 рабочих дня"),
            (25, "25 рабочих дней"),
            (111, "111 рабочих дней"),
            (121, "121 рабочий день"),
        ] {
            assert_eq!(ru(count), words);
        }
        let en = |n| working_days(Locale::En, n).replace('\u{a0}', " ");
        assert_eq!(
            (en(1), en(2)),
            ("1 working day".into(), "2 working days".into())
        );
        for (count, words) in [
            (1, "1st"),
            (2, "2nd"),
            (3, "3rd"),
            (4, "4th"),
            (11, "11th"),
            (13, "13th"),
            (21, "21st"),
            (112, "112th"),
        ] {
            assert_eq!(
                nth_working_day(Locale::En, count),
                format!("{words} working day")
            );
        }
    }

    #[test]
    fn a_limit_is_not_overstated() {
        let ru = |n| size(Locale::Ru, n).replace('\u{a0}', " ");
        assert_eq!(ru(25 * 1024 * 1024), "25 МБ");
        assert_eq!(ru(26_738_688), "25,5 МБ");
        assert_eq!(ru(26_738_687), "25,4 МБ");
        assert_eq!(ru(512), "512 байт");
        assert_eq!(
            size(Locale::En, u64::MAX).replace('\u{a0}', " "),
            "17179869183.9 GB"
        );
    }
}
