//! Bytes to values and back, pure: reading letters, screening machines out, judging senders, finding threads, writing ours.

pub mod assurance;
pub mod compose;
pub mod mbox;
pub mod parse;
pub mod quote;
pub mod screen;
pub mod thread;
pub mod wording;
