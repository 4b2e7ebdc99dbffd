//! Octets to text: the declared charset where it fits, a guess where it lies (`FAULTS` F7), Cyrillic first.

use std::sync::LazyLock;

use encoding_rs::{
    Encoding, IBM866, ISO_2022_JP, ISO_8859_5, KOI8_R, UTF_8, WINDOWS_1251, WINDOWS_1252,
};
use mail_parser::decoders::charsets::map::charset_decoder;

use super::transfer;

/// Text, and the name of the charset that was guessed where the declared one did not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// The text.
    pub(crate) text: String,
    /// The guess, if there was one.
    pub(crate) guessed: Option<&'static str>,
}

/// How many octets a guess looks at; the rest of a letter reads like its beginning.
const SAMPLE: usize = 2048;
/// So many characters in a row that are UTF-8 are no accident of a double-byte charset; two are («联通» in GBK).
const WIDE: usize = 5;

/// Decodes `bytes`. `declared` is the sender's word for the charset.
pub(crate) fn decode(bytes: &[u8], declared: Option<&str>) -> Decoded {
    let label = declared.map(usual_label).unwrap_or_default();
    if label == "utf-7" {
        return certain(utf7(bytes));
    }
    let stateful =
        label.starts_with("iso-2022") || label.starts_with("utf-16") || label.starts_with("hz");
    if !stateful && bytes.is_ascii() {
        return certain(String::from_utf8_lossy(bytes).into_owned());
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(mark..).unwrap_or_default();
        return certain(encoding.decode_without_bom_handling(rest).0.into_owned());
    }
    match Encoding::for_label(label.as_bytes()) {
        Some(encoding) if encoding == UTF_8 => declared_utf8(bytes),
        Some(encoding) if encoding == ISO_2022_JP => declared_other(&joined(bytes), encoding),
        Some(encoding) if encoding == encoding_rs::REPLACEMENT => guess(bytes),
        Some(encoding) => declared_other(bytes, encoding),
        None => match charset_decoder(label.as_bytes()) {
            Some(decoder) => certain(decoder(bytes)),
            None => guess(bytes),
        },
    }
}

/// Decodes octets of which nothing is known.
pub(crate) fn guess(bytes: &[u8]) -> Decoded {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return certain(text.to_owned());
    }
    // A line or two may be UTF-8 by accident; a paragraph is not.
    mixed(bytes, WIDE.saturating_mul(4)).unwrap_or_else(|| guess_one(bytes))
}

/// Decodes octets that are no UTF-8 and all in one charset.
fn guess_one(bytes: &[u8]) -> Decoded {
    let encoding = match best_cyrillic(bytes) {
        Some((encoding, score)) if score > 0 => encoding,
        _ => detected(bytes),
    };
    Decoded {
        text: encoding.decode_without_bom_handling(bytes).0.into_owned(),
        guessed: Some(encoding.name()),
    }
}

fn certain(text: String) -> Decoded {
    Decoded {
        text,
        guessed: None,
    }
}

/// UTF-7 (RFC 2152). Not the decoder of `mail-parser`, which loses a run at the end and the character after a run. What is no code stays.
fn utf7(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|b| *b == b'+') {
        let (before, shifted) = rest.split_at(at);
        out.push_str(&guess(before).text);
        let inner = shifted.get(1..).unwrap_or_default();
        let end = inner
            .iter()
            .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')))
            .unwrap_or(inner.len());
        let (code, after) = inner.split_at(end);
        let octets = transfer::base64(code);
        let units = octets.as_chunks::<2>().0;
        if code.is_empty() || units.is_empty() {
            out.push('+');
            out.extend(code.iter().map(|b| char::from(*b)));
        } else {
            let units = units.iter().map(|pair| u16::from_be_bytes(*pair));
            out.extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
        }
        // `-` ends a run and is no part of the text.
        let dash = code.is_empty() || !units.is_empty();
        rest = after.strip_prefix(b"-").filter(|_| dash).unwrap_or(after);
    }
    out.push_str(&guess(rest).text);
    out
}

/// ISO-2022-JP without escape sequences that another one follows at once: such stand where two pieces were joined, and decoders refuse them.
fn joined(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        if let [0x1b, b'(' | b'$', _, next @ ..] = rest
            && next.first() == Some(&0x1b)
        {
            rest = next;
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

fn declared_utf8(bytes: &[u8]) -> Decoded {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return certain(text.to_owned());
    }
    mixed(bytes, 1).unwrap_or_else(|| guess_one(bytes))
}

/// UTF-8 with lines in another charset, such as a relay or a scanner adds; none if fewer than `least` characters in it are UTF-8.
fn mixed(bytes: &[u8], least: usize) -> Option<Decoded> {
    let lines = || bytes.split_inclusive(|b| *b == b'\n');
    let whole: usize = lines()
        .filter(|l| !l.is_ascii() && !is_foreign(l))
        .map(|l| wide(&String::from_utf8_lossy(l)))
        .sum();
    if whole < least {
        return None;
    }
    let foreign: Vec<u8> = lines()
        .filter(|l| is_foreign(l))
        .flatten()
        .copied()
        .collect();
    if foreign.is_empty() {
        // A few broken characters in text that is UTF-8 elsewhere (a bad relay) are no reason to read it all otherwise; half a character at the
        // end is a cut, and no more of it is left than of what followed.
        let end = match std::str::from_utf8(bytes) {
            Err(fault) if fault.error_len().is_none() => fault.valid_up_to(),
            _ => bytes.len(),
        };
        let bytes = bytes.get(..end).unwrap_or(bytes);
        return Some(certain(String::from_utf8_lossy(bytes).into_owned()));
    }
    let guessed = guess_one(&foreign).guessed?;
    let encoding = Encoding::for_label(guessed.as_bytes())?;
    let text = lines()
        .map(|line| {
            if is_foreign(line) {
                encoding.decode_without_bom_handling(line).0
            } else {
                String::from_utf8_lossy(line)
            }
        })
        .collect();
    Some(Decoded {
        text,
        guessed: Some(guessed),
    })
}

/// Whether a line is in another charset: no UTF-8, and more in it broken than a cut explains.
fn is_foreign(line: &[u8]) -> bool {
    if std::str::from_utf8(line).is_ok() {
        return false;
    }
    let text = String::from_utf8_lossy(line);
    let broken = text.chars().filter(|c| *c == '\u{fffd}').count();
    let whole = text
        .chars()
        .filter(|c| !c.is_ascii() && *c != '\u{fffd}')
        .count();
    broken.saturating_mul(2) > whole
}

fn declared_other(bytes: &[u8], encoding: &'static Encoding) -> Decoded {
    if let Ok(text) = std::str::from_utf8(bytes)
        && encoding != ISO_2022_JP
        && (encoding.is_single_byte() || wide(text) >= WIDE)
    {
        return Decoded {
            text: text.to_owned(),
            guessed: Some(UTF_8.name()),
        };
    }
    let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) else {
        // One broken ideograph among many is a cut or a slip, and no other charset.
        let text = encoding.decode_without_bom_handling(bytes).0;
        let broken = text.chars().filter(|c| *c == '\u{fffd}').count();
        if !encoding.is_single_byte() && broken.saturating_mul(10) < wide(&text) {
            return certain(text.into_owned());
        }
        return guess(bytes);
    };
    // A text that reads well as declared is what it says it is: the other readings need not be tried.
    let doubted = |its: i64| encoding == WINDOWS_1252 || its < 0;
    if encoding.is_single_byte()
        && let its = sample_score(bytes, encoding)
        && doubted(its)
        && let Some((better, score)) = best_cyrillic(bytes)
        && better != encoding
        && lies(encoding, its, score)
        && mostly_high(bytes)
    {
        return Decoded {
            text: better.decode_without_bom_handling(bytes).0.into_owned(),
            guessed: Some(better.name()),
        };
    }
    certain(text.into_owned())
}

/// Characters that are not ASCII.
fn wide(text: &str) -> usize {
    text.chars().filter(|c| !c.is_ascii()).count()
}

/// Whether another reading is so much better that the declared charset must be wrong.
fn lies(declared: &'static Encoding, its: i64, best: i64) -> bool {
    let western = declared == WINDOWS_1252;
    best > 8 && (western || its < 0 && best > its.saturating_neg().saturating_mul(2).max(16))
}

/// Whether words are written in the upper half throughout, as Cyrillic is and no western language.
fn mostly_high(bytes: &[u8]) -> bool {
    let sample = bytes.iter().take(SAMPLE);
    let high = sample.clone().filter(|b| **b >= 0x80).count();
    let letters = sample.filter(|b| b.is_ascii_alphabetic()).count();
    high.saturating_mul(2) > letters
}

fn best_cyrillic(bytes: &[u8]) -> Option<(&'static Encoding, i64)> {
    // In the order of how often they occur, which decides between equals.
    [WINDOWS_1251, KOI8_R, IBM866, ISO_8859_5]
        .into_iter()
        .map(|e| (e, sample_score(bytes, e)))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
}

fn sample_score(bytes: &[u8], encoding: &'static Encoding) -> i64 {
    let sample = interesting(bytes, SAMPLE);
    score(&encoding.decode_without_bom_handling(sample).0)
}

/// At most `length` octets, from just before the first that is not ASCII.
fn interesting(bytes: &[u8], length: usize) -> &[u8] {
    let from = bytes.iter().position(|b| *b >= 0x80).unwrap_or_default();
    let rest = bytes.get(from.saturating_sub(1)..).unwrap_or_default();
    rest.get(..length).unwrap_or(rest)
}

fn detected(bytes: &[u8]) -> &'static Encoding {
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
    let sample = interesting(bytes, SAMPLE.saturating_mul(16));
    detector.feed(sample, true);
    let guess = detector.guess(None, chardetng::Utf8Detection::Deny);
    // Pairs of octets that stand alone among Latin letters are accents, not ideographs.
    if !guess.is_single_byte() && mostly_alone(sample) {
        return WINDOWS_1252;
    }
    // One or two signs, such as £ or ©, are no evidence for a language.
    let high = || sample.iter().filter(|b| **b >= 0x80);
    if guess.is_single_byte() && high().take(3).count() < 3 && high().all(|b| *b < 0xc0) {
        return WINDOWS_1252;
    }
    guess
}

/// Whether most octets of the upper half have no neighbour there.
fn mostly_alone(bytes: &[u8]) -> bool {
    let high = bytes.iter().filter(|b| **b >= 0x80).count();
    let paired = bytes
        .array_windows::<2>()
        .filter(|[a, b]| *a >= 0x80 && *b >= 0x80)
        .count();
    paired.saturating_mul(4) < high
}

/// How much a text reads like Russian: common pairs of letters for it, odd ones, odd case and odd signs against it.
fn score(text: &str) -> i64 {
    let mut total = 0_i64;
    let mut last: Option<char> = None;
    for c in text.chars() {
        if is_cyrillic(c) {
            if let Some(before) = last.filter(|b| is_cyrillic(*b)) {
                let pair = (lower(before), lower(c));
                total = total.saturating_add(if is_common(pair) { 2 } else { -1 });
                if lower(before) == before && lower(c) != c {
                    total = total.saturating_sub(3);
                }
            }
        } else if !c.is_ascii()
            && !matches!(
                c,
                '«' | '»' | '—' | '–' | '№' | '…' | '\u{a0}' | '“' | '”' | '„'
            )
        {
            total = total.saturating_sub(3);
        }
        last = Some(c);
    }
    total
}

fn is_cyrillic(c: char) -> bool {
    matches!(c, 'А'..='я' | 'Ё' | 'ё' | 'І' | 'і' | 'Ї' | 'ї' | 'Є' | 'є')
}

/// The small letter; the alphabet lies in order, so no table of all scripts is asked.
fn lower(c: char) -> char {
    match c {
        'А'..='Я' => char::from_u32(u32::from(c).wrapping_add(0x20)).unwrap_or(c),
        'Ё' => 'ё',
        'І' => 'і',
        'Ї' => 'ї',
        'Є' => 'є',
        other => other,
    }
}

/// The commonest pairs of letters of Russian words.
const COMMON: &str = "ст но то на ен ов ни ра во ко го пр по ро ер ос ал ре ка ли ор не ол от та ет ин ан ел ла ва ло ны из ес де ри те \
 ом ле ть ав ти ия ие ог ат ам ем ве вы да ви ди до же за зе зн ий им ик ит ки ть як кл кр ля лю ль ма ме ми мо мы нн ня ой об од ож оз \
 он оп ос оч пе пл пи пл ра рв ру ры ря св се си ск сл со сь ся тв тр ту ть уг уд уз ук ул ум ур ус ут уч че чи чт ша ше ши щи щё що ые \
 ый ых ым эт юд яб яв яз ят яю ую аю ею ях ям ев ей ег ед еж ез ек еп ех еч ак ар ас аз ад аб ап ах ац ча ча ая бо бы бе бл бр ба би бу \
 вн вс вт вх вя га гд ги гр гу дн др ду дл дь дя жа жи жд жн зо зв ил ив иг ид ис их иц иш кт кс ку лн лс ло мн му нг нд нс нт нф ну ою \
 ош ощ пу пт рг рн рм рс рт сн сп тн уб уж уп уф фо фе ци це ца чн чк ша шк шл щу ще ъе ып ыл ьн ьс ьк ью ья эк юч ющ яц чё её лё вё";

/// For each first letter the second ones, a bit for each: a text has thousands of pairs.
static PAIRS: LazyLock<[u64; LETTERS]> = LazyLock::new(|| {
    let mut pairs = [0; LETTERS];
    for pair in COMMON.split_whitespace() {
        let mut letters = pair.chars().filter_map(place);
        if let Some((first, second)) = letters.next().zip(letters.next())
            && let Some(seconds) = pairs.get_mut(first)
        {
            *seconds |= 1 << second;
        }
    }
    pairs
});

/// Small letters of Cyrillic, from `а` to `џ`.
const LETTERS: usize = 48;

/// The place of a small letter among them.
fn place(letter: char) -> Option<usize> {
    let place = usize::try_from(u32::from(letter).checked_sub(u32::from('а'))?).ok()?;
    (place < LETTERS).then_some(place)
}

fn is_common((first, second): (char, char)) -> bool {
    let seconds = place(first).and_then(|first| PAIRS.get(first)).copied();
    let second = place(second);
    seconds
        .zip(second)
        .is_some_and(|(seconds, second)| seconds >> second & 1 == 1)
}

/// The label that the standard knows for what senders write.
fn usual_label(declared: &str) -> String {
    let label = declared
        .trim()
        .trim_matches(['"', '\''])
        .to_ascii_lowercase();
    let label = label.split('*').next().unwrap_or_default();
    match label {
        "utf8" | "utf_8" | "utf-8n" | "unicode" => "utf-8",
        "win-1251" | "win1251" | "cp-1251" | "windows1251" | "windows-cp1251" | "ansi-1251"
        | "1251" => "windows-1251",
        "koi8r" | "koi-8" | "koi8_r" | "koi-8-r" => "koi8-r",
        "cp-866" | "866" | "dos" | "ibm-866" => "ibm866",
        "iso-2022-jp-1"
        | "iso-2022-jp-2"
        | "iso-2022-jp-3"
        | "iso-2022-jp-ms"
        | "cp50220"
        | "cp50221"
        | "cp50222"
        | "x-windows-iso2022jp" => "iso-2022-jp",
        "cp932" | "cp943" | "x-sjis-jp" => "shift_jis",
        "cp949" | "ks_c_5601" | "ms949" => "euc-kr",
        "cp936" | "gb_2312" => "gbk",
        "cp950" => "big5",
        "utf7" | "unicode-1-1-utf-7" | "x-unicode-2-0-utf-7" => "utf-7",
        "us-ascii" | "ascii" | "default" | "unknown" | "unknown-8bit" | "x-unknown" | "8bit" => "",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 5] = [
        "Привет",
        "Счёт-фактура за март",
        "СРОЧНО: не работает вход в систему",
        "Добрый день! Прошу исправить ошибку в журнале.",
        "Иванов Иван",
    ];

    #[test]
    fn every_pair_that_is_told_is_common_and_no_other() {
        let told: Vec<&str> = COMMON.split_whitespace().collect();
        for first in 'а'..='џ' {
            for second in 'а'..='џ' {
                let pair = format!("{first}{second}");
                assert_eq!(is_common((first, second)), told.contains(&pair.as_str()));
            }
        }
        assert!(
            told.iter()
                .all(|pair| pair.chars().all(|c| place(c).is_some()))
        );
        assert!(!is_common(('a', 'а')));
    }

    #[test]
    fn b21_undeclared_cyrillic_is_guessed() {
        for encoding in [WINDOWS_1251, KOI8_R, IBM866, ISO_8859_5] {
            for text in TEXTS {
                let bytes = encoding.encode(text).0;
                assert_eq!(guess(&bytes).text, text, "{}", encoding.name());
            }
        }
    }

    #[test]
    fn b21_a_declared_charset_that_lies_is_overruled() {
        let text = "Добрый день! Прошу исправить ошибку в журнале.";
        for (declared, actual) in [
            ("iso-8859-1", WINDOWS_1251),
            ("windows-1251", KOI8_R),
            ("koi8-r", WINDOWS_1251),
            ("us-ascii", KOI8_R),
            ("utf-8", WINDOWS_1251),
            ("windows-1251", UTF_8),
        ] {
            let bytes = actual.encode(text).0;
            assert_eq!(decode(&bytes, Some(declared)).text, text, "{declared}");
        }
    }

    #[test]
    fn b21_a_line_in_another_charset_leaves_the_rest_as_it_is() {
        let mut bytes = "Привет из Москвы\n".as_bytes().to_vec();
        bytes.extend_from_slice(&WINDOWS_1252.encode("Información de revisión\n").0);
        bytes.extend_from_slice("ещё строка".as_bytes());
        let text = "Привет из Москвы\nInformación de revisión\nещё строка";
        assert_eq!(decode(&bytes, Some("utf-8")).text, text);
        assert_eq!(
            guess(b"Houses rise \xa31,100 a week").text,
            "Houses rise £1,100 a week"
        );
        let mut bytes = b"1+2 +BB8- ".to_vec();
        bytes.extend_from_slice(&WINDOWS_1252.encode("Información").0);
        assert_eq!(decode(&bytes, Some("utf-7")).text, "1+2 П Información");
        // A cut stays a cut.
        let cut = b"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0";
        assert_eq!(decode(cut, Some("utf-8")).text, "Прив");
        let inside = b"\xd0\x9f\xd1\x80\xd0 \xd0\xb8\xd0\xb2";
        assert_eq!(decode(inside, Some("utf-8")).text, "Пр\u{fffd} ив");
    }

    #[test]
    fn b21_double_byte_charsets_and_their_joints() {
        let joined = b"\x1b$B%F%9%H\x1b(B\x1b$B%F%9%H\x1b(B";
        for label in ["ISO-2022-JP", "iso-2022-jp-ms"] {
            assert_eq!(decode(joined, Some(label)).text, "テストテスト");
        }
        let utf8 = "Прошу исправить ошибку";
        assert_eq!(decode(utf8.as_bytes(), Some("gb2312")).text, utf8);
        assert_eq!(decode(b"\xc1\xaa\xcd\xa8", Some("gb2312")).text, "联通");
        let mut broken = encoding_rs::GBK
            .encode("您好请帮我们修改一下这个问题")
            .0
            .into_owned();
        broken.push(0x81);
        assert!(
            decode(&broken, Some("gbk"))
                .text
                .starts_with("您好请帮我们")
        );
    }

    #[test]
    fn a_declared_charset_that_fits_is_believed() {
        for text in TEXTS {
            let bytes = KOI8_R.encode(text).0;
            assert_eq!(decode(&bytes, Some("KOI8-R")).text, text);
            let bytes = WINDOWS_1251.encode(text).0;
            assert_eq!(decode(&bytes, Some("win-1251")).text, text);
        }
        let german = "Größe für die Übung, schöne Grüße";
        let bytes = WINDOWS_1252.encode(german).0;
        assert_eq!(decode(&bytes, Some("iso-8859-1")).text, german);
        for (bytes, text) in [
            ("+BB8-", "П"),
            ("+BB8", "П"),
            ("a +BB8EQA, b+-c", "a Пр, b+c"),
            ("1 + 1 +A- +2D0-", "1 + 1 +A- \u{fffd}"),
        ] {
            assert_eq!(decode(bytes.as_bytes(), Some("utf-7")).text, text);
        }
    }
}
