//! The SMTP courier: a connection kept between letters, and one letter's transaction on it, stage by stage.

use std::fmt::{self, Display};
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt, Rset};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use rustls::ClientConfig;
use tokio::time::{Instant, timeout};

use super::answer::clean;
use super::fault::{Fault, Stage, What};
use super::opening::{Opened, open};
use super::patience::Patience;
use crate::config::{Endpoint, Login, Tls};
use crate::parcel::{Outcome, Parcel};
use crate::tls;

/// One connection's worth of a mail server.
pub struct Relay {
    endpoint: Endpoint,
    login: Option<Login>,
    tls: Option<Arc<ClientConfig>>,
    patience: Patience,
    line: Option<Line>,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relay({}:{})", self.endpoint.host, self.endpoint.port)
    }
}

impl Relay {
    /// A courier to this server, not connected yet.
    ///
    /// # Errors
    /// The certificate authorities can't be read.
    pub fn new(endpoint: Endpoint, login: Option<Login>, patience: Patience) -> Result<Self> {
        let tls = match endpoint.tls {
            Tls::None => None,
            Tls::Implicit | Tls::StartTls => Some(tls::client_config(endpoint.ca_file.as_deref())?),
        };
        Ok(Self {
            endpoint,
            login,
            tls,
            patience,
            line: None,
        })
    }

    /// Carries one letter. A connection that died while it was idle is replaced once, before anything of the letter was sent.
    pub async fn deliver(&mut self, parcel: &Parcel) -> Outcome {
        let letter = match Letter::new(parcel) {
            Ok(letter) => letter,
            Err(why) => return Outcome::Never(why),
        };
        loop {
            let (mut line, reused) = match self.line().await {
                Ok(line) => line,
                Err(fault) => return fault.outcome(),
            };
            match line.transact(&letter, &self.patience).await {
                Ok(answer) => {
                    self.keep(line);
                    return Outcome::Sent(answer);
                }
                Err(fault) if reused && fault.is_stale() => (),
                Err(fault) => {
                    if fault.leaves_connection() {
                        self.keep(line);
                    }
                    return fault.outcome();
                }
            }
        }
    }

    /// Connects and logs in, if it isn't, and asks whether the server is there.
    ///
    /// # Errors
    /// The reason in one line.
    pub async fn check(&mut self) -> Result<(), String> {
        let (mut line, _) = self.line().await.map_err(|fault| fault.to_string())?;
        let asked = line
            .command(Stage::Mail, self.patience.courtesy, Noop)
            .await;
        asked.map_err(|fault| fault.to_string())?;
        self.keep(line);
        Ok(())
    }

    /// Whether it holds a connection that has had nothing to do for long.
    pub fn is_tired(&self) -> bool {
        let keep = self.patience.keep;
        self.line
            .as_ref()
            .is_some_and(|line| line.used.elapsed() >= keep)
    }

    /// Says goodbye.
    pub async fn close(&mut self) {
        if let Some(mut line) = self.line.take() {
            // The answer to QUIT changes nothing: every letter's fate is known by now.
            let _ = timeout(self.patience.courtesy, line.opened.smtp.quit()).await;
        }
    }

    /// The connection that is kept, if it is still good, else a new one; and whether it had been used before.
    ///
    /// It is taken out: if the attempt is dropped half-way, so is the connection, and no late answer can be taken for the next letter's.
    async fn line(&mut self) -> Result<(Line, bool), Fault> {
        if let Some(mut line) = self.line.take() {
            let idle = line.used.elapsed();
            let trusted = !line.soiled && idle < self.patience.trust;
            if trusted || idle < self.patience.keep && line.reset(&self.patience).await {
                return Ok((line, true));
            }
        }
        let login = self.login.as_ref();
        let opened = open(&self.endpoint, login, self.tls.as_ref(), &self.patience).await?;
        Ok((Line::new(opened), false))
    }

    fn keep(&mut self, mut line: Line) {
        if !line.broken {
            line.used = Instant::now();
            self.line = Some(line);
        }
    }
}

/// A letter that may go onto a line.
struct Letter<'a> {
    from: Address,
    to: Address,
    /// Without the last line's end, which lettre adds with the dot.
    body: &'a [u8],
    size: usize,
}

impl<'a> Letter<'a> {
    /// Looks the letter over. What is found here is our own fault, and no server shall see it: a bare CR or LF can smuggle a second letter
    /// past lettre 0.11.23, which doesn't double the dot after one (RUSTSEC-2026-0561).
    fn new(parcel: &'a Parcel) -> Result<Self, String> {
        let address = |what: &str, text: &str| {
            Address::from_str(text).map_err(|_| format!("the {what} is no address for SMTP"))
        };
        let bytes = parcel.bytes.as_slice();
        if let Some(fault) = unfit(bytes) {
            return Err(format!("the letter was not offered: {fault}"));
        }
        Ok(Self {
            from: address("sender", &parcel.from)?,
            to: address("recipient", &parcel.to)?,
            body: bytes.strip_suffix(b"\r\n").unwrap_or(bytes),
            size: bytes.len(),
        })
    }
}

/// What no letter may have (RFC 5321 2.3.8, 4.5.3.1.6).
fn unfit(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        return Some("it is empty");
    }
    let body = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
    for line in body.split(|b| *b == b'\n') {
        // All lines but the last end at a LF, which must have its CR.
        let line = match line.strip_suffix(b"\r") {
            Some(line) => line,
            None if line.as_ptr_range().end == body.as_ptr_range().end => line,
            None => return Some("a bare LF is in it"),
        };
        if line.contains(&b'\r') {
            return Some("a bare CR is in it");
        }
        if line.contains(&0) {
            return Some("a NUL is in it");
        }
        if line.len() > 998 {
            return Some("a line of it is longer than 998 octets");
        }
    }
    body.ends_with(b"\r").then_some("a bare CR is in it")
}

struct Line {
    opened: Opened,
    used: Instant,
    /// A transaction may be open on it: RSET before the next.
    soiled: bool,
    /// It can't carry another letter.
    broken: bool,
}

impl Line {
    fn new(opened: Opened) -> Self {
        Self {
            opened,
            used: Instant::now(),
            soiled: false,
            broken: false,
        }
    }

    async fn reset(&mut self, patience: &Patience) -> bool {
        self.soiled = false;
        self.command(Stage::Mail, patience.courtesy, Rset)
            .await
            .is_ok()
    }

    /// One letter, one recipient. The answer to the dot, cleaned.
    async fn transact(
        &mut self,
        letter: &Letter<'_>,
        patience: &Patience,
    ) -> Result<String, Fault> {
        let mail = Mail::new(Some(letter.from.clone()), self.parameters(letter)?);
        let rcpt = Rcpt::new(letter.to.clone(), vec![]);
        let before = self.opened.answers.load(Ordering::Relaxed);
        self.soiled = true;
        if self.opened.offer.pipelining {
            self.envelope_at_once(mail, rcpt, patience).await?;
        } else {
            self.command(Stage::Mail, patience.envelope, mail).await?;
            self.command(Stage::Rcpt, patience.envelope, rcpt).await?;
            self.command(Stage::Data, patience.data, Data).await?;
        }
        // An answer too many would be taken for the one after the dot: a false success.
        let now = self.opened.answers.load(Ordering::Relaxed);
        if now != before.wrapping_add(3) {
            let why = "the server spoke out of turn".to_owned();
            return Err(Fault::new(Stage::Data, What::Confused(why)));
        }
        let answer = self.body(letter.body, patience).await?;
        self.soiled = false;
        Ok(answer)
    }

    /// What goes with MAIL; or why this server can't take this letter.
    fn parameters(&self, letter: &Letter<'_>) -> Result<Vec<MailParameter>, Fault> {
        let offer = &self.opened.offer;
        let unfit = |why: String| Err(Fault::new(Stage::Mail, What::Unfit(why)));
        let mut parameters = Vec::new();
        if let Some(largest) = offer.size {
            let size = u64::try_from(letter.size).unwrap_or(u64::MAX);
            if largest > 0 && size > largest {
                return unfit(format!(
                    "the letter has {size} octets, and the mail server takes {largest} at most"
                ));
            }
            parameters.push(MailParameter::Size(letter.size));
        }
        if !letter.body.is_ascii() {
            if !offer.eight_bit {
                return unfit("the letter is 8-bit, and the mail server lacks 8BITMIME".to_owned());
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let plain = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        if !plain(&letter.from) || !plain(&letter.to) {
            if !offer.utf8 {
                return unfit(
                    "the address has letters beyond ASCII, and the mail server lacks SMTPUTF8"
                        .to_owned(),
                );
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        Ok(parameters)
    }

    /// MAIL, RCPT and DATA in one go (RFC 2920 3.1), then their three answers.
    async fn envelope_at_once(
        &mut self,
        mail: Mail,
        rcpt: Rcpt,
        patience: &Patience,
    ) -> Result<(), Fault> {
        let group = format!("{mail}{rcpt}{Data}");
        let mail = self.command(Stage::Mail, patience.envelope, group).await;
        if mail.as_ref().is_err_and(|fault| !fault.leaves_connection()) {
            return mail;
        }
        let rcpt = self.answer(Stage::Rcpt, patience.envelope).await;
        if rcpt.as_ref().is_err_and(|fault| !fault.leaves_connection()) {
            return mail.and(rcpt);
        }
        let data = self.answer(Stage::Data, patience.data).await;
        // DATA was let in (or the connection went) although there is nobody to send to: only closing ends that safely.
        if mail.is_err() || rcpt.is_err() {
            self.broken = !data.as_ref().is_err_and(Fault::leaves_connection);
        }
        mail.and(rcpt).and(data)
    }

    async fn command<C: Display>(
        &mut self,
        stage: Stage,
        limit: Duration,
        command: C,
    ) -> Result<(), Fault> {
        judge(
            stage,
            limit,
            timeout(limit, self.opened.smtp.command(command)).await,
        )
    }

    async fn answer(&mut self, stage: Stage, limit: Duration) -> Result<(), Fault> {
        judge(
            stage,
            limit,
            timeout(limit, self.opened.smtp.read_response()).await,
        )
    }

    /// The letter itself. From the moment at which the dot may have left, a loss leaves the fate unknown (RFC 1047).
    async fn body(&mut self, body: &[u8], patience: &Patience) -> Result<String, Fault> {
        let dotted = AtomicBool::new(false);
        let (limit, dot) = (patience.for_body(body.len()), patience.dot);
        let answer = {
            let pieces = Pieces {
                rest: body,
                dotted: &dotted,
            };
            let mut sending = Box::pin(self.opened.smtp.message_iter(pieces));
            match timeout(limit, &mut sending).await {
                Err(_) if dotted.load(Ordering::Relaxed) => {
                    match timeout(dot, &mut sending).await {
                        Ok(answer) => answer,
                        Err(_) => return Err(Fault::new(Stage::Dot, What::Silence(dot))),
                    }
                }
                Err(_) => return Err(Fault::new(Stage::Body, What::Silence(limit))),
                Ok(answer) => answer,
            }
        };
        let stage = if dotted.load(Ordering::Relaxed) {
            Stage::Dot
        } else {
            Stage::Body
        };
        let fault = match answer {
            Ok(answer) if answer.has_code(250) => {
                return Ok(clean(&answer.message().collect::<Vec<_>>().join(" ")));
            }
            Ok(answer) => {
                let why = format!("answered {} where 250 was due", answer.code());
                Fault::new(stage, What::Confused(why))
            }
            Err(error) => Fault::of(stage, &error),
        };
        Err(self.last_word(fault, patience).await)
    }

    /// A server that refuses in the middle of a letter and hangs up has often said why: that word is worth more than "lost".
    async fn last_word(&mut self, fault: Fault, patience: &Patience) -> Fault {
        if !matches!(fault.what, What::Lost(_)) {
            return fault;
        }
        match self.answer(fault.stage, patience.courtesy).await {
            Err(said) if matches!(said.what, What::Refused { .. }) => {
                self.broken = true;
                said
            }
            Ok(()) | Err(_) => fault,
        }
    }
}

/// What an answer means at a stage where only one code will do.
fn judge(
    stage: Stage,
    limit: Duration,
    answer: Result<Result<Response, Error>, tokio::time::error::Elapsed>,
) -> Result<(), Fault> {
    let due: &[u16] = if stage == Stage::Data {
        &[354]
    } else if stage == Stage::Rcpt {
        &[250, 251, 252]
    } else {
        &[250]
    };
    match answer {
        Err(_) => Err(Fault::new(stage, What::Silence(limit))),
        Ok(Err(error)) => Err(Fault::of(stage, &error)),
        Ok(Ok(answer)) if due.iter().any(|code| answer.has_code(*code)) => Ok(()),
        Ok(Ok(answer)) => {
            let why = format!("answered {} out of place", answer.code());
            Err(Fault::new(stage, What::Confused(why)))
        }
    }
}

/// A letter in pieces; that there are no more is the sign that lettre turns to the dot.
struct Pieces<'a> {
    rest: &'a [u8],
    dotted: &'a AtomicBool,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            self.dotted.store(true, Ordering::Relaxed);
            return None;
        }
        let cut = self.rest.len().min(64 * 1024);
        let (piece, rest) = self.rest.split_at_checked(cut)?;
        self.rest = rest;
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c13_what_no_letter_may_have() {
        assert_eq!(unfit(b"A: b\r\n\r\n.\r\n..\r\n"), None);
        assert_eq!(unfit(b"no end"), None);
        let long = b"x".repeat(998);
        assert_eq!(unfit(&long), None);
        for bad in [
            &b""[..],
            b"a\nb\r\n",
            b"a\r\n\nb",
            b"a\rb\r\n",
            b"a\r\r\n",
            b"a\n",
            b"a\r",
            b"a\0b",
            &b"x".repeat(999),
        ] {
            assert!(unfit(bad).is_some(), "{:?}", String::from_utf8_lossy(bad));
        }
    }
}
