//! Two desks that answer each other, and a thousand strangers at once: both are played on the whole way in, over real databases, and both must come to rest.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "tests"
)]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use postdesk::clock::Clock;
use postdesk::config::{self, Config};
use postdesk::desk::loops::Breakers;
use postdesk::desk::people::{Customer, Directory, OrdersRequire};
use postdesk::inbound::Inbound;
use postdesk::store::letters::{Fetched, Location};
use postdesk::store::outbox::Fate;
use postdesk::store::pool::Store;
use sqlx::{AnyConnection, Connection, Row};

/// A Monday, within hours.
const START: &str = "2026-08-17T08:00:00Z";

/// A desk without a daemon around it: letters are put in, and what it sends is taken out.
struct Desk {
    folder: tempfile::TempDir,
    domain: &'static str,
    config: Arc<Config>,
    clock: Clock,
    store: Store,
    inbound: Inbound,
    letters: i64,
}

/// A letter that left a desk.
struct Sent {
    recipient: String,
    template: String,
    bytes: Vec<u8>,
}

impl Desk {
    /// A desk at this domain, with a customer whose only representative has this address.
    async fn new(domain: &'static str, representative: &str, further: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let main = format!(
            "[desk]\nname = \"Центр {domain}\"\naddress = \"support@{domain}\"\nlocale = \"ru\"\ntimezone = \"Europe/Moscow\"\n\
             secret_file = \"secret\"\n[store]\nurl = \"sqlite://desk.db\"\n[hours]\nmonday = [\"09:00-17:00\"]\n\
             [calendar]\nproduction_calendar = \"none\"\n[smtp]\nfolder = \"outbox\"\n\
             [[specialist]]\nname = \"Петрова Анна Сергеевна\"\nemail = \"petrova@{domain}\"\n{further}"
        );
        let customer = format!(
            "name = \"Заказчик\"\ndomains = [\"customer.example\"]\n[[installation]]\nid = \"one\"\nname = \"Портал\"\n\
             [[installation.representative]]\nrole = \"primary\"\nname = \"Иванова Мария Петровна\"\nemail = \"{representative}\"\n\
             phone = \"+7 900 000-00-01\"\nsince = 2026-01-01\n"
        );
        std::fs::create_dir(path("customers")).unwrap();
        std::fs::write(path("customers/customer.toml"), customer).unwrap();
        std::fs::write(path("postdesk.toml"), main).unwrap();
        let digit = domain.len() % 10;
        let secret = format!("1 {}\n", digit.to_string().repeat(64));
        std::fs::write(path("secret"), secret).unwrap();
        std::fs::set_permissions(path("secret"), std::fs::Permissions::from_mode(0o600)).unwrap();
        let start: DateTime<Utc> = START.parse().unwrap();
        let loaded = config::load::load(&path("postdesk.toml"), [], start);
        let config = Arc::new(loaded.unwrap_or_else(|f| panic!("{f}")).config);
        let store = Store::open(&config.store_url).await.unwrap();
        let clock = Clock::manual(start);
        Self {
            folder,
            domain,
            inbound: Inbound::new(store.clone(), clock.clone(), Arc::default()),
            config,
            clock,
            store,
            letters: 0,
        }
    }

    fn mailbox(domain: &str, strangers: &str) -> String {
        format!(
            "[[mailbox]]\nname = \"support\"\nmaildir = \"inbox\"\nstrangers = \"{strangers}\"\nauthserv_ids = [\"mx.{domain}\"]\n"
        )
    }

    fn breakers(&mut self, breakers: Breakers) {
        let mut config = (*self.config).clone();
        config.desk.breakers = breakers;
        self.config = Arc::new(config);
    }

    /// Letters arrive at this moment, each authenticated by the desk's own server; what the desk sends to people outside.
    async fn receive(&mut self, letters: &[Vec<u8>], at: DateTime<Utc>) -> Vec<Sent> {
        let fetched: Vec<Fetched> = letters
            .iter()
            .map(|letter| {
                self.letters += 1;
                let from = postdesk::mail::parse::read(letter, postdesk::mail::parse::Caps::DEFAULT)
                    .from;
                let from = from.address().expect("a sender").domain().to_owned();
                let domain = self.domain;
                let mut raw = format!(
                    "Authentication-Results: mx.{domain};\r\n dmarc=pass header.from={from}\r\nReceived: from x by mx.{domain}; x\r\n"
                )
                .into_bytes();
                raw.extend_from_slice(letter);
                Fetched {
                    location: Location {
                        uidvalidity: 1,
                        uid: self.letters,
                    },
                    arrived: at,
                    raw,
                    oversize: None,
                }
            })
            .collect();
        self.clock.set(at);
        self.store
            .keep("support", &fetched, None, at)
            .await
            .unwrap();
        while self.inbound.step(&self.config).await.unwrap().decided > 0 {}
        let due = self.store.settle_and_claim(&[], 5_000, at).await.unwrap();
        let mut sent = Vec::new();
        let mut settled = Vec::new();
        for letter in due {
            sent.push(Sent {
                recipient: letter.recipient,
                template: self.store.template_of(letter.id).await.unwrap(),
                bytes: letter.bytes,
            });
            settled.push((letter.id, Fate::Sent("250 ok".into())));
        }
        self.store.settle_and_claim(&settled, 0, at).await.unwrap();
        sent
    }

    async fn database(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}", self.folder.path().join("desk.db").display());
        AnyConnection::connect(&url).await.unwrap()
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let row = sqlx::query(sql).fetch_one(&mut self.database().await).await;
        row.unwrap().try_get(0).unwrap()
    }
}

/// What happens to letters between two desks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    /// They arrive as they were sent.
    Whole,
    /// All that ties a letter to another is lost: each looks like a new one.
    Loose,
    /// They arrive whole, and at both ends somebody goes on asking for information, so that each reply is told of.
    Asking,
}

fn letter(from: &str, to: &str, id: u32, text: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: Question {id}\r\nMessage-ID: <{id}@somewhere.example>\r\n\
         Date: Mon, 17 Aug 2026 11:00:00 +0300\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
    .into_bytes()
}

/// Without the fields that tie it to other letters, under a subject that says nothing.
fn loosened(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut kept = String::from("Subject: Ticket update\r\n");
    let mut dropped = false;
    for line in head.split("\r\n") {
        if !line.starts_with([' ', '\t']) {
            let name = line.split(':').next().unwrap().to_lowercase();
            dropped = ["subject", "in-reply-to", "references"].contains(&name.as_str());
        }
        if !dropped {
            kept.push_str(line);
            kept.push_str("\r\n");
        }
    }
    format!("{kept}\r\n{body}").into_bytes()
}

const A: &str = "support@one.example";
const B: &str = "support@second.example";

/// How many letters two desks send each other, each the other's representative, after somebody wrote to the second in the first one's name; at
/// most `most` are waited for.
async fn exchange(breakers: Breakers, wire: Wire, limits: &str, most: usize) -> usize {
    let mailbox = |domain| format!("{}{limits}", Desk::mailbox(domain, "refuse"));
    let mut one = Desk::new("one.example", B, &mailbox("one.example")).await;
    let mut second = Desk::new("second.example", A, &mailbox("second.example")).await;
    one.breakers(breakers);
    second.breakers(breakers);
    let mut at: DateTime<Utc> = START.parse().unwrap();
    let first = letter(A, B, 1, "Подскажите, пожалуйста, как войти?");
    let mut travelling = vec![loosened(&first)];
    let mut to_second = true;
    let mut sent = 0;
    while !travelling.is_empty() && sent < most {
        at += TimeDelta::seconds(20);
        let (desk, other) = if to_second {
            (&mut second, A)
        } else {
            (&mut one, B)
        };
        let answers = desk.receive(&travelling, at).await;
        if wire == Wire::Asking {
            sqlx::query("UPDATE requests SET status = 'awaiting-information'")
                .execute(&mut desk.database().await)
                .await
                .unwrap();
        }
        travelling = answers
            .into_iter()
            .filter(|letter| letter.recipient == other)
            .map(|letter| match wire {
                Wire::Whole | Wire::Asking => letter.bytes,
                Wire::Loose => loosened(&letter.bytes),
            })
            .collect();
        sent += travelling.len();
        to_second = !to_second;
    }
    sent
}

/// Budgets of one, so that the two breakers that count to a budget are seen at work within three letters.
const TIGHT: &str =
    "[limits]\nletters_per_hour = 1\nrequest_letters_per_hour = 1\nsame_text_per_hour = 1\n";

#[tokio::test(flavor = "multi_thread")]
async fn e56_without_breakers_two_desks_would_go_on() {
    for wire in [Wire::Loose, Wire::Asking] {
        assert_eq!(exchange(Breakers::NONE, wire, "", 12).await, 12, "{wire:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn e56_s40_s41_each_breaker_alone_stops_two_desks_within_three_letters() {
    let none = Breakers::NONE;
    let marks = Breakers {
        marks: true,
        ..none
    };
    let own = Breakers { own: true, ..none };
    let per_address = Breakers {
        per_address: true,
        ..none
    };
    let per_request = Breakers {
        per_request: true,
        ..none
    };
    let same_text = Breakers {
        same_text: true,
        ..none
    };
    for (breaker, wire) in [
        (marks, Wire::Loose),
        (marks, Wire::Asking),
        (own, Wire::Loose),
        (own, Wire::Asking),
        (per_address, Wire::Loose),
        (per_address, Wire::Asking),
        // Where each letter begins a request of its own, only the other four can tell.
        (per_request, Wire::Asking),
        // Where each letter says something else, only the other four can tell.
        (same_text, Wire::Loose),
    ] {
        let sent = exchange(breaker, wire, TIGHT, 12).await;
        assert!((1..=3).contains(&sent), "{breaker:?}, {wire:?}: {sent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn e56_no_breaker_is_needed_by_the_other_four() {
    let all = Breakers::ALL;
    for breakers in [
        all,
        Breakers {
            marks: false,
            ..all
        },
        Breakers { own: false, ..all },
        Breakers {
            per_address: false,
            ..all
        },
        Breakers {
            per_request: false,
            ..all
        },
        Breakers {
            same_text: false,
            ..all
        },
    ] {
        for wire in [Wire::Whole, Wire::Loose, Wire::Asking] {
            let sent = exchange(breakers, wire, "", 12).await;
            assert!((1..=3).contains(&sent), "{breakers:?}, {wire:?}: {sent}");
        }
    }
}

/// A peer that marks nothing and ties nothing to anything, against the limits as they are shipped.
#[tokio::test(flavor = "multi_thread")]
async fn e56_a_machine_without_any_mark_is_answered_ten_times_and_no_more() {
    let mut desk = Desk::new("one.example", B, &Desk::mailbox("one.example", "refuse")).await;
    let mut at: DateTime<Utc> = START.parse().unwrap();
    let mut answered = 0;
    let mut alarms = 0;
    for n in 1..=40 {
        at += TimeDelta::seconds(20);
        let text = format!("Your message was received as ticket {n} on {at}. Thank you!");
        let sent = desk.receive(&[letter(B, A, n, &text)], at).await;
        answered += sent.iter().filter(|l| l.recipient == B).count();
        alarms += sent
            .iter()
            .filter(|l| l.template == "specialist-alert")
            .count();
    }
    assert_eq!((answered, alarms), (10, 1));
    let said = letter(B, A, 99, "A person at last: how do I log in?");
    let sent = desk.receive(&[said], at).await;
    assert_eq!(sent.iter().filter(|l| l.recipient == B).count(), 1);
}

/// The word that an order needs is asked for past the limit of requests, and not for ever.
#[tokio::test(flavor = "multi_thread")]
async fn e56_a_machine_that_orders_is_not_asked_for_its_word_for_ever() {
    let mailbox = Desk::mailbox("one.example", "refuse");
    let limits = "[limits]\nletters_per_hour = 5\nrequests_per_hour = 2\n";
    let mut desk = Desk::new("one.example", B, &format!("{mailbox}{limits}")).await;
    let customers = desk.config.desk.directory.customers().to_vec();
    let mut config = (*desk.config).clone();
    let changed = customers.into_iter().map(|customer| Customer {
        orders_require: OrdersRequire::Confirmation,
        ..customer
    });
    let own = [config.desk.address.clone()];
    config.desk.directory = Directory::new(
        changed.collect(),
        vec![],
        vec![],
        vec![],
        vec![],
        &own,
        false,
    );
    desk.config = Arc::new(config);
    let mut at: DateTime<Utc> = START.parse().unwrap();
    let mut asked = 0;
    for n in 1..=20 {
        at += TimeDelta::seconds(20);
        let order = letter(B, A, n, &format!("Создайте {}", "а".repeat(n as usize)));
        let order = String::from_utf8(order).unwrap();
        let order = order.replace("Subject: Question", "Subject: Order: question");
        let sent = desk.receive(&[order.into_bytes()], at).await;
        asked += sent.iter().filter(|l| l.template == "challenge").count();
    }
    assert_eq!(asked, 5);
}

/// `TRUST` 5 rule 5: more than 20 tokens an hour from one domain that are none of ours raise one alarm; each of those letters is taken as it is.
#[tokio::test(flavor = "multi_thread")]
async fn d43_whoever_guesses_tokens_raises_one_alarm() {
    let mailbox = Desk::mailbox("one.example", "ignore");
    let mut desk = Desk::new("one.example", B, &mailbox).await;
    let mut at: DateTime<Utc> = START.parse().unwrap();
    let mut alarms = Vec::new();
    for n in 1..=60_u32 {
        at += TimeDelta::seconds(20);
        let from = format!("guest{n}@guess.example");
        let to = format!("support+r1{n:04}.{n:026}@one.example");
        let sent = desk.receive(&[letter(&from, &to, n, "Угадал?")], at).await;
        alarms.extend(sent.iter().map(|l| (n, l.template.clone())));
    }
    assert_eq!(alarms, [(21, "specialist-alert".to_owned())]);
    assert_eq!(
        desk.count("SELECT COUNT(*) FROM letters WHERE verdict = 'ignored'")
            .await,
        60
    );
}

/// What a flood of 1,000 different strangers within ten minutes causes at a desk that treats strangers so.
async fn flood(strangers: &str) -> (Desk, Vec<Sent>, Vec<Sent>) {
    let maria = "maria@customer.example";
    let mut desk = Desk::new(
        "one.example",
        maria,
        &Desk::mailbox("one.example", strangers),
    )
    .await;
    let start: DateTime<Utc> = START.parse().unwrap();
    let (mut to_strangers, mut to_maria) = (Vec::new(), Vec::new());
    for minute in 0..10_u32 {
        let at = start + TimeDelta::minutes(i64::from(minute));
        let letters: Vec<Vec<u8>> = (0..100)
            .map(|n| {
                let id = minute * 100 + n;
                let from = format!("guest{id}@host{id}.example");
                letter(&from, A, id, &format!("Знаете ли вы номер {id}?"))
            })
            .collect();
        to_strangers.extend(desk.receive(&letters, at).await);
        let text = format!(
            "Мария спрашивает раз {}",
            ["о", "а"].repeat(2 + minute as usize).concat()
        );
        let asked = [letter(maria, A, 5_000 + minute, &text)];
        to_maria.extend(desk.receive(&asked, at).await);
    }
    (desk, to_strangers, to_maria)
}

#[tokio::test(flavor = "multi_thread")]
async fn e59_a_flood_of_strangers_is_kept_and_answered_up_to_a_budget() {
    for (strangers, kept) in [("refuse", "refused"), ("accept-questions", "held")] {
        let (desk, to_strangers, to_maria) = flood(strangers).await;
        let outside = |l: &&Sent| !l.recipient.ends_with("@one.example");
        let answered = to_strangers.iter().filter(outside).count();
        assert_eq!(answered, 100, "{strangers}");
        let alarms = to_strangers
            .iter()
            .filter(|l| l.template == "specialist-alert");
        assert_eq!(alarms.count(), 1, "{strangers}");
        let further = to_strangers
            .iter()
            .filter(|l| l.template == "for-specialist")
            .count();
        assert!(further <= 100, "{strangers}: {further}");
        let decided = "SELECT COUNT(*) FROM letters WHERE decided_us IS NOT NULL";
        assert_eq!(desk.count(decided).await, 1_010, "{strangers}");
        let kept_all = match kept {
            "held" => desk.count("SELECT COUNT(*) FROM letters WHERE verdict = 'held'"),
            _ => desk.count("SELECT COUNT(*) - 100 FROM letters WHERE verdict = 'refused'"),
        };
        assert_eq!(kept_all.await, 900, "{strangers}");
        // The primary is served as always.
        let acknowledged = to_maria
            .iter()
            .filter(|l| l.template == "registered" && l.recipient == "maria@customer.example");
        assert_eq!(acknowledged.count(), 10, "{strangers}");
    }
}
