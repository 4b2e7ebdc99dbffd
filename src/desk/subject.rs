//! The subject that people mean: without the prefixes that mail clients pile up and without the desk's own number tag.

use super::request::Number;

/// Reply and forward prefixes of the clients met in Russian and English mail, lower case, without the colon.
const PREFIXES: [&str; 16] = [
    "re",
    "fw",
    "fwd",
    "aw",
    "sv",
    "wg",
    "rv",
    "tr",
    "ответ",
    "отв",
    "на",
    "ha",
    "пересл",
    "переслано",
    "пересылка",
    "hа",
];

/// The subject without reply prefixes (`Re:`, `Fwd[2]:`, `Ответ:` …, however many) and without our tags `[№ 2026-000123]`, in any order.
pub fn base(subject: &str) -> String {
    let mut rest = subject.trim();
    while let Some(shorter) = without_prefix(rest) {
        rest = shorter;
    }
    let meant = without_tags(rest);
    // What stands behind a tag may be a prefix again.
    if meant.len() < rest.len() {
        base(&meant)
    } else {
        meant
    }
}

/// Those of them that pass a letter on and do not answer it.
const FORWARDS: [&str; 8] = [
    "fw",
    "fwd",
    "wg",
    "rv",
    "tr",
    "пересл",
    "переслано",
    "пересылка",
];

/// Whether the subject is that of a letter passed on: its outermost prefix says so.
pub fn is_forward(subject: &str) -> bool {
    prefix(subject).is_some_and(|(word, _)| FORWARDS.contains(&word.as_str()))
}

/// The number in the first tag of ours, in the forms that people and clients leave of it: `[№ 2026-000123]`, `[No 2026-123]`, `№ 2026-000123`.
pub fn number(subject: &str) -> Option<Number> {
    let (_, _, number) = tag(subject)?;
    Some(number)
}

fn without_prefix(text: &str) -> Option<&str> {
    prefix(text).map(|(_, rest)| rest)
}

/// The outermost prefix, lower case and without its count, and what follows it.
fn prefix(text: &str) -> Option<(String, &str)> {
    let (head, rest) = text.trim_start().split_once(':')?;
    let head = head.trim().to_lowercase();
    let word = head
        .split(['[', '(', '^'])
        .next()
        .unwrap_or_default()
        .trim();
    let counted = head.len() == word.len() || head.ends_with([']', ')']) || head.contains('^');
    (counted && PREFIXES.contains(&word)).then(|| (word.to_owned(), rest.trim_start()))
}

fn without_tags(text: &str) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let mut rest = text.trim().to_owned();
    while let Some((before, after, _)) = tag(&rest) {
        // What joined two tags joins nothing without them.
        if pieces.is_empty() || !is_joint(&before) {
            pieces.push(before.trim().to_owned());
        }
        // «№ 2026-000123: вход», as people write it.
        let parts = |c: char| c.is_whitespace() || ":;,-–—".contains(c);
        rest = after.trim_start_matches(parts).to_owned();
    }
    pieces.push(rest.trim().to_owned());
    pieces.retain(|piece| !piece.is_empty());
    pieces.join(" ")
}

/// A comma, or one short word such as «и», `and`, `or`.
fn is_joint(text: &str) -> bool {
    let mut words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let short = |word: &str| word.chars().count() <= 3;
    words.next().is_none_or(short) && words.next().is_none()
}

/// The text before and after the first tag of ours, and its number.
fn tag(text: &str) -> Option<(String, String, Number)> {
    let signs = text.char_indices().filter(|(_, c)| matches!(c, '№' | 'N'));
    for (at, sign) in signs {
        let (before, rest) = text.split_at_checked(at)?;
        let rest = rest.trim_start_matches(sign);
        let rest = if sign == 'N' {
            rest.strip_prefix('o').unwrap_or(rest)
        } else {
            rest
        };
        let after = rest.trim_start_matches([' ', '\u{a0}', '.', ':']);
        let length = after
            .find(|c: char| !c.is_ascii_digit() && c != '-')
            .unwrap_or(after.len());
        let (digits, tail) = after.split_at_checked(length)?;
        if let Some(number) = Number::read(digits).filter(|n| n.year() >= 1990) {
            let before = before.strip_suffix('[').unwrap_or(before);
            let tail = tail.strip_prefix(']').unwrap_or(tail);
            return Some((before.to_owned(), tail.to_owned(), number));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_fall_however_many() {
        for (subject, meant) in [
            ("Re: Fwd: Не работает вход", "Не работает вход"),
            ("RE[2]: HA: Ответ: Журнал", "Журнал"),
            ("Поручение: исправить журнал", "Поручение: исправить журнал"),
            ("Re: Журнал [№ 2026-000123]", "Журнал"),
            ("Re:", ""),
            ("Заявка №17 от директора", "Заявка №17 от директора"),
            ("Дом [№ 12] [№ 2026-000123]", "Дом [№ 12]"),
            ("[№ 2026-000123] и [№ 2026-000124]", ""),
            ("№ 2026-000123, № 2026-000124", ""),
            ("Re: № 2026-000123 or № 2026-000124: what now", "what now"),
            ("[№ 2026-000123] — вход, снова", "вход, снова"),
            ("Сбой [№ 2026-000123] и [№ 2026-000124] снова", "Сбой снова"),
            ("[№ 2026-000123] вход [№ 2026-000124]", "вход"),
            ("ПК [№ 2026-000123]", "ПК"),
            ("[№ 2026-000123] ПК", "ПК"),
            ("[№ 2026-000123] Re: ПК", "ПК"),
        ] {
            assert_eq!(base(subject), meant, "{subject}");
        }
    }

    #[test]
    fn d48_a_forward_is_told_by_its_outermost_prefix() {
        for (subject, forward) in [
            ("Fwd: Re: Вход", true),
            (" FW[2]: Вход", true),
            ("Пересл: Вход", true),
            ("Re: Fwd: Вход", false),
            ("Вход", false),
            ("Fwd без двоеточия", false),
        ] {
            assert_eq!(is_forward(subject), forward, "{subject}");
        }
    }

    #[test]
    fn the_number_is_found_in_what_clients_leave_of_it() {
        let n = Some(Number::new(2026, 123));
        for subject in [
            "Re: Вход [№ 2026-000123]",
            "по № 2026-000123 вопрос",
            "Re: [No 2026-123] login",
            "№17, обращение №2026-000123",
        ] {
            assert_eq!(number(subject), n, "{subject}");
        }
        assert_eq!(number("Заявка №17 от 2026-01-02"), None);
    }
}
