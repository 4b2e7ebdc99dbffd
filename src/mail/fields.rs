//! A header block as the bytes have it: every field in order, none merged, so that a second `From:` is seen (S12).

use std::borrow::Cow;

/// One header field; name and value borrow the letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// The name as written, without the white space before the colon.
    pub(crate) name: &'a [u8],
    /// Set if white space stands before the colon (RFC 5322 4.5.8, obsolete): some programs do not know such a field by its name.
    pub(crate) spaced: bool,
    /// The value as written: folded, undecoded, without the line end.
    pub(crate) value: &'a [u8],
}

impl Field<'_> {
    /// Whether it has this name (RFC 5322 1.2.2: in any case).
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The name for people and for comparing by prefix: lower case.
    pub(crate) fn lower_name(&self) -> String {
        String::from_utf8_lossy(self.name).to_ascii_lowercase()
    }

    /// The value on one line, for fields that hold plain ASCII words.
    pub(crate) fn plain(&self) -> String {
        String::from_utf8_lossy(&unfolded(self.value))
            .trim()
            .to_owned()
    }

    /// Whether the value holds nothing but ASCII, and line ends only where it is folded: then all programs read the same in it.
    pub(crate) fn is_clear(&self) -> bool {
        unfolded(self.value)
            .iter()
            .all(|b| matches!(b, b'\t' | b' '..=b'~'))
    }
}

/// A field whose last line has not been seen.
struct Open<'a> {
    name: &'a [u8],
    spaced: bool,
    from: usize,
    to: usize,
}

/// The fields of one header block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields<'a> {
    /// All fields, topmost first.
    pub(crate) list: Vec<Field<'a>>,
    /// Octets up to the body: the block, the empty line and what was skipped.
    pub(crate) length: usize,
    /// Set if the block was longer than the cap; what follows the cap was not read.
    pub(crate) cut: bool,
    /// Set if a line in the block was no field.
    pub(crate) garbled: bool,
}

impl<'a> Fields<'a> {
    /// Reads the block at the start of `raw`, at most `cap` octets of it. A line for which `ends` holds stands outside (a MIME boundary).
    pub(crate) fn read(raw: &'a [u8], cap: usize, ends: &dyn Fn(&[u8]) -> bool) -> Self {
        let mut fields = Self::default();
        let mut open: Option<Open<'a>> = None;
        let mut at = 0_usize;
        let mut lines = raw.split_inclusive(|b| *b == b'\n').peekable();
        while let Some(line) = lines.next() {
            let start = at;
            let bare = without_line_end(line);
            if ends(bare) {
                break;
            }
            at = at.saturating_add(line.len());
            if bare.is_empty() {
                fields.length = at;
                fields.close(raw, open.take());
                return fields;
            }
            if at > cap {
                fields.cut = true;
                continue;
            }
            if bare.first().is_some_and(|b| matches!(b, b' ' | b'\t')) {
                if let Some(open) = &mut open {
                    open.to = start.saturating_add(bare.len());
                }
                continue;
            }
            if let Some((name, value_at)) = field_start(bare) {
                fields.close(raw, open.take());
                open = Some(Open {
                    name,
                    spaced: value_at > name.len().saturating_add(1),
                    from: start.saturating_add(value_at),
                    to: start.saturating_add(bare.len()),
                });
                continue;
            }
            if start == 0 && bare.starts_with(b"From ") {
                continue;
            }
            // No colon: a stray line inside the block is passed over, but text that begins without an empty line is not swallowed.
            let goes_on = lines
                .peek()
                .is_some_and(|next| field_start(without_line_end(next)).is_some());
            if !goes_on || (fields.list.is_empty() && open.is_none()) {
                fields.close(raw, open.take());
                fields.length = start;
                fields.garbled = true;
                return fields;
            }
            fields.garbled = true;
        }
        fields.close(raw, open.take());
        fields.length = at;
        fields
    }

    fn close(&mut self, raw: &'a [u8], open: Option<Open<'a>>) {
        if let Some(open) = open
            && let Some(value) = raw.get(open.from..open.to)
        {
            self.list.push(Field {
                name: open.name,
                spaced: open.spaced,
                value,
            });
        }
    }

    /// All fields of this name, topmost first.
    pub(crate) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = Field<'a>> + 's {
        self.list.iter().copied().filter(move |f| f.is(name))
    }

    /// The topmost field of this name.
    pub(crate) fn first(&self, name: &str) -> Option<Field<'a>> {
        self.list.iter().copied().find(|f| f.is(name))
    }

    /// The value of the topmost field of this name on one line, trimmed.
    pub(crate) fn plain(&self, name: &str) -> Option<String> {
        self.first(name).map(|f| f.plain())
    }
}

/// A letter whose lines end in CR alone (old mail stores have such) with LF instead; any other as it is.
pub(crate) fn with_line_feeds(raw: &[u8]) -> Cow<'_, [u8]> {
    if raw.contains(&b'\n') || !raw.contains(&b'\r') {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(
        raw.iter()
            .map(|b| if *b == b'\r' { b'\n' } else { *b })
            .collect(),
    )
}

/// How many octets at the start hold no field: a byte order mark and lines of blanks (seen before the first header of real letters).
pub(crate) fn leading_blanks(raw: &[u8]) -> usize {
    let mut at = if raw.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    for line in raw
        .get(at..)
        .unwrap_or_default()
        .split_inclusive(|b| *b == b'\n')
    {
        if !line.iter().all(u8::is_ascii_whitespace) || !line.ends_with(b"\n") {
            break;
        }
        at = at.saturating_add(line.len());
    }
    at
}

/// A folded value on one line (RFC 5322 2.2.3); white space at the folds is kept. CR and LF that fold nothing stay: taken out, they would
/// join words that other programs see apart.
pub(crate) fn unfolded(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&b'\n') {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.iter().position(|b| *b == b'\n') {
        let (line, after) = rest.split_at(at);
        let after = after.get(1..).unwrap_or_default();
        if matches!(after, [b' ' | b'\t', ..]) {
            out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        } else {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// A line without its LF or CRLF.
pub(crate) fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The name that a field begins with, and where its value begins.
fn field_start(line: &[u8]) -> Option<(&[u8], usize)> {
    let colon = line.iter().position(|b| *b == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    let good = !name.is_empty() && name.iter().all(|b| (33..=126).contains(b));
    good.then_some((name, colon.saturating_add(1)))
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

    fn read(raw: &[u8]) -> Fields<'_> {
        Fields::read(raw, 1000, &|_| false)
    }

    #[test]
    fn every_field_is_kept_in_order_and_folding_with_it() {
        let raw = b"From: a\r\nfrom : b\r\nSubject: one\r\n two\r\n\r\nbody";
        let fields = read(raw);
        assert_eq!(fields.all("From").count(), 2);
        assert_eq!(fields.plain("subject").unwrap(), "one two");
        assert_eq!(&raw[fields.length..], b"body");
    }

    #[test]
    fn only_folds_are_undone_and_a_blank_before_the_colon_is_known() {
        assert_eq!(&*unfolded(b"a\r\n b\n\tc"), b"a b\tc");
        assert_eq!(&*unfolded(b"a\rb\r\nc"), b"a\rb\r\nc");
        let fields = read(b"A: x\r\n y\r\nB : x\r\nC: x\ry\r\nD: \xd1\x8f\r\nE: a\0b\r\n\r\n");
        let spaced: Vec<bool> = fields.list.iter().map(|f| f.spaced).collect();
        assert_eq!(spaced, [false, true, false, false, false]);
        let clear: Vec<bool> = fields.list.iter().map(Field::is_clear).collect();
        assert_eq!(clear, [true, true, false, false, false]);
    }

    #[test]
    fn a_letter_that_is_no_letter_has_a_body_and_no_fields() {
        let fields = read(b"Hello there\nwithout: headers\n");
        assert!(fields.list.is_empty() && fields.garbled);
        assert_eq!(fields.length, 0);
    }

    #[test]
    fn a_stray_line_between_fields_is_passed_over() {
        let fields = read(b"From a@b Sat\nFrom: a\n>From x\nTo: b\n\nbody");
        assert_eq!(fields.list.len(), 2);
        assert!(fields.garbled);
    }

    #[test]
    fn past_the_cap_nothing_is_read_but_the_body_is_found() {
        let mut raw = b"Subject: x\n".to_vec();
        raw.extend(b"A: b\n".repeat(1000));
        raw.extend(b"From: late@example\n\nbody");
        let fields = read(&raw);
        assert!(fields.cut && fields.first("From").is_none());
        assert_eq!(&raw[fields.length..], b"body");
    }

    #[test]
    fn a_line_of_blanks_before_the_first_field_is_skipped() {
        assert_eq!(leading_blanks(b"  \t\r\n\r\nFrom: a"), 7);
        assert_eq!(leading_blanks(b" x\n"), 0);
    }
}
