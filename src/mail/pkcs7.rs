//! The letter inside an opaque S/MIME signature (RFC 8551 3.5.2): found in the DER or BER of CMS (RFC 5652), not verified.

/// Nesting of the values that are walked; CMS needs a handful.
const DEEPEST: usize = 12;
/// `1.2.840.113549.1.7.2`, signed data.
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
/// `1.2.840.113549.1.7.1`, data.
const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";

const SEQUENCE: u8 = 0x30;
const OID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const OCTETS_IN_PIECES: u8 = 0x24;
const EXPLICIT_0: u8 = 0xa0;

/// The octets that were signed; none where it is encrypted, detached or broken.
pub(crate) fn signed_content(der: &[u8]) -> Option<Vec<u8>> {
    let info = first(der, SEQUENCE)?;
    let (kind, rest) = value(info)?;
    (kind.tag == OID && kind.inner == SIGNED_DATA).then_some(())?;
    let signed = first(first(rest, EXPLICIT_0)?, SEQUENCE)?;
    // version, digest algorithms, then what was signed
    let (_, rest) = value(signed)?;
    let (_, rest) = value(rest)?;
    let encapsulated = first(rest, SEQUENCE)?;
    let (kind, rest) = value(encapsulated)?;
    (kind.tag == OID && kind.inner == DATA).then_some(())?;
    let content = first(rest, EXPLICIT_0)?;
    let mut out = Vec::new();
    octets(content, 0, &mut out)?;
    Some(out)
}

struct Value<'a> {
    tag: u8,
    inner: &'a [u8],
}

/// The inside of the first value, if it has this tag.
fn first(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (found, _) = value(bytes)?;
    (found.tag == tag).then_some(found.inner)
}

/// The first value, and what follows it. Of an indefinite length (BER) the inside is all that follows: its values are read in order, and
/// the end-of-contents octets are none that anybody looks for.
fn value(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
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
fn octets(bytes: &[u8], depth: usize, out: &mut Vec<u8>) -> Option<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(tag: u8, inner: &[u8]) -> Vec<u8> {
        let mut out = vec![tag, 0x82];
        out.extend_from_slice(&u16::try_from(inner.len()).unwrap().to_be_bytes());
        out.extend_from_slice(inner);
        out
    }

    fn indefinite(tag: u8, inner: &[u8]) -> Vec<u8> {
        [&[tag, 0x80], inner, &[0, 0]].concat()
    }

    fn signed(octets: &[u8], wrap: fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
        let data = [wrapped(OID, DATA), wrap(EXPLICIT_0, octets)].concat();
        let signed = [
            vec![2, 1, 1],
            wrapped(0x31, b""),
            wrap(SEQUENCE, &data),
            wrapped(0x31, b""),
        ]
        .concat();
        let info = [
            wrapped(OID, SIGNED_DATA),
            wrap(EXPLICIT_0, &wrap(SEQUENCE, &signed)),
        ]
        .concat();
        wrap(SEQUENCE, &info)
    }

    #[test]
    fn b23_what_was_signed_is_found_in_der_and_ber() {
        let letter = b"Content-Type: text/plain\r\n\r\nhi";
        let whole = wrapped(OCTETS, letter);
        let pieces = [wrapped(OCTETS, &letter[..9]), wrapped(OCTETS, &letter[9..])].concat();
        assert_eq!(signed_content(&signed(&whole, wrapped)).unwrap(), letter);
        for wrap in [wrapped, indefinite] {
            let pieces = wrap(OCTETS_IN_PIECES, &pieces);
            assert_eq!(signed_content(&signed(&pieces, wrap)).unwrap(), letter);
        }
    }

    #[test]
    fn f4_broken_and_deep_values_end_the_walk() {
        let good = signed(&wrapped(OCTETS, b"x"), indefinite);
        for end in 0..good.len() {
            let _ = signed_content(&good[..end]);
        }
        assert_eq!(signed_content(&[0x30, 0x80].repeat(500_000)), None);
        assert_eq!(signed_content(&[0x30, 0xff, 0xff, 0xff]), None);
        assert_eq!(signed_content(b""), None);
    }
}
