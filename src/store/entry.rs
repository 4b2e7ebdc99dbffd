//! One entry of the history as bytes and as JSON: the canonical form that is hashed, and what each event says.

use anyhow::{Context, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::column::day_text;
use crate::desk::appointments::{Change, Roll, What};
use crate::desk::course::Ending;
use crate::desk::event::Event;
use crate::desk::people::Representative;
use crate::desk::request::{Channel, Matter};

/// First key of the advisory lock under which PostgreSQL migrates ("pdmg"); the second is the schema's name.
pub(crate) const MIGRATION_LOCK: i32 = 0x7064_6d67;

/// First key of the advisory lock of the active daemon ("pdls"); the second is the schema's name.
pub(crate) const LEASE_LOCK: i32 = 0x7064_6c73;

/// Named at the beginning of whatever is hashed; another form would have another name.
const FORM: &[u8] = b"postdesk history 1";

/// One entry as it is hashed and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seq: i64,
    pub(crate) at_us: i64,
    pub(crate) kind: String,
    pub(crate) request: Option<i64>,
    pub(crate) letter: Option<i64>,
    pub(crate) letter_sha256: Option<[u8; 32]>,
    pub(crate) commitment: [u8; 32],
}

/// An entry of the history, complete, before it is written.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) entry: Entry,
    pub(crate) data: String,
    pub(crate) salt: [u8; 16],
    pub(crate) prev: [u8; 32],
    pub(crate) hash: [u8; 32],
}

/// The hash before the first entry: it tells one database's history from every other's.
pub(crate) fn genesis(instance: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    field(&mut hash, Some(FORM));
    field(&mut hash, Some(instance));
    hash.finalize().into()
}

/// What an entry commits to in place of its data: without the salt nobody can try out what the data may have been.
pub(crate) fn commitment(salt: &[u8], data: &str) -> Result<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt).context("The salt is no key")?;
    mac.update(data.as_bytes());
    Ok(mac.finalize().into_bytes().into())
}

impl Entry {
    /// SHA-256 of the canonical form: each field with its length before it (8 octets, big-endian; all ones where the field is absent),
    /// numbers as 8 octets big-endian.
    pub(crate) fn hash(&self, prev: &[u8; 32]) -> [u8; 32] {
        let mut hash = Sha256::new();
        field(&mut hash, Some(FORM));
        field(&mut hash, Some(prev));
        field(&mut hash, Some(&self.seq.to_be_bytes()));
        field(&mut hash, Some(&self.at_us.to_be_bytes()));
        field(&mut hash, Some(self.kind.as_bytes()));
        field(
            &mut hash,
            self.request.map(i64::to_be_bytes).as_ref().map(|b| &b[..]),
        );
        field(
            &mut hash,
            self.letter.map(i64::to_be_bytes).as_ref().map(|b| &b[..]),
        );
        field(&mut hash, self.letter_sha256.as_ref().map(|b| &b[..]));
        field(&mut hash, Some(&self.commitment));
        hash.finalize().into()
    }
}

fn field(hash: &mut Sha256, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            hash.update(length.to_be_bytes());
            hash.update(bytes);
        }
        None => hash.update(u64::MAX.to_be_bytes()),
    }
}

/// Octets nobody can foretell.
pub(crate) fn random() -> Result<[u8; 16]> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets)
        .map_err(|error| anyhow::anyhow!("The system gives no randomness: {error}"))?;
    Ok(octets)
}

/// Octets in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an event says, as the history keeps it. Moments are RFC 3339 in UTC with microseconds.
pub(crate) fn event_data(event: &Event) -> Value {
    match event {
        Event::Queued { opens } => json!({ "opens": utc(*opens) }),
        Event::Registered { number, day, due } => json!({
            "number": number.to_string(), "day": day_text(*day), "due": utc(*due),
        }),
        Event::Attached {
            by,
            evidence,
            internal,
        } => json!({ "by": by.to_string(), "evidence": evidence, "internal": internal }),
        Event::KindChanged { to, by } => json!({ "to": to.word(), "by": by.to_string() }),
        Event::Reworded { by, text } => json!({ "by": by.to_string(), "text": text }),
        Event::InstallationNamed { installation } => json!({ "installation": installation }),
        Event::TypeChanged { to, by } => json!({ "to": to.word(), "by": by.to_string() }),
        Event::StatusChanged {
            to,
            by,
            why,
            at,
            ending,
        } => json!({
            "to": to.word(), "by": by.as_ref().map(ToString::to_string), "why": why, "as_of": utc(*at),
            "ending": ending.map(Ending::word),
        }),
        Event::DueMoved { due } => json!({ "due": utc(*due) }),
        Event::Consented { to, by, at, whole } => json!({
            "to": to.word(), "by": by.to_string(), "as_of": utc(*at), "whole": whole,
        }),
        Event::MoreTimeAsked { days, reason, by } => json!({
            "working_days": days, "reason": reason, "by": by.to_string(),
        }),
        Event::Extended { days, at } => json!({ "working_days": days, "as_of": utc(*at) }),
        Event::Solved { by, text } | Event::Declined { by, text } => {
            json!({ "by": by.to_string(), "text": text })
        }
        Event::HandedOver { to, by } => json!({ "to": to.to_string(), "by": by.to_string() }),
        Event::Continues { number } => json!({ "number": number.to_string() }),
        Event::RequesterChanged { to, name } => json!({ "to": to.to_string(), "name": name }),
        Event::Succession(step) => json!({ "step": step }),
        Event::Told(told) => json!({ "moment": utc(told.moment()) }),
        Event::Reminded { pending, next } => json!({ "pending": pending, "next": next.map(utc) }),
        Event::ReminderPutOff { pending, to } => json!({ "pending": pending, "to": utc(*to) }),
        Event::Waits {
            kind,
            party,
            lapses,
            remind,
            days,
        } => json!({
            "for": kind.word(), "party": party.to_string(), "lapses": utc(*lapses),
            "remind": remind.map(utc), "working_days": days,
        }),
        Event::Settled {
            pending,
            outcome,
            by,
        } => json!({
            "pending": pending, "outcome": outcome.word(), "by": by.as_ref().map(ToString::to_string),
        }),
        Event::Noted { what } => json!({ "what": what }),
        Event::Undelivered { to, why, outbox } => {
            json!({ "to": to.to_string(), "why": why, "outbox": outbox })
        }
        Event::RollTaken { roll } => json!({ "appointments": roll_data(roll) }),
        Event::Appointment(change) => change_data(change),
    }
}

fn roll_data(roll: &Roll) -> Value {
    let listed = roll.installations().map(|(installation, listed)| {
        let people: Vec<Value> = listed.representatives.iter().map(person_data).collect();
        json!({ "customer": listed.customer, "installation": installation, "people": people })
    });
    Value::Array(listed.collect())
}

fn person_data(person: &Representative) -> Value {
    json!({
        "role": person.role.word(), "name": person.name, "address": person.address.to_string(), "phone": person.phone,
        "since": day_text(person.since), "until": person.until.map(day_text),
    })
}

fn change_data(change: &Change) -> Value {
    let was = match &change.what {
        What::Appointed { after } => after.as_deref().map_or(Value::Null, person_data),
        What::Ends { was } => json!(was.map(day_text)),
        What::Begins { was } => json!(day_text(*was)),
        What::Removed => Value::Null,
        What::Renamed { was } => json!(was),
        What::Readdressed { was } => json!(was.to_string()),
        What::Rephoned { was } => json!(was),
        What::RoleChanged { was } => json!(was.word()),
    };
    json!({
        "customer": change.customer, "installation": change.installation, "person": person_data(&change.person), "was": was,
    })
}

/// What a request was when it was opened, for the first entry of its history.
pub(crate) fn matter_data(matter: &Matter) -> Value {
    let mut data = json!({
        "customer": matter.customer, "installation": matter.installation,
        "requester": matter.requester.to_string(), "requester_name": matter.requester_name,
        "locale": locale_word(matter.locale), "kind": matter.kind.word(), "type": matter.type_.word(),
        "subject": matter.subject, "message_id": matter.message_id,
        "arrived": utc(matter.arrived), "opens": utc(matter.opens),
        "registration_day": day_text(matter.registration_day), "acknowledged": matter.acknowledged,
        "vouched": matter.vouched.word(), "quiet": matter.quiet,
    });
    // What was opened before there were channels says nothing, and came by mail.
    if let (Value::Object(data), true) = (&mut data, matter.channel != Channel::Mail) {
        data.insert("channel".into(), json!(matter.channel.word()));
    }
    data
}

/// A language as the store writes it.
pub(crate) fn locale_word(locale: crate::desk::people::Locale) -> &'static str {
    match locale {
        crate::desk::people::Locale::Ru => "ru",
        crate::desk::people::Locale::En => "en",
    }
}

/// A moment as the history writes it.
pub(crate) fn utc(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// Computed apart from this program (Python's hashlib and hmac over the form described above).
    #[test]
    fn the_canonical_form_is_what_it_always_was() {
        let prev = genesis(&[7; 16]);
        let salt = [1; 16];
        let commitment = commitment(&salt, r#"{"what":"Привет"}"#).unwrap();
        let mut entry = Entry {
            seq: 42,
            at_us: 1_795_000_000_123_456,
            kind: "noted".to_owned(),
            request: Some(3),
            letter: None,
            letter_sha256: None,
            commitment,
        };
        assert_eq!(
            hex(&prev),
            "52529e387c5d3f170a1918a5f66935576716960643fc85499fd67cef10ab0b9f"
        );
        assert_eq!(
            hex(&commitment),
            "6b19ef8094c2fb706a1c2ce7069a9583b8459dd4f63dcdda65a1e9d11c01a68a"
        );
        assert_eq!(
            hex(&entry.hash(&prev)),
            "ea46b2bf72dd55b119fe3a512973ad0cab95f5833c21e2607e85174cabe0103d"
        );
        entry.letter = Some(9);
        entry.letter_sha256 = Some([0xab; 32]);
        assert_eq!(
            hex(&entry.hash(&prev)),
            "93ce8a08e728e8694a19f7a54c4cae38586a190ee5a56cc5e6229c9f0588d894"
        );
    }

    #[test]
    fn no_two_fields_run_together() {
        let entry = |kind: &str, request| Entry {
            seq: 1,
            at_us: 1,
            kind: kind.to_owned(),
            request,
            letter: None,
            letter_sha256: None,
            commitment: [0; 32],
        };
        let prev = [0; 32];
        assert_ne!(
            entry("a", Some(1)).hash(&prev),
            entry("a", None).hash(&prev)
        );
        assert_ne!(entry("a\0", None).hash(&prev), entry("a", None).hash(&prev));
        let mut other = entry("a", None);
        other.letter = Some(1);
        assert_ne!(other.hash(&prev), entry("a", Some(1)).hash(&prev));
    }
}
