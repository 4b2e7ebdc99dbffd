//! Files that are sent along: taken byte for byte from a letter that the desk keeps, and written as parts of a letter of ours (RFC 2045, 2183, 2231).

use std::collections::BTreeMap;

use lettre::message::Body;
use lettre::message::header::ContentTransferEncoding;

use super::parse::Caps;
use super::{content, fields, parts};

/// A file to send along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its safe name.
    pub name: String,
    /// The media type that its sender gave.
    pub media_type: String,
    /// All of it.
    pub octets: Vec<u8>,
}

/// The octets of kept letters' attachments, by the store's name for the letter and the place in it.
pub type Files = BTreeMap<(i64, usize), Vec<u8>>;

/// The octets of each attachment of a letter, in the order in which reading the letter tells of them.
pub fn octets(raw: &[u8], caps: Caps) -> Vec<Vec<u8>> {
    let raw = &*fields::with_line_feeds(raw);
    let parts = parts::read(raw, caps);
    let (_, files) = content::with_files(&parts, caps);
    files.into_iter().map(|file| file.octets).collect()
}

/// Octets of a name in one piece of a parameter: with its own name and number the line stays within 78 characters.
const PIECE: usize = 48;

/// A file as a part of a multipart: header, blank line and base64, each line ending in CRLF.
pub(crate) fn part(file: File) -> String {
    let media_type = media_type(&file.media_type);
    let disposition = parameter("filename", &file.name);
    // Any octets can be base64: there is nothing to refuse.
    let encoding = ContentTransferEncoding::Base64;
    let octets = match Body::new_with_encoding(file.octets, encoding) {
        Ok(body) => body.into_vec(),
        Err(octets) => octets,
    };
    let octets = String::from_utf8(octets).unwrap_or_default();
    format!(
        "Content-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment{disposition}\r\n\r\n{}\r\n",
        octets.trim_end_matches(['\r', '\n'])
    )
}

/// The type that is told: what a program might show by itself, or that must not be base64 (RFC 2046 5.2), is a file like any other.
fn media_type(given: &str) -> String {
    let given = given.to_ascii_lowercase();
    let token = |text: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-.+_".contains(c);
        (1..=40).contains(&text.len()) && text.chars().all(fits)
    };
    let shown = ["application", "image", "audio", "video"];
    match given.split_once('/') {
        Some((kind, subtype))
            if shown.contains(&kind) && token(subtype) && subtype != "xhtml+xml" =>
        {
            given
        }
        Some(_) | None => "application/octet-stream".to_owned(),
    }
}

/// RFC 2231: a parameter with any text in it; a short plain one is written plainly, as every client reads it.
fn parameter(key: &str, value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " -_.,()".contains(c);
    if value.len() <= PIECE && !value.is_empty() && value.chars().all(plain) {
        return format!(";\r\n {key}=\"{value}\"");
    }
    let mut pieces = vec![String::from("utf-8''")];
    for octet in value.bytes() {
        let written = if octet.is_ascii_alphanumeric() || b"-._".contains(&octet) {
            char::from(octet).to_string()
        } else {
            format!("%{octet:02X}")
        };
        match pieces.last_mut() {
            Some(last) if last.len().saturating_add(written.len()) <= PIECE => {
                last.push_str(&written)
            }
            _ => pieces.push(written),
        }
    }
    let [only] = pieces.as_slice() else {
        let numbered = pieces.iter().enumerate();
        return numbered
            .map(|(n, piece)| format!(";\r\n {key}*{n}*={piece}"))
            .collect();
    };
    format!(";\r\n {key}*={only}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::mail::parse;

    fn sent(name: &str, media_type: &str, octets: &[u8]) -> String {
        let part = part(File {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            octets: octets.to_vec(),
        });
        assert!(part.split("\r\n").all(|l| l.len() <= 78), "{part}");
        assert!(part.is_ascii());
        format!(
            "From: a@x.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n{part}--b--\r\n"
        )
    }

    /// G: what is sent along comes out byte for byte, under its own name.
    #[test]
    fn r27_a_file_comes_out_as_it_went_in() {
        let all: Vec<u8> = (0..=255).cycle().take(5_000).collect();
        for name in [
            "журнал за октябрь.pdf",
            "report (2).pdf",
            "a\"b\\c.pdf",
            "отчёт об успеваемости учеников двенадцатой группы за первое полугодие 2026 года.pdf",
            "x'y%41.pdf",
        ] {
            for octets in [&all[..], b"", b"\r\n.\r\n--b--\r\n"] {
                let raw = sent(name, "application/pdf", octets);
                let letter = parse::read(raw.as_bytes(), Caps::DEFAULT);
                assert_eq!(letter.attachments.len(), 1, "{name}");
                let size = u64::try_from(octets.len()).unwrap();
                assert_eq!(letter.attachments[0].size, size, "{name}");
                let own = super::octets(raw.as_bytes(), Caps::DEFAULT);
                assert_eq!(own, [octets.to_vec()], "{name}");
                // Reading makes names safe; those that are come back whole.
                if !name.contains(['"', '\\']) {
                    assert_eq!(letter.attachments[0].name, name);
                }
            }
        }
    }

    #[test]
    fn a_type_that_a_program_would_show_or_open_is_a_plain_file() {
        for (given, told) in [
            ("application/pdf", "application/pdf"),
            ("IMAGE/PNG", "image/png"),
            ("text/html", "application/octet-stream"),
            ("message/rfc822", "application/octet-stream"),
            ("multipart/mixed", "application/octet-stream"),
            ("application/x\r\nBcc: evil", "application/octet-stream"),
            ("application/pdf; name=x", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            assert_eq!(media_type(given), told, "{given}");
        }
    }
}
