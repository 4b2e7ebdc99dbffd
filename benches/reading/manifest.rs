//! The manifest of a folder of letters: one JSON object a line, a file and what is expected of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// One letter with its header.
    Letter,
    /// The plain text of a reply.
    Reply,
    /// The HTML of a reply.
    Html,
    /// Several letters.
    Mbox,
}

/// One line.
pub struct Entry {
    /// The collection it is from.
    pub suite: String,
    /// The path below the folder.
    pub file: String,
    pub sort: Sort,
    /// What is expected, by key.
    pub expect: Map<String, Value>,
}

/// All lines. Of copies of one file (`dup_group`) an expectation that was told of another copy is not told again.
///
/// # Errors
/// What is wrong with the folder or the manifest, for people.
pub fn entries(folder: &Path) -> Result<Vec<Entry>, String> {
    let path = folder.join("manifest.jsonl");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut told = BTreeSet::new();
    text.lines()
        .enumerate()
        .map(|(at, line)| {
            entry(line, &mut told)
                .ok_or_else(|| format!("{}:{}: not a line of a manifest", path.display(), at + 1))
        })
        .collect()
}

fn entry(line: &str, told: &mut BTreeSet<(String, String, String)>) -> Option<Entry> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
    let mut expect = value.get("expect")?.as_object()?.clone();
    if let Some(group) = text("dup_group") {
        expect.retain(|key, value| told.insert((group.clone(), key.clone(), value.to_string())));
    }
    Some(Entry {
        suite: text("suite")?,
        file: text("file")?,
        sort: match text("kind")?.as_str() {
            "message" => Sort::Letter,
            "reply_text" => Sort::Reply,
            "html_body" => Sort::Html,
            "mbox" => Sort::Mbox,
            _ => return None,
        },
        expect,
    })
}

/// Every file below a folder, sorted; none where there is no such folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A path as the manifest would write it.
pub fn name_below(folder: &Path, file: &Path) -> String {
    let below = file.strip_prefix(folder).unwrap_or(file);
    below.to_string_lossy().replace('\\', "/")
}
