//! How much processor time a test has used: what other programs do meanwhile must not fail it.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

/// The processor time that this thread has used so far (`/proc`, schedstat: nanoseconds, waiting, turns).
pub(crate) fn used() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = told.split(' ').next().unwrap().parse().unwrap();
    Duration::from_nanos(nanoseconds)
}
