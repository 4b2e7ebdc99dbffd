//! Every command as a newcomer meets it: what it does, what it says, and the exit code that scripts rely on.
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
#[path = "support/private_dns.rs"]
mod private_dns;

use std::os::unix::fs::PermissionsExt;

use command::{Desk, run};
use private_dns::{PrivateDns, Said};

const ORDER: &str = include_str!("../demo/mail/order-of-the-primary.eml");
const QUESTION: &str = include_str!("../demo/mail/question-of-the-additional.eml");
const STRANGER: &str = include_str!("../demo/mail/stranger.eml");

/// A moment of a working day that is over, so that letters are registered and not queued.
const FRIDAY: &str = "2026-02-06T10:12:00+05:00";

fn ingest(desk: &Desk, files: &[&str]) -> command::Ended {
    let mut arguments = vec!["ingest", "--mailbox", "support", "--arrived", FRIDAY];
    arguments.extend(files);
    desk.run(&arguments)
}

#[test]
fn every_command_shows_an_example() {
    let here = tempfile::tempdir().unwrap();
    let help = run(&["--help"], "", here.path());
    assert_eq!(help.code, Some(0));
    let commands = [
        "run", "check", "demo", "init", "explain", "ingest", "requests", "request",
    ];
    for name in commands {
        assert!(
            help.out.contains(&format!("  {name}")),
            "{name}: {}",
            help.out
        );
        let told = run(&[name, "--help"], "", here.path());
        assert_eq!(told.code, Some(0), "{name}");
        assert!(told.out.contains("Example"), "{name}: {}", told.out);
        assert!(
            told.out.contains(&format!("postdesk {name}"))
                || told.out.contains(&format!("postdesk.toml {name}")),
            "{name}: {}",
            told.out
        );
    }
}

#[test]
fn wrong_usage_is_two() {
    let desk = Desk::new();
    for wrong in [
        &["frobnicate"][..],
        &["explain"],
        &["request", "first"],
        &["requests", "--status", "pending"],
        &["requests", "--customer", "nobody"],
        &["ingest", "--mailbox", "nobody", "-"],
        &["ingest", "-"],
    ] {
        let ended = desk.run(wrong);
        assert_eq!(ended.code, Some(2), "{wrong:?}: {}", ended.err);
        assert!(ended.err.starts_with("error: "), "{wrong:?}: {}", ended.err);
        assert!(ended.err.contains("--help"), "{wrong:?}: {}", ended.err);
        assert_eq!(ended.out, "", "{wrong:?}");
    }
    let status = desk.run(&["requests", "--status", "pending"]);
    assert!(
        status
            .err
            .contains("in-progress, with-developer, awaiting-information, resolved, closed"),
        "{}",
        status.err
    );
}

#[test]
fn init_writes_what_lacks_only_the_passwords() {
    let here = tempfile::tempdir().unwrap();
    let made = run(&["init", "new/desk"], "", here.path());
    assert_eq!(made.code, Some(0), "{}", made.err);
    assert!(
        made.out.contains("new/desk/postdesk.toml check --connect"),
        "{}",
        made.out
    );
    let dir = here.path().join("new/desk");
    let secret = std::fs::metadata(dir.join("secret")).unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);

    let check = ["-c", "new/desk/postdesk.toml", "check"];
    let lacking = run(&check, "", here.path());
    assert_eq!(lacking.code, Some(78));
    assert!(
        lacking.err.contains("imap-password") && lacking.err.contains("smtp-password"),
        "{}",
        lacking.err
    );
    assert!(lacking.err.contains("2 faults"), "{}", lacking.err);
    for name in ["imap-password", "smtp-password"] {
        std::fs::write(dir.join(name), "geheim-4711").unwrap();
        std::fs::set_permissions(dir.join(name), PermissionsExt::from_mode(0o600)).unwrap();
    }
    let holds = run(&check, "", here.path());
    assert_eq!(holds.code, Some(0), "{}", holds.err);
    assert!(
        holds.out.contains("The configuration holds"),
        "{}",
        holds.out
    );
    assert!(!holds.out.contains("geheim-4711"), "secrets are masked");

    let before = std::fs::read(dir.join("secret")).unwrap();
    let again = run(&["init", "new/desk"], "", here.path());
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("is there already"), "{}", again.err);
    assert_eq!(std::fs::read(dir.join("secret")).unwrap(), before);
}

#[test]
fn a_bad_configuration_is_seventy_eight_whatever_is_asked() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["check"]).code, Some(0));
    let toml = include_str!("../demo/postdesk.toml").replace("authserv_ids", "authserv_idz");
    desk.file("postdesk.toml", toml);
    for asked in [
        &["check"][..],
        &["requests"],
        &["request", "2026-000001"],
        &["ingest", "--mailbox", "support", "-"],
        &["run"],
    ] {
        let ended = desk.run(asked);
        assert_eq!(ended.code, Some(78), "{asked:?}: {}", ended.err);
        assert!(
            ended.err.contains("authserv_idz"),
            "{asked:?}: {}",
            ended.err
        );
    }
    let here = tempfile::tempdir().unwrap();
    let none = run(&["-c", "nowhere.toml", "check"], "", here.path());
    assert_eq!(none.code, Some(78), "{}", none.err);
}

/// The folder and the Maildir of the demo's configuration need no server, and the DNS is asked where signatures are checked.
#[test]
fn a_desk_that_reaches_everything_passes_the_check() {
    let desk = Desk::new();
    let dns = PrivateDns::start();
    let demo = format!(
        "{}\n[dns]\nservers = [\"{}\"]\ntimeout_seconds = 1\n",
        include_str!("../demo/postdesk.toml"),
        dns.address
    );
    desk.file("postdesk.toml", &demo);
    let ended = desk.run(&["check", "--connect"]);
    assert_eq!(ended.code, Some(0), "{} {}", ended.out, ended.err);
    assert!(ended.out.contains("dns: answers"), "{}", ended.out);
    dns.say("_dmarc.desk.example", Said::Silence);
    let silent = desk.run(&["check", "--connect"]);
    assert_eq!(silent.code, Some(1), "{} {}", silent.out, silent.err);
    assert!(
        silent.out.contains("dns: the DNS does not answer"),
        "{}",
        silent.out
    );
    let toml = demo.replace(
        "folder = \"outbox\"",
        "host = \"127.0.0.1\"\nport = 1\ntls = \"none\"",
    );
    desk.file("postdesk.toml", toml);
    let refused = desk.run(&["check", "--connect"]);
    assert_eq!(refused.code, Some(1), "{} {}", refused.out, refused.err);
    assert!(refused.out.contains("smtp: "), "{}", refused.out);
}

#[test]
fn a_file_is_taken_once() {
    let desk = Desk::new();
    let file = desk.file("order.eml", ORDER);
    let first = ingest(&desk, &[&file]);
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert!(
        first.out.contains("1 letter read: 1 new, 0 known already"),
        "{}",
        first.out
    );
    let second = ingest(&desk, &[&file]);
    assert!(
        second.out.contains("1 letter read: 0 new, 1 known already"),
        "{}",
        second.out
    );
    assert_eq!(
        desk.json(&["requests", "--json"]).as_array().unwrap().len(),
        1
    );
}

#[test]
fn standard_input_an_archive_and_a_maildir_are_taken() {
    let desk = Desk::new();
    let piped = desk.fed(
        &["ingest", "--mailbox", "support", "--arrived", FRIDAY, "-"],
        ORDER,
    );
    assert!(
        piped.out.contains("1 letter read: 1 new"),
        "{} {}",
        piped.out,
        piped.err
    );

    let from = "From a@b Fri Aug 21 10:00:00 2026\n";
    let archive = desk.file(
        "archive.mbox",
        format!("{from}{QUESTION}\n{from}{STRANGER}\n"),
    );
    let read = ingest(&desk, &[&archive]);
    assert!(
        read.out.contains("2 letters read: 2 new"),
        "{} {}",
        read.out,
        read.err
    );

    for folder in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(desk.path("Maildir").join(folder)).unwrap();
    }
    desk.file(
        "Maildir/new/1",
        QUESTION
            .replace("question-of-the-additional", "another")
            .replace("Добрый день", "Ещё раз"),
    );
    desk.file("Maildir/cur/2:2,S", ORDER);
    desk.file("Maildir/tmp/3", STRANGER);
    let maildir = desk.path("Maildir");
    let read = ingest(&desk, &[maildir.to_str().unwrap()]);
    assert!(
        read.out.contains("2 letters read: 1 new, 1 known already"),
        "{} {}",
        read.out,
        read.err
    );

    let missing = ingest(&desk, &["no-such-file.eml"]);
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.err.contains("no-such-file.eml can't be read"),
        "{}",
        missing.err
    );
    let folder = ingest(&desk, &["customers"]);
    assert!(
        folder.err.contains("customers is no Maildir"),
        "{}",
        folder.err
    );
}

#[test]
fn the_register_is_shown_to_people_and_programs() {
    let desk = Desk::new();
    let none = desk.run(&["requests"]);
    assert_eq!(none.code, Some(1));
    assert!(
        none.err.contains("there is no database yet"),
        "{}",
        none.err
    );
    let (order, question) = (
        desk.file("order.eml", ORDER),
        desk.file("question.eml", QUESTION),
    );
    assert_eq!(ingest(&desk, &[&order, &question]).code, Some(0));

    let all = desk.json(&["requests", "--json"]);
    assert_eq!(all.as_array().unwrap().len(), 2);
    let number = all[0]["number"].as_str().unwrap().to_owned();
    let text = desk.run(&["requests"]).out;
    assert!(text.starts_with("number"), "{text}");
    assert!(
        text.contains(&number) && text.contains("Не приходит письмо с паролем"),
        "{text}"
    );
    let some = desk.json(&[
        "requests",
        "--json",
        "--status",
        "in-progress",
        "--customer",
        "raduga",
    ]);
    assert_eq!(some.as_array().unwrap().len(), 2);
    assert_eq!(
        desk.json(&["requests", "--json", "--status", "closed"]),
        serde_json::json!([])
    );
    assert_eq!(
        desk.run(&["requests", "--status", "closed"]).out,
        "No such requests\n"
    );

    let one = desk.json(&["request", &number, "--json"]);
    for key in [
        "number",
        "status",
        "kind",
        "type",
        "subject",
        "customer",
        "installation",
        "requester",
        "arrived",
        "registration_day",
        "opens",
        "due",
        "waits",
        "history",
    ] {
        assert!(one.get(key).is_some(), "{key}: {one:#}");
    }
    assert_eq!(one["arrived"], FRIDAY);
    assert_eq!(one["history"][0]["event"], "registered");
    let text = desk.run(&["request", &number]).out;
    assert!(
        text.contains(&format!("Registered as {number}, the answer is due ")),
        "{text}"
    );
    assert!(
        text.contains("letter to maria@raduga.example: registered"),
        "{text}"
    );
    assert!(!text.contains('{'), "no raw JSON: {text}");
    let unknown = desk.run(&["request", "2026-000099"]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.err.contains("there is no request 2026-000099"),
        "{}",
        unknown.err
    );
}

#[test]
fn the_demo_leaves_a_desk_to_look_at() {
    let here = tempfile::tempdir().unwrap();
    let told = run(&["demo", "--dir", "desk"], "", here.path());
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert_eq!(told.err, "", "the story is not interrupted by a log");
    for part in ["The register now:", "2026-000003", "postdesk init my-desk"] {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    let outbox = here.path().join("desk/outbox");
    assert_eq!(outbox.read_dir().unwrap().count(), 12);
    // Whatever it proposes works, word by word.
    let proposed: Vec<&str> = told
        .out
        .lines()
        .filter_map(|l| l.trim().strip_prefix("postdesk -c desk/"))
        .collect();
    assert_eq!(proposed.len(), 3, "{}", told.out);
    for line in proposed {
        let line = format!("-c desk/{line}");
        let ended = run(&line.split(' ').collect::<Vec<_>>(), "", here.path());
        assert_eq!(ended.code, Some(0), "{line}: {}", ended.err);
    }
    let again = run(&["demo", "--dir", "desk"], "", here.path());
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("not empty"), "{}", again.err);
}
