//! What a fuzzer starts from and what it once found, replayed; and that work grows with the size of a letter, not with its square.
//!
//! The properties are those of the fuzz targets (`fuzz/src`); docs/fuzzing.md says how to run these. S31: no input may hang or bloat.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    unreachable_pub,
    reason = "tests"
)]

use std::fmt::Write as _;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postdesk::desk::subject;
use postdesk::examination;

#[path = "../fuzz/src/lib.rs"]
mod properties;

/// The limit of the fuzzer; this build is slower and its inputs are small.
const LIMIT: Duration = Duration::from_secs(2);

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return vec![];
    };
    let mut all: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

#[test]
fn s31_seeds_and_findings_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = String::new();
    properties::desk();
    for (target, hold) in properties::TARGETS {
        let seeds = files(&root.join("fuzz/seeds").join(target));
        assert!(!seeds.is_empty(), "{target} has no seeds");
        for path in seeds
            .into_iter()
            .chain(files(&root.join("tests/findings").join(target)))
        {
            let input = std::fs::read(&path).unwrap();
            let began = used();
            if catch_unwind(|| hold(&input)).is_err() {
                writeln!(wrong, "{target} does not hold for {}", path.display()).unwrap();
            } else if used() - began > LIMIT {
                writeln!(wrong, "{target} is slow on {}", path.display()).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_folder_belongs_to_a_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let known = |name: &str| {
        properties::TARGETS
            .iter()
            .any(|(target, _)| *target == name)
    };
    for folder in [
        "fuzz/seeds",
        "fuzz/dictionaries",
        "fuzz/fuzz_targets",
        "tests/findings",
    ] {
        for path in files(&root.join(folder)) {
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(known(name), "{}", path.display());
        }
    }
}

/// What stands again and again in a letter: where it stands, and the piece.
type Repeated = (&'static str, &'static str);

const TEXT: &str = "From: a@x.example\nContent-Type: text/plain; charset=utf-8\n\n";
const FLOWED: &str =
    "From: a@x.example\nContent-Type: text/plain; charset=utf-8; format=flowed\n\n";
const HTML: &str = "From: a@x.example\nContent-Type: text/html; charset=utf-8\n\n";
const MIXED: &str = "From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n";
const STATUS: &str = "From: MAILER-DAEMON@x.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: message/delivery-status\n\n";
const OURS: &str = "From: maria@raduga.example\nAuthentication-Results: mx.desk.example";
const FROM: &str = "From: maria@raduga.example\n";

const REPEATED: &[Repeated] = &[
    (TEXT, ">"),
    (TEXT, ">\n"),
    (TEXT, "> a\n\n"),
    (TEXT, "> a\n1 a@b.example wrote:\n"),
    (TEXT, "\n"),
    (TEXT, "x\n"),
    (TEXT, "x "),
    (TEXT, "1,"),
    (TEXT, "On 1, a@b wrote:\n"),
    (TEXT, "12 мая 2026 г., 10:15, А\n"),
    (TEXT, "От: а\n"),
    (TEXT, "From: a\nSent: b\nTo: c\n\n"),
    (TEXT, "-- \n"),
    (TEXT, "_____\n"),
    (TEXT, "――― Пишите ответ выше этой линии ―――\n"),
    (TEXT, "――― "),
    (TEXT, "Отправлено с iPhone\n"),
    (TEXT, "-----Original Message-----\n> a\n"),
    (TEXT, "\r"),
    (TEXT, "\u{200b}"),
    (TEXT, "5.1."),
    (FLOWED, "> a \n"),
    (FLOWED, "a \n"),
    (HTML, "<blockquote>"),
    (HTML, "<blockquote><br>x"),
    (HTML, "<div>"),
    (HTML, "<p>x"),
    (HTML, "<a href=https://x.example/1>y</a>"),
    (HTML, "<a href='"),
    (HTML, "<a \""),
    (HTML, "<a b=c "),
    (HTML, "<"),
    (HTML, "&"),
    (HTML, "&#"),
    (HTML, "&amp;"),
    (HTML, "<!--"),
    (HTML, "<!-- -->"),
    (HTML, "<script>"),
    (HTML, "<style></"),
    (HTML, "<s>"),
    (HTML, "<table><tr><td>"),
    (HTML, "<img alt='x'>"),
    (HTML, "</p>"),
    (HTML, "<pre>\n"),
    (MIXED, "--b\n"),
    (MIXED, "--b\n\nx\n"),
    (MIXED, "--"),
    (MIXED, "--b-"),
    (
        MIXED,
        "--b\nContent-Disposition: attachment; filename=a.txt\n\nx\n",
    ),
    (MIXED, "--b\nContent-Type: multipart/mixed; boundary=b\n\n"),
    (
        MIXED,
        "--b\nContent-Type: message/rfc822\n\nSubject: a\n\nx\n",
    ),
    (MIXED, "--b\nContent-Type: text/html\n\n<p>x\n"),
    (MIXED, "--b\nContent-Transfer-Encoding: base64\n\n0J8=\n"),
    (STATUS, "Final-Recipient: rfc822; a@x.example\n\n"),
    (STATUS, "Final-Recipient: rfc822; a@x.example\n"),
    (STATUS, "x\n"),
    (STATUS, "\n"),
    (STATUS, "Message-ID: "),
    (OURS, "; spf=pass"),
    (OURS, " ("),
    (OURS, " ()"),
    (OURS, "; dmarc=pass a.b=c"),
    (OURS, "; dmarc=pass reason=\""),
    (OURS, "\n "),
    (FROM, "Authentication-Results: mx.desk.example; spf=pass\n"),
    (FROM, "Authentication-Results: mx.desk.example; (\n"),
    (
        FROM,
        "Authentication-Results: x.example; spf=pass\nReceived: from a by b\n",
    ),
    (FROM, "Received: from a by b\n"),
    (FROM, "Received: from a by b with LMTP\n"),
    (
        FROM,
        "DKIM-Signature: v=1; a=rsa-sha256; d=raduga.example; s=s; h=from; bh=AA==; b=AA==\n",
    ),
    ("", "From "),
    ("", "From a\n"),
    ("", "From: a@x.example\n"),
    ("", "X: y\n"),
    ("", "X\n"),
    ("", " \n"),
    ("X: y\n", " \n"),
    ("Subject: ", "=?utf-8?B?0J8=?= "),
    ("Subject: ", "=?utf-8?Q?a"),
    ("Subject: ", "=?"),
    ("Subject: ", "=?utf-8?B?0?= "),
    ("Subject: ", "Re: "),
    ("Subject: ", "[№ 2026-000001]"),
    ("Subject: ", "[№ "),
    ("Subject: ", "\n "),
    ("From: ", "a@x.example, "),
    ("From: ", "a, "),
    ("From: ", " , "),
    ("From: ", "\"a\", "),
    ("From: ", "(a), "),
    ("From: ", "=?utf-8?Q?a?= <a@x.example> "),
    ("To: ", "a@x.example, "),
    (
        "To: ",
        "support+r1aaaa.aaaaaaaaaaaaaaaaaaaaaaaaaa@desk.example, ",
    ),
    ("To: ", "("),
    ("To: ", "()"),
    ("To: ", "\""),
    ("To: ", "\\"),
    ("To: ", "<"),
    ("To: ", ":"),
    ("To: ", ";"),
    ("References: ", "<a@b> "),
    ("References: ", "<"),
    ("References: ", "a@b "),
    (
        "In-Reply-To: ",
        "<r1aaaa.aaaaaaaaaaaaaaaaaaaaaaaaaa@desk.example> ",
    ),
    ("Message-ID: ", "<a@b> "),
    ("Date: ", "Fri, "),
    ("Date: ", "("),
    ("Content-Type: text/plain; ", "charset*0=a; "),
    ("Content-Type: text/plain; ", "name*0*=utf-8''%D0; "),
    ("Content-Type: text/plain; ", "a=\""),
    ("Content-Type: text/plain; ", "a;"),
    ("Content-Type: text/plain", "("),
    ("Content-Type: multipart/mixed; boundary=", "-"),
    ("Content-Disposition: attachment; filename=", "../"),
    ("Content-Transfer-Encoding: base64\n\n", "="),
    ("Content-Transfer-Encoding: base64\n\n", "A"),
    ("Content-Transfer-Encoding: base64\n\n", " \n"),
    ("Content-Transfer-Encoding: quoted-printable\n\n", "="),
    ("Content-Transfer-Encoding: quoted-printable\n\n", "=\n"),
    ("Content-Transfer-Encoding: quoted-printable\n\n", " "),
    ("Content-Transfer-Encoding: x-uuencode\n\n", "begin 644 a\n"),
    (
        "Content-Type: text/plain; charset=iso-2022-jp\n\n",
        "\u{1b}$B\u{1b}(B",
    ),
    ("Content-Type: text/plain; charset=utf-7\n\n", "+ADw-"),
];

/// Octets of the shorter letter.
const SMALL: usize = 32 * 1024;

fn letter((before, piece): Repeated, size: usize) -> Vec<u8> {
    let count = size / piece.len();
    format!("{before}{}\n\nend\n", piece.repeat(count)).into_bytes()
}

/// A multipart inside a multipart, each with a boundary of its own.
fn nested(size: usize) -> Vec<u8> {
    let level = |at: usize| {
        let boundary = format!("b{at:06}");
        format!("Content-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n")
    };
    (0..size / 60).map(level).collect::<String>().into_bytes()
}

/// Parts whose boundaries all begin alike and differ in their last character.
fn alike(size: usize) -> Vec<u8> {
    let long = "a".repeat(60);
    let head: String = (0..90)
        .map(|at| format!("Content-Type: multipart/mixed; boundary={long}{at}\n\n--{long}{at}\n"))
        .collect();
    let lines = format!("--{long}x\n").repeat(size / 64);
    format!("{head}{lines}").into_bytes()
}

/// The processor time that this thread has used: what other programs do meanwhile must not fail a test.
fn used() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

fn time(raw: &[u8]) -> Duration {
    let began = used();
    let (desk, now) = (properties::desk(), properties::now());
    let examined = examination::examine(raw, &desk, properties::MAILBOX, now);
    subject::base(&examined.letter.subject);
    used() - began
}

/// Whether four times the size takes more than eight times as long. Asked again where it does: only what is slow each time is.
fn grows_with_its_square(
    small: impl Fn() -> Duration,
    large: impl Fn() -> Duration,
) -> Option<(Duration, Duration)> {
    let noise = Duration::from_millis(30);
    let (mut least, mut most) = (Duration::MAX, Duration::MAX);
    for _ in 0..6 {
        least = least.min(small());
        most = most.min(large());
        if most <= least * 8 + noise {
            return None;
        }
    }
    Some((least, most))
}

#[test]
fn s31_work_does_not_grow_with_the_square_of_the_size() {
    let mut all: Vec<(String, Vec<u8>, Vec<u8>)> = REPEATED
        .iter()
        .map(|r| (format!("{r:?}"), letter(*r, SMALL), letter(*r, SMALL * 4)))
        .collect();
    all.push(("nested".into(), nested(SMALL), nested(SMALL * 4)));
    all.push(("alike".into(), alike(SMALL), alike(SMALL * 4)));
    let mut slow = String::new();
    for (name, small, large) in &all {
        if let Some((least, most)) = grows_with_its_square(|| time(small), || time(large)) {
            writeln!(slow, "{name}: {least:?}, of four times the size {most:?}").unwrap();
        }
    }
    assert!(slow.is_empty(), "{slow}");
}

#[test]
fn a_square_is_told_from_a_line() {
    let takes = |milliseconds| move || Duration::from_millis(milliseconds);
    assert_eq!(grows_with_its_square(takes(10), takes(45)), None);
    assert_eq!(grows_with_its_square(takes(0), takes(25)), None);
    assert!(grows_with_its_square(takes(10), takes(160)).is_some());
}
