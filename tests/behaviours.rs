//! The table of `docs/behaviours.md` is true: each line is named by the test that it gives.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test"
)]

use std::path::Path;

use regex::Regex;

/// Whether a text names a line: `A1` in a comment, or `a1_` at the beginning of a test's name.
fn names(text: &str, line: &str) -> bool {
    let words = format!(r"(?i)(\b|fn (\w+_)?){line}(\b|_)");
    Regex::new(&words).unwrap().is_match(text)
}

#[test]
fn every_behaviour_is_named_by_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(root.join("docs/behaviours.md")).unwrap();
    let row = Regex::new(r"^\| ([A-Z]\d+) \| [^|]+ \| ([^|]+) \|$").unwrap();
    let file = Regex::new("`([^`]+)`").unwrap();
    let mut missing = Vec::new();
    let mut seen = 0;
    for told in table.lines().filter(|l| l.starts_with("| ")).skip(1) {
        let found = row.captures(told).expect(told);
        let line = &found[1];
        let files: Vec<_> = file.captures_iter(&found[2]).collect();
        assert!(!files.is_empty(), "{told}");
        for file in files {
            let text = std::fs::read_to_string(root.join(&file[1])).unwrap_or_default();
            seen += 1;
            if !names(&text, line) {
                missing.push(format!("{line} is not named in {}", &file[1]));
            }
        }
    }
    assert!(seen > 30, "the table was not read: {seen} rows");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_line_is_named_as_a_word() {
    assert!(names("/// A1: seen before", "A1"));
    assert!(names("fn a1_is_seen()", "A1"));
    assert!(!names("/// A13 and A10", "A1"));
    assert!(!names("SHA1", "A1"));
}
