//! What a text says, apart from its figures: two machines that answer each other say the same again and again, with other numbers and dates.

use sha2::{Digest, Sha256};

use super::lower::{is_alphanumeric, is_figure, lowered};

/// How much of a text is looked at, in characters.
const MOST: usize = 2_000;

/// A digest of the words in it, in order; case, punctuation and every word with a figure in it do not count. None where no word is left.
pub fn of(text: &str) -> Option<[u8; 32]> {
    let end = text
        .char_indices()
        .nth(MOST)
        .map_or(text.len(), |(at, _)| at);
    let begun = text.get(..end).unwrap_or_default();
    let mut words = String::with_capacity(end);
    for word in lowered(begun).split(|c| !is_alphanumeric(c)) {
        if word.is_empty() || word.chars().any(is_figure) {
            continue;
        }
        words.push_str(word);
        words.push('\0');
    }
    (!words.is_empty()).then(|| Sha256::digest(words).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_dates_case_and_layout_do_not_count() {
        let one =
            of("Ваше обращение № 2026-000017 получено 21.11.2026 в 12:01.\n\nОтвет — до 28 числа.");
        let two = of("ваше обращение №2026-000018 получено 02.12.2026, в 9:40\nОтвет до 9 числа");
        assert_eq!(one, two);
        assert!(one.is_some());
    }

    #[test]
    fn other_words_count_and_no_words_are_nothing() {
        assert_ne!(of("Создайте запись Иванову"), of("Создайте запись Петрову"));
        assert_ne!(of("да нет"), of("данет"));
        assert_eq!(of("17.\n — 2026"), None);
        assert_eq!(of(""), None);
    }
}
