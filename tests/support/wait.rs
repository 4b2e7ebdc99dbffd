//! Waiting for a condition, with a limit and a word about what was waited for.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Asks `probe` every few milliseconds until it has an answer.
///
/// # Panics
/// There was none within `limit`: with `what`.
pub fn until<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = probe() {
            return answer;
        }
        assert!(begun.elapsed() < limit, "Waited {limit:?} in vain: {what}");
        sleep(Duration::from_millis(3));
    }
}
