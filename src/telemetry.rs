//! What is logged and how: tracing to stderr, a fixed vocabulary for the life of a letter, addresses masked.

use std::io::IsTerminal as _;

use chrono::{DateTime, SecondsFormat, Utc};
use tracing_subscriber::EnvFilter;

use crate::desk::address::Address;

/// Libraries that print passwords or bodies below this stay quiet whatever the filter says.
const QUIET: [&str; 4] = [
    "async_imap=info",
    "imap_proto=info",
    "sqlx=warn",
    "rustls=warn",
];

/// Starts logging to stderr at `level`; `POSTDESK_LOG` sets another filter, `POSTDESK_LOG_FORMAT=json` the form for programs. Colours are for
/// terminals.
pub fn start(level: &str) {
    let wanted = std::env::var("POSTDESK_LOG").unwrap_or_else(|_| level.to_owned());
    let mut filter = EnvFilter::try_new(&wanted).unwrap_or_else(|_| EnvFilter::new(level));
    for quiet in QUIET {
        if let Ok(directive) = quiet.parse() {
            filter = filter.add_directive(directive);
        }
    }
    let json = std::env::var("POSTDESK_LOG_FORMAT").is_ok_and(|f| f == "json");
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours())
        .with_target(false);
    // A second start (tests) keeps the first.
    let _ = if json {
        builder.json().try_init()
    } else {
        builder.compact().try_init()
    };
}

/// Colours are for people at a terminal; in a file or a journal they would be noise.
fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// An address as it may stand in a log: `m***@raduga.example`.
pub fn masked(address: &Address) -> String {
    let first: String = address.local().chars().take(1).collect();
    format!("{first}***@{}", address.domain())
}

/// The daemon works.
pub fn started(version: &str, mailboxes: usize) {
    tracing::info!(version, mailboxes, "Started");
}

/// The daemon has finished what was begun.
pub fn stopped() {
    tracing::info!("Stopped");
}

/// The configuration was replaced.
pub fn reloaded() {
    tracing::info!("Configuration reloaded");
}

/// The configuration on disk is bad; the old one stays.
pub fn reload_refused(why: &str) {
    tracing::error!("Configuration not reloaded, the old one stays in force:\n{why}");
}

/// The secret file lost a key that letters were sealed with.
pub fn keys_removed() {
    tracing::warn!(
        "A key is gone from the secret file: replies to letters sealed with it no longer prove what they answer, and count as other people's tokens"
    );
}

/// An appointment is otherwise than the desk knew it.
pub fn appointment_changed(customer: &str, what: &str) {
    tracing::info!(customer, what, "Appointment changed");
}

/// Changes of the files can't be noticed; signals still work.
pub fn not_watching(why: &str) {
    tracing::warn!(
        why,
        "Changed files are not noticed by themselves: send SIGHUP to reload"
    );
}

/// The configuration is good, and something in it is worth a look.
pub fn configuration_warning(what: &str) {
    tracing::warn!("{what}");
}

/// Another daemon is the active one.
pub fn waiting_for_lease(holder: &str) {
    tracing::info!(
        holder,
        "Another daemon is active; this one is ready to take over"
    );
}

/// Messages of a mailbox were kept.
pub fn letters_kept(mailbox: &str, count: usize, fresh: usize) {
    tracing::info!(mailbox, count, fresh, "Letters kept");
}

/// The decision on a letter was put off.
pub fn letter_postponed(letter: i64, mailbox: &str, until: DateTime<Utc>) {
    tracing::warn!(
        letter,
        mailbox,
        until = %until.to_rfc3339_opts(SecondsFormat::Secs, true),
        "The DNS does not say whether the letter is signed: its decision waits"
    );
}

/// A letter was decided on.
pub fn letter_decided(letter: i64, mailbox: &str, verdict: &str, written: usize) {
    tracing::info!(letter, mailbox, verdict, written, "Letter decided");
}

/// Messages disappeared from a mailbox before they could be read.
pub fn letters_vanished(mailbox: &str, uids: &[i64]) {
    tracing::warn!(mailbox, ?uids, "Letters vanished before they could be read");
}

/// A server did not move or flag what is kept already.
pub fn after_refused(mailbox: &str, why: &str) {
    tracing::warn!(
        mailbox,
        why,
        "The server did not move or flag letters that are kept"
    );
}

/// A first start leaves older messages alone.
pub fn older_left(mailbox: &str, count: u32) {
    tracing::info!(
        mailbox,
        count,
        "First start: older messages are left alone (start = \"beginning\" would take them)"
    );
}

/// A mailbox was given a new UIDVALIDITY and is read again from its beginning; what is known stays known.
pub fn uidvalidity_changed(mailbox: &str, from: u32, to: u32) {
    tracing::warn!(
        mailbox,
        from,
        to,
        "UIDVALIDITY changed: the mailbox is read again, known letters are recognised"
    );
}

/// A mailbox can't be reached; the others go on.
pub fn mailbox_down(mailbox: &str, why: &str, retry_seconds: u64) {
    tracing::warn!(mailbox, why, retry_seconds, "Mailbox not reachable");
}

/// A mailbox is reached again.
pub fn mailbox_up(mailbox: &str) {
    tracing::info!(mailbox, "Mailbox connected");
}

/// A task met an error it can't heal by itself; it is tried again.
pub fn trouble(task: &str, error: &anyhow::Error) {
    tracing::error!(task, "{error:#}");
}
