//! The identity of a letter that survives another path through the mail system (`FAULTS` K3): what its writer made, nothing that servers add.

use sha2::{Digest, Sha256};

use super::fields::{Fields, unfolded};
use super::parts::{Part, Parts};
use super::transfer::Encoding;

/// The fields that a writer makes and no server touches.
const ORIGINATOR: [&str; 6] = ["From", "To", "Cc", "Date", "Subject", "Message-ID"];

/// What was measured of one part's decoded octets, once.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Measured {
    /// How many they are.
    pub(crate) size: u64,
    /// SHA-256 of what is the writer's among them.
    canonical: [u8; 32],
    /// Whether that is all of them.
    whole: bool,
}

impl Measured {
    /// SHA-256 of the octets of the part that was measured: of most parts, which are text, nobody asks it.
    pub(crate) fn exact(&self, part: &Part<'_>) -> [u8; 32] {
        if self.whole {
            self.canonical
        } else {
            Sha256::digest(part.decoded()).into()
        }
    }
}

/// Measures every part, in order; multiparts have nothing to measure.
pub(crate) fn measure(parts: &Parts<'_>) -> Vec<Measured> {
    parts
        .list
        .iter()
        .map(|part| {
            if part.is_multipart {
                Measured::default()
            } else {
                measured(part)
            }
        })
        .collect()
}

/// SHA-256 over the originator fields and the decoded parts; line ends and folding do not count.
pub(crate) fn of(parts: &Parts<'_>, measured: &[Measured]) -> [u8; 32] {
    let mut hash = Sha256::new();
    if let Some(letter) = parts.list.first() {
        add_fields(&mut hash, &letter.fields);
    }
    for (part, measured) in parts.list.iter().zip(measured) {
        if !part.is_multipart {
            hash.update(measured.canonical);
        }
    }
    hash.finalize().into()
}

/// What base64 carries is exact; elsewhere line ends and empty lines at the end are the path's, not the writer's.
fn measured(part: &Part<'_>) -> Measured {
    let decoded = part.decoded();
    let whole = part.encoding == Encoding::Base64;
    let canonical = if whole {
        Sha256::digest(&decoded).into()
    } else {
        let mut hash = Sha256::new();
        for piece in decoded.trim_ascii_end().split(|b| *b == b'\r') {
            hash.update(piece);
        }
        hash.finalize().into()
    };
    Measured {
        size: u64::try_from(decoded.len()).unwrap_or(u64::MAX),
        canonical,
        whole,
    }
}

fn add_fields(hash: &mut Sha256, fields: &Fields<'_>) {
    for name in ORIGINATOR {
        for field in fields.all(name) {
            // A relay may fold anew: runs of white space count as one.
            let value: Vec<u8> = unfolded(field.value)
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(&b' ');
            add(hash, name.as_bytes());
            add(hash, &value);
        }
    }
}

/// With its length before it, so that no two lists of values look alike.
fn add(hash: &mut Sha256, bytes: &[u8]) {
    hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use crate::mail::parse::{Caps, read};

    const LETTER: &str = "Received: from a by b; Sat, 1 Aug 2026 10:00:00 +0300\r\nFrom: a@x.example\r\nTo: s@desk.example\r\nSubject: one\r\n two\r\n\
        Message-ID: <1@x.example>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
        Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--b--\r\n";

    fn key(letter: &str) -> [u8; 32] {
        read(letter.as_bytes(), Caps::DEFAULT).content_key
    }

    #[test]
    fn a9_the_path_of_a_copy_does_not_change_its_key() {
        let other = LETTER.replacen(
            "Received: from a",
            "Delivered-To: t@desk.example\r\nX-Spam: no\r\nAuthentication-Results: x; dmarc=pass\r\nReceived: from c",
            1,
        );
        assert_eq!(key(LETTER), key(&other));
        assert_eq!(key(LETTER), key(&LETTER.replace("\r\n", "\n")));
        assert_eq!(key(LETTER), key(&LETTER.replace("one\r\n two", "one two")));
        assert_eq!(key(LETTER), key(&format!("{LETTER}\r\n")));
    }

    #[test]
    fn a10_what_the_writer_changed_changes_the_key() {
        for (from, to) in [
            ("\r\ntext", "\r\nother text"),
            ("YWJj", "YWJk"),
            ("a@x.example", "b@x.example"),
            ("one", "One"),
            ("<1@", "<2@"),
            ("To: s@", "Cc: s@"),
        ] {
            assert_ne!(key(LETTER), key(&LETTER.replacen(from, to, 1)), "{from}");
        }
    }
}
