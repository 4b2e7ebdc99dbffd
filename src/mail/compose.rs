//! A notice to the bytes of a letter: headers that thread and mark it (R49), plain text and HTML from one wording, nothing a stranger wrote outside their place.

use chrono::{DateTime, Offset, TimeZone, Utc};
use lettre::message::Body;
use lettre::message::header::ContentTransferEncoding;
use sha2::{Digest, Sha256};

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
    let message_id = thread::message_id(keys, token, &desk.address);
    let reply_to = desk
        .plus_addressing
        .then(|| thread::reply_address(keys, token, &desk.address));
    write(notice, desk, wording, &message_id, reply_to.as_deref(), now)
}

/// Writes a notice under names that are already sealed. The same arguments give the same bytes.
fn write(
    notice: &Notice,
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
        reply_to,
    };
    let said = wording.say(notice, &voice);
    let mut bytes = headers(notice, desk, &said, message_id, reply_to, now);
    bytes.push_str(&body(&said, message_id));
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
    headers.push_str(&header::text("X-Postdesk-Loop", sealed));
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
        | Template::StatusChanged
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
        | Template::Oversize => match notice.thread.in_reply_to {
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

fn body(said: &Said, message_id: &str) -> String {
    // Neither base64 nor quoted-printable can hold `=_`, so the boundary stands in no part.
    let boundary: String = Sha256::digest(message_id)
        .iter()
        .take(15)
        .map(|octet| format!("{octet:02x}"))
        .collect();
    let boundary = format!("=_{boundary}");
    let mut body =
        format!("Content-Type: multipart/alternative;\r\n boundary=\"{boundary}\"\r\n\r\n");
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
    let encoded: String = encoded.into_iter().map(char::from).collect();
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
