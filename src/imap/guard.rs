//! What stands between the connection and the parser: it follows the lexical shape of responses and stops the reading before a server
//! can make us take too much memory, stack or time.
//!
//! async-imap reserves the memory for a literal when it is announced (484 MB for `{500000000}`, measured 2026-11 with 0.12.0), parses a line again
//! with every 4 kB of it, and imap-proto 0.17 calls itself for every `(`. So a response is let through only while its literals, its length
//! and its nesting stay within what the command can need, and its parentheses and quotes are closed where it ends.
//!
//! Bytes are handed on one response at a time. So nothing is ever left in async-imap's own buffer, and what is left in ours when
//! TLS begins was injected before it (RFC 3501 section 6.2.1; CVE-2011-0411 and its kind).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// A byte stream to a server, in clear or in TLS.
pub(super) trait Transport:
    AsyncRead + AsyncWrite + Unpin + Send + Sync + std::fmt::Debug
{
}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync + std::fmt::Debug> Transport for T {}

/// The longest response, literals apart. A SEARCH over 20,000 messages needs 220 kB; parsing a line this long bit by bit takes 0.1 s.
const MAX_LINE: u64 = 512 * 1024;
/// The most a command brings outside literals. 300,000 EXPUNGE are 5 MB; a new connection is cheaper than reading them.
const MAX_TEXT: u64 = 640 * 1024;
/// Parentheses one in the other: a FETCH of ours has two.
const MAX_DEPTH: u32 = 16;
/// Opening parentheses in one response, quoted ones too.
const MAX_OPENED: u32 = 128;
/// `{n}` at the end of a line that is text for people is no literal; but should the parser take it for one, it must be harmless.
const MAX_PHANTOM: u64 = 64 * 1024;

/// What one command may bring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// The largest literal.
    pub(super) literal: u64,
    /// All literals together.
    pub(super) literals: u64,
    /// What is expected of literals: the time that a command has grows with it.
    pub(super) expected: u64,
    /// How long the line may be silent.
    pub(super) silence: Duration,
}

/// Why the reading was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trip {
    /// A literal larger than the command can need.
    Literal,
    /// Too many bytes for one command.
    Volume,
    /// A response too long.
    Line,
    /// Parentheses too deep, too many or not closed.
    Nesting,
    /// A quote that does not end, or a line end that is none.
    Ending,
    /// Nothing came for too long.
    Silence,
}

impl std::fmt::Display for Trip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Literal => "a literal larger than what was asked for can be",
            Self::Volume => "more bytes than what was asked for can be",
            Self::Line => "a line that does not end",
            Self::Nesting => "parentheses that are too deep or do not match",
            Self::Ending => "a line end or a quote in the wrong place",
            Self::Silence => "no byte for too long",
        })
    }
}

impl std::error::Error for Trip {}

/// Where in the grammar the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Plain,
    Quoted,
    Escaped,
}

/// How much of `{n}` has been seen right before the next byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Brace {
    None,
    Open(u64),
    Closed(u64),
}

/// Follows the bytes of responses.
#[derive(Debug)]
struct Lexer {
    allowance: Allowance,
    text: u64,
    literals: u64,
    literal_left: u64,
    /// The first bytes of the response, which tell data from text for people.
    head: Vec<u8>,
    line: u64,
    depth: u32,
    opened: u32,
    place: Place,
    brace: Brace,
    cr: bool,
}

impl Lexer {
    fn new(allowance: Allowance) -> Self {
        Self {
            allowance,
            text: 0,
            literals: 0,
            literal_left: 0,
            head: Vec::with_capacity(HEAD),
            line: 0,
            depth: 0,
            opened: 0,
            place: Place::Plain,
            brace: Brace::None,
            cr: false,
        }
    }

    /// Starts the counts of a new command; where in a response we are stays.
    fn allow(&mut self, allowance: Allowance) {
        self.allowance = allowance;
        self.text = 0;
        self.literals = 0;
    }

    /// How many of these bytes may be handed on: up to the end of a response, or all.
    fn feed(&mut self, chunk: &[u8]) -> Result<usize, Trip> {
        let mut taken = 0_usize;
        while let Some((&byte, rest)) = chunk.get(taken..).and_then(<[u8]>::split_first) {
            if self.literal_left > 0 {
                let here = rest.len().saturating_add(1);
                let part = usize::try_from(self.literal_left).map_or(here, |left| left.min(here));
                self.literal_left = self.literal_left.saturating_sub(part as u64);
                taken = taken.saturating_add(part);
                continue;
            }
            taken = taken.saturating_add(1);
            if self.byte(byte)? {
                return Ok(taken);
            }
        }
        Ok(taken)
    }

    /// Takes one byte outside literals; true at the end of a response.
    fn byte(&mut self, byte: u8) -> Result<bool, Trip> {
        self.text = self.text.saturating_add(1);
        self.line = self.line.saturating_add(1);
        if self.text > MAX_TEXT {
            return Err(Trip::Volume);
        }
        if self.line > MAX_LINE {
            return Err(Trip::Line);
        }
        if self.head.len() < HEAD {
            self.head.push(byte);
        }
        if byte == b'\n' {
            return self.line_end();
        }
        if self.cr {
            return Err(Trip::Ending);
        }
        self.cr = byte == b'\r';
        if byte == b'(' {
            self.opened = self.opened.saturating_add(1);
            if self.opened > MAX_OPENED {
                return Err(Trip::Nesting);
            }
        }
        self.follow_brace(byte);
        if !is_text(&self.head) {
            self.follow_shape(byte)?;
        }
        Ok(false)
    }

    fn follow_brace(&mut self, byte: u8) {
        self.brace = match (self.brace, byte) {
            (_, b'{') => Brace::Open(0),
            (Brace::Open(n), b'0'..=b'9') => Brace::Open(
                n.saturating_mul(10)
                    .saturating_add(u64::from(byte.wrapping_sub(b'0'))),
            ),
            (Brace::Open(n), b'}') => Brace::Closed(n),
            (Brace::Closed(n), b'\r') => Brace::Closed(n),
            (Brace::None | Brace::Open(_) | Brace::Closed(_), _) => Brace::None,
        };
    }

    fn follow_shape(&mut self, byte: u8) -> Result<(), Trip> {
        self.place = match (self.place, byte) {
            (Place::Quoted, b'\\') => Place::Escaped,
            (Place::Quoted, b'"') => Place::Plain,
            (Place::Quoted | Place::Escaped, _) => Place::Quoted,
            (Place::Plain, b'"') => Place::Quoted,
            (Place::Plain, b'(') => {
                self.depth = self.depth.saturating_add(1);
                if self.depth > MAX_DEPTH {
                    return Err(Trip::Nesting);
                }
                Place::Plain
            }
            (Place::Plain, b')') => {
                self.depth = self.depth.checked_sub(1).ok_or(Trip::Nesting)?;
                Place::Plain
            }
            (Place::Plain, _) => Place::Plain,
        };
        Ok(())
    }

    fn line_end(&mut self) -> Result<bool, Trip> {
        if !self.cr {
            return Err(Trip::Ending);
        }
        self.cr = false;
        let announced = match std::mem::replace(&mut self.brace, Brace::None) {
            Brace::Closed(size) => Some(size),
            Brace::None | Brace::Open(_) => None,
        };
        if is_text(&self.head) {
            if announced.is_some_and(|size| size > MAX_PHANTOM) {
                return Err(Trip::Literal);
            }
        } else {
            if self.place != Place::Plain {
                return Err(Trip::Ending);
            }
            if let Some(size) = announced {
                self.literals = self.literals.saturating_add(size);
                if size > self.allowance.literal {
                    return Err(Trip::Literal);
                }
                if self.literals > self.allowance.literals {
                    return Err(Trip::Volume);
                }
                self.literal_left = size;
                return Ok(false);
            }
            if self.depth != 0 {
                return Err(Trip::Nesting);
            }
        }
        self.head.clear();
        self.line = 0;
        self.opened = 0;
        Ok(true)
    }
}

/// As much of a response as tells its kind: `* PREAUTH`.
const HEAD: usize = 9;

/// Whether a response that begins so is text for people: a status, a continuation, a tagged answer. There a parenthesis is only a parenthesis.
fn is_text(head: &[u8]) -> bool {
    let Some(rest) = head.strip_prefix(b"* ") else {
        return !head.starts_with(b"*");
    };
    [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"]
        .iter()
        .any(|status| {
            rest.get(..status.len())
                .is_some_and(|word| word.eq_ignore_ascii_case(status))
        })
}

/// A connection whose reading side is watched.
#[derive(Debug)]
pub(super) struct Guard {
    inner: Box<dyn Transport>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    lexer: Lexer,
    tripped: Option<Trip>,
    silence: Pin<Box<Sleep>>,
}

impl Guard {
    pub(super) fn new(inner: Box<dyn Transport>, allowance: Allowance) -> Self {
        Self {
            inner,
            buffer: vec![0; 32 * 1024],
            start: 0,
            end: 0,
            lexer: Lexer::new(allowance),
            tripped: None,
            silence: Box::pin(tokio::time::sleep(allowance.silence)),
        }
    }

    /// What the next command may bring.
    pub(super) fn allow(&mut self, allowance: Allowance) {
        self.lexer.allow(allowance);
        self.listen();
    }

    /// The bare connection, to begin TLS on it; nothing if the server has sent more than we have read.
    pub(super) fn into_clean(self) -> Option<Box<dyn Transport>> {
        (self.start == self.end).then_some(self.inner)
    }

    fn listen(&mut self) {
        let until = Instant::now().checked_add(self.lexer.allowance.silence);
        self.silence
            .as_mut()
            .reset(until.unwrap_or_else(Instant::now));
    }

    fn stop(&mut self, trip: Trip) -> io::Error {
        self.tripped = Some(trip);
        io::Error::new(io::ErrorKind::InvalidData, trip)
    }

    /// Reads from the connection into the empty buffer; false at its end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut fill = ReadBuf::new(&mut self.buffer);
        match Pin::new(&mut self.inner).poll_read(cx, &mut fill) {
            Poll::Ready(Ok(())) => {
                self.start = 0;
                self.end = fill.filled().len();
                self.listen();
                Poll::Ready(Ok(self.end > 0))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => match self.silence.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Err(self.stop(Trip::Silence))),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

impl AsyncRead for Guard {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(trip) = this.tripped {
            return Poll::Ready(Err(this.stop(trip)));
        }
        if this.start == this.end {
            match this.poll_fill(cx) {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        let until = this.end.min(this.start.saturating_add(out.remaining()));
        let chunk = this.buffer.get(this.start..until).unwrap_or_default();
        match this.lexer.feed(chunk) {
            Ok(taken) => {
                out.put_slice(chunk.get(..taken).unwrap_or_default());
                this.start = this.start.saturating_add(taken);
                Poll::Ready(Ok(()))
            }
            Err(trip) => Poll::Ready(Err(this.stop(trip))),
        }
    }
}

impl AsyncWrite for Guard {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Allowance, Lexer, Trip};

    fn lexer() -> Lexer {
        Lexer::new(Allowance {
            literal: 1000,
            literals: 1500,
            expected: 0,
            silence: Duration::from_secs(1),
        })
    }

    /// How many responses pass, or what stops them.
    fn follow(bytes: &[u8]) -> Result<usize, Trip> {
        let mut lexer = lexer();
        let (mut responses, mut rest) = (0_usize, bytes);
        while !rest.is_empty() {
            let taken = lexer.feed(rest)?;
            rest = rest.get(taken..).unwrap_or_default();
            if lexer.line == 0 {
                responses = responses.saturating_add(1);
            }
        }
        Ok(responses)
    }

    proptest::proptest! {
        /// However the network cuts the bytes, and whatever they are, the verdict is the same and nothing panics.
        #[test]
        fn cuts_change_nothing(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec!["* 1 FETCH (", "BODY[] {3}\r\n", "{12}", "a\"b", "((", "))", ")\r\n", "\r\n", "\n", "* OK [X] ", "P1 NO ", "\\"]),
                0..40),
            cut in 1_usize..20,
        ) {
            let bytes = pieces.concat().into_bytes();
            let mut lexer = lexer();
            let mut outcome = Ok(0_usize);
            'pieces: for piece in bytes.chunks(cut) {
                let mut rest = piece;
                while !rest.is_empty() {
                    match lexer.feed(rest) {
                        Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                        Err(trip) => {
                            outcome = Err(trip);
                            break 'pieces;
                        }
                    }
                    if lexer.line == 0 {
                        outcome = outcome.map(|n| n.saturating_add(1));
                    }
                }
            }
            proptest::prop_assert_eq!(outcome, follow(&bytes));
        }
    }

    #[test]
    fn ordinary_responses_pass_one_at_a_time() {
        let text = b"* OK [CAPABILITY IMAP4rev1] (ready :-( {12} \"\r\n* 3 EXISTS\r\n* LIST (\\A) \"(\" \"a\\\"(\"\r\n\
            * 1 FETCH (UID 7 BODY[] {8}\r\n((((\r\n\"( FLAGS (\\Seen))\r\n+ idling (\r\nP7 OK done )\r\n";
        assert_eq!(follow(text), Ok(6));
    }

    /// B9: a literal is refused where it is announced, before memory is reserved for it.
    #[test]
    fn large_literals_stop_at_their_announcement() {
        for size in ["1001", "500000000", "4294967295", "99999999999999999999999"] {
            let line = format!("* 1 FETCH (UID 7 BODY[] {{{size}}}\r\n");
            assert_eq!(follow(line.as_bytes()), Err(Trip::Literal), "{size}");
        }
        let phantom = b"* OK [BADCHARSET ({500000000}\r\n";
        assert_eq!(follow(phantom), Err(Trip::Literal));
        let item = format!("* 1 FETCH (BODY[] {{900}}\r\n{})\r\n", "x".repeat(900));
        assert_eq!(follow(item.repeat(2).as_bytes()), Err(Trip::Volume));
    }

    /// B9: 200 kB of `(` would overflow the stack of the parser.
    #[test]
    fn nesting_stops_early() {
        let deep = format!("* 1 FETCH {}", "(".repeat(200_000));
        assert_eq!(follow(deep.as_bytes()), Err(Trip::Nesting));
        let quoted = format!("* LIST () \"{}\" x\r\n", "(".repeat(200_000));
        assert_eq!(follow(quoted.as_bytes()), Err(Trip::Nesting));
        let text = format!("* OK {}\r\n", "(".repeat(200_000));
        assert_eq!(follow(text.as_bytes()), Err(Trip::Nesting));
        assert_eq!(follow(b"* 1 FETCH (X (\r\n"), Err(Trip::Nesting));
        assert_eq!(follow(b"* 1 FETCH )\r\n"), Err(Trip::Nesting));
    }

    /// B9: a 10 MB line, and lines without number.
    #[test]
    fn endless_lines_stop() {
        assert_eq!(follow(&vec![b'x'; 10_000_000]), Err(Trip::Line));
        let flood = "* 1 EXPUNGE\r\n".repeat(300_000);
        assert_eq!(follow(flood.as_bytes()), Err(Trip::Volume));
        assert_eq!(follow(b"* 1 EXISTS\n"), Err(Trip::Ending));
        assert_eq!(follow(b"* 1 EX\rISTS\r\n"), Err(Trip::Ending));
        assert_eq!(follow(b"* LIST () \"/\" \"x\r\n"), Err(Trip::Ending));
    }
}
