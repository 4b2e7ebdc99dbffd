//! Letters and what is read from them: each `tests/letters/*.eml` beside its `.txt`; `UPDATE=1 cargo test --test letters` rewrites the latter.
//!
//! What they try: B21 charsets declared, undeclared and wrong, encoded words split anywhere, comments in an address; B22 HTML alone, an empty
//! text beside HTML, a letter that holds nothing but a letter; B23 `winmail.dat`, uuencode, clear-signed text, S/MIME opaque and detached;
//! B24 names that attack, pictures that the text shows; B28 a date of another century.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use postdesk::desk::letter::{From, Letter};
use postdesk::mail::parse::{Caps, read};

fn letters() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/letters");
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
        .collect();
    all.sort();
    all
}

#[test]
fn letters_are_read_as_their_texts_say() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    let all = letters();
    assert!(!all.is_empty(), "no letters");
    for path in all {
        let raw = std::fs::read(&path).unwrap();
        let letter = read(&raw, Caps::DEFAULT);
        faults_are_said_in_russian(&letter);
        let told = tell(&letter);
        let expected_path = path.with_extension("txt");
        if update {
            std::fs::write(&expected_path, &told).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        if told != expected {
            wrong.push(format!(
                "{}\n--- expected\n{expected}\n--- read\n{told}",
                path.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn faults_are_said_in_russian(letter: &Letter) {
    let nobody = match &letter.from {
        From::Nobody { why, .. } => Some(why),
        From::One { .. } => None,
    };
    for fault in letter.faults.iter().chain(nobody) {
        let russian = postdesk::mail::russian::said(fault);
        assert!(russian.is_some(), "src/mail/russian.txt lacks: {fault}");
    }
}

/// A letter with LF line ends, and one that came by another path, is the same letter (A9).
#[test]
fn a9_line_ends_and_trace_fields_do_not_change_a_letter() {
    for path in letters() {
        let raw = std::fs::read(&path).unwrap();
        let letter = read(&raw, Caps::DEFAULT);
        let lf: Vec<u8> = raw.iter().copied().filter(|b| *b != b'\r').collect();
        let other = read(&lf, Caps::DEFAULT);
        assert_eq!(letter.content_key, other.content_key, "{}", path.display());
        assert_eq!(letter.text, other.text, "{}", path.display());
        assert_eq!(letter.subject, other.subject, "{}", path.display());
    }
}

/// B27: each cap has a letter that hits it; it is told, the sender is known or nobody, and it takes no time.
#[test]
fn b27_each_cap_is_hit_and_told() {
    let head = "From: a@x.example\nTo: s@desk.example\n";
    let mixed = "Content-Type: multipart/mixed; boundary=b\n\n";
    let mut deep = head.to_owned();
    for at in 0..200 {
        write!(
            deep,
            "Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n"
        )
        .unwrap();
    }
    let word = "=?utf-8?Q?a?= ";
    let link = "<a href=\"https://x.example/123456789\">here</a> ";
    for (letter, told) in [
        (
            format!("{head}{mixed}{}", "--b\n\nx\n".repeat(3_000)),
            "More than 2000 parts",
        ),
        (deep, "nested more than 100 deep"),
        (
            format!(
                "{head}Content-Type: text/html\n\n{}",
                format!("<p>{link}").repeat(1_001)
            ),
            "More than 1000 links",
        ),
        (
            format!("{head}{}\nx", "X-Much: 0123456789\n".repeat(60_000)),
            "Header lines of more than 1048576 octets",
        ),
        (
            format!("{head}Subject: {}\n\nx", word.repeat(2_000)),
            "Subject holds more than 1000 encoded words",
        ),
        (
            format!("{head}Subject: {}\n\nx", "long ".repeat(1_000)),
            "Subject longer than 2000 characters",
        ),
        (
            format!(
                "{head}Cc: {}b@x.example\n\nx",
                "b@x.example, ".repeat(2_000)
            ),
            "Cc holds more than 1000 addresses",
        ),
        (
            format!("{head}Content-Type: text/html\n\n{}", link.repeat(100_000)),
            "Text longer than",
        ),
        (
            format!("{head}\n{}", "words and words\n".repeat(400_000)),
            "Text longer than",
        ),
    ] {
        let begun = used();
        let read = read(letter.as_bytes(), Caps::DEFAULT);
        let took = used() - begun;
        faults_are_said_in_russian(&read);
        let found = read.faults.iter().any(|f| f.contains(told));
        assert!(found, "{told}: {:?}", read.faults);
        assert!(read.text.len() <= Caps::DEFAULT.text_bytes);
        // Ten times what an optimised build may take.
        assert!(took.as_secs() < 20, "{told}: {took:?}");
    }
}

fn sender(from: &From) -> String {
    match from {
        From::One { address, name } => format!("{name} <{address}>"),
        From::Nobody {
            why,
            shown,
            claimed,
        } => {
            let (name, address) = (&claimed.name, &claimed.address);
            format!("nobody ({why}), shown: {shown}, named: {name} <{address}>")
        }
    }
}

fn tell(letter: &Letter) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            writeln!(out, "{name}: {value}").unwrap();
        }
    };
    line("from", &sender(&letter.from));
    let list = |all: &[postdesk::desk::address::Address]| {
        all.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    line("to", &list(&letter.to));
    line("cc", &list(&letter.cc));
    line("reply-to", &list(&letter.reply_to));
    line("subject", &letter.subject);
    line(
        "date",
        &letter.date.map(|d| d.to_rfc3339()).unwrap_or_default(),
    );
    line(
        "message-id",
        letter.message_id.as_deref().unwrap_or_default(),
    );
    line("in-reply-to", &letter.in_reply_to.join(" "));
    line("references", &letter.references.join(" "));
    if let Some((kind, why)) = &letter.automatic {
        line("automatic", &format!("{} ({why})", kind.word()));
    }
    if let Some(bounce) = &letter.bounce {
        line(
            "bounce",
            &format!(
                "{} {} {} permanent={} of {}",
                bounce.action,
                bounce.recipient.as_deref().unwrap_or("-"),
                bounce.status.as_deref().unwrap_or("-"),
                bounce.permanent,
                bounce.original_message_id.as_deref().unwrap_or("-")
            ),
        );
    }
    for attachment in &letter.attachments {
        let digest: String = attachment
            .sha256
            .iter()
            .take(6)
            .map(|b| format!("{b:02x}"))
            .collect();
        line(
            "attachment",
            &format!(
                "{} ({}, {} octets, {digest}…){}",
                attachment.name,
                attachment.media_type,
                attachment.size,
                if attachment.inline {
                    " shown in the text"
                } else {
                    ""
                }
            ),
        );
    }
    for fault in &letter.faults {
        line("fault", fault);
    }
    for (name, text) in [("text", &letter.text), ("new text", &letter.new_text)] {
        writeln!(out, "\n=== {name}").unwrap();
        for text_line in text.lines() {
            writeln!(out, "{}", format!("| {text_line}").trim_end()).unwrap();
        }
    }
    out
}

/// The processor time that this thread has used: what other programs do meanwhile must not fail a test.
fn used() -> std::time::Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    std::time::Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}
