//! From a name to a connection that is protected, greeted and logged in.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::ClientId;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::answer::{Answer, Offer, without_secrets};
use super::fault::{Fault, Stage, What};
use super::patience::Patience;
use super::wire::Wire;
use crate::config::{Endpoint, Login, Tls};

/// A connection on which letters can be sent.
pub struct Opened {
    /// lettre's side of it.
    pub smtp: AsyncSmtpConnection,
    /// What the server offers.
    pub offer: Offer,
    /// How many answers have come in on it.
    pub answers: Arc<AtomicU64>,
}

/// Opens a connection. Protection is never less than the configuration says.
///
/// # Errors
/// The first stage that failed.
pub async fn open(
    endpoint: &Endpoint,
    login: Option<&Login>,
    tls: Option<&Arc<ClientConfig>>,
    patience: &Patience,
) -> Result<Opened, Fault> {
    let (tcp, peer) = connect(endpoint, patience).await?;
    let name = hello_name(&tcp);
    let mut opened = match (endpoint.tls, tls) {
        (Tls::None, _) => greeted(Wire::new(tcp, peer), &name, patience).await?,
        (Tls::Implicit, Some(tls)) => {
            let stream = handshake(tcp, &endpoint.host, tls, patience).await?;
            greeted(Wire::new(stream, peer), &name, patience).await?
        }
        (Tls::StartTls, Some(tls)) => {
            let tcp = starttls(Wire::new(tcp, peer), &name, patience).await?;
            let stream = handshake(tcp, &endpoint.host, tls, patience).await?;
            hello(Wire::new(stream, peer), &name, patience).await?
        }
        (Tls::Implicit | Tls::StartTls, None) => {
            return Err(lost(Stage::Tls, "no certificate authorities".to_owned()));
        }
    };
    if let Some(login) = login {
        log_in(&mut opened.smtp, login, patience).await?;
    }
    Ok(opened)
}

fn lost(stage: Stage, why: String) -> Fault {
    Fault::new(stage, What::Lost(why))
}

/// Waits for `work` no longer than `limit`.
async fn within<T>(
    stage: Stage,
    limit: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, Fault> {
    match timeout(limit, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(lost(stage, plainly(&error))),
        Err(_) => Err(Fault::new(stage, What::Silence(limit))),
    }
}

/// The kind of an operating system's error in its own words, without the number.
fn plainly(error: &io::Error) -> String {
    if error.raw_os_error().is_some() {
        error.kind().to_string()
    } else {
        error.to_string()
    }
}

async fn connect(
    endpoint: &Endpoint,
    patience: &Patience,
) -> Result<(TcpStream, SocketAddr), Fault> {
    let stage = Stage::Connect;
    let lookup = lookup_host((endpoint.host.as_str(), endpoint.port));
    let addresses = within(stage, patience.connect, lookup).await?;
    let mut fault = lost(stage, "the name has no address".to_owned());
    for address in addresses {
        // The address that is really spoken to decides, not the name: without TLS nothing leaves this machine.
        if endpoint.tls == Tls::None && !address.ip().to_canonical().is_loopback() {
            fault = lost(
                stage,
                "tls = \"none\" is for loopback addresses only".to_owned(),
            );
            continue;
        }
        match within(stage, patience.connect, TcpStream::connect(address)).await {
            Ok(tcp) => {
                // Nagle's algorithm against delayed ACK costs 40 ms a letter (measured 2026-11).
                tcp.set_nodelay(true)
                    .map_err(|error| lost(stage, plainly(&error)))?;
                return Ok((tcp, address));
            }
            Err(why) => fault = why,
        }
    }
    Err(fault)
}

/// Our name for EHLO: the host's if it is a whole one, else the address literal (RFC 5321 4.1.3).
fn hello_name(tcp: &TcpStream) -> ClientId {
    let named = ClientId::default();
    let whole = |name: &str| {
        name.contains('.')
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
    };
    match (&named, tcp.local_addr()) {
        (ClientId::Domain(name), _) if whole(name) => named,
        (_, Ok(SocketAddr::V4(local))) => ClientId::Ipv4(*local.ip()),
        (_, Ok(SocketAddr::V6(local))) => ClientId::Ipv6(*local.ip()),
        (_, Err(_)) => named,
    }
}

async fn handshake(
    tcp: TcpStream,
    host: &str,
    tls: &Arc<ClientConfig>,
    patience: &Patience,
) -> Result<TlsStream<TcpStream>, Fault> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| lost(Stage::Tls, "the host is no name of a server".to_owned()))?;
    let connector = TlsConnector::from(Arc::clone(tls));
    within(Stage::Tls, patience.tls, connector.connect(name, tcp))
        .await
        .map_err(advised)
}

/// Says what to do about a certificate that nobody we know has signed.
fn advised(fault: Fault) -> Fault {
    if let What::Lost(why) = &fault.what
        && why.contains("UnknownIssuer")
    {
        let advice = format!("{why}; if that authority is right, name its file as ca_file");
        return lost(fault.stage, advice);
    }
    fault
}

/// Reads the greeting ourselves, so that it has its own limit and its own fate, then lets lettre say EHLO.
async fn greeted<S>(wire: Wire<S>, name: &ClientId, patience: &Patience) -> Result<Opened, Fault>
where
    S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
{
    let mut wire = BufReader::new(wire);
    expect(&mut wire, Stage::Greeting, 220, patience).await?;
    hello(quiet(wire, Stage::Greeting)?, name, patience).await
}

/// Greeting, EHLO and STARTTLS in clear. Nothing that came before the handshake is believed after it (RFC 3207 4.2).
async fn starttls(
    wire: Wire<TcpStream>,
    name: &ClientId,
    patience: &Patience,
) -> Result<TcpStream, Fault> {
    let mut wire = BufReader::new(wire);
    expect(&mut wire, Stage::Greeting, 220, patience).await?;
    say(
        &mut wire,
        Stage::Ehlo,
        &format!("EHLO {name}\r\n"),
        patience,
    )
    .await?;
    let answer = expect(&mut wire, Stage::Ehlo, 250, patience).await?;
    if !Offer::read(answer.lines.iter().map(String::as_str)).starttls {
        return Err(lost(
            Stage::StartTls,
            "the server doesn't offer STARTTLS, and without it nothing is sent".to_owned(),
        ));
    }
    say(&mut wire, Stage::StartTls, "STARTTLS\r\n", patience).await?;
    expect(&mut wire, Stage::StartTls, 220, patience).await?;
    Ok(quiet(wire, Stage::StartTls)?.into_inner())
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut BufReader<Wire<S>>,
    stage: Stage,
    command: &str,
    patience: &Patience,
) -> Result<(), Fault> {
    within(stage, patience.opening, wire.write_all(command.as_bytes())).await
}

async fn expect<S: AsyncRead + Unpin>(
    wire: &mut BufReader<Wire<S>>,
    stage: Stage,
    code: u16,
    patience: &Patience,
) -> Result<Answer, Fault> {
    let answer = within(stage, patience.opening, Answer::read(wire)).await?;
    match answer.code {
        got if got == code => Ok(answer),
        400..=599 => Err(Fault::new(
            stage,
            What::Refused {
                code: answer.code,
                text: answer.text(),
            },
        )),
        got => Err(Fault::new(
            stage,
            What::Confused(format!("answered {got} where {code} was due")),
        )),
    }
}

/// The stream again, provided that the server waits for us: whatever it said out of turn could be taken for a later answer.
fn quiet<S: AsyncRead + Unpin>(wire: BufReader<Wire<S>>, stage: Stage) -> Result<Wire<S>, Fault> {
    if wire.buffer().is_empty() && wire.get_ref().is_quiet() {
        return Ok(wire.into_inner());
    }
    Err(Fault::new(
        stage,
        What::Confused("the server spoke out of turn".to_owned()),
    ))
}

/// Hands the stream to lettre, which says EHLO; the answer is read on its way through, for what lettre doesn't tell.
async fn hello<S>(mut wire: Wire<S>, name: &ClientId, patience: &Patience) -> Result<Opened, Fault>
where
    S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
{
    let (tap, heard) = mpsc::channel();
    let answers = wire.answers();
    wire.greet_again();
    wire.tap(tap);
    let stream: Box<dyn AsyncTokioStream> = Box::new(wire);
    let connecting = AsyncSmtpConnection::connect_with_transport(stream, name);
    let smtp = match timeout(patience.opening, connecting).await {
        Ok(Ok(smtp)) => smtp,
        Ok(Err(error)) => return Err(Fault::of(Stage::Ehlo, &error)),
        Err(_) => {
            return Err(Fault::new(Stage::Ehlo, What::Silence(patience.opening)));
        }
    };
    let lines: Vec<String> = heard.try_iter().collect();
    let offer = Offer::read(lines.iter().filter_map(|line| line.get(4..)));
    Ok(Opened {
        smtp,
        offer,
        answers,
    })
}

async fn log_in(
    smtp: &mut AsyncSmtpConnection,
    login: &Login,
    patience: &Patience,
) -> Result<(), Fault> {
    let stage = Stage::Auth;
    let mechanisms = [Mechanism::Plain, Mechanism::Login];
    if smtp.server_info().get_auth_mechanism(&mechanisms).is_none() {
        return Err(lost(
            stage,
            "the server offers neither AUTH PLAIN nor AUTH LOGIN".to_owned(),
        ));
    }
    let password = login.password.reveal();
    let credentials = Credentials::new(login.username.clone(), password.to_owned());
    let fault = match timeout(patience.opening, smtp.auth(&mechanisms, &credentials)).await {
        Ok(Ok(answer)) if answer.has_code(235) => return Ok(()),
        Ok(Ok(answer)) => Fault::new(
            stage,
            What::Confused(format!("answered {} where 235 was due", answer.code())),
        ),
        Ok(Err(error)) => Fault::of(stage, &error),
        Err(_) => Fault::new(stage, What::Silence(patience.opening)),
    };
    if let What::Refused { code, text } = &fault.what {
        let (code, text) = (*code, without_secrets(text, password));
        return Err(Fault::new(stage, What::Refused { code, text }));
    }
    Err(fault)
}
