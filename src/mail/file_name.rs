//! File names of attachments, made safe to show, to store beside and to send on (`FAULTS` F8, `BEHAVIOURS` B24).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use unicode_normalization::UnicodeNormalization;

use super::parts::Part;
use super::words;

/// Longest name in characters.
const LONGEST: usize = 200;
/// Longest name in octets, below what file systems take.
const LONGEST_OCTETS: usize = 240;

/// The name that a sender gave a part: of the two places for one the first that is whole (RFC 2183 2.3 before RFC 2045), since programs
/// that write both leave `?` in one for what its charset has not; no file system has such a name.
pub(crate) fn given(part: &Part<'_>, hint: Option<&str>) -> Option<String> {
    let places = [
        (&part.disposition, "filename"),
        (&part.media, "name"),
        (&part.media, "filename"),
        (&part.disposition, "name"),
    ];
    let mut given = places
        .into_iter()
        .filter_map(|(value, key)| value.text(key, hint))
        .filter(|name| !name.trim().is_empty());
    let first = given.next()?;
    let lossy = |name: &str| name.contains(['?', '\u{fffd}']);
    let whole = lossy(&first)
        .then(|| given.find(|name| !lossy(name)))
        .flatten();
    Some(whole.unwrap_or(first))
}

/// Makes one name safe: the last component, nothing hidden, no reserved character or device, not too long. May come back empty.
pub(crate) fn safe(name: &str) -> String {
    // Composed: some systems write «й» as two characters, and no search would find it (Unicode NFC).
    let visible: String = words::clean(name).nfc().collect();
    let last = visible
        .rsplit(['/', '\\'])
        .find(|piece| !piece.trim().is_empty())
        .unwrap_or_default();
    let plain: String = last
        .chars()
        .map(|c| match c {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
            c => c,
        })
        .collect();
    let trimmed = plain
        .trim()
        .trim_end_matches(['.', ' '])
        .trim_start_matches(' ');
    let shortened = shortened(trimmed);
    if is_device(&shortened) {
        format!("_{shortened}")
    } else {
        shortened
    }
}

/// Names for the attachments of one letter: numbered where they meet.
#[derive(Default)]
pub(crate) struct Names {
    taken: BTreeMap<String, u32>,
}

impl Names {
    /// A name that no other attachment of the letter has. `fallback` stands in for an empty one.
    pub(crate) fn unique(&mut self, name: &str, fallback: &str) -> String {
        let safe_name = safe(name);
        let wanted = if safe_name.is_empty() {
            fallback.to_owned()
        } else {
            safe_name
        };
        let mut candidate = wanted.clone();
        loop {
            if let Entry::Vacant(free) = self.taken.entry(candidate.to_lowercase()) {
                free.insert(1);
                return candidate;
            }
            let count = self.taken.entry(wanted.to_lowercase()).or_insert(1);
            *count = count.saturating_add(1);
            let (stem, extension) = split(&wanted);
            // The number must survive the shortening.
            let room = LONGEST_OCTETS
                .saturating_sub(extension.len())
                .saturating_sub(16);
            let end = (0..=stem.len().min(room))
                .rev()
                .find(|at| stem.is_char_boundary(*at));
            let (stem, _) = stem
                .split_at_checked(end.unwrap_or_default())
                .unwrap_or_default();
            let stem: String = stem.chars().take(LONGEST.saturating_sub(40)).collect();
            candidate = format!("{stem} ({count}){extension}");
        }
    }
}

/// Stem and extension with its dot; no extension where it would be all there is or too long to be one.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 && name.len().saturating_sub(at) <= 20 => name.split_at(at),
        _ => (name, ""),
    }
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST && name.len() <= LONGEST_OCTETS {
        return name.to_owned();
    }
    let (stem, extension) = split(name);
    let characters = LONGEST.saturating_sub(extension.chars().count());
    let octets = LONGEST_OCTETS.saturating_sub(extension.len());
    let mut short = String::new();
    for c in stem.chars().take(characters) {
        if short.len().saturating_add(c.len_utf8()) > octets {
            break;
        }
        short.push(c);
    }
    format!("{}{extension}", short.trim_end())
}

/// Names that Windows keeps for devices, with any extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim();
    let upper = stem.to_ascii_uppercase();
    let numbered = |prefix: &str| {
        upper.strip_prefix(prefix).is_some_and(|rest| {
            rest.chars().count() == 1
                && rest
                    .chars()
                    .all(|c| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³'))
        })
    };
    matches!(
        upper.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CLOCK$" | "CONIN$" | "CONOUT$"
    ) || numbered("COM")
        || numbered("LPT")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn f8_names_are_safe() {
        for (given, made) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\x\\отчёт.doc", "отчёт.doc"),
            ("a\u{202e}cod.exe", "acod.exe"),
            ("a\0b\r\nc.txt", "ab  c.txt"),
            ("CON", "_CON"),
            ("lpt1.txt", "_lpt1.txt"),
            ("..", ""),
            ("dir/", "dir"),
            ("a<b>:c?.txt", "a_b__c_.txt"),
            ("trailing. ", "trailing"),
            (
                "Журнал успеваемости и\u{306}.doc",
                "Журнал успеваемости й.doc",
            ),
        ] {
            assert_eq!(safe(given), made, "{given:?}");
        }
        let long = format!("{}.docx", "я".repeat(4000));
        let short = safe(&long);
        assert!(short.chars().count() <= 200 && short.len() <= 240 && short.ends_with("я.docx"));
    }

    #[test]
    fn b24_of_two_names_the_whole_one_counts() {
        let name = |header: &str| {
            let raw = format!("{header}\n\nx");
            let parts = crate::mail::parts::read(raw.as_bytes(), crate::mail::parse::Caps::DEFAULT);
            given(&parts.list[0], None)
        };
        let both = "Content-Type: application/pdf; name=\"=?utf-8?B?0J7RgtGH0ZHRgi5wZGY=?=\"\n";
        for (disposition, wanted) in [
            ("attachment; filename=\"?????.pdf\"", "Отчёт.pdf"),
            ("attachment; filename=\"report.pdf\"", "report.pdf"),
            ("attachment", "Отчёт.pdf"),
            ("attachment; name=x.pdf", "Отчёт.pdf"),
        ] {
            let header = format!("{both}Content-Disposition: {disposition}");
            assert_eq!(name(&header).as_deref(), Some(wanted), "{disposition}");
        }
        assert_eq!(
            name("Content-Disposition: attachment; filename=\"?.txt\"").as_deref(),
            Some("?.txt")
        );
        assert_eq!(name("Content-Disposition: attachment"), None);
    }

    #[test]
    fn b24_no_two_attachments_share_a_name() {
        let mut names = Names::default();
        assert_eq!(names.unique("a.txt", "x"), "a.txt");
        assert_eq!(names.unique("A.TXT", "x"), "A (2).TXT");
        assert_eq!(names.unique("a.txt", "x"), "a (3).txt");
        assert_eq!(names.unique("", "part.bin"), "part.bin");
        assert_eq!(names.unique("/", "part.bin"), "part (2).bin");
    }
}
