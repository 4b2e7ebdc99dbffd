//! Clear-signed text (RFC 9580 7, OpenPGP): the text as its writer wrote it, and the signature as it was sent.

use super::fields::without_line_end;

const SIGNED: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";
const END: &[u8] = b"-----END PGP SIGNATURE-----";
/// Signatures taken out of one text.
const SIGNATURES: usize = 20;

/// A text without its armour, and the signatures, octet for octet; none if it is not clear-signed. One pass.
pub(crate) fn split(text: &[u8]) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let mut kept = Vec::with_capacity(text.len());
    let mut signatures: Vec<Vec<u8>> = Vec::new();
    let mut place = Place::Outside;
    for line in text.split_inclusive(|b| *b == b'\n') {
        let bare = without_line_end(line).trim_ascii_end();
        match place {
            Place::Outside if bare == SIGNED && signatures.len() < SIGNATURES => {
                place = Place::Header;
            }
            // `Hash:` and the like, up to an empty line.
            Place::Header if bare.is_empty() => place = Place::Text,
            Place::Header => {}
            Place::Text if bare == SIGNATURE => {
                place = Place::Signature;
                signatures.push(line.to_vec());
            }
            Place::Text => kept.extend_from_slice(line.strip_prefix(b"- ").unwrap_or(line)),
            Place::Signature => {
                if let Some(signature) = signatures.last_mut() {
                    signature.extend_from_slice(line);
                }
                if bare == END {
                    place = Place::Outside;
                }
            }
            Place::Outside => kept.extend_from_slice(line),
        }
    }
    (!signatures.is_empty() && place == Place::Outside).then_some((kept, signatures))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Header,
    Text,
    Signature,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b23_clear_signed_text_loses_its_armour_and_the_signature_is_kept() {
        let signature = "-----BEGIN PGP SIGNATURE-----\r\nVersion: x\r\n\r\nabc=\r\n-----END PGP SIGNATURE-----\r\n";
        let raw = format!(
            "Hi\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nText\r\n- -- \r\nPete\r\n{signature}after\r\n"
        );
        let (text, signatures) = split(raw.as_bytes()).unwrap();
        assert_eq!(text, b"Hi\r\nText\r\n-- \r\nPete\r\nafter\r\n");
        assert_eq!(signatures, [signature.as_bytes()]);
        assert_eq!(split(b"-----BEGIN PGP SIGNED MESSAGE-----\n\ntext"), None);
        assert_eq!(split(b"> -----BEGIN PGP SIGNED MESSAGE-----\n> text"), None);
    }
}
