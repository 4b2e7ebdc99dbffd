//! What was or would be decided about a letter, and why: one value, as JSON for programs; `account` tells it to people.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::desk::assurance::SenderAssurance;
use crate::desk::decide::{Concern, Decision, Known, Verdict};
use crate::desk::event::Event;
use crate::desk::letter::{From, Letter};
use crate::desk::loops::Breakers;
use crate::desk::request::{Kind, Request, Type};

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
        "from": from(&letter.from),
        "to": letter.to.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "cc": letter.cc.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "date": letter.date.map(|d| d.to_rfc3339_opts(SecondsFormat::Secs, false)),
        "arrived": moment(case.arrived),
        "text": letter.text,
        "new_text": letter.new_text,
        "attachments": letter.attachments.iter().map(|a| json!({
            "name": a.name, "type": a.media_type, "size": a.size, "sha256": hex(&a.sha256), "inline": a.inline,
        })).collect::<Vec<_>>(),
        "automatic": Breakers::ALL.machine(letter).map(|(what, _)| what.word()),
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
        "evidence": evidence(case),
        "alternatives": case.decision.findings.rejected.iter().map(|r| json!({
            "number": r.number.map(|n| n.to_string()), "clue": r.clue, "why": r.why,
        })).collect::<Vec<_>>(),
        "caps": case.decision.findings.capped,
        "letters": case.told.iter().map(|t| json!({"to": t.to, "template": t.template, "subject": t.subject})).collect::<Vec<_>>(),
        "reasons": case.decision.reasons,
        "faults": faults,
    })
}

/// Whom the letter says it is from. Where `nobody` says why nobody is taken for its sender, name and address are a bare claim, and `field` is the
/// text that they stand in.
fn from(from: &From) -> Value {
    match from {
        From::One { address, name } => {
            json!({"name": name, "address": address.to_string(), "nobody": null, "field": null})
        }
        From::Nobody {
            why,
            shown,
            claimed,
        } => {
            json!({"name": claimed.name, "address": claimed.address, "nobody": why, "field": shown})
        }
    }
}

/// The same object for a letter that is kept and not yet read.
pub fn undecided(arrived: DateTime<Utc>, zone: Tz) -> Value {
    json!({
        "message_id": null, "subject": "", "from": {"name": "", "address": "", "nobody": null, "field": null}, "to": [], "cc": [], "date": null,
        "arrived": moment(arrived, zone), "text": "", "new_text": "", "attachments": [], "automatic": null, "bounce": null,
        "assurance": {"level": "none", "evidence": []}, "sender": null, "about": null, "kind": null, "type": null, "verdict": null,
        "number": null, "registration_day": null, "opens": null, "due": null, "letters": [],
        "evidence": {"for": [], "against": []}, "alternatives": [], "caps": [],
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
        let (matter, due) = match (&case.decision.concern, existing(case)) {
            (Concern::Opened(matter), _) => (matter, None),
            (Concern::Existing(_), Some((request, _))) => (&request.matter, request.due),
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

/// The existing request that the letter is entered in, and what led there.
fn existing<'c>(case: &Case<'c>) -> Option<(&'c Request, &'static str)> {
    let Concern::Existing(id) = &case.decision.concern else {
        return None;
    };
    let returned = case.known.returned.as_ref();
    let returned =
        returned.and_then(|r| Some((r.request.as_ref()?, "it returns a letter of ours")));
    let lead = case.known.lead.as_ref();
    let lead = lead.map(|l| (&l.request, l.evidence.in_words()));
    returned
        .into_iter()
        .chain(lead)
        .find(|(request, _)| request.id == *id)
}

/// What speaks for the decision and what against the sender or the letter; whoever establishes something adds it to the findings.
fn evidence(case: &Case<'_>) -> Value {
    let findings = &case.decision.findings;
    let (mut speaks_for, mut against) = (Vec::new(), Vec::new());
    let of_sender = case.assurance.evidence().iter().map(String::as_str);
    // What leaves a sender unproved speaks for nobody.
    if case.assurance.is_authenticated() {
        speaks_for.extend(of_sender);
    } else {
        against.extend(of_sender);
    }
    speaks_for.extend(findings.supporting.iter().map(String::as_str));
    against.extend(findings.opposing.iter().map(String::as_str));
    json!({"for": speaks_for, "against": against})
}

/// The existing request that the letter is entered in. What waits beside a request is in none yet; it stands among the alternatives (S5).
fn about(case: &Case<'_>) -> Value {
    if case.decision.verdict == Verdict::Held {
        return Value::Null;
    }
    existing(case).map_or(Value::Null, |(request, evidence)| {
        json!({ "number": request.number.map(|n| n.to_string()), "evidence": evidence })
    })
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
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|b| [digit(b >> 4), digit(b & 15)])
        .collect()
}
