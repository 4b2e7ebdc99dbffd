//! Texts of others made fit for a letter of ours: no control, bidirectional or invisible characters, no endless line.

/// One line: every run of white space is one space, nothing that is invisible or turns the direction of writing is left.
/// At most `most` characters, cut with an ellipsis.
pub fn line(text: &str, most: usize) -> String {
    let mut clean = String::new();
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        let word: String = word.chars().filter(|c| is_plain(*c)).collect();
        if word.is_empty() {
            continue;
        }
        if !clean.is_empty() {
            clean.push(' ');
        }
        clean.push_str(&word);
    }
    cut(&clean, most)
}

/// Several lines, with LF between them; blank ones at either end are left out. At most `most` characters; whether any were cut.
pub fn lines(text: &str, most: usize) -> (String, bool) {
    let unified = text.replace("\r\n", "\n");
    let clean: String = unified
        .chars()
        .map(|c| match c {
            '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
            '\t' => ' ',
            _ => c,
        })
        .filter(|c| *c == '\n' || is_plain(*c))
        .collect();
    let clean = clean.trim_matches('\n').trim_end();
    if clean.chars().nth(most).is_none() {
        return (clean.to_owned(), false);
    }
    let kept: String = clean.chars().take(most).collect();
    (kept.trim_end().to_owned(), true)
}

/// At most `most` characters, the last one an ellipsis where anything was cut. A combining mark is not parted from its letter.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let room = most.saturating_sub(1);
    let mut kept: Vec<char> = text.chars().take(room).collect();
    let mut dropped = text.chars().nth(room);
    while dropped.is_some_and(is_joined) {
        dropped = kept.pop();
    }
    let kept: String = kept.into_iter().collect();
    format!("{}…", kept.trim_end())
}

fn is_joined(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{200d}' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// Whether a character may stand in a letter of ours: neither control, nor bidirectional, nor invisible, nor no character at all.
fn is_plain(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
        || (u32::from(c) & 0xfffe) == 0xfffe
        || matches!(c, '\u{fdd0}'..='\u{fdef}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_shows_what_it_is() {
        assert_eq!(
            line(" a\r\nBcc: x@y\0\u{85}z\u{202e}b \u{200b} c", 99),
            "a Bcc: x@y zb c"
        );
        assert_eq!(line("\u{202e}\u{200b}", 99), "");
    }

    #[test]
    fn a_cut_parts_no_letter() {
        assert_eq!(cut("тема", 4), "тема");
        assert_eq!(cut("темы", 3), "те…");
        assert_eq!(cut("абвй\u{306}\u{306}", 4), "абв…");
        assert_eq!(cut("аби\u{306}где", 4), "аб…");
    }

    #[test]
    fn lines_keep_their_breaks() {
        assert_eq!(
            lines("\n\nа\r\nб\rв\u{2028}г\td\n\n", 99),
            ("а\nб\nв\nг d".into(), false)
        );
        assert_eq!(lines("абвгд", 3), ("абв".into(), true));
    }
}
