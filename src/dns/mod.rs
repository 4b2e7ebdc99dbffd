//! Asks the DNS for texts: the keys of signatures and what domains publish about themselves. Nothing else is ever asked, and nobody but
//! the servers that the system or the configuration names.

pub mod message;
pub mod resolver;
pub mod servers;
