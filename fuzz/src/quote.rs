//! `quote`: the new text is the writer's own lines in their order, never blank where the text is not, and keeps what stands on top.

use std::borrow::Cow;

use postdesk::desk::letter::Letter;

use super::read;

/// What somebody wrote above the input.
const TOP: &str = "Прошу помочь с отчётом";

/// The first octet chooses how the text is sent, the rest is the text.
pub fn hold(input: &[u8]) {
    let Some((form, text)) = input.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(text);
    let letter = sent(*form, &text);
    subset(&letter);
    let above = match form % 4 {
        2 | 3 => Cow::Owned(format!("<p>{TOP}</p>\n{text}")),
        _ => Cow::Owned(format!("{TOP}\n\n{text}")),
    };
    let letter = sent(*form, &above);
    subset(&letter);
    assert!(
        letter.new_text.starts_with(TOP),
        "what stands on top is lost: {:?}",
        letter.new_text
    );
}

fn sent(form: u8, text: &str) -> Letter {
    let head = "From: a@x.example\nMIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n";
    let plain = "Content-Type: text/plain; charset=utf-8";
    let raw = match form % 4 {
        0 => format!("{head}{plain}\n\n{text}"),
        1 => format!("{head}{plain}; format=flowed\n\n{text}"),
        2 => format!("{head}Content-Type: text/html; charset=utf-8\n\n{text}"),
        _ => format!(
            "{head}Content-Type: multipart/alternative; boundary=fuzz-b\n\n--fuzz-b\nContent-Type: text/html; charset=utf-8\n\n{text}\n--fuzz-b--\n"
        ),
    };
    read(raw.as_bytes())
}

/// Every line of the new text is one of the text, in order.
fn subset(letter: &Letter) {
    assert_eq!(
        letter.text.trim().is_empty(),
        letter.new_text.trim().is_empty(),
        "blank where the text is and nowhere else"
    );
    assert!(letter.new_text.len() <= letter.text.len());
    let mut lines = letter.text.lines();
    for line in letter.new_text.lines().filter(|l| !l.trim().is_empty()) {
        assert!(
            lines.any(|l| l.trim_end() == line),
            "not a line of the text, or not in its order: {line:?}"
        );
    }
}
