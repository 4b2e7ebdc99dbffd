//! What is done with messages on the server once they are kept. All of it is cosmetic: the ledger is ours.

use std::collections::BTreeSet;

use super::fault::ImapFault;
use super::session::Session;
use super::syntax::{folder, uid_set};
use super::wire::Answer;
use crate::config::After;

/// UIDs to one command, so that its line stays short.
const WINDOW: usize = 200;

impl Session {
    /// Marks or moves messages that are kept. The UIDs must be of this session.
    ///
    /// # Errors
    /// `Refused` if the server said NO (a full quota, say): nothing is lost, the session goes on. Otherwise any [`ImapFault`].
    pub async fn after_kept(&mut self, uids: &[i64], after: &After) -> Result<(), ImapFault> {
        let good: BTreeSet<u32> = uids.iter().filter_map(|u| u32::try_from(*u).ok()).collect();
        let good: Vec<u32> = good.into_iter().collect();
        for window in good.chunks(WINDOW) {
            let set = uid_set(window.iter().copied());
            match after {
                After::Keep => {}
                After::Seen => self.step("STORE", &flag(&set, "\\Seen")).await?,
                After::Move(target) => self.remove(&set, &folder(target)).await?,
            }
        }
        Ok(())
    }

    /// MOVE (RFC 6851); by hand where the server has none, or says so and does not.
    async fn remove(&mut self, set: &str, target: &str) -> Result<(), ImapFault> {
        if self.wire.can("MOVE") && !self.move_fails {
            let command = format!("UID MOVE {set} {target}");
            match self.wire.run("MOVE", &command).await? {
                Answer::Ok => return Ok(()),
                Answer::No(why) => return Err(ImapFault::Refused(format!("MOVE: {why}"))),
                Answer::Bad(_) => self.move_fails = true,
            }
        }
        self.step("COPY", &format!("UID COPY {set} {target}"))
            .await?;
        self.step("STORE", &flag(set, "\\Deleted")).await?;
        // Without UIDPLUS only "expunge whatever anybody marked" is left: that we don't do.
        if self.wire.can("UIDPLUS") {
            self.step("EXPUNGE", &format!("UID EXPUNGE {set}")).await?;
        }
        Ok(())
    }

    async fn step(&mut self, what: &str, command: &str) -> Result<(), ImapFault> {
        self.wire.run(what, command).await?.done(what)
    }
}

fn flag(set: &str, flag: &str) -> String {
    format!("UID STORE {set} +FLAGS.SILENT ({flag})")
}
