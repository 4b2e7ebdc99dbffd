//! The line over a quotation that tells whose words follow: known by its shape (a date, an address, a verb, a colon) more than by its words.

use super::lines::is_quoted;
use super::moment::{has_date, has_time};
use crate::mail::lower::lowered;

/// Most octets of an attribution.
const LENGTH: usize = 400;
/// Most lines that it is wrapped over.
const LINES: usize = 4;

/// How sure an attribution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    /// Only if quoted lines follow.
    IfQuoted,
    /// It needs no quotation marks under it.
    Certain,
}

/// Whether an attribution begins with the first line: how many lines it takes, and how sure it is.
pub(super) fn at(rest: &[&str]) -> Option<(usize, Sure)> {
    let first = rest.first()?;
    let mut joined = String::new();
    let mut found = None;
    for (place, line) in rest.iter().take(LINES).enumerate() {
        let marked = is_quoted(line);
        let line = line.trim().trim_matches('*');
        if line.is_empty() || marked || joined.len().saturating_add(line.len()) > LENGTH {
            break;
        }
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(line);
        if (ends_one(line) || (line.ends_with('>') && joined.contains('@')))
            && (place == 0 || begins_one(first))
        {
            let taken = place.saturating_add(1);
            found = judge(&joined).map(|sure| (taken, sure)).or(found);
        }
        if ends_one(line) {
            break;
        }
    }
    found
}

/// Whether nothing of an attribution comes after this line.
fn ends_one(line: &str) -> bool {
    line.ends_with([':', '：'])
}

/// Whether an attribution that goes on below may begin with this line: a date or a name with an address, and no end of a sentence.
fn begins_one(line: &str) -> bool {
    let line = line.trim();
    let sentence = line.ends_with(['.', '!', '?', ';']) && !line.ends_with("г.");
    !sentence
        && (has_date(line)
            || opens(line) && line.chars().any(|c| c.is_ascii_digit())
            || line.contains('<'))
}

/// Words that attributions begin with.
fn opens(line: &str) -> bool {
    let lower = lowered(line.trim_start_matches(['-', '*', ' ']));
    let first = lower.split([' ', ',', '.']).next().unwrap_or_default();
    [
        "on",
        "am",
        "le",
        "el",
        "il",
        "op",
        "den",
        "em",
        "dnia",
        "dne",
        "w",
        "в",
        "во",
        "пн",
        "вт",
        "ср",
        "чт",
        "пт",
        "сб",
        "вс",
        "понедельник",
        "вторник",
        "среда",
        "четверг",
        "пятница",
        "суббота",
        "воскресенье",
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
        "vào",
    ]
    .contains(&first)
}

/// How sure the whole of it is, if it is one.
fn judge(text: &str) -> Option<Sure> {
    let text = text
        .trim_start_matches(['-', '*', ' ', '"', '•'])
        .trim_end_matches(['*', ' ']);
    let date = has_date(text);
    let time = has_time(text);
    let address = has_address(text);
    let colon = text.ends_with([':', '：']);
    if !colon {
        // `2011/4/7 Nathan <support@x.example>`, as Gmail wrote once.
        let begins_with_date = text.starts_with(|c: char| c.is_ascii_digit());
        return (begins_with_date && date && address && text.len() < 150).then_some(Sure::IfQuoted);
    }
    let said = text.trim_end_matches([':', '：', ' ', '\u{a0}']);
    let verb = verb(said);
    let ends_in_address = said.ends_with('>') && address;
    let verb_last = verb.is_some_and(|after| after <= 2);
    let verb_near = verb.is_some_and(|after| after <= 8);
    let certain = (address && verb_near && (date || verb_last))
        || (ends_in_address && date && time)
        || (date && time && verb_last && (opens(text) || begins_with_moment(text)));
    if certain {
        return Some(Sure::Certain);
    }
    let two = [date, address, verb.is_some()]
        .iter()
        .filter(|x| **x)
        .count()
        >= 2;
    let short = text.len() <= 160;
    (two || (short && (verb_last || ends_in_address))).then_some(Sure::IfQuoted)
}

/// Whether a text begins with its date, or a weekday before it.
fn begins_with_moment(text: &str) -> bool {
    let head: String = text.chars().take(40).collect();
    text.starts_with(|c: char| c.is_ascii_digit()) || (opens(text) && has_date(&head))
}

/// Whether an address stands in a text.
fn has_address(text: &str) -> bool {
    text.split(|c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '"' | ':' | ',')
    })
    .any(|word| {
        word.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !domain.starts_with('.')
        })
    })
}

const VERBS: [&str; 48] = [
    "wrote",
    "writes",
    "write",
    "sent",
    "said",
    "пишет",
    "пишете",
    "пише",
    "писал",
    "писала",
    "писали",
    "писал(а)",
    "писал/а",
    "написал",
    "написала",
    "написали",
    "написал(а)",
    "написал/а",
    "написав",
    "написала(в)",
    "сообщил",
    "сообщила",
    "сообщал",
    "сообщает",
    "schrieb",
    "schreibt",
    "geschrieben",
    "écrit",
    "ecrit",
    "escribió",
    "escribio",
    "scritto",
    "scrive",
    "skrev",
    "skriver",
    "schreef",
    "napisał",
    "napisał(a)",
    "napisała",
    "napisał/a",
    "pisze",
    "napsal",
    "escreveu",
    "kirjoitti",
    "írta",
    "yazdı",
    "viết",
    "geschreven",
];

/// How many words follow the last verb of writing in a text.
fn verb(text: &str) -> Option<usize> {
    if text.contains("写道") || text.contains("のメール") || text.contains("書きました")
    {
        return Some(0);
    }
    let lower = lowered(text);
    // `<i@x.example>wrote` is one word to the eye of a program.
    lower
        .split(|c: char| c.is_whitespace() || matches!(c, '>' | ','))
        .filter(|w| !w.is_empty())
        .rev()
        .take(40)
        .position(|word| VERBS.contains(&word.trim_matches(['"', '*', '.', '-'])))
}

/// Lines between rule and attribution that some programs add: `Кому: …`, `Тема: …`.
pub(super) fn is_preamble(line: &str) -> bool {
    let word = line
        .split(':')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    line.contains(':')
        && matches!(
            word.as_str(),
            "кому" | "копия" | "тема" | "to" | "cc" | "subject"
        )
}
