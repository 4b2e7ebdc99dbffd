//! What was or would be decided about a letter, and why: one value, printed as JSON for programs and as text for people (`explain`).

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::desk::assurance::SenderAssurance;
use crate::desk::decide::{Concern, Decision, Known};
use crate::desk::event::Event;
use crate::desk::letter::{From, Letter};
use crate::desk::request::{Kind, Type};

/// A letter of ours as `explain` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// To whom.
    pub to: String,
    /// The wording.
    pub template: &'static str,
    /// The subject.
    pub subject: String,
}

/// Everything that bears on the explanation of one letter.
#[derive(Debug)]
pub struct Case<'a> {
    /// The letter.
    pub letter: &'a Letter,
    /// How sure the desk is of its sender.
    pub assurance: &'a SenderAssurance,
    /// When it arrived.
    pub arrived: DateTime<Utc>,
    /// What was known.
    pub known: &'a Known,
    /// What was decided.
    pub decision: &'a Decision,
    /// The letters that go out for it.
    pub told: &'a [Told],
    /// The desk's zone, in whose offset moments are written.
    pub zone: Tz,
}

/// The object of `explain --json` (keys are an interface: extend, don't rename).
pub fn json(case: &Case<'_>) -> Value {
    let moment = |at: DateTime<Utc>| {
        at.with_timezone(&case.zone)
            .to_rfc3339_opts(SecondsFormat::Secs, false)
    };
    let letter = case.letter;
    let (name, address) = match &letter.from {
        From::One { address, name } => (name.clone(), address.to_string()),
        From::Nobody { shown, .. } => (shown.clone(), String::new()),
    };
    let found = Found::of(case);
    let registered = case.decision.events.iter().find_map(|e| match e {
        Event::Registered { day, due, .. } => Some((*day, *due)),
        _ => None,
    });
    let due = registered.map(|(_, due)| due).or(found.due);
    let mut faults = letter.faults.clone();
    if let From::Nobody { why, .. } = &letter.from {
        faults.push(format!("From: {why}"));
    }
    json!({
        "message_id": letter.message_id,
        "subject": letter.subject,
        "from": {"name": name, "address": address},
        "to": letter.to.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "cc": letter.cc.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "date": letter.date.map(|d| d.to_rfc3339_opts(SecondsFormat::Secs, false)),
        "arrived": moment(case.arrived),
        "text": letter.text,
        "new_text": letter.new_text,
        "attachments": letter.attachments.iter().map(|a| json!({
            "name": a.name, "type": a.media_type, "size": a.size, "sha256": hex(&a.sha256),
        })).collect::<Vec<_>>(),
        "automatic": letter.automatic.as_ref().map(|(what, _)| what.word()),
        "bounce": letter.bounce.as_ref().map(|b| json!({
            "recipient": b.recipient, "action": b.action, "status": b.status, "permanent": b.permanent,
            "original_message_id": b.original_message_id,
        })),
        "assurance": {"level": case.assurance.level().to_string(), "evidence": case.assurance.evidence()},
        "sender": case.decision.sender.as_ref().map(|s| json!({
            "role": s.role, "customer": s.customer, "installation": s.installation,
        })),
        "about": about(case),
        "kind": found.kind.map(Kind::word),
        "type": found.type_.map(Type::word),
        "verdict": case.decision.verdict.word(),
        "number": number(case),
        "registration_day": found.day.map(|d| d.to_string()),
        "opens": found.opens.map(moment),
        "due": due.map(moment),
        "letters": case.told.iter().map(|t| json!({"to": t.to, "template": t.template, "subject": t.subject})).collect::<Vec<_>>(),
        "reasons": case.decision.reasons,
        "faults": faults,
    })
}

/// What the decision found out about the request, new or continued.
#[derive(Default)]
struct Found {
    kind: Option<Kind>,
    type_: Option<Type>,
    day: Option<chrono::NaiveDate>,
    opens: Option<DateTime<Utc>>,
    due: Option<DateTime<Utc>>,
}

impl Found {
    fn of(case: &Case<'_>) -> Self {
        let (matter, due) = match (&case.decision.concern, &case.known.lead) {
            (Concern::Opened(matter), _) => (matter, None),
            (Concern::Existing(id), Some(lead)) if lead.request.id == *id => {
                (&lead.request.matter, lead.request.due)
            }
            (Concern::Existing(_) | Concern::Nothing, _) => return Self::default(),
        };
        let kind = case.decision.events.iter().find_map(|e| match e {
            Event::KindChanged { to, .. } => Some(*to),
            _ => None,
        });
        Self {
            kind: Some(kind.unwrap_or(matter.kind)),
            type_: Some(matter.type_),
            day: Some(matter.registration_day),
            opens: Some(matter.opens),
            due,
        }
    }
}

/// The existing request that the letter is entered in.
fn about(case: &Case<'_>) -> Value {
    match (&case.decision.concern, &case.known.lead) {
        (Concern::Existing(id), Some(lead)) if lead.request.id == *id => json!({
            "number": lead.request.number.map(|n| n.to_string()), "evidence": lead.evidence.in_words(),
        }),
        _ => Value::Null,
    }
}

/// The number that the decision gave, or that of the request it is about.
fn number(case: &Case<'_>) -> Option<String> {
    let given = case.decision.events.iter().find_map(|e| match e {
        Event::Registered { number, .. } => Some(number.to_string()),
        _ => None,
    });
    given.or_else(|| Some(about(case).get("number")?.as_str()?.to_owned()))
}

/// The same for people: the facts in a column, then the reasons.
pub fn text(explanation: &Value) -> String {
    let mut out = String::new();
    let said = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(s) => shown(s),
        Value::Array(list) => list
            .iter()
            .filter_map(Value::as_str)
            .map(shown)
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    };
    let mut line = |name: &str, value: String| out.push_str(&format!("{name:<14} {value}\n"));
    let get = |path: &str| explanation.pointer(path).unwrap_or(&Value::Null);
    line("verdict", said(get("/verdict")));
    line("number", said(get("/number")));
    line(
        "from",
        format!(
            "{} <{}>",
            said(get("/from/name")),
            said(get("/from/address"))
        ),
    );
    line("subject", said(get("/subject")));
    line("arrived", said(get("/arrived")));
    line(
        "sender",
        format!(
            "{} of {}, {}",
            said(get("/sender/role")),
            said(get("/sender/customer")),
            said(get("/sender/installation"))
        ),
    );
    line(
        "assurance",
        format!(
            "{}: {}",
            said(get("/assurance/level")),
            said(get("/assurance/evidence"))
        ),
    );
    line("about", said(get("/about/number")));
    line(
        "kind",
        format!("{}, {}", said(get("/kind")), said(get("/type"))),
    );
    line("registered on", said(get("/registration_day")));
    line("opens", said(get("/opens")));
    line("due", said(get("/due")));
    line("automatic", said(get("/automatic")));
    for told in get("/letters").as_array().into_iter().flatten() {
        let part = |key: &str| told.get(key).map(&said).unwrap_or_default();
        line(
            "letter",
            format!(
                "{} to {}: {}",
                part("template"),
                part("to"),
                part("subject")
            ),
        );
    }
    for attachment in get("/attachments").as_array().into_iter().flatten() {
        let part = |key: &str| attachment.get(key).map(&said).unwrap_or_default();
        line(
            "attachment",
            format!(
                "{} ({}, {} octets)",
                part("name"),
                part("type"),
                part("size")
            ),
        );
    }
    for (name, key) in [("because", "/reasons"), ("fault", "/faults")] {
        for reason in get(key).as_array().into_iter().flatten() {
            line(name, said(reason));
        }
    }
    out
}

/// One line of a stranger's text that can't drive a terminal (F13).
fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
