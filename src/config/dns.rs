//! Whom the desk asks for the keys of signatures: `[dns]`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::fault::Fault;
use super::section::Section;

/// The port of the DNS.
const PORT: u16 = 53;

/// Whom the desk asks, and how long it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsConfig {
    /// The servers; none for those of the system.
    pub servers: Option<Vec<SocketAddr>>,
    /// How long one question may take.
    pub patience: Duration,
}

/// Reads the section.
pub fn dns(root: &Section<'_>) -> DnsConfig {
    let section = root.table("dns", "[dns]");
    let servers = section.texts("servers", &[]);
    let mut read = Vec::new();
    for text in &servers {
        match server(&text.value) {
            Some(server) => read.push(server),
            None => section.reading().fault(
                Fault::error(text.at, format!("`{}` is no address", text.value))
                    .label("an address, with or without a port")
                    .why("the name of a DNS server could only be found by asking it")
                    .todo("write servers = [\"127.0.0.1\"], [\"192.0.2.53:5353\"] or [\"[2001:db8::53]:53\"]"),
            ),
        }
    }
    let seconds = section.number("timeout_seconds", 1..=30, 5);
    section.end();
    DnsConfig {
        servers: (!read.is_empty()).then_some(read),
        patience: Duration::from_secs(seconds.value.unsigned_abs()),
    }
}

/// A server by its address, with or without a port.
pub fn server(text: &str) -> Option<SocketAddr> {
    let plain = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let ip = plain.unwrap_or(text).parse::<IpAddr>();
    ip.map(|ip| SocketAddr::new(ip, PORT))
        .or_else(|_| text.parse())
        .ok()
        .filter(|server| server.port() != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_have_a_port() {
        for (text, expected) in [
            ("127.0.0.1", Some("127.0.0.1:53")),
            ("127.0.0.1:5353", Some("127.0.0.1:5353")),
            ("::1", Some("[::1]:53")),
            ("[::1]", Some("[::1]:53")),
            ("[::1]:5353", Some("[::1]:5353")),
            ("dns.example", None),
            ("127.0.0.1:0", None),
            ("", None),
        ] {
            assert_eq!(server(text).map(|s| s.to_string()).as_deref(), expected);
        }
    }
}
