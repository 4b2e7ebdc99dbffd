//! A mailbox over IMAP: new messages since the cursor, and a wait for more. async-imap lives here only.

mod after;
mod connect;
pub mod fault;
pub mod fetch;
mod guard;
mod login;
pub mod pace;
pub mod session;
mod syntax;
mod told;
mod wait;
mod wire;
