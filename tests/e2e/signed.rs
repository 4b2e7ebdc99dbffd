//! Letters that the sender's domain signed: the daemon asks a DNS of the test's own for the key, and nothing for anybody it does not know.

use super::desk::{Desk, dovecot, smtp};
use super::post::{DESK, MARIA, OLEG, SOON, STRANGER, letter, until};
use super::support::dovecot::Dovecot;
use super::support::private_dns::{PrivateDns, Said};
use super::support::signer::Signer;
use super::support::sink::Sink;

/// A desk that trusts nobody's Authentication-Results and asks the private DNS.
fn desk(dovecot: &Dovecot, dns: &PrivateDns, sink: &Sink) -> Desk {
    let mailbox = format!(
        "[[mailbox]]\nname = \"support\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nusername = \"{DESK}\"\npassword_file = \"password\"\n\
         start = \"beginning\"\n[dns]\nservers = [\"{}\"]\ntimeout_seconds = 1\n",
        dovecot.imap, dns.address
    );
    Desk::new(&format!("{mailbox}{}", smtp(sink.port)))
}

/// An order, signed by its sender's domain; the server's word in it is nobody's here.
fn signed(signer: &Signer, from: &str, id: &str) -> Vec<u8> {
    let raw = letter(from, "Поручение: исправить", id, "Исправьте журнал.", &[]);
    let raw = String::from_utf8(raw).unwrap();
    let tags = "c=relaxed/relaxed; ";
    signer
        .sign(&raw, tags, "from:to:subject:date:message-id")
        .into_bytes()
}

/// R13, C35: an order that its domain signed is an order, with nobody's Authentication-Results; a stranger's signature is not even looked up.
#[test]
fn a_signed_order_is_taken() {
    let (dovecot, dns, sink) = (dovecot(), PrivateDns::start(), Sink::start(false));
    let rsa = Signer::rsa("raduga.example", "s1");
    let ed = Signer::ed25519("raduga.example", "s2");
    dns.say(&rsa.name(), Said::OverTcp(vec![rsa.record()]));
    dns.say(&ed.name(), Said::Texts(vec![ed.record()]));
    let stranger = Signer::ed25519("elsewhere.example", "s3");
    let desk = desk(&dovecot, &dns, &sink);
    dovecot.deliver(
        STRANGER,
        DESK,
        &signed(&stranger, STRANGER, "m0@elsewhere.example"),
    );
    dovecot.deliver(MARIA, DESK, &signed(&rsa, MARIA, "m1@raduga.example"));
    dovecot.deliver(MARIA, DESK, &signed(&ed, MARIA, "m2@raduga.example"));
    let revoked = Signer::ed25519("raduga.example", "gone");
    dovecot.deliver(MARIA, DESK, &signed(&revoked, MARIA, "m3@raduga.example"));
    let daemon = desk.start();
    desk.settled(4, &daemon, SOON);
    let kinds = desk.requests();
    let kinds: Vec<&str> = kinds.iter().filter_map(|r| r["kind"].as_str()).collect();
    assert_eq!(kinds, ["order", "order", "question"]);
    let told = desk.json(&["explain", "m1@raduga.example", "--json"]);
    assert_eq!(told["assurance"]["level"], "domain");
    let evidence = told["assurance"]["evidence"].to_string();
    for word in [
        "raduga.example (selector s1)",
        "rsa-sha256 of 2048 bits",
        "signed: date from",
    ] {
        assert!(evidence.contains(word), "{evidence}");
    }
    let told = desk.json(&["explain", "m3@raduga.example", "--json"]);
    assert!(
        told["assurance"]["evidence"]
            .to_string()
            .contains("there is no key")
    );
    let asked = dns.asked();
    assert!(
        asked.iter().all(|name| name.ends_with("raduga.example")),
        "{asked:?}"
    );
    daemon.stop();
}

/// C35, P10: while the DNS is silent the signed letter waits and nothing else does, also across a restart; then it is what it was from the start.
#[test]
fn a_silent_dns_holds_up_one_letter_only() {
    let (dovecot, dns, sink) = (dovecot(), PrivateDns::start(), Sink::start(false));
    let signer = Signer::ed25519("raduga.example", "s1");
    dns.say(&signer.name(), Said::Silence);
    let desk = desk(&dovecot, &dns, &sink);
    dovecot.deliver(MARIA, DESK, &signed(&signer, MARIA, "m1@raduga.example"));
    let raw = letter(OLEG, "Вопрос", "m2@raduga.example", "Как войти?", &[]);
    dovecot.deliver(OLEG, DESK, &raw);
    let daemon = desk.start();
    until("the other letter is decided on", SOON, || {
        daemon.alive();
        (desk.ask("SELECT COUNT(*) FROM letters WHERE decided_us IS NOT NULL") == 1).then_some(())
    });
    daemon.says("its decision waits");
    daemon.stop();
    let waits = "SELECT COUNT(*) FROM letters WHERE decided_us IS NULL AND postponed = 1 AND attempts = 0 AND not_before_us IS NOT NULL";
    assert_eq!(desk.ask(waits), 1);
    dns.say(&signer.name(), Said::Texts(vec![signer.record()]));
    desk.change("UPDATE letters SET not_before_us = 1 WHERE not_before_us IS NOT NULL");
    let daemon = desk.start();
    desk.settled(2, &daemon, SOON);
    let requests = desk.requests();
    assert_eq!(requests[1]["kind"], "order", "{requests:?}");
    daemon.stop();
}
