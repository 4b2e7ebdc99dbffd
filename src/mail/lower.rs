//! Text in lower case and words in it, found quickly in the two alphabets that nearly all letters are written in.

use memchr::memmem;

/// The same as [`str::to_lowercase`], which looks every Cyrillic letter up in tables for all the scripts of the world.
pub(crate) fn lowered(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0'..='\x7f' => out.push(c.to_ascii_lowercase()),
            'а'..='џ' => out.push(c),
            'А'..='Я' => out.push(moved(c, 0x20)),
            'Ѐ'..='Џ' => out.push(moved(c, 0x50)),
            // Its lower case depends on what stands around it.
            'Σ' => return text.to_lowercase(),
            _ => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// The same as [`char::is_alphanumeric`].
pub(crate) fn is_alphanumeric(c: char) -> bool {
    matches!(c, 'Ѐ'..='џ') || c.is_alphanumeric()
}

/// The same as [`char::is_numeric`].
pub(crate) fn is_figure(c: char) -> bool {
    !matches!(c, 'Ѐ'..='џ') && c.is_numeric()
}

/// Whether one of these phrases stands in a text.
pub(crate) fn says_any(text: &str, phrases: &[&str]) -> bool {
    phrases
        .iter()
        .any(|phrase| memmem::find(text.as_bytes(), phrase.as_bytes()).is_some())
}

/// The character that stands so much later in the code.
fn moved(c: char, by: u32) -> char {
    char::from_u32(u32::from(c).saturating_add(by)).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_lowered_and_told_as_the_standard_library_does() {
        for c in '\0'..=char::MAX {
            let text = format!("A{c}b");
            assert_eq!(
                lowered(&text),
                text.to_lowercase(),
                "{}",
                c.escape_unicode()
            );
            let told = (is_alphanumeric(c), is_figure(c));
            assert_eq!(
                told,
                (c.is_alphanumeric(), c.is_numeric()),
                "{}",
                c.escape_unicode()
            );
        }
        assert_eq!(
            lowered("ὈΔΥΣΣΕΎΣ Одиссей"),
            "ὈΔΥΣΣΕΎΣ Одиссей".to_lowercase()
        );
    }
}
