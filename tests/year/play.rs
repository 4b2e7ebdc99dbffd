//! One play of the year: the real way in over a real database, a clock of its own, and the letters that leave read back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use postdesk::clock::Clock;
use postdesk::config::{self, Config};
use postdesk::inbound::Inbound;
use postdesk::mail::parse::{self, Caps};
use postdesk::store::history::ChainState;
use postdesk::store::letters::{Fetched, Location};
use postdesk::store::outbox::Fate;
use postdesk::store::pool::Store;
use sqlx::{Row as _, SqlitePool};

use super::cast::{self, Person, Role};
use super::deeds::{COMMANDS, Deed, What};
use super::letters::{Stamp, Written, bounce};
use super::oracle::{Entry, INNERMOST, Oracle, Sent, Truth};

/// A letter that somebody has from the desk.
#[derive(Debug, Clone)]
struct Received {
    message_id: String,
    subject: String,
    template: String,
}

/// Letters that each reader keeps to answer.
const KEPT: usize = 12;

pub(crate) struct Play {
    dir: tempfile::TempDir,
    config: Arc<Config>,
    clock: Clock,
    store: Store,
    reader: SqlitePool,
    inbound: Inbound,
    people: Vec<Person>,
    by_address: BTreeMap<String, Person>,
    received: BTreeMap<String, VecDeque<Received>>,
    serial: u64,
    last: Vec<u8>,
    read_to: i64,
    down_until: Option<DateTime<Utc>>,
    pub(crate) oracle: Oracle,
    /// The last lines of what was done, for people.
    pub(crate) told: Vec<String>,
}

/// What went wrong, at which deed.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) deed: usize,
    pub(crate) why: String,
}

impl Play {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir_in(memory()).unwrap();
        let path = cast::write(dir.path());
        let first: DateTime<Utc> = "2026-01-12T04:00:00Z".parse().unwrap();
        let config = config::load::load(&path, [], first).unwrap_or_else(|f| panic!("{f}"));
        let config = Arc::new(config.config);
        let store = Store::open(&config.store_url).await.unwrap();
        let clock = Clock::manual(first);
        let inbound = Inbound::new(store.clone(), clock.clone(), Arc::default());
        let file = dir.path().join("desk.db");
        let reader = SqlitePool::connect(&format!("sqlite://{}?mode=ro", file.display()))
            .await
            .unwrap();
        let people = cast::people();
        Self {
            dir,
            config,
            clock,
            store,
            reader,
            inbound,
            by_address: people
                .iter()
                .map(|p| (p.address.clone(), p.clone()))
                .collect(),
            people,
            received: BTreeMap::new(),
            serial: 0,
            last: vec![],
            read_to: 0,
            down_until: None,
            oracle: Oracle::default(),
            told: vec![],
        }
    }

    /// Plays the deeds one after the other; everything that must hold is looked at after each.
    pub(crate) async fn all(&mut self, deeds: &[Deed]) -> Result<(), Broken> {
        for (at, deed) in deeds.iter().enumerate() {
            let broken = |why| Broken { deed: at, why };
            self.pass(TimeDelta::seconds(deed.after))
                .await
                .map_err(broken)?;
            self.deed(deed).await.map_err(broken)?;
        }
        let at = deeds.len().saturating_sub(1);
        self.down_until = None;
        self.settle()
            .await
            .map_err(|why| Broken { deed: at, why })?;
        match self.store.verify_chain().await.unwrap() {
            ChainState::Whole { .. } => Ok(()),
            broken => Err(Broken {
                deed: at,
                why: format!("{broken:?} (P4)"),
            }),
        }
    }

    /// Time passes; what it brings happens at its moment, unless the daemon is down.
    async fn pass(&mut self, span: TimeDelta) -> Result<(), String> {
        let until = self.clock.now() + span;
        if let Some(up) = self.down_until {
            if until < up {
                self.clock.set(until);
                return Ok(());
            }
            self.clock.set(up.max(self.clock.now()));
            self.down_until = None;
            self.settle().await?;
        }
        while let Some(next) = self.store.next_moment().await.unwrap() {
            if next > until {
                break;
            }
            self.clock.set(next.max(self.clock.now()));
            let before = self.clock.now();
            if !self.settle().await? && self.store.next_moment().await.unwrap() == Some(next) {
                return Err(format!(
                    "Something is due at {next} and never done ({before})"
                ));
            }
        }
        self.clock.set(until);
        Ok(())
    }

    /// Lets the desk work until nothing is left to do, and judges it; whether there was anything.
    async fn settle(&mut self) -> Result<bool, String> {
        let mut worked = false;
        for round in 0.. {
            let ticked = self
                .inbound
                .tick(&self.config)
                .await
                .map_err(|e| format!("{e:#}"))?;
            let stepped = self
                .inbound
                .step(&self.config)
                .await
                .map_err(|e| format!("{e:#}"))?;
            if ticked.decided == 0 && stepped.is_idle() {
                break;
            }
            worked = true;
            if round > 2_000 {
                return Err("The desk never comes to rest".to_owned());
            }
        }
        if worked {
            self.judge().await?;
        }
        Ok(worked)
    }

    async fn judge(&mut self) -> Result<(), String> {
        let waiting: i64 = sqlx::query("SELECT COUNT(*) FROM letters WHERE decided_us IS NULL")
            .fetch_one(&self.reader)
            .await
            .unwrap()
            .get(0);
        if waiting > 0 {
            return Err(format!("{waiting} letters were not decided on (P1)"));
        }
        let rows = sqlx::query(
            "SELECT seq, request_id, letter_id, kind, data FROM events WHERE seq > ? ORDER BY seq",
        )
        .bind(self.read_to)
        .fetch_all(&self.reader)
        .await
        .unwrap();
        for row in rows {
            self.read_to = row.get(0);
            let data: Option<String> = row.get(4);
            self.oracle.happened(&Entry {
                request: row.get(1),
                letter: row.get(2),
                kind: row.get(3),
                data: data.map_or_else(Default::default, |d| serde_json::from_str(&d).unwrap()),
            })?;
        }
        self.post().await
    }

    /// The letters that leave, delivered to their readers.
    async fn post(&mut self) -> Result<(), String> {
        let now = self.clock.now();
        let zone = self.config.desk.calendar.zone();
        let mut settled = Vec::new();
        loop {
            let due = self
                .store
                .settle_and_claim(&settled, 1000, now)
                .await
                .unwrap();
            settled = due
                .iter()
                .map(|l| (l.id, Fate::Sent("250 ok".into())))
                .collect();
            if due.is_empty() {
                return Ok(());
            }
            for letter in due {
                let template = self.store.template_of(letter.id).await.unwrap();
                let read = parse::read(&letter.bytes, Caps::DEFAULT);
                let html = String::from_utf8_lossy(&letter.bytes).into_owned();
                self.oracle.sent(
                    &Sent {
                        recipient: letter.recipient.clone(),
                        template: template.clone(),
                        message_id: letter.message_id.clone(),
                        text: format!("{}\n{html}", read.text),
                        at: now,
                    },
                    zone,
                    &self.by_address,
                )?;
                let kept = self.received.entry(letter.recipient).or_default();
                kept.push_back(Received {
                    message_id: letter.message_id,
                    subject: read.subject,
                    template,
                });
                if kept.len() > KEPT {
                    kept.pop_front();
                }
            }
        }
    }

    async fn deed(&mut self, deed: &Deed) -> Result<(), String> {
        if let What::Down(hours) = deed.what {
            self.down_until = Some(self.clock.now() + TimeDelta::hours(i64::from(hours)));
            self.tell(deed, "the daemon goes down");
            return Ok(());
        }
        let person = self.people[deed.who].clone();
        self.serial += 1;
        let now = self.clock.now();
        let Some((raw, genuine)) = self.letter(deed, &person) else {
            return Ok(());
        };
        self.last.clone_from(&raw);
        let mailbox = if person.role == Role::Stranger && deed.pick.is_multiple_of(3) {
            "open"
        } else {
            "support"
        };
        let fetched = Fetched {
            location: Location {
                uidvalidity: 1,
                uid: i64::try_from(self.serial).unwrap(),
            },
            arrived: now,
            raw,
            oversize: None,
        };
        let kept = self
            .store
            .keep(mailbox, &[fetched], None, now)
            .await
            .unwrap();
        let writer = genuine.then_some(person);
        self.oracle.knows(kept[0].id.0, Truth { writer });
        if self.down_until.is_none() {
            self.settle().await?;
        }
        Ok(())
    }

    fn tell(&mut self, deed: &Deed, what: &str) {
        let at = self
            .clock
            .now()
            .with_timezone(&self.config.desk.calendar.zone());
        let who = &self.people[deed.who].address;
        self.told
            .push(format!("{}  {who}: {what}", at.format("%a %F %T")));
    }

    /// One of the letters that this person has from the desk, the later the likelier.
    fn answered(&self, person: &Person, pick: u64, wanted: &[&str]) -> Option<Received> {
        let list = self.received.get(&person.address)?;
        let fitting: Vec<&Received> = list
            .iter()
            .rev()
            .filter(|r| wanted.is_empty() || wanted.contains(&r.template.as_str()))
            .collect();
        let among = fitting.len().min(1 + usize::try_from(pick % 4).unwrap());
        let place = usize::try_from(pick / 7).unwrap_or(0).checked_rem(among)?;
        fitting.get(place).map(|r| (*r).clone())
    }

    /// The bytes, and whether this person truly wrote them.
    fn letter(&mut self, deed: &Deed, person: &Person) -> Option<(Vec<u8>, bool)> {
        let (from, pick, serial) = (person.address.as_str(), deed.pick, self.serial);
        let at = self.clock.now();
        let mut genuine = true;
        let written = match deed.what {
            What::Ask => Written::new(
                from,
                &format!("Как открыть журнал {serial}?"),
                "Подскажите, пожалуйста.",
            ),
            What::Order => {
                let tag = person.customer.map(|c| cast::installations(c)[0].clone());
                let tag = tag.filter(|_| pick % 3 != 0).map(|t| format!("[{t}] "));
                let subject = format!("Поручение: {}исправить {serial}", tag.unwrap_or_default());
                Written::new(from, &subject, "Исправьте, пожалуйста.")
            }
            What::Fault => {
                let what = if pick % 2 == 0 {
                    "Всё сломалось"
                } else {
                    "Надо улучшить отчёт"
                };
                Written::new(from, &format!("{what} {serial}"), "Вот так.")
            }
            What::SelfService => {
                let word = ["Статус", "История", "Помощь"][usize::try_from(pick % 3).unwrap()];
                Written::new(from, word, word)
            }
            What::Reply
            | What::Thanks
            | What::Confirm
            | What::Decline
            | What::Note
            | What::Command(_) => self.answer(deed, person)?,
            What::Vacation => {
                let to = self.answered(person, pick, &[])?;
                let mut notice =
                    Written::new(from, &format!("Автоответ: {}", to.subject), "Я в отпуске.");
                notice.answers = Some(to.message_id);
                notice
                    .headers
                    .push("Auto-Submitted: auto-replied".to_owned());
                notice
            }
            What::Bounce => {
                let to = self.answered(person, pick, &[])?;
                self.tell(deed, &format!("a bounce of «{}»", to.subject));
                return Some((bounce(from, &to.message_id, serial, at), true));
            }
            What::Again => {
                if self.last.is_empty() {
                    return None;
                }
                self.tell(deed, "the letter before once more");
                // The truth about these bytes is known already.
                return Some((self.last.clone(), false));
            }
            What::ForgedOrder => {
                genuine = false;
                let mut forged =
                    Written::new(from, &format!("Поручение: удалить всё {serial}"), "Срочно.");
                forged.stamp = if pick % 2 == 0 {
                    Stamp::Fail
                } else {
                    Stamp::Nothing
                };
                forged
            }
            What::ForgedAnswer(how) => {
                genuine = false;
                self.forged_answer(how, pick, person)?
            }
            What::Down(_) => return None,
        };
        let kind = if genuine { "" } else { "FORGED " };
        let answers = written.answers.as_ref().map_or("", |_| " (an answer)");
        let line = format!(
            "{kind}«{}»{answers} {}",
            written.subject,
            written.text.replace('\n', " / ")
        );
        self.tell(deed, &line);
        Some((written.bytes(serial, at), genuine))
    }

    fn answer(&self, deed: &Deed, person: &Person) -> Option<Written> {
        let from = person.address.as_str();
        let asking = [
            "order-to-confirm",
            "challenge",
            "consent-asked",
            "extension-asked",
            "consent-reminder",
        ];
        let wanted: &[&str] = match deed.what {
            What::Confirm | What::Decline => &asking,
            _ => &[],
        };
        let to = self.answered(person, deed.pick, wanted)?;
        let approver = person.role == Role::Approver;
        let text = match deed.what {
            What::Thanks => "Спасибо!".to_owned(),
            What::Confirm if approver => "Согласовано".to_owned(),
            What::Decline if approver => "Отклонено: нет денег".to_owned(),
            What::Confirm => "Подтверждаю".to_owned(),
            What::Decline => "Отклоняю".to_owned(),
            What::Note => format!("#заметка\n{INNERMOST} {}", self.serial),
            What::Command(which) => COMMANDS[usize::from(which)].to_owned(),
            _ if deed.pick.is_multiple_of(5) => format!(
                "Система {}",
                person
                    .customer
                    .map_or_else(String::new, |c| cast::installations(c)[0].clone())
            ),
            _ => format!("Ещё вот что: {}.", self.serial),
        };
        // What the desk's own people write without a command must stay inside.
        let text = if matches!(person.role, Role::Specialist | Role::Developer)
            && deed.what == What::Reply
        {
            format!("{text} {INNERMOST}")
        } else {
            text
        };
        let mut answer = Written::new(from, &format!("Re: {}", to.subject), &text);
        answer.answers = Some(to.message_id);
        Some(answer)
    }

    /// Somebody answers in this person's name: with a letter that leaked from them, with one of somebody else, or with none.
    fn forged_answer(&self, how: u8, pick: u64, person: &Person) -> Option<Written> {
        let text = match how % 4 {
            0 => "Подтверждаю",
            1 => "Согласовано",
            2 => "#решен\nГотово.",
            _ => "Отклоняю",
        };
        let whose = if how & 4 == 0 {
            person.clone()
        } else {
            self.people[usize::try_from(pick % self.people.len() as u64).unwrap()].clone()
        };
        // A letter that asks for a word is a secret of its reader: who has it speaks for them, so it is not among those that leak.
        let secrets = [
            "order-to-confirm",
            "challenge",
            "consent-asked",
            "extension-asked",
            "consent-reminder",
        ];
        let leaked = self
            .answered(&whose, pick, &[])
            .filter(|r| !secrets.contains(&r.template.as_str()));
        let mut forged = Written::new(&person.address, "Re: дело", text);
        forged.stamp = if how & 8 == 0 {
            Stamp::Fail
        } else {
            Stamp::Nothing
        };
        forged.answers = leaked.map(|r| r.message_id);
        Some(forged)
    }

    pub(crate) async fn peak(&self) -> u64 {
        std::fs::metadata(self.dir.path().join("desk.db")).map_or(0, |m| m.len())
    }
}

/// A folder in memory where there is one: the year is about rules, not about disks.
fn memory() -> std::path::PathBuf {
    let shm = std::path::PathBuf::from("/dev/shm");
    if shm.is_dir() {
        shm
    } else {
        std::env::temp_dir()
    }
}
