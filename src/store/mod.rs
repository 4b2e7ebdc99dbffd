//! The database: raw letters, the ledger of what was seen, requests, their history, and what is to go out. Nothing decides here.

pub mod clues;
pub mod column;
pub mod history;
pub mod lately;
pub mod lease;
pub mod letters;
pub mod outbox;
pub mod pool;
pub mod requests;
pub mod work;

mod apply;
mod contents;
mod course;
mod entry;
mod moments;
mod own;
mod roll;
mod schema;
mod statement;
mod succession;
#[cfg(test)]
mod testing;
mod thread;
mod told;
mod undecided;
mod unwritten;
