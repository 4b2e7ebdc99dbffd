//! The commands: one file each.

pub mod check;
pub mod check_signature;
pub mod command;
pub mod connect;
pub mod demo;
pub mod explain;
pub mod failure;
pub mod ingest;
pub mod init;
pub mod requests;
pub mod run;
pub mod settings;
