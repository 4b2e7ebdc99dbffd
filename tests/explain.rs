//! `explain` as a program or a person meets it: the shape of its answer, that it changes nothing, and that no letter brings it down.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "support/command.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared by several tests")]
mod command;
#[path = "support/signer.rs"]
mod signer;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use command::{Desk, Ended};
use serde_json::Value;
use signer::Signer;

const ORDER: &str = include_str!("../demo/mail/order-of-the-primary.eml");
const QUESTION: &str = include_str!("../demo/mail/question-of-the-additional.eml");

/// The keys that others rely on.
const KEYS: [&str; 26] = [
    "message_id",
    "subject",
    "from",
    "to",
    "date",
    "arrived",
    "text",
    "new_text",
    "attachments",
    "automatic",
    "bounce",
    "assurance",
    "sender",
    "about",
    "kind",
    "type",
    "verdict",
    "registration_day",
    "opens",
    "due",
    "evidence",
    "alternatives",
    "caps",
    "letters",
    "reasons",
    "faults",
];

fn assert_shape(answer: &Value) {
    let keys: BTreeSet<&str> = answer
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for key in KEYS {
        assert!(keys.contains(key), "{key} is missing: {answer:#}");
    }
    for key in ["subject", "arrived", "text", "new_text"] {
        assert!(answer[key].is_string(), "{key}: {answer:#}");
    }
    assert!(answer["evidence"]["for"].is_array() && answer["evidence"]["against"].is_array());
    for key in [
        "to",
        "attachments",
        "alternatives",
        "caps",
        "letters",
        "reasons",
        "faults",
    ] {
        assert!(answer[key].is_array(), "{key}: {answer:#}");
    }
    let from = &answer["from"];
    assert!(from["name"].is_string() && from["address"].is_string());
    assert_eq!(from["nobody"].is_null(), from["field"].is_null());
    assert!(answer["assurance"]["level"].is_string() && answer["assurance"]["evidence"].is_array());
}

fn moment(value: &Value) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap()
}

#[test]
fn the_answer_has_the_shape_that_others_rely_on() {
    let desk = Desk::new();
    let letter = ORDER.replace(
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n",
        "Date: Fri, 21 Aug 2026 10:11:00 +0300\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n",
    ) + "\n--b\nContent-Type: application/pdf; name=\"akt.pdf\"\nContent-Disposition: attachment\n\n%PDF-\n--b--\n";
    let file = desk.file("letter.eml", letter);
    let arrived = "2026-08-21T05:12:00Z";
    let answer = desk.json(&["explain", "--json", "--arrived", arrived, &file]);
    assert_shape(&answer);
    assert_eq!(
        answer["message_id"],
        "order-of-the-primary@mail.raduga.example"
    );
    assert_eq!(answer["subject"], "Поручение: исправить журнал за май");
    assert_eq!(answer["from"]["name"], "Мария Иванова");
    assert_eq!(answer["from"]["address"], "maria@raduga.example");
    assert_eq!(answer["from"]["nobody"], Value::Null);
    assert_eq!(answer["to"][0], "support@desk.example");
    assert!(answer["text"].as_str().unwrap().contains("Мария Иванова"));
    assert!(
        answer["new_text"]
            .as_str()
            .unwrap()
            .contains("две одинаковые строки")
    );
    assert!(
        !answer["new_text"].as_str().unwrap().contains("Мария"),
        "{answer:#}"
    );
    assert_eq!(answer["automatic"], Value::Null);
    assert_eq!(answer["bounce"], Value::Null);
    assert_eq!(answer["about"], Value::Null);
    assert_eq!(answer["assurance"]["level"], "domain");
    assert_eq!(answer["sender"]["role"], "primary");
    assert_eq!(answer["sender"]["customer"], "raduga");
    assert_eq!(answer["sender"]["installation"], "raduga-moodle");
    assert_eq!(
        (&answer["kind"], &answer["type"]),
        (&"order".into(), &"support".into())
    );
    assert_eq!(answer["verdict"], "registered");
    let attachment = &answer["attachments"][0];
    assert_eq!(attachment["name"], "akt.pdf");
    assert_eq!(attachment["type"], "application/pdf");
    assert!(attachment["size"].is_u64());
    assert_eq!(attachment["sha256"].as_str().unwrap().len(), 64);
    let letters = answer["letters"].as_array().unwrap();
    assert_eq!(letters.len(), 2);
    for letter in letters {
        assert!(
            letter["to"].is_string()
                && letter["template"].is_string()
                && letter["subject"].is_string()
        );
    }
    assert!(!answer["reasons"].as_array().unwrap().is_empty());
    for key in ["arrived", "opens", "due"] {
        assert_eq!(
            moment(&answer[key]).offset().local_minus_utc(),
            5 * 3600,
            "{key}"
        );
    }
    assert_eq!(
        moment(&answer["date"]).to_utc().to_rfc3339(),
        "2026-08-21T07:11:00+00:00"
    );
    assert_eq!(answer["arrived"], "2026-08-21T10:12:00+05:00");
    assert_eq!(answer["due"], "2026-08-28T16:00:00+05:00");
}

/// R16: after closing on a Friday it waits for Monday.
#[test]
fn the_arrival_decides_what_would_be() {
    let desk = Desk::new();
    let file = desk.file("letter.eml", QUESTION);
    let at = |arrived| desk.json(&["explain", "--json", "--arrived", arrived, &file]);
    let late = at("2026-08-21T16:42:00+05:00");
    assert_eq!(late["verdict"], "queued");
    assert_eq!(late["opens"], "2026-08-24T09:00:00+05:00");
    assert_eq!(late["registration_day"], "2026-08-24");
    assert_eq!(late["due"], Value::Null);
    assert_eq!(at("2026-08-21T15:59:59+05:00")["verdict"], "registered");
    assert_eq!(
        desk.run(&["explain", "--arrived", "yesterday", &file]).code,
        Some(2)
    );
}

#[test]
fn the_mailbox_decides_whose_word_counts() {
    let desk = Desk::new();
    let toml = include_str!("../demo/postdesk.toml").replace(
        "[smtp]",
        "[[mailbox]]\nname = \"other\"\nmaildir = \"other\"\nauthserv_ids = [\"mx.elsewhere.example\"]\n\n[smtp]",
    );
    desk.file("postdesk.toml", toml);
    let file = desk.file("letter.eml", ORDER);
    let at = |name| desk.json(&["explain", "--json", "--mailbox", name, &file]);
    assert_eq!(at("support")["assurance"]["level"], "domain");
    assert_eq!(at("other")["assurance"]["level"], "weak");
    let unknown = desk.run(&["explain", "--mailbox", "third", &file]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown
            .err
            .contains("there is no mailbox \"third\"; there are support, other"),
        "{}",
        unknown.err
    );
}

#[test]
fn p7_a_dry_run_asks_no_dns_and_says_so() {
    let desk = Desk::new();
    let order = ORDER.replace("\r\n", "\n").replace('\n', "\r\n");
    let from = order.lines().find(|l| l.starts_with("From:")).unwrap();
    let domain = from.rsplit('@').next().unwrap().trim_end_matches('>');
    let unvouched = order.replace("Authentication-Results:", "X-Results:");
    let signed = Signer::ed25519(domain, "s1").sign(&unvouched, "", "from:subject");
    let file = desk.file("letter.eml", signed);
    let told = desk.json(&["explain", "--json", &file]);
    let evidence = told["assurance"]["evidence"].to_string();
    assert_eq!(told["assurance"]["level"], "weak", "{evidence}");
    assert!(
        evidence.contains("(selector s1) is not checked: no DNS is asked here"),
        "{evidence}"
    );
}

#[test]
fn a_dry_run_changes_nothing() {
    let desk = Desk::new();
    let file = desk.file("letter.eml", QUESTION);
    let before = tree(desk.folder.path());
    assert_eq!(desk.run(&["explain", &file]).code, Some(0));
    assert_eq!(tree(desk.folder.path()), before, "without a database");

    let order = desk.file("order.eml", ORDER);
    assert_eq!(
        desk.run(&["ingest", "--mailbox", "support", &order]).code,
        Some(0)
    );
    let before = tree(desk.folder.path());
    let answer = desk.json(&[
        "explain",
        "--json",
        "--arrived",
        "2026-08-21T10:30:00+05:00",
        &file,
    ]);
    assert_eq!(answer["verdict"], "registered");
    let again = desk.json(&["explain", "--json", &order]);
    assert_eq!(again["verdict"], "duplicate", "it asks the database");
    // What SQLite keeps beside its file for readers is no content.
    let mut after = tree(desk.folder.path());
    after.retain(|name, _| !name.ends_with("-shm") && !name.ends_with("-wal"));
    let mut before = before;
    before.retain(|name, _| !name.ends_with("-shm") && !name.ends_with("-wal"));
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    assert!(after == before, "a file was changed");
}

fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
        } else {
            found.insert(
                path.to_str().unwrap().to_owned(),
                std::fs::read(&path).unwrap(),
            );
        }
    }
    found
}

#[test]
fn what_was_decided_is_told_from_the_record() {
    let desk = Desk::new();
    let order = desk.file("order.eml", ORDER);
    let friday = "2026-02-06T10:12:00+05:00";
    let done = desk.run(&[
        "ingest",
        "--mailbox",
        "support",
        "--arrived",
        friday,
        &order,
    ]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    let number = desk.json(&["requests", "--json"])[0]["number"]
        .as_str()
        .unwrap()
        .to_owned();
    let by_number = desk.json(&["explain", "--json", &number]);
    assert_shape(&by_number);
    assert_eq!(by_number["verdict"], "registered");
    assert_eq!(by_number["number"], number.as_str());
    assert_eq!(by_number["arrived"], friday);
    for id in [
        "<order-of-the-primary@mail.raduga.example>",
        "order-of-the-primary@mail.raduga.example",
    ] {
        assert_eq!(desk.json(&["explain", "--json", id]), by_number);
    }
    let text = desk.run(&["explain", &number]);
    assert_eq!(text.code, Some(0));
    for part in [
        "решение        зарегистрировано",
        "потому что ",
        "письмо ",
        "maria@raduga.example",
    ] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
}

/// One number is one object also when several letters belong to it.
#[test]
fn the_further_letters_of_a_request_stand_in_the_same_object() {
    let folder = tempfile::tempdir().unwrap();
    let told = command::run(&["demo", "--dir", "desk"], "", folder.path());
    assert_eq!(told.code, Some(0), "{}", told.err);
    let ended = command::run(
        &[
            "-c",
            "desk/postdesk.toml",
            "explain",
            "--json",
            "2026-000003",
        ],
        "",
        folder.path(),
    );
    let answer: Value = serde_json::from_str(&ended.out).unwrap();
    assert_shape(&answer);
    assert_eq!(answer["verdict"], "queued");
    assert_eq!(answer["further"].as_array().unwrap().len(), 1);
    assert_shape(&answer["further"][0]);
    assert_eq!(answer["further"][0]["about"]["number"], "2026-000003");
}

#[test]
fn what_there_is_not_is_said_so() {
    let desk = Desk::new();
    let none_yet = desk.run(&["explain", "2026-000001"]);
    assert_eq!(none_yet.code, Some(1));
    assert!(
        none_yet.err.contains("there is no database yet"),
        "{}",
        none_yet.err
    );
    assert!(
        !desk.path("postdesk.db").exists(),
        "looking makes no database"
    );

    let order = desk.file("order.eml", ORDER);
    assert_eq!(
        desk.run(&["ingest", "--mailbox", "support", &order]).code,
        Some(0)
    );
    for (what, code, said) in [
        ("2026-000099", 2, "there is no request 2026-000099"),
        (
            "nobody@nowhere.example",
            2,
            "nothing is known of \"nobody@nowhere.example\"",
        ),
        ("no-such-letter.eml", 2, "it is no file"),
        (".", 2, "is a folder"),
    ] {
        let ended = desk.run(&["explain", what]);
        assert_eq!(ended.code, Some(code), "{what}: {}", ended.err);
        assert!(ended.err.contains(said), "{what}: {}", ended.err);
        assert_eq!(ended.out, "");
    }
    let both = desk.run(&["explain", "2026-000001", "--mailbox", "support"]);
    assert_eq!(both.code, Some(2));
}

/// Without a usable configuration, as in a fresh clone, the rules of the demo stand in; a configuration that is named must hold.
#[test]
fn a_letter_is_explained_without_any_desk() {
    let desk = Desk::new();
    desk.file("letter.eml", ORDER);
    for found in [false, true] {
        if found {
            std::fs::create_dir(desk.path("config")).unwrap();
            desk.file("config/postdesk.toml", "[desk]\nname = 1\n");
        }
        let ended = command::run(&["explain", "--json", "letter.eml"], "", desk.folder.path());
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert!(found || !Path::new("/etc/postdesk/postdesk.toml").exists());
        assert!(
            ended.err.contains("the rules of `postdesk demo`"),
            "{}",
            ended.err
        );
        assert_shape(&serde_json::from_str(&ended.out).unwrap());
    }
    let named = command::run(
        &["-c", "config/postdesk.toml", "explain", "letter.eml"],
        "",
        desk.folder.path(),
    );
    assert_eq!(named.code, Some(78), "{}", named.err);
}

#[test]
fn standard_input_is_a_file_too() {
    let desk = Desk::new();
    let ended = desk.fed(&["explain", "--json", "-"], ORDER);
    let answer: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(answer["subject"], "Поручение: исправить журнал за май");
}

/// F13: what a stranger wrote can't drive the terminal of who reads it.
#[test]
fn the_text_for_people_has_no_control_characters() {
    let desk = Desk::new();
    let file = desk.file(
        "letter.eml",
        "From: =?utf-8?q?A=1B[31m=E2=80=AEnna?= <anna@elsewhere.example>\nSubject: =?utf-8?q?Hello=07=1B]0;title=07?=\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\n\n\u{1b}[2Jtext\u{9b}1m\n--b\nContent-Type: a/b; name=\"\u{1b}c.txt\"\nContent-Disposition: attachment\n\nx\n--b--\n",
    );
    let ended = desk.run(&["explain", &file]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let disturbing = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
    assert_eq!(ended.out.chars().find(disturbing), None, "{:?}", ended.out);
    assert!(ended.out.contains("text"), "{}", ended.out);
}

/// P9, A5. The larger ones are as large as a debug build reads in time.
/// What a letter claims of its sender is told, and grants nothing (C30, S12).
#[test]
fn c30_whom_a_letter_from_nobody_names_is_told_and_is_no_sender() {
    let desk = Desk::new();
    let two = "From: \"Мария Иванова\" <maria@raduga.example>, x@y.example\nTo";
    let letter = ORDER.split_once("\nTo").unwrap().1;
    let file = desk.file("nobody.eml", format!("{two}{letter}"));
    let answer = desk.json(&["explain", "--json", &file]);
    assert_shape(&answer);
    assert_eq!(answer["from"]["name"], "Мария Иванова");
    assert_eq!(answer["from"]["address"], "maria@raduga.example");
    assert_eq!(answer["from"]["nobody"], "From holds 2 addresses");
    assert_eq!(answer["assurance"]["level"], "none");
    assert_eq!(answer["sender"]["role"], "stranger");
    assert_eq!(answer["verdict"], "held");
    let mut to = answer["letters"].as_array().unwrap().iter();
    assert!(to.all(|l| l["to"] != "maria@raduga.example"), "{answer:#}");
    // A person is shown the field as it was written.
    let text = desk.run(&["explain", &file]).out;
    assert!(
        text.contains("Мария Иванова\" <maria@raduga.example>, x@y.example"),
        "{text}"
    );
}

#[test]
fn no_letter_brings_it_down() {
    let desk = Desk::new();
    let mut took = Duration::ZERO;
    for (name, letter) in hostile().into_iter().chain(swollen()) {
        let file = desk.file("hostile.eml", letter);
        let ended = desk.run(&["explain", "--json", &file]);
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.err);
        let answer: Value =
            serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_shape(&answer);
        assert_bounded(name, &ended);
        took += ended.took;
        let text = desk.run(&["explain", &file]);
        assert_eq!(text.code, Some(0), "{name}: {}", text.err);
        assert!(
            text.out.len() < 100_000,
            "{name}: {} octets",
            text.out.len()
        );
    }
    // A clock that stands still would find everything quick.
    assert!(took > Duration::ZERO);
}

fn assert_bounded(name: &str, ended: &Ended) {
    assert!(
        ended.took < Duration::from_secs(2),
        "{name}: {:?}",
        ended.took
    );
    assert!(ended.peak < 256, "{name}: {} MiB", ended.peak);
}

const HEAD: &str = "From: Maria <maria@raduga.example>\r\nTo: support@desk.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n";

fn with(rest: String) -> Vec<u8> {
    format!("{HEAD}{rest}").into_bytes()
}

/// Letters whose outside is hostile.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let many = |n: usize, each: &dyn Fn(usize) -> String| (0..n).map(each).collect::<String>();
    let nested = many(20_000, &|i| {
        format!(
            "--b{i}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n",
            i + 1
        )
    });
    let addresses = many(50_000, &|i| format!(" a{i}@b.example,\r\n"));
    vec![
        ("nothing", vec![]),
        ("only CR", vec![b'\r'; 200_000]),
        ("only NUL", vec![0; 200_000]),
        (
            "noise",
            (0..200_000_u32)
                .map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0])
                .collect(),
        ),
        (
            "deep multiparts",
            with(format!(
                "Content-Type: multipart/mixed; boundary=b0\r\n\r\n{nested}"
            )),
        ),
        (
            "deep letters",
            with("Content-Type: message/rfc822\r\n\r\n".repeat(22_000)),
        ),
        (
            "many fields",
            with(many(100_000, &|i| format!("X-{i}: a\r\n")) + "\r\nhi\r\n"),
        ),
        (
            "many addresses",
            with(format!("Cc:{addresses} a@b.example\r\n\r\nhi\r\n")),
        ),
        (
            "many senders",
            format!("From:{addresses} a@b.example\r\n\r\nhi\r\n").into_bytes(),
        ),
        (
            "encoded words",
            with(format!(
                "Comments: x\r\nSubject: {}\r\n\r\nhi",
                "=?utf-8?Q?=D0=9F=D1=80?= ".repeat(30_000)
            )),
        ),
    ]
}

/// Letters whose inside is.
fn swollen() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("one line", with(format!("\r\n{}", "a".repeat(1_000_000)))),
        (
            "open comments",
            format!(
                "From: {}\r\nDate: {}\r\n\r\nhi",
                "(".repeat(200_000),
                "(".repeat(200_000)
            )
            .into_bytes(),
        ),
        (
            "open tags",
            with(format!(
                "Content-Type: text/html\r\n\r\n{}",
                "<div><!--".repeat(50_000)
            )),
        ),
        (
            "quotations",
            with(format!("\r\n{}", "> a\r\n".repeat(50_000))),
        ),
        (
            "many files",
            with(format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
                "--b\r\nContent-Type: a/b; name=a\r\nContent-Disposition: attachment\r\n\r\nx\r\n"
                    .repeat(20_000)
            )),
        ),
        (
            "much base64",
            with(format!(
                "Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
                "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\r\n"
                    .repeat(50_000)
            )),
        ),
        (
            "an archive",
            format!("From a@b Fri Aug 21 10:00:00 2026\n{HEAD}\nhi\n\n")
                .repeat(200)
                .into_bytes(),
        ),
    ]
}
