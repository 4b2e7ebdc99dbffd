//! Header lines as bytes: encoded words (RFC 2047), folding (RFC 5322 2.2.3), lists of Message-IDs. Always exactly one field, whatever the text.

use lettre::message::Body;
use lettre::message::header::ContentTransferEncoding;

use super::clean;
use crate::desk::address::Address;

/// RFC 5322 2.1.1: what a line should not exceed, without CRLF.
const LINE: usize = 78;
/// Octets that fit an encoded word of 75 characters after `=?utf-8?b?` and `?=`.
const WORD_OCTETS: usize = 45;
/// A thread's history in `References:` is cut to so many identifiers and octets; first and last always stay.
const REFERENCES: usize = 20;
const REFERENCES_OCTETS: usize = 900;
/// A foreign Message-ID longer than this is not repeated.
const MESSAGE_ID: usize = 250;

/// One field with free text: one header line, folded, ASCII only, ending in CRLF.
pub fn text(name: &str, text: &str) -> String {
    field(name, &words(&clean::line(text, usize::MAX)))
}

/// One field with one mailbox.
pub fn mailbox(name: &str, display: &str, address: &str) -> String {
    let display = clean::line(display, 120);
    let mut parts = phrase(&display);
    if parts.is_empty() {
        parts.push(address.to_owned());
    } else {
        parts.push(format!("<{address}>"));
    }
    field(name, &parts)
}

/// One field with Message-IDs, given without brackets; the empty string if none of them may be repeated.
pub fn message_ids(name: &str, ids: &[String]) -> String {
    if ids.is_empty() {
        return String::new();
    }
    let ids: Vec<String> = ids.iter().map(|id| format!("<{id}>")).collect();
    field(name, &ids)
}

/// The Message-IDs of a thread that are fit to be repeated, each once, cut without losing the first and the last.
pub fn references(ids: &[String], last: Option<&String>) -> Vec<String> {
    let mut fit: Vec<String> = vec![];
    for id in ids.iter().filter(|id| Some(*id) != last).chain(last) {
        if is_message_id(id) && !fit.contains(id) {
            fit.push(id.clone());
        }
    }
    let octets =
        |ids: &[String]| -> usize { ids.iter().map(|id| id.len().saturating_add(3)).sum() };
    while fit.len() > REFERENCES || (fit.len() > 2 && octets(&fit) > REFERENCES_OCTETS) {
        // The second is the oldest that neither starts the thread nor is being answered.
        fit.remove(1);
    }
    fit
}

/// Whether a foreign text is a Message-ID that can be repeated in a header of ours.
pub fn is_message_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= MESSAGE_ID
        && id
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>')
}

/// An address as it stands in a header. A local part that is no dot-atom is quoted (RFC 5322 3.4.1).
pub fn address(address: &Address) -> String {
    let local = address.local();
    let atom = local
        .split('.')
        .all(|a| !a.is_empty() && a.chars().all(is_atext));
    if atom {
        address.to_string()
    } else {
        format!("\"{local}\"@{}", address.domain())
    }
}

fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii()
}

/// `Name: part part`, a line broken before a part that would not fit.
fn field(name: &str, parts: &[String]) -> String {
    let mut field = format!("{name}:");
    let mut length = field.len();
    for (at, part) in parts.iter().enumerate() {
        let with = length.saturating_add(part.len()).saturating_add(1);
        if at > 0 && with > LINE {
            field.push_str("\r\n");
            length = 0;
        }
        field.push(' ');
        field.push_str(part);
        length = length.saturating_add(part.len()).saturating_add(1);
    }
    field.push_str("\r\n");
    field
}

/// A display name: an atom or a quoted string where ASCII is enough, else encoded words.
fn phrase(text: &str) -> Vec<String> {
    if text.is_empty() {
        vec![]
    } else if text.len() <= 60 && is_simple(text) {
        let quoted: String = text
            .chars()
            .flat_map(|c| {
                matches!(c, '"' | '\\')
                    .then_some('\\')
                    .into_iter()
                    .chain([c])
            })
            .collect();
        vec![format!("\"{quoted}\"")]
    } else {
        encoded(text)
    }
}

/// Free text: as it is where ASCII is enough, else encoded words.
fn words(text: &str) -> Vec<String> {
    if is_simple(text)
        && text
            .split(' ')
            .all(|word| word.len() < LINE.saturating_sub(20))
    {
        text.split(' ').map(str::to_owned).collect()
    } else {
        encoded(text)
    }
}

fn is_simple(text: &str) -> bool {
    text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) && !text.contains("=?")
}

/// RFC 2047 in base64; a character is never parted between two words.
fn encoded(text: &str) -> Vec<String> {
    let mut words = vec![];
    let mut chunk = String::new();
    for c in text.chars() {
        if chunk.len().saturating_add(c.len_utf8()) > WORD_OCTETS {
            words.push(encoded_word(&std::mem::take(&mut chunk)));
        }
        chunk.push(c);
    }
    if !chunk.is_empty() {
        words.push(encoded_word(&chunk));
    }
    words
}

fn encoded_word(chunk: &str) -> String {
    // 45 octets are one line of base64; lettre is the encoder that is there anyway.
    let base64 =
        Body::new_with_encoding(chunk.as_bytes().to_vec(), ContentTransferEncoding::Base64)
            .map(Body::into_vec)
            .unwrap_or_default();
    let base64: String = base64
        .into_iter()
        .map(char::from)
        .filter(|c| !c.is_whitespace())
        .collect();
    format!("=?utf-8?b?{base64}?=")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn cyrillic_is_folded_between_characters() {
        let field = text(
            "Subject",
            "Re: Ошибка при выгрузке журнала успеваемости за первое полугодие [№ 2026-000042]",
        );
        assert_eq!(
            field,
            "Subject: =?utf-8?b?UmU6INCe0YjQuNCx0LrQsCDQv9GA0Lgg0LLRi9Cz0YDRg9C30LrQtQ==?=\r\n \
             =?utf-8?b?INC20YPRgNC90LDQu9CwINGD0YHQv9C10LLQsNC10LzQvtGB0YLQuA==?=\r\n \
             =?utf-8?b?INC30LAg0L/QtdGA0LLQvtC1INC/0L7Qu9GD0LPQvtC00LjQtSBb4oSWIDIwMjY=?=\r\n \
             =?utf-8?b?LTAwMDA0Ml0=?=\r\n"
        );
        assert!(field.lines().all(|l| l.len() <= 78));
    }

    #[test]
    fn ascii_stays_readable() {
        assert_eq!(text("Subject", "Re: hello"), "Subject: Re: hello\r\n");
        assert_eq!(
            text("Subject", "=?x?="),
            "Subject: =?utf-8?b?PT94Pz0=?=\r\n"
        );
        assert_eq!(text("Subject", "a\r\nBcc: b@c"), "Subject: a Bcc: b@c\r\n");
        assert_eq!(
            mailbox("To", "Say \"hi\", \\o", "a@b.example"),
            "To: \"Say \\\"hi\\\", \\\\o\" <a@b.example>\r\n"
        );
        assert_eq!(mailbox("To", "\r\n", "a@b.example"), "To: a@b.example\r\n");
    }

    #[test]
    fn references_keep_the_first_and_the_last() {
        let ids: Vec<String> = (0..100).map(|n| format!("{n}@x.example")).collect();
        let kept = references(&ids, Some(&"last@x.example".to_owned()));
        assert_eq!(
            (kept.len(), kept[0].as_str(), kept[1].as_str()),
            (20, "0@x.example", "82@x.example")
        );
        assert_eq!(kept[19], "last@x.example");
        let long: Vec<String> = (0..20)
            .map(|n| format!("{n}{}@x.example", "y".repeat(200)))
            .collect();
        let kept = references(&long, None);
        assert!(message_ids("References", &kept).len() <= 998);
        assert_eq!((kept.first(), kept.last()), (long.first(), long.last()));
        let odd = ["a b", "", "ok@x", "<n>", "a\r\nb", "ы@x", "ok@x"].map(str::to_owned);
        assert_eq!(references(&odd, None), ["ok@x"]);
        assert_eq!(
            references(&["a".into(), "b".into()], Some(&"a".into())),
            ["b", "a"]
        );
    }
}
