//! What reading costs: the time of each letter, and the memory of all.

use std::fs;
use std::time::{Duration, Instant};

use crate::table::Table;

pub struct Cost {
    took: Vec<Duration>,
    worst: (Duration, usize, String),
    octets: usize,
    /// Resident octets before the first letter.
    before: u64,
}

/// A thing done, and how long it took.
pub fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = act();
    (done, begun.elapsed())
}

impl Cost {
    pub fn start() -> Self {
        Self {
            took: Vec::new(),
            worst: (Duration::ZERO, 0, String::new()),
            octets: 0,
            before: status("VmRSS"),
        }
    }

    pub fn took(&mut self, took: Duration, octets: usize, file: &str) {
        self.took.push(took);
        self.octets += octets;
        if took > self.worst.0 {
            self.worst = (took, octets, file.to_owned());
        }
    }

    /// The demands on time; a build that is not optimised is not judged.
    pub fn judge(&self, table: &mut Table) {
        if cfg!(debug_assertions) || self.took.is_empty() {
            return;
        }
        let median = self.share(50);
        table.note(
            "median < 2 ms",
            "all",
            median < Duration::from_millis(2),
            "2 ms",
            &format!("{median:?}"),
        );
        table.note(
            "worst < 2 s",
            &self.worst.2,
            self.worst.0 < Duration::from_secs(2),
            "2 s",
            &format!("{:?}", self.worst.0),
        );
    }

    /// In one line.
    pub fn told(&self) -> String {
        let (worst, octets, file) = &self.worst;
        format!(
            "{} letters, {:.1} MB: median {:.3} ms, p99 {:.3} ms, worst {:.3} ms ({file}, {octets} octets){}; resident {} MiB before, {} MiB at the peak",
            self.took.len(),
            self.octets as f64 / 1e6,
            milliseconds(self.share(50)),
            milliseconds(self.share(99)),
            milliseconds(*worst),
            if cfg!(debug_assertions) {
                ", not optimised"
            } else {
                ""
            },
            self.before >> 20,
            status("VmHWM") >> 20,
        )
    }

    fn share(&self, per_cent: usize) -> Duration {
        let mut all = self.took.clone();
        all.sort();
        all.get(all.len() * per_cent / 100)
            .or(all.last())
            .copied()
            .unwrap_or_default()
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// A field of this process in octets; 0 where the system does not tell.
fn status(field: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    text.lines()
        .find_map(|l| l.strip_prefix(field)?.strip_prefix(':'))
        .and_then(|v| v.split_whitespace().next()?.parse::<u64>().ok())
        .map_or(0, |kib| kib << 10)
}
