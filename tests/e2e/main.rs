//! The whole program as its users run it: `postdesk run` as a process of its own between a private Dovecot, a private Postfix and a database,
//! judged by what arrives in the mailboxes of the people.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::too_many_lines,
    unreachable_pub,
    reason = "tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod after;
mod commands;
mod delivery;
mod desk;
mod flow;
mod intake;
mod lifetime;
mod post;
mod regulation;
mod series;
mod several;
mod signed;
mod town;
mod unusual;
