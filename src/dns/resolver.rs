//! The one who asks: several questions at a time, each bounded in time and size, with a small memory of what was told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::message::{self, Reply};
use super::servers::{SYSTEM, of_system};
use crate::mail::dkim::answer::Answer;

/// Questions at a time.
const AT_ONCE: usize = 64;
/// Answers remembered.
const REMEMBERED: usize = 1000;
/// How long an answer is remembered at most, and how long it is that there was none, or nobody to ask.
const LONGEST: u32 = 3600;
const NOTHING: u32 = 60;
const SILENCE: u32 = 20;
/// How long nobody is asked after nobody answered, so that letters which need no answer are not held up time and again; in seconds.
const REST: i64 = 10;
const SILENT: &str = "the DNS does not answer";
const CROWDED: &str = "too many questions before it were not answered";
/// So that what is given up by itself is told before all is given up.
const GRACE: Duration = Duration::from_millis(50);
/// How long one server is waited for before the next is asked.
const TRY: Duration = Duration::from_millis(1500);
/// Rounds through the servers.
const ROUNDS: usize = 2;

/// What somebody says in place of the DNS: for tests.
pub type Told = Arc<Mutex<BTreeMap<String, Answer>>>;

/// Asks and remembers.
#[derive(Debug)]
pub struct Resolver {
    way: Way,
    memory: BTreeMap<String, (Answer, DateTime<Utc>)>,
    resting: Option<DateTime<Utc>>,
}

#[derive(Debug)]
enum Way {
    Nobody,
    Told(Told),
    Servers {
        named: Option<Vec<SocketAddr>>,
        patience: Duration,
    },
}

impl Resolver {
    /// Asks these servers, or those of the system as they are at the time; one question takes no longer than `patience`.
    pub fn asking(named: Option<Vec<SocketAddr>>, patience: Duration) -> Self {
        Self::by(Way::Servers { named, patience })
    }

    /// Asks nobody.
    pub fn nobody() -> Self {
        Self::by(Way::Nobody)
    }

    /// Answers what it is told; what it was not told does not exist.
    pub fn told(told: Told) -> Self {
        Self::by(Way::Told(told))
    }

    fn by(way: Way) -> Self {
        Self {
            way,
            memory: BTreeMap::new(),
            resting: None,
        }
    }

    /// Whether it asks anybody at all.
    pub fn asks(&self) -> bool {
        !matches!(self.way, Way::Nobody)
    }

    /// The texts of these names, as far as they can be had in the time of one question: whoever makes the desk ask for many names that nobody
    /// answers for holds up the others no longer than with one. What is not known comes back as [`Answer::Silent`].
    pub async fn answers(
        &mut self,
        names: BTreeSet<String>,
        now: DateTime<Utc>,
    ) -> BTreeMap<String, Answer> {
        let (servers, patience) = match &self.way {
            Way::Nobody => return BTreeMap::new(),
            Way::Told(told) => {
                let told = told.lock().unwrap_or_else(PoisonError::into_inner);
                let answer = |n: String| (told.get(&n).cloned().unwrap_or(Answer::Nothing), n);
                return names.into_iter().map(answer).map(|(a, n)| (n, a)).collect();
            }
            Way::Servers { named, patience } => (named.clone(), *patience),
        };
        self.memory.retain(|_, (_, until)| *until > now);
        let (known, open): (BTreeSet<_>, BTreeSet<_>) =
            names.into_iter().partition(|n| self.memory.contains_key(n));
        let mut answers: BTreeMap<String, Answer> = known
            .into_iter()
            .filter_map(|n| self.memory.get(&n).map(|(a, _)| (n, a.clone())))
            .collect();
        if open.is_empty() {
            return answers;
        }
        if self.resting.is_some_and(|until| until > now) {
            let silent = open.into_iter().map(|n| (n, Answer::Silent(SILENT)));
            answers.extend(silent);
            return answers;
        }
        let servers = match servers {
            Some(servers) => servers,
            None => of_system(&tokio::fs::read_to_string(SYSTEM).await.unwrap_or_default()),
        };
        let servers = &servers;
        let asked = open.clone().into_iter().map(|name| async move {
            let told = timeout(patience, ask(servers, &name)).await;
            let told = told.unwrap_or((Answer::Silent(SILENT), SILENCE));
            (name, told)
        });
        let over = tokio::time::sleep(patience.saturating_add(GRACE));
        let told: Vec<_> = futures::stream::iter(asked)
            .buffer_unordered(AT_ONCE)
            .take_until(over)
            .collect()
            .await;
        let nobody = told.iter().all(|(_, (a, _))| *a == Answer::Silent(SILENT));
        self.resting = now
            .checked_add_signed(TimeDelta::seconds(REST))
            .filter(|_| nobody);
        for (name, (answer, seconds)) in told {
            self.remember(&name, &answer, seconds, now);
            answers.insert(name, answer);
        }
        for name in open {
            answers.entry(name).or_insert(Answer::Silent(CROWDED));
        }
        answers
    }

    fn remember(&mut self, name: &str, answer: &Answer, seconds: u32, now: DateTime<Utc>) {
        let until = now.checked_add_signed(TimeDelta::seconds(i64::from(seconds)));
        if self.memory.len() < REMEMBERED
            && let Some(until) = until
        {
            self.memory.insert(name.to_owned(), (answer.clone(), until));
        }
    }
}

/// One question, to one server after the other; the answer, and how long it may be remembered.
async fn ask(servers: &[SocketAddr], name: &str) -> (Answer, u32) {
    let mut why = SILENT;
    for _ in 0..ROUNDS {
        for server in servers {
            match timeout(TRY, ask_one(*server, name)).await {
                Ok(Ok(Reply::Told(answer, holds))) => {
                    let holds = match &answer {
                        Answer::Found { .. } => holds.min(LONGEST),
                        Answer::Nothing | Answer::Silent(_) => NOTHING,
                    };
                    return (answer, holds);
                }
                Ok(Ok(Reply::Failed(reason))) => why = reason,
                Ok(Ok(Reply::Cut | Reply::Foreign) | Err(_)) | Err(_) => {}
            }
        }
    }
    (Answer::Silent(why), SILENCE)
}

/// Over UDP, and over TCP where the answer does not fit.
async fn ask_one(server: SocketAddr, name: &str) -> Result<Reply> {
    let number = getrandom::u32().map_err(|e| anyhow!("No randomness: {e}"))?;
    let number = u16::try_from(number & 0xffff)?;
    let Some(question) = message::question(number, name) else {
        return Ok(Reply::Told(Answer::Nothing, 0));
    };
    // A port of its own for each question: whoever would answer in the server's place must guess it as well (RFC 5452 9).
    let own = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(own).await?;
    socket.connect(server).await?;
    socket.send(&question).await?;
    let mut buffer = vec![0_u8; 4096];
    loop {
        let length = socket.recv(&mut buffer).await?;
        match message::reply(number, name, buffer.get(..length).unwrap_or_default()) {
            // Noise, or a forger's guess: the answer may still come.
            Reply::Foreign => {}
            Reply::Cut => break,
            reply @ (Reply::Told(..) | Reply::Failed(_)) => return Ok(reply),
        }
    }
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).context("Too long a question")?;
    stream
        .write_all(&[&length.to_be_bytes()[..], &question].concat())
        .await?;
    let length = usize::from(stream.read_u16().await?);
    let mut answer = vec![0_u8; length];
    stream.read_exact(&mut answer).await?;
    match message::reply(number, name, &answer) {
        Reply::Cut => bail!("Cut over TCP"),
        reply @ (Reply::Told(..) | Reply::Failed(_) | Reply::Foreign) => Ok(reply),
    }
}

#[cfg(test)]
mod tests;
