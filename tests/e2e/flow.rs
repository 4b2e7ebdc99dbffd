//! The main job, from the customer's letter to the answer in the customer's own mailbox, by every protection of both ways and on both databases.

use super::desk::Desk;
use super::post::{
    ANNA, DESK, MARIA, MARK, OLEG, SOON, STRANGER, field, letter, number, subject, text, until,
};
use super::town::{Town, Way};

/// Issue 2, "what a user gets"; R9, R10, R12, R17, R46, R49; C36, C37.
fn the_main_job(way: Way, desk: impl Fn(&str) -> Desk) {
    let town = Town::new();
    let desk = desk(&town.sections(way));
    let daemon = desk.connected(1);

    // The primary's order is registered and acknowledged in its thread.
    let order = letter(
        MARIA,
        "Поручение: исправить журнал",
        "m1@raduga.example",
        "Исправьте.",
        &[],
    );
    town.mail(MARIA, &order);
    let acknowledged = town.received(MARIA, 1).remove(0);
    assert_eq!(field(&acknowledged, "In-Reply-To"), "<m1@raduga.example>");
    assert_eq!(field(&acknowledged, "References"), "<m1@raduga.example>");
    assert_eq!(field(&acknowledged, "Auto-Submitted"), "auto-replied");
    assert!(field(&acknowledged, "From").contains(DESK));
    assert!(field(&acknowledged, "Return-Path").contains(DESK));
    let first = number(&acknowledged);
    assert!(
        first.ends_with("-000001"),
        "{first} in {}",
        subject(&acknowledged)
    );
    assert!(
        text(&acknowledged).contains(&first),
        "{}",
        text(&acknowledged)
    );
    let internal = town.received(ANNA, 1).remove(0);
    assert!(subject(&internal).starts_with("Внутреннее"));

    // The additional's order is explained, and the primary is asked.
    let order = letter(
        OLEG,
        "Поручение: удалить курс",
        "o1@raduga.example",
        "Удалите.",
        &[],
    );
    town.mail(OLEG, &order);
    let explained = town.received(OLEG, 1).remove(0);
    assert_eq!(field(&explained, "In-Reply-To"), "<o1@raduga.example>");
    assert!(text(&explained).contains(MARIA), "{}", text(&explained));
    let asked = town.received(MARIA, 2).remove(1);
    assert_eq!(field(&asked, "Auto-Submitted"), "auto-generated");
    let second = number(&asked);
    assert!(second.ends_with("-000002"), "{second}");
    assert_eq!(
        desk.json(&["request", &second, "--json"])["kind"],
        "question"
    );

    // The primary confirms by a reply from the mail program.
    let id = field(&asked, "Message-ID");
    let reply = letter(
        MARIA,
        &format!("Re: {}", subject(&asked)),
        "m2@raduga.example",
        "Подтверждаю",
        &[&format!("In-Reply-To: {id}"), &format!("References: {id}")],
    );
    town.mail(MARIA, &reply);
    let confirmed = town.received(OLEG, 2).remove(1);
    assert_eq!(number(&confirmed), second);
    assert_eq!(number(&town.received(MARIA, 3)[2]), second);
    assert_eq!(desk.json(&["request", &second, "--json"])["kind"], "order");

    // A stranger is refused politely and learns nothing.
    let asks = letter(
        STRANGER,
        "Кто у вас главный?",
        "s1@elsewhere.example",
        "?",
        &[],
    );
    town.mail(STRANGER, &asks);
    let refused = town.received(STRANGER, 1).remove(0);
    assert_eq!(field(&refused, "In-Reply-To"), "<s1@elsewhere.example>");
    let told = format!("{}\n{}", subject(&refused), text(&refused));
    for secret in ["raduga", "Радуга", "Мария", "Иванова", "2026-", MARK] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }

    // A machine gets nothing: what is asked after it is answered, and nothing else came.
    let vacation = letter(
        MARIA,
        "Автоответ",
        "m3@raduga.example",
        "Я в отпуске.",
        &[
            "Auto-Submitted: auto-replied",
            &format!("In-Reply-To: {id}"),
        ],
    );
    town.mail(MARIA, &vacation);
    until("the notice is decided on", SOON, || {
        desk.is_settled(5).then_some(())
    });
    let asks = letter(OLEG, "Где отчёт?", "o2@raduga.example", "Где?", &[]);
    town.mail(OLEG, &asks);
    town.received(OLEG, 3);
    town.received(MARIA, 3);
    town.received(STRANGER, 1);
    assert_eq!(desk.gapless(), 3);
    daemon.stop();
}

/// The main job by IMAPS and submission with STARTTLS, on SQLite.
#[test]
fn the_main_job_by_imaps_and_submission() {
    the_main_job(Way::ImapsSubmission, Desk::new);
}

/// The main job by STARTTLS and SMTPS, on SQLite.
#[test]
fn the_main_job_by_starttls_and_submissions() {
    the_main_job(Way::StartTlsSubmissions, Desk::new);
}

/// The main job in plain text on loopback, on SQLite.
#[test]
fn the_main_job_on_loopback() {
    the_main_job(Way::Plain, Desk::new);
}

/// The main job by IMAPS and submission with STARTTLS, on PostgreSQL.
#[test]
fn the_main_job_by_imaps_and_submission_on_postgres() {
    the_main_job(Way::ImapsSubmission, Desk::on_postgres);
}

/// The main job by STARTTLS and SMTPS, on PostgreSQL.
#[test]
fn the_main_job_by_starttls_and_submissions_on_postgres() {
    the_main_job(Way::StartTlsSubmissions, Desk::on_postgres);
}

/// The main job in plain text on loopback, on PostgreSQL.
#[test]
fn the_main_job_on_loopback_on_postgres() {
    the_main_job(Way::Plain, Desk::on_postgres);
}
