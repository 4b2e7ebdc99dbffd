//! When the desk works: `[hours]`, `[calendar]` and `[calendar.days]` (R15).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::desk::calendar::{Calendar, DayRule, Interval};
use crate::desk::people::Locale;

use super::fault::Fault;
use super::nearest::nearest;
use super::production;
use super::section::{Section, quoted};
use super::source::{Place, Placed};
use super::tree::{Node, day};

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// Reads the working time; none without a zone.
pub fn calendar(root: &Section<'_>, zone: Option<Tz>, locale: Option<Locale>) -> Option<Calendar> {
    let week = week(root);
    let section = root.table("calendar", "[calendar]");
    let production = production::days(&section, locale);
    let shorter_by = section.number("shorter_by", 0..=720, 60);
    let days = section.table("days", "[calendar.days]");
    let own = own_days(&days);
    section.end();
    let shorter_by = u16::try_from(shorter_by.value).unwrap_or_default();
    Some(Calendar::new(zone?, week?, production?, own, shorter_by))
}

fn week(root: &Section<'_>) -> Option<[Vec<Interval>; 7]> {
    let section = root.table("hours", "[hours]");
    if !section.is_written() {
        let why = "without hours the desk never opens and nothing is ever due";
        section.missing("monday", why, "[\"09:00-12:30\", \"13:30-17:00\"]");
        for weekday in WEEKDAYS {
            section.has(weekday);
        }
        return None;
    }
    let before = section.reading().count();
    let week = WEEKDAYS.map(|weekday| {
        let texts = match section.has(weekday) {
            Some(_) => section.texts(weekday, &[]),
            None => Vec::new(),
        };
        intervals(&section, weekday, &texts)
    });
    if week.iter().all(Vec::is_empty) && section.reading().count() == before {
        section.reading().fault(
            Fault::error(section.at(), "the desk has no working day")
                .label("every day is off")
                .why("nothing would ever be registered or due")
                .todo("add monday = [\"09:00-12:30\", \"13:30-17:00\"], and so on"),
        );
    }
    section.end();
    Some(week)
}

/// Reads the stretches of one day and checks that they follow one another.
fn intervals(section: &Section<'_>, key: &str, texts: &[Placed<String>]) -> Vec<Interval> {
    let mut found: Vec<(Interval, Place)> = Vec::new();
    for text in texts {
        let Some(interval) = interval(section, key, text) else {
            continue;
        };
        if let Some((last, at)) = found.last().filter(|(l, _)| interval.start() < l.end()) {
            let what = if interval.end() <= last.start() {
                "are in the wrong order"
            } else {
                "overlap"
            };
            section.reading().fault(
                Fault::error(text.at, format!("the hours of `{key}` {what}"))
                    .label("this begins before")
                    .also(*at, "this is over")
                    .why("lunch is the gap between two stretches, so they must follow one another")
                    .todo("write them in the order of the day, such as [\"09:00-12:30\", \"13:30-17:00\"]"),
            );
            continue;
        }
        found.push((interval, text.at));
    }
    found.into_iter().map(|(interval, _)| interval).collect()
}

fn interval(section: &Section<'_>, key: &str, text: &Placed<String>) -> Option<Interval> {
    if let Some(interval) = Interval::read(&text.value) {
        return Some(interval);
    }
    let turned = text.value.split_once('-').map(|(a, b)| format!("{b}-{a}"));
    let fault = match turned.filter(|t| Interval::read(t).is_some()) {
        Some(turned) => Fault::error(text.at, format!("`{key}` ends before it begins"))
            .label(format!("did you mean \"{turned}\"?"))
            .why("a stretch lies within one day")
            .todo("work past midnight is two stretches: \"20:00-24:00\" and, the next day, \"00:00-04:00\""),
        None => Fault::error(text.at, format!("`{key}` is no stretch of a day"))
            .label("not HH:MM-HH:MM")
            .why("hours that are guessed would make wrong due dates")
            .todo("write \"09:00-12:30\"; the last one may end at \"24:00\""),
    };
    section.reading().fault(fault);
    None
}

fn own_days(section: &Section<'_>) -> BTreeMap<NaiveDate, DayRule> {
    let mut days = BTreeMap::new();
    for (key, at, node) in section.free_entries() {
        let Some(date) = day(key) else {
            section.reading().fault(
                Fault::error(at, format!("`{key}` is no day"))
                    .label("not YYYY-MM-DD")
                    .why("a day that is guessed would make wrong due dates")
                    .todo("write \"2026-12-30\" = \"off\""),
            );
            continue;
        };
        if let Some(rule) = day_rule(section, key, node) {
            days.insert(date, rule);
        }
    }
    days
}

fn day_rule(section: &Section<'_>, key: &str, node: &Node) -> Option<DayRule> {
    let reading = section.reading();
    if let Some(items) = node.value.list() {
        let texts: Vec<Placed<String>> = items
            .iter()
            .filter_map(|i| {
                let value = i.value.text()?.to_owned();
                Some(Placed { value, at: i.at })
            })
            .collect();
        let before = reading.count();
        let hours = intervals(section, key, &texts);
        if reading.count() > before {
            return None;
        }
        if texts.len() == items.len() && !hours.is_empty() {
            let shown: Vec<String> = texts.iter().map(|t| quoted(&t.value)).collect();
            section.note_at(&quoted(key), &format!("[{}]", shown.join(", ")), node.at);
            return Some(DayRule::Hours(hours));
        }
    }
    let word = node.value.text().unwrap_or_default();
    let rule = match word {
        "off" => DayRule::Off,
        "short" => DayRule::Short,
        "working" => DayRule::Working {
            replaces: None,
            short: false,
        },
        _ => {
            let label = match nearest(word, ["off", "short", "working"]) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "not what a day can be".to_owned(),
            };
            reading.fault(
                Fault::error(node.at, format!("`{key}` is neither off nor worked"))
                    .label(label)
                    .why("a day that is guessed would make wrong due dates")
                    .todo(
                        "write \"off\", \"short\", \"working\" or hours such as [\"09:00-12:00\"]",
                    ),
            );
            return None;
        }
    };
    section.note_at(&quoted(key), &quoted(word), node.at);
    Some(rule)
}
