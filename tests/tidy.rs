//! Keeps the house in order: who may name whom, what stays pure, where time and tasks come from, how long files and functions are. Reads the sources, runs nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// Who may name whom. Arrows run down. A new arrow is a line here, to be read by someone who asks whether the callee should rather return a value,
/// or the caller take one (`docs/decisions.md` says why the walls stand where they do).
const ARROWS: &[(&str, &str)] = &[
    ("main", "cli telemetry"),
    (
        "cli",
        "daemon intake inbound outbound takeover backlog dns examination knowledge writing explanation account chronicle signature config store mail desk clock telemetry imap smtp maildir folder courier parcel",
    ),
    (
        "daemon",
        "intake inbound outbound succession takeover backlog dns courier parcel imap maildir smtp folder store config clock telemetry desk mail",
    ),
    (
        "takeover",
        "succession occasion store config desk telemetry",
    ),
    ("succession", "knowledge occasion store config desk"),
    ("occasion", "writing store config desk"),
    (
        "intake",
        "imap maildir backlog store config clock telemetry desk",
    ),
    (
        "inbound",
        "authentication dns reading backlog examination knowledge occasion succession watch writing explanation store config desk clock telemetry",
    ),
    ("reading", "examination store config"),
    (
        "authentication",
        "signature dns examination store config desk telemetry",
    ),
    ("writing", "examination explanation mail store config desk"),
    ("examination", "mail config desk"),
    ("watch", "store desk"),
    ("knowledge", "examination chronicle store config desk mail"),
    (
        "outbound",
        "courier parcel smtp folder store config clock telemetry desk",
    ),
    ("courier", "smtp folder parcel config"),
    ("explanation", "desk"),
    ("chronicle", "explanation store"),
    ("account", "explanation mail desk"),
    ("signature", "config mail desk telemetry"),
    ("imap", "config tls telemetry"),
    ("smtp", "config tls telemetry desk parcel"),
    ("folder", "telemetry desk parcel"),
    ("dns", "config mail"),
    ("maildir", "telemetry"),
    ("tls", "config"),
    ("config", "mail desk clock"),
    ("store", "desk"),
    ("mail", "desk"),
    ("telemetry", "desk"),
    ("parcel", ""),
    ("readings", ""),
    ("backlog", ""),
    ("clock", ""),
    ("desk", ""),
    ("lib", ""),
];

/// Words that belong to a few rooms only: what they are, the pattern, where they may stand, and what to do instead.
const HOMES: &[(&str, &str, &[&str], &str)] = &[
    (
        "the IMAP library",
        // A filter of the log names it in a text: that is no use of it.
        r"\b(async_imap|imap_proto)(::|;| as\b)",
        &["src/imap"],
        "let imap return values",
    ),
    (
        "lettre's transport",
        r"lettre::transport|\b(Async)?SmtpTransport\b|\bAsyncSmtpConnection\b",
        &["src/smtp"],
        "hand the courier a letter",
    ),
    (
        "the time of day",
        r"\b(Utc|Local|SystemTime)::now\b",
        &["src/clock.rs"],
        "take the moment as an argument",
    ),
    (
        // Monotonic, for time limits on a connection and for measuring; no decision and no row depends on it.
        "the stopwatch",
        r"\bInstant::now\b",
        &[
            "src/clock.rs",
            "src/telemetry.rs",
            "src/imap",
            "src/maildir",
            "src/smtp",
        ],
        "use tokio::time::timeout, or take the moment as an argument",
    ),
    (
        "tasks",
        r"\b(tokio::spawn|task::spawn|spawn_local|JoinSet)\b",
        &["src/daemon"],
        "return a future, the daemon runs it",
    ),
    (
        // Reading parses on a thread with a large stack; a succession reads the configuration anew, and config reads what a password command prints, which may never end.
        "threads",
        r"\b(spawn_blocking|thread::(spawn|scope|Builder))\b",
        &[
            "src/daemon",
            "src/reading",
            "src/writing",
            "src/succession",
            "src/config/secret.rs",
        ],
        "return a value, or let the daemon start it",
    ),
    (
        "unordered maps",
        r"\bHash(Map|Set)\b",
        &[],
        "use BTreeMap or BTreeSet: order is part of being testable",
    ),
    (
        "a re-export",
        r"(?m)^\s*pub(\([^)]*\))? use\b",
        &[],
        "name the thing by its own path",
    ),
    (
        "a way around the table of arrows",
        r"\bsuper::super\b",
        &[],
        "write the path from crate::",
    ),
];

/// What the rules and the reading of mail may not know.
const IMPURE: &str = r"\basync\b|\btokio\b|\bsqlx\b|\basync_imap\b|\blettre::(transport|Async\w+|SmtpTransport)|\bstd::(fs|net|env|process|thread)\b|\bstd::\{[^}]*\b(fs|net|env|process|thread)\b";

const REFUSED_NAMES: [&str; 7] = [
    "util", "utils", "helper", "helpers", "common", "types", "manager",
];
const LONGEST_FILE: usize = 500;
const LONGEST_FUNCTION: usize = 80;

/// A file of ours.
struct Source {
    /// From the root, with `/`.
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let (path, text) = (path.to_owned(), text.to_owned());
        Self { path, text }
    }

    /// Its text up to its tests, without comments; nothing if it is all tests.
    fn code(&self) -> String {
        if self.path.ends_with("/tests.rs") || self.path.contains("/tests/") {
            return String::new();
        }
        before_tests(&self.text)
            .lines()
            .map(|line| {
                let bare = line.trim_start().starts_with("//");
                let end = if bare { 0 } else { line.len() };
                line[..end].split(" // ").next().unwrap_or_default()
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The room that it belongs to: the first name under `src/`.
    fn room(&self) -> &str {
        let inside = self.path.trim_start_matches("src/");
        let first = inside.split('/').next().unwrap_or_default();
        first.trim_end_matches(".rs")
    }

    /// Whether `super` is the crate's root here.
    fn is_door(&self) -> bool {
        let inside = self.path.trim_start_matches("src/");
        !inside.contains('/') || inside.ends_with("/mod.rs") && inside.matches('/').count() == 1
    }
}

fn before_tests(text: &str) -> &str {
    static TESTS: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?m)^#\[cfg\(test\)\]\n(#\[[^\n]*\n)*mod tests\b"));
    TESTS
        .find(text)
        .map_or(text, |found| &text[..found.start()])
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("A pattern of this file")
}

// The checks: each takes what it looks at and returns what is wrong, one sentence each.

fn sign(source: &Source) -> Option<String> {
    let first = source.text.lines().next().unwrap_or_default();
    let sentence = first.strip_prefix("//! ").unwrap_or_default();
    let block: Vec<&str> = source
        .text
        .lines()
        .take_while(|l| l.starts_with("//!"))
        .collect();
    let ends = block.iter().any(|l| l.trim_end().ends_with('.'));
    (sentence.len() < 12 || !ends).then(|| {
        format!(
            "{} must open with one //! sentence that says what the file is for",
            source.path
        )
    })
}

/// The rooms that a file names.
fn named_rooms(source: &Source) -> BTreeSet<String> {
    let code = source.code();
    let root = if source.room() == "main" {
        "postdesk::"
    } else {
        "crate::"
    };
    let mut rooms = BTreeSet::new();
    let starts = code.match_indices(root).filter(|(at, _)| {
        let before = code[..*at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    });
    for (at, _) in starts {
        let rest = &code[at + root.len()..];
        match rest.strip_prefix('{') {
            Some(group) => rooms.extend(heads(group)),
            None => rooms.extend([word(rest)]),
        }
    }
    rooms.remove("");
    rooms
}

/// The first names of a `{…}` group of a `use`.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut begin, mut found) = (0_i32, true, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begin = true,
            c if c.is_whitespace() => {}
            _ if begin => {
                found.push(word(&group[at..]));
                begin = false;
            }
            _ => {}
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

fn arrows(source: &Source, rooms: &BTreeSet<String>) -> Vec<String> {
    let room = source.room();
    let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == room) else {
        return vec![format!(
            "{}: the room `{room}` has no line in ARROWS of tests/tidy.rs; think where it stands first",
            source.path
        )];
    };
    let mut wrong: Vec<String> = named_rooms(source)
        .iter()
        .filter(|to| rooms.contains(*to) && *to != room && !allowed.split(' ').any(|a| a == *to))
        .map(|to| {
            format!(
                "{}: new arrow {room} → {to}; should {to} rather be handed a value or return one? If not, think at ARROWS in tests/tidy.rs",
                source.path
            )
        })
        .collect();
    if source.is_door() && source.code().contains("super::") {
        wrong.push(format!(
            "{}: `super::` is the crate here; write `crate::`, which the table of arrows sees",
            source.path
        ));
    }
    wrong
}

fn homes(source: &Source) -> Vec<String> {
    static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        HOMES
            .iter()
            .map(|(_, words, _, _)| pattern(words))
            .collect()
    });
    let code = source.code();
    HOMES
        .iter()
        .zip(PATTERNS.iter())
        .filter(|((_, _, places, _), _)| !places.iter().any(|p| stands_in(&source.path, p)))
        .filter_map(|((what, _, _, instead), words)| {
            let found = words.find(&code)?.as_str().trim();
            Some(format!(
                "{}: {what} (`{found}`) does not live here; {instead} (HOMES in tests/tidy.rs)",
                source.path
            ))
        })
        .collect()
}

/// Whether a file is a place, or in it: `src/imap` is `src/imap.rs` and all of `src/imap/`.
fn stands_in(path: &str, place: &str) -> bool {
    path.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
}

fn purity(source: &Source) -> Option<String> {
    if !matches!(source.room(), "desk" | "mail") {
        return None;
    }
    // An address is a value, even one of the internet.
    let code = source.code().replace("std::net::Ip", "");
    let found = pattern(IMPURE).find(&code)?;
    Some(format!(
        "{}: `{}` in a pure room; take the value as an argument",
        source.path,
        found.as_str()
    ))
}

fn file_length(source: &Source) -> Option<String> {
    let lines = before_tests(&source.text).lines().count();
    let tests_only = source.code().is_empty();
    (lines > LONGEST_FILE && !tests_only).then(|| {
        format!(
            "{}: {lines} lines without tests, {LONGEST_FILE} are allowed; which noun is a file of its own?",
            source.path
        )
    })
}

/// Functions that are too long, by the indentation that rustfmt gives them; blank lines and comments don't count, as in clippy.
fn function_lengths(source: &Source) -> Vec<String> {
    static HEAD: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"^(\s*)(pub(\([^)]*\))? )?(const )?(async )?(unsafe )?(extern \S+ )?fn (\w+)")
    });
    let lines: Vec<&str> = before_tests(&source.text).lines().collect();
    let mut wrong = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(found) = HEAD.captures(line) else {
            continue;
        };
        let end = format!("{}}}", &found[1]);
        let body = lines[at + 1..].iter().take_while(|l| **l != end);
        let length = body
            .filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with("//"))
            .count();
        if length > LONGEST_FUNCTION && !line.ends_with('}') && !line.ends_with(';') {
            wrong.push(format!(
                "{}:{}: `{}` has {length} lines, {LONGEST_FUNCTION} are allowed",
                source.path,
                at + 1,
                &found[8]
            ));
        }
    }
    wrong
}

fn name(path: &str) -> Option<String> {
    let refused = path
        .split('/')
        .map(|part| part.trim_end_matches(".rs"))
        .find(|part| REFUSED_NAMES.contains(part))?;
    Some(format!(
        "{path}: `{refused}` says nothing; name it by its noun"
    ))
}

fn scenario(source: &Source) -> Option<String> {
    let first = source.text.lines().next().unwrap_or_default();
    let named = pattern(r"\bR\d+\b").is_match(first);
    (!named).then(|| {
        format!(
            "{}: the first line must name the rules that it shows, such as R10",
            source.path
        )
    })
}

/// Folders of somebody's machine, which no file of the project may know. Written so that this file doesn't hold one.
fn machine_path(source: &Source) -> Option<String> {
    static FOLDERS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r#"(?m)(^|[\s"'`(=:,<>])/(wor[k]|roo[t]|far[m])(/|[\s"'`),;:]|$)"#)
    });
    let at = FOLDERS.find(&source.text)?;
    let line = source.text[..at.start()].lines().count();
    Some(format!(
        "{}: near line {line}: `{}` is a folder of one machine",
        source.path,
        at.as_str().trim()
    ))
}

/// Dependencies without a line in the document, and lines without a dependency.
fn dependencies(manifest: &str, document: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("Cargo.toml is TOML");
    let used: BTreeSet<String> = ["dependencies", "dev-dependencies", "build-dependencies"]
        .iter()
        .filter_map(|section| manifest.get(*section)?.as_table())
        .flat_map(|table| table.keys().cloned())
        .collect();
    let row = pattern(r"(?m)^\| `([\w-]+)` \| \S.* \| \S.* \|$");
    let told: BTreeSet<String> = row
        .captures_iter(document)
        .map(|c| c[1].to_owned())
        .collect();
    let untold = used
        .difference(&told)
        .map(|n| format!("docs/dependencies.md has no line for `{n}`: what for, why this one?"));
    let unused = told
        .difference(&used)
        .map(|n| format!("docs/dependencies.md has a line for `{n}`, which Cargo.toml has not"));
    untold.chain(unused).collect()
}

/// Dependencies that no source names.
fn idle_dependencies(manifest: &str, sources: &[Source]) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("Cargo.toml is TOML");
    ["dependencies", "dev-dependencies"]
        .iter()
        .filter_map(|section| manifest.get(*section)?.as_table())
        .flat_map(|table| table.keys())
        .filter(|name| {
            let word = pattern(&format!(r"\b{}(::|;| as\b)", name.replace('-', "_")));
            !sources.iter().any(|s| word.is_match(&s.text))
        })
        .map(|name| format!("Cargo.toml names `{name}`, which no source uses"))
        .collect()
}

/// Packages that must not come in: a second provider of cryptography makes rustls panic at first use, and needs a C build of its own.
fn lock(text: &str) -> Vec<String> {
    ["aws-lc-sys", "aws-lc-rs", "openssl-sys"]
        .iter()
        .filter(|n| text.contains(&format!("name = \"{n}\"")))
        .map(|n| format!("Cargo.lock holds `{n}`; `cargo tree -i {n}` says who brought it"))
        .collect()
}

/// Two rooms of one height that don't know each other, and circles.
fn table_faults(table: &[(&str, &str)]) -> Vec<String> {
    let reach = |from: &str| {
        let mut reached = BTreeSet::new();
        let mut open = vec![from.to_owned()];
        while let Some(room) = open.pop() {
            let next = table.iter().find(|(f, _)| *f == room);
            for to in next.map_or("", |(_, t)| t).split_whitespace() {
                if reached.insert(to.to_owned()) {
                    open.push(to.to_owned());
                }
            }
        }
        reached
    };
    let circles = table
        .iter()
        .filter(|(room, _)| reach(room).contains(*room))
        .map(|(room, _)| format!("`{room}` reaches itself"));
    let apart = [
        ("mail", "store"),
        ("store", "mail"),
        ("imap", "smtp"),
        ("smtp", "imap"),
    ]
    .into_iter()
    .filter(|(from, to)| reach(from).contains(*to))
    .map(|(from, to)| format!("`{from}` must not know `{to}`"));
    circles.chain(apart).collect()
}

// The house as it is.

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder, those that hold text; what is built, fetched or left behind by a run is not ours.
fn files(folder: &str) -> Vec<Source> {
    let mut open = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder).map(|e| e.flatten().map(|e| e.path()).collect());
        let entries: Vec<PathBuf> = entries.unwrap_or_default();
        for path in entries {
            let inside = path.strip_prefix(root()).unwrap().display().to_string();
            if matches!(inside.as_str(), "target" | ".git" | "var") {
                continue;
            }
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push(Source::new(&inside, &text));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn rust(folder: &str) -> Vec<Source> {
    let mut found = files(folder);
    found.retain(|s| s.path.ends_with(".rs"));
    found
}

fn nothing_wrong(wrong: impl IntoIterator<Item = String>) {
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let all = ["src", "tests", "benches"].into_iter().flat_map(rust);
    let all: Vec<Source> = all.collect();
    assert!(all.len() > 20, "The sources are not where they should be");
    nothing_wrong(all.iter().filter_map(sign));
}

#[test]
fn arrows_run_down() {
    nothing_wrong(table_faults(ARROWS));
    let sources = rust("src");
    let rooms = sources.iter().map(|s| s.room().to_owned()).collect();
    nothing_wrong(sources.iter().flat_map(|s| arrows(s, &rooms)));
}

#[test]
fn everything_lives_in_its_room() {
    nothing_wrong(rust("src").iter().flat_map(homes));
}

#[test]
fn the_rules_and_the_reading_of_mail_are_pure() {
    nothing_wrong(rust("src").iter().filter_map(purity));
}

#[test]
fn files_and_functions_are_short() {
    let sources = rust("src");
    let files = sources.iter().filter_map(file_length);
    nothing_wrong(files.chain(sources.iter().flat_map(function_lengths)));
}

#[test]
fn names_say_something() {
    let all = ["src", "tests", "benches"].into_iter().flat_map(rust);
    nothing_wrong(all.filter_map(|s| name(&s.path)));
}

#[test]
fn scenarios_name_their_rules() {
    nothing_wrong(files("tests/scenarios").iter().filter_map(scenario));
}

#[test]
fn no_file_knows_a_folder_of_one_machine() {
    nothing_wrong(files("").iter().filter_map(machine_path));
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let read = |name: &str| fs::read_to_string(root().join(name)).expect(name);
    nothing_wrong(dependencies(
        &read("Cargo.toml"),
        &read("docs/dependencies.md"),
    ));
    nothing_wrong(lock(&read("Cargo.lock")));
    let sources: Vec<Source> = ["src", "tests", "benches"]
        .into_iter()
        .flat_map(rust)
        .collect();
    nothing_wrong(idle_dependencies(&read("Cargo.toml"), &sources));
}

// Each check can fail.

#[test]
fn a_file_without_its_sentence_is_found() {
    assert!(sign(&Source::new("src/a.rs", "use x;\n")).is_some());
    assert!(sign(&Source::new("src/a.rs", "//! Tbd.\n")).is_some());
    assert!(sign(&Source::new("src/a.rs", "//! The rooms of the house\n")).is_some());
    assert!(sign(&Source::new("src/a.rs", "//! The rooms of the house.\n")).is_none());
}

#[test]
fn a_wrong_arrow_is_found() {
    let rooms: BTreeSet<String> = ["desk", "mail", "store", "cli", "daemon"]
        .map(str::to_owned)
        .into();
    let found = |path: &str, text: &str| arrows(&Source::new(path, text), &rooms).len();
    assert_eq!(found("src/desk/a.rs", "use crate::mail::x;"), 1);
    assert_eq!(found("src/desk/a.rs", "use crate::desk::x;"), 0);
    assert_eq!(
        found("src/desk/a.rs", "// crate::mail\nfn f() {} // crate::mail"),
        0
    );
    assert_eq!(
        found(
            "src/desk/a.rs",
            "use crate::{desk::{a, b}, mail::x, store};"
        ),
        2
    );
    assert_eq!(found("src/mail/a.rs", "fn f() { crate::store::keep() }"), 1);
    assert_eq!(
        found(
            "src/mail/a.rs",
            "\n#[cfg(test)]\nmod tests {\n use crate::store;\n}"
        ),
        0
    );
    assert_eq!(found("src/mail/mod.rs", "use super::store;"), 1);
    assert_eq!(found("src/mail.rs", "use super::desk;"), 1);
    assert_eq!(found("src/mail/a.rs", "use super::parse;"), 0);
    assert_eq!(found("src/main.rs", "use postdesk::daemon;"), 1);
    assert_eq!(found("src/main.rs", "use postdesk::cli;"), 0);
    assert_eq!(found("src/attic/mod.rs", ""), 1);
}

#[test]
fn a_wrong_table_is_found() {
    assert_eq!(
        table_faults(&[("a", "b"), ("b", "c a"), ("c", "")]).len(),
        2
    );
    assert_eq!(table_faults(&[("mail", "x"), ("x", "store")]).len(), 1);
    assert_eq!(
        table_faults(&[("mail", "desk"), ("store", "desk")]).len(),
        0
    );
}

#[test]
fn a_thing_in_the_wrong_room_is_found() {
    let found = |path: &str, text: &str| homes(&Source::new(path, text)).len();
    for text in [
        "use async_imap::Client;",
        "use imap_proto::Response;",
        "use lettre::transport::smtp;",
        "fn f() { Utc::now() }",
        "fn f() { std::time::SystemTime::now() }",
        "fn f() { Instant::now() }",
        "fn f() { tokio::spawn(x) }",
        "fn f() { tokio::task::spawn_blocking(x) }",
        "fn f() { std::thread::spawn(x) }",
        "use tokio::task::JoinSet;",
        "use std::collections::HashMap;",
        "pub use desk::Letter;",
        "    pub(crate) use desk::Letter;",
        "use super::super::store;",
    ] {
        assert!(found("src/desk/a.rs", text) > 0, "{text}");
        assert!(found("src/store/a.rs", text) > 0, "{text}");
    }
    assert_eq!(
        found(
            "src/imap/a.rs",
            "use async_imap::Client; fn f() { Instant::now() }"
        ),
        0
    );
    assert_eq!(found("src/imapish.rs", "use async_imap::Client;"), 1);
    assert_eq!(found("src/clock.rs", "fn f() { Utc::now() }"), 0);
    assert_eq!(found("src/daemon.rs", "fn f() { tokio::spawn(x) }"), 0);
    assert_eq!(
        found(
            "src/a.rs",
            "\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n tokio::spawn(x)\n}"
        ),
        0
    );
}

#[test]
fn an_impure_rule_is_found() {
    let found = |path: &str, text: &str| purity(&Source::new(path, text)).is_some();
    for text in [
        "async fn f() {}",
        "use tokio::x;",
        "use sqlx::x;",
        "use std::fs;",
        "use std::{fs, io};",
        "use std::net::TcpStream;",
        "use lettre::transport::x;",
    ] {
        assert!(
            found("src/desk/a.rs", text) && found("src/mail/a.rs", text),
            "{text}"
        );
        assert!(!found("src/store/a.rs", text), "{text}");
    }
    assert!(!found(
        "src/desk/a.rs",
        "use std::net::IpAddr; use lettre::message::Mailbox;"
    ));
}

#[test]
fn a_long_file_or_function_is_found() {
    let long = "x\n".repeat(501);
    assert!(file_length(&Source::new("src/a.rs", &long)).is_some());
    assert!(file_length(&Source::new("src/a.rs", &long[2..])).is_none());
    let tests = format!("x\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
    assert!(file_length(&Source::new("src/a.rs", &tests)).is_none());
    let function = |lines: usize| {
        let text = format!(
            "impl A {{\n    pub async fn f() {{\n{}\n    }}\n}}\n",
            "        x();\n".repeat(lines)
        );
        function_lengths(&Source::new("src/a.rs", &text)).len()
    };
    assert_eq!((function(80), function(81)), (0, 1));
}

#[test]
fn a_bad_name_is_found() {
    assert!(name("src/utils.rs").is_some() && name("src/common/mod.rs").is_some());
    assert!(name("src/desk/manager.rs").is_some());
    assert!(name("src/desk/request.rs").is_none());
}

#[test]
fn a_scenario_without_rules_is_found() {
    assert!(scenario(&Source::new("a", "a friday evening\nR10")).is_some());
    assert!(scenario(&Source::new("a", "a friday evening   R10 R16\n")).is_none());
}

#[test]
fn a_folder_of_one_machine_is_found() {
    let found = |text: &str| machine_path(&Source::new("a", text)).is_some();
    for name in ["work", "root", "farm"] {
        assert!(found(&format!("see /{name}/main for it")));
        assert!(found(&format!("x\nDIR=/{name}\n")));
        assert!(found(&format!("open(\"/{name}\")")));
        assert!(!found(&format!("frame/{name}s and net/{name}/x")));
        assert!(!found(&format!("/{name}ers")));
    }
}

#[test]
fn a_dependency_without_its_line_is_found() {
    let manifest = "[dependencies]\na = \"1\"\n[dev-dependencies]\nb = { version = \"1\" }\n";
    let line = |name: &str| format!("| `{name}` | what for | why this one |\n");
    assert!(dependencies(manifest, &(line("a") + &line("b"))).is_empty());
    assert_eq!(dependencies(manifest, &line("a")).len(), 1);
    assert_eq!(
        dependencies(manifest, &(line("a") + &line("b") + &line("c"))).len(),
        1
    );
    assert_eq!(
        dependencies(manifest, "| `a` |  |  |\n| `b` | x | y |\n").len(),
        1
    );
    let used = |text: &str| idle_dependencies(manifest, &[Source::new("src/a.rs", text)]).len();
    assert_eq!(
        (used("use a::X; use b::Y;"), used("use a::X; // b")),
        (0, 1)
    );
    assert_eq!(lock("name = \"aws-lc-sys\"\n").len(), 1);
    assert!(lock("name = \"ring\"\n").is_empty());
}
