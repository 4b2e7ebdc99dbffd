//! Files that stand in a plain text: `begin 644 name … end` (POSIX uuencode), as mail had them before MIME and some programs still do.

use super::fields::without_line_end;

/// Files taken out of one text; what follows stays text.
const FILES: usize = 100;

/// A file that stood in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encoded {
    /// Its name, as octets of no known charset.
    pub(crate) name: Vec<u8>,
    /// Its octets.
    pub(crate) bytes: Vec<u8>,
}

/// A text without the files that stood in it, and these; none if there are none. One pass.
pub(crate) fn split(text: &[u8]) -> Option<(Vec<u8>, Vec<Encoded>)> {
    let mut files = Vec::new();
    let mut kept = Vec::new();
    let mut rest = text;
    // Where no file has ended, none does further on: what began without an end is text, and is not tried again from each of its lines.
    while files.len() < FILES {
        let Some((before, name, body)) = beginning(rest) else {
            break;
        };
        match decoded(body) {
            Some((bytes, after)) => {
                kept.extend_from_slice(before);
                files.push(Encoded {
                    name: name.to_vec(),
                    bytes,
                });
                rest = after;
            }
            None => {
                let read = rest.len().saturating_sub(body.len());
                kept.extend_from_slice(rest.get(..read).unwrap_or_default());
                rest = body;
            }
        }
    }
    kept.extend_from_slice(rest);
    (!files.is_empty()).then_some((kept, files))
}

/// Whether a file may begin in a text.
pub(crate) fn begins(text: &[u8]) -> bool {
    beginning(text).is_some()
}

/// The octets of a body whose transfer encoding is `x-uuencode`; as it stands where it is none.
pub(crate) fn body(text: &[u8]) -> Vec<u8> {
    beginning(text)
        .and_then(|(_, _, body)| decoded(body))
        .map_or_else(|| text.to_vec(), |(bytes, _)| bytes)
}

/// What stands before the next `begin` line, the name in it, and what follows it.
fn beginning(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut at = 0_usize;
    for line in text.split_inclusive(|b| *b == b'\n') {
        let after = at.saturating_add(line.len());
        if let Some(name) = name_in(without_line_end(line)) {
            return Some((text.get(..at)?, name, text.get(after..)?));
        }
        at = after;
    }
    None
}

fn name_in(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"begin ")?;
    let digits = rest
        .iter()
        .take_while(|b| (b'0'..=b'7').contains(b))
        .count();
    let name = rest.get(digits..)?.strip_prefix(b" ")?.trim_ascii();
    ((3..=4).contains(&digits) && !name.is_empty()).then_some(name)
}

/// The octets up to the `end` line, and what follows it. A line that is no code before that: no file.
fn decoded(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut bytes = Vec::new();
    let mut at = 0_usize;
    for line in text.split_inclusive(|b| *b == b'\n') {
        at = at.saturating_add(line.len());
        let line = without_line_end(line);
        if line.trim_ascii_end() == b"end" {
            return Some((bytes, text.get(at..)?));
        }
        decode_line(line, &mut bytes)?;
    }
    // Cut short: what is there of it is a file all the same, if it is anything.
    (!bytes.is_empty()).then_some((bytes, &[]))
}

fn decode_line(line: &[u8], into: &mut Vec<u8>) -> Option<()> {
    let Some((length, code)) = line.split_first() else {
        return Some(());
    };
    let length = usize::from(value(*length)?);
    if length == 0 {
        return Some(());
    }
    let wanted = length.div_ceil(3).saturating_mul(4);
    // Blanks at the end are lost on the way; one more character is a checksum of old programs.
    if code.len() > wanted.saturating_add(2) || code.len().saturating_add(4) < wanted {
        return None;
    }
    let mut left = length;
    let mut values = code
        .iter()
        .map(|b| value(*b))
        .chain(std::iter::repeat(Some(0)));
    while left > 0 {
        let mut bits = 0_u32;
        for _ in 0..4 {
            bits = (bits << 6) | u32::from(values.next()??);
        }
        let [_, octets @ ..] = bits.to_be_bytes();
        into.extend(octets.iter().take(left));
        left = left.saturating_sub(3);
    }
    Some(())
}

fn value(b: u8) -> Option<u8> {
    (b' '..=b'`')
        .contains(&b)
        .then(|| b.wrapping_sub(b' ') & 0x3f)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAT: &[u8] = b"Look:\r\nbegin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\nBye\r\n";

    #[test]
    fn b23_a_file_in_a_text_is_found_and_the_text_is_left() {
        let (text, files) = split(CAT).unwrap();
        assert_eq!(text, b"Look:\r\nBye\r\n");
        assert_eq!(files.len(), 1);
        assert_eq!(
            (&*files[0].name, &*files[0].bytes),
            (&b"cat.txt"[..], &b"Cat"[..])
        );
        assert_eq!(body(b"begin 666 x\n#0V%T\n \nend\n"), b"Cat");
        assert_eq!(body(b"no code"), b"no code");
    }

    #[test]
    fn b23_prose_is_no_file() {
        for prose in [
            "begin 644 of the regulation says so,\nand nothing else does, says the reader of it\n",
            "begin the work\nend\n",
            "begin 12 x\nend",
        ] {
            assert_eq!(split(prose.as_bytes()), None, "{prose}");
        }
    }

    #[test]
    fn f4_many_beginnings_are_read_in_one_pass() {
        let many = b"begin 644 x\n".repeat(50_000);
        let start = crate::clock::processor_time();
        assert!(split(&many).is_none());
        let files = CAT.repeat(1_000);
        assert_eq!(split(&files).unwrap().1.len(), FILES);
        assert!((crate::clock::processor_time() - start).as_secs() < 2);
    }
}
