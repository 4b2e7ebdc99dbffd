//! Bytes to values and back, pure: reading letters, screening machines out, judging senders, finding threads, writing ours.

pub mod assurance;
pub mod clean;
pub mod compose;
pub mod dates;
pub mod header;
pub mod layout;
pub mod mbox;
pub mod parse;
pub mod quote;
pub mod screen;
pub mod thread;
pub mod trial;
pub mod vocabulary;
pub mod wording;
