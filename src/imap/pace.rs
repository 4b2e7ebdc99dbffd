//! How long we wait for a server.

use std::time::Duration;

/// How patient we are.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// For name lookup, TCP and TLS, each.
    pub connect: Duration,
    /// For the answer to a command that brings little, and for silence in any.
    pub answer: Duration,
    /// What a slow line must bring at least, in octets a second.
    pub rate: u64,
    /// For the answer to DONE (RFC 2177).
    pub done: Duration,
    /// How long one IDLE lasts. Servers and routers forget silent connections.
    pub idle: Duration,
    /// How often we ask where there is no IDLE.
    pub noop: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            answer: Duration::from_secs(30),
            rate: 8 * 1024,
            done: Duration::from_secs(15),
            idle: Duration::from_secs(5 * 60),
            noop: Duration::from_secs(20),
        }
    }
}
