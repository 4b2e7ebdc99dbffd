//! Signatures by which a domain answers for a letter (DKIM, RFC 6376 and 8463): what must be asked of the DNS, and what its answers prove.
//!
//! Everything is pure: [`signed::Signed`] says which TXT records it needs, somebody asks for them, and it judges by what comes back.

pub mod alignment;
pub mod answer;
mod canonical;
mod key;
mod signature;
pub mod signed;
mod tags;
