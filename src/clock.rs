//! The only place that knows the time: the system's clock, or one that tests and the demo set by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

/// Where "now" comes from. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's.
    System,
    /// Set by hand: microseconds since the epoch.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `moment` until it is set.
    pub fn manual(moment: DateTime<Utc>) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(moment.timestamp_micros())))
    }

    /// The present moment.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[allow(
                clippy::disallowed_methods,
                reason = "this is the one place that may ask the system for the time"
            )]
            Self::System => Utc::now(),
            Self::Manual(at) => {
                DateTime::from_timestamp_micros(at.load(Ordering::SeqCst)).unwrap_or_default()
            }
        }
    }

    /// Sets a manual clock; the system's stays as it is.
    pub fn set(&self, moment: DateTime<Utc>) {
        if let Self::Manual(at) = self {
            at.store(moment.timestamp_micros(), Ordering::SeqCst);
        }
    }
}

/// The processor time that this thread has used: a test of speed must not fail for what other programs do meanwhile.
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
pub(crate) fn processor_time() -> std::time::Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    std::time::Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}
