//! Three hundred letters that waited before the desk opened: each is one request or belongs to its thread's, whatever befalls the daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::desk::{Desk, dovecot, mailbox, smtp};
use super::post::{DESK, field, number, until};
use super::support::dovecot::Dovecot;
use super::support::mailgen::{Generated, Generator, domain, sender};
use super::support::postfix::Postfix;

const LETTERS: usize = 300;
const SENDERS: usize = 20;
/// As the configuration's default.
const CONNECTIONS: usize = 2;
const LONG: Duration = Duration::from_secs(150);

/// A customer with one primary for each sender.
pub fn customers(desk: &Desk, senders: usize) {
    for number in 0..senders {
        let text = format!(
            "name = \"Организация {number}\"\ndomains = [\"{}\"]\n[[installation]]\nid = \"i{number}\"\nname = \"Портал {number}\"\n\
             [[installation.representative]]\nrole = \"primary\"\nname = \"Представитель\"\nemail = \"{}\"\nphone = \"+7 900 000-00-01\"\nsince = 2026-01-01\n",
            domain(number),
            sender(number)
        );
        desk.customer(&format!("org{number}"), &text);
    }
}

/// No sender is past a limit.
pub const LIMITS: &str = "[limits]\nletters_per_hour = 100000\nrequests_per_hour = 100000\n";

fn preloaded() -> (Dovecot, Postfix, Vec<Generated>) {
    let dovecot = dovecot();
    let postfix = Postfix::start(&dovecot);
    let letters: Vec<Generated> = Generator::new(2026, LETTERS, SENDERS, DESK).collect();
    let mut client = dovecot.client(DESK);
    for letter in &letters {
        client.append("INBOX", &letter.raw, None);
    }
    (dovecot, postfix, letters)
}

fn sections(dovecot: &Dovecot, postfix: &Postfix) -> String {
    let mailbox = mailbox("support", dovecot, DESK, "start = \"beginning\"");
    format!("{LIMITS}{mailbox}{}", smtp(postfix.smtp))
}

/// The letters that arrived in the senders' mailboxes once all that the desk sent has arrived.
fn delivered(desk: &Desk, dovecot: &Dovecot) -> Vec<Vec<u8>> {
    let sent = desk.rows("SELECT message_id FROM outbox WHERE recipient LIKE '%.example'");
    let sent: BTreeSet<String> = sent.into_iter().map(|r| format!("<{}>", r[0])).collect();
    until("every letter of the desk has arrived", LONG, || {
        let boxes = (0..SENDERS).map(|n| dovecot.letters(&sender(n), "INBOX"));
        let letters: Vec<Vec<u8>> = boxes.flatten().map(|l| l.raw).collect();
        let ids: BTreeSet<String> = letters.iter().map(|l| field(l, "Message-ID")).collect();
        (ids == sent).then_some(letters)
    })
}

/// Every letter is one request or in its thread's, every request has one acknowledgement; returns how many letters arrived twice.
fn judge(desk: &Desk, dovecot: &Dovecot, letters: &[Generated]) -> usize {
    let roots: Vec<&Generated> = letters.iter().filter(|l| l.parent.is_none()).collect();
    assert_eq!(desk.gapless(), roots.len());
    let requests = desk.requests();
    let mut numbers = BTreeMap::new();
    for root in &roots {
        let of_token: Vec<_> = requests
            .iter()
            .filter(|r| {
                r["subject"]
                    .as_str()
                    .is_some_and(|s| s.contains(&root.token))
            })
            .collect();
        assert_eq!(of_token.len(), 1, "{}", root.token);
        let about = of_token[0];
        assert_eq!(about["requester"]["address"], sender(root.sender));
        numbers.insert(root.index, about["number"].as_str().unwrap().to_owned());
    }
    entered(desk, letters, &numbers);
    let arrived = delivered(desk, dovecot);
    let mut once = BTreeMap::new();
    for letter in &arrived {
        once.insert(field(letter, "Message-ID"), letter);
    }
    for root in &roots {
        let acknowledgements: Vec<_> = once
            .values()
            .filter(|l| field(l, "In-Reply-To") == root.message_id)
            .collect();
        assert_eq!(acknowledgements.len(), 1, "{}", root.message_id);
        assert_eq!(number(acknowledgements[0]), numbers[&root.index]);
    }
    assert_eq!(
        once.len(),
        roots.len(),
        "Letters besides the acknowledgements"
    );
    arrived.len() - once.len()
}

/// Each letter was kept once and stands in the request of the letter that began its thread.
fn entered(desk: &Desk, letters: &[Generated], numbers: &BTreeMap<usize, String>) {
    let rows = desk.rows(
        "SELECT '<' || l.message_id || '>', CAST(r.number_count AS TEXT), l.verdict FROM letters l JOIN requests r ON r.id = l.request_id",
    );
    assert_eq!(rows.len(), letters.len());
    let kept: BTreeMap<&str, &Vec<String>> = rows.iter().map(|r| (r[0].as_str(), r)).collect();
    for letter in letters {
        let row = kept[letter.message_id.as_str()];
        let count: u64 = row[1].parse().unwrap();
        assert!(
            numbers[&letter.root].ends_with(&format!("-{count:06}")),
            "{row:?} is not of {}",
            numbers[&letter.root]
        );
        let verdict = if letter.parent.is_none() {
            "registered"
        } else {
            "attached"
        };
        assert_eq!(row[2], verdict, "{}", letter.message_id);
    }
}

/// Issue 2: 300 preloaded letters; A7, A8, R17, R45.
#[test]
fn three_hundred_letters_are_registered_once() {
    let (dovecot, postfix, letters) = preloaded();
    let desk = Desk::new(&sections(&dovecot, &postfix));
    customers(&desk, SENDERS);
    let daemon = desk.start();
    desk.settled(LETTERS as i64, &daemon, LONG);
    assert_eq!(judge(&desk, &dovecot, &letters), 0);
    daemon.stop();
}

/// The same while the daemon is killed five times on the way.
fn five_deaths(desk: impl Fn(&str) -> Desk) {
    let (dovecot, postfix, letters) = preloaded();
    let desk = desk(&sections(&dovecot, &postfix));
    customers(&desk, SENDERS);
    // Each death at another stop: letters kept, letters decided on, letters sent.
    let deaths = [
        ("SELECT COUNT(*) FROM letters", 1),
        (
            "SELECT COUNT(*) FROM letters WHERE decided_us IS NOT NULL",
            1,
        ),
        ("SELECT COUNT(*) FROM outbox WHERE state = 'sent'", 60),
        ("SELECT COUNT(*) FROM outbox WHERE state = 'sent'", 150),
        ("SELECT COUNT(*) FROM outbox WHERE state = 'sent'", 260),
    ];
    for (what, count) in deaths {
        let daemon = desk.start();
        until(&format!("{what} reaches {count}"), LONG, || {
            daemon.alive();
            (daemon.log().contains("Mailbox connected") && desk.ask(what) >= count).then_some(())
        });
        daemon.kill();
    }
    let daemon = desk.start();
    desk.settled(LETTERS as i64, &daemon, LONG);
    let doubled = judge(&desk, &dovecot, &letters);
    assert!(
        doubled <= deaths.len() * CONNECTIONS,
        "{doubled} letters arrived twice"
    );
    daemon.stop();
}

/// Issue 2: 300 preloaded letters and five times `kill -9`; A3, P1, P2.
#[test]
fn three_hundred_letters_survive_five_deaths() {
    five_deaths(Desk::new);
}

/// Issue 2: the same on PostgreSQL, where the lock of a dead daemon has to go with its connection.
#[test]
fn three_hundred_letters_survive_five_deaths_on_postgres() {
    five_deaths(Desk::on_postgres);
}
