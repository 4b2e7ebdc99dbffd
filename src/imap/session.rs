//! One logged-in connection with the folder open: what is there, and what is new.

use std::collections::BTreeSet;

use super::fault::ImapFault;
use super::login::log_in;
use super::pace::Pace;
use super::syntax::{folder, uid_set};
use super::told::Told;
use super::wire::{Answer, Wire, small};
use crate::config::{After, ImapConfig};

/// Messages that one SEARCH looks through: its answer is a single line, at most 11 octets a message.
const SEARCH_WINDOW: u32 = 20_000;

/// A logged-in connection with the folder open, read-only unless something is to be done with messages afterwards.
///
/// UIDs are good for this session and its UIDVALIDITY only (RFC 2683 section 3.4.3). A future of this type that was dropped before its end
/// leaves a session that answers every further call with [`ImapFault::Disconnected`].
#[derive(Debug)]
pub struct Session {
    pub(super) wire: Wire,
    /// Things the server offers and then refuses are not tried twice (FAULTS B25).
    pub(super) idle_fails: bool,
    pub(super) move_fails: bool,
    uidvalidity: u32,
    uidnext: Option<u32>,
}

impl Session {
    /// Connects, logs in and opens the folder.
    ///
    /// # Errors
    /// Any [`ImapFault`]: `Auth` only if the server said NO to the name and password, `Folder` if it said NO to the folder or gives no UIDVALIDITY.
    pub async fn open(config: &ImapConfig) -> Result<Self, ImapFault> {
        Self::open_with(config, Pace::default()).await
    }

    /// The same with another patience.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(config: &ImapConfig, pace: Pace) -> Result<Self, ImapFault> {
        let mut wire = log_in(config, pace).await?;
        // EXAMINE can't change anything, not even which messages are new to other programs.
        let verb = match config.after {
            After::Keep => "EXAMINE",
            After::Seen | After::Move(_) => "SELECT",
        };
        let command = format!("{verb} {}", folder(&config.folder));
        match wire.run(verb, &command).await? {
            Answer::Ok => {}
            Answer::No(why) | Answer::Bad(why) => return Err(ImapFault::Folder(why)),
        }
        let uidvalidity = match wire.news.uidvalidity {
            Some(value) if value > 0 => value,
            Some(_) | None => {
                let why = "the server gives no UIDVALIDITY, so its UIDs can't be relied on";
                return Err(ImapFault::Folder(why.to_owned()));
            }
        };
        let mut session = Self {
            uidnext: wire.news.uidnext.filter(|next| *next > 0),
            wire,
            idle_fails: false,
            move_fails: false,
            uidvalidity,
        };
        if session.uidnext.is_none() {
            session.uidnext = session.next_after_last().await?;
        }
        // How many there are was told by opening; whoever opens also searches.
        session.wire.news.stirred = false;
        Ok(session)
    }

    /// The generation of the UIDs, at least 1.
    pub fn uidvalidity(&self) -> u32 {
        self.uidvalidity
    }

    /// The UID that the next message would have had when the folder was opened; where the server does not say (163.com, Winmail), one more than
    /// the last. None if that can't be found out either.
    pub fn uidnext(&self) -> Option<u32> {
        self.uidnext
    }

    /// How many messages are in the folder, as far as the server told.
    pub fn exists(&self) -> u32 {
        self.wire.news.exists
    }

    /// The UIDs above `after_uid`, ascending. What the server tells from now on makes [`Self::wait`] return.
    ///
    /// # Errors
    /// Any [`ImapFault`]; a NO is one and never "nothing new".
    pub async fn new_uids(&mut self, after_uid: i64) -> Result<Vec<i64>, ImapFault> {
        self.wire.news.stirred = false;
        let Ok(first) = u32::try_from(after_uid.saturating_add(1).max(1)) else {
            return Ok(Vec::new());
        };
        let mut found = BTreeSet::new();
        for window in search_windows(self.wire.news.exists) {
            found.extend(self.search(&format!("{window}UID {first}:*")).await?);
        }
        // `n:*` always has the last message, also if its UID is below n (RFC 3501 section 6.4.8).
        let new = found.into_iter().map(i64::from);
        Ok(new.filter(|uid| *uid > after_uid).collect())
    }

    /// Ends the session politely; errors are of no interest any more.
    pub async fn close(mut self) {
        let pace = self.wire.pace.done;
        let farewell = tokio::time::timeout(pace, self.wire.run("LOGOUT", "LOGOUT"));
        farewell.await.ok();
    }

    /// The UIDs among these that are in the folder at this moment.
    pub(super) async fn present(
        &mut self,
        uids: impl IntoIterator<Item = u32>,
    ) -> Result<BTreeSet<u32>, ImapFault> {
        // The server may show a session what others expunged only at NOOP.
        self.wire.run("NOOP", "NOOP").await?.done("NOOP")?;
        self.search(&format!("UID {}", uid_set(uids))).await
    }

    async fn search(&mut self, criteria: &str) -> Result<BTreeSet<u32>, ImapFault> {
        let mut found = BTreeSet::new();
        let command = format!("UID SEARCH {criteria}");
        let each = |told| {
            if let Told::Search(uids) = told {
                found.extend(uids);
            }
        };
        let allowance = small(self.wire.pace);
        let answer = self
            .wire
            .run_for("SEARCH", &command, allowance, each)
            .await?;
        answer.done("SEARCH")?;
        Ok(found)
    }

    async fn next_after_last(&mut self) -> Result<Option<u32>, ImapFault> {
        if self.wire.news.exists == 0 {
            return Ok(Some(1));
        }
        let mut last: Option<u32> = None;
        let each = |told| {
            if let Told::Item(item) = told {
                last = last.max(item.uid);
            }
        };
        let allowance = small(self.wire.pace);
        self.wire
            .run_for("FETCH", "FETCH * (UID)", allowance, each)
            .await?
            .done("FETCH")?;
        Ok(last.and_then(|uid| uid.checked_add(1)))
    }
}

/// Ranges of message numbers to search one by one, each with a blank behind; a single empty one if the folder is small.
///
/// The highest first: what others expunge meanwhile moves messages down, so one may be seen twice but none is passed over.
fn search_windows(exists: u32) -> Vec<String> {
    if exists <= SEARCH_WINDOW {
        return vec![String::new()];
    }
    let mut windows = Vec::new();
    let mut last = exists;
    while last > 0 {
        let first = last.saturating_sub(SEARCH_WINDOW).saturating_add(1);
        let end = if last == exists {
            "*".to_owned()
        } else {
            last.to_string()
        };
        windows.push(format!("{first}:{end} "));
        last = first.saturating_sub(1);
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::search_windows;

    /// B21: a folder of any size is searched in answers of bounded length, from its end.
    #[test]
    fn large_folders_are_searched_in_windows() {
        assert_eq!(search_windows(0), [""]);
        assert_eq!(search_windows(20_000), [""]);
        assert_eq!(search_windows(20_001), ["2:* ", "1:1 "]);
        assert_eq!(
            search_windows(45_000),
            ["25001:* ", "5001:25000 ", "1:5000 "]
        );
    }
}
