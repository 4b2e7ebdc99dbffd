//! Bytes to values and back, pure: reading letters, screening machines out, judging senders, finding threads, writing ours.

pub mod assurance;
mod base32;
mod bounce;
mod charset;
pub mod compose;
mod content_key;
mod fields;
mod file_name;
mod from_field;
mod html;
mod mailboxes;
mod params;
pub mod parse;
mod parts;
pub mod quote;
mod results;
pub mod screen;
mod text;
pub mod thread;
mod transfer;
pub mod wording;
mod words;
