//! The alphabet of tokens: base32 that survives servers which fold case, without letters that look like digits.

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes octets as lower-case letters and digits, five bits each.
pub(crate) fn write(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(8).div_ceil(5));
    let (mut bits, mut count) = (0_u32, 0_u32);
    for b in bytes {
        bits = ((bits << 8) | u32::from(*b)) & 0xffff;
        count = count.saturating_add(8);
        while count >= 5 {
            count = count.saturating_sub(5);
            push(&mut out, bits >> count);
        }
    }
    if count > 0 {
        push(&mut out, bits << 5_u32.saturating_sub(count));
    }
    out
}

fn push(out: &mut String, value: u32) {
    let place = usize::try_from(value & 31).unwrap_or_default();
    if let Some(letter) = ALPHABET.get(place) {
        out.push(char::from(*letter));
    }
}

/// Reads it back, in any case; none for a foreign character or for bits left over that are not zero, so that one text has one reading.
pub(crate) fn read(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len().saturating_mul(5) / 8);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for b in text.bytes() {
        let lower = b.to_ascii_lowercase();
        let value = ALPHABET.iter().position(|a| *a == lower)?;
        bits = ((bits << 5) | u32::try_from(value).ok()?) & 0xfff;
        count = count.saturating_add(5);
        if count >= 8 {
            count = count.saturating_sub(8);
            let [.., octet] = (bits >> count).to_be_bytes();
            out.push(octet);
        }
    }
    let left = bits & (1_u32 << count).saturating_sub(1);
    (count < 5 && left == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_reads_as_it() {
        for bytes in [
            b"".as_slice(),
            b"\x00",
            b"\xff\x00\x7f",
            b"0123456789abcdef",
        ] {
            let text = write(bytes);
            assert_eq!(read(&text).unwrap(), bytes);
            assert_eq!(read(&text.to_uppercase()).unwrap(), bytes);
        }
        assert_eq!(write(b"0123456789abcdef").len(), 26);
        assert!(read("01").is_none() && read("i0").is_none() && read("é0").is_none());
    }
}
