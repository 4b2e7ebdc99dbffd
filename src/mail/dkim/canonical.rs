//! The forms in which a letter is signed (RFC 6376 3.4): simple, byte for byte, and relaxed, without regard to white space. A line may end
//! in LF or CRLF here, since files have the one and servers the other; it is signed as CRLF.

use sha2::{Digest, Sha256};

use crate::mail::fields::{Field, without_line_end};

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// As it was sent.
    Simple,
    /// With white space evened out.
    Relaxed,
}

impl Form {
    pub(super) fn read(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "simple" => Some(Self::Simple),
            "relaxed" => Some(Self::Relaxed),
            _ => None,
        }
    }

    /// Adds a field as it is signed, with its line end.
    pub(super) fn add(self, out: &mut Vec<u8>, field: &Field<'_>, value: &[u8]) {
        match self {
            Self::Simple => {
                out.extend_from_slice(field.name);
                out.push(b':');
                let mut lines = value.split_inclusive(|b| *b == b'\n').peekable();
                while let Some(line) = lines.next() {
                    out.extend_from_slice(without_line_end(line));
                    if lines.peek().is_some() {
                        out.extend_from_slice(b"\r\n");
                    }
                }
            }
            Self::Relaxed => {
                out.extend(field.name.to_ascii_lowercase());
                out.push(b':');
                let start = out.len();
                // The line ends within are white space before white space: they go with it (3.4.2).
                let unfolded = value
                    .split(|b| *b == b'\n')
                    .flat_map(|line| line.strip_suffix(b"\r").unwrap_or(line));
                even(out, start, unfolded.copied());
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    /// SHA-256 of the body in this form; it is read once and never copied.
    pub(super) fn body_hash(self, body: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        // Empty lines count only if something follows them (3.4.3, 3.4.4).
        let mut empty = 0_usize;
        let mut any = false;
        let mut line_out = Vec::new();
        for line in body.split_inclusive(|b| *b == b'\n') {
            let mut line = without_line_end(line);
            if self == Self::Relaxed {
                line_out.clear();
                even_line(&mut line_out, line);
                line = &line_out;
            }
            if line.is_empty() {
                empty = empty.saturating_add(1);
                continue;
            }
            for _ in 0..empty {
                hash.update(b"\r\n");
            }
            empty = 0;
            any = true;
            hash.update(line);
            hash.update(b"\r\n");
        }
        if !any && self == Self::Simple {
            hash.update(b"\r\n");
        }
        hash.finalize().into()
    }
}

/// Runs of white space become one space; at the start and the end they go.
fn even(out: &mut Vec<u8>, start: usize, bytes: impl Iterator<Item = u8>) {
    let mut space = false;
    for byte in bytes {
        if matches!(byte, b' ' | b'\t') {
            space = true;
            continue;
        }
        if space && out.len() > start {
            out.push(b' ');
        }
        space = false;
        out.push(byte);
    }
}

/// The same within a line of the body, where white space at the start becomes one space as well.
fn even_line(out: &mut Vec<u8>, line: &[u8]) {
    let mut space = false;
    for byte in line {
        if matches!(byte, b' ' | b'\t') {
            space = true;
            continue;
        }
        if space {
            out.push(b' ');
        }
        space = false;
        out.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::fields::Fields;

    fn header(form: Form, raw: &[u8]) -> String {
        let fields = Fields::read(raw, 1000, &|_| false);
        let mut out = Vec::new();
        for field in &fields.list {
            form.add(&mut out, field, field.value);
        }
        String::from_utf8(out).unwrap()
    }

    /// RFC 6376 3.4.5.
    #[test]
    fn headers_of_the_rfcs_example() {
        let raw = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n";
        assert_eq!(header(Form::Relaxed, raw), "a:X\r\nb:Y Z\r\n");
        let raw = b"A: X\nB: Y\t\n\tZ  \n\n";
        assert_eq!(header(Form::Simple, raw), "A: X\r\nB: Y\t\r\n\tZ  \r\n");
    }

    #[test]
    fn bodies_of_the_rfcs_example() {
        let sha = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
        for end in ["\n", "\r\n"] {
            let body = [" C ", "D \t E", "", "", ""].join(end);
            let relaxed = Form::Relaxed.body_hash(body.as_bytes());
            assert_eq!(relaxed, sha(" C\r\nD E\r\n"));
            let simple = Form::Simple.body_hash(body.as_bytes());
            assert_eq!(simple, sha(" C \r\nD \t E\r\n"));
        }
        assert_eq!(Form::Relaxed.body_hash(b""), sha(""));
        assert_eq!(Form::Relaxed.body_hash(b" \r\n\t\r\n"), sha(""));
        assert_eq!(Form::Simple.body_hash(b""), sha("\r\n"));
        assert_eq!(Form::Simple.body_hash(b"\r\n\r\n"), sha("\r\n"));
        assert_eq!(Form::Simple.body_hash(b"x"), sha("x\r\n"));
        assert_eq!(Form::Relaxed.body_hash(b"x \t"), sha("x\r\n"));
        assert_eq!(
            Form::Relaxed.body_hash(b"a\n\n\nb"),
            sha("a\r\n\r\n\r\nb\r\n")
        );
    }
}
