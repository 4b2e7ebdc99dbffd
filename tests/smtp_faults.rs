//! Every fault of an SMTP server that the fault table names (C1–C14), against a server that does what it is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "support/smtpfake.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared by several tests")]
mod smtpfake;

use std::path::PathBuf;
use std::time::Duration;

use postdesk::config::{CourierConfig, Endpoint, Login, Secret, Tls};
use postdesk::courier::Courier;
use postdesk::parcel::{Outcome, Parcel};
use postdesk::smtp::patience::Patience;
use smtpfake::{Act, Ca, Fake, Mode, Plan};

const LETTER: &[u8] = b"From: support@desk.example\r\nSubject: 1\r\n\r\nHello\r\n";

fn quick() -> Patience {
    let tenths = |n: u64| Duration::from_millis(100 * n);
    Patience {
        connect: tenths(5),
        tls: tenths(5),
        opening: tenths(3),
        envelope: tenths(3),
        data: tenths(3),
        body: tenths(3),
        dot: tenths(3),
        courtesy: tenths(3),
        ..Patience::default()
    }
}

fn config(port: u16, host: &str, tls: Tls, ca: Option<PathBuf>, login: bool) -> CourierConfig {
    CourierConfig::Smtp {
        endpoint: Endpoint {
            host: host.to_owned(),
            port,
            tls,
            ca_file: ca,
        },
        login: login.then(|| Login {
            username: "support".to_owned(),
            password: Secret::new("hunter2".to_owned()),
        }),
        connections: 1,
    }
}

fn to(fake: &Fake) -> Courier {
    patient(fake, quick())
}

fn patient(fake: &Fake, patience: Patience) -> Courier {
    let config = config(fake.port, "127.0.0.1", Tls::None, None, false);
    Courier::with_patience(&config, patience).unwrap()
}

fn with_login(fake: &Fake) -> Courier {
    let config = config(fake.port, "127.0.0.1", Tls::None, None, true);
    Courier::with_patience(&config, quick()).unwrap()
}

fn letter(bytes: &[u8]) -> Parcel {
    Parcel {
        from: "support@desk.example".to_owned(),
        to: "maria@raduga.example".to_owned(),
        bytes: bytes.to_owned(),
        message_id: "1@desk.example".to_owned(),
    }
}

/// One letter against one plan: `sent`, `never`, `later`, `unknown` or `account`, and the reason.
async fn fate(plan: Plan) -> (&'static str, String) {
    let fake = Fake::clear(vec![plan]).await;
    told(to(&fake).deliver(&letter(LETTER)).await)
}

fn told(outcome: Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Sent(answer) => ("sent", answer),
        Outcome::Never(why) => ("never", why),
        Outcome::Later {
            why, unknown: true, ..
        } => ("unknown", why),
        Outcome::Later {
            why, account: true, ..
        } => ("account", why),
        Outcome::Later { why, .. } => ("later", why),
    }
}

/// Plans with and without pipelining.
fn both(plan: &Plan) -> [Plan; 2] {
    [plan.clone(), plan.clone().offering("PIPELINING")]
}

#[tokio::test]
async fn a_letter_goes_out_and_the_answer_comes_back() {
    for plan in both(&Plan::well().offering("SIZE 1000")) {
        let fake = Fake::clear(vec![plan]).await;
        let mut courier = to(&fake);
        let outcome = courier.deliver(&letter(LETTER)).await;
        assert_eq!(outcome, Outcome::Sent("2.0.0 Ok: queued as 4F1".to_owned()));
        courier.close().await;
        let seen = fake.seen();
        assert_eq!(seen.letters.len(), 1);
        assert_eq!(seen.letters[0].bytes, LETTER);
        assert_eq!(
            seen.letters[0].mail,
            format!("FROM:<support@desk.example> SIZE={}", LETTER.len())
        );
        assert_eq!(seen.letters[0].rcpt, "TO:<maria@raduga.example>");
        assert_eq!(fake.verbs(1), ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]);
    }
}

#[tokio::test]
async fn c1_a_4xx_at_any_stage_is_later() {
    let text = "451 4.3.0 try again\r\n";
    for (stage, expected) in [
        ("connect", "account"),
        ("ehlo", "account"),
        ("mail", "later"),
        ("rcpt", "later"),
        ("data", "later"),
        ("dot", "later"),
    ] {
        for plan in both(&Plan::well().at(stage, Act::Say(text))) {
            let (fate, why) = fate(plan).await;
            assert_eq!(fate, expected, "{stage}: {why}");
            assert!(why.ends_with(": 451 4.3.0 try again"), "{stage}: {why}");
        }
    }
}

#[tokio::test]
async fn c2_a_5xx_is_final_for_the_letter_but_not_for_the_account() {
    let text = "554 5.7.1 no\r\n";
    for (stage, expected) in [
        ("connect", "account"),
        ("ehlo", "account"),
        ("mail", "never"),
        ("rcpt", "never"),
        ("data", "never"),
        ("dot", "never"),
    ] {
        for plan in both(&Plan::well().at(stage, Act::Say(text))) {
            let (fate, why) = fate(plan).await;
            assert_eq!(fate, expected, "{stage}: {why}");
            assert!(why.ends_with(": 554 5.7.1 no"), "{stage}: {why}");
        }
    }
    let (fate, why) = fate(Plan::well().at("mail", Act::Say("530 5.7.0 log in\r\n"))).await;
    assert_eq!(fate, "account", "{why}");
}

#[tokio::test]
async fn c2_after_a_refusal_the_next_letter_goes_over_the_same_connection() {
    for stage in ["mail", "rcpt", "data", "dot"] {
        let refusal = Act::Say("550 5.1.1 no\r\n");
        for plan in both(&Plan::well().at_nth(stage, 1, refusal.clone())) {
            // A server that refused RCPT refuses DATA too, as Postfix does.
            let pipelined = plan.offers.contains(&"PIPELINING");
            let plan = if pipelined && matches!(stage, "mail" | "rcpt") {
                plan.at_nth("data", 1, Act::Say("554 5.5.1 no valid recipients\r\n"))
            } else {
                plan
            };
            let fake = Fake::clear(vec![plan]).await;
            let mut courier = to(&fake);
            let (first, why) = told(courier.deliver(&letter(LETTER)).await);
            assert_eq!(first, "never", "{why}");
            let (second, why) = told(courier.deliver(&letter(LETTER)).await);
            assert_eq!(second, "sent", "{stage} {pipelined}: {why}");
            assert_eq!(fake.seen().connections, 1, "{stage} {pipelined}");
            assert!(fake.verbs(1).contains(&"RSET".to_owned()));
        }
    }
}

#[tokio::test]
async fn c2_data_let_in_after_a_refused_recipient_ends_the_connection_not_the_letter() {
    let plan = Plan::well()
        .offering("PIPELINING")
        .at_nth("rcpt", 1, Act::Say("550 5.1.1 no\r\n"));
    let fake = Fake::clear(vec![plan, Plan::well()]).await;
    let mut courier = to(&fake);
    assert_eq!(told(courier.deliver(&letter(LETTER)).await).0, "never");
    assert_eq!(told(courier.deliver(&letter(LETTER)).await).0, "sent");
    let seen = fake.seen();
    assert_eq!((seen.letters.len(), seen.connections), (1, 2));
}

#[tokio::test]
async fn c3_a_421_is_later_and_the_connection_is_given_up() {
    for (stage, expected) in [
        ("connect", "account"),
        ("ehlo", "account"),
        ("mail", "account"),
        ("rcpt", "later"),
        ("data", "later"),
        ("dot", "later"),
    ] {
        for plan in both(&Plan::well().at(stage, Act::SayAndClose("421 4.3.2 going down\r\n"))) {
            let fake = Fake::clear(vec![plan, Plan::well()]).await;
            let mut courier = to(&fake);
            let (fate, why) = told(courier.deliver(&letter(LETTER)).await);
            assert_eq!(fate, expected, "{stage}: {why}");
            assert!(why.contains("421 4.3.2"), "{stage}: {why}");
            assert_eq!(told(courier.deliver(&letter(LETTER)).await).0, "sent");
            assert_eq!(fake.seen().connections, 2, "{stage}");
        }
    }
}

#[tokio::test]
async fn c4_lost_before_the_dot_is_not_unknown() {
    for (stage, expected) in [
        ("connect", "account"),
        ("ehlo", "account"),
        ("mail", "account"),
        ("rcpt", "later"),
        ("data", "later"),
        ("body", "later"),
    ] {
        // Long enough that the body is still being sent when the server goes.
        let long = b"0123456789\r\n".repeat(1_000_000);
        for plan in both(&Plan::well().at(stage, Act::Close)) {
            let fake = Fake::clear(vec![plan]).await;
            let outcome = to(&fake).deliver(&letter(&long)).await;
            let (fate, why) = told(outcome);
            assert_eq!(fate, expected, "{stage}: {why}");
        }
    }
}

#[tokio::test]
async fn c4_a_server_that_refuses_in_the_middle_of_a_letter_is_heard() {
    let long = b"0123456789\r\n".repeat(1_000_000);
    let plan = Plan::well().at("body", Act::SayAndClose("552 5.3.4 too big\r\n"));
    let fake = Fake::clear(vec![plan]).await;
    let (fate, why) = told(to(&fake).deliver(&letter(&long)).await);
    // The system may have thrown the words away with the connection; then it is a loss before the dot.
    assert!(matches!(fate, "never" | "later"), "{fate}: {why}");
}

#[tokio::test]
async fn c5_lost_or_silent_after_the_dot_is_unknown() {
    for act in [
        Act::Close,
        Act::Hang,
        Act::Say("251 hm\r\n"),
        Act::Say("?\r\n"),
    ] {
        for plan in both(&Plan::well().at("dot", act.clone())) {
            let fake = Fake::clear(vec![plan, Plan::well()]).await;
            let mut courier = to(&fake);
            let (fate, why) = told(courier.deliver(&letter(LETTER)).await);
            assert_eq!(fate, "unknown", "{act:?}: {why}");
            assert!(why.starts_with("DOT: "), "{why}");
            // The next attempt has the same bytes and a new connection.
            assert_eq!(told(courier.deliver(&letter(LETTER)).await).0, "sent");
            let seen = fake.seen();
            assert_eq!(seen.letters[0].bytes, seen.letters[1].bytes);
            assert_eq!(seen.connections, 2);
        }
    }
}

#[tokio::test]
async fn c5_every_silence_is_bounded() {
    for (stage, expected) in [
        ("connect", "account"),
        ("ehlo", "account"),
        ("mail", "account"),
        ("rcpt", "later"),
        ("data", "later"),
    ] {
        let (fate, why) = fate(Plan::well().at(stage, Act::Hang)).await;
        assert_eq!(fate, expected, "{stage}: {why}");
        assert!(why.contains("no answer in"), "{stage}: {why}");
    }
}

#[tokio::test]
async fn c5_a_late_answer_is_waited_for() {
    for stage in ["connect", "ehlo", "mail", "rcpt", "data", "dot"] {
        let plan = Plan::well().at(stage, Act::Delay(Duration::from_millis(100)));
        assert_eq!(fate(plan).await.0, "sent", "{stage}");
    }
}

#[tokio::test]
async fn c6_an_attempt_that_is_dropped_takes_its_connection_with_it() {
    let late = Plan::well().at("dot", Act::Delay(Duration::from_millis(200)));
    let fake = Fake::clear(vec![late, Plan::well()]).await;
    let mut courier = to(&fake);
    let parcel = letter(LETTER);
    {
        let attempt = courier.deliver(&parcel);
        tokio::select! {
            outcome = attempt => panic!("too early: {outcome:?}"),
            _ = fake.until(|seen| seen.letters.len() == 1) => (),
        }
    }
    // Had the connection been kept, the late 250 would be taken for this letter's first answer.
    assert_eq!(told(courier.deliver(&parcel).await).0, "sent");
    assert_eq!(fake.seen().connections, 2);
}

#[tokio::test]
async fn c6_an_answer_too_many_is_never_taken_for_the_last_one() {
    for plan in both(&Plan::well().at("data", Act::Say("354 go\r\n250 2.0.0 Ok\r\n"))) {
        let fake = Fake::clear(vec![plan]).await;
        let (fate, why) = told(to(&fake).deliver(&letter(LETTER)).await);
        assert_eq!(fate, "later", "{why}");
        assert!(why.contains("out of turn"), "{why}");
    }
}

#[tokio::test]
async fn c8_tls_is_never_downgraded() {
    let ca = Ca::new("ours");
    let place = tempfile::tempdir().unwrap();
    let known = place.path().join("ca.pem");
    std::fs::write(&known, &ca.pem).unwrap();
    let other = place.path().join("other.pem");
    std::fs::write(&other, Ca::new("somebody else").pem).unwrap();
    let good = ca.server("localhost", 2099);
    for (name, mode, tls, server, authority, word) in [
        ("right", Mode::Implicit, Tls::Implicit, &good, &known, ""),
        ("right", Mode::StartTls, Tls::StartTls, &good, &known, ""),
        (
            "stripped",
            Mode::Clear,
            Tls::StartTls,
            &good,
            &known,
            "doesn't offer STARTTLS",
        ),
        ("no TLS", Mode::Clear, Tls::Implicit, &good, &known, "TLS: "),
        (
            "unknown",
            Mode::Implicit,
            Tls::Implicit,
            &good,
            &other,
            "name its file as ca_file",
        ),
        (
            "unknown",
            Mode::StartTls,
            Tls::StartTls,
            &good,
            &other,
            "UnknownIssuer",
        ),
        (
            "wrong",
            Mode::Implicit,
            Tls::Implicit,
            &ca.server("mx.other.example", 2099),
            &known,
            "not valid for",
        ),
        (
            "expired",
            Mode::StartTls,
            Tls::StartTls,
            &ca.server("localhost", 2020),
            &known,
            "expired",
        ),
    ] {
        let plan = match mode {
            Mode::StartTls => Plan::well().offering("STARTTLS").offering("AUTH PLAIN"),
            Mode::Clear | Mode::Implicit => Plan::well().offering("AUTH PLAIN"),
        };
        let fake = Fake::start(mode, Some(server.clone()), vec![plan]).await;
        let config = config(fake.port, "localhost", tls, Some(authority.clone()), true);
        let mut courier = Courier::with_patience(&config, quick()).unwrap();
        let (fate, why) = told(courier.deliver(&letter(LETTER)).await);
        let expected = if word.is_empty() { "sent" } else { "account" };
        assert_eq!(fate, expected, "{name} {mode:?}: {why}");
        assert!(why.contains(word), "{name} {mode:?}: {why}");
        let told = format!("{:?}", fake.seen().commands);
        assert_eq!(told.contains("AUTH"), word.is_empty(), "{name}: {told}");
    }
}

#[tokio::test]
async fn c8_what_is_said_in_clear_before_the_handshake_is_not_believed() {
    let ca = Ca::new("ours");
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("ca.pem");
    std::fs::write(&path, &ca.pem).unwrap();
    for (stage, text, word) in [
        (
            "starttls",
            "220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n",
            "out of turn",
        ),
        ("starttls", "220 go\r\n250", "out of turn"),
        ("starttls", "454 4.7.0 not now\r\n", "454 4.7.0"),
        ("starttls", "554 5.7.0 never\r\n", "554 5.7.0"),
    ] {
        let plan = Plan::well().offering("STARTTLS").at(stage, Act::Say(text));
        let server = Some(ca.server("localhost", 2099));
        let fake = Fake::start(Mode::StartTls, server, vec![plan]).await;
        let config = config(
            fake.port,
            "localhost",
            Tls::StartTls,
            Some(path.clone()),
            true,
        );
        let mut courier = Courier::with_patience(&config, quick()).unwrap();
        let (fate, why) = told(courier.deliver(&letter(LETTER)).await);
        assert_eq!(fate, "account", "{why}");
        assert!(why.contains(word), "{why}");
    }
}

#[tokio::test]
async fn c8_in_clear_only_to_loopback() {
    // 192.0.2.0/24 is for documentation (RFC 5737): if this were tried, it would be silence and not a refusal.
    let config = config(25, "192.0.2.1", Tls::None, None, false);
    let mut courier = Courier::with_patience(&config, quick()).unwrap();
    let (fate, why) = told(courier.deliver(&letter(LETTER)).await);
    assert_eq!(fate, "account");
    assert!(why.contains("loopback"), "{why}");
}

#[tokio::test]
async fn c1_c2_a_refused_login_is_the_accounts_fault_and_the_password_is_in_no_reason() {
    for text in [
        "454 4.7.0 temporary\r\n",
        "535 5.7.8 no AHN1cHBvcnQAaHVudGVyMg== hunter2\r\n",
        "421 4.7.0 too many\r\n",
    ] {
        let plan = Plan::well()
            .offering("AUTH PLAIN LOGIN")
            .at("auth", Act::Say(text));
        let fake = Fake::clear(vec![plan]).await;
        let (fate, why) = told(with_login(&fake).deliver(&letter(LETTER)).await);
        assert_eq!(fate, "account", "{why}");
        assert!(why.starts_with(&format!("AUTH: {}", &text[..9])), "{why}");
        assert!(!why.contains("hunter2") && !why.contains("AHN1"), "{why}");
    }
    let fake = Fake::clear(vec![Plan::well()]).await;
    let (fate, why) = told(with_login(&fake).deliver(&letter(LETTER)).await);
    assert_eq!(fate, "account");
    assert!(why.contains("offers neither"), "{why}");
}

#[tokio::test]
async fn the_login_is_by_what_the_server_offers() {
    for (offer, said) in [
        (
            "AUTH PLAIN LOGIN",
            "AUTH PLAIN AHN1cHBvcnQAaHVudGVyMg==\r\n",
        ),
        ("AUTH LOGIN", "aHVudGVyMg==\r\n"),
    ] {
        let fake = Fake::clear(vec![Plan::well().offering(offer)]).await;
        let mut courier = with_login(&fake);
        assert_eq!(told(courier.deliver(&letter(LETTER)).await).0, "sent");
        let seen = fake.seen();
        assert!(
            seen.commands.iter().any(|(_, command)| command == said),
            "{:?}",
            seen.commands
        );
    }
}

#[tokio::test]
async fn c7_a_name_without_an_address_is_the_accounts_fault() {
    let config = config(25, "mx.nowhere.invalid", Tls::None, None, false);
    let mut courier = Courier::with_patience(&config, quick()).unwrap();
    let (fate, why) = told(courier.deliver(&letter(LETTER)).await);
    assert_eq!(fate, "account");
    assert!(why.starts_with("CONNECT: "), "{why}");
}

#[tokio::test]
async fn c4_c5_closed_or_silent_while_opening_is_the_accounts_fault() {
    let ca = Ca::new("ours");
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("ca.pem");
    std::fs::write(&path, &ca.pem).unwrap();
    for act in [
        Act::Close,
        Act::Hang,
        Act::SayAndClose("421 4.3.2 down\r\n"),
    ] {
        for (stage, mode, tls, word) in [
            ("starttls", Mode::StartTls, Tls::StartTls, "STARTTLS: "),
            ("auth", Mode::StartTls, Tls::StartTls, "AUTH: "),
            ("connect", Mode::Clear, Tls::Implicit, "TLS: "),
            ("connect", Mode::Implicit, Tls::Implicit, "GREETING: "),
        ] {
            let plan = Plan::well()
                .offering("STARTTLS")
                .offering("AUTH PLAIN")
                .at(stage, act.clone());
            let server = Some(ca.server("localhost", 2099));
            let fake = Fake::start(mode, server, vec![plan]).await;
            let config = config(fake.port, "localhost", tls, Some(path.clone()), true);
            let mut courier = Courier::with_patience(&config, quick()).unwrap();
            let (fate, why) = told(courier.deliver(&letter(LETTER)).await);
            assert_eq!(fate, "account", "{stage} {act:?}: {why}");
            assert!(why.starts_with(word), "{stage} {act:?}: {why}");
        }
    }
}

#[tokio::test]
async fn c9_a_letter_beyond_the_announced_size_is_not_offered() {
    let fake = Fake::clear(vec![Plan::well().offering("SIZE 20")]).await;
    let mut courier = to(&fake);
    let (fate, why) = told(courier.deliver(&letter(LETTER)).await);
    assert_eq!(fate, "never");
    assert!(why.contains("takes 20 at most"), "{why}");
    assert_eq!(told(courier.deliver(&letter(b"A: b\r\n")).await).0, "sent");
    assert_eq!(fake.seen().connections, 1);
}

#[tokio::test]
async fn c10_an_address_beyond_ascii_needs_smtputf8() {
    let mut parcel = letter(LETTER);
    parcel.to = "мария@raduga.example".to_owned();
    let fake = Fake::clear(vec![Plan::well()]).await;
    let (fate, why) = told(to(&fake).deliver(&parcel).await);
    assert_eq!(fate, "never");
    assert!(why.contains("SMTPUTF8"), "{why}");
    let fake = Fake::clear(vec![Plan::well().offering("SMTPUTF8")]).await;
    assert_eq!(told(to(&fake).deliver(&parcel).await).0, "sent");
    assert!(fake.seen().letters[0].mail.ends_with(" SMTPUTF8"));
}

#[tokio::test]
async fn c12_greylisting_calls_for_five_minutes() {
    let fake = Fake::clear(vec![
        Plan::well().at("rcpt", Act::Say("450 4.2.0 Greylisted, see postgrey\r\n")),
    ])
    .await;
    let outcome = to(&fake).deliver(&letter(LETTER)).await;
    let Outcome::Later {
        after: Some(after), ..
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    assert!(after > Duration::from_secs(300) && after < Duration::from_secs(360));
}

#[tokio::test]
async fn c13_lines_that_begin_with_dots_arrive_unchanged() {
    for body in [
        &b"A: b\r\n\r\n.\r\n..\r\n...x\r\n.\r\n"[..],
        b".\r\n",
        b"A: b\r\n\r\nlast line .\r\n",
        b"A: b\r\n\r\n\r\n\r\n",
    ] {
        let fake = Fake::clear(vec![Plan::well()]).await;
        assert_eq!(told(to(&fake).deliver(&letter(body)).await).0, "sent");
        let got = fake.seen().letters[0].bytes.clone();
        assert_eq!(got, body, "{}", String::from_utf8_lossy(&got));
    }
}

#[tokio::test]
async fn c13_c14_what_could_smuggle_a_second_letter_is_not_offered() {
    let fake = Fake::clear(vec![Plan::well()]).await;
    let mut courier = to(&fake);
    for bytes in [
        &b"A: b\r\n\r\nx\n.\r\nMAIL FROM:<>\r\n"[..],
        b"A: b\r\n\r\nx\r.\r\n",
        b"A: b\0\r\n",
    ] {
        assert_eq!(told(courier.deliver(&letter(bytes)).await).0, "never");
    }
    for to in ["a@b.example>\r\nRCPT TO:<c@d.example", "a b@c.example", ""] {
        let mut parcel = letter(LETTER);
        parcel.to = to.to_owned();
        assert_eq!(told(courier.deliver(&parcel).await).0, "never", "{to}");
    }
    assert_eq!(fake.seen().connections, 0);
}

#[tokio::test]
async fn a_connection_carries_many_letters_without_asking_again() {
    let fake = Fake::clear(vec![Plan::well()]).await;
    let mut courier = to(&fake);
    for _ in 0..5 {
        assert_eq!(told(courier.deliver(&letter(LETTER)).await).0, "sent");
    }
    assert_eq!(fake.seen().connections, 1);
    let verbs = fake.verbs(1);
    assert_eq!(verbs.len(), 1 + 5 * 3, "{verbs:?}");
}

#[tokio::test]
async fn a_connection_that_died_while_idle_is_replaced_once() {
    for act in [Act::Close, Act::SayAndClose("421 4.4.2 timeout\r\n")] {
        for plan in both(&Plan::well().at_nth("mail", 2, act.clone())) {
            let fake = Fake::clear(vec![plan, Plan::well()]).await;
            let mut courier = to(&fake);
            assert_eq!(told(courier.deliver(&letter(LETTER)).await).0, "sent");
            assert_eq!(told(courier.deliver(&letter(LETTER)).await).0, "sent");
            let seen = fake.seen();
            assert_eq!((seen.connections, seen.letters.len()), (2, 2));
        }
    }
    // If the fresh one does the same, that is the answer.
    let plan = Plan::well().at_nth("mail", 2, Act::Close);
    let down = Plan::well().at("mail", Act::Close);
    let fake = Fake::clear(vec![plan, down]).await;
    let mut courier = to(&fake);
    assert_eq!(told(courier.deliver(&letter(LETTER)).await).0, "sent");
    assert_eq!(told(courier.deliver(&letter(LETTER)).await).0, "account");
    assert_eq!(fake.seen().connections, 2);
}

#[tokio::test]
async fn an_idle_connection_is_asked_then_given_up() {
    let fake = Fake::clear(vec![Plan::well()]).await;
    let distrustful = Patience {
        trust: Duration::ZERO,
        ..quick()
    };
    let mut courier = patient(&fake, distrustful.clone());
    courier.deliver(&letter(LETTER)).await;
    assert!(!courier.is_tired());
    courier.deliver(&letter(LETTER)).await;
    assert_eq!(fake.verbs(1)[4], "RSET");
    assert_eq!(fake.seen().connections, 1);

    let fake = Fake::clear(vec![Plan::well()]).await;
    let restless = Patience {
        keep: Duration::ZERO,
        ..distrustful
    };
    let mut courier = patient(&fake, restless);
    courier.deliver(&letter(LETTER)).await;
    assert!(courier.is_tired());
    courier.close().await;
    let seen = fake.until(|seen| seen.commands.len() == 5).await;
    assert_eq!(seen.commands[4].1, "QUIT\r\n");
    assert_eq!(told(courier.deliver(&letter(LETTER)).await).0, "sent");
}

#[tokio::test]
async fn a_letter_of_five_megabytes_arrives_whole() {
    let mut bytes = b"Subject: big\r\n\r\n".to_vec();
    for n in 0..100_000 {
        bytes.extend_from_slice(format!(".{n:050}\r\n").as_bytes());
    }
    for plan in both(&Plan::well()) {
        let fake = Fake::clear(vec![plan]).await;
        let patience = Patience {
            body: Duration::from_secs(20),
            dot: Duration::from_secs(20),
            ..quick()
        };
        let mut courier = patient(&fake, patience);
        assert_eq!(told(courier.deliver(&letter(&bytes)).await).0, "sent");
        assert!(fake.seen().letters[0].bytes == bytes);
    }
}

#[tokio::test]
async fn answers_that_are_odd_but_allowed_are_understood() {
    let plan = Plan::well()
        .at("connect", Act::Say("220-a\r\n220-b\r\n220 c\r\n"))
        .at("mail", Act::Say("250\r\n"))
        .at("rcpt", Act::Say("250-п\r\n250 ok\r\n"))
        .at("dot", Act::Say("250\n"));
    assert_eq!(fate(plan).await, ("sent", String::new()));
}

#[tokio::test]
async fn check_says_whether_the_way_is_open() {
    let fake = Fake::clear(vec![Plan::well()]).await;
    assert_eq!(to(&fake).check().await, Ok(()));
    let refusing = Plan::well().at("connect", Act::Say("554 5.3.2 no service\r\n"));
    let fake = Fake::clear(vec![refusing]).await;
    let why = to(&fake).check().await.unwrap_err();
    assert_eq!(why, "GREETING: 554 5.3.2 no service");
}
