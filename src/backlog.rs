//! How far each mailbox has been read since the daemon began: what lies in one unread arrived before what time is about to do (R2).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

/// A mailbox that can't be read holds up what takes something away, such as a lapse or a closing, at most so long.
pub const PATIENCE: TimeDelta = TimeDelta::hours(1);
/// And what only tells or gives, such as a number or a reminder, at most so long.
pub const BRIEF: TimeDelta = TimeDelta::minutes(5);

/// Shared by those who read mailboxes and the one that decides.
#[derive(Debug, Clone, Default)]
pub struct Backlog {
    mailboxes: Arc<Mutex<BTreeMap<String, Reading>>>,
    wake: Arc<Notify>,
}

/// How far one mailbox was read.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// Since when the desk waits for it.
    awaited: DateTime<Utc>,
    /// What arrived before this moment is kept; none before it was first read to its end.
    read: Option<DateTime<Utc>>,
}

impl Backlog {
    /// Of no mailbox: nobody is waited for. `wake` is woken whenever one was read to its end.
    pub fn new(wake: Arc<Notify>) -> Self {
        Self {
            mailboxes: Arc::default(),
            wake,
        }
    }

    /// From now on of these mailboxes; what is known of them already stays.
    pub fn watch<'a>(&self, names: impl IntoIterator<Item = &'a str>, now: DateTime<Utc>) {
        let mut mailboxes = self.lock();
        let fresh = Reading {
            awaited: now,
            read: None,
        };
        *mailboxes = names
            .into_iter()
            .map(|name| {
                let known = mailboxes.get(name).copied();
                (name.to_owned(), known.unwrap_or(fresh))
            })
            .collect();
    }

    /// A mailbox was read to its end: what arrived before `looked` is kept.
    pub fn note(&self, mailbox: &str, looked: DateTime<Utc>) {
        if let Some(reading) = self.lock().get_mut(mailbox) {
            reading.read = reading.read.max(Some(looked));
            self.wake.notify_one();
        }
    }

    /// The moment until which time may go on: by then every mailbox has been read, or could not be for as long as the desk is patient.
    pub fn until(&self, now: DateTime<Utc>, patience: TimeDelta) -> DateTime<Utc> {
        let given_up = now.checked_sub_signed(patience).unwrap_or(now);
        let until = |reading: &Reading| {
            let read = reading.read.unwrap_or(DateTime::<Utc>::MIN_UTC);
            if reading.awaited > given_up {
                read
            } else {
                read.max(given_up)
            }
        };
        let mailboxes = self.lock();
        mailboxes.values().map(until).min().unwrap_or(now).min(now)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Reading>> {
        self.mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::<Utc>::UNIX_EPOCH
            .checked_add_signed(TimeDelta::minutes(minute))
            .unwrap_or_default()
    }

    #[test]
    fn time_goes_on_as_far_as_every_mailbox_was_read() {
        let backlog = Backlog::default();
        backlog.watch(["one", "two"], at(0));
        let until = |now| backlog.until(at(now), PATIENCE);
        assert!(until(10) < at(0));
        backlog.note("one", at(9));
        assert!(until(10) < at(0));
        backlog.note("two", at(5));
        assert_eq!(until(10), at(5));
        backlog.note("two", at(12));
        assert_eq!(until(20), at(9));
        // Nobody knows such a mailbox.
        backlog.note("three", at(1));
        assert_eq!(until(20), at(9));
        assert_eq!(Backlog::default().until(at(3), PATIENCE), at(3));
        // A configuration that leaves one out and names another.
        backlog.watch(["one", "four"], at(20));
        assert!(until(21) < at(0));
        backlog.note("four", at(21));
        assert_eq!(until(21), at(9));
    }

    /// R2, item 7: one that is down holds the desk up for an hour after the moment and after the start, and no longer.
    #[test]
    fn a_mailbox_that_is_down_is_waited_for_and_then_no_more() {
        let backlog = Backlog::default();
        backlog.watch(["one", "two"], at(0));
        backlog.note("one", at(59));
        assert!(backlog.until(at(59), PATIENCE) < at(0));
        assert_eq!(backlog.until(at(60), PATIENCE), at(0));
        assert_eq!(backlog.until(at(90), PATIENCE), at(30));
        assert_eq!(backlog.until(at(90), BRIEF), at(85));
        backlog.note("two", at(90));
        assert_eq!(backlog.until(at(91), PATIENCE), at(59));
    }
}
