//! Values of DER and BER (X.690), as far as CMS and certificates need them: bounded, linear, nothing is believed about a length.

use chrono::{DateTime, NaiveDateTime, Utc};

/// Nesting of the values that are walked; CMS needs a handful.
const DEEPEST: usize = 12;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTETS: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const OCTETS_IN_PIECES: u8 = 0x24;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
pub(crate) const CONTEXT_0: u8 = 0xa0;

/// One value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) tag: u8,
    /// Its inside; of an indefinite length all that follows, of which the end-of-contents octets end it.
    pub(crate) inner: &'a [u8],
}

/// The inside of the first value, if it has this tag.
pub(crate) fn first(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (found, _) = value(bytes)?;
    (found.tag == tag).then_some(found.inner)
}

/// The first value, and what follows it. Of an indefinite length (BER) the inside is all that follows: its values are read in order, and
/// the end-of-contents octets are none that anybody looks for.
pub(crate) fn value(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let [tag, length, rest @ ..] = bytes else {
        return None;
    };
    let (length, rest) = match *length {
        0x80 => {
            return Some((
                Value {
                    tag: *tag,
                    inner: rest,
                },
                after_indefinite(rest, 0)?,
            ));
        }
        short @ ..0x80 => (usize::from(short), rest),
        long => {
            let count = usize::from(long & 0x7f);
            let (digits, rest) = rest.split_at_checked(count)?;
            let length = digits.iter().try_fold(0_usize, |sum, d| {
                sum.checked_mul(256)?.checked_add(usize::from(*d))
            })?;
            (length, rest)
        }
    };
    let (inner, after) = rest.split_at_checked(length)?;
    Some((Value { tag: *tag, inner }, after))
}

/// What follows the end-of-contents octets of a value of indefinite length.
fn after_indefinite(mut rest: &[u8], depth: usize) -> Option<&[u8]> {
    if depth > DEEPEST {
        return None;
    }
    loop {
        match rest {
            [0, 0, after @ ..] => return Some(after),
            [_, 0x80, inner @ ..] => {
                rest = after_indefinite(inner, depth.saturating_add(1))?;
            }
            _ => (_, rest) = value(rest)?,
        }
    }
}

/// An octet string, whole or in pieces.
pub(crate) fn octets(bytes: &[u8], depth: usize, out: &mut Vec<u8>) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    let (found, _) = value(bytes)?;
    match found.tag {
        OCTETS => out.extend_from_slice(found.inner),
        OCTETS_IN_PIECES => {
            let mut rest = found.inner;
            while let [tag @ (OCTETS | OCTETS_IN_PIECES), ..] = rest {
                if *tag == OCTETS_IN_PIECES {
                    octets(rest, depth.saturating_add(1), out)?;
                    (_, rest) = value(rest)?;
                } else {
                    let (piece, after) = value(rest)?;
                    out.extend_from_slice(piece.inner);
                    rest = after;
                }
            }
        }
        _ => return None,
    }
    Some(())
}

/// The values one after another, up to the end or to the first that is broken.
pub(crate) fn all(bytes: &[u8]) -> impl Iterator<Item = Value<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.starts_with(&[0, 0]) {
            return None;
        }
        let (found, after) = value(rest)?;
        rest = after;
        Some(found)
    })
}

/// How many octets the first value takes.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    let (_, rest) = value(bytes)?;
    bytes.len().checked_sub(rest.len())
}

/// A moment: `YYMMDDHHMMSSZ` (the years 1950 to 2049, RFC 5280 4.1.2.5) or `YYYYMMDDHHMMSSZ`.
pub(crate) fn moment(value: Value<'_>) -> Option<DateTime<Utc>> {
    let digits = std::str::from_utf8(value.inner).ok()?.strip_suffix('Z')?;
    let whole = match value.tag {
        UTC_TIME if digits.starts_with(['5', '6', '7', '8', '9']) => format!("19{digits}"),
        UTC_TIME => format!("20{digits}"),
        GENERALIZED_TIME => digits.to_owned(),
        _ => return None,
    };
    let known = whole.len() == 14 && whole.bytes().all(|b| b.is_ascii_digit());
    let read = NaiveDateTime::parse_from_str(&whole, "%Y%m%d%H%M%S");
    read.ok().filter(|_| known).map(|t| t.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: u8, text: &str) -> Option<String> {
        let inner = text.as_bytes();
        moment(Value { tag, inner }).map(|t| t.to_rfc3339())
    }

    #[test]
    fn moments_are_read_as_certificates_have_them() {
        let of = |tag, text| read(tag, text);
        assert_eq!(
            of(UTC_TIME, "260821090000Z").as_deref(),
            Some("2026-08-21T09:00:00+00:00")
        );
        assert_eq!(
            of(UTC_TIME, "500821090000Z").as_deref(),
            Some("1950-08-21T09:00:00+00:00")
        );
        assert_eq!(
            of(GENERALIZED_TIME, "20510821090000Z").as_deref(),
            Some("2051-08-21T09:00:00+00:00")
        );
        for broken in ["", "Z", "2608210900Z", "269921090000Z", "26082109000+Z"] {
            assert_eq!(of(UTC_TIME, broken), None, "{broken}");
        }
    }
}
