//! What stands in signed data of CMS (RFC 5652), the form of S/MIME and of Russian signatures: the letter inside, who signed with what. Nothing is verified here.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::der::{CONTEXT_0, INTEGER, OID, SEQUENCE, SET, all, first, moment, octets, value};
use super::transfer::Encoding;

/// `1.2.840.113549.1.7.2`, signed data.
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
/// `1.2.840.113549.1.7.1`, data.
const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";

/// `1.2.840.113549.1.9.5`, the moment of signing.
const SIGNING_TIME: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05";
/// `1.2.643`, the algorithms of Russia.
const RUSSIA: &[u8] = b"\x2a\x85\x03";
/// Hashes for which two texts can be made that share one: MD2, MD4, MD5 and SHA-1.
const WEAK: [&[u8]; 4] = [
    b"\x2a\x86\x48\x86\xf7\x0d\x02\x02",
    b"\x2a\x86\x48\x86\xf7\x0d\x02\x04",
    b"\x2a\x86\x48\x86\xf7\x0d\x02\x05",
    b"\x2b\x0e\x03\x02\x1a",
];
/// Signers that are read.
const SIGNERS: usize = 100;

/// What can be told of signed data without verifying it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    /// Whether what was signed stands inside.
    pub(crate) has_content: bool,
    /// When each signer says they signed, in order; as many as there are signers.
    pub(crate) claimed: Vec<Option<DateTime<Utc>>>,
    /// Whether a signer used a hash that can be forged.
    pub(crate) is_weak: bool,
    /// Whether a signer used a Russian algorithm.
    pub(crate) is_russian: bool,
}

/// Reads the outline; none where it is no signed data.
pub(crate) fn outline(der: &[u8]) -> Option<Outline> {
    let (_, rest) = value(signed_data(der)?)?;
    let (_, rest) = value(rest)?;
    let (encapsulated, rest) = value(rest)?;
    (encapsulated.tag == SEQUENCE).then_some(())?;
    let mut outline = Outline {
        has_content: all(encapsulated.inner).any(|v| v.tag == CONTEXT_0),
        ..Outline::default()
    };
    // Certificates and lists have tags of their own.
    let signers = all(rest).find(|v| v.tag == SET);
    for signer in signers.into_iter().flat_map(|s| all(s.inner)).take(SIGNERS) {
        let mut parts = all(signer.inner).filter(|v| v.tag != INTEGER);
        // Who it is: issuer and serial number, or the key's identifier.
        parts.next();
        let hash = parts.next().and_then(|v| first(v.inner, OID));
        let hash = hash.unwrap_or_default();
        outline.is_weak |= WEAK.contains(&hash);
        outline.is_russian |= hash.starts_with(RUSSIA);
        let attributes = parts.find(|v| v.tag == CONTEXT_0);
        let claimed = attributes.and_then(|v| all(v.inner).find_map(|a| signing_time(a.inner)));
        outline.claimed.push(claimed);
    }
    Some(outline)
}

fn signing_time(attribute: &[u8]) -> Option<DateTime<Utc>> {
    let (kind, rest) = value(attribute)?;
    (kind.tag == OID && kind.inner == SIGNING_TIME).then_some(())?;
    let (at, _) = value(first(rest, SET)?)?;
    moment(at)
}

/// The inside of signed data: version, hashes, what was signed, certificates, signers.
fn signed_data(der: &[u8]) -> Option<&[u8]> {
    let (kind, rest) = value(first(der, SEQUENCE)?)?;
    (kind.tag == OID && kind.inner == SIGNED_DATA).then_some(())?;
    first(first(rest, CONTEXT_0)?, SEQUENCE)
}

/// A file as DER or BER, whether it stands there in binary or in base64 with or without the lines around it, as Russian programs write
/// it; none where it is certainly nothing of the kind.
pub(crate) fn binary(file: &[u8]) -> Option<Cow<'_, [u8]>> {
    if file.first() == Some(&SEQUENCE) {
        return Some(Cow::Borrowed(file));
    }
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut text = text.trim_ascii_start();
    if text.starts_with(b"-----BEGIN ") {
        let line = text.iter().position(|b| *b == b'\n')?;
        text = text.get(line..)?.trim_ascii_start();
    }
    // 0x30 and a length of more than 127 octets, or an indefinite one.
    if !text.starts_with(b"MI") {
        return None;
    }
    let end = text.iter().position(|b| *b == b'-').unwrap_or(text.len());
    let der = Encoding::Base64.decode(text.get(..end)?).into_owned();
    (der.first() == Some(&SEQUENCE)).then_some(Cow::Owned(der))
}

/// The octets that were signed; none where it is encrypted, detached or broken.
pub(crate) fn signed_content(der: &[u8]) -> Option<Vec<u8>> {
    let signed = signed_data(der)?;
    // version, digest algorithms, then what was signed
    let (_, rest) = value(signed)?;
    let (_, rest) = value(rest)?;
    let encapsulated = first(rest, SEQUENCE)?;
    let (kind, rest) = value(encapsulated)?;
    (kind.tag == OID && kind.inner == DATA).then_some(())?;
    let content = first(rest, CONTEXT_0)?;
    let mut out = Vec::new();
    octets(content, 0, &mut out)?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::der::{OCTETS, OCTETS_IN_PIECES};

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
        let data = [wrapped(OID, DATA), wrap(CONTEXT_0, octets)].concat();
        let signed = [
            vec![2, 1, 1],
            wrapped(0x31, b""),
            wrap(SEQUENCE, &data),
            wrapped(0x31, b""),
        ]
        .concat();
        let info = [
            wrapped(OID, SIGNED_DATA),
            wrap(CONTEXT_0, &wrap(SEQUENCE, &signed)),
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
