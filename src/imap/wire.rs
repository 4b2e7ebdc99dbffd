//! Commands and their answers, one at a time: our own tag, our own look at the status, a deadline on every byte.
//!
//! async-imap's high-level calls take NO, BAD and a closed connection for "success, empty" (0.12.0, measured 2026-11), so only its
//! reader of responses is used; the commands are written past it, which also keeps passwords out of its trace log.

use std::collections::BTreeSet;
use std::io;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_imap::Client;
use futures::FutureExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout_at};

use super::fault::{ImapFault, excerpt};
use super::guard::{Allowance, Guard, Transport, Trip};
use super::pace::Pace;
use super::told::{Code, Kind, Told, Word};

/// What the server has told about itself and the folder, asked or unasked.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) exists: u32,
    pub(super) uidvalidity: Option<u32>,
    pub(super) uidnext: Option<u32>,
    /// In capitals, `AUTH=PLAIN` and the like; none before the server told.
    pub(super) capabilities: Option<BTreeSet<String>>,
    /// There are more messages than at the last search.
    pub(super) stirred: bool,
    /// What the server last wanted a person to see; it may say so with every answer.
    alert: Option<String>,
}

/// How the server ended a command.
#[derive(Debug)]
pub(super) enum Answer {
    /// It was done.
    Ok,
    /// It was refused; what the server says about it, cleaned.
    No(String),
    /// It was not understood; what the server says about it, cleaned.
    Bad(String),
}

impl Answer {
    /// Nothing but OK will do.
    pub(super) fn done(self, what: &str) -> Result<(), ImapFault> {
        match self {
            Self::Ok => Ok(()),
            Self::No(why) | Self::Bad(why) => Err(ImapFault::Refused(format!("{what}: {why}"))),
        }
    }
}

/// A connection that speaks IMAP.
#[derive(Debug)]
pub(super) struct Wire {
    client: Client<Guard>,
    tags: u32,
    /// A command was begun and its answer not seen: nothing that follows could be trusted.
    busy: bool,
    pub(super) pace: Pace,
    pub(super) news: News,
}

/// A moment so far from now.
pub(super) fn within(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}

impl Wire {
    pub(super) fn new(transport: Box<dyn Transport>, pace: Pace) -> Self {
        Self {
            client: Client::new(Guard::new(transport, small(pace))),
            tags: 0,
            busy: false,
            pace,
            news: News::default(),
        }
    }

    /// The bare connection, to begin TLS on it; nothing if the server has already sent more.
    pub(super) fn into_clean(self) -> Option<Box<dyn Transport>> {
        self.client.into_inner().into_clean()
    }

    /// Whether the server says that it can do this.
    pub(super) fn can(&self, capability: &str) -> bool {
        self.news
            .capabilities
            .as_ref()
            .is_some_and(|all| all.contains(capability))
    }

    /// Runs a command that brings little. `what` names it in faults.
    pub(super) async fn run(&mut self, what: &str, command: &str) -> Result<Answer, ImapFault> {
        self.run_for(what, command, small(self.pace), |_| ()).await
    }

    /// Runs a command; `each` sees every response but the last.
    pub(super) async fn run_for(
        &mut self,
        what: &str,
        command: &str,
        allowance: Allowance,
        each: impl FnMut(Told),
    ) -> Result<Answer, ImapFault> {
        let seconds = allowance.expected.checked_div(self.pace.rate).unwrap_or(0);
        let time = self
            .pace
            .answer
            .saturating_add(Duration::from_secs(seconds));
        let deadline = within(time);
        let tag = self.begin(what, command, allowance, deadline).await?;
        self.finish(what, &tag, deadline, each).await
    }

    /// Whether a command can be given: the answer to the last one was seen.
    pub(super) fn in_step(&self) -> Result<(), ImapFault> {
        if self.busy {
            let why = "an earlier command was left in the middle".to_owned();
            return Err(ImapFault::Disconnected(why));
        }
        Ok(())
    }

    /// Writes a command; its answer is read by [`Self::finish`].
    pub(super) async fn begin(
        &mut self,
        what: &str,
        command: &str,
        allowance: Allowance,
        deadline: Instant,
    ) -> Result<String, ImapFault> {
        self.in_step()?;
        self.busy = true;
        self.tags = self.tags.saturating_add(1);
        let tag = format!("P{}", self.tags);
        self.client.get_mut().allow(allowance);
        self.write(what, &format!("{tag} {command}"), deadline)
            .await?;
        Ok(tag)
    }

    /// Writes a line.
    pub(super) async fn write(
        &mut self,
        what: &str,
        line: &str,
        deadline: Instant,
    ) -> Result<(), ImapFault> {
        let stream = self.client.get_mut();
        let bytes = format!("{line}\r\n").into_bytes();
        let writing = async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        };
        match timeout_at(deadline, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(fault(&error)),
            Err(_) => Err(ImapFault::Timeout(what.to_owned())),
        }
    }

    /// Reads up to the tagged answer.
    pub(super) async fn finish(
        &mut self,
        what: &str,
        tag: &str,
        deadline: Instant,
        mut each: impl FnMut(Told),
    ) -> Result<Answer, ImapFault> {
        loop {
            let told = self.response(what, deadline).await?;
            if let Told::Done(theirs, word) = told {
                return self.answer(tag, &theirs, word);
            }
            if told == Told::Continue {
                let why = format!("{what}: it waits for more, where there is no more");
                return Err(ImapFault::Protocol(why));
            }
            self.note(&told)?;
            each(told);
        }
    }

    /// Reads up to the "+" of a command that goes on; its end, if that comes instead.
    pub(super) async fn until_continue(
        &mut self,
        what: &str,
        tag: &str,
        deadline: Instant,
    ) -> Result<Option<Answer>, ImapFault> {
        loop {
            let told = self.response(what, deadline).await?;
            if let Told::Done(theirs, word) = told {
                return self.answer(tag, &theirs, word).map(Some);
            }
            if told == Told::Continue {
                return Ok(None);
            }
            self.note(&told)?;
        }
    }

    /// The end of our command; anybody else's end is none (FAULTS B10).
    pub(super) fn answer(
        &mut self,
        tag: &str,
        theirs: &str,
        word: Word,
    ) -> Result<Answer, ImapFault> {
        if theirs != tag {
            let why = "an answer to a command that we did not give".to_owned();
            return Err(ImapFault::Protocol(why));
        }
        self.note_code(&word)?;
        self.busy = false;
        Ok(match word.kind {
            Kind::Ok | Kind::Preauth => Answer::Ok,
            Kind::No => Answer::No(word.said),
            Kind::Bad | Kind::Bye => Answer::Bad(word.said),
        })
    }

    /// The next response.
    pub(super) async fn response(
        &mut self,
        what: &str,
        deadline: Instant,
    ) -> Result<Told, ImapFault> {
        let told = self.response_until(deadline).await?;
        told.ok_or_else(|| ImapFault::Timeout(what.to_owned()))
    }

    /// The next response, or nothing if none comes until `deadline`.
    pub(super) async fn response_until(
        &mut self,
        deadline: Instant,
    ) -> Result<Option<Told>, ImapFault> {
        // imap-proto 0.17 panics on `INTERNALDATE NIL` and on `[ALERT]я`: a server must not end the daemon.
        let reading = AssertUnwindSafe(self.client.read_response()).catch_unwind();
        match timeout_at(deadline, reading).await {
            Err(_) => Ok(None),
            Ok(Ok(Ok(Some(data)))) => Ok(Some(Told::new(data.parsed()))),
            Ok(Ok(Ok(None))) => Err(ImapFault::Disconnected("the server closed it".to_owned())),
            Ok(Ok(Err(error))) => Err(fault(&error)),
            Ok(Err(_)) => {
                let why = "a response that the parser fell over".to_owned();
                Err(ImapFault::Protocol(why))
            }
        }
    }

    /// Takes in what the server tells, asked or not.
    pub(super) fn note(&mut self, told: &Told) -> Result<(), ImapFault> {
        match told {
            Told::Exists(count) => {
                self.news.stirred |= *count > self.news.exists;
                self.news.exists = *count;
            }
            Told::Expunge => self.news.exists = self.news.exists.saturating_sub(1),
            Told::Capabilities(all) => self.news.capabilities = Some(all.clone()),
            Told::Status(word) if word.kind == Kind::Bye => {
                return Err(ImapFault::Disconnected(word.said.clone()));
            }
            Told::Status(word) => self.note_code(word)?,
            Told::Done(..) | Told::Continue | Told::Search(_) | Told::Item(_) | Told::Other => {}
        }
        Ok(())
    }

    fn note_code(&mut self, word: &Word) -> Result<(), ImapFault> {
        match &word.code {
            Code::UidValidity(value) => {
                if self.news.uidvalidity.is_some_and(|known| known != *value) {
                    let why = "UIDVALIDITY changed, the UIDs mean other messages now".to_owned();
                    return Err(ImapFault::Disconnected(why));
                }
                self.news.uidvalidity = Some(*value);
            }
            Code::UidNext(value) => self.news.uidnext = Some(*value),
            Code::Capabilities(all) => self.news.capabilities = Some(all.clone()),
            // RFC 3501 section 7.1: an ALERT must be shown to a person.
            Code::Alert if self.news.alert.as_ref() != Some(&word.said) => {
                tracing::warn!(said = %word.said, "the IMAP server has something to say");
                self.news.alert = Some(word.said.clone());
            }
            Code::Alert => {}
            Code::None => {}
        }
        Ok(())
    }
}

/// What a command may bring that fetches nothing.
pub(super) fn small(pace: Pace) -> Allowance {
    Allowance {
        literal: 8 * 1024,
        literals: 64 * 1024,
        expected: 0,
        silence: pace.answer,
    }
}

/// Sorts an error of the connection. async-imap puts its whole input into the text of a parse error, so no text is passed on.
fn fault(error: &io::Error) -> ImapFault {
    let inner = error.get_ref();
    if let Some(trip) = inner.and_then(|inner| inner.downcast_ref::<Trip>()) {
        return if *trip == Trip::Silence {
            ImapFault::Timeout(trip.to_string())
        } else {
            ImapFault::Protocol(trip.to_string())
        };
    }
    if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return ImapFault::Disconnected(format!("TLS failed: {}", excerpt(&tls.to_string())));
    }
    if error.kind() == io::ErrorKind::Other && error.raw_os_error().is_none() {
        return ImapFault::Protocol("a response that can't be read".to_owned());
    }
    ImapFault::Disconnected(error.kind().to_string())
}
