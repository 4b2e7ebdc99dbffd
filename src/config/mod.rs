//! The TOML shapes: every fault at once, with file, line and key; what comes out is values that the rest of the house takes.

pub mod amend;
pub mod customers;
pub mod desk;
pub mod directory;
pub mod dns;
pub mod environment;
pub mod fault;
pub mod hours;
pub mod letters;
pub mod load;
pub mod mailbox;
pub mod nearest;
pub mod pen;
pub mod people;
pub mod production;
pub mod reading;
pub mod secret;
pub mod section;
pub mod server;
pub mod signatures;
pub mod source;
pub mod succession;
pub mod tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::Clock;
use crate::desk::policy::{Desk, MailboxPolicy};
use crate::mail::thread::Keys;
use crate::mail::witness::Witness;
use crate::mail::wording::Wording;

use dns::DnsConfig;
use fault::{Faults, Warning};
use signatures::SignatureConfig;

/// Loads a configuration as of now, with the environment of this process.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load(path: &Path) -> Result<(Config, Vec<Warning>), Faults> {
    let loaded = load::load(path, environment::of_process(), Clock::System.now())?;
    Ok((loaded.config, loaded.warnings))
}

/// A whole configuration, valid.
#[derive(Debug, Clone)]
pub struct Config {
    /// The rules' part.
    pub desk: Desk,
    /// Whether the daemon reloads by itself when one of the files changes.
    pub watch: bool,
    /// The mailboxes, in the order of the file.
    pub mailboxes: Vec<Mailbox>,
    /// The way out.
    pub courier: CourierConfig,
    /// Whom the desk asks for the keys of signatures.
    pub dns: DnsConfig,
    /// What checks electronic signatures.
    pub signatures: SignatureConfig,
    /// The database.
    pub store_url: String,
    /// The sealing keys of tokens.
    pub keys: Keys,
    /// The wordings of our letters.
    pub wording: Wording,
    /// The largest letter that is taken whole, in octets.
    pub max_letter: u64,
    /// What the files of certificate authorities held, as SHA-256: one may be replaced under the same name.
    pub authorities: BTreeMap<PathBuf, [u8; 32]>,
}

/// One mailbox: the rules' part, what counts as our own server's word, and how to reach it.
#[derive(Debug, Clone)]
pub struct Mailbox {
    /// The rules' part.
    pub policy: MailboxPolicy,
    /// Whose `Authentication-Results` count (R13).
    pub witness: Witness,
    /// Whether the desk checks signatures itself (R13).
    pub dkim: bool,
    /// Where it is.
    pub source: Source,
}

/// Where a mailbox is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// On an IMAP server.
    Imap(ImapConfig),
    /// A Maildir folder.
    Maildir(PathBuf),
}

impl Config {
    /// What the file of certificate authorities held that this server is checked with; none if it names none.
    pub fn authority(&self, endpoint: &Endpoint) -> Option<&[u8; 32]> {
        self.authorities.get(endpoint.ca_file.as_ref()?)
    }
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// TLS from the first byte.
    Implicit,
    /// STARTTLS, or nothing at all.
    StartTls,
    /// None; loopback addresses only.
    None,
}

/// A host to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address; the name that the certificate must have.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Protection.
    pub tls: Tls,
    /// A PEM file with further certificate authorities.
    pub ca_file: Option<PathBuf>,
}

/// A secret text: never shown by `Debug` (S32).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Hands it out, at the place of use.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// User name and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// User name.
    pub username: String,
    /// Password.
    pub password: Secret,
}

/// How to read a mailbox over IMAP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImapConfig {
    /// The server.
    pub endpoint: Endpoint,
    /// Who we are there.
    pub login: Login,
    /// The folder, such as `INBOX`.
    pub folder: String,
    /// Where a first start begins.
    pub start: Start,
    /// What is done with a message on the server once it is kept.
    pub after: After,
    /// How often it is looked at even if the server says nothing.
    pub poll: Duration,
}

/// Where a first start begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With what arrives from here on.
    Now,
    /// With the oldest message there is.
    Beginning,
    /// With what arrived on this day or later.
    Since(chrono::NaiveDate),
}

/// What is done with a message on the server once it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// Nothing.
    Keep,
    /// It is marked as seen.
    Seen,
    /// It is moved to this folder.
    Move(String),
}

/// The way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CourierConfig {
    /// An SMTP server.
    Smtp {
        /// The server.
        endpoint: Endpoint,
        /// Who we are there; none on loopback only.
        login: Option<Login>,
        /// Connections at a time, at least 1.
        connections: u8,
    },
    /// A folder that letters are put into as files, for trying out.
    Folder(PathBuf),
}
