//! A server that the desk connects to: host, port, protection, and who the desk is there.

use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::fault::Fault;
use super::secret;
use super::section::Section;
use super::source::Placed;
use super::{Endpoint, Login, Tls};

/// The ports that a protocol is spoken on where none is named.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// With TLS from the first byte.
    pub implicit: u16,
    /// In plain text at first.
    pub plain: u16,
}

/// The keys that only a server has; a folder in its place takes none of them.
pub const KEYS: [&str; 10] = [
    "host",
    "port",
    "tls",
    "ca_file",
    "username",
    "password",
    "password_file",
    "password_command",
    "credential",
    "oauth2",
];

/// Reads the server of a section.
pub fn endpoint(section: &Section<'_>, ports: Ports, example: &str) -> Option<Endpoint> {
    let why = "the desk must know which server to connect to";
    let host = section.required_text("host", why, example);
    let choices = [
        ("implicit", Tls::Implicit),
        ("starttls", Tls::StartTls),
        ("none", Tls::None),
    ];
    let tls = section.choice("tls", &choices, Some("implicit"))?;
    let default = match tls.value {
        Tls::Implicit => ports.implicit,
        Tls::StartTls | Tls::None => ports.plain,
    };
    let port = section.number("port", 1..=65535, i64::from(default));
    let ca_file = section.text("ca_file");
    if let Some(file) = &ca_file {
        check_authorities(section, file);
    }
    let host = host?;
    check_host(section, &host);
    if tls.value == Tls::None && !is_loopback(&host.value) {
        section.reading().fault(
            Fault::error(tls.at, format!("no TLS to `{}`", host.value))
                .label("passwords and letters would travel in the open")
                .also(host.at, "this is not this machine")
                .why("anybody on the way could read and change what is sent; `none` is for loopback addresses only")
                .todo("write tls = \"implicit\" or tls = \"starttls\""),
        );
    }
    Some(Endpoint {
        host: host.value,
        port: u16::try_from(port.value).unwrap_or(default),
        tls: tls.value,
        ca_file: ca_file.map(|f| section.reading().resolve(&f.value)),
    })
}

/// Reads who the desk is at this server; `None` where nobody is named.
pub fn login(section: &Section<'_>) -> Option<Login> {
    let username = section.text("username");
    let password = secret::password(section);
    let named = secret::names_password(section);
    match (username, named) {
        (Some(username), Some(_)) => Some(Login {
            username: username.value,
            password: password?.value,
        }),
        (Some(username), None) => {
            if section.has("password").is_none() && section.has("oauth2").is_none() {
                section.reading().fault(
                    Fault::error(username.at, "a user name without a password")
                        .label("whose password?")
                        .why("the server will ask for one")
                        .todo("add password_file = \"NAME\", password_command = [\"…\"] or credential = \"NAME\""),
                );
            }
            None
        }
        (None, Some(at)) => {
            section.reading().fault(
                Fault::error(at, "a password without a user name")
                    .label("whose?")
                    .why("it would never be used")
                    .todo("add username = \"NAME\", or remove this line"),
            );
            None
        }
        (None, None) => None,
    }
}

/// Whether a host is this very machine: the only place where nothing needs protection.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    }
}

fn check_host(section: &Section<'_>, host: &Placed<String>) {
    let bare = host.value.trim_start_matches('[').trim_end_matches(']');
    let is_address = bare.parse::<IpAddr>().is_ok();
    let odd = |c: char| c.is_whitespace() || matches!(c, '/' | ':' | '@' | '?' | '#' | ',');
    if !is_address && host.value.contains(odd) {
        section.reading().fault(
            Fault::error(host.at, "`host` is no name of a server")
                .label("a name or an address, and nothing else")
                .why("its certificate must have exactly this name")
                .todo("write host = \"mail.organisation.example\"; the port goes into `port`, the protection into `tls`"),
        );
    }
}

fn check_authorities(section: &Section<'_>, file: &Placed<String>) {
    let path = section.reading().resolve(&file.value);
    section.reading().look_at(&path);
    let found = std::fs::read(&path)
        .map_err(|error| error.to_string())
        .and_then(|pem| {
            section.reading().note_authority(&path, &pem);
            CertificateDer::pem_slice_iter(&pem)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| error.to_string())
        });
    let why = match found {
        Ok(certificates) if !certificates.is_empty() => return,
        Ok(_) => "there is no certificate in it".to_owned(),
        Err(error) => error,
    };
    section.reading().fault(
        Fault::error(file.at, format!("`{}` gives no certificate authority", path.display()))
            .label(why)
            .why("the server's certificate could not be verified, and verification cannot be turned off")
            .todo("name a PEM file with `-----BEGIN CERTIFICATE-----`, or leave `ca_file` out to trust the system's"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for host in [
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.1.2.3",
            "::1",
            "[::1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "mail.example",
            "10.0.0.1",
            "localhost.example",
            "0.0.0.0",
            "::",
            "",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
