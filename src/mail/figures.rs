//! The figures behind a due moment, lists of requests and the desk's rules, as values that a wording may name.

use std::collections::BTreeMap;

use minijinja::Value;

use super::clean;
use super::dates;
use super::vocabulary::{self, NAME, moment_value, word};
use super::wording::Voice;
use crate::desk::calendar::Interval;
use crate::desk::listing::{Listed, Rules};
use crate::desk::notice::{Notice, Tells};
use crate::desk::people::Locale;
use crate::desk::request::Status;
use crate::desk::why::Span;

/// Everything that follows from `why`, `listing` and `rules`.
pub(super) fn values(notice: &Notice, voice: &Voice<'_>) -> Vec<(&'static str, Value)> {
    let (locale, tells) = (notice.locale, &notice.tells);
    let mut values = why(locale, tells, voice);
    values.push((
        "continues",
        tells
            .continues
            .map_or(Value::from(()), |n| Value::from(n.to_string())),
    ));
    values.push(("alert_last", Value::from(tells.last_alert)));
    values.push(("inside", Value::from(notice.template.is_internal())));
    let listing = tells.listing.as_ref();
    let list = listing.map(|listing| &listing.requests);
    let list = list.into_iter().flatten().map(|r| listed(locale, r, voice));
    values.push(("requests", Value::from(list.collect::<Vec<_>>())));
    values.push((
        "requests_more",
        Value::from(listing.map_or(0, |listing| listing.more)),
    ));
    values.push((
        "is_history",
        Value::from(listing.is_some_and(|listing| listing.history)),
    ));
    values.extend(rules(locale, tells.rules.as_ref()));
    values
}

fn why(locale: Locale, tells: &Tells, voice: &Voice<'_>) -> Vec<(&'static str, Value)> {
    let why = tells.why.as_ref();
    let span = |span: Option<Span>| span.map_or(Value::from(()), |s| said(locale, s));
    let count = |n: Option<u32>, words: fn(Locale, u32) -> String| {
        n.map_or(Value::from(()), |n| Value::from(words(locale, n)))
    };
    vec![
        (
            "counted_day",
            count(why.map(|w| w.working_days), dates::nth_working_day),
        ),
        (
            "given_back",
            span(why.map(|w| w.given_back).filter(|s| !s.is_zero())),
        ),
        (
            "extended",
            count(
                why.map(|w| w.extended).filter(|n| *n > 0),
                dates::working_days,
            ),
        ),
        ("late", Value::from(why.is_some_and(|w| w.late))),
        ("left", span(why.and_then(|w| w.left))),
        (
            "until",
            moment_value(locale, voice, why.and_then(|w| w.until)),
        ),
    ]
}

fn said(locale: Locale, span: Span) -> Value {
    Value::from(dates::working_time(locale, span.days, span.minutes))
}

fn listed(locale: Locale, request: &Listed, voice: &Voice<'_>) -> Value {
    let moment = |at| moment_value(locale, voice, at);
    let registered = request.number.is_some();
    let runs = matches!(request.status, Status::InProgress | Status::WithDeveloper);
    let line = |text: &str| Value::from(clean::line(text, NAME));
    Value::from(BTreeMap::from([
        (
            "number",
            request
                .number
                .map_or(Value::from(()), |n| Value::from(n.to_string())),
        ),
        (
            "subject",
            Value::from(vocabulary::theme(locale, &request.subject)),
        ),
        (
            "status",
            Value::from(vocabulary::status(locale, request.status)),
        ),
        ("status_id", Value::from(request.status.word())),
        ("opens", moment(Some(request.opens).filter(|_| !registered))),
        ("due", moment(request.due.filter(|_| runs))),
        (
            "left",
            request.left.map_or(Value::from(()), |s| said(locale, s)),
        ),
        ("until", moment(request.until)),
        (
            "requester_name",
            request
                .requester_name
                .as_deref()
                .map_or(Value::from(()), line),
        ),
    ]))
}

fn rules(locale: Locale, rules: Option<&Rules>) -> Vec<(&'static str, Value)> {
    let none = || Value::from(());
    let say = |list: fn(&Rules) -> &Vec<String>, usual: [&str; 2]| {
        rules.map_or_else(none, |r| Value::from(word(locale, list(r), usual)))
    };
    vec![
        (
            "may_order",
            Value::from(rules.is_some_and(|rules| rules.orders)),
        ),
        (
            "hours",
            Value::from(rules.map_or_else(Vec::new, |rules| hours(locale, &rules.week))),
        ),
        (
            "order_marker",
            say(|r| &r.order_markers, ["Поручение", "Order"]),
        ),
        (
            "question_marker",
            say(|r| &r.question_markers, ["Вопрос", "Question"]),
        ),
        ("thanks", say(|r| &r.words.thanks, ["Спасибо", "Thank you"])),
        ("ask_status", say(|r| &r.words.status, ["Статус", "Status"])),
        (
            "ask_history",
            say(|r| &r.words.history, ["История", "History"]),
        ),
        ("ask_help", say(|r| &r.words.help, ["Помощь", "Help"])),
    ]
}

/// «пн–чт: 9:00–12:30, 13:30–17:00», one line for each run of days with the same hours; days off are left out.
fn hours(locale: Locale, week: &[Vec<Interval>; 7]) -> Vec<Value> {
    let names = match locale {
        Locale::Ru => ["пн", "вт", "ср", "чт", "пт", "сб", "вс"],
        Locale::En => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    };
    let mut runs: Vec<(&str, &str, &Vec<Interval>)> = Vec::new();
    for (name, hours) in names.into_iter().zip(week) {
        match runs.last_mut() {
            Some((_, last, same)) if *same == hours => *last = name,
            _ => runs.push((name, name, hours)),
        }
    }
    let worked = runs.into_iter().filter(|(_, _, hours)| !hours.is_empty());
    worked
        .map(|(first, last, hours)| {
            let clock = |minute: u16| format!("{}:{:02}", minute / 60, minute % 60);
            let hours: Vec<String> = hours
                .iter()
                .map(|i| format!("{}–{}", clock(i.start()), clock(i.end())))
                .collect();
            let days = if first == last {
                first.to_owned()
            } else {
                format!("{first}–{last}")
            };
            Value::from(format!("{days}: {}", hours.join(", ")))
        })
        .collect()
}
