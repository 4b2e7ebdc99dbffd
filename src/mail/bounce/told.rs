//! What a mail system says in its own words, set apart from the letter that it returns in the same text.

/// How much of a report's text is looked at, in octets.
const TEXT: usize = 64 * 1024;

/// A report's text in two.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'t> {
    /// The mail system's own words.
    pub(crate) own: &'t str,
    /// The returned letter, from its first header field on; empty if none stands there.
    pub(crate) returned: &'t str,
}

/// Fields that stand in every header block and in no sentence: where one begins a line, the returned letter has begun.
const BLOCK: &[&str] = &[
    "received:",
    "return-path:",
    "message-id:",
    "mime-version:",
    "dkim-signature:",
    "authentication-results:",
    "x-mailer:",
    "x-mimeole:",
];
/// Fields that may stand before those in the same block.
const BEFORE: &[&str] = &[
    "from:",
    "to:",
    "cc:",
    "subject:",
    "date:",
    "sender:",
    "reply-to:",
    "delivered-to:",
    "envelope-to:",
    "x-",
    "content-",
    "list-",
];

/// Parts the two at the first header block.
pub(crate) fn told(text: &str) -> Told<'_> {
    let end = text.floor_char_boundary(TEXT);
    let text = text.get(..end).unwrap_or_default();
    let mut at = 0_usize;
    let mut block: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let bare = unquoted(line);
        if begins_with_any(bare, BLOCK) {
            let cut = block.unwrap_or(at);
            return Told {
                own: text.get(..cut).unwrap_or_default(),
                returned: text.get(cut..).unwrap_or_default(),
            };
        }
        let folded = block.is_some() && line.starts_with([' ', '\t']) && !bare.is_empty();
        if begins_with_any(bare, BEFORE) {
            block.get_or_insert(at);
        } else if !folded {
            block = None;
        }
        at = at.saturating_add(line.len());
    }
    Told {
        own: text,
        returned: "",
    }
}

/// A line without marks of quotation and blanks.
pub(crate) fn unquoted(line: &str) -> &str {
    line.trim_start_matches(['>', ' ', '\t', '|']).trim_end()
}

fn begins_with_any(line: &str, names: &[&str]) -> bool {
    names.iter().any(|name| {
        line.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_returned_letter_begins_with_its_first_field() {
        let text = "Не доставлено:\n  olga@x.example\n\nSubject: Привет\nFrom: a@b.example\nReceived: from c\n\nтекст\n";
        let told = told(text);
        assert_eq!(told.own, "Не доставлено:\n  olga@x.example\n\n");
        assert!(told.returned.starts_with("Subject: Привет\n"));
    }

    #[test]
    fn a_mention_of_a_subject_returns_no_letter() {
        let text = "Your message\n\n  To: olga@x.example\n  Subject: x\n\ndid not reach\n";
        assert_eq!(told(text).own, text);
        assert_eq!(told(text).returned, "");
    }
}
