//! The support of the tests itself: each server starts, does what it is there for, and is gone afterwards.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mail_parser::MessageParser;
use support::dovecot::{DESK, Dovecot, Options, PASSWORD};
use support::guarded::{End, Guarded};
use support::idle_imap::{IdleImap, members};
use support::mailgen::{self, Generated, Generator, Kind};
use support::postfix::Postfix;
use support::postgres::Database;
use support::raw_imap::RawImap;
use support::raw_lmtp::Handover;
use support::sink::{Fate, Sink};
use support::wait;

const SOON: Duration = Duration::from_secs(10);
const LETTER: &[u8] = b"From: a@raduga.example\r\nTo: support@desk.test\r\nSubject: x\r\nMessage-ID: <1@raduga.example>\r\n\r\n.a dot\r\ntext\r\n";

#[test]
fn dovecot_keeps_what_is_appended_and_delivered() {
    let dovecot = Dovecot::start();
    let date = "20-Nov-2026 16:42:00 +0500";
    dovecot.append(DESK, "INBOX", LETTER, Some(date));
    dovecot.deliver("a@raduga.example", "support+tag@desk.test", LETTER);
    let letters = dovecot.letters(DESK, "INBOX");
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0].raw, LETTER);
    assert!(letters[0].internal_date.contains("Nov-2026"));
    assert!(letters[1].raw.ends_with(b"\r\n.a dot\r\ntext\r\n"));

    dovecot.expunge(DESK, "INBOX", &[1]);
    let left: Vec<u32> = dovecot
        .letters(DESK, "INBOX")
        .iter()
        .map(|l| l.uid)
        .collect();
    assert_eq!(left, [2]);

    let before = dovecot.uid_validity(DESK, "INBOX");
    dovecot.change_uid_validity(DESK, "INBOX", before + 5);
    assert_eq!(dovecot.uid_validity(DESK, "INBOX"), before + 5);
}

#[test]
fn dovecot_comes_back_with_its_mail() {
    let mut dovecot = Dovecot::start();
    dovecot.append(DESK, "INBOX", LETTER, None);
    dovecot.down();
    assert!(std::net::TcpStream::connect(("127.0.0.1", dovecot.imap)).is_err());
    dovecot.up();
    assert_eq!(dovecot.letters(DESK, "INBOX").len(), 1);
}

#[test]
fn dovecot_without_plus_keeps_the_detail_apart() {
    let dovecot = Dovecot::start_with(&Options {
        plus_to_base: false,
        mail_format: "maildir",
        ..Options::default()
    });
    dovecot.deliver("a@raduga.example", "support+tag@desk.test", LETTER);
    assert_eq!(dovecot.letters("support+tag@desk.test", "INBOX").len(), 1);
    assert_eq!(dovecot.letters(DESK, "INBOX").len(), 0);
}

#[test]
fn dovecot_takes_a_maildir_in_order_and_the_bare_reader_reads_it_all() {
    let dovecot = Dovecot::start();
    let folder = tempfile::Builder::new()
        .prefix("desk-import-")
        .tempdir()
        .unwrap();
    std::fs::set_permissions(
        folder.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let maildir = folder.path().join("mail");
    let mut made: Vec<Generated> = Vec::new();
    mailgen::fill_maildir(Generator::new(3, 40, 7, DESK), &maildir, |l| {
        made.push(l.clone())
    });
    dovecot.import(DESK, &maildir);
    let letters = dovecot.letters(DESK, "INBOX");
    assert_eq!(letters.len(), 40);
    for (stored, generated) in letters.iter().zip(&made) {
        assert!(
            stored.raw == generated.raw,
            "Letter {} differs",
            generated.index
        );
    }
    let drained = RawImap::login(dovecot.imap, DESK, PASSWORD).drain("INBOX");
    let octets: usize = made.iter().map(|l| l.raw.len()).sum();
    assert_eq!((drained.letters, drained.octets), (40, octets as u64));
}

#[test]
fn dovecots_certificate_is_good_for_rustls() {
    let dovecot = Dovecot::start();
    let greeting = tls_greeting(dovecot.imaps, &dovecot.authority.ca);
    assert!(greeting.starts_with("* OK"), "{greeting}");
}

#[test]
fn postfix_delivers_to_dovecot() {
    let dovecot = Dovecot::start();
    let mut postfix = Postfix::start(&dovecot);
    let mut smtp = Handover::smtp(postfix.smtp);
    smtp.deliver("support@desk.test", "maria@raduga.example", LETTER);
    smtp.deliver("maria@raduga.example", "support+r.1@desk.test", LETTER);
    let refused = smtp.offer("support@desk.test", "nouser@raduga.example", LETTER);
    assert!(refused.starts_with("550 5.1.1"), "{refused}");
    for user in ["maria@raduga.example", DESK] {
        wait::until(user, SOON, || {
            (dovecot.letters(user, "INBOX").len() == 1).then_some(())
        });
    }
    let greeting = tls_greeting(postfix.submissions, &dovecot.authority.ca);
    assert!(greeting.starts_with("220"), "{greeting}");
    postfix.down();
    assert!(std::net::TcpStream::connect(("127.0.0.1", postfix.smtp)).is_err());
    postfix.up();
    Handover::smtp(postfix.smtp).deliver("support@desk.test", "oleg@raduga.example", LETTER);
}

#[tokio::test]
async fn postfix_demands_a_password_for_submission() {
    use lettre::transport::smtp::authentication::Credentials;
    use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
    use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

    let dovecot = Dovecot::start();
    let postfix = Postfix::start(&dovecot);
    let send = async |password: &str, port: u16, implicit: bool| {
        let ca = Certificate::from_pem(&std::fs::read(&dovecot.authority.ca).unwrap()).unwrap();
        let tls = TlsParameters::builder("localhost".to_owned())
            .add_root_certificate(ca)
            .build_rustls()
            .unwrap();
        let tls = if implicit {
            Tls::Wrapper(tls)
        } else {
            Tls::Required(tls)
        };
        let letter = lettre::Message::builder()
            .from("support@desk.test".parse().unwrap())
            .to("maria@raduga.example".parse().unwrap())
            .body("text".to_owned())
            .unwrap();
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("localhost")
            .port(port)
            .tls(tls)
            .credentials(Credentials::new(DESK.to_owned(), password.to_owned()))
            .build()
            .send(letter)
            .await
            .map(|answer| answer.code().to_string())
    };
    assert_eq!(
        send(PASSWORD, postfix.submission, false).await.unwrap(),
        "250"
    );
    assert_eq!(
        send(PASSWORD, postfix.submissions, true).await.unwrap(),
        "250"
    );
    assert!(send("wrong", postfix.submission, false).await.is_err());
}

#[tokio::test]
async fn postgres_gives_each_test_a_database_of_its_own() {
    use sqlx::{Connection, Row};
    let (one, two) = (Database::create(), Database::create());
    assert_ne!(one.url(), two.url());
    let mut connection = sqlx::PgConnection::connect(&one.url()).await.unwrap();
    let row = sqlx::query("SELECT current_database()::text")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(one.url().ends_with(&row.get::<String, _>(0)));
}

#[test]
fn a_guarded_server_and_its_children_end_with_its_owner() {
    let folder = tempfile::tempdir().unwrap().keep();
    let script = "sleep 300 & echo $! > child; wait";
    let command = ["sh", "-c", script].map(str::to_owned);
    let server = Guarded::start(&command, &folder, None, End::Kill);
    let child = wait::until("the child's number", SOON, || {
        std::fs::read_to_string(folder.join("child"))
            .ok()?
            .trim()
            .parse::<u32>()
            .ok()
    });
    let alive = |pid: u32| {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|s| !s.contains(") Z "))
    };
    assert!(server.runs() && alive(child));
    let pid = server.pid();
    drop(server);
    assert!(!alive(pid));
    wait::until("the child's end", SOON, || (!alive(child)).then_some(()));
    assert!(!folder.exists());
}

#[test]
fn the_sink_writes_down_refuses_and_hangs_up() {
    let sink = Sink::start_with(true, |to, _| match to {
        "never@x.example" => Fate::RefuseRecipient("550 5.1.1 no"),
        "later@x.example" => Fate::RefuseLetter("451 4.3.0 later"),
        _ => Fate::Take,
    });
    let mut client = Handover::smtp(sink.port);
    client.deliver("support@desk.test", "a@x.example", LETTER);
    assert!(
        client
            .offer("support@desk.test", "never@x.example", LETTER)
            .starts_with("550")
    );
    assert!(
        client
            .offer("support@desk.test", "later@x.example", LETTER)
            .starts_with("451")
    );
    let taken = sink.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].to, ["a@x.example"]);
    assert_eq!(taken[0].message_id, "<1@raduga.example>");
    assert_eq!(taken[0].raw, LETTER);
    assert!(sink.wait_for(SOON, |new| new.first().map(|_| ())).is_some());
    assert!(
        sink.wait_for(Duration::from_millis(20), |_| None::<()>)
            .is_none()
    );
}

#[test]
fn the_small_imap_server_tells_a_waiting_reader_at_once() {
    use std::io::{BufRead, BufReader, Write};
    let server = IdleImap::start();
    assert!(!server.someone_idles(Duration::from_millis(20)));
    let mut call =
        BufReader::new(std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap());
    let mut say = |text: &str, until: &str| {
        call.get_mut().write_all(text.as_bytes()).unwrap();
        let mut all = String::new();
        while !all.lines().last().is_some_and(|l| l.starts_with(until)) {
            assert!(call.read_line(&mut all).unwrap() > 0);
        }
        all
    };
    say("", "* OK");
    say("a LOGIN x y\r\n", "a OK");
    say("b SELECT INBOX\r\n", "b OK");
    say("c IDLE\r\n", "+ ");
    assert!(server.someone_idles(SOON));
    server.put(LETTER.to_vec());
    assert_eq!(say("", "* "), "* 1 EXISTS\r\n");
    say("DONE\r\n", "c OK");
    assert!(say("d UID SEARCH UID 1:*\r\n", "d OK").starts_with("* SEARCH 1\r\n"));
    let fetched = say(
        "e UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])\r\n",
        "e OK",
    );
    assert!(
        fetched.contains(std::str::from_utf8(LETTER).unwrap()),
        "{fetched}"
    );
    let window = say("f UID FETCH 1 (BODY.PEEK[]<6.5>)\r\n", "f OK");
    assert!(window.contains("BODY[]<6> {5}\r\na@rad)"), "{window}");
    assert_eq!(server.logins(), 1);
    let mut own = RawImap::login(server.port, "x", "y");
    assert_eq!(own.letters("INBOX")[0].raw, LETTER);
    assert_eq!(own.drain("INBOX").octets, LETTER.len() as u64);
}

#[test]
fn uid_sets_are_read_as_rfc_3501_has_them() {
    assert_eq!(members("1,4:5", 9), [1, 4, 5]);
    assert_eq!(members("8:*", 9), [8, 9]);
    assert_eq!(members("12:*", 9), [9]);
    assert_eq!(members("5:4", 9), [4, 5]);
    assert!(members("1:*", 0).is_empty());
}

#[test]
fn generated_letters_are_read_as_they_were_meant() {
    let all: Vec<Generated> = Generator::new(7, 400, 20, DESK).collect();
    let parser = MessageParser::default();
    for letter in &all {
        let read = parser.parse(&letter.raw).unwrap();
        let subject = read.subject().unwrap();
        assert!(subject.contains(&letter.token), "{subject}");
        assert!(!subject.contains(['?', '\u{fffd}']), "{subject}");
        let text = read.body_text(0).unwrap();
        assert!(
            text.contains(&format!("контроля: {}", letter.token)),
            "{text}"
        );
        assert!(
            text.contains("С уважением,") && !text.contains('\u{fffd}'),
            "{text}"
        );
        assert_eq!(
            read.attachment_count(),
            usize::from(letter.kind == Kind::Attachment)
        );
        assert_eq!(
            read.from().unwrap().first().unwrap().address(),
            Some(mailgen::sender(letter.sender).as_str())
        );
        match letter.parent {
            Some(parent) => {
                assert_eq!(
                    format!("<{}>", read.in_reply_to().as_text().unwrap()),
                    all[parent].message_id
                );
                assert_eq!(letter.sender, all[parent].sender);
                assert_eq!(letter.root, all[parent].root);
            }
            None => assert_eq!(letter.root, letter.index),
        }
        for line in letter.raw.split(|b| *b == b'\n') {
            assert!(line.len() < 998 && (line.is_empty() || line.ends_with(b"\r")));
        }
    }
    let share = |kind: Kind| all.iter().filter(|l| l.kind == kind).count();
    assert!((200..=280).contains(&share(Kind::Plain)));
    assert!((75..=125).contains(&share(Kind::Alternative)));
    assert!((40..=80).contains(&share(Kind::Attachment)));
    let follow_ups = all.iter().filter(|l| l.parent.is_some()).count();
    assert!((55..=105).contains(&follow_ups), "{follow_ups}");
    let average = all.iter().map(|l| l.raw.len()).sum::<usize>() / all.len();
    assert!((60_000..130_000).contains(&average), "{average}");
    let again: Vec<Generated> = Generator::new(7, 400, 20, DESK).collect();
    assert!(again.iter().zip(&all).all(|(a, b)| a.raw == b.raw));
}

/// The first line that a TLS server says to a client which trusts `ca`.
fn tls_greeting(port: u16, ca: &Path) -> String {
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, ServerName};
    use std::io::{BufRead, BufReader};
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(ca).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let call = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    call.set_read_timeout(Some(SOON)).unwrap();
    let mut line = String::new();
    BufReader::new(rustls::StreamOwned::new(client, call))
        .read_line(&mut line)
        .unwrap();
    line
}
