//! The machine-readable part of a report: per-recipient fields by RFC 3464 2.3, and the enhanced status codes of RFC 3463.

use crate::desk::address::Address;
use crate::mail::fields::{Fields, unfolded};
use crate::mail::parts::{Part, Parts};

/// How much of such a part is looked at.
const REPORT: usize = 256 * 1024;
/// How many recipients of one report are looked at.
const RECIPIENTS: usize = 50;

/// What became of the letter for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    /// It will never arrive.
    Failed,
    /// It has not arrived yet.
    Delayed,
    /// It arrived, or was handed on.
    Done,
}

/// One recipient of a report.
#[derive(Debug, Clone)]
pub(crate) struct Recipient {
    /// Their addresses, the one that we wrote to first (RFC 3464 2.3.1).
    pub(crate) addresses: Vec<String>,
    /// What became of it.
    pub(crate) action: Action,
    /// The status code.
    pub(crate) status: Option<String>,
    /// The other server's words.
    pub(crate) diagnostic: String,
}

/// Whether a part holds such fields.
pub(crate) fn is_status(part: &Part<'_>) -> bool {
    matches!(
        part.media_type(),
        "message/delivery-status" | "message/global-delivery-status"
    )
}

/// The recipients that a report names in its fields, those that failed first.
pub(crate) fn recipients(parts: &Parts<'_>) -> Vec<Recipient> {
    let mut all = Vec::new();
    for part in parts.list.iter().filter(|p| is_status(p)) {
        let (body, _) = part.decoded_up_to(REPORT);
        read(&body, &mut all);
    }
    all.sort_by_key(|recipient| recipient.action);
    all
}

fn read(body: &[u8], all: &mut Vec<Recipient>) {
    let mut rest = body;
    while !rest.is_empty() && all.len() < RECIPIENTS {
        let fields = Fields::read(rest, REPORT, &|_| false);
        let length = if fields.length == 0 {
            // A line that is no field: passed over.
            rest.iter()
                .position(|b| *b == b'\n')
                .map_or(rest.len(), |end| end.saturating_add(1))
        } else {
            fields.length
        };
        rest = rest.get(length..).unwrap_or_default();
        all.extend(recipient(&fields));
    }
}

fn recipient(fields: &Fields<'_>) -> Option<Recipient> {
    let mut addresses: Vec<String> = Vec::new();
    for name in [
        "Original-Recipient",
        "Final-Recipient",
        "X-Actual-Recipient",
    ] {
        for field in fields.all(name) {
            let value = String::from_utf8_lossy(&unfolded(field.value)).into_owned();
            let address = bare_address(&value);
            if Address::new(&address).is_ok() && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    let named = fields.first("Final-Recipient").is_some()
        || fields.first("Original-Recipient").is_some()
        || (fields.first("Action").is_some() && fields.first("Status").is_some());
    if !named {
        return None;
    }
    let diagnostic = fields
        .plain("Diagnostic-Code")
        .map(|d| d.split_once(';').map_or(d.clone(), |(_, d)| d.to_owned()))
        .unwrap_or_default();
    let given = fields.plain("Status").and_then(|s| enhanced(&s));
    let status = telling(given, &diagnostic);
    Some(Recipient {
        action: action(
            &fields.plain("Action").unwrap_or_default(),
            status.as_deref(),
        ),
        addresses,
        status,
        diagnostic: diagnostic.trim().to_owned(),
    })
}

fn action(word: &str, status: Option<&str>) -> Action {
    let word = word.trim().to_ascii_lowercase();
    let done = ["deliver", "relay", "expand"];
    if done.iter().any(|d| word.starts_with(d)) {
        return Action::Done;
    }
    if word.starts_with("delay") {
        return Action::Delayed;
    }
    if word.is_empty() && status.is_some_and(|s| s.starts_with('2')) {
        return Action::Done;
    }
    Action::Failed
}

/// `rfc822; <name@domain>` without its type and brackets (RFC 3464 2.3.2).
fn bare_address(value: &str) -> String {
    let address = value.split_once(';').map_or(value, |(_, address)| address);
    let address = address.trim();
    let inner = address
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or(address, |(inner, _)| inner)
        .trim();
    without_scheme(inner).trim_matches(['"', '\'']).to_owned()
}

/// X.400 gateways name an address `SMTP=name@domain`.
pub(crate) fn without_scheme(address: &str) -> &str {
    address
        .get(..5)
        .filter(|p| p.eq_ignore_ascii_case("smtp=") || p.eq_ignore_ascii_case("smtp:"))
        .and_then(|_| address.get(5..))
        .unwrap_or(address)
}

/// Whether a status code says no more than that it failed, or roughly where.
pub(crate) fn is_vague(status: &str) -> bool {
    status.ends_with(".0")
}

/// The code that says most: what was given, or a more telling one in the words beside it.
pub(crate) fn telling(given: Option<String>, words: &str) -> Option<String> {
    if given.as_deref().is_some_and(|s| !is_vague(s)) {
        return given;
    }
    let mut rest = words;
    let mut first = None;
    while let Some((found, after)) = next_enhanced(rest) {
        if !is_vague(&found) {
            return Some(found);
        }
        first.get_or_insert(found);
        rest = after;
    }
    given.or(first)
}

/// The first enhanced status code (RFC 3463) of a failure in a text: `5.1.1`. Addresses and versions have the same look: a code stands alone.
pub(crate) fn enhanced(text: &str) -> Option<String> {
    next_enhanced(text).map(|(code, _)| code)
}

/// The first one, and what follows it.
fn next_enhanced(text: &str) -> Option<(String, &str)> {
    let mut before = ' ';
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (head, tail) = rest.split_at_checked(start)?;
        before = head.chars().next_back().unwrap_or(before);
        let length = tail
            .bytes()
            .take_while(|b| b.is_ascii_digit() || *b == b'.')
            .count();
        let (word, after) = tail.split_at_checked(length)?;
        let stands_alone = !before.is_alphanumeric()
            && !matches!(before, '.' | '/' | '@' | '[')
            && !after.starts_with(|c: char| c.is_alphanumeric() || c == ']');
        let word = word.trim_end_matches('.');
        if stands_alone && is_enhanced(word) {
            return Some((word.to_owned(), after));
        }
        before = tail.chars().nth(length.saturating_sub(1)).unwrap_or(' ');
        rest = after;
    }
    None
}

fn is_enhanced(word: &str) -> bool {
    let mut pieces = word.split('.');
    let (class, subject, detail) = (pieces.next(), pieces.next(), pieces.next());
    matches!(class, Some("2" | "4" | "5"))
        && pieces.next().is_none()
        && [subject, detail]
            .into_iter()
            .all(|p| p.is_some_and(|p| (1..=3).contains(&p.len())))
}

/// The SMTP reply code (RFC 5321 4.2) in a text: a three-digit word of the classes 4 and 5.
pub(crate) fn reply_code(text: &str) -> Option<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '@' | '_')))
        .find(|word| {
            word.len() == 3
                && word.starts_with(['4', '5'])
                && word.chars().nth(1).is_some_and(|c| matches!(c, '0'..='5'))
                && word.bytes().all(|b| b.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_status_code_stands_alone() {
        assert_eq!(enhanced("550 5.1.1 <a@b> no").as_deref(), Some("5.1.1"));
        assert_eq!(enhanced("550-5.7.26 x").as_deref(), Some("5.7.26"));
        assert_eq!(enhanced("(#5.2.2)").as_deref(), Some("5.2.2"));
        assert_eq!(enhanced("from 5.1.1.4 v5.1.2 [5.1.2]"), None);
        assert_eq!(reply_code("host said: 550-5.1.1 no"), Some("550"));
        assert_eq!(reply_code("port 587, 2550, a450"), None);
    }
}
