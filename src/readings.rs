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
#[derive(Debug, Clone)]
pub struct Readings {
    began: DateTime<Utc>,
    read: Arc<Mutex<BTreeMap<String, DateTime<Utc>>>>,
    wake: Arc<Notify>,
}

impl Readings {
    /// Of these mailboxes, none of which has been read yet; `wake` is woken whenever one has been.
    pub fn new<'a>(
        mailboxes: impl IntoIterator<Item = &'a str>,
        began: DateTime<Utc>,
        wake: Arc<Notify>,
    ) -> Self {
        let never = |name: &str| (name.to_owned(), DateTime::<Utc>::MIN_UTC);
        Self {
            began,
            read: Arc::new(Mutex::new(mailboxes.into_iter().map(never).collect())),
            wake,
        }
    }

    /// Of no mailbox: nobody is waited for.
    pub fn nobody() -> Self {
        Self::new([], DateTime::<Utc>::MIN_UTC, Arc::default())
    }

    /// A mailbox was read to its end: what arrived before `looked` is kept.
    pub fn note(&self, mailbox: &str, looked: DateTime<Utc>) {
        let mut read = self.lock();
        if let Some(until) = read.get_mut(mailbox) {
            // Most looks find nothing that anybody waits for: waking once in a while is enough.
            *until = (*until).max(looked);
            self.wake.notify_one();
        }
    }

    /// The moment until which time may go on: by then every mailbox has been read, or could not be for as long as the desk is patient.
    pub fn until(&self, now: DateTime<Utc>, patience: TimeDelta) -> DateTime<Utc> {
        let waited = |since: DateTime<Utc>| {
            let until = since.checked_add_signed(patience);
            until.is_some_and(|until| until <= now)
        };
        if !waited(self.began) {
            let read = self.lock().values().min().copied();
            return read.map_or(now, |read| read.min(now));
        }
        let given_up = now.checked_sub_signed(patience).unwrap_or(now);
        let read = self.lock().values().min().copied();
        read.map_or(now, |read| read.max(given_up).min(now))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, DateTime<Utc>>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
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
        let readings = Readings::new(["one", "two"], at(0), Arc::default());
        let until = |now| readings.until(at(now), PATIENCE);
        assert!(until(10) < at(0));
        readings.note("one", at(9));
        assert!(until(10) < at(0));
        readings.note("two", at(5));
        assert_eq!(until(10), at(5));
        readings.note("two", at(12));
        assert_eq!(until(20), at(9));
        // Nobody knows such a mailbox.
        readings.note("three", at(1));
        assert_eq!(until(20), at(9));
        assert_eq!(Readings::nobody().until(at(3), PATIENCE), at(3));
    }

    /// R2, item 7: one that is down holds the desk up for an hour after the moment and after the start, and no longer.
    #[test]
    fn a_mailbox_that_is_down_is_waited_for_and_then_no_more() {
        let readings = Readings::new(["one", "two"], at(0), Arc::default());
        readings.note("one", at(59));
        assert!(readings.until(at(59), PATIENCE) < at(0));
        assert_eq!(readings.until(at(60), PATIENCE), at(0));
        assert_eq!(readings.until(at(90), PATIENCE), at(30));
        assert_eq!(readings.until(at(90), BRIEF), at(85));
        readings.note("two", at(90));
        assert_eq!(readings.until(at(91), PATIENCE), at(59));
    }
}
