//! Measures how letters are read, against a folder of letters with what is expected of them: `cargo bench --bench reading -- FOLDER`.
#![allow(
    unreachable_pub,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods,
    reason = "a measuring program: it prints, and what goes wrong ends it"
)]

mod cost;
mod expectations;
mod manifest;
mod results;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cost::Cost;
use manifest::{Entry, Sort};
use postdesk::desk::letter::{Attachment, Automatic, Letter};
use postdesk::mail::mbox;
use postdesk::mail::parse::{Caps, read};
use table::Table;

const USAGE: &str = "usage: cargo bench --bench reading -- FOLDER [--suite NAME] [--file PART] [--kind KIND] [--misses KIND|all]
FOLDER holds manifest.jsonl and the letters it names; docs/letters-in.md tells its shape.
  --suite NAME   only this suite
  --file PART    only files with this in their path
  --kind KIND    only this line of the table
  --misses KIND  list each miss of this line, or of all
Quick, for trying things: cargo bench --profile dev --bench reading -- FOLDER  (times are not judged then)
Exit code 0: every demanded share was reached; 1: one was not; 2: wrong usage.";

/// What the arguments ask for.
#[derive(Default)]
struct Wanted {
    folder: PathBuf,
    suite: Option<String>,
    file: Option<String>,
    kind: Option<String>,
    misses: Option<String>,
}

fn main() -> ExitCode {
    let Some(wanted) = wanted() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let entries = match manifest::entries(&wanted.folder) {
        Ok(entries) => entries,
        Err(fault) => {
            eprintln!("{fault}");
            return ExitCode::from(2);
        }
    };
    // A panic is counted and named; its trace would drown the table.
    std::panic::set_hook(Box::new(|_| {}));
    let mut table = Table::new(wanted.kind.as_deref());
    let mut cost = Cost::start();
    let chosen = entries.iter().filter(|e| wanted.takes(&e.suite, &e.file));
    for entry in chosen {
        measure(&wanted.folder, entry, &mut table, &mut cost);
    }
    if wanted.suite.as_deref().is_none_or(|s| s == "throughput") {
        for file in manifest::files_below(&wanted.folder.join("throughput")) {
            let name = manifest::name_below(&wanted.folder, &file);
            if wanted.takes("throughput", &name) {
                ordinary(&file, &name, &mut table, &mut cost);
            }
        }
    }
    if wanted.suite.is_none() && wanted.file.is_none() {
        results::measure(&wanted.folder, &mut table);
    }
    cost.judge(&mut table);
    if let Some(kind) = &wanted.misses {
        table.print_misses(kind);
    }
    table.print();
    println!("{}", cost.told());
    if table.met() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn wanted() -> Option<Wanted> {
    let mut wanted = Wanted::default();
    // Cargo adds --bench of its own.
    let mut arguments = std::env::args().skip(1).filter(|a| a != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--suite" => wanted.suite = Some(arguments.next()?),
            "--file" => wanted.file = Some(arguments.next()?),
            "--kind" => wanted.kind = Some(arguments.next()?),
            "--misses" => wanted.misses = Some(arguments.next()?),
            other if other.starts_with('-') || !wanted.folder.as_os_str().is_empty() => {
                return None;
            }
            folder => wanted.folder = PathBuf::from(folder),
        }
    }
    let known = |kind: &Option<String>| {
        kind.as_deref()
            .is_none_or(|k| k == "all" || table::is_kind(k))
    };
    if !known(&wanted.kind) || !known(&wanted.misses) {
        let names: Vec<&str> = table::KINDS.iter().map(|k| k.name).collect();
        eprintln!("the kinds are: {}", names.join(", "));
        return None;
    }
    (!wanted.folder.as_os_str().is_empty()).then_some(wanted)
}

impl Wanted {
    fn takes(&self, suite: &str, file: &str) -> bool {
        self.suite.as_deref().is_none_or(|s| s == suite)
            && self.file.as_deref().is_none_or(|part| file.contains(part))
    }
}

/// Reads what one line of the manifest names and compares.
fn measure(folder: &Path, entry: &Entry, table: &mut Table, cost: &mut Cost) {
    let raw = std::fs::read(folder.join(&entry.file)).expect("A file of the manifest");
    match entry.sort {
        Sort::Letter => {
            if let Some(letter) = reading(&raw, &entry.file, table, cost) {
                of_any(&letter, &raw, &entry.file, table);
                let other = with_line_feeds(entry, &raw);
                expectations::compare(entry, &letter, &other, table);
            }
        }
        Sort::Reply | Sort::Html => {
            // A text that a person sent, without the header: given one, it is read as the desk reads letters.
            let kind = if entry.sort == Sort::Html {
                "html"
            } else {
                "plain"
            };
            let mut wrapped =
                format!("From: a@sender.example\nContent-Type: text/{kind}; charset=utf-8\n\n")
                    .into_bytes();
            wrapped.extend_from_slice(&raw);
            if let Some(letter) = reading(&wrapped, &entry.file, table, cost) {
                of_any(&letter, &raw, &entry.file, table);
                expectations::compare(entry, &letter, &[], table);
            }
        }
        Sort::Mbox => {
            for boxed in mbox::letters(&*raw) {
                let boxed = boxed.expect("An mbox");
                if let Some(letter) = reading(&boxed.raw, &entry.file, table, cost) {
                    of_any(&letter, &boxed.raw, &entry.file, table);
                }
            }
        }
    }
}

/// The attachments of a letter with LF line ends, where sizes are expected.
fn with_line_feeds(entry: &Entry, raw: &[u8]) -> Vec<Attachment> {
    if !entry.expect.contains_key("attachments") {
        return vec![];
    }
    let raw: Vec<u8> = raw.iter().copied().filter(|b| *b != b'\r').collect();
    read(&raw, Caps::DEFAULT).attachments
}

/// One reading, timed; none if it crashed.
fn reading(raw: &[u8], file: &str, table: &mut Table, cost: &mut Cost) -> Option<Letter> {
    let read = std::panic::catch_unwind(|| cost::timed(|| read(raw, Caps::DEFAULT)));
    match read {
        Ok((letter, took)) => {
            table.note("no crash", file, true, "", "");
            cost.took(took, raw.len(), file);
            Some(letter)
        }
        Err(_) => {
            table.note("no crash", file, false, "a letter", "a panic");
            None
        }
    }
}

/// What holds of any letter, whatever is expected of it.
fn of_any(letter: &Letter, raw: &[u8], file: &str, table: &mut Table) {
    let blank = |text: &str| text.trim().is_empty();
    table.note(
        "reply not empty",
        file,
        blank(&letter.text) || !blank(&letter.new_text),
        "something",
        "nothing",
    );
    let unreadable = expectations::unreadable(letter, raw);
    table.note(
        "no U+FFFD",
        file,
        unreadable.is_none(),
        "readable characters",
        unreadable.as_deref().unwrap_or_default(),
    );
}

/// Ordinary mail: hardly any of it is a bounce or an automatic reply.
fn ordinary(path: &Path, file: &str, table: &mut Table, cost: &mut Cost) {
    let raw = std::fs::read(path).expect("A letter");
    let Some(letter) = reading(&raw, file, table, cost) else {
        return;
    };
    of_any(&letter, &raw, file, table);
    let taken = letter
        .automatic
        .as_ref()
        .filter(|(kind, _)| matches!(kind, Automatic::Bounce | Automatic::AutoReply));
    let got = taken.map_or_else(String::new, |(kind, why)| {
        format!("{} ({why})", kind.word())
    });
    table.note("ordinary mail", file, taken.is_none(), "neither", &got);
}
