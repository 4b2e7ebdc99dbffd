//! A tiny LMTP and SMTP client: hands a letter over to a server of the test.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection that letters are handed over on, one after the other.
#[derive(Debug)]
pub struct Handover {
    stream: BufReader<TcpStream>,
}

impl Handover {
    /// Connects by LMTP.
    pub fn lmtp(port: u16) -> Self {
        Self::connect(port, "LHLO test.example")
    }

    /// Connects by SMTP, without TLS.
    pub fn smtp(port: u16) -> Self {
        Self::connect(port, "EHLO test.example")
    }

    fn connect(port: u16, hello: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("The server takes a call");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("A time limit");
        let mut made = Self {
            stream: BufReader::new(stream),
        };
        made.expect("220", "greeting");
        made.say(hello, "250");
        made
    }

    /// Hands over one letter to one recipient and returns the server's last line.
    ///
    /// # Panics
    /// The server did not take it.
    pub fn deliver(&mut self, from: &str, to: &str, letter: &[u8]) -> String {
        let answer = self.offer(from, to, letter);
        assert!(answer.starts_with("250"), "After the dot: {answer}");
        answer
    }

    /// Hands over one letter to one recipient and returns the first answer that is no consent, or the answer to the final dot.
    pub fn offer(&mut self, from: &str, to: &str, letter: &[u8]) -> String {
        for (command, wanted) in [
            (format!("MAIL FROM:<{from}>"), "250"),
            (format!("RCPT TO:<{to}>"), "250"),
            ("DATA".to_owned(), "354"),
        ] {
            let answer = self.ask(&command);
            if !answer.starts_with(wanted) {
                self.ask("RSET");
                return answer;
            }
        }
        let mut stuffed = Vec::with_capacity(letter.len() + 64);
        for line in letter.split_inclusive(|b| *b == b'\n') {
            if line.starts_with(b".") {
                stuffed.push(b'.');
            }
            let bare = line.strip_suffix(b"\n").unwrap_or(line);
            stuffed.extend_from_slice(bare.strip_suffix(b"\r").unwrap_or(bare));
            stuffed.extend_from_slice(b"\r\n");
        }
        stuffed.extend_from_slice(b".\r\n");
        self.stream
            .get_mut()
            .write_all(&stuffed)
            .expect("A letter sent");
        self.answer()
    }

    fn ask(&mut self, command: &str) -> String {
        let line = format!("{command}\r\n");
        let stream = self.stream.get_mut();
        stream.write_all(line.as_bytes()).expect("A command sent");
        self.answer()
    }

    fn say(&mut self, command: &str, wanted: &str) {
        let answer = self.ask(command);
        assert!(answer.starts_with(wanted), "{command}: {answer}");
    }

    fn expect(&mut self, wanted: &str, what: &str) {
        let answer = self.answer();
        assert!(answer.starts_with(wanted), "{what}: {answer}");
    }

    fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            let read = self
                .stream
                .read_line(&mut line)
                .expect("An answer from the server");
            assert!(read > 0, "The server hung up");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }
}
