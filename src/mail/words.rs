//! Header text to text: encoded words (RFC 2047), raw 8-bit octets, and no character that could mislead an eye or a terminal.

use super::charset;
use super::fields::unfolded;
use super::transfer;

/// Encoded words decoded in one value; further ones stay as they are.
pub(crate) const WORDS: usize = 1_000;

/// Whether a value may hold more encoded words than are decoded.
pub(crate) fn has_too_many(value: &[u8]) -> bool {
    let begun = value.array_windows::<2>().filter(|pair| *pair == b"=?");
    begun.take(WORDS.saturating_add(1)).count() > WORDS
}

/// Decodes an unstructured value or a phrase; on one line, cleaned. `hint` is the charset of the letter's text, for raw octets.
pub(crate) fn text(value: &[u8], hint: Option<&str>) -> String {
    clean(&decoded(&unfolded(value), hint))
}

/// Takes out what a person cannot see: controls, line ends, bidirectional overrides, invisible marks. White space at the ends goes too.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => out.push(' '),
            c if is_hidden(c) => {}
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

/// C0, C1, bidirectional and invisible format characters.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{feff}' | '\u{ad}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// An encoded word: charset, whether it is base64, and its text.
struct Word<'a> {
    charset: &'a [u8],
    base64: bool,
    text: &'a [u8],
}

/// Words of one charset that stand together; joined before decoding, since senders split characters between them.
#[derive(Default)]
struct Run {
    charset: String,
    bytes: Vec<u8>,
    /// Base64 that ends inside a quantum waits for the next word.
    quantum: Vec<u8>,
}

impl Run {
    fn add(&mut self, word: &Word<'_>) {
        if word.base64 {
            self.quantum.extend_from_slice(word.text);
            if self.quantum.len().is_multiple_of(4) || self.quantum.ends_with(b"=") {
                self.settle();
            }
        } else {
            self.settle();
            let spaced: Vec<u8> = word
                .text
                .iter()
                .map(|b| if *b == b'_' { b' ' } else { *b })
                .collect();
            self.bytes.extend(transfer::quoted_printable(&spaced));
        }
    }

    fn settle(&mut self) {
        self.bytes.extend(transfer::base64(&self.quantum));
        self.quantum.clear();
    }

    fn write(mut self, out: &mut String) {
        self.settle();
        if !self.bytes.is_empty() {
            out.push_str(&charset::decode(&self.bytes, Some(&self.charset)).text);
        }
    }
}

fn decoded(value: &[u8], hint: Option<&str>) -> String {
    let mut out = String::with_capacity(value.len());
    let mut run: Option<Run> = None;
    let mut rest = value;
    let mut literal = value;
    let mut words = 0_usize;
    while let Some(at) = find(rest, b"=?").filter(|_| words < WORDS) {
        let candidate = rest.get(at..).unwrap_or_default();
        let Some((word, after)) = encoded_word(candidate) else {
            rest = candidate.get(2..).unwrap_or_default();
            continue;
        };
        let before = literal
            .get(..literal.len().saturating_sub(candidate.len()))
            .unwrap_or_default();
        let charset = String::from_utf8_lossy(word.charset).to_ascii_lowercase();
        if !(before.iter().all(u8::is_ascii_whitespace) && run.is_some()) {
            finish(&mut run, &mut out);
            out.push_str(&raw(before, hint));
        } else if run.as_ref().is_some_and(|r| r.charset != charset) {
            finish(&mut run, &mut out);
        }
        run.get_or_insert_with(|| Run {
            charset,
            ..Run::default()
        })
        .add(&word);
        words = words.saturating_add(1);
        rest = after;
        literal = after;
    }
    finish(&mut run, &mut out);
    out.push_str(&raw(literal, hint));
    out
}

fn finish(run: &mut Option<Run>, out: &mut String) {
    if let Some(run) = run.take() {
        run.write(out);
    }
}

/// Octets outside encoded words: UTF-8 (RFC 6532), else what the text of the letter is in, else a guess.
fn raw(bytes: &[u8], hint: Option<&str>) -> String {
    let shifted = hint.is_some_and(|h| h.to_ascii_lowercase().contains("utf-7"));
    match std::str::from_utf8(bytes) {
        Ok(_) if shifted => charset::decode(bytes, hint).text,
        Ok(text) if text.contains('\u{1b}') => charset::decode(bytes, Some("iso-2022-jp")).text,
        Ok(text) => text.to_owned(),
        Err(_) => match hint {
            Some(hint) if !hint.to_ascii_lowercase().starts_with("utf") => {
                charset::decode(bytes, Some(hint)).text
            }
            _ => charset::guess(bytes).text,
        },
    }
}

/// The encoded word at the start of `bytes`, and what follows it.
fn encoded_word(bytes: &[u8]) -> Option<(Word<'_>, &[u8])> {
    let rest = bytes.strip_prefix(b"=?")?;
    let end = rest.iter().take(60).position(|b| *b == b'?')?;
    let charset = rest.get(..end)?;
    let language = charset.iter().position(|b| *b == b'*');
    let charset = charset.get(..language.unwrap_or(charset.len()))?;
    let token = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'+');
    if charset.is_empty() || !charset.iter().all(token) {
        return None;
    }
    let (base64, rest) = match rest.get(end..)? {
        [b'?', b'b' | b'B', b'?', rest @ ..] => (true, rest),
        [b'?', b'q' | b'Q', b'?', rest @ ..] => (false, rest),
        _ => return None,
    };
    // The text runs to the next `?=`; a `=?` before that begins another word, and this one was never closed.
    let mut at = 0_usize;
    loop {
        match rest.get(at..)? {
            [b'?', b'=', after @ ..] => {
                let text = rest.get(..at)?;
                return Some((
                    Word {
                        charset,
                        base64,
                        text,
                    },
                    after,
                ));
            }
            [b'=', b'?', next, ..] if *next != b'=' => return None,
            [] => return None,
            _ => at = at.saturating_add(1),
        }
    }
}

fn find(bytes: &[u8], needle: &[u8; 2]) -> Option<usize> {
    bytes.windows(2).position(|w| w == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> String {
        text(value.as_bytes(), None)
    }

    #[test]
    fn b21_a_character_split_between_two_words_is_whole() {
        // «Привет», the second letter cut in two.
        assert_eq!(
            read("=?utf-8?B?0J/R?=\r\n =?UTF-8?B?gNC40LLQtdGC?="),
            "Привет"
        );
        assert_eq!(read("=?utf-8?Q?=D0=9F=D1?= =?utf-8?Q?=80?="), "Пр");
        assert_eq!(read("=?utf-8?B?0J/RgN?= =?utf-8?B?C40LLQtdGC?="), "Привет");
    }

    #[test]
    fn b21_mixed_charsets_and_literal_text_stand_side_by_side() {
        assert_eq!(
            read("Re: =?koi8-r?B?8NLJ18XU?= =?windows-1251?Q?_=EC=E8=F0?= (urgent)"),
            "Re: Привет мир (urgent)"
        );
    }

    #[test]
    fn b21_raw_octets_are_guessed_or_follow_the_text() {
        let bytes = encoding_rs::KOI8_R.encode("Не работает отчёт").0;
        assert_eq!(text(&bytes, None), "Не работает отчёт");
        assert_eq!(text(&bytes, Some("koi8-r")), "Не работает отчёт");
        assert_eq!(text(&bytes, Some("utf-8")), "Не работает отчёт");
    }

    #[test]
    fn b21_charsets_with_shifts_are_read() {
        assert_eq!(
            text(b"Re: \x1b$B%F%9%H\x1b(B ok", Some("utf-8")),
            "Re: テスト ok"
        );
        assert_eq!(read("=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?="), "テスト");
        assert_eq!(read("=?utf-7?Q?Fr+APY-sche?="), "Frösche");
        assert_eq!(
            read("=?UTF-7?Q?Fr+APY-sche_x?= =?utf-7?Q?y?="),
            "Frösche xy"
        );
        assert_eq!(read("=?unicode-1-1-utf-7?Q?Fr+APY-sche?="), "Frösche");
    }

    #[test]
    fn what_is_no_encoded_word_stays() {
        for plain in [
            "a =?b? c",
            "=?utf-8?X?abc?=",
            "1 =? 2 ?= 3",
            "=?utf-8?Q?open",
        ] {
            assert_eq!(read(plain), plain);
        }
        assert_eq!(
            read("=?utf-8?Q?open =?utf-8?Q?shut?="),
            "=?utf-8?Q?open shut"
        );
        assert_eq!(read("=?utf-8?B?YQ==?="), "a");
        assert_eq!(read("=?us-ascii*en?Q?a_b?="), "a b");
    }

    #[test]
    fn f13_nothing_that_misleads_the_eye_comes_through() {
        assert_eq!(
            read("=?utf-8?Q?a=0D=0ABcc:_x=00=1B[31m=E2=80=AEcod.exe?="),
            "a  Bcc: x[31mcod.exe"
        );
    }
}
