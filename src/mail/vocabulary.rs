//! What a wording may name: a notice as values in the words of the reader's language, cleaned of whatever does not belong in a letter.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use minijinja::Value;

use super::clean;
use super::dates::{self, Moment};
use super::figures;
use super::layout;
use super::russian;
use super::succession;
use super::wording::Voice;
use crate::desk::address::Address;
use crate::desk::notice::{Alert, Notice, Nudge, Settled, Tells};
use crate::desk::people::Locale;
use crate::desk::request::{Kind, Status, Type};
use crate::desk::subject;

/// Characters of a name or an address that a letter shows.
pub(super) const NAME: usize = 200;
/// Characters of a subject.
pub const SUBJECT: usize = 200;
/// Characters of another's text in a letter to a customer; and in one to the desk's own people, or to whoever is asked to answer for it.
const CITED: usize = 4_000;
const CITED_WHOLE: usize = 40_000;
/// Attachments named one by one.
const ATTACHMENTS: usize = 20;

/// Every name that a wording may use, with the names inside it.
pub const NAMES: &[(&str, &[&str])] = &[
    ("desk", &[]),
    ("desk_address", &[]),
    ("confirm", &[]),
    ("decline", &[]),
    ("buttons", &[]),
    ("reader", &[]),
    ("number", &[]),
    ("subject", &[]),
    ("has_subject", &[]),
    ("kind", &[]),
    ("kind_id", &[]),
    ("type", &[]),
    ("type_id", &[]),
    ("status", &[]),
    ("status_id", &[]),
    ("arrived", MOMENT),
    ("opens", MOMENT),
    ("registration_day", &[]),
    ("due", MOMENT),
    ("working_days", &[]),
    ("nth_working_day", &[]),
    ("counted_day", &[]),
    ("given_back", &[]),
    ("extended", &[]),
    ("left", &[]),
    ("late", &[]),
    ("until", MOMENT),
    ("continues", &[]),
    ("inside", &[]),
    ("lapses", MOMENT),
    ("requester_name", &[]),
    ("requester", &[]),
    ("customer", &[]),
    ("installation", &[]),
    ("choices", &[]),
    ("primary_name", &[]),
    ("primary", &[]),
    ("text", &[]),
    ("text_cut", &[]),
    ("attachments", &[]),
    ("attachments_more", &[]),
    ("authority", &[]),
    ("limit", &[]),
    ("alert_id", &[]),
    ("alert_reason", &[]),
    ("alert_to", &[]),
    ("alert_last", &[]),
    ("requests", &[]),
    ("requests_more", &[]),
    ("is_history", &[]),
    ("may_order", &[]),
    ("hours", &[]),
    ("order_marker", &[]),
    ("question_marker", &[]),
    ("thanks", &[]),
    ("ask_status", &[]),
    ("ask_history", &[]),
    ("ask_help", &[]),
    ("approve", &[]),
    ("disapprove", &[]),
    ("party_name", &[]),
    ("days", &[]),
    ("reason", &[]),
    ("nudge", &[]),
    ("settled", &[]),
    ("consents", PAST),
    ("thread", PAST),
    ("enclosed", &[]),
    ("effect_id", &[]),
    ("transcript", &[]),
    ("possible", &[]),
    ("history", &[]),
    ("help", &[]),
];

const PAST: &[&str] = &["who", "at", "text"];

const MOMENT: &[&str] = &["until", "at", "full", "end"];

/// The values of one notice. What is none is `none`, so that a wording can ask for it.
pub fn values(notice: &Notice, voice: &Voice<'_>) -> BTreeMap<&'static str, Value> {
    let locale = notice.locale;
    let tells = &notice.tells;
    let moment = |m: Option<DateTime<Utc>>| moment_value(locale, voice, m);
    let name = |text: &Option<String>| text_value(text.as_deref(), NAME);
    let vouches = tells.authority.as_deref();
    let authority = vouches.map(|a| authority(locale, a));
    let mut values = BTreeMap::from([
        ("desk", text_value(Some(voice.desk_name), NAME)),
        ("desk_address", text_value(Some(voice.desk_address), NAME)),
        (
            "confirm",
            Value::from(word(locale, voice.confirm, ["Подтверждаю", "Confirm"])),
        ),
        (
            "decline",
            Value::from(word(locale, voice.decline, ["Отклоняю", "Decline"])),
        ),
        ("buttons", Value::from(voice.reply_to.is_some())),
        ("reader", text_value(Some(&notice.name), NAME)),
        (
            "number",
            tells
                .number
                .map_or(Value::from(()), |n| Value::from(n.to_string())),
        ),
        ("subject", Value::from(theme(locale, &tells.subject))),
        (
            "has_subject",
            Value::from(!clean::line(&tells.subject, SUBJECT).is_empty()),
        ),
        ("kind", optional(tells.kind.map(|k| kind(locale, k)))),
        ("kind_id", optional(tells.kind.map(Kind::word))),
        ("type", optional(tells.type_.map(|t| type_(locale, t)))),
        ("type_id", optional(tells.type_.map(Type::word))),
        ("status", optional(tells.status.map(|s| status(locale, s)))),
        ("status_id", optional(tells.status.map(Status::word))),
        ("arrived", moment(tells.arrived)),
        ("opens", moment(tells.opens)),
        (
            "registration_day",
            day_value(locale, tells.registration_day),
        ),
        ("due", moment(tells.due)),
        (
            "working_days",
            count_value(tells.working_days, |n| dates::working_days(locale, n)),
        ),
        (
            "nth_working_day",
            count_value(tells.working_days, |n| dates::nth_working_day(locale, n)),
        ),
        ("lapses", moment(tells.lapses)),
        ("requester_name", name(&tells.requester_name)),
        ("requester", address_value(tells.requester.as_ref())),
        ("customer", name(&tells.customer)),
        ("installation", name(&tells.installation)),
        ("choices", list_value(&tells.choices)),
        ("primary_name", name(&tells.primary_name)),
        ("primary", address_value(tells.primary.as_ref())),
        (
            "limit",
            tells
                .limit
                .map_or(Value::from(()), |l| Value::from(dates::size(locale, l))),
        ),
        ("authority", text_value(authority.as_deref(), CITED)),
        ("alert_last", Value::from(tells.last_alert)),
    ]);
    values.extend(figures::values(notice, voice));
    values.extend(cited(notice));
    values.extend(agreed(notice, voice));
    values.extend(alert(locale, tells));
    values.extend(succession::values(locale, tells, moment));
    values.extend(transcript(locale, voice, tells));
    values
}

/// What approvers are asked, what became of it, and what a developer gets (R20, R26, R27).
fn agreed(notice: &Notice, voice: &Voice<'_>) -> [(&'static str, Value); 10] {
    let (locale, tells) = (notice.locale, &notice.tells);
    let says = |taken, usual| Value::from(word(locale, taken, usual));
    let (reason, _) = clean::lines(tells.reason.as_deref().unwrap_or_default(), CITED);
    let past = |who: &str, at, text: &str| {
        let who = text_value(Some(who), NAME);
        let at = moment_value(locale, voice, Some(at));
        let at = at.get_attr("full").unwrap_or_default();
        let text = Value::from(text);
        Value::from(BTreeMap::from([("who", who), ("at", at), ("text", text)]))
    };
    let consents = tells.consents.iter().map(|(who, at)| past(who, *at, ""));
    let mut room = CITED_WHOLE;
    let thread = tells.thread.iter().map(|p| {
        let (text, _) = clean::lines(&p.text, room);
        room = room.saturating_sub(text.chars().count());
        past(&p.who, p.arrived, &text)
    });
    [
        ("thread", Value::from(thread.collect::<Vec<_>>())),
        ("consents", Value::from(consents.collect::<Vec<_>>())),
        ("approve", says(voice.approve, ["Согласовано", "Approved"])),
        (
            "disapprove",
            says(voice.disapprove, ["Отклонено", "Declined"]),
        ),
        ("party_name", text_value(tells.party_name.as_deref(), NAME)),
        (
            "days",
            count_value(tells.days, |n| dates::working_days(locale, n)),
        ),
        (
            "reason",
            if reason.is_empty() {
                Value::from(())
            } else {
                Value::from(reason)
            },
        ),
        ("nudge", optional(tells.nudge.map(Nudge::word))),
        ("settled", optional(tells.settled.map(Settled::word))),
        (
            "enclosed",
            list_value(
                &tells
                    .enclosed
                    .iter()
                    .map(|e| e.name.clone())
                    .collect::<Vec<_>>(),
            ),
        ),
    ]
}

fn cited(notice: &Notice) -> [(&'static str, Value); 4] {
    let most = if notice.template.cites_whole() {
        CITED_WHOLE
    } else {
        CITED
    };
    let tells = &notice.tells;
    let (text, was_cut) = clean::lines(tells.text.as_deref().unwrap_or_default(), most);
    let text = if text.is_empty() {
        Value::from(())
    } else {
        Value::from(text)
    };
    let shown = tells.attachments.get(..ATTACHMENTS);
    let more = tells.attachments.len().saturating_sub(ATTACHMENTS);
    [
        ("text", text),
        ("text_cut", Value::from(was_cut || tells.text_cut)),
        (
            "attachments",
            list_value(shown.unwrap_or(&tells.attachments)),
        ),
        ("attachments_more", Value::from(more)),
    ]
}

/// The level of assurance and what it rests on, as the rules give them: `domain: this; that`.
fn authority(locale: Locale, english: &str) -> String {
    match (locale, english.split_once(": ")) {
        (Locale::Ru, Some((level, evidence))) => {
            let level = russian::said(level).unwrap_or_else(|| level.to_owned());
            format!("{level}: {}", russian::all_said(evidence))
        }
        (Locale::Ru | Locale::En, _) => english.to_owned(),
    }
}

/// What became of a specialist's commands, line by line.
fn transcript(locale: Locale, voice: &Voice<'_>, tells: &Tells) -> [(&'static str, Value); 5] {
    let list = |lines: Vec<String>| {
        let lines = lines.iter().map(|l| Value::from(clean::line(l, CITED)));
        Value::from(lines.collect::<Vec<_>>())
    };
    let Some(told) = &tells.transcript else {
        let none = || list(vec![]);
        return [
            ("effect_id", Value::from(())),
            ("transcript", none()),
            ("possible", Value::from(())),
            ("history", none()),
            ("help", Value::from(false)),
        ];
    };
    let lines = told.lines.iter().map(|line| match line.command {
        Some(verb) => format!("{}: {}", verb.name(locale), reason(locale, &line.said)),
        None => reason(locale, &line.said),
    });
    let possible: Vec<&str> = told.possible.iter().map(|v| v.name(locale)).collect();
    let history = told.history.iter().map(|(at, what)| {
        let at = at.with_timezone(&voice.zone).format("%Y-%m-%d %H:%M");
        format!("{at} — {}", reason(locale, what))
    });
    [
        ("effect_id", Value::from(told.effect.word())),
        ("transcript", list(lines.collect())),
        ("possible", text_value(Some(&possible.join(", ")), CITED)),
        ("history", list(history.collect())),
        ("help", Value::from(told.help)),
    ]
}

fn reason(locale: Locale, english: &str) -> String {
    match locale {
        Locale::Ru => russian::said(english).unwrap_or_else(|| english.to_owned()),
        Locale::En => english.to_owned(),
    }
}

fn alert(locale: Locale, tells: &Tells) -> [(&'static str, Value); 3] {
    let none = || Value::from(());
    let (id, reason, to) = match &tells.alert {
        None => (none(), none(), none()),
        Some(Alert::Held(why)) => (
            Value::from("held"),
            text_value(Some(&reason(locale, why)), CITED),
            none(),
        ),
        Some(Alert::SuccessionTried) => (Value::from("succession-tried"), none(), none()),
        Some(Alert::OverLimit) => (Value::from("over-limit"), none(), none()),
        Some(Alert::Flood) => (Value::from("flood"), none(), none()),
        Some(Alert::BadTokens(domain, count)) => {
            let what = format!("In the last hour, letters of this kind from {domain}: {count}");
            (
                Value::from("bad-tokens"),
                text_value(Some(&reason(locale, &what)), CITED),
                none(),
            )
        }
        Some(Alert::Unreadable) => (Value::from("unreadable"), none(), none()),
        Some(Alert::BadConfiguration) => (Value::from("bad-configuration"), none(), none()),
        Some(Alert::GoodConfiguration) => (Value::from("good-configuration"), none(), none()),
        Some(Alert::Undelivered(to, why)) => (
            Value::from("undelivered"),
            text_value(Some(&reason(locale, why)), CITED),
            address_value(Some(to)),
        ),
    };
    [("alert_id", id), ("alert_reason", reason), ("alert_to", to)]
}

/// The subject as it is shown, without numbers of ours and reply prefixes that the writer's client left there.
pub fn theme(locale: Locale, subject: &str) -> String {
    let theme = subject::base(&clean::line(subject, usize::MAX));
    if theme.is_empty() {
        return match locale {
            Locale::Ru => "(без темы)",
            Locale::En => "(no subject)",
        }
        .to_owned();
    }
    clean::cut(&theme, SUBJECT)
}

/// The word that settles something, in the reader's language where the desk takes it; else the first that it takes.
pub(super) fn word(locale: Locale, taken: &[String], usual: [&str; 2]) -> String {
    let [ru, en] = usual;
    let usual = match locale {
        Locale::Ru => ru,
        Locale::En => en,
    };
    let folded = usual.to_lowercase();
    let first = taken.first().map(|w| clean::line(w, NAME));
    match first {
        Some(first) if !taken.iter().any(|w| w.to_lowercase() == folded) => first,
        _ => usual.to_owned(),
    }
}

/// The five words of the regulation.
pub fn status(locale: Locale, status: Status) -> &'static str {
    match (locale, status) {
        (Locale::Ru, Status::InProgress) => "В работе",
        (Locale::Ru, Status::WithDeveloper) => "Передано разработчику",
        (Locale::Ru, Status::AwaitingInformation) => "Обратная связь",
        (Locale::Ru, Status::Resolved) => "Решен",
        (Locale::Ru, Status::Closed) => "Закрыт",
        (Locale::En, Status::InProgress) => "In progress",
        (Locale::En, Status::WithDeveloper) => "With the developer",
        (Locale::En, Status::AwaitingInformation) => "Awaiting information",
        (Locale::En, Status::Resolved) => "Resolved",
        (Locale::En, Status::Closed) => "Closed",
    }
}

fn kind(locale: Locale, kind: Kind) -> &'static str {
    match (locale, kind) {
        (Locale::Ru, Kind::Order) => "поручение",
        (Locale::Ru, Kind::Question) => "запрос",
        (Locale::En, Kind::Order) => "order",
        (Locale::En, Kind::Question) => "question",
    }
}

fn type_(locale: Locale, type_: Type) -> &'static str {
    match (locale, type_) {
        (Locale::Ru, Type::Support) => "Поддержка",
        (Locale::Ru, Type::Fault) => "Ошибка",
        (Locale::Ru, Type::Improvement) => "Улучшение",
        (Locale::En, Type::Support) => "Support",
        (Locale::En, Type::Fault) => "Fault",
        (Locale::En, Type::Improvement) => "Improvement",
    }
}

pub(super) fn moment_value(
    locale: Locale,
    voice: &Voice<'_>,
    moment: Option<DateTime<Utc>>,
) -> Value {
    match moment.and_then(|m| Moment::new(locale, voice.zone, m)) {
        None => Value::from(()),
        Some(m) => Value::from(BTreeMap::from([
            ("until", layout::zoned(&m.until, &m.zone)),
            ("at", layout::zoned(&m.at, &m.zone)),
            ("full", layout::zoned(&m.full, &m.zone)),
            ("end", layout::zoned(&m.end, &m.zone)),
        ])),
    }
}

fn day_value(locale: Locale, day: Option<NaiveDate>) -> Value {
    day.map_or(Value::from(()), |d| Value::from(dates::day(locale, d)))
}

fn count_value(count: Option<u32>, words: impl Fn(u32) -> String) -> Value {
    count.map_or(Value::from(()), |n| Value::from(words(n)))
}

fn address_value(address: Option<&Address>) -> Value {
    address.map_or(Value::from(()), |a| text_value(Some(&a.to_string()), 300))
}

/// One line, or none if nothing of it is left.
fn text_value(text: Option<&str>, most: usize) -> Value {
    match text.map(|t| clean::line(t, most)) {
        Some(text) if !text.is_empty() => Value::from(text),
        _ => Value::from(()),
    }
}

fn list_value(items: &[String]) -> Value {
    Value::from(
        items
            .iter()
            .map(|i| Value::from(clean::line(i, NAME)))
            .collect::<Vec<_>>(),
    )
}

fn optional(word: Option<&'static str>) -> Value {
    word.map_or(Value::from(()), Value::from)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::desk::notice::{Purpose, Template, Thread};

    #[test]
    fn a_theme_has_neither_prefix_nor_number() {
        let ru = |s| theme(Locale::Ru, s);
        assert_eq!(
            ru("Re: RE : Отв: журнал [№ 2026-000042] пуст"),
            "журнал пуст"
        );
        assert_eq!(ru("журнал [№2026-42]"), "журнал");
        assert_eq!(ru("\u{202e}Re:\u{200b} журнал\r\nBcc: x"), "журнал Bcc: x");
        assert_eq!(ru("Вопрос: как?"), "Вопрос: как?");
        assert_eq!(ru("Re: \u{202e} [№ 2026-000042]"), "(без темы)");
        assert_eq!(theme(Locale::En, ""), "(no subject)");
        assert_eq!(ru(&"ж".repeat(300)).chars().count(), 200);
    }

    /// Nobody confirms what they could not see.
    #[test]
    fn whoever_must_answer_for_a_text_sees_all_of_it_or_is_told_that_they_do_not() {
        let cited = |template, text: &str, text_cut| {
            let tells = Tells {
                text: Some(text.to_owned()),
                text_cut,
                ..Tells::default()
            };
            let values: BTreeMap<_, _> = cited(&Notice {
                template,
                to: Address::new("maria@raduga.example").unwrap(),
                name: String::new(),
                locale: Locale::Ru,
                purpose: Purpose::ConfirmNew(0),
                thread: Thread::default(),
                tells,
            })
            .into();
            let text = values["text"].to_string();
            (text.chars().count(), values["text_cut"].is_true())
        };
        let long = "ж".repeat(39_000);
        for template in [
            Template::OrderToConfirm,
            Template::Challenge,
            Template::AskInstallation,
        ] {
            assert_eq!(cited(template, &long, false), (39_000, false));
            assert_eq!(cited(template, &long, true), (39_000, true));
            let longer = "ж".repeat(50_000);
            assert_eq!(cited(template, &longer, false), (40_000, true));
        }
        assert_eq!(
            cited(Template::RedirectedToPrimary, &long, false),
            (4_000, true)
        );
    }

    #[test]
    fn the_word_asked_for_is_one_that_the_desk_takes() {
        let usual = ["Подтверждаю", "Confirm"];
        let both = ["подтверждаю".to_owned(), "Confirm".to_owned()];
        assert_eq!(word(Locale::Ru, &both, usual), "Подтверждаю");
        assert_eq!(word(Locale::En, &both, usual), "Confirm");
        assert_eq!(word(Locale::En, &["Да".to_owned()], usual), "Да");
        assert_eq!(word(Locale::Ru, &[], usual), "Подтверждаю");
    }
}
