//! The table: what was right of what was expected, what is demanded, each miss, and the expectations that are disputed.

use std::collections::{BTreeMap, BTreeSet};

/// A line of the table.
pub struct Kind {
    pub name: &'static str,
    /// The share demanded, in per cent; none where a line only informs.
    pub demanded: Option<f64>,
}

const fn kind(name: &'static str, demanded: Option<f64>) -> Kind {
    Kind { name, demanded }
}

/// In the order in which they are printed.
pub const KINDS: &[Kind] = &[
    kind("subject", Some(99.0)),
    kind("from", Some(99.0)),
    kind("from name", Some(99.0)),
    kind("to", None),
    kind("reply-to", None),
    kind("message-id", None),
    kind("text", Some(97.0)),
    kind("attachment names", Some(97.0)),
    kind("attachment sizes", Some(97.0)),
    kind("attachment count", None),
    kind("is_bounce", Some(98.0)),
    kind("final or delayed", Some(95.0)),
    kind("hard or soft", Some(95.0)),
    kind("failed recipient", Some(95.0)),
    kind("bounced letter's id", None),
    kind("is_dsn", None),
    kind("is_auto", None),
    kind("is_report", None),
    kind("ordinary mail", Some(99.9)),
    kind("exact reply", Some(90.0)),
    kind("reply holds", None),
    kind("reply holds not", None),
    kind("reply not empty", Some(100.0)),
    kind("auth results", Some(100.0)),
    kind("no U+FFFD", None),
    kind("no crash", Some(100.0)),
    kind("median < 2 ms", Some(100.0)),
    kind("worst < 2 s", Some(100.0)),
];

/// Whether there is such a line.
pub fn is_kind(name: &str) -> bool {
    KINDS.iter().any(|k| k.name == name)
}

struct Miss {
    file: String,
    disputed: bool,
    expected: String,
    got: String,
}

#[derive(Default)]
struct Line {
    right: usize,
    of: usize,
    misses: Vec<Miss>,
    disputed: usize,
}

pub struct Table {
    lines: BTreeMap<&'static str, Line>,
    only: Option<String>,
    /// File and kind of expectations that are wrong, with the reason.
    disputed: BTreeMap<(String, String), String>,
    /// Those of them that were in fact missed.
    seen: BTreeSet<(String, String)>,
}

impl Table {
    /// `only` limits it to one line.
    pub fn new(only: Option<&str>) -> Self {
        Self {
            lines: BTreeMap::new(),
            only: only.map(str::to_owned),
            disputed: disputed(include_str!("disputed.txt")),
            seen: BTreeSet::new(),
        }
    }

    /// One expectation compared.
    pub fn note(&mut self, kind: &'static str, file: &str, right: bool, expected: &str, got: &str) {
        assert!(is_kind(kind), "{kind}");
        if self.only.as_deref().is_some_and(|only| only != kind) {
            return;
        }
        let line = self.lines.entry(kind).or_default();
        let key = (file.to_owned(), kind.to_owned());
        let disputed = !right && self.disputed.contains_key(&key);
        if disputed {
            line.disputed += 1;
            self.seen.insert(key);
        } else {
            line.of += 1;
        }
        if right {
            line.right += 1;
        } else {
            line.misses.push(Miss {
                file: file.to_owned(),
                disputed,
                expected: short(expected),
                got: short(got),
            });
        }
    }

    /// Whether every demanded share was reached.
    pub fn met(&self) -> bool {
        KINDS.iter().all(|kind| {
            let share = self.lines.get(kind.name).map(|l| share(l.right, l.of));
            share
                .zip(kind.demanded)
                .is_none_or(|(share, least)| share >= least)
        })
    }

    /// Each miss of one line, or of all.
    pub fn print_misses(&self, kind: &str) {
        for (name, line) in &self.lines {
            if kind != "all" && kind != *name {
                continue;
            }
            for miss in &line.misses {
                let disputed = if miss.disputed { " (disputed)" } else { "" };
                println!("{name}: {}{disputed}", miss.file);
                println!("    expected {}", miss.expected);
                println!("    got      {}", miss.got);
            }
        }
        println!();
    }

    pub fn print(&self) {
        println!(
            "{:<20} {:>6} {:>6} {:>8} {:>9}  {:>8} {:>14}",
            "", "right", "of", "%", "demanded", "disputed", "% of all told"
        );
        for kind in KINDS {
            let Some(line) = self.lines.get(kind.name) else {
                continue;
            };
            let its = share(line.right, line.of);
            let demanded = kind
                .demanded
                .map_or_else(String::new, |d| format!("{d:.1}"));
            let missed = kind.demanded.is_some_and(|least| its < least);
            let disputed = match line.disputed {
                0 => String::new(),
                some => format!(
                    "{some:>8} {:>14.2}",
                    share(line.right, line.of + line.disputed)
                ),
            };
            let row = format!(
                "{:<20} {:>6} {:>6} {its:>8.2} {demanded:>9}{} {disputed}",
                kind.name,
                line.right,
                line.of,
                if missed { "!" } else { " " },
            );
            println!("{}", row.trim_end());
        }
        for ((file, kind), reason) in &self.disputed {
            if self.seen.contains(&(file.clone(), kind.clone())) {
                println!("disputed: {file}, {kind}: {reason}");
            }
        }
    }
}

/// Lines of `file | kind | reason`; `#` begins a remark.
fn disputed(text: &str) -> BTreeMap<(String, String), String> {
    text.lines()
        .filter(|l| !l.trim().is_empty() && !l.starts_with('#'))
        .map(|line| {
            let mut pieces = line.splitn(3, " | ").map(str::to_owned);
            let mut piece = || pieces.next().filter(|p| !p.is_empty());
            let (file, kind, reason) = piece()
                .zip(piece())
                .zip(piece())
                .map(|((file, kind), reason)| (file, kind, reason))
                .unwrap_or_else(|| panic!("disputed.txt: not `file | kind | reason`: {line}"));
            assert!(is_kind(&kind), "disputed.txt: no kind `{kind}`");
            ((file, kind), reason)
        })
        .collect()
}

fn share(right: usize, of: usize) -> f64 {
    if of == 0 {
        return 100.0;
    }
    100.0 * right as f64 / of as f64
}

/// On one line, and not more of it than helps.
fn short(text: &str) -> String {
    let line = text.escape_debug().to_string();
    let mut short: String = line.chars().take(300).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}
