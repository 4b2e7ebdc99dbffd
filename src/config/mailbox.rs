//! The ways in and out: `[[mailbox]]` and `[smtp]`.

use std::time::Duration;

use crate::desk::policy::{Authentication, MailboxPolicy, Strangers};
use crate::desk::request::Kind;
use crate::mail::witness::{self, Provider, Witness};

use super::fault::Fault;
use super::section::Section;
use super::server::{self, Ports, endpoint, is_loopback, login};
use super::source::{Place, Placed};
use super::tree::day;
use super::{After, CourierConfig, ImapConfig, Mailbox, Source, Start};

/// A mailbox with the places that other parts of the configuration must agree with.
#[derive(Debug)]
pub struct ReadMailbox {
    /// The mailbox.
    pub mailbox: Mailbox,
    /// Where an installation is named.
    pub installation: Option<Placed<String>>,
}

const IMAP: Ports = Ports {
    implicit: 993,
    plain: 143,
};

const SUBMISSION: Ports = Ports {
    implicit: 465,
    plain: 587,
};

/// Reads all mailboxes.
pub fn mailboxes(root: &Section<'_>) -> Vec<ReadMailbox> {
    let sections = root.tables("mailbox", "[[mailbox]]");
    if sections.is_empty() && root.has("mailbox").is_none() {
        root.reading().fault(
            Fault::error(root.at(), "there is no [[mailbox]]")
                .why("letters reach the desk by a mailbox and in no other way")
                .todo(
                    "add [[mailbox]] with name = \"support\" and host = \"…\" or maildir = \"…\"",
                ),
        );
    }
    let mut names: Vec<Placed<String>> = Vec::new();
    let mut found = Vec::new();
    for section in sections {
        found.extend(mailbox(&section, &mut names));
        section.end();
    }
    found
}

fn mailbox(section: &Section<'_>, names: &mut Vec<Placed<String>>) -> Option<ReadMailbox> {
    let why = "logs, metrics and the record of what was read go by it";
    let name = section.required_text("name", why, "support");
    if let Some(name) = &name {
        check_name(section, name, names);
    }
    let source = source(section);
    let strangers = [
        ("refuse", Strangers::Refuse),
        ("accept-questions", Strangers::AcceptQuestions),
        ("hold", Strangers::Hold),
        ("ignore", Strangers::Ignore),
    ];
    let strangers = section.choice("strangers", &strangers, Some("refuse"));
    let kinds = [("question", Kind::Question), ("order", Kind::Order)];
    let default_kind = section.choice("default_kind", &kinds, Some("question"));
    let authentication = [
        ("required", Authentication::Required),
        ("orders", Authentication::Orders),
        ("off", Authentication::Off),
    ];
    let authentication = section.choice("authentication", &authentication, Some("orders"))?;
    let (witness, dkim) = (witness_of(section), section.flag("dkim", true));
    if !witness.is_heard() && !dkim && authentication.value != Authentication::Off {
        section.reading().fault(
            Fault::warning(section.at(), "nothing vouches for a sender at this mailbox")
                .label("no letter will count as authenticated")
                .why("every order will have to be confirmed by a reply before it takes effect")
                .todo("remove dkim = false, or write the name that your mail server puts at the start of Authentication-Results: authserv_ids = [\"mx.desk.example\"]"),
        );
    }
    let installation = section.text("installation");
    let policy = MailboxPolicy {
        name: name?.value,
        strangers: strangers?.value,
        default_kind: default_kind?.value,
        authentication: authentication.value,
        installation: installation.as_ref().map(|i| i.value.clone()),
    };
    let mailbox = Mailbox {
        policy,
        witness,
        dkim,
        source: source?,
    };
    Some(ReadMailbox {
        mailbox,
        installation,
    })
}

/// Whose `Authentication-Results` count: those of named servers, or of a provider whose habits are known.
fn witness_of(section: &Section<'_>) -> Witness {
    let ids = section.texts("authserv_ids", &[]);
    for id in &ids {
        check_authserv_id(section, id);
    }
    let provider = section.choice("provider", &Provider::ALL, None);
    match (provider, section.has("authserv_ids")) {
        (None, _) => Witness::named(&ids.iter().map(|i| &i.value).collect::<Vec<_>>()),
        (Some(provider), None) => Witness::of(provider.value),
        (Some(provider), Some(at)) => {
            section.reading().fault(
                Fault::error(at, "`authserv_ids` and `provider` in one section")
                    .label("names of servers")
                    .also(provider.at, "and a provider whose servers are known")
                    .why("a provider's fields are read by its habits, those of other servers by the grammar alone")
                    .todo("keep `provider` if the mailbox is there, or `authserv_ids` if it is on a server of your own"),
            );
            Witness::nobody()
        }
    }
}

/// What is no name would count for nothing, or for anybody; a provider's name has a key of its own.
fn check_authserv_id(section: &Section<'_>, id: &Placed<String>) {
    if !witness::is_name(&id.value) {
        section.reading().fault(
            Fault::error(id.at, format!("`{}` names no mail server", id.value))
                .label("the word at the start of Authentication-Results")
                .why("either no letter would ever count as authenticated, or a forged one could")
                .todo("write authserv_ids = [\"mx.desk.example\"], or \"*.desk.example\" for any host below"),
        );
    } else if let Some(word) = Provider::writing_as(&id.value) {
        section.reading().fault(
            Fault::warning(id.at, format!("`{}` is a provider's server", id.value))
                .label("read like a server of your own")
                .why("a provider's word may be believed only where it alone can have written")
                .todo(format!(
                    "write provider = \"{word}\" in place of authserv_ids"
                )),
        );
    }
}

/// Names must differ, also in the way that variables of the environment write them.
fn check_name(section: &Section<'_>, name: &Placed<String>, names: &mut Vec<Placed<String>>) {
    let folded = |n: &str| n.to_lowercase().replace('-', "_");
    if let Some(other) = names
        .iter()
        .find(|n| folded(&n.value) == folded(&name.value))
    {
        section.reading().fault(
            Fault::error(
                name.at,
                format!("two mailboxes are called `{}`", name.value),
            )
            .label("the second")
            .also(other.at, "the first")
            .why("the record of what was read would mix up their letters")
            .todo("give each its own name; case, `-` and `_` make no difference"),
        );
    }
    names.push(name.clone());
}

fn source(section: &Section<'_>) -> Option<Source> {
    let Some(maildir) = section.text("maildir") else {
        return imap(section).map(Source::Imap);
    };
    let imap_only = ["folder", "start", "after", "poll_seconds"];
    let keys = server::KEYS.iter().chain(&imap_only);
    refuse_beside(section, "maildir", maildir.at, keys);
    Some(Source::Maildir(section.reading().resolve(&maildir.value)))
}

/// Refuses keys of a server beside the folder that stands in its place.
fn refuse_beside<'k>(
    section: &Section<'_>,
    folder: &str,
    at: Place,
    keys: impl Iterator<Item = &'k &'static str>,
) {
    let written: Vec<_> = keys.filter_map(|k| Some((*k, section.has(k)?))).collect();
    if let Some((key, place)) = written.first() {
        section.reading().fault(
            Fault::error(*place, format!("`{key}` and `{folder}` in one section"))
                .label("this is for a server")
                .also(at, "and this is a folder in its place")
                .why("letters would come or go by one of them, and nobody could say which")
                .todo(format!(
                    "keep `{key}` or `{folder}`, and give the other a section of its own or none"
                )),
        );
    }
}

fn imap(section: &Section<'_>) -> Option<ImapConfig> {
    let endpoint = endpoint(section, IMAP, "imap.desk.example");
    let login = login(section);
    if section.has("username").is_none() {
        let why = "no IMAP server shows a mailbox to somebody without a name";
        section.missing("username", why, "\"support\"");
    }
    let folder = section.text_or("folder", "INBOX");
    let start = start(section);
    let after = after(section);
    let poll = section.number("poll_seconds", 1..=86_400, 60);
    Some(ImapConfig {
        endpoint: endpoint?,
        login: login?,
        folder: folder.value,
        start: start?,
        after: after?,
        poll: Duration::from_secs(poll.value.unsigned_abs()),
    })
}

fn start(section: &Section<'_>) -> Option<Start> {
    let written = section.has("start");
    // A date may stand with and without quotation marks, a word only with them.
    if written.is_some() && section.is_date("start") {
        return section.date("start").map(|d| Start::Since(d.value));
    }
    let word = section.text_or("start", "now");
    match word.value.as_str() {
        "now" => Some(Start::Now),
        "beginning" => Some(Start::Beginning),
        other => {
            let since = day(other).map(Start::Since);
            if since.is_none() {
                let words = ["now", "beginning", "2026-01-31"];
                section.bad_word("start", &word, words.into_iter());
            }
            since
        }
    }
}

fn after(section: &Section<'_>) -> Option<After> {
    let word = section.text_or("after", "keep");
    match word.value.as_str() {
        "keep" => Some(After::Keep),
        "seen" => Some(After::Seen),
        other => match other.strip_prefix("move:").map(str::trim) {
            Some(folder) if !folder.is_empty() => Some(After::Move(folder.to_owned())),
            _ => {
                let words = ["keep", "seen", "move:FOLDER"];
                section.bad_word("after", &word, words.into_iter());
                None
            }
        },
    }
}

/// Reads the way out.
pub fn courier(root: &Section<'_>) -> Option<CourierConfig> {
    let section = root.table("smtp", "[smtp]");
    let courier = match section.text("folder") {
        Some(folder) => {
            let keys = server::KEYS.iter().chain(&["connections"]);
            refuse_beside(&section, "folder", folder.at, keys);
            let path = section.reading().resolve(&folder.value);
            Some(CourierConfig::Folder(path))
        }
        None => smtp(&section),
    };
    section.end();
    courier
}

fn smtp(section: &Section<'_>) -> Option<CourierConfig> {
    let endpoint = endpoint(section, SUBMISSION, "smtp.desk.example");
    let login = login(section);
    let connections = section.number("connections", 1..=16, 2);
    let endpoint = endpoint?;
    if section.has("username").is_none() && !is_loopback(&endpoint.host) {
        section.reading().fault(
            Fault::error(section.at(), format!("no user name for `{}`", endpoint.host))
                .label("`username` is missing")
                .why("a server elsewhere takes letters only from those it knows; without a name is for loopback addresses")
                .todo("add username = \"support\" and password_file = \"smtp-password\""),
        );
    }
    Some(CourierConfig::Smtp {
        endpoint,
        login,
        connections: u8::try_from(connections.value).unwrap_or(2),
    })
}
