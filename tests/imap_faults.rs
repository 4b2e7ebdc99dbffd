//! The IMAP session against a server that does everything wrong: nothing is lost, nothing is taken for success, nothing runs away.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "support/imapfake.rs"]
mod imapfake;

use std::time::{Duration, Instant};

use imapfake::Fake;
use postdesk::config::{After, Endpoint, ImapConfig, Login, Secret, Start, Tls};
use postdesk::imap::fault::ImapFault;
use postdesk::imap::fetch::Batch;
use postdesk::imap::pace::Pace;
use postdesk::imap::session::Session;

const MAX_LETTER: u64 = 1_000_000;
const POLL: Duration = Duration::from_millis(600);

/// From the greeting to the open folder: 3 messages, UIDs below 11. The next tag is P3.
const OPEN: &str = "
    S: * OK [CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS] ready
    C: P1 LOGIN \"desk\" \"secret\"
    S: P1 OK [CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS] in
    C: P2 EXAMINE \"INBOX\"
    S: * 3 EXISTS
    S: * OK [UIDVALIDITY 7] stable
    S: * OK [UIDNEXT 11] next
    S: P2 OK [READ-ONLY] open
";

/// The sizes of UIDs 8 and 9, in a first FETCH.
const SIZES: &str = "
    C: P3 UID FETCH 8:9 (UID INTERNALDATE RFC822.SIZE)
    S: * 1 FETCH (UID 8 INTERNALDATE \" 7-Nov-2026 10:00:00 +0300\" RFC822.SIZE 5)
    S: * 2 FETCH (UID 9 INTERNALDATE \" 7-Nov-2026 10:00:01 +0300\" RFC822.SIZE 5)
    S: P3 OK done
    C: P4 UID FETCH 8:9 (UID BODY.PEEK[])
";

fn pace() -> Pace {
    Pace {
        connect: Duration::from_secs(5),
        answer: Duration::from_secs(2),
        rate: 8 * 1024,
        done: Duration::from_millis(300),
        idle: Duration::from_millis(500),
        noop: Duration::from_millis(100),
    }
}

fn config(fake: &Fake, tls: Tls) -> ImapConfig {
    ImapConfig {
        endpoint: Endpoint {
            host: "localhost".to_owned(),
            port: fake.address.port(),
            tls,
            ca_file: Some(fake.ca.path().to_owned()),
        },
        login: Login {
            username: "desk".to_owned(),
            password: Secret::new("secret".to_owned()),
        },
        folder: "INBOX".to_owned(),
        start: Start::Now,
        after: After::Keep,
        poll: POLL,
    }
}

async fn opened(script: &str) -> (Fake, Session) {
    let fake = Fake::start(&[&format!("{OPEN}{script}")]).await;
    let session = Session::open_with(&config(&fake, Tls::None), pace())
        .await
        .unwrap();
    (fake, session)
}

/// Tasks are moved between threads: what they await must be fit for it.
fn movable<T: Send>(future: T) -> T {
    future
}

/// What comes of opening a mailbox in clear on a server with this dialogue.
async fn opening(script: &str, change: impl FnOnce(&mut ImapConfig)) -> Result<(), ImapFault> {
    let fake = Fake::start(&[script]).await;
    let mut config = config(&fake, Tls::None);
    change(&mut config);
    let opened = movable(Session::open_with(&config, pace()))
        .await
        .map(|_| ());
    fake.end().await;
    opened
}

/// What comes of a search on a server that answers it so; the command is P3.
async fn searching(script: &str) -> Result<Vec<i64>, ImapFault> {
    let (fake, mut session) = opened(&format!("C: P3 UID SEARCH UID 8:*\n{script}")).await;
    let found = movable(session.new_uids(7)).await;
    drop(session);
    fake.end().await;
    found
}

/// What comes of fetching UIDs 8 and 9 on a server that answers so; sizes are P3, bodies P4.
async fn fetching(script: &str) -> Result<Batch, ImapFault> {
    let begun = Instant::now();
    let (fake, mut session) = opened(script).await;
    let batch = movable(session.fetch(&[8, 9], MAX_LETTER)).await;
    if let Err(fault) = &batch {
        let text = format!("{fault} {fault:?}");
        assert!(!text.contains("SECRET"), "server's data in {text:?}");
    }
    drop(session);
    fake.end().await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    batch
}

fn uids(batch: &Batch) -> Vec<i64> {
    batch.messages.iter().map(|m| m.uid).collect()
}

/// A15: sizes first, then bodies without touching flags; two commands for a window.
#[tokio::test]
async fn a_window_costs_two_commands() {
    let batch = fetching(&format!(
        "{SIZES}
        S: * 1 FETCH (UID 8 FLAGS (\\Seen) BODY[] {{5}}\\r\\nfirst)
        S: * 4 EXISTS
        S: * 3 FETCH (FLAGS (\\Answered))
        S: * 3 FETCH (UID 10 BODY[] {{5}}\\r\\nother)
        S: * 2 FETCH (BODY[] {{5}}\\r\\n(((}}\" UID 9)
        S: P4 OK done"
    ))
    .await
    .unwrap();
    assert_eq!(uids(&batch), [8, 9]);
    assert_eq!(batch.messages[0].raw, b"first");
    assert_eq!(batch.messages[1].raw, b"(((}\"");
    assert_eq!(
        batch.messages[0].arrived.to_rfc3339(),
        "2026-11-07T07:00:00+00:00"
    );
    assert_eq!((batch.gone, batch.withheld, batch.rest), Default::default());
}

/// B1, B4: `n:*` has the last message even if its UID is below n; that is not new.
#[tokio::test]
async fn the_last_message_is_not_new_for_being_last() {
    assert_eq!(
        searching("S: * SEARCH 7\nS: P3 OK done").await.unwrap(),
        [0_i64; 0]
    );
    assert_eq!(
        searching("S: * SEARCH 10 8 7 \nS: * SEARCH 9 8\nS: P3 OK done").await,
        Ok(vec![8, 9, 10])
    );
}

/// B7, and DEPENDENCIES A3: a search that failed has not found "nothing".
#[tokio::test]
async fn a_failed_search_is_not_an_empty_one() {
    let refused = |fault: Result<_, ImapFault>| matches!(fault, Err(ImapFault::Refused(_)));
    let ended = |fault: Result<_, ImapFault>| matches!(fault, Err(ImapFault::Disconnected(_)));
    assert!(refused(searching("S: P3 NO [SERVERBUG] sorry").await));
    assert!(refused(searching("S: P3 BAD what").await));
    assert!(ended(searching("S: * SEARCH 8 9\nCLOSE").await));
    assert!(ended(searching("S: * BYE going down\nCLOSE").await));
    let other = searching("S: * SEARCH\nS: P9 OK done").await;
    assert!(matches!(other, Err(ImapFault::Protocol(_))), "{other:?}");
    let silent = searching("HANG").await;
    assert!(matches!(silent, Err(ImapFault::Timeout(_))), "{silent:?}");
}

/// B7, B8: BYE, EOF between responses and EOF inside a literal are no complete fetch.
#[tokio::test]
async fn a_broken_fetch_is_not_a_short_one() {
    for end in [
        "S: * BYE bye\nCLOSE",
        "CLOSE",
        "S: * 2 FETCH (UID 9 BODY[] {50}\nR: 1 SECRET\nCLOSE",
        "S: * 2 FETCH (UID 9\nCLOSE",
    ] {
        let script = format!("{SIZES}\nS: * 1 FETCH (UID 8 BODY[] {{5}}\\r\\nfirst)\n{end}");
        let fault = fetching(&script).await.unwrap_err();
        let told = matches!(fault, ImapFault::Disconnected(_) | ImapFault::Protocol(_));
        assert!(told, "{end}: {fault:?}");
    }
}

/// B7: BAD, and NO while all messages are still there, are refusals; the session goes on.
#[tokio::test]
async fn a_refused_fetch_says_so() {
    let bad = fetching(&format!("{SIZES}\nS: P4 BAD no")).await;
    assert!(matches!(bad, Err(ImapFault::Refused(_))), "{bad:?}");
    let no = fetching(&format!(
        "{SIZES}
        S: P4 NO [SERVERBUG] no
        C: P5 NOOP
        S: P5 OK
        C: P6 UID SEARCH UID 8:9
        S: * SEARCH 8 9
        S: P6 OK"
    ))
    .await;
    assert!(matches!(no, Err(ImapFault::Refused(_))), "{no:?}");
}

/// B6: a message that vanished meanwhile is gone only when a search confirms it; one that is there and not handed out is withheld.
#[tokio::test]
async fn gone_is_what_a_search_does_not_find() {
    let nil = |found: &str| {
        format!(
            "{SIZES}
            S: * 1 FETCH (UID 8 BODY[] {{5}}\\r\\nfirst)
            S: * 2 FETCH (UID 9 BODY[] NIL)
            S: P4 OK done
            C: P5 NOOP
            S: P5 OK
            C: P6 UID SEARCH UID 9
            S: * SEARCH{found}
            S: P6 OK"
        )
    };
    let batch = fetching(&nil("")).await.unwrap();
    assert_eq!((uids(&batch), batch.gone), (vec![8], vec![9]));
    let batch = fetching(&nil(" 9")).await.unwrap();
    assert_eq!((uids(&batch), batch.withheld), (vec![8], vec![9]));
    // RFC 2180 section 4.1.2: NO to the whole command, because of one message.
    let batch = fetching(&format!(
        "{SIZES}
        S: * 1 FETCH (UID 8 BODY[] {{5}}\\r\\nfirst)
        S: P4 NO some are gone
        C: P5 NOOP
        S: * 2 EXPUNGE
        S: P5 OK
        C: P6 UID SEARCH UID 9
        S: * SEARCH
        S: P6 OK"
    ))
    .await
    .unwrap();
    assert_eq!((uids(&batch), batch.gone), (vec![8], vec![9]));
    // Silence about one of them, already when sizes are asked.
    let batch = fetching(
        "C: P3 UID FETCH 8:9 (UID INTERNALDATE RFC822.SIZE)
        S: * 1 FETCH (UID 8 INTERNALDATE \"nonsense\" RFC822.SIZE 5)
        S: P3 OK done
        C: P4 NOOP
        S: P4 OK
        C: P5 UID SEARCH UID 9
        S: * SEARCH
        S: P5 OK
        C: P6 UID FETCH 8 (UID BODY.PEEK[])
        S: * 1 FETCH (UID 8 BODY[] {5}\\r\\nfirst)
        S: P6 OK",
    )
    .await
    .unwrap();
    assert_eq!((uids(&batch), batch.gone), (vec![8], vec![9]));
    // B26: an INTERNALDATE that can't be read does not keep the message out.
    assert_eq!(batch.messages[0].arrived.timestamp(), 0);
}

/// B9: what would take memory, stack or time is cut off before it does.
#[tokio::test]
async fn bombs_are_cut_off() {
    for bomb in [
        "S: * 1 FETCH (UID 8 BODY[] {500000000}\nHANG",
        "S: * 1 FETCH (UID 8 BODY[] {4294967295}\nHANG",
        "R: 1 * 1 FETCH \nR: 200000 (\nHANG",
        "R: 1 * 1 FETCH (UID 8 BODYSTRUCTURE \nR: 200000 (\nHANG",
        "R: 10000000 x\nHANG",
        "R: 1 * SEARCH\nR: 2000000  1234\nHANG",
        "R: 300000 * 1 EXPUNGE\\r\\n\nHANG",
        "S: SECRET garbage {{{\nHANG",
        "S: * SECRET garbage\nHANG",
        "S: * 1 FETCH (UID 8 BODY[] ~{3}\\r\\nabc)\nHANG",
        // Both of these make imap-proto 0.17 panic.
        "S: * 1 FETCH (UID 8 INTERNALDATE NIL)\nHANG",
        "S: * OK [ALERT]я\nHANG",
    ] {
        let begun = Instant::now();
        let fault = fetching(&format!("{SIZES}\n{bomb}")).await.unwrap_err();
        assert!(matches!(fault, ImapFault::Protocol(_)), "{bomb}: {fault:?}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{bomb}");
    }
}

/// B8: a literal that stops short, and one that trickles, end at the deadline.
#[tokio::test]
async fn slow_fetches_end() {
    let slow = [
        "S: * 1 FETCH (UID 8 BODY[] {5}\nR: 1 ab\nHANG",
        "S: * 1 FETCH (UID 8 BODY[] {100000}\nT: 50 a",
        "T: 50 a",
    ];
    let scripts = slow.map(|slow| format!("{SIZES}\n{slow}"));
    for outcome in futures::future::join_all(scripts.iter().map(|s| fetching(s))).await {
        let told = matches!(outcome, Err(ImapFault::Timeout(_)));
        assert!(told, "{outcome:?}");
    }
}

/// A15: a message above the limit comes with its beginning only, and is known to be larger.
#[tokio::test]
async fn large_messages_come_with_their_beginning() {
    let batch = fetching(
        "C: P3 UID FETCH 8:9 (UID INTERNALDATE RFC822.SIZE)
        S: * 1 FETCH (UID 8 INTERNALDATE \" 7-Nov-2026 10:00:00 +0300\" RFC822.SIZE 5000000)
        S: * 2 FETCH (UID 9 INTERNALDATE \" 7-Nov-2026 10:00:01 +0300\" RFC822.SIZE 5)
        S: P3 OK done
        C: P4 UID FETCH 9 (UID BODY.PEEK[])
        R: 1 * 2 FETCH (UID 9 BODY[] {1000500}\\r\\n
        R: 1000500 b
        S: )
        S: P4 OK done
        C: P5 UID FETCH 8 (UID BODY.PEEK[]<0.262144>)
        R: 1 * 1 FETCH (UID 8 BODY[]<0> {262144}\\r\\n
        R: 262144 a
        S: )
        S: P5 OK done",
    )
    .await
    .unwrap();
    let seen: Vec<_> = batch
        .messages
        .iter()
        .map(|m| (m.uid, m.raw.len(), m.oversize))
        .collect();
    let expected = [(8, 262_144, Some(5_000_000)), (9, 262_144, Some(1_000_500))];
    assert_eq!(seen, expected);
}

/// B3: the UIDs of a session that hears of another UIDVALIDITY mean nothing any more.
#[tokio::test]
async fn a_new_uidvalidity_ends_the_session() {
    let fault = searching("S: * OK [UIDVALIDITY 8] new\nS: P3 NO no").await;
    assert!(
        matches!(fault, Err(ImapFault::Disconnected(_))),
        "{fault:?}"
    );
}

/// B4: no UIDVALIDITY is refused by name; a missing UIDNEXT is found out.
#[tokio::test]
async fn uids_must_be_reliable() {
    let open = |lines: &str| {
        format!(
            "S: * OK [CAPABILITY IMAP4rev1] hi
            C: P1 LOGIN \"desk\" \"secret\"
            S: P1 OK [CAPABILITY IMAP4rev1] in
            C: P2 EXAMINE \"INBOX\"
            S: * 3 EXISTS
            {lines}"
        )
    };
    for lines in ["S: P2 OK open", "S: * OK [UIDVALIDITY 0] x\nS: P2 OK open"] {
        let fault = opening(&open(lines), |_| ()).await;
        assert!(matches!(fault, Err(ImapFault::Folder(_))), "{fault:?}");
    }
    let script = open(
        "S: * OK [UIDVALIDITY 7] x
        S: P2 OK open
        C: P3 FETCH * (UID)
        S: * 3 FETCH (UID 41)
        S: P3 OK",
    );
    let fake = Fake::start(&[&script]).await;
    let session = Session::open_with(&config(&fake, Tls::None), pace())
        .await
        .unwrap();
    assert_eq!((session.uidvalidity(), session.uidnext()), (7, Some(42)));
    assert_eq!(session.exists(), 3);
    drop(session);
    fake.end().await;
}

/// B20: a folder that is missing is told from a server that is.
#[tokio::test]
async fn a_missing_folder_is_named() {
    let script = "S: * OK [CAPABILITY IMAP4rev1] hi
        C: P1 LOGIN \"desk\" \"secret\"
        S: P1 OK [CAPABILITY IMAP4rev1] in
        C: P2 EXAMINE \"&BB8EPgRHBEIEMA-\"
        S: P2 NO [NONEXISTENT] no such folder";
    let fault = opening(script, |config| config.folder = "Почта".to_owned()).await;
    let expected = ImapFault::Folder("[NONEXISTENT] no such folder".to_owned());
    assert_eq!(fault, Err(expected));
}

/// B10, B17: only a NO to our own LOGIN that is about the password counts as a wrong password.
#[tokio::test]
async fn a_wrong_password_is_told_from_trouble() {
    let login = |answer: &str| {
        format!("S: * OK [CAPABILITY IMAP4rev1] hi\nC: P1 LOGIN \"desk\" \"secret\"\n{answer}")
    };
    for (answer, expected) in [
        ("S: P1 NO [AUTHENTICATIONFAILED] no", "Auth"),
        ("S: P1 NO wrong", "Auth"),
        ("S: P1 NO [UNAVAILABLE] later", "Refused"),
        ("S: P1 NO [LIMIT] too many", "Refused"),
        ("S: P1 BAD what", "Refused"),
        ("S: X1 NO [AUTHENTICATIONFAILED] no", "Protocol"),
        ("S: garbage", "Protocol"),
        (
            "S: * NO [ALERT] beware\nS: * BYE too many\nCLOSE",
            "Disconnected",
        ),
    ] {
        let fault = opening(&login(answer), |_| ()).await.unwrap_err();
        assert!(
            format!("{fault:?}").starts_with(expected),
            "{answer}: {fault:?}"
        );
        assert!(!format!("{fault:?} {fault}").contains("secret"));
    }
    let disabled = "S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi";
    let fault = opening(disabled, |_| ()).await;
    assert!(matches!(fault, Err(ImapFault::Refused(_))), "{fault:?}");
}

/// B17: a password that is not ASCII goes by AUTHENTICATE PLAIN, as UTF-8.
#[tokio::test]
async fn foreign_passwords_are_sent_in_base64() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi
        C: P1 AUTHENTICATE PLAIN
        S: +\x20
        C: AGRlc2sA0L/QsNGA0L7Qu9GM
        S: P1 NO [AUTHENTICATIONFAILED] no";
    let foreign = |config: &mut ImapConfig| {
        config.login.password = Secret::new("пароль".to_owned());
    };
    let fault = opening(script, foreign).await;
    assert!(matches!(fault, Err(ImapFault::Auth(_))), "{fault:?}");
}

/// B15, A17: TLS from the first byte, with the certificate of an authority from `ca_file`, and refused without.
#[tokio::test]
async fn tls_is_checked() {
    let fake = Fake::start(&[&format!("TLS\n{OPEN}"), "TLS"]).await;
    let mut config = config(&fake, Tls::Implicit);
    let session = Session::open_with(&config, pace()).await.unwrap();
    drop(session);
    config.endpoint.ca_file = None;
    let fault = Session::open_with(&config, pace()).await.unwrap_err();
    assert!(matches!(fault, ImapFault::Tls(_)), "{fault:?}");
    assert!(fault.to_string().contains("ca_file"), "{fault}");
}

/// B16, A17: STARTTLS, and nothing that was said before it is believed.
#[tokio::test]
async fn starttls_begins_anew() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hi
        C: P1 STARTTLS
        S: P1 OK go
        TLS
        C: P1 CAPABILITY
        S: * CAPABILITY IMAP4rev1
        S: P1 OK
        C: P2 LOGIN \"desk\" \"secret\"
        S: P2 OK in
        C: P3 CAPABILITY
        S: * CAPABILITY IMAP4rev1 IDLE
        S: P3 OK
        C: P4 EXAMINE \"INBOX\"
        S: * 0 EXISTS
        S: * OK [UIDVALIDITY 7] x
        S: P4 OK";
    let fake = Fake::start(&[script]).await;
    let session = Session::open_with(&config(&fake, Tls::StartTls), pace())
        .await
        .unwrap();
    assert_eq!(session.uidnext(), Some(1));
    drop(session);
    fake.end().await;
}

/// B16: no way around TLS: refused, stripped, injected into, or declared unnecessary.
#[tokio::test]
async fn starttls_cannot_be_talked_out_of() {
    let starttls = |config: &mut ImapConfig| config.endpoint.tls = Tls::StartTls;
    for script in [
        "S: * OK [CAPABILITY IMAP4rev1] hi\nC: P1 STARTTLS\nS: P1 BAD what is that",
        "S: * OK [CAPABILITY IMAP4rev1] hi\nC: P1 STARTTLS\nS: P1 NO not now",
        "S: * OK hi\nC: P1 STARTTLS\nS: P1 OK go\\r\\n* CAPABILITY IMAP4rev1 INJECTED",
        "S: * PREAUTH you are in",
    ] {
        let fault = opening(script, starttls).await;
        assert!(
            matches!(fault, Err(ImapFault::Tls(_))),
            "{script}: {fault:?}"
        );
    }
    let fault = opening("S: * PREAUTH you are in", |_| ()).await;
    assert!(matches!(fault, Err(ImapFault::Tls(_))), "{fault:?}");
}

/// A17: without TLS only loopback addresses are spoken to; 192.0.2.1 (RFC 5737) is not even tried.
#[tokio::test]
async fn clear_text_stays_at_home() {
    let fake = Fake::start(&[]).await;
    let mut config = config(&fake, Tls::None);
    config.endpoint.host = "192.0.2.1".to_owned();
    let begun = Instant::now();
    let fault = Session::open_with(&config, pace()).await.unwrap_err();
    assert!(matches!(fault, ImapFault::Tls(_)), "{fault:?}");
    assert!(begun.elapsed() < Duration::from_secs(1));
}

/// A16: an arrival ends the wait; then the search runs on the same session.
#[tokio::test]
async fn idle_wakes_on_arrival() {
    let (fake, mut session) = opened(
        "C: P3 IDLE
        S: + idling
        S: * OK still here
        S: * 4 EXISTS
        C: DONE
        S: P3 OK
        C: P4 UID SEARCH UID 8:*
        S: * SEARCH 11
        S: P4 OK",
    )
    .await;
    let begun = Instant::now();
    session.wait(Duration::from_secs(10)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(session.new_uids(7).await, Ok(vec![11]));
    drop(session);
    fake.end().await;
}

/// B12, and DEPENDENCIES D: an EXISTS before the "+" is not slept over, nor one that came with an earlier answer.
#[tokio::test]
async fn early_arrivals_are_not_slept_over() {
    let (fake, mut session) = opened(
        "C: P3 IDLE
        S: * 4 EXISTS
        S: + idling
        C: DONE
        S: P3 OK
        C: P4 UID SEARCH UID 8:*
        S: * SEARCH 11
        S: * 5 EXISTS
        S: P4 OK",
    )
    .await;
    let begun = Instant::now();
    session.wait(Duration::from_secs(10)).await.unwrap();
    session.new_uids(7).await.unwrap();
    session.wait(Duration::from_secs(10)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(session);
    fake.end().await;
}

/// B12: a server that is silent in IDLE is asked again and again, and the wait ends with the poll.
#[tokio::test]
async fn silent_idle_is_renewed_until_the_poll() {
    let (fake, mut session) = opened(
        "C: P3 IDLE
        S: + idling
        C: DONE
        S: P3 OK
        C: P4 IDLE
        S: + idling
        C: DONE
        S: P4 OK",
    )
    .await;
    movable(session.wait(Duration::from_millis(950)))
        .await
        .unwrap();
    drop(session);
    fake.end().await;
}

/// B25: IDLE that is offered and refused is replaced by NOOP, on the same session.
#[tokio::test]
async fn refused_idle_becomes_noop() {
    for refusal in ["S: P3 NO not here", "S: P3 BAD what", "S: P3 OK already"] {
        let (fake, mut session) = opened(&format!(
            "C: P3 IDLE
            {refusal}
            C: P4 NOOP
            S: P4 OK
            C: P5 NOOP
            S: * 4 EXISTS
            S: P5 OK"
        ))
        .await;
        session.wait(Duration::from_secs(10)).await.unwrap();
        drop(session);
        fake.end().await;
    }
}

/// B11, B14: IDLE that ends with the connection, with BYE, or with no answer to DONE.
#[tokio::test]
async fn idle_faults_are_noticed() {
    for (script, expected) in [
        ("C: P3 IDLE\nS: + idling\nCLOSE", "Disconnected"),
        (
            "C: P3 IDLE\nS: + idling\nS: * BYE bye\nCLOSE",
            "Disconnected",
        ),
        ("C: P3 IDLE\nHANG", "Timeout"),
        ("C: P3 IDLE\nS: + idling\nC: DONE\nHANG", "Timeout"),
        ("C: P3 IDLE\nCLOSE", "Disconnected"),
    ] {
        let (fake, mut session) = opened(script).await;
        let fault = session.wait(POLL).await.unwrap_err();
        assert!(
            format!("{fault:?}").starts_with(expected),
            "{script}: {fault:?}"
        );
        // Nothing more is asked of a session that is out of step.
        assert!(matches!(
            session.new_uids(7).await,
            Err(ImapFault::Disconnected(_))
        ));
        drop(session);
        fake.end().await;
    }
}

/// House style 11: a wait that is dropped in the middle leaves a session that says so, rather than one out of step.
#[tokio::test]
async fn a_dropped_wait_spoils_the_session() {
    let (fake, mut session) = opened("C: P3 IDLE\nS: + idling\nHANG").await;
    let cut = tokio::time::timeout(Duration::from_millis(50), session.wait(POLL)).await;
    assert!(cut.is_err());
    let fault = session.new_uids(7).await;
    assert!(
        matches!(fault, Err(ImapFault::Disconnected(_))),
        "{fault:?}"
    );
    drop(session);
    fake.end().await;
}

/// B24, B25: MOVE that is refused is a warning; MOVE that is no more than advertised is done by hand.
#[tokio::test]
async fn kept_messages_are_moved_if_they_can_be() {
    let (fake, mut session) = opened(
        "C: P3 UID MOVE 8:9 \"Done\"
        S: P3 NO [OVERQUOTA] full
        C: P4 UID MOVE 8:9 \"Done\"
        S: P4 BAD what
        C: P5 UID COPY 8:9 \"Done\"
        S: P5 OK
        C: P6 UID STORE 8:9 +FLAGS.SILENT (\\Deleted)
        S: P6 OK
        C: P7 UID EXPUNGE 8:9
        S: * 1 EXPUNGE
        S: * 1 EXPUNGE
        S: P7 OK
        C: P8 UID COPY 10 \"Done\"
        S: P8 NO [TRYCREATE] no such folder
        C: P9 UID STORE 10 +FLAGS.SILENT (\\Seen)
        S: P9 OK",
    )
    .await;
    let target = After::Move("Done".to_owned());
    let full = session.after_kept(&[8, 9], &target).await;
    assert!(matches!(full, Err(ImapFault::Refused(_))), "{full:?}");
    movable(session.after_kept(&[9, 8], &target)).await.unwrap();
    let missing = session.after_kept(&[10], &target).await;
    assert!(matches!(missing, Err(ImapFault::Refused(_))), "{missing:?}");
    session.after_kept(&[10], &After::Seen).await.unwrap();
    session.after_kept(&[10], &After::Keep).await.unwrap();
    drop(session);
    fake.end().await;
}
