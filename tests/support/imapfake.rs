//! An IMAP server that plays a written dialogue, faults and all, and complains when the client does not keep to it.
//!
//! One dialogue is one connection; its lines are steps:
//!
//! ```text
//! S: * OK ready             sends the line
//! C: P1 LOGIN "a" "b"       waits for exactly this line
//! R: 200000 (               sends the text so many times, without a line end
//! T: 50 * 1 FET             sends the text octet by octet, with so many milliseconds between, over and over until the client goes
//! TLS                       begins TLS
//! HANG                      sends nothing until the client goes
//! CLOSE                     closes
//! ```
//!
//! After its last step a dialogue waits for the client to go; what the client still says then is a fault.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A running server.
pub(crate) struct Fake {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its certificate, as a file that a client can trust.
    pub(crate) ca: tempfile::NamedTempFile,
    played: JoinHandle<Result<(), String>>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

const PATIENCE: Duration = Duration::from_secs(20);

impl Fake {
    /// Starts a server for localhost that plays these dialogues, one connection after the other.
    pub(crate) async fn start(dialogues: &[&str]) -> Self {
        let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let ca = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(ca.path(), key.cert.pem()).unwrap();
        let acceptor = acceptor(
            key.cert.der().clone(),
            PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()).into(),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let dialogues: Vec<String> = dialogues.iter().map(|d| (*d).to_owned()).collect();
        let played = tokio::spawn(async move {
            for dialogue in dialogues {
                let (stream, _) = listener.accept().await.map_err(|e| e.to_string())?;
                stream.set_nodelay(true).unwrap();
                let play = play(stream, &dialogue, &acceptor);
                tokio::time::timeout(PATIENCE, play)
                    .await
                    .map_err(|_| format!("The dialogue did not end in time:\n{dialogue}"))??;
            }
            Ok(())
        });
        Self {
            address,
            ca,
            played,
        }
    }

    /// Waits until all dialogues are played and panics if the client did not keep to one.
    pub(crate) async fn end(self) {
        self.played
            .await
            .unwrap()
            .unwrap_or_else(|fault| panic!("{fault}"));
    }
}

fn acceptor(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn play(stream: TcpStream, dialogue: &str, acceptor: &TlsAcceptor) -> Result<(), String> {
    let mut stream: Box<dyn Stream> = Box::new(stream);
    for step in dialogue.lines().map(str::trim_start) {
        if step.is_empty() {
            continue;
        }
        if step == "TLS" {
            match acceptor.accept(stream).await {
                Ok(protected) => stream = Box::new(protected),
                Err(error) => return Err(format!("No TLS: {error}")),
            }
        } else if step == "HANG" {
            break;
        } else if step == "CLOSE" {
            stream.shutdown().await.ok();
            return Ok(());
        } else if let Some(line) = step.strip_prefix("S: ") {
            // The client may have gone already: what it makes of the rest is its business.
            stream
                .write_all(line.replace("\\r\\n", "\r\n").as_bytes())
                .await
                .ok();
            stream.write_all(b"\r\n").await.ok();
        } else if let Some(rest) = step.strip_prefix("R: ") {
            let (times, text) = rest.split_once(' ').unwrap();
            let text = text
                .replace("\\r\\n", "\r\n")
                .repeat(times.parse().unwrap());
            stream.write_all(text.as_bytes()).await.ok();
        } else if let Some(rest) = step.strip_prefix("T: ") {
            let (pause, text) = rest.split_once(' ').unwrap();
            let pause = Duration::from_millis(pause.parse().unwrap());
            for byte in text.bytes().cycle() {
                if stream.write_all(&[byte]).await.is_err() {
                    return Ok(());
                }
                tokio::time::sleep(pause).await;
            }
        } else if let Some(line) = step.strip_prefix("C: ") {
            let said = line_of(&mut stream).await;
            if said != line {
                return Err(format!("Expected {line:?}, got {said:?}, in:\n{dialogue}"));
            }
        } else {
            return Err(format!("No such step: {step:?}"));
        }
        stream.flush().await.ok();
    }
    let rest = line_of(&mut stream).await;
    if rest.is_empty() {
        Ok(())
    } else {
        Err(format!("Unexpected {rest:?} at the end of:\n{dialogue}"))
    }
}

/// One line of the client's, or what there is of it when the client goes.
async fn line_of(stream: &mut Box<dyn Stream>) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while let Ok(1) = stream.read(&mut byte).await {
        line.push(byte[0]);
        if line.ends_with(b"\r\n") {
            line.truncate(line.len() - 2);
            break;
        }
    }
    String::from_utf8_lossy(&line).into_owned()
}
