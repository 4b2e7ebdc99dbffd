//! Real servers private to one test (Dovecot, Postfix, PostgreSQL), small scripted ones (an SMTP sink, an IMAP server that idles), and mail to put into them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    reason = "test support: each program uses its part of it, and a server that does not start is a failed test"
)]

pub mod authority;
pub mod dovecot;
pub mod guarded;
pub mod idle_imap;
pub mod loopback_ports;
pub mod mailgen;
pub mod notary;
pub mod postfix;
pub mod postgres;
pub mod private_dns;
pub mod raw_imap;
pub mod raw_lmtp;
pub mod shooting_proxy;
pub mod signer;
pub mod sink;
pub mod trial_desk;
pub mod wait;
