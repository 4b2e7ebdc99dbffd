//! `demo`: the main job with nothing to set up, on the same way in and out as on a real desk; only the clock is set by hand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use chrono::{DateTime, NaiveDateTime, TimeZone as _, Utc};
use tokio::sync::{Notify, watch};

use super::failure::Failure;
use super::settings;
use crate::backlog::Backlog;
use crate::clock::Clock;
use crate::config::{self, Config, Source};
use crate::courier::Courier;
use crate::desk::request::Request;
use crate::explanation::shown;
use crate::inbound::Inbound;
use crate::intake::Intake;
use crate::mail::parse::{self, Caps};
use crate::mail::thread::Keys;
use crate::maildir::Maildir;
use crate::outbound::Outbound;
use crate::store::pool::Store;

const MAIN: &str = include_str!("../../demo/postdesk.toml");
const CUSTOMER: &str = include_str!("../../demo/customers/raduga.toml");

/// One act of the demo: when, what the spectator is told, and the letter that comes in (none: only time passes).
struct Act {
    at: &'static str,
    told: &'static str,
    letter: Option<(&'static str, &'static str)>,
}

macro_rules! letter {
    ($name:literal) => {
        Some((
            $name,
            include_str!(concat!("../../demo/mail/", $name, ".eml")),
        ))
    };
}

/// The acts, in order. The calendar is that of August 2026 in Yekaterinburg.
const ACTS: [Act; 7] = [
    Act {
        at: "2026-08-21 10:12",
        told: "The primary representative mails an order",
        letter: letter!("order-of-the-primary"),
    },
    Act {
        at: "2026-08-21 10:20",
        told: "An additional representative asks",
        letter: letter!("question-of-the-additional"),
    },
    Act {
        at: "2026-08-21 11:05",
        told: "A stranger wants to know who is who",
        letter: letter!("stranger"),
    },
    Act {
        at: "2026-08-21 11:30",
        told: "A vacation notice arrives",
        letter: letter!("vacation-notice"),
    },
    Act {
        at: "2026-08-21 16:42",
        told: "After closing, an additional representative mails an order",
        letter: letter!("order-of-the-additional"),
    },
    Act {
        at: "2026-08-24 09:00",
        told: "Monday, the desk opens",
        letter: None,
    },
    Act {
        at: "2026-08-24 10:12",
        told: "The primary confirms with one word",
        letter: letter!("confirmation"),
    },
];

/// The first of `postdesk-demo`, `postdesk-demo-2` … that is not there yet: a former demo stays to be looked at.
pub fn free_folder() -> PathBuf {
    let more = (2_u32..).map(|n| PathBuf::from(format!("postdesk-demo-{n}")));
    let mut names = std::iter::once(PathBuf::from("postdesk-demo")).chain(more);
    names.find(|name| !name.exists()).unwrap_or_default()
}

/// `postdesk demo`.
///
/// # Errors
/// The folder is there already and not empty, or can't be written.
pub async fn demo(dir: &Path) -> Result<(), Failure> {
    if dir
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some())
    {
        return Err(Failure::Usage(format!(
            "{} is there already and not empty: remove it, or name another with --dir",
            dir.display()
        )));
    }
    let file = furnish(dir)?;
    let config = load(&file)?;
    let stage = Stage::build(dir, config).await?;
    settings::say(&format!(
        "postdesk demo: letters come into {0}/inbox and go out to {0}/outbox.\nThe desk works Mon-Thu 9-17, Fri 9-16, lunch 12:30-13:30.\n",
        dir.display()
    ));
    let mut seen = BTreeSet::new();
    for act in &ACTS {
        stage.play(act, &mut seen).await?;
    }
    let requests = stage.store.requests(None, None).await?;
    stage.store.close().await;
    settings::say(&farewell(dir, &requests));
    Ok(())
}

/// The demo's configuration without its folder: what `explain` takes where there is none.
///
/// # Errors
/// No temporary folder can be written.
pub fn example() -> Result<Config, Failure> {
    // A folder for each call: two threads that shared one would take it from each other.
    static MADE: AtomicU64 = AtomicU64::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let name = format!("postdesk-example-{}-{number}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    let config = furnish(&dir)
        .map_err(Failure::from)
        .and_then(|file| load(&file));
    let removed = std::fs::remove_dir_all(&dir);
    let config = config?;
    removed.with_context(|| format!("{} can't be removed", dir.display()))?;
    Ok(config)
}

/// The environment is not asked: the demo is the same everywhere.
fn load(file: &Path) -> Result<Config, Failure> {
    let loaded = config::load::load(file, [], Clock::System.now());
    loaded
        .map(|l| l.config)
        .map_err(|faults| Failure::Configuration(faults.to_string()))
}

fn furnish(dir: &Path) -> Result<PathBuf> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::create_dir_all(dir.join("customers"))
        .with_context(|| format!("{} can't be made", dir.display()))?;
    std::fs::write(dir.join("customers/raduga.toml"), CUSTOMER)?;
    let file = dir.join("postdesk.toml");
    std::fs::write(&file, MAIN)?;
    let secret = Keys::generate().map_err(|why| anyhow::anyhow!("No secret: {why}"))?;
    let mut options = std::fs::OpenOptions::new();
    let mut secret_file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(dir.join("secret"))?;
    std::io::Write::write_all(&mut secret_file, secret.as_bytes())?;
    Ok(file)
}

/// Everything a desk runs on, with the clock in the demo's hand.
struct Stage {
    config: Arc<Config>,
    clock: Clock,
    store: Store,
    inbox: PathBuf,
    outbox: PathBuf,
}

impl Stage {
    async fn build(dir: &Path, config: Config) -> Result<Self> {
        let store = Store::open(&config.store_url).await?;
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let inbox = config
            .mailboxes
            .iter()
            .find_map(|m| match &m.source {
                Source::Maildir(path) => Some(path.clone()),
                Source::Imap(_) => None,
            })
            .context("The demo's configuration has no Maildir")?;
        Ok(Self {
            config: Arc::new(config),
            clock,
            store,
            inbox,
            outbox: dir.join("outbox"),
        })
    }

    async fn play(&self, act: &Act, seen: &mut BTreeSet<PathBuf>) -> Result<()> {
        let at = self.moment(act.at)?;
        self.clock.set(at);
        settings::say(&format!(
            "{}  {}",
            at.with_timezone(&self.config.desk.calendar.zone())
                .format("%a %d.%m.%Y %H:%M"),
            act.told
        ));
        if let Some((name, text)) = act.letter {
            self.deliver(name, text, at)?;
        }
        self.take_in().await?;
        if let Some((name, _)) = act.letter {
            self.show_verdict(name).await?;
        }
        self.send_out().await?;
        for file in self.new_files(seen)? {
            let letter = parse::read(&std::fs::read(&file)?, Caps::DEFAULT);
            let to = letter
                .to
                .first()
                .map(ToString::to_string)
                .unwrap_or_default();
            settings::say(&format!(
                "    out  to {to}: {}\n         {}",
                letter.subject,
                file.display()
            ));
        }
        settings::say("");
        Ok(())
    }

    fn moment(&self, text: &str) -> Result<DateTime<Utc>> {
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M")
            .context("An act of the demo has no moment")?;
        let at = self
            .config
            .desk
            .calendar
            .zone()
            .from_local_datetime(&local)
            .earliest();
        Ok(at
            .context("An act of the demo falls into a gap of the clock")?
            .to_utc())
    }

    /// Puts a letter where an MTA would: whole, under another name first.
    fn deliver(&self, name: &str, text: &str, at: DateTime<Utc>) -> Result<()> {
        Maildir::open(&self.inbox)?;
        let text = text.replace("{asked}", &self.last_message_id_to("maria@raduga.example")?);
        let begun = self.inbox.join("tmp").join(name);
        std::fs::write(&begun, text)?;
        let arrived = SystemTime::from(at);
        std::fs::File::options()
            .write(true)
            .open(&begun)?
            .set_modified(arrived)?;
        std::fs::rename(&begun, self.inbox.join("new").join(name))?;
        Ok(())
    }

    /// The Message-ID of the last letter that this person has from the desk, as their mail client would answer it.
    fn last_message_id_to(&self, address: &str) -> Result<String> {
        let mut last = (None, String::new());
        for file in files(&self.outbox)? {
            let letter = parse::read(&std::fs::read(&file)?, Caps::DEFAULT);
            let theirs = letter.to.iter().any(|to| to.to_string() == address);
            if theirs && last.0 <= letter.date {
                last = (letter.date, letter.message_id.unwrap_or_default());
            }
        }
        Ok(last.1)
    }

    async fn take_in(&self) -> Result<()> {
        let intake = Intake {
            backlog: Backlog::default(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            wake: Notify::new().into(),
            max_letter: self.config.max_letter,
        };
        let mut maildir = intake.open_maildir("support", &self.inbox).await?;
        while intake.take_files("support", &mut maildir).await? > 0 {}
        let mut inbound = Inbound::new(self.store.clone(), self.clock.clone(), Arc::default());
        loop {
            let ticked = inbound.tick(&self.config).await?;
            let stepped = inbound.step(&self.config).await?;
            if ticked.decided == 0 && stepped.decided == 0 {
                return Ok(());
            }
        }
    }

    async fn show_verdict(&self, name: &str) -> Result<()> {
        let raw = files(&self.inbox.join("cur"))?.into_iter().find(|f| {
            f.file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with(name))
        });
        let id = raw
            .map(std::fs::read)
            .transpose()?
            .and_then(|raw| parse::read(&raw, Caps::DEFAULT).message_id)
            .unwrap_or_default();
        let record = self
            .store
            .record_by_message_id(&id)
            .await?
            .and_then(|r| r.explanation)
            .unwrap_or_default();
        let explanation: serde_json::Value =
            serde_json::from_str(&record).context("The letter has no explanation")?;
        let found = |key: &str| {
            explanation
                .get(key)
                .and_then(serde_json::Value::as_str)
                .map(shown)
        };
        let verdict = found("verdict").unwrap_or_default();
        let joined = if verdict == "attached" { "to" } else { "as" };
        let number = found("number").map(|n| format!(" {joined} {n}"));
        let why = explanation
            .get("reasons")
            .and_then(serde_json::Value::as_array)
            .map(|r| {
                r.iter()
                    .filter_map(|r| r.as_str())
                    .collect::<Vec<_>>()
                    .join("\n         ")
            });
        settings::say(&format!(
            "    in   {}: {}{}\n         {}",
            found("subject").unwrap_or_default(),
            verdict,
            number.unwrap_or_default(),
            why.unwrap_or_default()
        ));
        Ok(())
    }

    /// Lets the way out run until nothing waits.
    async fn send_out(&self) -> Result<()> {
        let couriers = Courier::all(&self.config.courier)?;
        let mut outbound = Outbound::new(
            self.store.clone(),
            couriers,
            self.clock.clone(),
            &self.config.desk.address,
        );
        let (stop, stopped) = watch::channel(false);
        let wake = Notify::new();
        let watching = async {
            while self.store.backlog().await?.0 > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let _ = stop.send(true);
            anyhow::Ok(())
        };
        let (_, watched) =
            tokio::join!(outbound.run(stopped, &wake, |_| async { Ok(()) }), watching);
        watched
    }

    fn new_files(&self, seen: &mut BTreeSet<PathBuf>) -> Result<Vec<PathBuf>> {
        let all = files(&self.outbox)?;
        Ok(all.into_iter().filter(|f| seen.insert(f.clone())).collect())
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut all: Vec<PathBuf> = folder
        .read_dir()?
        .map(|e| e.map(|e| e.path()))
        .collect::<std::io::Result<_>>()?;
    all.retain(|p| p.is_file());
    all.sort();
    Ok(all)
}

fn farewell(dir: &Path, requests: &[Request]) -> String {
    let mut out = String::from("The register now:\n");
    for request in requests {
        let number = request
            .number
            .map_or_else(|| "(queued)".to_owned(), |n| n.to_string());
        out.push_str(&format!(
            "    {number}  {:<9} {}\n",
            request.matter.kind.word(),
            request.matter.subject
        ));
    }
    let dir = dir.display();
    out.push_str(&format!(
        "\nLook around:\n    postdesk -c {dir}/postdesk.toml requests\n    postdesk -c {dir}/postdesk.toml request 2026-000003\n    postdesk -c {dir}/postdesk.toml explain 2026-000001\n    {dir}/outbox    the letters that went out: open one in your mail client\n\nThe next step, a real mailbox:\n    postdesk init my-desk    then fill in [[mailbox]] and [smtp] of my-desk/postdesk.toml,\n    postdesk -c my-desk/postdesk.toml check --connect    and    postdesk -c my-desk/postdesk.toml run\n"
    ));
    out
}
