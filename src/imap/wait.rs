//! Waiting for more: IDLE (RFC 2177) where it works, NOOP where it doesn't.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::fault::ImapFault;
use super::guard::Allowance;
use super::session::Session;
use super::told::Told;
use super::wire::{Answer, small, within};

impl Session {
    /// Returns once there may be something new since the last [`Self::new_uids`], or after `poll`, whichever is first.
    ///
    /// A server that takes IDLE and then stays silent is asked again every five minutes; that it answers also shows that it lives.
    ///
    /// # Errors
    /// Any [`ImapFault`]. A server that refuses IDLE is no error: it is asked with NOOP from then on.
    pub async fn wait(&mut self, poll: Duration) -> Result<(), ImapFault> {
        self.wire.in_step()?;
        let until = within(poll);
        while !self.wire.news.stirred {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            if self.wire.can("IDLE") && !self.idle_fails {
                self.idle(left.min(self.wire.pace.idle)).await?;
            } else {
                sleep(left.min(self.wire.pace.noop)).await;
                self.wire.run("NOOP", "NOOP").await?.done("NOOP")?;
            }
        }
        Ok(())
    }

    /// One IDLE of at most this long.
    async fn idle(&mut self, time: Duration) -> Result<(), ImapFault> {
        let what = "IDLE";
        let deadline = within(self.wire.pace.answer);
        let quiet = Allowance {
            silence: self
                .wire
                .pace
                .idle
                .saturating_add(self.wire.pace.answer.saturating_mul(2)),
            ..small(self.wire.pace)
        };
        let tag = self.wire.begin(what, what, quiet, deadline).await?;
        // What came before the "+" counts as well: no further EXISTS may follow.
        if let Some(answer) = self.wire.until_continue(what, &tag, deadline).await? {
            self.end(&answer, false);
            return Ok(());
        }
        let until = within(time);
        while !self.wire.news.stirred {
            match self.wire.response_until(until).await? {
                Some(Told::Done(theirs, word)) => {
                    let answer = self.wire.answer(&tag, &theirs, word)?;
                    self.end(&answer, true);
                    return Ok(());
                }
                Some(told) => self.wire.note(&told)?,
                None => break,
            }
        }
        let deadline = within(self.wire.pace.done);
        self.wire.write("DONE", "DONE", deadline).await?;
        let answer = self.wire.finish("DONE", &tag, deadline, |_| ()).await?;
        self.end(&answer, true);
        Ok(())
    }

    /// Draws the lesson from how an IDLE ended; `begun` if the server had said "+".
    fn end(&mut self, answer: &Answer, begun: bool) {
        match answer {
            Answer::Ok if begun => {}
            Answer::Ok | Answer::No(_) | Answer::Bad(_) => {
                tracing::info!(
                    "the IMAP server offers IDLE and refuses it; asking it with NOOP instead"
                );
                self.idle_fails = true;
            }
        }
    }
}
