//! A tiny IMAP client that shares no code with the daemon: what is in a mailbox, octet for octet, and the bare reader of the benchmark.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A connection, logged in.
#[derive(Debug)]
pub struct RawImap {
    stream: BufReader<TcpStream>,
    commands: u32,
}

/// One response line with its literals taken out.
#[derive(Debug, Clone)]
pub struct Line {
    /// The text; each literal is left as its `{n}`.
    pub text: String,
    /// The literals in order.
    pub literals: Vec<Vec<u8>>,
}

/// A letter in a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its UID.
    pub uid: u32,
    /// Its INTERNALDATE as the server writes it.
    pub internal_date: String,
    /// Its flags, without the parentheses.
    pub flags: String,
    /// Its octets.
    pub raw: Vec<u8>,
}

/// What a bare reader read.
#[derive(Debug, Clone, Copy)]
pub struct Drained {
    /// Letters.
    pub letters: u64,
    /// Octets of letters.
    pub octets: u64,
    /// From the command to its tagged answer.
    pub took: Duration,
}

impl RawImap {
    /// Connects without TLS and logs in.
    pub fn login(port: u16, user: &str, password: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("The IMAP server takes a call");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("A time limit");
        let mut client = Self {
            stream: BufReader::with_capacity(1 << 16, stream),
            commands: 0,
        };
        let greeting = client.line();
        assert!(
            greeting.text.starts_with("* OK"),
            "Greeting: {}",
            greeting.text
        );
        client.command(&format!("LOGIN \"{user}\" \"{password}\""));
        client
    }

    /// Sends a command and returns the untagged lines before its OK.
    ///
    /// # Panics
    /// It was answered by NO or BAD.
    pub fn command(&mut self, text: &str) -> Vec<Line> {
        let tag = self.send(text);
        self.until_ok(&tag, text)
    }

    /// Puts a letter into a folder; `date` is an IMAP date-time such as `"20-Nov-2026 16:42:00 +0500"`, none for now.
    pub fn append(&mut self, folder: &str, letter: &[u8], date: Option<&str>) {
        let date = date.map(|d| format!(" \"{d}\"")).unwrap_or_default();
        let tag = self.send(&format!("APPEND \"{folder}\"{date} {{{}}}", letter.len()));
        let go = self.line();
        assert!(go.text.starts_with('+'), "APPEND: {}", go.text);
        let stream = self.stream.get_mut();
        stream.write_all(letter).expect("A letter sent");
        stream.write_all(b"\r\n").expect("A letter ended");
        self.until_ok(&tag, "APPEND");
    }

    /// All letters of a folder by UID. The folder is only examined: nothing changes in it.
    pub fn letters(&mut self, folder: &str) -> Vec<Stored> {
        self.command(&format!("EXAMINE \"{folder}\""));
        let lines = self.command("UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])");
        lines.iter().filter_map(stored).collect()
    }

    /// The UIDVALIDITY of a folder.
    pub fn uid_validity(&mut self, folder: &str) -> u32 {
        let lines = self.command(&format!("STATUS \"{folder}\" (UIDVALIDITY)"));
        let text = &lines[0].text;
        let (_, value) = text.rsplit_once(' ').expect("A STATUS answer");
        value
            .trim_end_matches(')')
            .parse()
            .expect("A UIDVALIDITY number")
    }

    /// Removes letters from a folder for good.
    pub fn expunge(&mut self, folder: &str, uids: &[u32]) {
        self.command(&format!("SELECT \"{folder}\""));
        let set: Vec<String> = uids.iter().map(u32::to_string).collect();
        self.command(&format!(
            "UID STORE {} +FLAGS.SILENT (\\Deleted)",
            set.join(",")
        ));
        self.command("EXPUNGE");
    }

    /// Reads all letters of a folder as fast as they come and throws them away: `UID FETCH 1:* (BODY.PEEK[])`, literals skipped, nothing parsed.
    pub fn drain(&mut self, folder: &str) -> Drained {
        self.command(&format!("EXAMINE \"{folder}\""));
        let begun = Instant::now();
        let tag = self.send("UID FETCH 1:* (BODY.PEEK[])");
        let (mut letters, mut octets) = (0, 0);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = self
                .stream
                .read_until(b'\n', &mut line)
                .expect("A line from the server");
            assert!(read > 0, "The server hung up mid-fetch");
            if let Some(size) = literal_size(&line) {
                std::io::copy(&mut (&mut self.stream).take(size), &mut std::io::sink())
                    .expect("A literal from the server");
                letters += 1;
                octets += size;
            } else if line.starts_with(tag.as_bytes()) {
                let text = String::from_utf8_lossy(&line);
                assert!(text.starts_with(&format!("{tag} OK")), "FETCH: {text}");
                break;
            }
        }
        Drained {
            letters,
            octets,
            took: begun.elapsed(),
        }
    }

    fn send(&mut self, text: &str) -> String {
        self.commands += 1;
        let tag = format!("x{}", self.commands);
        let stream = self.stream.get_mut();
        stream
            .write_all(format!("{tag} {text}\r\n").as_bytes())
            .expect("A command sent");
        tag
    }

    fn until_ok(&mut self, tag: &str, what: &str) -> Vec<Line> {
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            match line
                .text
                .strip_prefix(tag)
                .and_then(|t| t.strip_prefix(' '))
            {
                Some(answer) if answer.starts_with("OK") => return lines,
                Some(answer) => panic!("{what}: {answer}"),
                None => lines.push(line),
            }
        }
    }

    fn line(&mut self) -> Line {
        let (mut text, mut literals) = (Vec::new(), Vec::new());
        loop {
            let from = text.len();
            let read = self
                .stream
                .read_until(b'\n', &mut text)
                .expect("A line from the server");
            assert!(read > 0, "The server hung up");
            match literal_size(&text[from..]) {
                Some(size) => {
                    let mut literal = vec![0; usize::try_from(size).expect("A size")];
                    self.stream
                        .read_exact(&mut literal)
                        .expect("A literal from the server");
                    literals.push(literal);
                }
                None => break,
            }
        }
        let text = String::from_utf8_lossy(&text).trim_end().to_owned();
        Line { text, literals }
    }
}

/// The size that a line announces at its end: `{123}` CRLF.
pub fn literal_size(line: &[u8]) -> Option<u64> {
    let inner = line.strip_suffix(b"}\r\n")?;
    let open = inner.iter().rposition(|b| *b == b'{')?;
    std::str::from_utf8(&inner[open + 1..]).ok()?.parse().ok()
}

fn stored(line: &Line) -> Option<Stored> {
    let raw = line.literals.first()?.clone();
    let after = |name: &str, open: &str, close: &str| {
        let from = line.text.find(&format!("{name} {open}"))? + name.len() + 1 + open.len();
        let rest = &line.text[from..];
        let to = rest.find(close)?;
        Some(rest[..to].to_owned())
    };
    Some(Stored {
        uid: after("UID", "", " ")?.parse().ok()?,
        internal_date: after("INTERNALDATE", "\"", "\"")?,
        flags: after("FLAGS", "(", ")")?,
        raw,
    })
}
