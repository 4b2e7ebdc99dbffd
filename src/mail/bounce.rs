//! What a bounce says (R47): delivery status by RFC 3464, and the marks that other reports carry.

use super::fields::{Fields, without_line_end};
use super::parts::{Part, Parts};
use crate::desk::address::Address;
use crate::desk::letter::Bounce;

/// How much of a report is looked at.
const REPORT: usize = 256 * 1024;

/// Reads a letter that is a bounce. `text` is its decoded text.
pub(crate) fn read(parts: &Parts<'_>, text: &str) -> Bounce {
    let mut bounce = parts
        .list
        .iter()
        .find(|p| is_status(p))
        .and_then(|p| delivery_status(&p.decoded()))
        .unwrap_or_else(|| from_text(parts, text));
    bounce.original_message_id = original_message_id(parts, text);
    bounce
}

fn is_status(part: &Part<'_>) -> bool {
    matches!(
        part.media_type(),
        "message/delivery-status" | "message/global-delivery-status"
    )
}

/// The per-recipient fields (RFC 3464 2.3) of the first recipient that failed, else of the first.
fn delivery_status(body: &[u8]) -> Option<Bounce> {
    let mut best: Option<Bounce> = None;
    let mut rest = body.get(..REPORT).unwrap_or(body);
    while !rest.is_empty() {
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
        let Some(found) = recipient(&fields) else {
            continue;
        };
        if found.action == "failed" {
            return Some(found);
        }
        best.get_or_insert(found);
    }
    best
}

fn recipient(fields: &Fields<'_>) -> Option<Bounce> {
    // The original one is the one that we wrote to (RFC 3464 2.3.1); systems without it give the final one.
    let named = |field: &str| fields.plain(field).map(|value| bare_address(&value));
    let address = named("Original-Recipient")
        .filter(|a| Address::new(a).is_ok())
        .or_else(|| named("Final-Recipient"))
        .or_else(|| named("Original-Recipient"))?;
    let action = fields
        .plain("Action")
        .map(|a| {
            a.split(|c: char| !c.is_ascii_alphabetic())
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase()
        })
        .filter(|a| !a.is_empty())
        .unwrap_or_else(|| "failed".to_owned());
    let status = fields.plain("Status").and_then(|s| status_in(&s));
    Some(Bounce {
        recipient: Some(address).filter(|a| !a.is_empty()),
        permanent: is_permanent(&action, status.as_deref()),
        action,
        status,
        original_message_id: None,
    })
}

/// `rfc822; <name@domain>` without its type and brackets (RFC 3464 2.3.2).
fn bare_address(value: &str) -> String {
    let address = value.split_once(';').map_or(value, |(_, address)| address);
    let address = address.trim();
    let inner = address
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or(address, |(inner, _)| inner);
    let inner = inner.trim();
    inner.strip_prefix("SMTP=").unwrap_or(inner).to_owned()
}

fn is_permanent(action: &str, status: Option<&str>) -> bool {
    action == "failed" && !status.is_some_and(|s| s.starts_with('4'))
}

/// Reports without a delivery status: the field that Exim and Google add, else what the text shows.
fn from_text(parts: &Parts<'_>, text: &str) -> Bounce {
    let named = parts
        .list
        .first()
        .and_then(|letter| letter.fields.plain("X-Failed-Recipients"))
        .and_then(|list| list.split(',').next().map(|a| a.trim().to_owned()))
        .filter(|a| !a.is_empty());
    let shown: String = text.chars().take(20_000).collect();
    let status = shown.lines().find_map(status_in);
    let recipient = named.or_else(|| first_address(&shown));
    let lower = shown.to_lowercase();
    let delayed = [
        "delayed",
        "will retry",
        "задерж",
        "warning: could not send",
        "will be retried",
    ]
    .iter()
    .any(|mark| lower.contains(mark));
    let action = if delayed { "delayed" } else { "failed" }.to_owned();
    Bounce {
        recipient,
        permanent: is_permanent(&action, status.as_deref()),
        action,
        status,
        original_message_id: None,
    }
}

/// The first enhanced status code (RFC 3463) in a line: `5.1.1`.
fn status_in(line: &str) -> Option<String> {
    line.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|word| word.trim_matches('.'))
        .find(|word| {
            let pieces: Vec<_> = word.split('.').collect();
            matches!(pieces.as_slice(), [class, subject, detail]
                if matches!(*class, "2" | "4" | "5")
                    && (1..=3).contains(&subject.len())
                    && (1..=3).contains(&detail.len()))
        })
        .map(str::to_owned)
}

fn first_address(text: &str) -> Option<String> {
    text.split(|c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | '"' | ':')
    })
    .map(|word| word.trim_matches(['.', '\'']))
    .filter(|word| word.contains('@'))
    .find(|word| Address::new(word).is_ok_and(|a| !is_daemon(a.local())))
    .map(str::to_owned)
}

fn is_daemon(local: &str) -> bool {
    let local = local.to_ascii_lowercase();
    local == "mailer-daemon" || local == "postmaster"
}

/// The Message-ID of the letter that came back: from its returned copy or header, else from the text.
fn original_message_id(parts: &Parts<'_>, text: &str) -> Option<String> {
    let returned = parts.list.iter().skip(1).find_map(|part| {
        let is_copy = part.is_message()
            || matches!(
                part.media_type(),
                "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers"
            );
        let decoded = is_copy.then(|| part.decoded())?;
        let skip = super::fields::leading_blanks(&decoded);
        let fields = Fields::read(decoded.get(skip..)?, REPORT, &|_| false);
        bracketed(&fields.plain("Message-ID")?)
    });
    returned.or_else(|| {
        text.as_bytes()
            .split(|b| *b == b'\n')
            .take(5000)
            .find_map(|line| {
                let line = String::from_utf8_lossy(without_line_end(line));
                let line = line.trim_start_matches(['>', ' ', '\t']);
                let rest = line
                    .get(..11)
                    .filter(|n| n.eq_ignore_ascii_case("message-id:"))
                    .and_then(|_| line.get(11..))?;
                bracketed(rest)
            })
    })
}

fn bracketed(value: &str) -> Option<String> {
    let (_, rest) = value.split_once('<')?;
    let (id, _) = rest.split_once('>')?;
    let id = id.trim();
    (!id.is_empty() && id.len() <= 998 && !id.chars().any(char::is_control)).then(|| id.to_owned())
}
