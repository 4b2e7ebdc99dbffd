//! `explain`: what would be, or was, decided about a letter, and why. It changes nothing.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::failure::Failure;
use super::{demo, settings};
use crate::account;
use crate::clock::Clock;
use crate::config::Config;
use crate::desk::decide::Known;
use crate::desk::request::Number;
use crate::examination;
use crate::explanation::{self, Case, Told};
use crate::inbound;
use crate::knowledge;
use crate::mail::parse::{self, Caps};
use crate::store::pool::Store;
use crate::store::work::Names;
use crate::writing;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// A file, `-`, a number or a Message-ID.
    pub what: String,
    /// One JSON object instead of text.
    pub json: bool,
    /// The mailbox whose rules apply.
    pub mailbox: Option<String>,
    /// The arrival to assume.
    pub arrived: Option<DateTime<Utc>>,
}

/// `postdesk explain`.
///
/// # Errors
/// Nothing of that name, an unknown mailbox, or a bad configuration.
pub async fn explain(config: Option<PathBuf>, wanted: Wanted) -> Result<(), Failure> {
    let config = configuration(config, &wanted)?;
    let path = Path::new(&wanted.what);
    if path.is_dir() {
        return Err(Failure::Usage(format!(
            "{} is a folder: `explain` takes one letter, `ingest` takes a Maildir",
            path.display()
        )));
    }
    // Not only plain files: a shell's <(…) is a pipe.
    let explanations = if wanted.what == "-" || path.exists() {
        vec![of_file(&config, &wanted).await?]
    } else if wanted.mailbox.is_some() || wanted.arrived.is_some() {
        return Err(Failure::Usage(format!(
            "there is no file {:?}; --mailbox and --arrived are for a dry run on a file",
            wanted.what
        )));
    } else {
        of_record(&config, &wanted.what).await?
    };
    if wanted.json {
        let object = one_object(explanations);
        settings::say(
            &serde_json::to_string_pretty(&object).context("The explanation is no JSON")?,
        );
    } else {
        let texts: Vec<String> = explanations
            .iter()
            .map(|explanation| account::text(explanation, config.desk.locale))
            .collect();
        settings::say(&texts.join("\n"));
    }
    Ok(())
}

/// The configuration that is meant. A letter in a file can be read without any desk, also in a fresh clone, whose configuration lacks the
/// passwords: then the demo's rules stand in, and that is said.
fn configuration(named: Option<PathBuf>, wanted: &Wanted) -> Result<Config, Failure> {
    let needed = named.is_some() || !(wanted.what == "-" || Path::new(&wanted.what).exists());
    match settings::file(named).and_then(|file| settings::load(&file)) {
        Err(Failure::Configuration(why)) if !needed => {
            let what = why.lines().next().unwrap_or_default();
            tracing::warn!(
                "Explained by the rules of `postdesk demo`, there is no usable configuration: {what}"
            );
            demo::example()
        }
        other => other,
    }
}

/// The letter that opened a request; those that came after it stand under `further`.
fn one_object(explanations: Vec<Value>) -> Value {
    let mut all = explanations.into_iter();
    let mut first = all.next().unwrap_or_default();
    let further: Vec<Value> = all.collect();
    if let (Some(map), false) = (first.as_object_mut(), further.is_empty()) {
        map.insert("further".to_owned(), Value::Array(further));
    }
    first
}

/// The dry run on a file.
async fn of_file(config: &Config, wanted: &Wanted) -> Result<Value, Failure> {
    let name = match &wanted.mailbox {
        Some(name) if config.mailboxes.iter().any(|m| m.policy.name == *name) => name.clone(),
        Some(name) => {
            return Err(Failure::Usage(format!(
                "there is no mailbox {name:?}; there are {}",
                config
                    .mailboxes
                    .iter()
                    .map(|m| m.policy.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            )));
        }
        None => inbound::default_mailbox(config)
            .map(|m| m.policy.name.clone())
            .unwrap_or_default(),
    };
    let (raw, size) = read(&wanted.what, config.max_letter)?;
    // As if it had arrived then, and been decided at once: one that came on a Friday evening long ago is not registered at that.
    let arrived = wanted.arrived.unwrap_or_else(|| Clock::System.now());
    let mut examined = examination::examine(&raw, config, &name, arrived);
    // A dry run asks nobody: it must say the same offline.
    examined.settle_unasked();
    let known = known(config, &mut examined, arrived).await;
    let mailbox = inbound::mailbox_policy(config, &name);
    let oversize = (size > config.max_letter).then_some(size);
    let decision = inbound::decide_letter(
        config, &known, &examined, &mailbox, arrived, oversize, arrived,
    );
    let names = Names {
        request: None,
        pendings: vec![],
        outbox: (1..).take(decision.notices.len()).collect(),
    };
    let (_, told): (_, Vec<Told>) = writing::write(config, &decision, &names, arrived)?;
    Ok(explanation::json(&Case {
        letter: &examined.letter,
        assurance: &examined.assurance,
        arrived,
        known: &known,
        decision: &decision,
        told: &told,
        zone: config.desk.calendar.zone(),
    }))
}

/// What the store knows, if there is one; a dry run must also work where the daemon never ran.
async fn known(config: &Config, examined: &mut examination::Examined, now: DateTime<Utc>) -> Known {
    if !Store::exists(&config.store_url) {
        return Known::default();
    }
    let read = async {
        let mut work = Store::open(&config.store_url).await?.look().await?;
        knowledge::known(&mut work, config, examined, None, now).await
    };
    match read.await {
        Ok(known) => known,
        Err(error) => {
            tracing::warn!(
                "The database can't be read, the letter is explained without it: {error:#}"
            );
            Known::default()
        }
    }
}

/// At most a little more than the desk takes: the rest of an oversize letter would not be read either.
fn read(what: &str, limit: u64) -> Result<(Vec<u8>, u64), Failure> {
    let mut raw = Vec::new();
    let cap = limit.saturating_add(1);
    if what == "-" {
        std::io::stdin()
            .lock()
            .take(cap)
            .read_to_end(&mut raw)
            .context("Standard input can't be read")?;
    } else {
        let file = std::fs::File::open(what).with_context(|| format!("{what} can't be read"))?;
        file.take(cap)
            .read_to_end(&mut raw)
            .with_context(|| format!("{what} can't be read"))?;
    }
    let size = u64::try_from(raw.len()).unwrap_or(u64::MAX);
    Ok((raw, size))
}

/// What was decided, from the record: of every letter of a request, or of the one with this Message-ID.
async fn of_record(config: &Config, what: &str) -> Result<Vec<Value>, Failure> {
    let store = settings::open(config).await?;
    let records = if let Some(number) = Number::read(what) {
        let Some(request) = store.request(number).await? else {
            return Err(Failure::Usage(format!(
                "there is no request {number}; `postdesk requests` lists those that are open"
            )));
        };
        store.records_of_request(request.id).await?
    } else {
        let id = what.trim_start_matches('<').trim_end_matches('>');
        let record = store.record_by_message_id(id).await?;
        record.into_iter().collect()
    };
    if records.is_empty() {
        let why = "it is no file, no number of a request and no Message-ID that the desk has seen";
        return Err(Failure::Usage(format!(
            "nothing is known of {what:?}: {why}"
        )));
    }
    let explained = records.into_iter().map(|record| match record.explanation {
        Some(text) => {
            let recorded = serde_json::from_str(&text);
            let recorded = recorded.context("The record holds no valid explanation")?;
            let mut letter = parse::read(&record.raw, Caps::DEFAULT);
            examination::without_tokens(&mut letter, &config.keys);
            Ok(explanation::with_text(recorded, &letter))
        }
        None => Ok(explanation::undecided(
            record.arrived,
            config.desk.calendar.zone(),
        )),
    });
    Ok(explained.collect::<anyhow::Result<Vec<Value>>>()?)
}
