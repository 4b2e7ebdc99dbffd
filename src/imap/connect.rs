//! The connection: name, TCP, TLS.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::fault::{ImapFault, excerpt};
use super::guard::Transport;
use super::pace::Pace;
use crate::config::{Endpoint, Tls};

/// How many addresses of a name are tried.
const ADDRESSES: usize = 8;

/// A TCP connection to the endpoint. Without TLS the address itself must be a loopback one, whatever the name says.
pub(super) async fn dial(endpoint: &Endpoint, pace: Pace) -> Result<TcpStream, ImapFault> {
    let host = &endpoint.host;
    let lookup = lookup_host((host.as_str(), endpoint.port));
    let addresses = match timeout(pace.connect, lookup).await {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => {
            let why = format!("the name {host} can't be looked up: {error}");
            return Err(ImapFault::Disconnected(why));
        }
        Err(_) => return Err(ImapFault::Timeout(format!("looking up {host}"))),
    };
    let mut last = ImapFault::Disconnected(format!("the name {host} has no address"));
    for address in addresses.take(ADDRESSES) {
        if endpoint.tls == Tls::None && !is_loopback(address) {
            let why = format!("tls = \"none\" is for loopback addresses, and {host} is none");
            last = ImapFault::Tls(why);
            continue;
        }
        match timeout(pace.connect, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return prepare(stream, pace),
            Ok(Err(error)) => last = ImapFault::Disconnected(format!("{address}: {error}")),
            Err(_) => last = ImapFault::Timeout(format!("connecting to {address}")),
        }
    }
    Err(last)
}

fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// No waiting for more bytes to send, and a dead peer is noticed within two minutes (FAULTS B11, B13).
fn prepare(stream: TcpStream, pace: Pace) -> Result<TcpStream, ImapFault> {
    let set = || -> io::Result<()> {
        stream.set_nodelay(true)?;
        let socket = socket2::SockRef::from(&stream);
        let keepalive = socket2::TcpKeepalive::new()
            .with_time(Duration::from_secs(60))
            .with_interval(Duration::from_secs(15))
            .with_retries(4);
        socket.set_tcp_keepalive(&keepalive)?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(pace.answer.saturating_mul(4)))?;
        Ok(())
    };
    match set() {
        Ok(()) => Ok(stream),
        Err(error) => Err(ImapFault::Disconnected(error.to_string())),
    }
}

/// TLS on a connection; certificate and name are checked.
pub(super) async fn protect(
    transport: Box<dyn Transport>,
    endpoint: &Endpoint,
    pace: Pace,
) -> Result<Box<dyn Transport>, ImapFault> {
    let config = crate::tls::client_config(endpoint.ca_file.as_deref())
        .map_err(|error| ImapFault::Tls(format!("{error:#}")))?;
    let name = ServerName::try_from(endpoint.host.clone()).map_err(|_| {
        let why = format!(
            "{} is no name that a certificate can have",
            excerpt(&endpoint.host)
        );
        ImapFault::Tls(why)
    })?;
    let handshake = TlsConnector::from(config).connect(name, transport);
    match timeout(pace.connect, handshake).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(handshake_fault(&error, &endpoint.host)),
        Err(_) => Err(ImapFault::Timeout("TLS handshake".to_owned())),
    }
}

/// Says which check failed and what can be done about it (FAULTS B15).
fn handshake_fault(error: &io::Error, host: &str) -> ImapFault {
    let inner = error.get_ref().and_then(|e| e.downcast_ref());
    let why = match inner {
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)) => {
            format!(
                "the certificate of {host} is signed by an authority that this system does not know; if it is yours, name its file as ca_file"
            )
        }
        Some(error) => format!("{host}: {}", excerpt(&error.to_string())),
        None => {
            let why = format!("during the TLS handshake with {host}: {}", error.kind());
            return ImapFault::Disconnected(why);
        }
    };
    ImapFault::Tls(why)
}
