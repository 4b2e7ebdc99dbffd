//! The MIME structure of a letter over its raw octets (RFC 2046 5.1): one pass, linear, capped, without recursion (S31, `FAULTS` F3–F5).
//!
//! `mail-parser` is not asked for it: deep `message/rfc822` nesting overflows its stack, a boundary that never comes makes it quadratic, and
//! the scan that would have to guard it knows all that it would be asked. A nested message is one leaf here: nothing in it speaks for the sender.

use std::borrow::Cow;

use memchr::memchr;
use memchr::memmem::Finder;

use super::fields::{Fields, leading_blanks, without_line_end};
use super::params::Value;
use super::parse::Caps;
use super::transfer::Encoding;

/// One entity: a leaf, or a multipart whose children follow it in the list.
#[derive(Debug, Clone)]
pub(crate) struct Part<'a> {
    /// Its header block.
    pub(crate) fields: Fields<'a>,
    /// Its media type, as declared or by default.
    pub(crate) media: Value,
    /// Its disposition.
    pub(crate) disposition: Value,
    /// How its body is encoded.
    pub(crate) encoding: Encoding,
    /// Where its header block begins in the letter.
    pub(crate) begin: usize,
    /// Its body as it stands in the letter.
    pub(crate) body: &'a [u8],
    /// Its multipart; none for the letter itself.
    pub(crate) parent: Option<usize>,
    /// Whether it was opened as a multipart.
    pub(crate) is_multipart: bool,
}

impl Part<'_> {
    /// The decoded octets.
    pub(crate) fn decoded(&self) -> Cow<'_, [u8]> {
        self.encoding.decode(self.body)
    }

    /// At most the first `cap` of the decoded octets, and whether there are more; what lies past them is not decoded.
    pub(crate) fn decoded_up_to(&self, cap: usize) -> (Cow<'_, [u8]>, bool) {
        // Base64 with its line ends takes less than twice what it carries, quoted-printable three times and its soft line ends.
        let widest = match self.encoding {
            Encoding::Identity => 1,
            Encoding::Base64 | Encoding::Uuencode => 2,
            Encoding::QuotedPrintable => 4,
        };
        let source = cap.saturating_mul(widest);
        let body = self.body.get(..source).unwrap_or(self.body);
        let mut bytes = self.encoding.decode(body);
        let cut = body.len() < self.body.len() || bytes.len() > cap;
        match &mut bytes {
            Cow::Borrowed(bytes) => *bytes = bytes.get(..cap).unwrap_or(bytes),
            Cow::Owned(bytes) => bytes.truncate(cap),
        }
        (bytes, cut)
    }

    /// The media type, `text/plain` where none is declared.
    pub(crate) fn media_type(&self) -> &str {
        &self.media.head
    }

    /// Whether it is a message inside the letter.
    pub(crate) fn is_message(&self) -> bool {
        matches!(self.media_type(), "message/rfc822" | "message/global")
    }
}

/// The parts of a letter; the first is the letter itself.
#[derive(Debug, Clone)]
pub(crate) struct Parts<'a> {
    /// In the order in which they stand.
    pub(crate) list: Vec<Part<'a>>,
    /// What was not read, and why.
    pub(crate) faults: Vec<String>,
    /// Set if a cap was reached: only headers and the first text are to be used.
    pub(crate) cut: bool,
}

/// A multipart that is open.
struct Open {
    /// `--` and the boundary.
    delimiter: Vec<u8>,
    /// Its place in the list.
    part: usize,
}

/// Reads the structure.
pub(crate) fn read(raw: &[u8], caps: Caps) -> Parts<'_> {
    let mut walk = Walk {
        raw,
        caps,
        header_budget: caps.header_bytes,
        parts: Parts {
            list: Vec::new(),
            faults: Vec::new(),
            cut: false,
        },
        stack: Vec::new(),
        leaf: None,
    };
    let mut at = walk.begin(leading_blanks(raw), None);
    // Where the body that is being read begins, or the boundary line before what nobody reads.
    let mut from = at;
    let dashes = Finder::new(b"\n--");
    while !walk.stack.is_empty()
        && let Some((start, line)) = next_dashed(raw, at, &dashes)
    {
        at = start.saturating_add(line.len());
        let Some((level, closes)) = walk.delimits(without_line_end(line)) else {
            continue;
        };
        // The line end before a boundary belongs to the boundary.
        let body = raw.get(from..start).unwrap_or_default();
        walk.close_down_to(level, from.saturating_add(without_line_end(body).len()));
        if closes {
            walk.end_multipart(level, start);
            from = start;
        } else if walk.parts.list.len() >= caps.parts {
            walk.over(format!(
                "More than {} parts; the rest is not read",
                caps.parts
            ));
            break;
        } else {
            let parent = walk.stack.last().map(|open| open.part);
            at = walk.begin(at, parent);
            from = at;
        }
    }
    walk.finish()
}

struct Walk<'a> {
    raw: &'a [u8],
    caps: Caps,
    header_budget: usize,
    parts: Parts<'a>,
    stack: Vec<Open>,
    /// The leaf that is being read, and where its body begins.
    leaf: Option<(usize, usize)>,
}

impl<'a> Walk<'a> {
    /// Reads the header block at `at` and opens the entity; returns where its body begins.
    fn begin(&mut self, at: usize, parent: Option<usize>) -> usize {
        let rest: &'a [u8] = self.raw.get(at..).unwrap_or_default();
        let stack = &self.stack;
        let fields = Fields::read(rest, self.header_budget, &|line| {
            line.starts_with(b"--") && delimits(stack, line).is_some()
        });
        self.header_budget = self.header_budget.saturating_sub(fields.length);
        if fields.cut {
            self.over(format!(
                "Header lines of more than {} octets; the rest is not read",
                self.caps.header_bytes
            ));
        }
        let body = at.saturating_add(fields.length);
        let digest = parent
            .and_then(|p| self.parts.list.get(p))
            .is_some_and(|p| p.media_type() == "multipart/digest");
        let media = media(&fields, digest);
        let index = self.parts.list.len();
        let boundary = (media.head.starts_with("multipart/"))
            .then(|| media.octets("boundary"))
            .flatten()
            .filter(|b| !b.is_empty());
        let is_multipart = boundary.is_some() && self.stack.len() < self.caps.depth;
        if boundary.is_some() && !is_multipart {
            self.over(format!(
                "Parts nested more than {} deep; the rest is not read",
                self.caps.depth
            ));
        }
        let encoding = fields
            .plain("Content-Transfer-Encoding")
            .map_or(Encoding::Identity, |value| Encoding::read(&value));
        self.parts.list.push(Part {
            disposition: fields
                .first("Content-Disposition")
                .map(|f| Value::read(f.value))
                .unwrap_or_default(),
            fields,
            media,
            encoding,
            begin: at,
            body: &[],
            parent,
            is_multipart,
        });
        match boundary.filter(|_| is_multipart) {
            Some(boundary) => {
                let mut delimiter = b"--".to_vec();
                delimiter.extend_from_slice(boundary.trim_ascii_end());
                self.stack.push(Open {
                    delimiter,
                    part: index,
                });
                self.leaf = None;
                self.set_body(index, body, self.raw.len());
            }
            None => self.leaf = Some((index, body)),
        }
        body
    }

    fn delimits(&self, line: &[u8]) -> Option<(usize, bool)> {
        delimits(&self.stack, line)
    }

    /// A boundary of the multipart at `level` came: whatever was open above it ends at `end`.
    fn close_down_to(&mut self, level: usize, end: usize) {
        self.end_leaf(end);
        while self.stack.len() > level.saturating_add(1) {
            if let Some(open) = self.stack.pop() {
                self.shorten(open.part, end);
            }
        }
    }

    fn end_multipart(&mut self, level: usize, end: usize) {
        if let Some(open) = self.stack.pop() {
            self.shorten(open.part, end);
        }
        self.stack.truncate(level);
    }

    fn end_leaf(&mut self, end: usize) {
        if let Some((part, from)) = self.leaf.take() {
            self.set_body(part, from, end.max(from));
        }
    }

    fn set_body(&mut self, part: usize, from: usize, to: usize) {
        let body = self.raw.get(from..to).unwrap_or_default();
        if let Some(part) = self.parts.list.get_mut(part) {
            part.body = body;
        }
    }

    fn shorten(&mut self, part: usize, end: usize) {
        let total = self.raw.len();
        if let Some(part) = self.parts.list.get_mut(part) {
            let cut = total.saturating_sub(end);
            let keep = part.body.len().saturating_sub(cut);
            part.body = part.body.get(..keep).unwrap_or_default();
        }
    }

    fn over(&mut self, fault: String) {
        if !self.parts.cut {
            self.parts.faults.push(fault);
        }
        self.parts.cut = true;
    }

    fn finish(mut self) -> Parts<'a> {
        let open = !self.stack.is_empty();
        self.end_leaf(self.raw.len());
        if open && !self.parts.cut {
            self.parts
                .faults
                .push("A multipart without its closing boundary".to_owned());
        }
        // A boundary that never came: the body is read as text rather than lost.
        for at in 0..self.parts.list.len() {
            let childless = !self
                .parts
                .list
                .iter()
                .skip(at.saturating_add(1))
                .take(1)
                .any(|next| next.parent == Some(at));
            if let Some(part) = self.parts.list.get_mut(at)
                && part.is_multipart
                && childless
            {
                part.is_multipart = false;
                self.parts
                    .faults
                    .push("A multipart whose boundary never comes, read as text".to_owned());
            }
        }
        self.parts
    }
}

/// Which open multipart a line delimits, innermost first, and whether it closes it.
fn delimits(stack: &[Open], line: &[u8]) -> Option<(usize, bool)> {
    let line = line.trim_ascii_end();
    stack.iter().enumerate().rev().find_map(|(level, open)| {
        match line.strip_prefix(open.delimiter.as_slice())? {
            b"" => Some((level, false)),
            b"--" => Some((level, true)),
            _ => None,
        }
    })
}

fn media(fields: &Fields<'_>, digest: bool) -> Value {
    let default: &[u8] = if digest {
        b"message/rfc822"
    } else {
        b"text/plain"
    };
    let mut value = fields
        .first("Content-Type")
        .map(|f| Value::read(f.value))
        .unwrap_or_else(|| Value::read(default));
    value.head = match value.head.split_once('/') {
        Some((kind, sub)) if !kind.is_empty() && !sub.is_empty() => value.head,
        // RFC 2045 5.2: what is no media type is plain text. `text` alone is a sender's habit.
        _ => "text/plain".to_owned(),
    };
    value
}

/// The next line from `at` on that begins with two hyphens, and where it begins; `at` is the beginning of a line. Bodies are long and hold
/// few of them.
fn next_dashed<'a>(raw: &'a [u8], at: usize, dashes: &Finder<'_>) -> Option<(usize, &'a [u8])> {
    let rest = raw.get(at..)?;
    let start = if rest.starts_with(b"--") {
        0
    } else {
        dashes.find(rest)?.saturating_add(1)
    };
    let line = rest.get(start..)?;
    let end = memchr(b'\n', line).map_or(line.len(), |end| end.saturating_add(1));
    Some((at.saturating_add(start), line.get(..end)?))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "tests"
    )]
    use super::*;

    fn bodies(raw: &str) -> Vec<(String, String)> {
        read(raw.as_bytes(), Caps::DEFAULT)
            .list
            .iter()
            .filter(|p| !p.is_multipart)
            .map(|p| {
                (
                    p.media_type().to_owned(),
                    String::from_utf8_lossy(p.body).into_owned(),
                )
            })
            .collect()
    }

    #[test]
    fn parts_of_parts_are_found_and_epilogues_left_out() {
        let raw = "Content-Type: multipart/mixed; boundary=a\r\n\r\npreamble\r\n--a\r\nContent-Type: multipart/alternative; boundary=\"a b\"\r\n\r\n\
            --a b\r\n\r\none\r\n\r\n--a b\r\nContent-Type: text/html\r\n\r\n<b>\r\n--a b--\r\nepilogue\r\n--a\r\nContent-Type: image/png\r\n\r\nxx\r\n--a--\r\nend";
        assert_eq!(
            bodies(raw),
            [
                ("text/plain".to_owned(), "one\r\n".to_owned()),
                ("text/html".to_owned(), "<b>".to_owned()),
                ("image/png".to_owned(), "xx".to_owned()),
            ]
        );
        assert_eq!(bodies(&raw.replace("\r\n", "\n")).len(), 3);
    }

    #[test]
    fn f3_nested_messages_are_one_leaf_however_deep() {
        let mut raw = "Content-Type: message/rfc822\n\n".repeat(30_000);
        raw.push_str("\nend");
        let parts = read(raw.as_bytes(), Caps::DEFAULT);
        assert_eq!(parts.list.len(), 1);
        assert!(parts.list[0].is_message());
    }

    #[test]
    fn f4_parts_and_depth_are_capped() {
        let mut flat = "Content-Type: multipart/mixed; boundary=a\n\n".to_owned();
        flat.push_str(&"--a\n\nx\n".repeat(5_000));
        let parts = read(flat.as_bytes(), Caps::DEFAULT);
        assert!(parts.cut && parts.list.len() == Caps::DEFAULT.parts);

        let mut deep = String::new();
        for at in 0..5_000 {
            deep.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n"
            ));
        }
        let parts = read(deep.as_bytes(), Caps::DEFAULT);
        assert!(parts.cut && parts.list.len() <= Caps::DEFAULT.depth + 1);
    }

    #[test]
    fn a_boundary_that_never_comes_loses_no_text() {
        assert_eq!(
            bodies("Content-Type: multipart/mixed; boundary=a\n\nhello\n"),
            [("multipart/mixed".to_owned(), "hello\n".to_owned())]
        );
    }

    #[test]
    fn a_part_may_end_inside_its_headers() {
        let raw = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/html\n--a\n\nx\n--a--\n";
        assert_eq!(
            bodies(raw),
            [
                ("text/html".to_owned(), String::new()),
                ("text/plain".to_owned(), "x".to_owned())
            ]
        );
    }
}
