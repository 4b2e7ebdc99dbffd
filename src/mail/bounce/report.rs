//! What a bounce says: for whom the letter failed, whether for good, why, and which letter it was (R47).

use super::status::{self, Action, telling};
use super::{cause, returned, story, told};
use crate::desk::address::Address;
use crate::desk::letter::Bounce;
use crate::mail::clean;
use crate::mail::parts::Parts;

/// Characters of a reason that are kept.
const REASON: usize = 300;
/// Further addresses that are kept.
const FURTHER: usize = 20;

/// Reads a letter that is a bounce. `text` is its decoded text, `ours` the addresses that it came to.
pub(crate) fn read(parts: &Parts<'_>, text: &str, subject: &str, ours: &[Address]) -> Bounce {
    let told = told::told(text);
    let mut ids = returned::message_ids(parts, &told).into_iter();
    let original_message_id = ids.next();
    let mut bounce = match status::recipients(parts) {
        all if all.is_empty() => from_story(parts, &told, subject, ours),
        all => from_fields(&all, &told, ours),
    };
    if bounce.recipient.is_none() {
        bounce.recipient = returned::only_recipient(parts, &told);
    }
    bounce.original_message_id = original_message_id;
    bounce.further_ids = ids.collect();
    bounce
}

/// From delivery status fields: the first recipient that failed speaks for all.
fn from_fields(all: &[status::Recipient], told: &told::Told<'_>, ours: &[Address]) -> Bounce {
    let action = all.first().map_or(Action::Failed, |r| r.action);
    let mut addresses: Vec<String> = Vec::new();
    for address in all
        .iter()
        .filter(|r| r.action == action)
        .flat_map(|r| &r.addresses)
    {
        if !addresses.contains(address) && addresses.len() <= FURTHER {
            addresses.push(address.clone());
        }
    }
    if addresses.is_empty() {
        addresses = story::recipients(told.own, ours);
    }
    let first = all.first();
    let words = first.map(|r| r.diagnostic.clone()).unwrap_or_default();
    let status = first.and_then(|r| r.status.clone());
    let words = if words.is_empty() {
        story::diagnostic(told.own, addresses.first().map(String::as_str))
    } else {
        words
    };
    finished(addresses, action, status, &words, told.own)
}

/// From sentences, and from the field that Exim and Google add.
fn from_story(parts: &Parts<'_>, told: &told::Told<'_>, subject: &str, ours: &[Address]) -> Bounce {
    let mut addresses: Vec<String> = parts
        .list
        .first()
        .and_then(|letter| letter.fields.plain("X-Failed-Recipients"))
        .iter()
        .flat_map(|list| list.split(','))
        .map(|a| a.trim().to_owned())
        .filter(|a| Address::new(a).is_ok())
        .take(FURTHER)
        .collect();
    if addresses.is_empty() {
        addresses = story::recipients(told.own, ours);
        addresses.truncate(FURTHER);
    }
    let action = if story::is_delay(told.own, subject) {
        Action::Delayed
    } else {
        Action::Failed
    };
    let words = story::diagnostic(told.own, addresses.first().map(String::as_str));
    finished(addresses, action, None, &words, told.own)
}

fn finished(
    addresses: Vec<String>,
    action: Action,
    status: Option<String>,
    words: &str,
    own: &str,
) -> Bounce {
    let status = telling(status, words);
    let taken = addresses
        .first()
        .is_some_and(|first| cause::is_taken(&story::about(own, first)));
    let mut addresses = addresses.into_iter();
    Bounce {
        recipient: addresses.next(),
        also: addresses.collect(),
        permanent: action == Action::Failed && cause::is_dead(status.as_deref(), words, taken),
        action: match action {
            Action::Failed => "failed",
            Action::Delayed => "delayed",
            Action::Done => "delivered",
        }
        .to_owned(),
        status,
        diagnostic: Some(clean::line(words, REASON)).filter(|w| !w.is_empty()),
        original_message_id: None,
        further_ids: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::time::Duration;

    use proptest::prelude::*;

    use crate::clock::processor_time;
    use crate::mail::parse::{Caps, read};

    /// `FAULTS` F: nothing that a report says takes long to read, however often it says it.
    #[test]
    fn a_hostile_report_is_read_in_time() {
        let head = "Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nTo: support@desk.example\nSubject: failure notice\n";
        for piece in [
            "a@b.example ",
            "<olga@x.example>:\n",
            "5.1.1 550 ",
            "550 5.1.1 user unknown quota spam\n",
            "could not be delivered ",
            "Subject: x\nTo: y\n",
            "Message-ID: <",
            "5.5.5.5.",
            "> ",
            "@",
        ] {
            let long = piece.repeat((1 << 19) / piece.len());
            for raw in [
                format!("{head}\n{long}"),
                format!(
                    "{head}Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n{long}\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; {long}\n\n{long}\n--b--\n"
                ),
                format!("{head}X-Failed-Recipients: {long}\n\nx"),
            ] {
                let begun = processor_time();
                let letter = read(raw.as_bytes(), Caps::DEFAULT);
                assert!(letter.automatic.is_some());
                let took = processor_time() - begun;
                assert!(took < Duration::from_secs(5), "{piece:?} {took:?}");
            }
        }
        let part = "--b\nContent-Type: message/rfc822\n\nMessage-ID: <a@b>\nTo: a@b.example, c@d.example\n\nx\n";
        let parts = part.repeat(3_000);
        let raw = format!("{head}Content-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n");
        let begun = processor_time();
        assert!(read(raw.as_bytes(), Caps::DEFAULT).bounce.is_some());
        assert!(processor_time() - begun < Duration::from_secs(10));
    }

    proptest! {
        #[test]
        fn no_report_breaks_the_reader(pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "Final-Recipient: rfc822; ", "Action: failed\n", "Status: 5.1.1\n", "\n", "<", ">", "@", ".", "5", "550 ", "é", "🙂",
                "olga@x.example", "could not be delivered", "Message-ID: <", "--b\n", "Content-Type: message/delivery-status\n\n", " ", "\t", ";", "İ",
            ]), 0..60,
        )) {
            let text = pieces.concat();
            let raw = format!("From: MAILER-DAEMON\nSubject: failure notice\nContent-Type: multipart/report; boundary=b\n\n--b\n\n{text}\n--b--\n");
            let bounce = read(raw.as_bytes(), Caps::DEFAULT).bounce;
            prop_assert!(bounce.is_some());
            let bounce = bounce.unwrap();
            prop_assert!(bounce.also.len() <= super::FURTHER);
            prop_assert!(bounce.diagnostic.is_none_or(|d| d.chars().count() <= super::REASON));
        }
    }
}
