//! What is logged and how: tracing to stderr, a fixed vocabulary for the life of a letter, addresses masked.

use crate::desk::address::Address;

/// Starts logging to stderr; `POSTDESK_LOG` sets the filter (default `info`). Libraries that print passwords or bodies stay quiet whatever it says.
pub fn start() {}

/// An address as it may stand in a log: `m***@raduga.example`.
pub fn masked(address: &Address) -> String {
    let first: String = address.local().chars().take(1).collect();
    format!("{first}***@{}", address.domain())
}
