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
    let moment = |at: DateTime<Utc>| moment(at, case.zone);
    let letter = case.letter;
    let (name, address) = match &letter.from {
        From::One { address, name } => (name.clone(), address.to_string()),
        From::Nobody { shown, .. } => (shown.clone(), String::new()),
    };
    let found = Found::of(case);
    let registered = case.decision.events.iter().find_map(|e| {
        if let Event::Registered { day, due, .. } = e {
            Some((*day, *due))
        } else {
            None
        }
    });
    let due = registered.map(|(_, due)| due).or(found.due);
    let mut faults = letter.faults.clone();
    if let From::Nobody { why, .. } = &letter.from {
        faults.push(why.clone());
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
            "name": a.name, "type": a.media_type, "size": a.size, "sha256": hex(&a.sha256), "inline": a.inline,
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

/// The same object for a letter that is kept and not yet read.
pub fn undecided(arrived: DateTime<Utc>, zone: Tz) -> Value {
    json!({
        "message_id": null, "subject": "", "from": {"name": "", "address": ""}, "to": [], "cc": [], "date": null,
        "arrived": moment(arrived, zone), "text": "", "new_text": "", "attachments": [], "automatic": null, "bounce": null,
        "assurance": {"level": "none", "evidence": []}, "sender": null, "about": null, "kind": null, "type": null, "verdict": null,
        "number": null, "registration_day": null, "opens": null, "due": null, "letters": [],
        "reasons": ["It is kept and waits for its decision"], "faults": [],
    })
}

fn moment(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone)
        .to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// The explanation as the record keeps it: without the text, which the letter's own bytes hold.
pub fn for_the_record(mut explanation: Value) -> Value {
    if let Some(map) = explanation.as_object_mut() {
        map.remove("text");
        map.remove("new_text");
    }
    explanation
}

/// A recorded explanation made whole again with the letter it is about.
pub fn with_text(mut explanation: Value, letter: &Letter) -> Value {
    if let Some(map) = explanation.as_object_mut() {
        map.insert("text".to_owned(), json!(letter.text));
        map.insert("new_text".to_owned(), json!(letter.new_text));
    }
    explanation
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
        let kind = case.decision.events.iter().find_map(|e| {
            if let Event::KindChanged { to, .. } = e {
                Some(*to)
            } else {
                None
            }
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
    let given = case.decision.events.iter().find_map(|e| {
        if let Event::Registered { number, .. } = e {
            Some(number.to_string())
        } else {
            None
        }
    });
    given.or_else(|| Some(about(case).get("number")?.as_str()?.to_owned()))
}

/// How many characters of what the sender wrote stand in the text for people.
const GLIMPSE: usize = 200;

/// The same for people: the facts in a column, then the reasons. What there is nothing to say about is left out.
pub fn text(explanation: &Value) -> String {
    let get = |path: &str| explanation.pointer(path).unwrap_or(&Value::Null);
    let said = |path: &str| plain(get(path));
    let mut lines = vec![("verdict", or(said("/verdict"), "none yet"))];
    lines.push(("number", said("/number")));
    lines.push((
        "about",
        either(get("/about/number"), get("/about/evidence")),
    ));
    lines.push(("from", mailbox(get("/from"))));
    lines.push(("subject", glimpse(&said("/subject"))));
    lines.push(("arrived", said("/arrived")));
    let whose = [said("/sender/customer"), said("/sender/installation")];
    let whose: Vec<String> = whose.into_iter().filter(|w| !w.is_empty()).collect();
    let of = if whose.is_empty() { "" } else { " of " };
    lines.push((
        "sender",
        format!("{}{of}{}", said("/sender/role"), whose.join(", ")),
    ));
    let (level, evidence) = (get("/assurance/level"), get("/assurance/evidence"));
    lines.push(("assurance", either(level, evidence)));
    let kind = [said("/kind"), said("/type")];
    lines.push((
        "kind",
        kind.into_iter()
            .filter(|k| !k.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
    ));
    lines.push(("registered on", said("/registration_day")));
    lines.push(("opens", said("/opens")));
    lines.push(("due", said("/due")));
    lines.push(("automatic", said("/automatic")));
    lines.push((
        "bounce",
        either(get("/bounce/recipient"), get("/bounce/status")),
    ));
    lines.push(("wrote", glimpse(&said("/new_text"))));
    for file in entries(get("/attachments")) {
        let part = |key: &str| file.get(key).map(plain).unwrap_or_default();
        let kind = format!("{}, {} octets", part("type"), part("size"));
        lines.push((
            "attachment",
            format!("{} ({kind})", or(part("name"), "unnamed")),
        ));
    }
    for reason in entries(get("/reasons")) {
        lines.push(("because", plain(reason)));
    }
    for told in entries(get("/letters")) {
        let part = |key: &str| told.get(key).map(plain).unwrap_or_default();
        let what = format!(
            "{} to {}: {}",
            part("template"),
            part("to"),
            part("subject")
        );
        lines.push(("letter", what));
    }
    for fault in entries(get("/faults")) {
        lines.push(("fault", plain(fault)));
    }
    lines.retain(|(_, value)| !value.is_empty());
    lines
        .iter()
        .map(|(name, value)| format!("{name:<14} {value}\n"))
        .collect()
}

fn entries(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A value in one line; nothing for nothing.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(s) => shown(s),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_)) => other.to_string(),
    }
}

fn or(value: String, instead: &str) -> String {
    if value.is_empty() {
        instead.to_owned()
    } else {
        value
    }
}

/// `first: second`, or the one that there is.
fn either(first: &Value, second: &Value) -> String {
    match (plain(first), plain(second)) {
        (first, second) if first.is_empty() || second.is_empty() => format!("{first}{second}"),
        (first, second) => format!("{first}: {second}"),
    }
}

fn mailbox(from: &Value) -> String {
    let part = |key: &str| glimpse(&from.get(key).map(plain).unwrap_or_default());
    match (part("name"), part("address")) {
        (name, address) if address.is_empty() => name,
        (name, address) if name.is_empty() => address,
        (name, address) => format!("{name} <{address}>"),
    }
}

fn glimpse(text: &str) -> String {
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = words.char_indices().nth(GLIMPSE) {
        words.truncate(end);
        words.push('…');
    }
    words
}

/// One line of a stranger's text that can neither drive a terminal nor turn the order of what stands around it (F13).
pub fn shown(text: &str) -> String {
    let disturbs = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars()
        .map(|c| if disturbs(c) { ' ' } else { c })
        .collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
