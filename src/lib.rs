//! postdesk: an email-first ticketing daemon.

pub mod cli;
pub mod clock;
pub mod config;
pub mod courier;
pub mod daemon;
pub mod desk;
pub mod explanation;
pub mod folder;
pub mod imap;
pub mod inbound;
pub mod intake;
pub mod mail;
pub mod maildir;
pub mod outbound;
pub mod parcel;
pub mod smtp;
pub mod store;
pub mod telemetry;
pub mod tls;
