//! Signatures in a PDF (ISO 32000-1 12.8): what each covers, found without reading the PDF as one.
//!
//! A signature names two stretches of the file (`ByteRange`); between them stands the signature itself in hexadecimal digits. Where the two
//! stretches are the whole file but for that one string, nothing else in the file can have been changed, whatever the rest of it says:
//! no object, no cross-reference table has to be believed.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::der;

/// Signatures of one file that are looked at.
pub(crate) const SIGNATURES: usize = 10;
/// Places that look like a signature and are read for one, which costs up to the largest signature each.
const LOOKED_AT: usize = 20;
/// Octets at the start in which a PDF says that it is one.
const BEGINNING: usize = 1024;
/// The largest signature, in hexadecimal digits.
const LARGEST: usize = 8 << 20;

/// Two stretches of a file, each from and to.
pub(crate) type Stretches = [(usize, usize); 2];

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    /// The CMS; empty where the gap is no string of hexadecimal digits.
    pub(crate) cms: Vec<u8>,
    /// What is signed.
    pub(crate) stretches: Stretches,
    /// What is signed, as a part of the file.
    pub(crate) coverage: Coverage,
}

/// What part of the file a signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// All but the signature itself.
    Whole,
    /// The same of what the file was when it was signed; it goes on after that.
    Earlier,
    /// Something else.
    Partial,
}

/// Whether this is a PDF.
pub(crate) fn is_pdf(file: &[u8]) -> bool {
    let beginning = file.get(..BEGINNING).unwrap_or(file);
    beginning.windows(5).any(|w| w == b"%PDF-")
}

/// The signatures, in the order of the file; at most one more than are looked at.
pub(crate) fn signatures(file: &[u8]) -> Vec<Signature> {
    static RANGE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let number = r"[\s\x00]{1,64}(\d{1,15})";
        let range = format!(
            r"(?-u)/ByteRange[\s\x00]{{0,64}}\[[\s\x00]{{0,64}}(\d{{1,15}}){number}{number}{number}[\s\x00]{{0,64}}\]"
        );
        Regex::new(&range).ok()
    });
    let Some(range) = RANGE.as_ref() else {
        return Vec::new();
    };
    let found = range.captures_iter(file).filter_map(|captured| {
        let number = |at: usize| {
            let digits = std::str::from_utf8(captured.get(at)?.as_bytes()).ok()?;
            digits.parse::<usize>().ok()
        };
        let [from, length, again, rest] = [number(1)?, number(2)?, number(3)?, number(4)?];
        Some(signature(file, from, length, again, rest))
    });
    let mut signatures: Vec<Signature> = Vec::new();
    // One that is written twice is one.
    for signature in found.take(LOOKED_AT) {
        if !signatures.contains(&signature) {
            signatures.push(signature);
        }
        if signatures.len() > SIGNATURES {
            break;
        }
    }
    signatures
}

fn signature(file: &[u8], from: usize, length: usize, again: usize, rest: usize) -> Signature {
    let first_end = from.saturating_add(length);
    let second_end = again.saturating_add(rest);
    let gap = file.get(first_end..again).unwrap_or_default();
    let cms = hexadecimal(gap);
    let is_sound = from == 0 && length > 0 && second_end <= file.len() && cms.is_some();
    let coverage = match (is_sound, second_end == file.len()) {
        (true, true) => Coverage::Whole,
        (true, false) => Coverage::Earlier,
        (false, _) => Coverage::Partial,
    };
    Signature {
        cms: cms.unwrap_or_default(),
        stretches: [(from, first_end), (again, second_end)],
        coverage,
    }
}

/// The octets of the stretches.
pub(crate) fn covered(file: &[u8], stretches: Stretches) -> Vec<u8> {
    let pieces = stretches.map(|(from, to)| file.get(from..to).unwrap_or_default());
    pieces.concat()
}

/// The octets of a string `<30 82 …>`, without the zeros that it is filled up with; none where it is something else.
fn hexadecimal(gap: &[u8]) -> Option<Vec<u8>> {
    let digits = gap.strip_prefix(b"<")?.strip_suffix(b">")?;
    if digits.len() > LARGEST {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 2);
    let mut high: Option<u8> = None;
    for digit in digits.iter().filter(|b| !b.is_ascii_whitespace()) {
        let low = u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        match high.take() {
            None => high = Some(low),
            Some(high) => out.push((high << 4) | low),
        }
    }
    let length = der::length(&out).unwrap_or(out.len());
    let filling = out.get(length..).unwrap_or_default();
    if filling.iter().any(|b| *b != 0) {
        return None;
    }
    out.truncate(length);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that is signed by these digits, whatever they are.
    pub(crate) fn signed(before: &str, digits: &str) -> Vec<u8> {
        let width = 40;
        let head = format!("%PDF-1.7\n{before}\n/ByteRange [");
        let first = [head.len(), width, "] /Contents ".len()]
            .iter()
            .sum::<usize>();
        let again = [first, digits.len(), 2].iter().sum::<usize>();
        let tail = " >>\n%%EOF\n";
        let range = format!("0 {first} {again} {}", tail.len());
        format!("{head}{range:width$}] /Contents <{digits}>{tail}").into_bytes()
    }

    #[test]
    fn g13_the_whole_file_but_the_signature_must_be_covered() {
        let file = signed("", "300301010000");
        let found = signatures(&file);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].coverage, Coverage::Whole);
        assert_eq!(found[0].cms, b"\x30\x03\x01\x01\x00");
        let octets = covered(&file, found[0].stretches);
        assert!(octets.starts_with(b"%PDF-1.7") && octets.ends_with(b"Contents  >>\n%%EOF\n"));
        assert_eq!(octets.len(), file.len() - 14);

        let longer = [file.as_slice(), b"1 0 obj"].concat();
        assert_eq!(signatures(&longer)[0].coverage, Coverage::Earlier);
        for (digits, why) in [
            ("30030101 <x> 00", "no digits"),
            ("300301010007", "something behind the signature"),
            ("300301010000>/Evil<00", "more than one string"),
        ] {
            let found = signatures(&signed("", digits));
            assert_eq!(found[0].coverage, Coverage::Partial, "{why}");
        }
    }

    #[test]
    fn g13_ranges_of_a_forger_cover_nothing() {
        let file = |range: &str| format!("%PDF-1.4 /ByteRange {range} <3000>").into_bytes();
        for range in [
            "[0 0 0 0]",
            "[0 5 2 5]",
            "[1 5 9 5]",
            "[0 999999999999999 999999999999999 999999999999999]",
            "[0 9 4 99]",
        ] {
            let file = file(range);
            let found = signatures(&file);
            assert_eq!(found[0].coverage, Coverage::Partial, "{range}");
            let _ = covered(&file, found[0].stretches);
        }
        for none in ["[0 1 2]", "[0 /********** 1 2]", "[-1 2 3 4]", "0 1 2 3"] {
            assert!(signatures(&file(none)).is_empty(), "{none}");
        }
    }

    #[test]
    fn s31_a_file_full_of_ranges_is_read_in_no_time() {
        let mut file = b"%PDF-1.7 ".to_vec();
        for at in 0..100_000_usize {
            file.extend(format!("/ByteRange [0 {at} 4000000 9]").bytes());
        }
        let found = signatures(&file);
        assert!(found.len() <= LOOKED_AT);
        let open = [b"%PDF-1.7 ".as_slice(), &b"/ByteRange [ ".repeat(400_000)].concat();
        assert!(signatures(&open).is_empty());
        let hex = [b"<".as_slice(), &b"30".repeat(2 << 20), b">"].concat();
        assert!(hexadecimal(&hex).is_none());
    }
}
