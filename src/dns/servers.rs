//! Which servers are asked: those that the configuration names, else those of the system (resolv.conf(5)). There is no foreign default.

use std::net::{Ipv4Addr, SocketAddr};

use crate::config::dns::server;

/// Where the system says whom it asks.
pub const SYSTEM: &str = "/etc/resolv.conf";
/// The port of the DNS.
const PORT: u16 = 53;
/// Servers that are asked; the system's library takes as many (resolv.conf(5), MAXNS).
const MOST: usize = 3;

/// The servers that a resolv.conf names. One that names none means the machine itself, as the system's library has it.
pub fn of_system(text: &str) -> Vec<SocketAddr> {
    let mut servers: Vec<SocketAddr> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            (words.next()? == "nameserver").then_some(())?;
            // A zone (fe80::1%eth0) can't be told from text alone; such a server is left to the next line.
            server(words.next()?)
        })
        .take(MOST)
        .collect();
    if servers.is_empty() {
        servers.push(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)));
    }
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        of_system(text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_system_names_its_servers() {
        let text = "# a\n; b\nsearch x.example\nnameserver 192.0.2.1\nnameserver 2001:db8::1 # c\noptions edns0\nnameserver x\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n";
        assert_eq!(
            shown(text),
            ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.2:53"]
        );
        assert_eq!(shown(""), ["127.0.0.1:53"]);
    }
}
