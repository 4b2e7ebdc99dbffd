//! The guard between the socket and lettre: the server's lines, cut and cleaned before anybody reads them.
//!
//! lettre reads a line whole before it looks at its length, fails on bytes that are not UTF-8 and on an answer without a text, and tells
//! neither SIZE nor PIPELINING. So every line passes here first.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Octets of a line that are kept (RFC 5321 4.5.3.1.5 allows 512); the rest of it is dropped.
const LINE: usize = 512;

/// A stream whose incoming lines are guarded.
pub struct Wire<S> {
    inner: S,
    peer: SocketAddr,
    /// The line that is being read.
    line: Vec<u8>,
    /// Whole lines, ready to be handed on.
    ready: std::collections::VecDeque<u8>,
    /// Gets each line while somebody listens.
    tap: Option<Sender<String>>,
    answers: Arc<AtomicU64>,
}

impl<S> Wire<S> {
    /// Guards a stream.
    pub fn new(inner: S, peer: SocketAddr) -> Self {
        Self {
            inner,
            peer,
            line: Vec::new(),
            ready: std::collections::VecDeque::new(),
            tap: None,
            answers: Arc::default(),
        }
    }

    /// Puts a greeting before everything else: lettre waits for one, and the real one was read already.
    pub fn greet_again(&mut self) {
        self.ready.extend(b"220 again\r\n");
    }

    /// Sends a copy of each line from here on to `tap`, for as long as it listens.
    pub fn tap(&mut self, tap: Sender<String>) {
        self.tap = Some(tap);
    }

    /// Counts the answers that came in.
    pub fn answers(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.answers)
    }

    /// Whether nothing has come in that was not handed on.
    pub fn is_quiet(&self) -> bool {
        self.line.is_empty() && self.ready.is_empty()
    }

    /// The stream itself.
    pub fn into_inner(self) -> S {
        self.inner
    }

    fn take_in(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                self.end_line();
            } else if self.line.len() < LINE {
                self.line.push(byte);
            }
        }
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.line);
        let mut line = line.trim_end().replace(|c: char| c.is_control(), " ");
        self.line.clear();
        // quirk: an answer without a text ends after its code (allowed by RFC 5321 4.2); lettre wants the space.
        if line.len() == 3 {
            line.push(' ');
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            self.answers.fetch_add(1, Ordering::Relaxed);
        }
        self.ready.extend(line.as_bytes());
        self.ready.extend(b"\r\n");
        if let Some(tap) = &self.tap
            && tap.send(line).is_err()
        {
            self.tap = None;
        }
    }
}

impl<S> fmt::Debug for Wire<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({})", self.peer)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> AsyncTokioStream for Wire<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        while me.ready.is_empty() {
            let mut chunk = [0; 2048];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut me.inner).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            me.take_in(chunk.filled());
        }
        let (first, _) = me.ready.as_slices();
        let count = first.len().min(buf.remaining());
        buf.put_slice(first.get(..count).unwrap_or_default());
        me.ready.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
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
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use tokio::io::AsyncReadExt as _;

    async fn through(bytes: &[u8]) -> (String, u64) {
        let stream = tokio::io::join(bytes, tokio::io::sink());
        let mut wire = Wire::new(stream, SocketAddr::from(([127, 0, 0, 1], 25)));
        let mut text = String::new();
        wire.read_to_string(&mut text).await.unwrap();
        (text, wire.answers().load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn lines_come_out_whole_clean_and_counted() {
        assert_eq!(
            through(b"250-a\r\n250\n550 \xcf\xf0 \x1b[1m\r\nhalf").await,
            (
                "250-a\r\n250 \r\n550 \u{fffd}\u{fffd}  [1m\r\n".to_owned(),
                2
            )
        );
    }

    #[tokio::test]
    async fn an_endless_line_costs_no_memory() {
        let (text, _) = through(&[b"250 ".repeat(500_000).as_slice(), b"\r\n"].concat()).await;
        assert!(text.len() <= 514, "{}", text.len());
    }
}
