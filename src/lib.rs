//! postdesk, an email-first ticketing daemon: the map of the house.
//!
//! A letter comes in; the desk decides; the decision is committed; letters go out. Everything else serves that.
//!
//! # The two walks
//! - In: [`inbound`] is one letter's whole way in, top to bottom (its first two stops are [`intake`]'s). **Read it first.**
//! - Out: [`outbound`] is one letter's whole way out: due, attempt, fate.
//!
//! # The rooms, from the door down
//! - [`cli`]: the commands, one file each; `main.rs` only calls them.
//! - [`daemon`]: every task, how it starts, wakes others and stops. Nobody else spawns.
//! - [`intake`], [`inbound`], [`reading`], [`examination`], [`authentication`], [`knowledge`], [`watch`], [`backlog`], [`writing`], [`outbound`], [`explanation`], [`account`], [`chronicle`]: the walks, and what is told of them; [`takeover`]: what a new configuration brings about; [`succession`]: what a change of representative does; [`occasion`]: a decision that no letter caused.
//! - [`mail`]: bytes to values and back, pure: reading, screening, judging senders, threads and tokens, quotations, wording, composing.
//! - [`store`]: the database, one file per table group. Nothing decides there.
//! - [`config`]: the TOML shapes; every fault at once, with file, line and key.
//! - [`desk`]: the rules, pure. Values in, a decision out: [`desk::decide::decide`]. No clock, no I/O, no `async`, and it cannot fail.
//! - [`imap`], [`maildir`], [`smtp`], [`folder`] (behind [`courier`] and [`parcel`]), [`tls`]: the ways to the outside.
//! - [`dns`]: asks for the keys of signatures, and for nothing else.
//! - [`signature`]: checks electronic signatures, in a process of its own that is shut in.
//! - [`clock`], [`telemetry`]: the time, and what is logged.
//!
//! Arrows run down; `tests/tidy.rs` holds the table of who may name whom, and the other walls.
//!
//! # What must hold
//! - Raw bytes are committed before anything reads them; a mailbox is not touched before (P1, P2 of the promises).
//! - A decision's events, its letters and the letter's end state are one transaction (P1, P3).
//! - A letter leaves only from the outbox, with bytes and Message-ID fixed when its row was written (P2).
//! - Whatever grants something demands a [`desk::assurance::SenderAssurance`] and an arrival (P5); see [`desk::authority`].
//! - What a stranger wrote never reaches a panic, a log line above debug, a template's code, a shell or the network (P6, P7).

pub mod account;
pub mod authentication;
pub mod backlog;
pub mod chronicle;
pub mod cli;
pub mod clock;
pub mod config;
pub mod courier;
pub mod daemon;
pub mod desk;
pub mod dns;
pub mod examination;
pub mod explanation;
pub mod folder;
pub mod imap;
pub mod inbound;
pub mod intake;
pub mod knowledge;
pub mod mail;
pub mod maildir;
pub mod occasion;
pub mod outbound;
pub mod parcel;
pub mod reading;
pub mod signature;
pub mod smtp;
pub mod store;
pub mod succession;
pub mod takeover;
pub mod telemetry;
pub mod tls;
pub mod watch;
pub mod writing;
