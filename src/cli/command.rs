//! The command line: what may be asked, with an example for each.

use std::path::PathBuf;

use chrono::{DateTime, FixedOffset};
use clap::{Parser, Subcommand};

use crate::signature::SUBCOMMAND;

use super::failure::Failure;
use super::{check_signature, connect, demo, explain, ingest, init, requests, run, settings};

/// An email-first ticketing daemon: registers every letter, knows who may ask for what, answers over SMTP.
#[derive(Debug, Parser)]
#[command(name = "postdesk", version, about, max_term_width = 100)]
pub struct Arguments {
    /// The main configuration file [default: config/postdesk.toml, then /etc/postdesk/postdesk.toml]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be asked of postdesk.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the daemon in the foreground; SIGHUP reloads, SIGTERM finishes what is begun
    #[command(after_help = "Example:\n  postdesk -c /etc/postdesk/postdesk.toml run")]
    Run,
    /// Validates the whole configuration and prints the effective values
    #[command(after_help = "Example:\n  postdesk check --connect")]
    Check {
        /// Also logs in to every IMAP and SMTP server
        #[arg(long)]
        connect: bool,
    },
    /// Shows the main job with nothing to set up, and leaves a folder to look at
    #[command(after_help = "Example:\n  postdesk demo --dir postdesk-demo")]
    Demo {
        /// The folder to make [default: postdesk-demo, or the next free postdesk-demo-2, -3 …]
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Writes a commented configuration to start from, and the secret
    #[command(after_help = "Example:\n  postdesk init /etc/postdesk")]
    Init {
        /// The folder to write it to
        dir: PathBuf,
    },
    /// Tells what would be, or was, decided about a letter, and why; changes nothing
    #[command(
        after_help = "Examples:\n  postdesk explain letter.eml\n  postdesk explain --json - < letter.eml\n  postdesk explain 2026-000123\n  postdesk explain '<id@mail.example>'"
    )]
    Explain {
        /// A file, - for standard input, a request's number, or a Message-ID
        what: String,
        /// One JSON object
        #[arg(long)]
        json: bool,
        /// As if it had come to this mailbox [default: the first]
        #[arg(long, value_name = "NAME")]
        mailbox: Option<String>,
        /// As if it had arrived at this moment [default: now]
        #[arg(long, value_name = "RFC3339")]
        arrived: Option<DateTime<FixedOffset>>,
    },
    /// Takes letters from files the same way as from IMAP
    #[command(
        after_help = "Examples:\n  postdesk ingest --mailbox support letter.eml\n  postdesk ingest --mailbox support archive.mbox Maildir/\n  postdesk ingest --mailbox support - < letter.eml"
    )]
    Ingest {
        /// The mailbox whose rules apply
        #[arg(long, value_name = "NAME")]
        mailbox: String,
        /// When they arrived [default: now; for a Maildir each file's time]
        #[arg(long, value_name = "RFC3339")]
        arrived: Option<DateTime<FixedOffset>>,
        /// Letters, mboxes, Maildirs, or - for standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Lists the open requests
    #[command(after_help = "Example:\n  postdesk requests --status in-progress --customer raduga")]
    Requests {
        /// Only those with this status: in-progress, with-developer, awaiting-information, resolved, closed
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
        /// Only those of this customer
        #[arg(long, value_name = "CUSTOMER")]
        customer: Option<String>,
        /// A JSON array
        #[arg(long)]
        json: bool,
    },
    /// Shows one request with its history
    #[command(after_help = "Example:\n  postdesk request 2026-000123")]
    Request {
        /// Its number
        number: String,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Checks the signatures of a letter for the daemon, which alone starts it
    #[command(name = SUBCOMMAND, hide = true)]
    CheckSignature,
}

/// Runs the command that was asked for.
///
/// # Errors
/// Why it was not done, with the exit code.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = arguments.config;
    match arguments.command {
        Command::Run => run::run(config).await,
        Command::Check { connect } => connect::command(config, connect).await,
        Command::Demo { dir } => demo::demo(&dir.unwrap_or_else(demo::free_folder)).await,
        Command::Init { dir } => {
            settings::say(&init::init(&dir)?);
            Ok(())
        }
        Command::Explain {
            what,
            json,
            mailbox,
            arrived,
        } => {
            let wanted = explain::Wanted {
                what,
                json,
                mailbox,
                arrived: arrived.map(|a| a.to_utc()),
            };
            explain::explain(config, wanted).await
        }
        Command::Ingest {
            mailbox,
            arrived,
            files,
        } => ingest::ingest(config, &mailbox, arrived.map(|a| a.to_utc()), &files).await,
        Command::Requests {
            status,
            customer,
            json,
        } => requests::list(config, status.as_deref(), customer.as_deref(), json).await,
        Command::Request { number, json } => requests::one(config, &number, json).await,
        Command::CheckSignature => check_signature::check_signature(),
    }
}
