//! An SMTP server that does at each stage what a test tells it to, and keeps what it was told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// What is done instead of the usual answer.
#[derive(Clone, Debug)]
pub enum Act {
    /// This is said; the dialogue goes on.
    Say(&'static str),
    /// This is said, then the connection is closed.
    SayAndClose(&'static str),
    /// The connection is closed without a word.
    Close,
    /// Nothing is said any more.
    Hang,
    /// The usual answer comes after this time.
    Delay(Duration),
}

/// Protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In clear.
    Clear,
    /// TLS from the first byte.
    Implicit,
    /// STARTTLS.
    StartTls,
}

/// How one connection goes.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Lines of EHLO beside the name.
    pub offers: Vec<&'static str>,
    acts: Vec<(&'static str, Option<usize>, Act)>,
}

impl Plan {
    /// Everything goes well.
    pub fn well() -> Self {
        Self {
            offers: vec!["8BITMIME", "ENHANCEDSTATUSCODES"],
            acts: Vec::new(),
        }
    }

    /// EHLO offers this too.
    pub fn offering(mut self, offer: &'static str) -> Self {
        self.offers.push(offer);
        self
    }

    /// At each occurrence of this stage (`connect`, `ehlo`, `starttls`, `auth`, `mail`, `rcpt`, `data`, `body`, `dot`, `rset`, `noop`, `quit`) this is done.
    pub fn at(mut self, stage: &'static str, act: Act) -> Self {
        self.acts.push((stage, None, act));
        self
    }

    /// The same, at the occurrence of this number (from 1) in the connection only.
    pub fn at_nth(mut self, stage: &'static str, nth: usize, act: Act) -> Self {
        self.acts.push((stage, Some(nth), act));
        self
    }

    fn act(&self, stage: &str, nth: usize) -> Option<Act> {
        self.acts
            .iter()
            .find(|(s, n, _)| *s == stage && n.is_none_or(|n| n == nth))
            .map(|(_, _, act)| act.clone())
    }
}

/// A letter that was taken over, as it stood on the line, dots undoubled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The argument of MAIL.
    pub mail: String,
    /// The argument of RCPT.
    pub rcpt: String,
    /// The letter.
    pub bytes: Vec<u8>,
    /// Whether 250 was said; a letter can be there without it.
    pub answered: bool,
}

/// What the server was told.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Letters.
    pub letters: Vec<Taken>,
    /// Commands with the number of their connection, from 1.
    pub commands: Vec<(usize, String)>,
    /// Connections.
    pub connections: usize,
}

/// The server. It ends with the test.
pub struct Fake {
    /// Its port on 127.0.0.1.
    pub port: u16,
    seen: watch::Receiver<Seen>,
}

impl Fake {
    /// Starts one. The n-th connection goes by the n-th plan, further ones by the last.
    pub async fn start(mode: Mode, tls: Option<Arc<ServerConfig>>, plans: Vec<Plan>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, seen) = watch::channel(Seen::default());
        let tell = Arc::new(tell);
        let plans = Arc::new(Mutex::new(plans));
        tokio::spawn(async move {
            let mut number = 0;
            while let Ok((tcp, _)) = listener.accept().await {
                number += 1;
                tcp.set_nodelay(true).unwrap();
                tell.send_modify(|seen| seen.connections = number);
                let plan = {
                    let mut plans = plans.lock().unwrap();
                    if plans.len() > 1 {
                        plans.remove(0)
                    } else {
                        plans[0].clone()
                    }
                };
                let session = Session {
                    number,
                    plan,
                    tell: Arc::clone(&tell),
                    counts: std::collections::BTreeMap::new(),
                };
                let acceptor = tls.clone().map(TlsAcceptor::from);
                tokio::spawn(async move {
                    let stream: Stream = match (mode, &acceptor) {
                        (Mode::Implicit, Some(tls)) => match tls.accept(tcp).await {
                            Ok(tls) => Box::new(tls),
                            Err(_) => return,
                        },
                        _ => Box::new(tcp),
                    };
                    let _ = session.run(stream, mode, acceptor).await;
                });
            }
        });
        Self { port, seen }
    }

    /// In clear, with these plans.
    pub async fn clear(plans: Vec<Plan>) -> Self {
        Self::start(Mode::Clear, None, plans).await
    }

    /// What it was told up to now.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits until `so` holds of what it was told.
    pub async fn until(&self, so: impl FnMut(&Seen) -> bool) -> Seen {
        let mut seen = self.seen.clone();
        let wait = seen.wait_for(so);
        tokio::time::timeout(Duration::from_secs(10), wait)
            .await
            .expect("in time")
            .unwrap()
            .clone()
    }

    /// The commands' first words on a connection.
    pub fn verbs(&self, connection: usize) -> Vec<String> {
        self.seen()
            .commands
            .iter()
            .filter(|(n, _)| *n == connection)
            .map(|(_, command)| command.split([' ', '\r']).next().unwrap().to_owned())
            .collect()
    }
}

trait Both: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Both for T {}
type Stream = Box<dyn Both>;

struct Session {
    number: usize,
    plan: Plan,
    tell: Arc<watch::Sender<Seen>>,
    counts: std::collections::BTreeMap<&'static str, usize>,
}

impl Session {
    /// The planned act, or the usual answer. `Ok(false)` if the connection is over, `Ok(true)` if it goes on.
    async fn reply(
        &mut self,
        stream: &mut BufReader<Stream>,
        stage: &'static str,
        usual: &str,
    ) -> std::io::Result<bool> {
        let nth = self.counts.entry(stage).or_default();
        *nth += 1;
        match self.plan.act(stage, *nth) {
            None => stream.write_all(usual.as_bytes()).await?,
            Some(Act::Say(text)) => stream.write_all(text.as_bytes()).await?,
            Some(Act::SayAndClose(text)) => {
                stream.write_all(text.as_bytes()).await?;
                stream.shutdown().await?;
                return Ok(false);
            }
            Some(Act::Close) => return Ok(false),
            Some(Act::Hang) => {
                // Reads on, so that the other side is never told anything, until it gives up.
                let mut sink = [0; 4096];
                while stream.read(&mut sink).await? > 0 {}
                return Ok(false);
            }
            Some(Act::Delay(time)) => {
                tokio::time::sleep(time).await;
                stream.write_all(usual.as_bytes()).await?;
            }
        }
        stream.flush().await?;
        Ok(true)
    }

    async fn run(
        mut self,
        stream: Stream,
        mode: Mode,
        tls: Option<TlsAcceptor>,
    ) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut secure = mode == Mode::Implicit;
        if !self
            .reply(&mut stream, "connect", "220 fake ESMTP\r\n")
            .await?
        {
            return Ok(());
        }
        let (mut mail, mut rcpt) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let number = self.number;
            self.tell
                .send_modify(|seen| seen.commands.push((number, line.clone())));
            let verb = line
                .split([' ', '\r'])
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            let goes_on = match verb.as_str() {
                "EHLO" => {
                    let mut text = "250-fake\r\n".to_owned();
                    for offer in &self.plan.offers {
                        if *offer != "STARTTLS" || !secure {
                            text.push_str(&format!("250-{offer}\r\n"));
                        }
                    }
                    text.push_str("250 HELP\r\n");
                    self.reply(&mut stream, "ehlo", &text).await?
                }
                "STARTTLS" => {
                    let on = self
                        .reply(&mut stream, "starttls", "220 2.0.0 go\r\n")
                        .await?;
                    if on && let Some(tls) = &tls {
                        stream = BufReader::new(Box::new(tls.accept(stream.into_inner()).await?));
                        secure = true;
                    }
                    on
                }
                "AUTH" => self.auth(&mut stream, &line).await?,
                "MAIL" => {
                    mail = line[5..].trim().to_owned();
                    self.reply(&mut stream, "mail", "250 2.1.0 Ok\r\n").await?
                }
                "RCPT" => {
                    rcpt = line[5..].trim().to_owned();
                    self.reply(&mut stream, "rcpt", "250 2.1.5 Ok\r\n").await?
                }
                "DATA" => self.data(&mut stream, &mail, &rcpt).await?,
                "RSET" => self.reply(&mut stream, "rset", "250 2.0.0 Ok\r\n").await?,
                "NOOP" => self.reply(&mut stream, "noop", "250 2.0.0 Ok\r\n").await?,
                "QUIT" => {
                    self.reply(&mut stream, "quit", "221 2.0.0 Bye\r\n").await?;
                    false
                }
                _ => {
                    stream.write_all(b"500 5.5.2 what\r\n").await?;
                    true
                }
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    async fn auth(&mut self, stream: &mut BufReader<Stream>, line: &str) -> std::io::Result<bool> {
        if line.starts_with("AUTH LOGIN") {
            for prompt in ["334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n"] {
                stream.write_all(prompt.as_bytes()).await?;
                let mut answer = String::new();
                stream.read_line(&mut answer).await?;
                let number = self.number;
                self.tell
                    .send_modify(|seen| seen.commands.push((number, answer.clone())));
            }
        }
        self.reply(stream, "auth", "235 2.7.0 Ok\r\n").await
    }

    async fn data(
        &mut self,
        stream: &mut BufReader<Stream>,
        mail: &str,
        rcpt: &str,
    ) -> std::io::Result<bool> {
        let nth = self.counts.get("data").copied().unwrap_or_default() + 1;
        let refused =
            matches!(self.plan.act("data", nth), Some(Act::Say(text)) if !text.starts_with("354"));
        if !self.reply(stream, "data", "354 go\r\n").await? {
            return Ok(false);
        }
        if refused {
            return Ok(true);
        }
        let mut bytes = Vec::new();
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line).await? == 0 {
                return Ok(false);
            }
            if line == b".\r\n" {
                break;
            }
            let line = line.strip_prefix(b".").unwrap_or(&line);
            bytes.extend_from_slice(line);
            if self.plan.act("body", 1).is_some() {
                return self.reply(stream, "body", "").await;
            }
        }
        let on = self.reply_to_dot(stream, mail, rcpt, bytes).await?;
        Ok(on)
    }

    async fn reply_to_dot(
        &mut self,
        stream: &mut BufReader<Stream>,
        mail: &str,
        rcpt: &str,
        bytes: Vec<u8>,
    ) -> std::io::Result<bool> {
        let nth = self.counts.get("dot").copied().unwrap_or_default() + 1;
        let answered = matches!(self.plan.act("dot", nth), None | Some(Act::Delay(_)));
        let taken = Taken {
            mail: mail.to_owned(),
            rcpt: rcpt.to_owned(),
            bytes,
            answered,
        };
        self.tell.send_modify(|seen| seen.letters.push(taken));
        self.reply(stream, "dot", "250 2.0.0 Ok: queued as 4F1\r\n")
            .await
    }
}

/// A certificate authority of the test's own.
pub struct Ca {
    /// Its certificate, PEM.
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    /// A new one of this name.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// A server's certificate for this name, valid up to this year.
    pub fn server(&self, name: &str, until: i32) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }
}
