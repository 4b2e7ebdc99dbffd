//! `check --connect`: whether every server that the configuration names lets the desk in.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use super::failure::Failure;
use super::{check, settings};
use crate::clock::Clock;
use crate::config::{Config, Source};
use crate::courier::Courier;
use crate::desk::policy::Authentication;
use crate::dns::resolver::Resolver;
use crate::imap::session::Session;
use crate::mail::dkim::answer::Answer;
use crate::maildir::Maildir;

/// `postdesk check`, with or without `--connect`.
///
/// # Errors
/// A bad configuration (78), or a server that does not let the desk in (1).
pub async fn command(config: Option<PathBuf>, connect: bool) -> Result<(), Failure> {
    let file = settings::file(config)?;
    let styled = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let checked = check::check(&file, std::env::vars(), Clock::System.now(), styled);
    let (loaded, text) = checked.map_err(|faults| Failure::Configuration(faults.to_string()))?;
    settings::say(&text);
    if !connect {
        return Ok(());
    }
    let mut refused = mailboxes(&loaded.config).await;
    refused |= courier(&loaded.config).await;
    refused |= dns(&loaded.config).await;
    if refused { Err(Failure::Found) } else { Ok(()) }
}

/// Logs in to every mailbox; whether one refused.
async fn mailboxes(config: &Config) -> bool {
    let mut refused = false;
    for mailbox in &config.mailboxes {
        let name = &mailbox.policy.name;
        match &mailbox.source {
            Source::Imap(imap) => match Session::open(imap).await {
                Ok(session) => {
                    settings::say(&format!(
                        "mailbox {name}: logged in to {}, {} has {} messages",
                        imap.endpoint.host,
                        imap.folder,
                        session.exists()
                    ));
                    session.close().await;
                }
                Err(fault) => {
                    refused = true;
                    settings::say(&format!("mailbox {name}: {fault}"));
                }
            },
            Source::Maildir(path) => match Maildir::open(path).and_then(|m| m.uids()) {
                Ok(uids) => settings::say(&format!(
                    "mailbox {name}: the Maildir {} has {} messages",
                    path.display(),
                    uids.len()
                )),
                Err(error) => {
                    refused = true;
                    settings::say(&format!("mailbox {name}: {error:#}"));
                }
            },
        }
    }
    refused
}

/// Logs in to the SMTP server; whether it refused.
async fn courier(config: &Config) -> bool {
    let checked = match Courier::new(&config.courier) {
        Ok(mut courier) => courier.check().await,
        Err(error) => Err(format!("{error:#}")),
    };
    match checked {
        Ok(()) => {
            settings::say("smtp: ready to send");
            false
        }
        Err(why) => {
            settings::say(&format!("smtp: {why}"));
            true
        }
    }
}

/// Asks the DNS once, where signatures are to be checked; whether it was silent.
async fn dns(config: &Config) -> bool {
    let mut mailboxes = config.mailboxes.iter();
    if !mailboxes.any(|m| m.dkim && m.policy.authentication != Authentication::Off) {
        return false;
    }
    // A name of the desk's own: a stranger's would tell whom the desk knows.
    let name = format!("_dmarc.{}", config.desk.address.domain());
    let mut resolver = Resolver::asking(config.dns.servers.clone(), config.dns.patience);
    let answers = resolver
        .answers(BTreeSet::from([name.clone()]), Clock::System.now())
        .await;
    match answers.get(&name) {
        Some(Answer::Silent(why)) => {
            settings::say(&format!(
                "dns: {why}; letters that only their signature can prove would wait for hours (see [dns], and dkim of [[mailbox]])"
            ));
            true
        }
        Some(Answer::Found { .. } | Answer::Nothing) | None => {
            settings::say("dns: answers");
            false
        }
    }
}
