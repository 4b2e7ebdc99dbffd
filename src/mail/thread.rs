//! Signed tokens in our Message-IDs and reply addresses: sealed, opened, and taken out of texts.

use std::borrow::Cow;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::base32;
use super::transfer::hex;
use crate::desk::address::Address;
use crate::desk::request::RequestId;

/// What a reply to one of our letters means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Continues the request (`r`).
    Reply,
    /// Settles what is pending (`c`).
    Confirm,
    /// Stays inside (`i`, S18).
    Internal,
    /// Leads to no request (`n`); only proves that the letter is ours.
    Nothing,
}

impl TokenKind {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Reply, Self::Confirm, Self::Internal, Self::Nothing];

    fn letter(self) -> char {
        match self {
            Self::Reply => 'r',
            Self::Confirm => 'c',
            Self::Internal => 'i',
            Self::Nothing => 'n',
        }
    }
}

/// What a token says, once its seal is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What a reply means.
    pub kind: TokenKind,
    /// The request; none for `Nothing` where there is none.
    pub request: Option<RequestId>,
    /// The letter of ours that carried it, by its name in the outbox.
    pub outbox: i64,
}

/// What the seal is over, besides the token: a seal for another purpose, or of another version, does not verify here.
const PURPOSE: &[u8] = b"postdesk/token/v1";
/// Octets of the seal that are kept (128 bits, S1).
const SEAL: usize = 16;
/// Characters that they are written in.
const SEAL_TEXT: usize = 26;
/// The most characters before the seal: kind, key and two numbers of ten octets.
const BODY: usize = 2 + 32;

#[derive(Clone)]
struct Key {
    id: char,
    mac: Hmac<Sha256>,
}

/// The desk's sealing keys: the first seals, all verify. `Debug` shows no key (S32).
#[derive(Clone)]
pub struct Keys {
    first: Key,
    older: Vec<Key>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(***)")
    }
}

impl Keys {
    /// Reads the secret file: one key a line, `ID HEX` (ID one digit or letter, HEX 64 hexadecimal digits), `#` begins a comment.
    ///
    /// # Errors
    /// What is wrong with it, without any of its content.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut keys: Vec<Key> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let place = at.saturating_add(1);
            let key = read_key(line).map_err(|why| format!("Line {place}: {why}"))?;
            if keys.iter().any(|k| k.id == key.id) {
                return Err(format!("Line {place}: a second key with the same id"));
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let first = keys.next().ok_or_else(|| "It holds no key".to_owned())?;
        Ok(Self {
            first,
            older: keys.collect(),
        })
    }

    /// A new secret file with one key, from the system's randomness.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn generate() -> Result<String, String> {
        let mut octets = [0_u8; 32];
        getrandom::fill(&mut octets).map_err(|why| format!("No randomness: {why}"))?;
        let digits: String = octets.iter().map(|b| format!("{b:02x}")).collect();
        Ok(format!(
            "# Keys that seal the desk's reply addresses. The first seals, all are accepted: put a new one first, keep the old below it.\n1 {digits}\n"
        ))
    }

    /// Whether one of those keys is not among these: what it sealed could no longer be opened.
    pub fn lacks_one_of(&self, those: &Self) -> bool {
        let all = |keys: &Self| -> Vec<Key> {
            std::iter::once(&keys.first)
                .chain(&keys.older)
                .cloned()
                .collect()
        };
        let these = all(self);
        // Keys show themselves only by what they seal.
        let same = |a: &Key, b: &Key| {
            a.id == b.id
                && sealed(a, "the same key?").finalize() == sealed(b, "the same key?").finalize()
        };
        all(those)
            .iter()
            .any(|key| !these.iter().any(|k| same(k, key)))
    }

    /// Seals a token: lower-case letters and digits and one dot, fit for a local part.
    pub fn seal(&self, token: &Token) -> String {
        let mut payload = Vec::with_capacity(20);
        write_varint(&mut payload, token.outbox.cast_unsigned());
        if let Some(RequestId(request)) = token.request {
            write_varint(&mut payload, request.cast_unsigned());
        }
        let body = format!(
            "{}{}{}",
            token.kind.letter(),
            self.first.id,
            base32::write(&payload)
        );
        let seal = sealed(&self.first, &body).finalize().into_bytes();
        let kept = seal.get(..SEAL).unwrap_or_default();
        format!("{body}.{}", base32::write(kept))
    }

    /// Opens a sealed token; none if it is not ours, tampered with or of an unknown key. The seal is verified in constant time before anything is used (S1).
    pub fn open(&self, sealed_text: &str) -> Option<Token> {
        if sealed_text.len() > 128 || !sealed_text.is_ascii() {
            return None;
        }
        // Servers on the way may fold case (RFC 5321 2.4 lets only the last one know).
        let folded = sealed_text.to_ascii_lowercase();
        let (body, seal) = folded.split_once('.')?;
        let seal = base32::read(seal).filter(|s| s.len() == SEAL)?;
        let id = body.chars().nth(1)?;
        // An unknown key costs what a wrong seal costs: the first one's seal is over another id and cannot fit.
        let key = std::iter::once(&self.first)
            .chain(&self.older)
            .find(|k| k.id == id)
            .unwrap_or(&self.first);
        sealed(key, body).verify_truncated_left(&seal).ok()?;
        let kind = TokenKind::ALL
            .into_iter()
            .find(|kind| body.starts_with(kind.letter()))?;
        let payload = base32::read(body.get(2..)?)?;
        let (outbox, rest) = read_varint(&payload)?;
        let request = if rest.is_empty() {
            None
        } else {
            let (request, rest) = read_varint(rest)?;
            if !rest.is_empty() {
                return None;
            }
            Some(RequestId(request.cast_signed()))
        };
        Some(Token {
            kind,
            request,
            outbox: outbox.cast_signed(),
        })
    }
}

fn read_key(line: &str) -> Result<Key, String> {
    let (id, digits) = line
        .split_once(char::is_whitespace)
        .ok_or("not of the form ID HEX")?;
    let mut letters = id.chars();
    let (Some(id), None) = (letters.next(), letters.next()) else {
        return Err("the id is not one digit or letter".to_owned());
    };
    if !id.is_ascii_alphanumeric() {
        return Err("the id is not one digit or letter".to_owned());
    }
    let digits = digits.trim().as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return Err("the key is not 64 hexadecimal digits".to_owned());
    }
    let octets: Option<Vec<u8>> = pairs
        .iter()
        .map(|[high, low]| Some((hex(*high)? << 4) | hex(*low)?))
        .collect();
    let octets = octets.ok_or("the key is not 64 hexadecimal digits")?;
    let mac = Hmac::new_from_slice(&octets).map_err(|_| "the key has a bad length")?;
    Ok(Key {
        id: id.to_ascii_lowercase(),
        mac,
    })
}

/// The seal over the token's text, kind and key id in it; over the text and not its meaning, so that no second spelling verifies.
fn sealed(key: &Key, body: &str) -> Hmac<Sha256> {
    let mut mac = key.mac.clone();
    mac.update(PURPOSE);
    mac.update(&[0]);
    mac.update(body.as_bytes());
    mac
}

fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [.., low] = (value & 0x7f).to_be_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, b) in bytes.iter().enumerate().take(10) {
        let shift = u32::try_from(at).ok()?.checked_mul(7)?;
        let piece = u64::from(b & 0x7f);
        value |= piece.checked_shl(shift)?;
        if b & 0x80 == 0 {
            return Some((value, bytes.get(at.saturating_add(1)..)?));
        }
    }
    None
}

/// Whether a text has the shape of a sealed token, whoever sealed it.
pub(crate) fn looks_sealed(text: &str) -> bool {
    let Some((body, seal)) = text.split_once('.') else {
        return false;
    };
    let mut letters = body.chars();
    let kind = letters.next().map(|c| c.to_ascii_lowercase());
    seal.len() == SEAL_TEXT
        && body.len() >= 3
        && kind.is_some_and(|c| TokenKind::ALL.iter().any(|k| k.letter() == c))
        && seal
            .bytes()
            .chain(body.bytes())
            .all(|b| b.is_ascii_alphanumeric())
}

/// The Message-ID (without brackets) of a letter of ours.
pub fn message_id(keys: &Keys, token: &Token, own: &Address) -> String {
    format!("{}@{}", keys.seal(token), own.domain())
}

/// The address that replies go to where the server delivers plus-addresses.
pub fn reply_address(keys: &Keys, token: &Token, own: &Address) -> String {
    format!("{}+{}@{}", own.local(), keys.seal(token), own.domain())
}

/// A text without tokens of ours: whoever it is shown to could else answer in another's name (`TRUST` 5 rule 6).
pub fn without_tokens<'t>(text: &'t str, keys: &Keys) -> Cow<'t, str> {
    let mut out = String::new();
    let mut kept = 0_usize;
    for (dot, _) in text.match_indices('.') {
        let is_part = |b: &u8| b.is_ascii_alphanumeric();
        let before = text.as_bytes().get(kept..dot).unwrap_or_default();
        let body = before.iter().rev().take(BODY).take_while(|b| is_part(b));
        let from = dot.saturating_sub(body.count());
        let to = dot.saturating_add(1).saturating_add(SEAL_TEXT);
        let Some(found) = text.get(from..to).filter(|found| looks_sealed(found)) else {
            continue;
        };
        if keys.open(found).is_some() {
            out.push_str(text.get(kept..from).unwrap_or_default());
            out.push('…');
            kept = to;
        }
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    fn keys() -> Keys {
        Keys::read(&Keys::generate().unwrap()).unwrap()
    }

    fn own() -> Address {
        Address::new("support@desk.example").unwrap()
    }

    fn token(kind: TokenKind) -> Token {
        Token {
            kind,
            request: Some(RequestId(123_456)),
            outbox: 987_654,
        }
    }

    #[test]
    fn keys_are_read_strictly_and_shown_never() {
        let hex = "0123456789abcdef".repeat(4);
        assert!(Keys::read(&format!("# a\n\n1 {hex} # b\nk {}\n", hex.to_uppercase())).is_ok());
        for bad in [
            String::new(),
            "1".to_owned(),
            format!("12 {hex}"),
            format!("1 {hex}0"),
            format!("1 {}", hex.replace('f', "g")),
            format!("1 {hex}\n1 {hex}"),
        ] {
            let fault = Keys::read(&bad).unwrap_err();
            assert!(!fault.contains("0123"), "{fault}");
        }
        assert_eq!(format!("{:?}", keys()), "Keys(***)");
    }

    #[test]
    fn s2_an_older_key_verifies_and_a_removed_one_does_not() {
        let (old, new) = ("a1".repeat(32), "b2".repeat(32));
        let before = Keys::read(&format!("1 {old}")).unwrap();
        let after = Keys::read(&format!("2 {new}\n1 {old}")).unwrap();
        let removed = Keys::read(&format!("2 {new}")).unwrap();
        let sealed = before.seal(&token(TokenKind::Reply));
        assert_eq!(after.open(&sealed), Some(token(TokenKind::Reply)));
        assert_eq!(removed.open(&sealed), None);
        assert!(after.seal(&token(TokenKind::Reply)).starts_with("r2"));
    }

    #[test]
    fn the_address_fits_a_local_part() {
        let address = reply_address(&keys(), &token(TokenKind::Confirm), &own());
        assert!(Address::new(&address).is_ok(), "{address}");
        let big = Token {
            request: Some(RequestId(1 << 34)),
            outbox: 1 << 34,
            ..token(TokenKind::Reply)
        };
        let address = reply_address(&keys(), &big, &own());
        assert!(Address::new(&address).is_ok(), "{address}");
    }

    #[test]
    fn tokens_are_taken_out_of_texts_and_nothing_else_is() {
        let keys = keys();
        let address = reply_address(&keys, &token(TokenKind::Confirm), &own());
        let id = message_id(&keys, &token(TokenKind::Internal), &own());
        let foreign = reply_address(&self::keys(), &token(TokenKind::Reply), &own());
        let text = format!("Пишите на {address}. Или <{id}>, не {foreign}. Конец.");
        let left = without_tokens(&text, &keys);
        assert_eq!(
            left,
            format!("Пишите на support+…@desk.example. Или <…@desk.example>, не {foreign}. Конец.")
        );
        let twice = format!("{address}{address}..");
        assert!(!without_tokens(&twice, &keys).contains(&keys.seal(&token(TokenKind::Confirm))));
        let plain = "Ни одного. А это r1080g.0000.";
        assert!(matches!(without_tokens(plain, &keys), Cow::Borrowed(_)));
    }

    fn any_token() -> impl Strategy<Value = Token> {
        (0..4_usize, proptest::option::of(any::<i64>()), any::<i64>()).prop_map(
            |(kind, request, outbox)| Token {
                kind: TokenKind::ALL.get(kind).copied().unwrap(),
                request: request.map(RequestId),
                outbox,
            },
        )
    }

    proptest! {
        #[test]
        fn s1_g72_a_seal_opens_and_no_change_of_a_character_does(
            token in any_token(), at in any::<proptest::sample::Index>(), with in "[0-9a-z.+@\u{430} ]"
        ) {
            let keys = Keys::read(&format!("1 {}", "c3".repeat(31) + "00")).unwrap();
            let sealed = keys.seal(&token);
            prop_assert_eq!(keys.open(&sealed), Some(token));
            prop_assert_eq!(keys.open(&sealed.to_uppercase()), Some(token));
            let place = at.index(sealed.len());
            let changed: String = sealed.chars().enumerate()
                .map(|(i, c)| if i == place { with.clone() } else { c.to_string() }).collect();
            if changed != sealed {
                prop_assert_eq!(keys.open(&changed), None, "{}", changed);
            }
            let shorter: String = sealed.chars().enumerate().filter(|(i, _)| *i != place).map(|(_, c)| c).collect();
            prop_assert_eq!(keys.open(&shorter), None);
        }
    }
}
