//! Content-Transfer-Encoding undone (RFC 2045 6): tolerant, linear, never failing.

use std::borrow::Cow;

use super::uuencode;

/// How the octets of a part were made fit for transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// 7bit, 8bit, binary and what nobody knows.
    Identity,
    /// RFC 2045 6.8.
    Base64,
    /// RFC 2045 6.7.
    QuotedPrintable,
    /// `x-uuencode`: no standard's, and old programs'.
    Uuencode,
}

impl Encoding {
    /// Reads the field's value.
    pub(crate) fn read(value: &str) -> Self {
        let word = value
            .split(|c: char| c.is_whitespace() || matches!(c, ';' | '('))
            .find(|w| !w.is_empty())
            .unwrap_or_default();
        if word.eq_ignore_ascii_case("base64") {
            Self::Base64
        } else if word.eq_ignore_ascii_case("quoted-printable") {
            Self::QuotedPrintable
        } else if ["x-uuencode", "uuencode", "x-uue"]
            .iter()
            .any(|its| word.eq_ignore_ascii_case(its))
        {
            Self::Uuencode
        } else {
            Self::Identity
        }
    }

    /// The octets that were meant.
    pub(crate) fn decode(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Identity => Cow::Borrowed(bytes),
            Self::Base64 => Cow::Owned(base64(bytes)),
            Self::QuotedPrintable => Cow::Owned(quoted_printable(bytes)),
            Self::Uuencode => Cow::Owned(uuencode::body(bytes)),
        }
    }
}

/// Characters of base64 decoded at a time: a line of 76 and its end.
const LINE: usize = 80;
const NONE: u8 = 0xff;
const VALUES: [u8; 256] = base64_values();

#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "runs while compiling, where a mistake stops the build"
)]
const fn base64_values() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [NONE; 256];
    let mut at = 0;
    while at < 64 {
        values[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    values
}

/// Base64; characters outside the alphabet are passed over, padding ends a quantum (joined encodings occur).
pub(crate) fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(4).saturating_mul(3));
    let (mut bits, mut count) = (0_u32, 0_u8);
    let mut rest = bytes;
    loop {
        // Whole quanta, which is nearly all there is.
        let mut taken = if count == 0 { LINE } else { 0 };
        while taken == LINE {
            taken = quanta(rest.get(..LINE).unwrap_or(rest), &mut out);
            rest = rest.get(taken..).unwrap_or_default();
        }
        let [b, after @ ..] = rest else { break };
        rest = after;
        let value = VALUES.get(usize::from(*b)).copied().unwrap_or(NONE);
        if value == NONE {
            if *b == b'=' && count != 0 {
                flush(&mut out, bits, count);
                (bits, count) = (0, 0);
                if !goes_on(rest) {
                    break;
                }
            }
            continue;
        }
        bits = (bits << 6) | u32::from(value);
        count = count.saturating_add(1);
        if count == 4 {
            let [_, a, b, c] = bits.to_be_bytes();
            out.extend_from_slice(&[a, b, c]);
            (bits, count) = (0, 0);
        }
    }
    flush(&mut out, bits, count);
    out
}

/// Decodes whole quanta until one holds something else; how many characters that were.
fn quanta(code: &[u8], out: &mut Vec<u8>) -> usize {
    let value = |b: u8| u32::from(VALUES.get(usize::from(b)).copied().unwrap_or(NONE));
    let before = out.len();
    let (quanta, _) = code.as_chunks::<4>();
    out.resize(before.saturating_add(quanta.len().saturating_mul(3)), 0);
    let (places, _) = out
        .get_mut(before..)
        .unwrap_or_default()
        .as_chunks_mut::<3>();
    let mut done = 0_usize;
    for ([a, b, c, d], place) in quanta.iter().zip(places) {
        let (a, b, c, d) = (value(*a), value(*b), value(*c), value(*d));
        if (a | b | c | d) > 63 {
            break;
        }
        let [_, x, y, z] = (a << 18 | b << 12 | c << 6 | d).to_be_bytes();
        *place = [x, y, z];
        done = done.saturating_add(1);
    }
    out.truncate(before.saturating_add(done.saturating_mul(3)));
    done.saturating_mul(4)
}

/// Whether code follows padding: on the same line, or as a line of nothing else. A list's footer below it is none.
fn goes_on(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b"=").unwrap_or(rest);
    let next = rest.trim_ascii_start();
    let same_line = next.len() == rest.len();
    let end = next.iter().position(|b| *b == b'\n').unwrap_or(next.len());
    let line = next.get(..end).unwrap_or_default().trim_ascii();
    let code = |b: &u8| *b == b'=' || VALUES.get(usize::from(*b)).is_some_and(|v| *v != NONE);
    same_line || line.len().is_multiple_of(4) && line.iter().all(code)
}

fn flush(out: &mut Vec<u8>, bits: u32, count: u8) {
    match count {
        2 => out.push((bits >> 4).to_be_bytes()[3]),
        3 => {
            let [.., a, b] = (bits >> 2).to_be_bytes();
            out.extend_from_slice(&[a, b]);
        }
        _ => {}
    }
}

/// Quoted-printable; an `=` that begins no code stands for itself.
pub(crate) fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|b| *b == b'=') {
        let (before, code) = rest.split_at(at);
        out.extend_from_slice(before);
        match code {
            [_, high, low, after @ ..] if let Some((high, low)) = hex(*high).zip(hex(*low)) => {
                out.push((high << 4) | low);
                rest = after;
            }
            [_, after @ ..] => {
                // A soft line break, with blanks that a relay may have added (RFC 2045 6.7, rule 3).
                let blanks = after
                    .iter()
                    .take(80)
                    .take_while(|b| matches!(b, b' ' | b'\t'))
                    .count();
                match after.get(blanks..) {
                    Some([b'\r', b'\n', next @ ..] | [b'\n', next @ ..]) => rest = next,
                    Some([]) => rest = &[],
                    _ => {
                        out.push(b'=');
                        rest = after;
                    }
                }
            }
            [] => break,
        }
    }
    out.extend_from_slice(rest);
    out
}

/// The value of a hexadecimal digit.
pub(crate) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a' - 10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A' - 10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_survives_line_ends_missing_padding_and_joints() {
        assert_eq!(base64(b"0J/RgNC4\r\n0LLQtdGC"), "Привет".as_bytes());
        assert_eq!(base64(b"YQ==Yg=="), b"ab");
        assert_eq!(base64(b"YWI"), b"ab");
        assert_eq!(base64(b"Y"), b"");
        assert_eq!(base64(b"YQ==\r\nYg==\r\n"), b"ab");
        assert_eq!(base64(b"YQ==\r\n\r\n--\r\nmailing list\r\n"), b"a");
        assert_eq!(
            base64(b"0J\n/RgN\r\nC4 0LLQtd=GC"),
            base64(b"0J/RgNC40LLQtd=GC")
        );
    }

    #[test]
    fn quoted_printable_keeps_what_it_cannot_read() {
        assert_eq!(
            quoted_printable(b"=D0=9F=\r\n a =  \nb=zz= c="),
            "\u{41f} a b=zz= c".as_bytes()
        );
        assert_eq!(quoted_printable(b"a=3d1=3D"), b"a=1=");
    }
}
