//! The header lines and separators that Outlook and its kin put between a reply, or a forwarded letter, and what came before.

use super::lines::{is_blank, is_quoted, is_rule, next_filled, unquoted};
use super::moment::{has_date, has_time};
use crate::mail::lower::lowered;

/// Longest run of lines that header lines are looked for in.
const BLOCK: usize = 14;
/// Longest line of such words that no dashes set apart, in characters.
const ALONE: usize = 45;
/// Lines of recipients without a word of their own between two header lines.
const WRAPPED: usize = 5;

/// What another's letter is introduced as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Introduced {
    /// The letter that is answered.
    Answered,
    /// A letter that is forwarded: the matter itself.
    Forwarded,
}

/// Whether another's letter begins with the first line, and how many lines introduce it.
pub(super) fn at(rest: &[&str], after_rule: bool) -> Option<(usize, Introduced)> {
    let first = *rest.first()?;
    if let Some(introduced) = separator(first, rest.get(1..).unwrap_or_default()) {
        return Some((1, introduced));
    }
    block(rest, after_rule).map(|lines| (lines, Introduced::Answered))
}

/// Whether quoted lines hold a forwarded letter and nothing before it.
pub(super) fn forwards(quoted: &[&str]) -> bool {
    let first = quoted.iter().position(|l| !unquoted(l).is_empty());
    let rest: Vec<&str> = quoted
        .get(first.unwrap_or_default()..)
        .unwrap_or_default()
        .iter()
        .take(4)
        .map(|l| unquoted(l))
        .collect();
    rest.split_first()
        .and_then(|(line, below)| separator(line, below))
        == Some(Introduced::Forwarded)
}

const FORWARDED: [&str; 26] = [
    "forwarded message",
    "forwarded by",
    "begin forwarded message",
    "forwarded mail",
    "forwarded letter",
    "пересылаемое сообщение",
    "пересланное сообщение",
    "перенаправленное сообщение",
    "переадресованное сообщение",
    "пересылаемое письмо",
    "пересланное письмо",
    "начало переадресованного сообщения",
    "начало пересылаемого сообщения",
    "переслане повідомлення",
    "weitergeleitete nachricht",
    "anfang der weitergeleiteten",
    "message transféré",
    "début du message",
    "mensaje reenviado",
    "inicio del mensaje reenviado",
    "messaggio inoltrato",
    "inizio messaggio inoltrato",
    "mensagem encaminhada",
    "doorgestuurd bericht",
    "wiadomość przekazana",
    "vidarebefordrat",
];

const ANSWERED: [&str; 24] = [
    "original message",
    "original appointment",
    "original-nachricht",
    "reply message",
    "исходное сообщение",
    "исходное письмо",
    "исходящее сообщение",
    "оригинальное сообщение",
    "первоначальное сообщение",
    "вихідне повідомлення",
    "ursprüngliche nachricht",
    "ursprüngliche mail",
    "message d'origine",
    "message original",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "oorspronkelijk bericht",
    "oprindelig meddelelse",
    "ursprungligt meddelande",
    "opprinnelig melding",
    "wiadomość oryginalna",
    "oryginalna wiadomość",
    "původní zpráva",
];

/// `-----Original Message-----` and its kind; by its words, or by its dashes and the header line under it.
fn separator(line: &str, below: &[&str]) -> Option<Introduced> {
    let line = line.trim().trim_matches('*');
    if line.len() > 160 {
        return None;
    }
    let dash = |c: char| matches!(c, '-' | '_' | '=' | '*' | '‐' | '—' | '–' | '―' | ' ');
    let inner = line.trim_matches(dash);
    if inner.is_empty() {
        return None;
    }
    let before = line.chars().take_while(|c| dash(*c)).count();
    let dashed = before >= 2 && line.ends_with(dash);
    if !dashed && inner.chars().count() > ALONE {
        return None;
    }
    let inner = lowered(inner);
    let said = |words: &[&str]| words.iter().any(|w| inner.starts_with(w));
    let (forwarded, answered) = (said(&FORWARDED), said(&ANSWERED));
    if !forwarded && !answered {
        // In no language known here: then the dashes and a header line right under them tell.
        let few = inner.split(' ').count() <= 6;
        let header = |(_, l)| header_word(l).is_some();
        let shaped = dashed && before >= 3 && few && next_filled(below, 2).is_some_and(header);
        return shaped.then_some(Introduced::Answered);
    }
    // Without dashes the words alone must be the line, with header lines under them.
    let header_below = || {
        next_filled(below, 3).is_some_and(|(_, l)| header_word(l).is_some() || is_moment_line(l))
    };
    if !dashed && !header_below() {
        return None;
    }
    Some(if forwarded {
        Introduced::Forwarded
    } else {
        Introduced::Answered
    })
}

fn is_moment_line(line: &str) -> bool {
    line.len() < 300 && has_date(line) && has_time(line)
}

/// Header lines from the first line on: `От:` … `Отправлено:` … `Кому:` … `Тема:`; how many.
fn block(rest: &[&str], after_rule: bool) -> Option<usize> {
    let first = rest.first()?;
    if header_word(first).is_none() && !(after_rule && label(first).is_some()) {
        return None;
    }
    let mut seen: [Option<&str>; 4] = [None; 4];
    let mut labelled = 0_usize;
    let mut moment = false;
    let mut last = 0_usize;
    for (at, line) in rest.iter().take(BLOCK).enumerate() {
        if is_quoted(line) {
            break;
        }
        match header_word(line) {
            Some((word, value)) => {
                if let Some(slot) = seen.get_mut(word) {
                    slot.get_or_insert(value);
                }
                labelled = labelled.saturating_add(1);
                last = at;
            }
            // The form that somebody filled in has fields of its own; so have header lines in a language that is not told here.
            None if label(line).is_some_and(|(word, _)| !is_rarer(word)) => {
                if !after_rule {
                    return None;
                }
                moment |= is_moment_line(line);
                labelled = labelled.saturating_add(1);
                last = at;
            }
            // Blank lines stand between header lines where each was a paragraph.
            None if is_blank(line) => {
                let next = rest.get(at.saturating_add(1)).copied().unwrap_or_default();
                if header_word(next).is_none() {
                    break;
                }
            }
            // Long lists of recipients go on over lines without a word of their own.
            None if at.saturating_sub(last) > WRAPPED => break,
            None => {}
        }
    }
    let [from, date, to, subject] = seen;
    let dated = date.is_some_and(|d| d.chars().any(|c| c.is_ascii_digit()));
    let known = [from.is_some(), dated, to.is_some(), subject.is_some()]
        .iter()
        .filter(|s| **s)
        .count();
    let exact = date.is_some_and(|d| has_date(d) && has_time(d));
    let sender = from.is_some_and(|f| f.contains('@'));
    let is_block = (from.is_some() && known >= 3)
        || (after_rule && labelled >= 3 && (from.is_some() || dated || moment))
        || (exact && sender)
        || (exact && to.is_some_and(|t| t.contains('@')));
    is_block.then(|| last.saturating_add(1))
}

/// A word or two and a colon, as header lines of any language begin.
fn label(line: &str) -> Option<(&str, &str)> {
    let (word, value) = line
        .trim_start_matches(['*', ' ', '\t', '|'])
        .split_once(':')?;
    let word = word.trim_matches(['*', ' ', '\t', '\u{a0}']);
    let short = !word.is_empty() && word.chars().count() <= 25 && word.split(' ').count() <= 3;
    (short
        && word
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, ' ' | '-')))
    .then(|| (word, value.trim_matches(['*', ' ', '\u{a0}'])))
}

/// Header lines that tell nothing here.
fn is_rarer(word: &str) -> bool {
    let word = lowered(word);
    word.starts_with("x-")
        || [
            "reply-to",
            "reply to",
            "ответить",
            "importance",
            "важность",
            "priority",
            "attachments",
            "вложения",
            "organization",
            "bcc",
            "скрытая копия",
            "message-id",
            "user-agent",
            "newsgroups",
            "sensitivity",
            "http",
            "https",
            "mailto",
        ]
        .contains(&word.as_str())
}

/// Which header word a line begins with (0 sender, 1 date, 2 recipient, 3 subject), and what it says.
fn header_word(line: &str) -> Option<(usize, &str)> {
    let (word, value) = label(line)?;
    let word = lowered(word);
    WORDS
        .iter()
        .position(|words| words.contains(&word.as_str()))
        .map(|at| (at, value))
}

const WORDS: [&[&str]; 4] = [
    &[
        "from",
        "от",
        "от кого",
        "отправитель",
        "von",
        "de",
        "від",
        "fra",
        "van",
        "od",
        "från",
        "da",
        "lähettäjä",
        "feladó",
        "kimden",
        "差出人",
        "发件人",
    ],
    &[
        "sent",
        "date",
        "отправлено",
        "дата",
        "дата отправки",
        "отправлен",
        "gesendet",
        "datum",
        "envoyé",
        "надіслано",
        "sendt",
        "dato",
        "verzonden",
        "wysłano",
        "wysłane",
        "data",
        "skickat",
        "fecha",
        "enviado",
        "enviada",
        "enviado el",
        "inviato",
        "odesláno",
        "lähetetty",
        "送信日時",
        "发送时间",
    ],
    &[
        "to",
        "кому",
        "cc",
        "копия",
        "an",
        "à",
        "para",
        "til",
        "aan",
        "do",
        "dw",
        "till",
        "a",
        "komu",
        "pour",
        "宛先",
        "收件人",
    ],
    &[
        "subject",
        "тема",
        "re",
        "betreff",
        "objet",
        "asunto",
        "emne",
        "onderwerp",
        "temat",
        "ämne",
        "assunto",
        "oggetto",
        "předmět",
        "aihe",
        "件名",
        "主题",
    ],
];

/// Drops what led to another's letter from the end of what was kept: rules and blank lines.
pub(super) fn drop_rules(kept: &mut Vec<&str>) {
    while kept.last().is_some_and(|l| is_rule(l) || is_blank(l)) {
        kept.pop();
    }
}
