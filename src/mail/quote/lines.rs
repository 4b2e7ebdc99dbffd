//! What one line is by its looks: quoted, blank, a rule across the page.

/// Whether a line is marked as a quotation.
pub(super) fn is_quoted(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t', '\u{a0}']);
    // `>From` is a line of text that an mbox marked; `>>> … <<<` is somebody's ornament.
    line.starts_with('>') && !line.starts_with(">From ") && !line.trim_end().ends_with("<<")
}

/// What a quoted line says, without its marks.
pub(super) fn unquoted(line: &str) -> &str {
    line.trim_start_matches(['>', ' ', '\t', '\u{a0}'])
}

pub(super) fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

/// Whether a line is nothing but a rule.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.chars().nth(4).is_some()
        && line
            .chars()
            .all(|c| matches!(c, '_' | '-' | '=' | '*' | '―' | '—' | '–' | '─' | '‐'))
}

/// The rule that Outlook puts over header lines.
pub(super) fn is_outlook_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 20 && line.chars().all(|c| c == '_')
}

/// Writers' initials before the mark, as The Bat! quotes: `ИП> `, `AB>> `; and what follows the marks.
pub(super) fn initials(line: &str) -> Option<&str> {
    let (name, _) = line.trim_start().split_once('>')?;
    let good = name.chars().next()?.is_uppercase()
        && name.chars().count() <= 4
        && name.chars().all(char::is_alphabetic);
    good.then_some(name)
}

/// The first line that is not blank among the next few, and where it stands.
pub(super) fn next_filled<'t>(lines: &[&'t str], most: usize) -> Option<(usize, &'t str)> {
    lines
        .iter()
        .take(most)
        .position(|line| !is_blank(line))
        .and_then(|at| lines.get(at).map(|line| (at, *line)))
}
