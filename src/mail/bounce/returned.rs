//! The letter that a report returns: its Message-IDs, by which it is known as ours (R47).

use super::told::{Told, unquoted};
use crate::mail::fields::{Fields, leading_blanks};
use crate::mail::mailboxes;
use crate::mail::parts::{Part, Parts};
use crate::mail::words;

/// How much of a returned letter is looked at.
const HEADER: usize = 64 * 1024;
/// How many parts of a report are looked at: what it returns stands among the first.
const PARTS: usize = 20;
/// How many Message-IDs of a report are looked at.
const IDS: usize = 8;

/// Whether a part is the returned letter, or its header.
pub(crate) fn is_returned(part: &Part<'_>) -> bool {
    part.is_message()
        || matches!(
            part.media_type(),
            "text/rfc822-headers"
                | "text/rfc822-header"
                | "message/rfc822-headers"
                | "message/rfc822-header"
                | "message/global-headers"
                | "text/rfc822"
        )
}

/// Message-IDs of what came back, from the surest place to the least sure.
pub(crate) fn message_ids(parts: &Parts<'_>, told: &Told<'_>) -> Vec<String> {
    let mut ids = Vec::new();
    let mut add = |id: Option<String>| {
        if let Some(id) = id.filter(|id| !ids.contains(id))
            && ids.len() < IDS
        {
            ids.push(id);
        }
    };
    for part in parts.list.iter().skip(1).take(PARTS) {
        if is_returned(part) {
            let (decoded, _) = part.decoded_up_to(HEADER);
            add(header_id(&decoded));
        } else if part.media_type() == "message/disposition-notification" {
            let (decoded, _) = part.decoded_up_to(HEADER);
            let fields = Fields::read(&decoded, HEADER, &|_| false);
            add(fields
                .plain("Original-Message-ID")
                .and_then(|id| bracketed(&id)));
        }
    }
    for text in [told.returned, told.own] {
        for line in text.lines().take(5_000) {
            add(named_in(unquoted(line)));
        }
    }
    ids
}

fn header_id(letter: &[u8]) -> Option<String> {
    let skip = leading_blanks(letter);
    let fields = Fields::read(letter.get(skip..)?, HEADER, &|_| false);
    bracketed(&fields.plain("Message-ID")?)
}

/// `Message-ID: <…>` as a line of text.
fn named_in(line: &str) -> Option<String> {
    let (name, rest) = line.split_once(':').filter(|(name, _)| name.len() <= 24)?;
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_lowercase();
    matches!(
        name.as_str(),
        "messageid" | "originalmessageid" | "internetmessageid"
    )
    .then(|| bracketed(rest))?
}

fn bracketed(value: &str) -> Option<String> {
    let (_, rest) = value.split_once('<')?;
    let (id, _) = rest.split_once('>')?;
    let id = id.trim();
    let unfit = |c: char| words::is_hidden(c) || c.is_whitespace();
    (!id.is_empty() && id.len() <= 998 && !id.chars().any(unfit)).then(|| id.to_owned())
}

/// The one address that the returned letter was to; none if it names several or nobody.
pub(crate) fn only_recipient(parts: &Parts<'_>, told: &Told<'_>) -> Option<String> {
    let parts = parts.list.iter().skip(1).take(PARTS);
    let in_parts = parts.filter(|p| is_returned(p));
    let mut headers: Vec<Vec<u8>> = in_parts
        .map(|part| part.decoded_up_to(HEADER).0.into_owned())
        .collect();
    let quoted: Vec<&str> = told
        .returned
        .lines()
        .take(500)
        .map(|l| l.trim_start_matches(['>', ' ']))
        .collect();
    headers.push(quoted.join("\n").into_bytes());
    headers.iter().find_map(|header| {
        let skip = leading_blanks(header);
        let fields = Fields::read(header.get(skip..)?, HEADER, &|_| false);
        let list = mailboxes::read(fields.first("To")?.value, 2, None);
        let mut addresses = list.addresses().into_iter();
        let first = addresses.next()?;
        addresses.next().is_none().then(|| first.to_string())
    })
}
