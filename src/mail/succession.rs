//! What a wording may name of a change of representative (R28-R32), in the words of the reader's language.

use chrono::{DateTime, NaiveDate, Utc};
use minijinja::Value;

use super::clean;
use super::russian;
use super::vocabulary::{status, theme};
use crate::desk::notice::Tells;
use crate::desk::people::Locale;
use crate::desk::succession::told::{Earlier, Succession};

/// Characters of one sentence.
const SENTENCE: usize = 1_000;
/// Characters of what a successor is to read.
const MATERIALS: usize = 20_000;

/// The names that these letters have beside the others.
pub(super) const NAMES: [(&str, &[&str]); 13] = [
    ("succession_said", &[]),
    ("succession_facts", &[]),
    ("succession_missing", &[]),
    ("letter_form", &[]),
    ("scan_elsewhere", &[]),
    ("original_due", &["until", "at", "full", "end"]),
    ("original_late", &[]),
    ("from_day", &[]),
    ("follows", &[]),
    ("successor_name", &[]),
    ("materials", &[]),
    ("past", &[]),
    ("past_more", &[]),
];

/// The values of these names; `moment` shows a moment.
pub(super) fn values(
    locale: Locale,
    tells: &Tells,
    moment: impl Fn(Option<DateTime<Utc>>) -> Value,
) -> Vec<(&'static str, Value)> {
    let nothing = Succession::default();
    let told = tells.succession.as_deref().unwrap_or(&nothing);
    let none = || Value::from(());
    let text = |text: Option<&String>, most| {
        let shown = text.map(|t| clean::line(t, most)).filter(|t| !t.is_empty());
        shown.map_or_else(none, Value::from)
    };
    let said = |all: &[String]| -> Value {
        all.iter()
            .map(|one| Value::from(clean::line(&sentence(locale, one), SENTENCE)))
            .collect()
    };
    let materials = told.materials.as_deref().unwrap_or_default();
    let (materials, _) = clean::lines(materials, MATERIALS);
    vec![
        ("succession_said", said(&told.said)),
        ("succession_facts", said(&told.facts)),
        ("succession_missing", said(&told.missing)),
        (
            "letter_form",
            if told.letter.is_empty() {
                none()
            } else {
                Value::from(told.letter)
            },
        ),
        ("scan_elsewhere", Value::from(told.elsewhere)),
        ("original_due", moment(told.original)),
        ("original_late", Value::from(told.late)),
        (
            "from_day",
            told.from.map_or_else(none, |d| Value::from(day(locale, d))),
        ),
        ("follows", Value::from(told.follows)),
        ("successor_name", text(told.successor.as_ref(), 200)),
        (
            "materials",
            if materials.is_empty() {
                none()
            } else {
                Value::from(materials)
            },
        ),
        (
            "past",
            told.past
                .iter()
                .map(|one| Value::from(past(locale, one)))
                .collect(),
        ),
        ("past_more", Value::from(told.past_more)),
    ]
}

fn sentence(locale: Locale, english: &str) -> String {
    match locale {
        Locale::Ru => russian::said(english).unwrap_or_else(|| english.to_owned()),
        Locale::En => english.to_owned(),
    }
}

/// A day behind a word such as "from", which asks for another case of its name in Russian.
fn day(locale: Locale, day: NaiveDate) -> String {
    let form = match locale {
        Locale::Ru => "%d.%m.%Y",
        Locale::En => "%-d %B %Y",
    };
    day.format(form).to_string()
}

/// One request of a predecessor, on a line: number, day, subject, status.
fn past(locale: Locale, one: &Earlier) -> String {
    let number = one.number.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let day = one.arrived.format("%d.%m.%Y");
    let (sign, open, close) = match locale {
        Locale::Ru => ("№", "«", "»"),
        Locale::En => ("No.", "“", "”"),
    };
    let subject = theme(locale, &one.subject);
    let status = status(locale, one.status);
    format!("{sign} {number}, {day}: {open}{subject}{close}, {status}")
}
