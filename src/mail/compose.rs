//! A notice to the bytes of a letter: headers that thread and mark it (R49), plain text and HTML from one wording, nothing a stranger wrote outside their place.

use chrono::{DateTime, Offset, TimeZone, Utc};
use lettre::message::Body;
use lettre::message::header::ContentTransferEncoding;
use sha2::{Digest, Sha256};

use super::enclosure::{self, File};
use super::header;
use super::thread::{self, Keys, Token};
use super::wording::{Said, Voice, Wording};
use crate::desk::notice::{Notice, Template};
use crate::desk::people::Locale;
use crate::desk::policy::Desk;

/// A letter of ours, ready to be stored and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The subject as text.
    pub subject: String,
    /// Its Message-ID, without brackets.
    pub message_id: String,
    /// The bytes: CRLF, no bare CR or LF, no line over 998 octets, 7-bit (but for an address that is not ASCII itself).
    pub bytes: Vec<u8>,
}

/// Writes a notice. `token` is sealed into Message-ID and reply address; `now` becomes the Date.
pub fn compose(
    notice: &Notice,
    desk: &Desk,
    wording: &Wording,
    keys: &Keys,
    token: &Token,
    now: DateTime<Utc>,
) -> Composed {
    compose_with(notice, vec![], desk, wording, keys, token, now)
}

/// The same with files that are sent along, byte for byte.
pub fn compose_with(
    notice: &Notice,
    files: Vec<File>,
    desk: &Desk,
    wording: &Wording,
    keys: &Keys,
    token: &Token,
    now: DateTime<Utc>,
) -> Composed {
    let message_id = thread::message_id(keys, token, &desk.address);
    let reply_to = desk
        .plus_addressing
        .then(|| thread::reply_address(keys, token, &desk.address));
    let reply_to = reply_to.as_deref();
    write(notice, files, desk, wording, &message_id, reply_to, now)
}

/// Writes a notice under names that are already sealed. The same arguments give the same bytes.
fn write(
    notice: &Notice,
    files: Vec<File>,
    desk: &Desk,
    wording: &Wording,
    message_id: &str,
    reply_to: Option<&str>,
    now: DateTime<Utc>,
) -> Composed {
    let voice = Voice {
        desk_name: &desk.name,
        desk_address: &desk.address.to_string(),
        zone: desk.calendar.zone(),
        confirm: &desk.words.confirm,
        decline: &desk.words.decline,
        approve: &desk.words.approve,
        disapprove: &desk.words.disapprove,
        reply_to,
    };
    let said = wording.say(notice, &voice);
    let mut bytes = headers(notice, desk, &said, message_id, reply_to, now);
    bytes.push_str(&body(&said, files, message_id));
    Composed {
        subject: said.subject,
        message_id: message_id.to_owned(),
        bytes: bytes.into_bytes(),
    }
}

fn headers(
    notice: &Notice,
    desk: &Desk,
    said: &Said,
    message_id: &str,
    reply_to: Option<&str>,
    now: DateTime<Utc>,
) -> String {
    let answered = notice
        .thread
        .in_reply_to
        .as_ref()
        .filter(|id| header::is_message_id(id));
    let answers: Vec<String> = answered.cloned().into_iter().collect();
    let references = header::references(&notice.thread.references, answered);
    let mut headers = String::new();
    headers.push_str(&header::mailbox(
        "From",
        &desk.name,
        &header::address(&desk.address),
    ));
    headers.push_str(&header::mailbox(
        "To",
        &notice.name,
        &header::address(&notice.to),
    ));
    if let Some(reply_to) = reply_to {
        headers.push_str(&header::mailbox("Reply-To", &desk.name, reply_to));
    }
    headers.push_str(&header::text("Subject", &said.subject));
    headers.push_str(&header::text("Date", &date(desk.calendar.zone(), now)));
    headers.push_str(&header::message_ids("Message-ID", &[message_id.to_owned()]));
    headers.push_str(&header::message_ids("In-Reply-To", &answers));
    headers.push_str(&header::message_ids("References", &references));
    headers.push_str(&header::text("Auto-Submitted", auto_submitted(notice)));
    headers.push_str("X-Auto-Response-Suppress: All\r\n");
    let sealed = message_id
        .split_once('@')
        .map_or(message_id, |(sealed, _)| sealed);
    headers.push_str(&format!("X-Postdesk-Loop: {sealed}\r\n"));
    headers.push_str(match notice.locale {
        Locale::Ru => "Content-Language: ru\r\n",
        Locale::En => "Content-Language: en\r\n",
    });
    headers.push_str("MIME-Version: 1.0\r\n");
    headers
}

/// RFC 3834 5: `auto-replied` is for what goes back to the writer of one letter because of it; what goes to others, or because time passed, is `auto-generated`.
fn auto_submitted(notice: &Notice) -> &'static str {
    match notice.template {
        Template::OrderToConfirm
        | Template::OrderLapsed
        | Template::RedirectedToPrimary
        | Template::SuccessionAsked
        | Template::SuccessionOriginal
        | Template::SuccessorWelcome
        | Template::SuccessionOver
        | Template::SuccessionInForce
        | Template::SuccessionState
        | Template::StatusChanged
        | Template::Reminder
        | Template::ConsentAsked
        | Template::ConsentGiven
        | Template::ConsentDeclined
        | Template::ExtensionAsked
        | Template::Extended
        | Template::ConsentSettled
        | Template::ForDeveloper
        | Template::DeveloperReplied
        | Template::DueSoon
        | Template::Overdue
        | Template::ForSpecialist
        | Template::SpecialistAlert => "auto-generated",
        Template::Registered
        | Template::Queued
        | Template::OrderNeedsPrimary
        | Template::OrderRefused
        | Template::OrderConfirmed
        | Template::OrderDeclined
        | Template::Challenge
        | Template::AskInstallation
        | Template::Redirected
        | Template::NotRepresentative
        | Template::Refused
        | Template::Requests
        | Template::Help
        | Template::SuccessionReceived
        | Template::Oversize
        | Template::Transcript => match notice.thread.in_reply_to {
            Some(_) => "auto-replied",
            None => "auto-generated",
        },
    }
}

/// RFC 5322 3.3, in the desk's zone. A moment that no zone can show is shown in UTC.
fn date(zone: chrono_tz::Tz, now: DateTime<Utc>) -> String {
    let offset = zone.offset_from_utc_datetime(&now.naive_utc()).fix();
    let local = now
        .naive_utc()
        .checked_add_offset(offset)
        .map_or_else(|| now.fixed_offset(), |_| now.with_timezone(&offset));
    local.format("%a, %d %b %Y %H:%M:%S %z").to_string()
}

/// Text, page and files: where there are files, the first two are one part of a whole that holds them all (RFC 2046 5.1).
fn body(said: &Said, files: Vec<File>, message_id: &str) -> String {
    // Neither base64 nor quoted-printable can hold `=_`, so the boundary stands in no part.
    let boundary: String = Sha256::digest(message_id)
        .iter()
        .take(15)
        .map(|octet| format!("{octet:02x}"))
        .collect();
    let (outer, boundary) = (format!("=_m{boundary}"), format!("=_{boundary}"));
    let mut body = String::new();
    if !files.is_empty() {
        body.push_str(&format!(
            "Content-Type: multipart/mixed;\r\n boundary=\"{outer}\"\r\n\r\n--{outer}\r\n"
        ));
    }
    body.push_str(&format!(
        "Content-Type: multipart/alternative;\r\n boundary=\"{boundary}\"\r\n\r\n"
    ));
    let html = said.html.replace('\n', "\r\n");
    for (kind, text) in [
        (
            "text/plain; charset=utf-8; format=flowed",
            flowed(&said.text),
        ),
        ("text/html; charset=utf-8", html),
    ] {
        body.push_str(&format!("--{boundary}\r\nContent-Type: {kind}\r\n"));
        body.push_str(&encoded(text));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    if files.is_empty() {
        return body;
    }
    for file in files {
        body.push_str(&format!("--{outer}\r\n{}", enclosure::part(file)));
    }
    body.push_str(&format!("--{outer}--\r\n"));
    body
}

/// The transfer encoding, a blank line and the text in it. Quoted-printable for what is mostly ASCII, so that it stays readable in the raw.
fn encoded(text: String) -> String {
    let foreign = text.bytes().filter(|b| !b.is_ascii()).count();
    let (encoding, name) = if foreign > text.len() / 6 {
        (ContentTransferEncoding::Base64, "base64")
    } else {
        (ContentTransferEncoding::QuotedPrintable, "quoted-printable")
    };
    // Either of the two encodings can hold any octets: there is nothing to refuse.
    let encoded = match Body::new_with_encoding(text.into_bytes(), encoding) {
        Ok(body) => body.into_vec(),
        Err(text) => text,
    };
    // Both encodings give ASCII.
    let encoded = String::from_utf8(encoded).unwrap_or_default();
    format!(
        "Content-Transfer-Encoding: {name}\r\n\r\n{}\r\n",
        encoded.trim_end_matches(['\r', '\n'])
    )
}

/// RFC 3676: paragraphs as lines of at most 76 characters that a reader may join again.
fn flowed(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let (prefix, line) = match line.strip_prefix('>') {
            Some(cited) => ("> ", cited.strip_prefix(' ').unwrap_or(cited)),
            None => ("", line),
        };
        let mut piece = String::new();
        for word in line.trim_end().split_inclusive(' ') {
            let width = piece.chars().count().saturating_add(word.chars().count());
            if width > 74 && piece.ends_with(' ') {
                out.push_str(&format!("{prefix}{}\r\n", stuffed(prefix, &piece)));
                piece.clear();
            }
            piece.push_str(word);
        }
        let last = format!("{prefix}{}", stuffed(prefix, &piece));
        out.push_str(last.trim_end());
        out.push_str("\r\n");
    }
    out
}

/// RFC 3676 4.4: what only looks like quotation or an mbox separator is stuffed with a space; what is quoted has one already.
fn stuffed(prefix: &str, piece: &str) -> String {
    let looks = piece.starts_with([' ', '>']) || piece.starts_with("From ");
    if prefix.is_empty() && looks {
        format!(" {piece}")
    } else {
        piece.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "tests"
    )]
    use std::collections::BTreeMap;

    use chrono_tz::Tz;
    use mail_parser::{MessageParser, MimeHeaders};
    use proptest::prelude::*;

    use super::*;
    use crate::desk::address::Address;
    use crate::desk::calendar::Calendar;
    use crate::desk::loops::Breakers;
    use crate::desk::notice::{Purpose, Tells, Thread};
    use crate::desk::people::Directory;
    use crate::desk::policy::{
        Consents, Deadlines, KindPatterns, Limits, OrdersFromAdditional, Redirect,
        SuccessionPolicy, Voices, Words,
    };
    use crate::desk::request::{Number, Status};

    const ID: &str = "r1abcdefgh.0123456789abcdef@desk.example";
    const REPLY: &str = "support+r1abcdefgh.0123456789abcdef@desk.example";

    fn desk(name: &str) -> Desk {
        Desk {
            name: name.to_owned(),
            address: Address::new("support@desk.example").unwrap(),
            locale: Locale::Ru,
            calendar: Calendar::new(
                Tz::Asia__Yekaterinburg,
                Default::default(),
                BTreeMap::new(),
                BTreeMap::new(),
                60,
            ),
            directory: Directory::default(),
            deadlines: Deadlines {
                answer: 5,
                warn_before: 1,
                confirm: 5,
                remind_confirm: 3,
                remind_information: 5,
                close_unanswered: 10,
                close_resolved: 3,
                reopen: 10,
                remind_consent: 2,
                paper_original: 5,
            },
            kinds: KindPatterns {
                order_markers: vec![],
                question_markers: vec![],
                order_tags: vec![],
                question_tags: vec![],
                order_patterns: vec![],
                question_patterns: vec![],
                fault_patterns: vec![],
                improvement_patterns: vec![],
            },
            words: Words {
                confirm: vec!["Подтверждаю".into()],
                decline: vec!["Отклоняю".into()],
                ..Words::default()
            },
            consents: Consents {
                faults: Voices::Any,
                improvements: Voices::Any,
                extensions: Voices::Any,
            },
            orders_from_additional: OrdersFromAdditional::Question,
            acknowledge_queued: true,
            redirect: Redirect {
                name_primary: true,
                forward: true,
            },
            succession: SuccessionPolicy {
                patterns: vec![],
                materials: None,
            },
            limits: Limits {
                letters_per_hour: 20,
                requests_per_hour: 20,
                request_letters_per_hour: 20,
                same_text_per_hour: 10,
                outsider_letters_per_hour: 100,
                alerts_per_hour: 20,
                refusals_per_day: 1,
                enclosed: 10_485_760,
            },
            breakers: Breakers::ALL,
            plus_addressing: true,
        }
    }

    fn notice(template: Template, name: &str, subject: &str) -> Notice {
        Notice {
            template,
            to: Address::new("maria@raduga.example").unwrap(),
            name: name.to_owned(),
            locale: Locale::Ru,
            purpose: Purpose::Reply,
            thread: Thread {
                in_reply_to: Some("b@raduga.example".into()),
                references: vec!["a@raduga.example".into()],
            },
            tells: Tells {
                number: Some(Number::new(2026, 42)),
                subject: subject.to_owned(),
                status: Some(Status::InProgress),
                text: Some("From me\n>quoted\n\nи текст".into()),
                ..Tells::default()
            },
        }
    }

    fn letter(notice: &Notice, desk: &Desk) -> Composed {
        let now = DateTime::parse_from_rfc3339("2026-11-23T05:12:01Z")
            .unwrap()
            .to_utc();
        write(
            notice,
            vec![],
            desk,
            &Wording::built_in(),
            ID,
            Some(REPLY),
            now,
        )
    }

    /// RFC 5322 and 5321: what every letter of ours keeps, whatever is in it.
    fn keeps_the_form(composed: &Composed) {
        let text = std::str::from_utf8(&composed.bytes).unwrap();
        assert!(text.is_ascii());
        assert!(text.ends_with("--\r\n"));
        for line in text.split_terminator("\r\n") {
            assert!(
                line.len() <= 998 && !line.contains(['\r', '\n', '\0']),
                "{line:?}"
            );
        }
        let (headers, body) = text.split_once("\r\n\r\n").unwrap();
        for name in [
            "From",
            "To",
            "Reply-To",
            "Subject",
            "Date",
            "Message-ID",
            "In-Reply-To",
            "References",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "X-Postdesk-Loop",
            "MIME-Version",
            "Content-Type",
        ] {
            let fields = headers
                .split("\r\n")
                .filter(|l| l.starts_with(&format!("{name}:")))
                .count();
            assert_eq!(fields, 1, "{name} in\n{headers}");
        }
        let names = headers
            .split("\r\n")
            .filter(|l| !l.starts_with(' '))
            .count();
        assert_eq!(names, 14, "{headers}");
        assert!(
            headers
                .split("\r\n")
                .all(|l| l.len() <= 78 && l.trim() != ""),
            "{headers}"
        );
        assert!(body.split("\r\n").all(|l| l.len() <= 78));
    }

    /// R49, G71, G79.
    #[test]
    fn a_letter_is_threaded_and_marked() {
        let composed = letter(
            &notice(Template::Registered, "Мария Иванова", "Журнал"),
            &desk("Ситуационный центр"),
        );
        keeps_the_form(&composed);
        let text = String::from_utf8(composed.bytes.clone()).unwrap();
        let (headers, _) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(
            headers.replace("\r\n", "\n"),
            "From: =?utf-8?b?0KHQuNGC0YPQsNGG0LjQvtC90L3Ri9C5INGG0LXQvdGC0YA=?=\n <support@desk.example>\n\
             To: =?utf-8?b?0JzQsNGA0LjRjyDQmNCy0LDQvdC+0LLQsA==?= <maria@raduga.example>\n\
             Reply-To: =?utf-8?b?0KHQuNGC0YPQsNGG0LjQvtC90L3Ri9C5INGG0LXQvdGC0YA=?=\n <support+r1abcdefgh.0123456789abcdef@desk.example>\n\
             Subject: =?utf-8?b?UmU6INCW0YPRgNC90LDQuyBb4oSWIDIwMjYtMDAwMDQyXQ==?=\n\
             Date: Mon, 23 Nov 2026 10:12:01 +0500\n\
             Message-ID: <r1abcdefgh.0123456789abcdef@desk.example>\n\
             In-Reply-To: <b@raduga.example>\n\
             References: <a@raduga.example> <b@raduga.example>\n\
             Auto-Submitted: auto-replied\n\
             X-Auto-Response-Suppress: All\n\
             X-Postdesk-Loop: r1abcdefgh.0123456789abcdef\n\
             Content-Language: ru\n\
             MIME-Version: 1.0\n\
             Content-Type: multipart/alternative;\n boundary=\"=_REST\""
                .replace("=_REST", headers.split("boundary=\"").nth(1).unwrap().trim_end_matches('"'))
        );
        for banned in ["Precedence:", "List-"] {
            assert!(!headers.contains(banned));
        }
        let read = MessageParser::default().parse(&composed.bytes).unwrap();
        assert_eq!(read.subject(), Some("Re: Журнал [№ 2026-000042]"));
        assert_eq!(read.parts[1].attribute_type(), "text/plain");
        assert!(
            read.body_text(0)
                .unwrap()
                .contains("зарегистрирован под № 2026-000042.")
        );
        assert!(read.body_html(0).unwrap().contains("<!DOCTYPE html>"));
    }

    trait PartKind {
        fn attribute_type(&self) -> String;
    }

    impl PartKind for mail_parser::MessagePart<'_> {
        fn attribute_type(&self) -> String {
            let kind = self.content_type().unwrap();
            format!("{}/{}", kind.ctype(), kind.subtype().unwrap())
        }
    }

    #[test]
    fn the_same_arguments_give_the_same_bytes() {
        for &template in Template::ALL {
            let one = notice(template, "Мария", "Журнал");
            assert_eq!(letter(&one, &desk("Центр")), letter(&one, &desk("Центр")));
            keeps_the_form(&letter(&one, &desk("Центр")));
        }
    }

    #[test]
    fn without_plus_addresses_replies_go_to_the_desk_and_nothing_is_clicked() {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let one = notice(Template::OrderToConfirm, "Мария", "Журнал");
        let composed = write(
            &one,
            vec![],
            &desk("Центр"),
            &Wording::built_in(),
            ID,
            None,
            now,
        );
        let text = String::from_utf8(composed.bytes.clone()).unwrap();
        assert!(!text.contains("\r\nReply-To: "));
        assert!(text.contains("Auto-Submitted: auto-generated\r\n"));
        let read = MessageParser::default().parse(&composed.bytes).unwrap();
        assert!(!read.body_html(0).unwrap().contains("mailto:"));
        let said = read
            .body_text(0)
            .unwrap()
            .replace("\r\n", "\n")
            .replace(" \n", " ");
        assert!(
            said.contains("одним словом: «Подтверждаю» или «Отклоняю»"),
            "{said}"
        );
        let with = letter(&one, &desk("Центр"));
        let read = MessageParser::default().parse(&with.bytes).unwrap();
        let html = read.body_html(0).unwrap().into_owned();
        let link = html
            .split("href=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        assert!(
            link.starts_with(
                "mailto:support+r1abcdefgh.0123456789abcdef@desk.example?subject=Re%3A%20"
            ),
            "{link}"
        );
        assert!(
            link.ends_with(
                "&amp;body=%D0%9F%D0%BE%D0%B4%D1%82%D0%B2%D0%B5%D1%80%D0%B6%D0%B4%D0%B0%D1%8E"
            ),
            "{link}"
        );
        assert!(link.len() < 1800);
    }

    /// R49: a token stands in the headers as it is, however long.
    #[test]
    fn a_long_token_is_neither_encoded_nor_cut() {
        let id = format!("{}@desk.example", "r1".repeat(60));
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let one = notice(Template::Registered, "Мария", "Журнал");
        let composed = write(
            &one,
            vec![],
            &desk("Центр"),
            &Wording::built_in(),
            &id,
            None,
            now,
        );
        let text = String::from_utf8(composed.bytes).unwrap();
        assert!(text.contains(&format!("\r\nMessage-ID: <{id}>\r\n")));
        assert!(text.contains(&format!("\r\nX-Postdesk-Loop: {}\r\n", "r1".repeat(60))));
    }

    /// RFC 3676, read back by its own rules, gives the paragraphs again.
    #[test]
    fn flowed_text_can_be_joined_again() {
        let long = "слово ".repeat(60);
        let text = format!(
            "{long}\n\nFrom here\n> {long}\n>\n> > twice\n key:  a\n{}\n",
            "x".repeat(300)
        );
        let flowed = flowed(&text);
        assert!(
            flowed
                .lines()
                .all(|l| l.chars().count() <= 76 || l.len() == 300),
            "{flowed}"
        );
        let mut joined = String::new();
        for line in flowed.split_terminator("\r\n") {
            let (quote, rest) = match line.strip_prefix('>') {
                Some(rest) => ("> ", rest),
                None => ("", line),
            };
            let rest = rest.strip_prefix(' ').unwrap_or(rest);
            if joined.is_empty() || joined.ends_with('\n') {
                joined.push_str(quote);
            }
            joined.push_str(rest);
            if !rest.ends_with(' ') {
                joined = joined.trim_end_matches(' ').to_owned();
                joined.push('\n');
            }
        }
        let expected: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(joined.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_address_is_written_as_it_is() {
        let mut one = notice(Template::Registered, "", "Журнал");
        one.to = Address::new("почта@пример.рф").unwrap();
        let text = String::from_utf8(letter(&one, &desk("Desk")).bytes).unwrap();
        assert!(
            text.contains("\r\nTo: почта@xn--e1afmkfd.xn--p1ai\r\n"),
            "{text}"
        );
        one.to = Address::new(".odd..@raduga.example").unwrap();
        let text = String::from_utf8(letter(&one, &desk("Desk")).bytes).unwrap();
        assert!(
            text.contains("\r\nTo: \".odd..\"@raduga.example\r\n"),
            "{text}"
        );
    }

    #[test]
    fn a_date_beyond_every_calendar_is_still_written() {
        for now in [DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC] {
            assert!(!date(Tz::Asia__Kamchatka, now).is_empty());
            assert!(!date(Tz::Pacific__Pago_Pago, now).is_empty());
        }
    }

    /// R27: text, page and files in one letter, the files byte for byte.
    #[test]
    fn files_go_along_with_the_letter() {
        let one = notice(Template::ForDeveloper, "Группа разработки", "Журнал");
        let octets: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let files = ["журнал.pdf", "b.zip"].map(|name| File {
            name: name.to_owned(),
            media_type: "application/pdf".to_owned(),
            octets: octets.clone(),
        });
        let now = DateTime::UNIX_EPOCH;
        let desk = desk("Центр");
        let wording = Wording::built_in();
        let composed = write(&one, files.to_vec(), &desk, &wording, ID, Some(REPLY), now);
        keeps_the_form(&composed);
        let read = MessageParser::default().parse(&composed.bytes).unwrap();
        let names: Vec<_> = read
            .attachments()
            .map(|a| a.attachment_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["журнал.pdf", "b.zip"]);
        assert!(read.attachments().all(|a| a.contents() == octets));
        assert_eq!((read.text_body_count(), read.html_body_count()), (1, 1));
        // The desk's own reading agrees.
        let caps = crate::mail::parse::Caps::DEFAULT;
        let own = crate::mail::enclosure::octets(&composed.bytes, caps);
        assert_eq!(own, [octets.clone(), octets]);
    }

    fn anything() -> impl Strategy<Value = String> {
        let nasty = prop::sample::select(vec![
            "\r\n",
            "\r",
            "\n",
            "\0",
            "\u{85}",
            "\u{2028}",
            "\u{202e}",
            "\"",
            "\\",
            "<",
            ">",
            ",",
            ";",
            ":",
            "Bcc: evil@x.example",
            "=?utf-8?b?",
            "?=",
            "@",
            "evil@x.example",
            " ",
            "\t",
            "[№ 2026-000042]",
            "{{",
            "%}",
            "\u{fffe}",
            "\u{10ffff}",
            "и\u{306}",
            "👩‍👩‍👧",
            "(",
            ")",
            "\u{1}",
            "\u{2}",
            "\u{3}",
            "\u{5}",
            "\u{6}",
        ]);
        let piece = prop_oneof![
            nasty.prop_map(str::to_owned),
            any::<String>(),
            "[а-яА-Я ]{0,80}"
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        /// G76, S30: one header of each and exactly the intended recipient, whatever names and subjects are.
        #[test]
        fn any_name_and_subject_give_one_header_and_one_recipient(
            name in anything(), subject in anything(), desk_name in anything(), text in anything(),
            id in anything(), at in 0..Template::ALL.len(),
        ) {
            let mut one = notice(Template::ALL[at], &name, &subject);
            one.tells.text = Some(text);
            one.thread.references.push(id);
            let composed = letter(&one, &desk(&desk_name));
            keeps_the_form(&composed);
            let read = MessageParser::default().parse(&composed.bytes).unwrap();
            let one_address = |list: Option<&mail_parser::Address<'_>>| {
                let list: Vec<String> = list.unwrap().iter().map(|a| a.address().unwrap().to_owned()).collect();
                list
            };
            prop_assert_eq!(one_address(read.to()), vec!["maria@raduga.example".to_owned()]);
            prop_assert_eq!(one_address(read.from()), vec!["support@desk.example".to_owned()]);
            prop_assert_eq!(one_address(read.reply_to()), vec![REPLY.to_owned()]);
            prop_assert!(read.cc().is_none() && read.bcc().is_none());
            prop_assert_eq!(read.subject().unwrap(), composed.subject.as_str());
            prop_assert_eq!(read.message_id().unwrap(), ID);
            prop_assert!(composed.subject.chars().count() <= 200);
            prop_assert_eq!(composed.subject.matches("[№ 2026-000042]").count(), 1);
            prop_assert_eq!(read.parts.len(), 3);
        }
    }
}
