//! How long each stage of an SMTP dialogue may take.

use std::time::Duration;

/// The limits of time. The defaults follow RFC 5321 4.5.3.2 once a letter is on its way, and are shorter before that: a server
/// that doesn't even greet in a minute is as good as down, and nothing is lost by trying again.
#[derive(Debug, Clone)]
pub struct Patience {
    /// The name's lookup, and each address's TCP connection.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// Each answer up to the login: greeting, EHLO, STARTTLS, AUTH.
    pub opening: Duration,
    /// The answers to MAIL and to RCPT, each.
    pub envelope: Duration,
    /// The answer to DATA.
    pub data: Duration,
    /// The letter's bytes, beside one second for each 8 kB.
    pub body: Duration,
    /// The answer after the final dot.
    pub dot: Duration,
    /// RSET and QUIT.
    pub courtesy: Duration,
    /// A connection idle for less than this is used without asking whether it still lives.
    pub trust: Duration,
    /// A connection idle for more than this is given up.
    pub keep: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(20),
            tls: seconds(30),
            opening: seconds(60),
            envelope: seconds(300),
            data: seconds(120),
            body: seconds(180),
            dot: seconds(600),
            courtesy: seconds(5),
            trust: seconds(15),
            keep: seconds(60),
        }
    }
}

impl Patience {
    /// The limit for a letter of this many octets.
    pub fn for_body(&self, octets: usize) -> Duration {
        let slow = u64::try_from(octets).unwrap_or(u64::MAX) / 8192;
        self.body.saturating_add(Duration::from_secs(slow))
    }
}
