//! The life of requests by mail alone, on real servers: customer, primary, specialist, approver and developer each with a mailbox of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::desk::Desk;
use super::post::{ANNA, DESK, MARIA, OLEG, SOON, field, letter, number, subject, text, until};
use super::town::{Town, Way};

/// The approver.
const DARYA: &str = "darya@ministry.example";
/// The developer.
const EGOR: &str = "egor@makers.example";
/// Stands in every text that stays inside.
const INNERMOST: &str = "INNERMOST-5Kx";

const PEOPLE: &str = r#"
[kinds]
fault_patterns = ['не (работает|открывается)']
[[approver]]
name = "Дарья Куратор"
email = "darya@ministry.example"
types = ["fault", "improvement", "extension"]
[[developer]]
name = "Егор Разработчик"
email = "egor@makers.example"
"#;

/// Everybody's letters, and how many of each reader's were looked at.
struct Post<'a> {
    town: &'a Town,
    written: u32,
}

impl Post<'_> {
    /// A letter from this person; with `to` it answers that letter.
    fn write(&mut self, from: &str, about: &str, words: &str, to: Option<&[u8]>) {
        self.written += 1;
        let id = format!("w{}@{}", self.written, from.rsplit('@').next().unwrap());
        let mut more = vec![];
        let mut about = about.to_owned();
        if let Some(answered) = to {
            let id = field(answered, "Message-ID");
            more.push(format!("In-Reply-To: {id}"));
            more.push(format!("References: {id}"));
            about = format!("Re: {}", subject(answered));
        }
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        self.town
            .mail(from, &letter(from, &about, &id, words, &more));
    }

    /// The newest letter to this person whose text has these words, once it is there.
    fn told(&self, person: &str, words: &str) -> Vec<u8> {
        until(&format!("{person} is told «{words}»"), SOON, || {
            let letters = self.town.dovecot.letters(person, "INBOX");
            let found = letters.into_iter().rev().map(|l| l.raw);
            found.into_iter().find(|raw| {
                let whole = format!("{}\n{}", subject(raw), text(raw));
                whole.contains(words)
            })
        })
    }
}

/// Waits until a request has this status.
fn stands(desk: &Desk, number: &str, status: &str) {
    until(&format!("{number} is {status}"), SOON, || {
        (desk.json(&["request", number, "--json"])["status"] == status).then_some(())
    });
}

/// R19, R22, R23, R24, R39: asked, asked back, answered, resolved, thanked, closed: one thread in the customer's mailbox.
#[test]
fn a_question_from_its_registration_to_its_end() {
    let town = Town::new();
    let desk = Desk::new(&format!("{PEOPLE}{}", town.sections(Way::ImapsSubmission)));
    let daemon = desk.connected(1);
    let mut post = Post {
        town: &town,
        written: 0,
    };
    post.write(MARIA, "Как открыть журнал?", "Подскажите.", None);
    let acknowledged = post.told(MARIA, "зарегистрирован");
    let number = number(&acknowledged);
    let internal = post.told(ANNA, &number);
    post.write(ANNA, "", "#уточнить\nКакой у вас браузер?", Some(&internal));
    let asked = post.told(MARIA, "Какой у вас браузер?");
    stands(&desk, &number, "awaiting-information");
    post.write(MARIA, "", "Firefox.", Some(&asked));
    post.told(ANNA, "Firefox.");
    stands(&desk, &number, "in-progress");
    let note = format!("#заметка\nЗвонили им уже. {INNERMOST}");
    post.write(ANNA, "", &note, Some(&internal));
    post.write(
        ANNA,
        "",
        "#решен\nОткройте раздел «Журнал» в новом окне.",
        Some(&internal),
    );
    let solved = post.told(MARIA, "Откройте раздел «Журнал» в новом окне.");
    stands(&desk, &number, "resolved");
    post.write(MARIA, "", "Спасибо!", Some(&solved));
    stands(&desk, &number, "closed");
    // One thread: everything that the customer has names the letter that began it.
    for letter in town.dovecot.letters(MARIA, "INBOX") {
        let references = field(&letter.raw, "References");
        assert!(
            references.contains("w1@raduga.example"),
            "{references} in {}",
            subject(&letter.raw)
        );
        assert!(!text(&letter.raw).contains(INNERMOST));
    }
    assert_eq!(desk.gapless(), 0, "no request is open any more");
    daemon.stop();
}

/// R20, R25, R26, R27: a fault waits for the approver's consent, goes to the developer and comes back; more time is agreed to.
#[test]
fn a_fault_with_consent_developer_and_more_time() {
    let town = Town::new();
    let desk = Desk::new(&format!("{PEOPLE}{}", town.sections(Way::ImapsSubmission)));
    let daemon = desk.connected(1);
    let mut post = Post {
        town: &town,
        written: 0,
    };
    post.write(OLEG, "Журнал не открывается", "Белый экран.", None);
    let number = number(&post.told(OLEG, "зарегистрирован"));
    let internal = post.told(ANNA, &number);
    let asked = post.told(DARYA, "Белый экран.");
    post.write(DARYA, "", "Согласовано", Some(&asked));
    post.told(ANNA, "огласова");
    let words = format!("#разработчику\nПосмотрите, пожалуйста. {INNERMOST}");
    post.write(ANNA, "", &words, Some(&internal));
    let handed = post.told(EGOR, "Белый экран.");
    stands(&desk, &number, "with-developer");
    let words = format!("Исправил в ветке. {INNERMOST}");
    post.write(EGOR, "", &words, Some(&handed));
    post.told(ANNA, "Исправил в ветке.");
    stands(&desk, &number, "in-progress");
    let before = desk.json(&["request", &number, "--json"])["due"].clone();
    post.write(ANNA, "", "#продлить 2 ждём поставщика", Some(&internal));
    let asked = post.told(DARYA, "ждём поставщика");
    post.write(DARYA, "", "Согласовано", Some(&asked));
    until("the due moment moved", SOON, || {
        (desk.json(&["request", &number, "--json"])["due"] != before).then_some(())
    });
    post.told(OLEG, "ждём поставщика");
    for letter in town.dovecot.letters(OLEG, "INBOX") {
        assert!(!text(&letter.raw).contains(INNERMOST));
    }
    daemon.stop();
}

/// R44: a letter that only says «Статус» is answered with the sender's open requests.
#[test]
fn requesters_serve_themselves() {
    let town = Town::new();
    let desk = Desk::new(&town.sections(Way::ImapsSubmission));
    let daemon = desk.connected(1);
    let mut post = Post {
        town: &town,
        written: 0,
    };
    post.write(MARIA, "Как открыть отчёт?", "Подскажите.", None);
    let number = number(&post.told(MARIA, "зарегистрирован"));
    // Nothing but the word, in the subject as well.
    let asks = format!(
        "Authentication-Results: mx.desk.test; dmarc=pass header.from=raduga.example\r\nFrom: <{MARIA}>\r\nTo: <{DESK}>\r\n\
         Subject: =?utf-8?B?{}?=\r\nMessage-ID: <status@raduga.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nСтатус\r\n",
        STANDARD.encode("Статус")
    );
    town.mail(MARIA, asks.as_bytes());
    let list = until("the list comes", SOON, || {
        let letters = town.dovecot.letters(MARIA, "INBOX");
        letters
            .into_iter()
            .map(|l| l.raw)
            .find(|raw| field(raw, "In-Reply-To") == "<status@raduga.example>")
    });
    assert!(text(&list).contains(&number), "{}", text(&list));
    assert_eq!(desk.gapless(), 1, "asking is no request");
    daemon.stop();
}
