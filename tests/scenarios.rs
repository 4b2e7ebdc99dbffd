//! Behaviour as texts: every file of `tests/scenarios` is played on the whole way in, over a real database, and compared with what it says.
//!
//! A file begins with the rules it is about, a sentence, and, where it needs them, sections of configuration that replace those of the
//! fixed desk. Then come steps at the left margin and, indented, what the desk does; `UPDATE=1` rewrites the indented part.
//!
//! ```text
//! fri 2026-08-21 16:42:00  Олег → desk  «Поручение: исправить журнал»
//!   | the text of the letter
//!   + A-Header: added to it
//!     what the desk does …
//! ```
//! After the subject may stand: `reply TEMPLATE` (answers the last such letter that this person received), `plain reply` (the same with
//! all headers lost but the subject), `replyto NAME TEMPLATE` (answers a letter that somebody else received), `oversize` (more than the desk takes lay on the server), `same` (Message-ID and date of the
//! step before), `at NAME TEMPLATE` (to the reply address of such a letter to NAME, all headers lost), `unsigned` (our server says nothing of the sender), `forged` (it says that authentication failed),
//! `about NAME TEMPLATE` (`{id}` and `{to}` in the text are the Message-ID and the recipient of a letter that somebody received),
//! `signed` (our server says nothing, the sender's domain signed it), `tampered` (the same, and somebody added a line on the way), `replayed` (the letter of the step before, sent on to another `To:`),
//! `attached FILE` (a file of that name is attached; may stand several times), `returned TEMPLATE` (the desk's own letter comes back, byte for byte), `to ADDRESS`, `named NAME` (the display name, in one word), `from FIELD` (the whole `From:` field, to the end of the line), `again` (the same bytes as the step before, in another place), `read DATE TIME` (the daemon was down until then).
//! A step `DAY DATE TIME  tick` only lets time pass; `dns silent` and `dns answers` say what the DNS does from then on;
//! `resolved NUMBER`, `asked NUMBER`, `closed NUMBER`, `extended NUMBER DAYS` stand for a specialist who resolves a request, asks its requester, closes it or has it prolonged, where the commands are not what is tried;
//! `reload NAME` reloads after an edit of `customers/NAME.toml` (or of the
//! main file: `reload config`): each line `| OLD => NEW` replaces the first OLD by NEW (`\n` begins a new line), any other line is put behind the last.
//! `shown NAME TEMPLATE` prints the text of the last such letter to NAME.
//! Of a letter that tells a specialist what their commands did, the lines are shown below it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::too_many_lines,
    clippy::disallowed_methods,
    reason = "a test runner"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use futures::StreamExt as _;
use postdesk::clock::Clock;
use postdesk::config::{self, Config};
use postdesk::desk::course::{self, Ending};
use postdesk::desk::decide::{Concern, Decision, Onward, Verdict};
use postdesk::desk::event::Event;
use postdesk::desk::notice::{Notice, Purpose, Tells, Template, Thread};
use postdesk::desk::replay;
use postdesk::desk::request::{Number, Status};
use postdesk::desk::{ticking, why};
use postdesk::dns::resolver::Resolver;
use postdesk::inbound::Inbound;
use postdesk::mail::dkim::answer::Answer;
use postdesk::store::letters::{Fetched, Location};
use postdesk::store::outbox::Fate;
use postdesk::store::pool::Store;
use postdesk::store::work::Written;
use postdesk::succession;
use postdesk::takeover;
use postdesk::writing;

#[path = "support/signer.rs"]
mod signer;
use signer::Signer;

/// What stands behind each such word.
fn pairs_of<'a>(options: &'a [&'a str], word: &'a str) -> impl Iterator<Item = &'a str> {
    options
        .windows(2)
        .filter(move |w| w[0] == word)
        .map(|w| w[1])
}

/// How a step begins.
const DAYS: [&str; 7] = ["mon ", "tue ", "wed ", "thu ", "fri ", "sat ", "sun "];

/// The fixed cast: name in scenarios, address.
const CAST: [(&str, &str); 13] = [
    ("Мария", "maria@raduga.example"),
    ("Олег", "oleg@raduga.example"),
    ("Елена", "elena@raduga.example"),
    ("Игорь", "igor@raduga.example"),
    ("Пётр", "petr@raduga.example"),
    ("Директор", "director@raduga.example"),
    ("Виктор", "viktor@solnce.example"),
    ("Незнакомец", "ivan@elsewhere.example"),
    ("Анна", "petrova@desk.example"),
    ("Куратор", "curator@operator.example"),
    ("Ревизор", "auditor@operator.example"),
    ("Разработчик", "dev@developer.example"),
    ("desk", "support@desk.example"),
];

const MAIN: &str = r#"
[desk]
name = "Ситуационный центр"
address = "support@desk.example"
locale = "ru"
timezone = "Europe/Moscow"
secret_file = "secret"
[store]
url = "sqlite://desk.db"
[hours]
monday = ["09:00-12:30", "13:30-17:00"]
tuesday = ["09:00-12:30", "13:30-17:00"]
wednesday = ["09:00-12:30", "13:30-17:00"]
thursday = ["09:00-12:30", "13:30-17:00"]
friday = ["09:00-12:30", "13:30-16:00"]
[calendar]
production_calendar = "ru"
[[mailbox]]
name = "support"
maildir = "inbox"
strangers = "refuse"
authserv_ids = ["mx.desk.example"]
[smtp]
folder = "outbox"
[[specialist]]
name = "Петрова Анна Сергеевна"
email = "petrova@desk.example"
"#;

const RADUGA: &str = r#"
name = "МАУ ДО «Радуга»"
domains = ["raduga.example"]
official_addresses = ["director@raduga.example"]
contract = "№ 17 от 12.01.2026"
[[installation]]
id = "raduga-moodle"
name = "СЭО 3KL"
[[installation.representative]]
role = "primary"
name = "Иванова Мария Петровна"
email = "maria@raduga.example"
phone = "+7 900 000-00-01"
since = 2026-01-01
[[installation.representative]]
role = "additional"
name = "Смирнов Олег Игоревич"
email = "oleg@raduga.example"
phone = "+7 900 000-00-02"
since = 2026-01-01
[[installation.representative]]
role = "contract"
name = "Котова Елена Юрьевна"
email = "elena@raduga.example"
phone = "+7 900 000-00-03"
since = 2026-01-01
[[installation.representative]]
role = "additional"
name = "Волков Игорь Ильич"
email = "igor@raduga.example"
phone = "+7 900 000-00-04"
since = 2026-01-01
until = 2026-06-30
"#;

const SOLNCE: &str = r#"
name = "ООО «Солнце»"
domains = ["solnce.example"]
[[installation]]
id = "solnce-portal"
name = "Портал"
tags = ["[портал]"]
[[installation.representative]]
role = "primary"
name = "Белов Виктор Олегович"
email = "viktor@solnce.example"
phone = "+7 900 000-00-05"
since = 2026-01-01
[[installation]]
id = "solnce-shop"
name = "Магазин"
tags = ["[магазин]"]
[[installation.representative]]
role = "primary"
name = "Белов Виктор Олегович"
email = "viktor@solnce.example"
phone = "+7 900 000-00-05"
since = 2026-01-01
"#;

/// A letter that somebody received from the desk.
#[derive(Clone)]
struct Received {
    bytes: Vec<u8>,
    template: String,
    message_id: String,
    subject: String,
}

struct Play {
    dir: PathBuf,
    config: Arc<Config>,
    clock: Clock,
    store: Store,
    inbound: Inbound,
    dns: Arc<Mutex<BTreeMap<String, Answer>>>,
    received: BTreeMap<String, Vec<Received>>,
    letters: i64,
    last_raw: Vec<u8>,
    last_id: String,
    out: String,
}

#[derive(Default)]
struct Step {
    head: String,
    body: Vec<String>,
    headers: Vec<String>,
    shown: Vec<String>,
}

fn name_of(address: &str) -> String {
    CAST.iter()
        .find(|(_, a)| *a == address)
        .map_or_else(|| address.to_owned(), |(n, _)| (*n).to_owned())
}

fn address_of(name: &str) -> String {
    CAST.iter()
        .find(|(n, _)| *n == name)
        .map_or_else(|| name.to_owned(), |(_, a)| (*a).to_owned())
}

fn with_sections(base: &str, replaced: &str) -> String {
    let sections = |text: &str| {
        let mut list: Vec<(String, String)> = vec![(String::new(), String::new())];
        for line in text.lines() {
            if line.starts_with('[') {
                list.push((line.trim().to_owned(), String::new()));
            }
            let last = list.last_mut().unwrap();
            last.1.push_str(line);
            last.1.push('\n');
        }
        list
    };
    let new = sections(replaced);
    let mut out = String::new();
    for (head, text) in sections(base) {
        if !new.iter().any(|(h, _)| *h == head && !h.is_empty()) {
            out.push_str(&text);
        }
    }
    for (_, text) in new {
        out.push_str(&text);
    }
    out
}

fn write_config(dir: &Path, own: &BTreeMap<String, String>) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(dir.join("customers")).unwrap();
    let mut main = with_sections(MAIN, own.get("config").map_or("", String::as_str));
    if let Some(url) = database() {
        main = main.replace("sqlite://desk.db", &url);
    }
    std::fs::write(dir.join("postdesk.toml"), main).unwrap();
    for (name, text) in [("raduga", RADUGA), ("solnce", SOLNCE)] {
        let text = own.get(name).map_or(text, String::as_str);
        std::fs::write(dir.join(format!("customers/{name}.toml")), text).unwrap();
    }
    let secret = "1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    std::fs::write(dir.join("secret"), secret).unwrap();
    std::fs::set_permissions(dir.join("secret"), std::fs::Permissions::from_mode(0o600)).unwrap();
    dir.join("postdesk.toml")
}

/// Scenarios play on SQLite; the store's own tests run on both engines.
fn database() -> Option<String> {
    None
}

/// `fri 2026-08-21 16:42:00` (seconds may be left out) in the desk's zone; the day's name must be right.
fn moment(config: &Config, day: &str, date: &str, time: &str) -> DateTime<Utc> {
    let time = if time.len() == 5 {
        format!("{time}:00")
    } else {
        time.to_owned()
    };
    let local = NaiveDateTime::parse_from_str(&format!("{date} {time}"), "%Y-%m-%d %H:%M:%S")
        .unwrap_or_else(|e| panic!("{date} {time}: {e}"));
    assert_eq!(
        local.format("%a").to_string().to_lowercase(),
        day,
        "{date} is not a {day}"
    );
    config
        .desk
        .calendar
        .zone()
        .from_local_datetime(&local)
        .earliest()
        .unwrap_or_else(|| panic!("{date} {time} does not exist there"))
        .to_utc()
}

fn shown(config: &Config, rfc3339: &str) -> String {
    let at = DateTime::parse_from_rfc3339(rfc3339)
        .unwrap()
        .with_timezone(&config.desk.calendar.zone());
    let form = if at.format("%S").to_string() == "00" {
        "%a %Y-%m-%d %H:%M"
    } else {
        "%a %Y-%m-%d %H:%M:%S"
    };
    at.format(form).to_string().to_lowercase()
}

fn encoded(text: &str) -> String {
    if text.is_ascii() {
        text.to_owned()
    } else {
        text.chars()
            .collect::<Vec<_>>()
            .chunks(12)
            .map(|c| encoded_word(&c.iter().collect::<String>()))
            .collect::<Vec<_>>()
            .join("\r\n ")
    }
}

fn encoded_word(text: &str) -> String {
    let q: String = text
        .bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() {
                (b as char).to_string()
            } else {
                format!("={b:02X}")
            }
        })
        .collect();
    format!("=?utf-8?Q?{q}?=")
}

impl Play {
    async fn step(&mut self, step: &Step) {
        let words: Vec<&str> = step.head.split_whitespace().collect();
        let at = moment(&self.config, words[0], words[1], words[2]);
        if words[3] == "dns" {
            self.clock.set(at);
            self.dns_says(words[4]);
        } else if words[3] == "tick" {
            self.clock.set(at);
        } else if words[3] == "shown" {
            let letter = self.received_by(words[4], &address_of(words[4]), words[5]);
            let caps = postdesk::mail::parse::Caps::DEFAULT;
            let parsed = postdesk::mail::parse::read(&letter.bytes, caps);
            for line in parsed.text.trim_end().lines() {
                writeln!(self.out, "{}", format!("    : {line}").trim_end()).unwrap();
            }
            return;
        } else if let Some(to) = match words[3] {
            "resolved" => Some(Status::Resolved),
            "asked" => Some(Status::AwaitingInformation),
            "closed" => Some(Status::Closed),
            "extended" => Some(Status::InProgress),
            _ => None,
        } {
            self.clock.set(at);
            let days = words.get(5).map(|days| days.parse().unwrap());
            self.moved(words[4], to, days).await;
        } else if words[3] == "reload" {
            self.clock.set(at);
            self.reload(words[4], &step.body).await;
        } else {
            self.letter(step, at).await;
        }
        loop {
            let ticked = self.inbound.tick(&self.config).await.unwrap();
            let stepped = self.inbound.step(&self.config).await.unwrap();
            let now = self.clock.now();
            let main = self.dir.join("postdesk.toml");
            let wrote = succession::write(&self.store, &self.config, &main, now).await;
            let wrote = wrote.unwrap();
            if wrote.reload {
                self.load().await;
            } else if ticked.decided == 0 && stepped.is_idle() && wrote.written == 0 {
                break;
            }
        }
        self.show().await;
    }

    /// A specialist's work, for which there is no command yet: the request moves, or gets more days, and its requester is told.
    async fn moved(&mut self, number: &str, to: Status, days: Option<u32>) {
        let number = Number::read(number).unwrap();
        let now = self.clock.now();
        let request = self.store.request(number).await.unwrap().unwrap();
        let desk = &self.config.desk;
        let mut events = vec![match days {
            Some(days) => Event::Extended { days, at: now },
            None => Event::StatusChanged {
                to,
                by: None,
                why: "done".to_owned(),
                at: now,
                ending: (to == Status::Closed).then_some(Ending::Solved),
            },
        }];
        let stands = replay::after(&request, &events);
        let shown = course::replay(
            &desk.calendar,
            stands.matter.registration_day,
            desk.deadlines.answer,
            &stands.course.turns,
        );
        if stands.due != Some(shown.due) {
            events.push(Event::DueMoved { due: shown.due });
        }
        let stands = replay::after(&request, &events);
        let matter = &request.matter;
        let decision = Decision {
            verdict: Verdict::Attached,
            sender: None,
            concern: Concern::Existing(request.id),
            events,
            notices: vec![Notice {
                template: Template::StatusChanged,
                to: matter.requester.clone(),
                name: matter.requester_name.clone(),
                locale: matter.locale,
                purpose: Purpose::Reply,
                thread: Thread::default(),
                tells: Tells {
                    number: Some(number),
                    subject: matter.subject.clone(),
                    status: Some(stands.status),
                    due: stands.due,
                    why: why::of(desk, &stands, now),
                    ..Tells::default()
                },
            }],
            reasons: vec![],
            findings: Default::default(),
            onward: Some(Onward {
                succession: None,
                wakes: ticking::wakes(desk, &stands, now),
                course: stands.course,
                continues: stands.continues,
            }),
        };
        let mut work = self.store.begin().await.unwrap();
        let names = work.name(&decision);
        let (letters, _) = writing::write(&self.config, &decision, &names, now).unwrap();
        let written = Written {
            explanation: None,
            letters,
        };
        work.apply(None, &decision, &names, written, now).unwrap();
        work.commit().await.unwrap();
    }

    /// Somebody edits a file, and the daemon reloads.
    async fn reload(&mut self, name: &str, edits: &[String]) {
        let main = self.dir.join("postdesk.toml");
        let file = match name {
            "config" => main.clone(),
            customer => self.dir.join(format!("customers/{customer}.toml")),
        };
        let mut text = std::fs::read_to_string(&file).unwrap_or_default();
        for edit in edits {
            match edit.split_once(" => ") {
                Some((old, new)) => {
                    let old = &old.replace("\\n", "\n");
                    assert!(text.contains(old), "{name} has no {old}");
                    text = text.replacen(old, &new.replace("\\n", "\n"), 1);
                }
                None => writeln!(text, "{edit}").unwrap(),
            }
        }
        std::fs::write(&file, text).unwrap();
        self.load().await;
    }

    /// Reloads.
    async fn load(&mut self) {
        let main = self.dir.join("postdesk.toml");
        let loaded = config::load::load(&main, [], self.clock.now());
        self.config = Arc::new(loaded.unwrap_or_else(|f| panic!("{f}")).config);
        self.take_over().await;
    }

    /// What the daemon does at its start and after each reload.
    async fn take_over(&self) {
        let now = self.clock.now();
        takeover::appointments(&self.store, &self.config, now)
            .await
            .unwrap();
    }

    /// Every domain of the cast publishes the key that signs in scenarios.
    fn dns_says(&self, how: &str) {
        let mut dns = self.dns.lock().unwrap();
        for (_, address) in CAST {
            let signer = Signer::ed25519(address.rsplit('@').next().unwrap(), "scenario");
            let answer = match how {
                "silent" => Answer::Silent("the DNS does not answer"),
                "answers" => Answer::Found {
                    texts: vec![signer.record()],
                    secure: false,
                },
                other => panic!("dns {other}"),
            };
            dns.insert(signer.name(), answer);
        }
    }

    async fn letter(&mut self, step: &Step, at: DateTime<Utc>) {
        let head = step.head.as_str();
        let who = head.split_whitespace().nth(3).unwrap();
        let from = address_of(who);
        let options = head.rsplit_once('»').map_or("", |(_, o)| o.trim());
        let subject = head
            .split_once('«')
            .and_then(|(_, s)| s.rsplit_once('»'))
            .map_or("", |(s, _)| s);
        let mut read_at = at;
        let mut raw = String::new();
        let own_word = ["unsigned", " signed", "tampered", "replayed"];
        let options_line = format!(" {options}");
        if !own_word.iter().any(|o| options_line.contains(o)) || options.contains("forged") {
            let result = if options.contains("forged") {
                "fail"
            } else {
                "pass"
            };
            let domain = from.rsplit('@').next().unwrap();
            raw += &format!(
                "Authentication-Results: mx.desk.example;\r\n dmarc={result} header.from={domain}\r\n"
            );
        }
        let field = options
            .split_once("from ")
            .map(|(_, field)| field.to_owned());
        let named = options
            .split_whitespace()
            .skip_while(|o| *o != "named")
            .nth(1);
        let name = named.map_or_else(|| name_of(&from), str::to_owned);
        let field = field.unwrap_or_else(|| format!("{} <{from}>", encoded(&name)));
        raw += &format!("Received: from mx by mx.desk.example; x\r\nFrom: {field}\r\n");
        let options: Vec<&str> = options.split_whitespace().collect();
        let after = |word: &str| {
            options
                .iter()
                .position(|o| *o == word)
                .map(|i| options[i + 1])
        };
        let mut to = after("to").unwrap_or("support@desk.example").to_owned();
        if let Some(i) = options.iter().position(|o| *o == "at") {
            let reader = options[i + 1];
            let answered = self.received_by(reader, &address_of(reader), options[i + 2]);
            let caps = postdesk::mail::parse::Caps::DEFAULT;
            let letter = postdesk::mail::parse::read(&answered.bytes, caps);
            to = letter
                .reply_to
                .first()
                .expect("a reply address")
                .to_string();
        }
        raw += &format!("To: {to}\r\n");
        self.letters += 1;
        if !options.contains(&"same") {
            self.last_id = format!(
                "Message-ID: <{}@mail.example>\r\nDate: {}\r\n",
                self.letters,
                at.to_rfc2822()
            );
        }
        raw += &self.last_id;
        let mut subject = subject.to_owned();
        if let Some(template) = after("reply") {
            let answered = self.received_by(who, &from, template);
            if options[0] != "plain" {
                raw += &format!(
                    "In-Reply-To: <{0}>\r\nReferences: <{0}>\r\n",
                    answered.message_id
                );
            }
            if subject.is_empty() {
                subject = format!("Re: {}", answered.subject);
            }
        }
        if let Some(i) = options.iter().position(|o| *o == "replyto") {
            let reader = options[i + 1];
            let answered = self.received_by(reader, &address_of(reader), options[i + 2]);
            raw += &format!("In-Reply-To: <{}>\r\n", answered.message_id);
        }
        if let Some(i) = options.iter().position(|o| *o == "read") {
            read_at = moment(&self.config, options[i + 1], options[i + 2], options[i + 3]);
        }
        raw += &format!("Subject: {}\r\n", encoded(&subject));
        for header in &step.headers {
            raw += &format!("{header}\r\n");
        }
        raw += "MIME-Version: 1.0\r\n";
        let attached: Vec<&str> = pairs_of(&options, "attached").collect();
        if !attached.is_empty() {
            raw += "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
        }
        if !step.headers.iter().any(|h| h.starts_with("Content-Type:")) {
            raw += "Content-Type: text/plain; charset=utf-8\r\n";
        }
        raw += "Content-Transfer-Encoding: 8bit\r\n\r\n";
        raw += &step.body.join("\r\n");
        raw += "\r\n";
        for name in &attached {
            let field = format!("Content-Disposition: attachment; filename={name}");
            raw +=
                &format!("--b\r\nContent-Type: application/octet-stream\r\n{field}\r\n\r\nx\r\n");
        }
        if !attached.is_empty() {
            raw += "--b--\r\n";
        }
        if let Some(i) = options.iter().position(|o| *o == "about") {
            let reader = address_of(options[i + 1]);
            let lost = self.received_by(options[i + 1], &reader, options[i + 2]);
            raw = raw
                .replace("{id}", &lost.message_id)
                .replace("{to}", &reader);
        }
        if options.contains(&"signed") || options.contains(&"tampered") {
            let signer = Signer::ed25519(from.rsplit('@').next().unwrap(), "scenario");
            raw = signer.sign(&raw, "c=relaxed/relaxed; ", "from:subject:date");
        }
        if options.contains(&"tampered") {
            raw += "Added on the way.\r\n";
        }
        if options.contains(&"replayed") {
            let last = String::from_utf8(self.last_raw.clone()).unwrap();
            raw = last.replace("To: support@", "To: other@");
        }
        let raw = if options.contains(&"again") {
            self.last_raw.clone()
        } else {
            raw.into_bytes()
        };
        let raw = match after("returned") {
            Some(template) => self.received_by(who, &from, template).bytes,
            None => raw,
        };
        self.last_raw.clone_from(&raw);
        let location = Location {
            uidvalidity: 1,
            uid: self.letters,
        };
        let fetched = Fetched {
            location,
            arrived: at,
            raw,
            oversize: options.contains(&"oversize").then_some(1 << 30),
        };
        self.clock.set(read_at);
        self.store
            .keep("support", &[fetched], None, read_at)
            .await
            .unwrap();
    }

    fn received_by(&self, who: &str, address: &str, template: &str) -> Received {
        let list = self.received.get(address).cloned().unwrap_or_default();
        let found = list.iter().rev().find(|r| r.template == template);
        found
            .unwrap_or_else(|| panic!("{who} received no {template}"))
            .clone()
    }

    /// What happened since the last step: decided letters, numbers given, letters written.
    async fn show(&mut self) {
        let now = self.clock.now();
        let mut lines = Vec::new();
        let caps = postdesk::mail::parse::Caps::DEFAULT;
        let id = postdesk::mail::parse::read(&self.last_raw, caps)
            .message_id
            .unwrap_or_default();
        if let Some(record) = self.store.record_by_message_id(&id).await.unwrap()
            && record.decided == Some(now)
        {
            let explanation: serde_json::Value =
                serde_json::from_str(&record.explanation.unwrap()).unwrap();
            lines.push(self.verdict(&explanation));
            for list in ["/reasons", "/evidence/for", "/evidence/against", "/faults"] {
                for said in explanation.pointer(list).unwrap().as_array().unwrap() {
                    let said = said.as_str().unwrap();
                    let russian = postdesk::mail::russian::said(said);
                    assert!(russian.is_some(), "src/mail/russian.txt lacks: {said}");
                }
            }
            let entries = |key: &str| explanation[key].as_array().cloned().unwrap_or_default();
            for other in entries("alternatives") {
                let number = other["number"].as_str().unwrap_or("any request");
                let (clue, why) = (&other["clue"], &other["why"]);
                let said = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
                lines.push(format!("not {number}, for {}: {}", said(clue), said(why)));
            }
            for cap in entries("caps") {
                lines.push(format!("limit {}", cap.as_str().unwrap()));
            }
        }
        let mut requests = self.store.requests(None, None).await.unwrap();
        for over in [Status::Resolved, Status::Closed] {
            requests.extend(self.store.requests(Some(over), None).await.unwrap());
        }
        requests.sort_by_key(|r| (r.number.is_none(), r.number, r.id));
        for request in requests {
            let history = self.store.history(request.id).await.unwrap();
            for line in history.iter().filter(|l| {
                // Of notes only those that lead to another request.
                let hint = l.data.contains("follow-up") || l.data.contains("passes on");
                let told = match l.word.as_str() {
                    "attached" | "queued" => false,
                    "noted" => hint,
                    _ => true,
                };
                l.at == now && told
            }) {
                let name = request
                    .number
                    .map_or_else(|| "(queued)".to_owned(), |n| n.to_string());
                let state = format!("{}, {}", request.matter.kind.word(), request.status.word());
                lines.push(match line.word.as_str() {
                    "noted" => {
                        let said: serde_json::Value = serde_json::from_str(&line.data).unwrap();
                        format!("{name} notes: {}", said["what"].as_str().unwrap())
                    }
                    "registered" => format!(
                        "{name} registered on {}: {state}, due {}",
                        request.matter.registration_day,
                        shown(&self.config, &request.due.unwrap().to_rfc3339())
                    ),
                    "succession" => {
                        let said: serde_json::Value = serde_json::from_str(&line.data).unwrap();
                        let step = &said["step"];
                        let key = step.as_object().and_then(|o| o.keys().next());
                        let step = key.map_or_else(|| step.as_str().unwrap(), String::as_str);
                        format!("{name} succession {step}: {state}")
                    }
                    // What it is due at is what the clock gives, whatever becomes known late.
                    "due-moved" => format!(
                        "{name} due-moved: {state}, due {}",
                        shown(&self.config, &request.due.unwrap().to_rfc3339())
                    ),
                    other => format!("{name} {other}: {state}"),
                });
            }
        }
        for line in self.store.history_of_the_desk().await.unwrap() {
            if line.at == now && line.word != "roll-taken" {
                let said: serde_json::Value = serde_json::from_str(&line.data).unwrap();
                let told = |key: &str| said[key].as_str().unwrap_or("-").to_owned();
                let who = name_of(said["person"]["address"].as_str().unwrap_or("-"));
                lines.push(format!("{} {}: {who}", told("installation"), line.word));
            }
        }
        let due = self.store.settle_and_claim(&[], 1000, now).await.unwrap();
        let mut settled = Vec::new();
        for letter in &due {
            let text = String::from_utf8_lossy(&letter.bytes).into_owned();
            let parsed =
                postdesk::mail::parse::read(text.as_bytes(), postdesk::mail::parse::Caps::DEFAULT);
            let template = self.store.template_of(letter.id).await.unwrap();
            let mut line = format!(
                "→ {}  {template}  «{}»",
                name_of(&letter.recipient),
                parsed.subject
            );
            // Whoever is asked to answer for a text must see that text.
            let asking = [
                "challenge",
                "ask-installation",
                "order-to-confirm",
                "consent-asked",
                "extension-asked",
            ];
            if asking.contains(&template.as_str()) {
                let cited = parsed.text.lines().find_map(|l| l.strip_prefix("> "));
                write!(line, ", citing «{}»", cited.unwrap_or_default()).unwrap();
            }
            if template == "succession-state" {
                let said = parsed.text.lines().filter_map(|l| l.strip_prefix("- "));
                write!(line, ", saying «{}»", said.collect::<Vec<_>>().join("; ")).unwrap();
            }
            if template == "for-developer" {
                for file in &parsed.attachments {
                    write!(line, ", with {} ({} octets)", file.name, file.size).unwrap();
                }
            }
            // Why the requester waits longer, or not any more, is theirs to read.
            if ["consent-declined", "extended"].contains(&template.as_str()) {
                let cited = parsed.text.lines().find_map(|l| l.strip_prefix("> "));
                write!(line, ", because «{}»", cited.unwrap_or_default()).unwrap();
            }
            if template == "specialist-alert"
                && let Some((_, why)) = parsed.text.split_once("Причина: ")
                && parsed.text.contains("не доставлено")
            {
                write!(
                    line,
                    ", because «{}»",
                    why.lines().next().unwrap_or_default().trim()
                )
                .unwrap();
            }
            if template == "specialist-alert" && parsed.text.contains("postdesk explain") {
                line += ", the last for an hour";
            }
            // A specialist's own words, as they reach the customer.
            let cited = parsed.text.lines().find_map(|l| l.strip_prefix("> "));
            if let ("status-changed", Some(cited)) = (template.as_str(), cited) {
                write!(line, ", saying «{cited}»").unwrap();
            }
            lines.push(line);
            if template == "transcript" {
                let told = parsed.text.lines().skip_while(|l| !l.starts_with("- "));
                let told = told.take_while(|l| l.starts_with("- ") || l.starts_with("  "));
                lines.extend(told.map(|l| format!("    {l}")));
            }
            self.received
                .entry(letter.recipient.clone())
                .or_default()
                .push(Received {
                    bytes: letter.bytes.clone(),
                    template,
                    message_id: letter.message_id.clone(),
                    subject: parsed.subject,
                });
            settled.push((letter.id, Fate::Sent("250 ok".into())));
        }
        self.store.settle_and_claim(&settled, 0, now).await.unwrap();
        if lines.is_empty() {
            lines.push("nothing".into());
        }
        for line in lines {
            writeln!(self.out, "    {line}").unwrap();
        }
    }

    fn verdict(&self, explanation: &serde_json::Value) -> String {
        let get = |key: &str| {
            explanation
                .get(key)
                .and_then(|v| v.as_str())
                .map(str::to_owned)
        };
        let mut line = get("verdict").unwrap();
        match line.as_str() {
            "queued" => write!(
                line,
                " until {}, as {} {}",
                shown(&self.config, &get("opens").unwrap()),
                if get("kind").as_deref() == Some("order") {
                    "an"
                } else {
                    "a"
                },
                get("kind").unwrap()
            )
            .unwrap(),
            "attached" | "automatic" if get("number").is_some() => {
                write!(line, " to {}", get("number").unwrap()).unwrap()
            }
            _ => {}
        }
        let assurance = explanation
            .pointer("/assurance/level")
            .and_then(|v| v.as_str())
            .unwrap();
        let role = explanation
            .pointer("/sender/role")
            .and_then(|v| v.as_str())
            .unwrap_or("-");
        format!("{line}  ({role}, {assurance})")
    }
}

fn parse(text: &str) -> (Vec<String>, BTreeMap<String, String>, Vec<Step>) {
    let mut head = Vec::new();
    let mut own: BTreeMap<String, String> = BTreeMap::new();
    let mut section: Option<String> = None;
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        let is_step = line.len() > 4 && DAYS.contains(&line.get(..4).unwrap_or(""));
        if is_step {
            section = None;
            steps.push(Step {
                head: line.to_owned(),
                ..Step::default()
            });
        } else if let Some(step) = steps.last_mut() {
            if let Some(body) = line
                .strip_prefix("  | ")
                .or_else(|| line.strip_prefix("  |"))
            {
                step.body.push(body.to_owned());
            } else if let Some(header) = line.strip_prefix("  + ") {
                step.headers.push(header.to_owned());
            } else if !line.starts_with("    ") {
                step.shown.push(line.to_owned());
            }
        } else {
            head.push(line.to_owned());
            if let Some(name) = line
                .strip_suffix(':')
                .filter(|l| ["config", "raduga", "solnce"].contains(l))
            {
                section = Some(name.to_owned());
            } else if let (Some(name), Some(rest)) = (&section, line.strip_prefix("  ")) {
                let entry = own.entry(name.clone()).or_default();
                entry.push_str(rest);
                entry.push('\n');
            }
        }
    }
    (head, own, steps)
}

async fn play(text: &str) -> String {
    let (head, own, steps) = parse(text);
    let dir = tempfile::tempdir().unwrap();
    let path = write_config(dir.path(), &own);
    let loaded = config::load::load(&path, [], "2026-08-01T00:00:00Z".parse().unwrap());
    let config = loaded.unwrap_or_else(|f| panic!("{f}")).config;
    let config = Arc::new(config);
    let store = Store::open(&config.store_url).await.unwrap();
    let first = steps
        .first()
        .map(|s| {
            let words: Vec<&str> = s.head.split_whitespace().collect();
            moment(&config, words[0], words[1], words[2])
        })
        .expect("a scenario has steps");
    let clock = Clock::manual(first);
    let dns = Arc::default();
    let inbound = Inbound::new(store.clone(), clock.clone(), Arc::default())
        .asking(Resolver::told(Arc::clone(&dns)))
        .checking_by(PathBuf::from(env!("CARGO_BIN_EXE_postdesk")));
    let mut play = Play {
        dir: dir.path().to_owned(),
        config,
        clock,
        store,
        inbound,
        dns,
        received: BTreeMap::new(),
        letters: 0,
        last_raw: vec![],
        last_id: "Message-ID: <0@mail.example>\r\n".into(),
        out: String::new(),
    };
    play.dns_says("answers");
    play.take_over().await;
    play.out.push_str(&head.join("\n"));
    if !head.is_empty() {
        play.out.push('\n');
    }
    for step in &steps {
        writeln!(play.out, "{}", step.head).unwrap();
        for header in &step.headers {
            writeln!(play.out, "  + {header}").unwrap();
        }
        for body in &step.body {
            writeln!(play.out, "{}", format!("  | {body}").trim_end()).unwrap();
        }
        play.step(step).await;
        for other in &step.shown {
            writeln!(play.out, "{other}").unwrap();
        }
    }
    let chain = play.store.verify_chain().await.unwrap();
    assert!(
        matches!(chain, postdesk::store::history::ChainState::Whole { .. }),
        "{chain:?}"
    );
    play.out
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_out_as_it_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no scenarios");
    let only = std::env::var("SCENARIO").ok();
    files.retain(|f| {
        only.as_ref()
            .is_none_or(|o| f.to_string_lossy().contains(o.as_str()))
    });
    let plays = files.into_iter().map(|file| async move {
        let written = std::fs::read_to_string(&file).unwrap();
        let text = written.clone();
        let played = tokio::spawn(async move { play(&text).await }).await;
        let played = played.unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        (file, written, played)
    });
    let mut plays = futures::stream::iter(plays).buffered(4);
    let mut differing = Vec::new();
    while let Some((file, written, played)) = plays.next().await {
        if played == written {
            continue;
        }
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &played).unwrap();
        } else {
            eprintln!(
                "=== {} says\n{written}\n=== and it comes out as\n{played}",
                file.display()
            );
            differing.push(file);
        }
    }
    assert!(
        differing.is_empty(),
        "{} scenarios come out otherwise (UPDATE=1 rewrites them): {differing:?}",
        differing.len()
    );
}
