//! Content-Type and Content-Disposition with their parameters (RFC 2045 5.1, RFC 2183, RFC 2231).

use std::collections::BTreeMap;

use super::charset;
use super::fields::unfolded;
use super::transfer::hex;
use super::words;

/// A value such as `text/plain; charset=utf-8`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Value {
    /// What stands before the first semicolon: lower case, without white space.
    pub(crate) head: String,
    /// Parameters by lower-case name, still as octets; `name*0*` and the like under their own names.
    raw: BTreeMap<String, Vec<u8>>,
}

/// How many parameters are read, and how many pieces of one (RFC 2231 3).
const MANY: usize = 1000;

impl Value {
    /// Reads a field's value. Never fails: what cannot be read is not there.
    pub(crate) fn read(value: &[u8]) -> Self {
        let line = unfolded(value);
        let mut pieces = split_at_semicolons(&line).into_iter();
        let head: String = String::from_utf8_lossy(pieces.next().unwrap_or_default())
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        let mut raw = BTreeMap::new();
        for piece in pieces.take(MANY) {
            let Some(equals) = piece.iter().position(|b| *b == b'=') else {
                continue;
            };
            let (name, value) = piece.split_at(equals);
            let name = String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase();
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            // The first counts: a second `boundary` or `charset` is somebody else's.
            raw.entry(name).or_insert_with(|| unquoted(value));
        }
        Self {
            head: head.to_ascii_lowercase().trim_matches('"').to_owned(),
            raw,
        }
    }

    /// A parameter that is plain ASCII, such as `charset` or `method`.
    pub(crate) fn plain(&self, name: &str) -> Option<String> {
        match self.raw.get(name) {
            Some(value) => Some(String::from_utf8_lossy(value).trim().to_owned()),
            None => self.text(name, None),
        }
    }

    /// A parameter as octets, such as `boundary`.
    pub(crate) fn octets(&self, name: &str) -> Option<Vec<u8>> {
        match self.raw.get(name) {
            Some(value) => Some(value.clone()),
            None => self.text(name, None).map(String::into_bytes),
        }
    }

    /// A parameter that is text, such as `filename`. Of two forms the extended one counts (RFC 2231), beside which the plain one is the makeshift in
    /// ASCII for old programs (RFC 6266 4.3); but not where that one is written in encoded words: then it is the whole name, against RFC 2047 5,
    /// and the one that most programs show.
    pub(crate) fn text(&self, name: &str, hint: Option<&str>) -> Option<String> {
        let plain = self.raw.get(name);
        if let Some(whole) = plain.and_then(|value| in_encoded_words(value)) {
            return Some(whole);
        }
        if let Some(value) = self.raw.get(&format!("{name}*")) {
            let (charset, bytes) = extended(value);
            let text = charset::decode(&bytes, charset.as_deref().or(hint)).text;
            // Some senders put an encoded word inside the other encoding.
            return Some(words::text(text.as_bytes(), hint));
        }
        if let Some(joined) = self.continued(name, hint) {
            return Some(joined);
        }
        Some(words::text(plain?, hint))
    }

    /// `name*0*=…; name*1=…` joined as octets before decoding, so that no character is lost at a joint.
    fn continued(&self, name: &str, hint: Option<&str>) -> Option<String> {
        let mut bytes = Vec::new();
        let mut charset = None;
        let mut found = false;
        for part in 0..MANY {
            if let Some(value) = self.raw.get(&format!("{name}*{part}*")) {
                if part == 0 {
                    let (its, decoded) = extended(value);
                    charset = its;
                    bytes.extend(decoded);
                } else {
                    bytes.extend(percent_decoded(value));
                }
            } else if let Some(value) = self.raw.get(&format!("{name}*{part}")) {
                bytes.extend_from_slice(value);
            } else if part > 0 || self.raw.keys().all(|k| !k.starts_with(&format!("{name}*"))) {
                break;
            } else {
                // Some senders count from one.
                continue;
            }
            found = true;
        }
        if !found {
            return None;
        }
        match charset {
            None if bytes.is_ascii() => Some(words::text(&bytes, hint)),
            charset => Some(charset::decode(&bytes, charset.as_deref().or(hint)).text),
        }
    }
}

/// What encoded words say that ASCII could not; none where there are none or they can't be read whole.
fn in_encoded_words(value: &[u8]) -> Option<String> {
    let text = words::text(value, None);
    let is_whole = value.is_ascii() && !text.is_ascii() && !text.contains('\u{fffd}');
    is_whole.then_some(text)
}

/// `charset'language'percent-encoded` (RFC 2231 4).
fn extended(value: &[u8]) -> (Option<String>, Vec<u8>) {
    let mut pieces = value.splitn(3, |b| *b == b'\'');
    match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(charset), Some(_), Some(text)) => {
            let charset = String::from_utf8_lossy(charset).trim().to_owned();
            (
                Some(charset).filter(|c| !c.is_empty()),
                percent_decoded(text),
            )
        }
        _ => (None, percent_decoded(value)),
    }
}

fn percent_decoded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    loop {
        match rest {
            [b'%', high, low, after @ ..] if hex(*high).is_some() && hex(*low).is_some() => {
                out.push((hex(*high).unwrap_or_default() << 4) | hex(*low).unwrap_or_default());
                rest = after;
            }
            [other, after @ ..] => {
                out.push(*other);
                rest = after;
            }
            [] => return out,
        }
    }
}

/// Pieces between semicolons that stand outside quotes and comments.
fn split_at_semicolons(line: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let (mut quoted, mut escaped) = (false, false);
    let mut from = 0_usize;
    for (at, b) in line.iter().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                pieces.push(line.get(from..at).unwrap_or_default());
                from = at.saturating_add(1);
            }
            _ => {}
        }
    }
    pieces.push(line.get(from..).unwrap_or_default());
    pieces
}

/// A parameter's value without its quotes; a comment after an unquoted value goes too, but `report (1).pdf` is a name.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value.strip_prefix(b"\"") else {
        let comment = value
            .ends_with(b")")
            .then(|| value.array_windows::<2>().position(|w| w == b" ("))
            .flatten();
        return value
            .get(..comment.unwrap_or(value.len()))
            .unwrap_or_default()
            .trim_ascii_end()
            .to_vec();
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().peekable();
    while let Some(b) = bytes.next() {
        match b {
            b'"' => break,
            // Only what must be escaped is: `C:\temp\x` comes unescaped.
            b'\\' if bytes.peek().is_some_and(|n| matches!(n, b'"' | b'\\')) => {
                out.extend(bytes.next());
            }
            other => out.push(*other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(value: &str) -> String {
        Value::read(value.as_bytes())
            .text("filename", None)
            .unwrap_or_default()
    }

    #[test]
    fn a_media_type_and_its_parameters() {
        let value = Value::read(b" Text/Plain ; charset=\"UTF-8\" ; boundary=\"a;b\\\"c\"");
        assert_eq!(value.head, "text/plain");
        assert_eq!(value.plain("charset").as_deref(), Some("UTF-8"));
        assert_eq!(value.octets("boundary"), Some(b"a;b\"c".to_vec()));
    }

    #[test]
    fn b21_names_by_rfc_2231_in_any_charset_and_any_number_of_pieces() {
        assert_eq!(
            name("attachment; filename*=windows-1251''%CF%F0%E8%E2%E5%F2.txt"),
            "Привет.txt"
        );
        assert_eq!(
            name(
                "attachment; filename*0*=utf-8''%D0%9F%D1; filename*1*=%80%D0%B8; filename*2=.txt"
            ),
            "При.txt"
        );
        assert_eq!(
            name("attachment; filename*0=\"long \"; filename*1=\"name.txt\""),
            "long name.txt"
        );
        assert_eq!(name("attachment; filename=a.txt (draft)"), "a.txt");
        for (plain, wanted) in [
            ("Pri.txt", "При.txt"),
            ("=?utf-8?Q?Pri?=.txt", "При.txt"),
            ("=?utf-8?B?0JzQsNGA?=.txt", "Мар.txt"),
            ("=?utf-8?Q?=EF=BF=BD=D0=BC?=.txt", "При.txt"),
        ] {
            let both = format!(
                "attachment; filename*=utf-8''%D0%9F%D1%80%D0%B8.txt; filename=\"{plain}\""
            );
            assert_eq!(name(&both), wanted, "{plain}");
        }
        assert_eq!(name("attachment; filename=a (1).txt"), "a (1).txt");
    }

    #[test]
    fn b21_names_by_encoded_words_and_raw_octets() {
        assert_eq!(
            name("attachment; filename=\"=?utf-8?B?0J/RgNC40LLQtdGC?= =?utf-8?Q?.txt?=\""),
            "Привет.txt"
        );
        let mut raw = b"attachment; filename=\"".to_vec();
        raw.extend_from_slice(&encoding_rs::WINDOWS_1251.encode("Отчёт за март.xls").0);
        raw.push(b'"');
        assert_eq!(
            Value::read(&raw).text("filename", None).as_deref(),
            Some("Отчёт за март.xls")
        );
    }
}
