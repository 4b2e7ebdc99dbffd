//! An SMTP server that takes every letter at once, writes down who got what when, and can be told to refuse or to hang up.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A letter that was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Its Message-ID with the angle brackets; empty if it has none.
    pub message_id: String,
    /// Its In-Reply-To with the angle brackets; empty if it has none.
    pub in_reply_to: String,
    /// The moment just before the 250 to the final dot was written.
    pub at: Instant,
    /// Its octets as they came, dots unstuffed; empty unless the sink keeps them.
    pub raw: Vec<u8>,
}

/// What becomes of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// 250.
    Take,
    /// This line to RCPT.
    RefuseRecipient(&'static str),
    /// This line to the final dot.
    RefuseLetter(&'static str),
    /// Taken, and the connection closed in place of the 250: the sender can't know.
    TakeAndHangUp,
    /// Not taken, and the connection closed in place of an answer.
    LoseAndHangUp,
}

type Judge = dyn Fn(&str, usize) -> Fate + Send + Sync;

/// A moment of a conversation; each comes just before the sink says its line, but for the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Before 220.
    Greeting,
    /// EHLO was said.
    Ehlo,
    /// MAIL was said.
    Mail,
    /// RCPT was said.
    Rcpt,
    /// DATA was said.
    Data,
    /// The final dot was said: the letter is the sink's.
    Dot,
    /// The 250 for the letter has been sent.
    Answered,
}

type Watcher = dyn Fn(Stage) + Send + Sync;

/// A running sink. Its threads end with the program.
#[derive(Clone)]
pub struct Sink {
    /// Its port on the loopback address, without TLS or AUTH.
    pub port: u16,
    book: Arc<Book>,
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

struct Book {
    taken: Mutex<Vec<Taken>>,
    more: Condvar,
    judge: Box<Judge>,
    watcher: Box<Watcher>,
    keep: bool,
}

impl Sink {
    /// One that takes everything; `keep` keeps the letters' octets as well.
    pub fn start(keep: bool) -> Self {
        Self::start_with(keep, |_, _| Fate::Take)
    }

    /// One that asks `judge` about each recipient, with the number of letters taken so far.
    pub fn start_with(
        keep: bool,
        judge: impl Fn(&str, usize) -> Fate + Send + Sync + 'static,
    ) -> Self {
        Self::start_all(keep, Box::new(judge), Box::new(|_| ()))
    }

    /// One that takes everything and tells `watcher` how far each conversation is; it goes on once that returns.
    pub fn start_watched(keep: bool, watcher: impl Fn(Stage) + Send + Sync + 'static) -> Self {
        Self::start_all(keep, Box::new(|_, _| Fate::Take), Box::new(watcher))
    }

    fn start_all(keep: bool, judge: Box<Judge>, watcher: Box<Watcher>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("A free loopback port");
        let port = listener.local_addr().expect("A bound port").port();
        let book = Arc::new(Book {
            taken: Mutex::new(Vec::new()),
            more: Condvar::new(),
            judge,
            watcher,
            keep,
        });
        let shared = Arc::clone(&book);
        thread::spawn(move || {
            for call in listener.incoming().flatten() {
                let book = Arc::clone(&shared);
                // A client that hangs up ends its own conversation only.
                thread::spawn(move || drop(converse(call, &book)));
            }
        });
        Self { port, book }
    }

    /// Everything taken so far, in order.
    pub fn taken(&self) -> Vec<Taken> {
        self.book.taken.lock().expect("The book").clone()
    }

    /// What was taken after the first `count`.
    pub fn taken_after(&self, count: usize) -> Vec<Taken> {
        let taken = self.book.taken.lock().expect("The book");
        taken.get(count..).unwrap_or_default().to_vec()
    }

    /// Waits until `find` finds in what was taken; `None` if it doesn't within `limit`. It sees each time only what is new to it.
    pub fn wait_for<T>(
        &self,
        limit: Duration,
        mut find: impl FnMut(&[Taken]) -> Option<T>,
    ) -> Option<T> {
        let until = Instant::now() + limit;
        let mut seen = 0;
        let mut taken = self.book.taken.lock().expect("The book");
        loop {
            if let Some(found) = find(&taken[seen..]) {
                return Some(found);
            }
            seen = taken.len();
            let left = until.checked_duration_since(Instant::now())?;
            (taken, _) = self.book.more.wait_timeout(taken, left).expect("The book");
        }
    }
}

fn converse(call: TcpStream, book: &Book) -> std::io::Result<()> {
    call.set_nodelay(true)?;
    let mut answers = call.try_clone()?;
    let mut input = BufReader::with_capacity(1 << 16, call);
    (book.watcher)(Stage::Greeting);
    answers.write_all(b"220 sink.test ESMTP\r\n")?;
    let (mut from, mut to, mut fate) = (String::new(), Vec::new(), Fate::Take);
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        let verb = text.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer: &str = match verb.as_str() {
            "EHLO" => {
                (book.watcher)(Stage::Ehlo);
                "250-sink.test\r\n250-8BITMIME\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-SIZE 104857600\r\n250 SMTPUTF8"
            }
            "MAIL" => {
                (book.watcher)(Stage::Mail);
                (from, to, fate) = (address(&text), Vec::new(), Fate::Take);
                "250 2.1.0 ok"
            }
            "RCPT" => {
                (book.watcher)(Stage::Rcpt);
                let recipient = address(&text);
                let so_far = book.taken.lock().expect("The book").len();
                match (book.judge)(&recipient, so_far) {
                    Fate::RefuseRecipient(answer) => answer,
                    other => {
                        to.push(recipient);
                        fate = other;
                        "250 2.1.5 ok"
                    }
                }
            }
            "DATA" if to.is_empty() => "554 5.5.1 no recipients",
            "DATA" => {
                (book.watcher)(Stage::Data);
                answers.write_all(b"354 go\r\n")?;
                let Some(letter) = data(&mut input)? else {
                    return Ok(());
                };
                match fate {
                    Fate::LoseAndHangUp => return Ok(()),
                    Fate::RefuseLetter(answer) => answer,
                    Fate::Take | Fate::TakeAndHangUp | Fate::RefuseRecipient(_) => {
                        enter(book, &from, &to, letter);
                        if fate == Fate::TakeAndHangUp {
                            return Ok(());
                        }
                        (book.watcher)(Stage::Dot);
                        answers.write_all(b"250 2.0.0 taken\r\n")?;
                        (book.watcher)(Stage::Answered);
                        continue;
                    }
                }
            }
            "HELO" | "RSET" | "NOOP" => "250 2.0.0 ok",
            "QUIT" => {
                answers.write_all(b"221 2.0.0 bye\r\n")?;
                return Ok(());
            }
            _ => "502 5.5.1 unknown",
        };
        answers.write_all(format!("{answer}\r\n").as_bytes())?;
    }
}

fn enter(book: &Book, from: &str, to: &[String], letter: Vec<u8>) {
    let taken = Taken {
        from: from.to_owned(),
        to: to.to_owned(),
        message_id: header(&letter, "message-id"),
        in_reply_to: header(&letter, "in-reply-to"),
        at: Instant::now(),
        raw: if book.keep { letter } else { Vec::new() },
    };
    book.taken.lock().expect("The book").push(taken);
    book.more.notify_all();
}

/// The letter up to the final dot; `None` if the client hung up before it.
fn data(input: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut letter = Vec::new();
    loop {
        let from = letter.len();
        if input.read_until(b'\n', &mut letter)? == 0 {
            return Ok(None);
        }
        if &letter[from..] == b".\r\n" {
            letter.truncate(from);
            return Ok(Some(letter));
        }
        if letter[from] == b'.' {
            letter.remove(from);
        }
    }
}

/// What stands between the angle brackets of MAIL and RCPT.
fn address(command: &str) -> String {
    let inner = command.split_once('<').map_or("", |(_, rest)| rest);
    inner.split('>').next().unwrap_or_default().to_owned()
}

/// The unfolded value of a header field; empty if there is none.
pub fn header(letter: &[u8], name: &str) -> String {
    let end = letter
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .unwrap_or(letter.len());
    let head = String::from_utf8_lossy(&letter[..end]).replace("\r\n ", " ");
    let head = head.replace("\r\n\t", " ");
    head.lines()
        .filter_map(|l| l.split_once(':'))
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.trim().to_owned())
        .unwrap_or_default()
}
