//! `docs/regulation.md` is true and complete: every rule has its row, what it names in the code is there, and its scenarios are all that name
//! it. `UPDATE=1` rewrites the last column.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a test"
)]

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;

/// The rules of the regulation.
const RULES: std::ops::RangeInclusive<u32> = 1..=49;
/// Those that are not built yet, or that no letter can show; each says so in its row.
const WITHOUT_SCENARIOS: [u32; 8] = [33, 34, 35, 36, 37, 40, 42, 43];

struct Row {
    rule: u32,
    what: String,
    code: String,
    scenarios: String,
}

fn rows(table: &str) -> Vec<Row> {
    let row = Regex::new(r"^\| R(\d+) \| ([^|]+) \| ([^|]+) \| ([^|]*) \|$").unwrap();
    table
        .lines()
        .filter_map(|l| row.captures(l))
        .map(|found| Row {
            rule: found[1].parse().unwrap(),
            what: found[2].to_owned(),
            code: found[3].to_owned(),
            scenarios: found[4].trim().to_owned(),
        })
        .collect()
}

/// The scenarios of each rule, by the first line of each file.
fn scenarios(root: &Path) -> BTreeMap<u32, Vec<String>> {
    let mut found: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let mut files: Vec<_> = std::fs::read_dir(root.join("tests/scenarios"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let first = text.lines().next().unwrap_or_default();
        let rules: Vec<u32> = first
            .split_whitespace()
            .filter_map(|word| word.strip_prefix('R')?.parse().ok())
            .collect();
        let named = first
            .split_whitespace()
            .all(|w| w.get(1..).is_some_and(|n| n.parse::<u32>().is_ok()));
        assert!(named, "{}: its first line names its rules", file.display());
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        for rule in rules {
            found.entry(rule).or_default().push(name.clone());
        }
    }
    found
}

/// Whether a place in the code is there: `desk/life.rs` alone, or with the name of an item in it, `desk/life.rs may`.
fn is_there(root: &Path, place: &str) -> bool {
    let (file, item) = place.split_once(' ').unwrap_or((place, ""));
    let Ok(text) = std::fs::read_to_string(root.join("src").join(file)) else {
        return false;
    };
    let item = regex::escape(item);
    item.is_empty()
        || Regex::new(&format!(r"(?m)^\s*(pub(\([a-z: ]+\))? )?(async )?(fn|enum|struct|const|static) {item}\b|^\s*{item}( \{{|,|\()"))
            .unwrap()
            .is_match(&text)
}

#[test]
fn every_rule_is_in_the_map_and_the_map_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("docs/regulation.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let found = rows(&page);
    let rules: Vec<u32> = found.iter().map(|r| r.rule).collect();
    assert_eq!(rules, RULES.collect::<Vec<_>>(), "each rule once, in order");
    let scenarios = scenarios(root);
    let mut wrong = Vec::new();
    let mut rewritten = page.clone();
    let place = Regex::new("`([^`]+)`").unwrap();
    for row in &found {
        let rule = row.rule;
        for code in place.captures_iter(&row.code) {
            if !is_there(root, &code[1]) {
                wrong.push(format!("R{rule}: the code has no {}", &code[1]));
            }
        }
        if !place.is_match(&row.code) && !row.code.starts_with("not built yet") {
            wrong.push(format!("R{rule}: no code"));
        }
        let names = scenarios.get(&rule).cloned().unwrap_or_default();
        if names.is_empty() && !WITHOUT_SCENARIOS.contains(&rule) {
            wrong.push(format!("R{rule}: no scenario names it"));
        }
        let names = names.join(", ");
        if names != row.scenarios {
            let old = format!(
                "| R{rule} | {} | {} | {}",
                row.what, row.code, row.scenarios
            );
            let new = format!("| R{rule} | {} | {} | {names}", row.what, row.code);
            rewritten = rewritten.replace(old.trim_end(), new.trim_end());
            if std::env::var_os("UPDATE").is_none() {
                wrong.push(format!("R{rule}: its scenarios are {names}"));
            }
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, rewritten).unwrap();
    }
    assert!(
        wrong.is_empty(),
        "{}\n(UPDATE=1 cargo test --test regulation rewrites the scenarios)",
        wrong.join("\n")
    );
}

#[test]
fn a_place_that_is_gone_is_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(is_there(root, "desk/life.rs may"));
    assert!(is_there(root, "desk/request.rs Consent"));
    assert!(!is_there(root, "desk/life.rs might"));
    assert!(!is_there(root, "desk/death.rs"));
}
