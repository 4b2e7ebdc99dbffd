//! The machine in one line, so that a figure can be compared with another one.

use std::fs::{self, File};
use std::io::Write;
use std::time::{Duration, Instant};

/// Processor, memory, kernel, and how long the disk takes to confirm 4 KB: that is what a commit costs.
pub fn described() -> String {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|l| l.starts_with(name));
        line.and_then(|l| l.split_once(':'))
            .map_or_else(|| "unknown".to_owned(), |(_, v)| v.trim().to_owned())
    };
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{} × {processors}, {} of memory, Linux {}, 4 KB append + fdatasync {:.2} ms (median of 100), load before {}",
        field("/proc/cpuinfo", "model name"),
        field("/proc/meminfo", "MemTotal"),
        kernel.trim(),
        confirmed_write().as_secs_f64() * 1000.0,
        load.split(' ').next().unwrap_or_default(),
    )
}

fn confirmed_write() -> Duration {
    let folder = tempfile::tempdir().expect("A temporary folder");
    let mut file = File::create(folder.path().join("block")).expect("A file");
    let mut took: Vec<Duration> = (0..100)
        .map(|_| {
            let begun = Instant::now();
            file.write_all(&[7; 4096]).expect("A block written");
            file.sync_data().expect("A block on the disk");
            begun.elapsed()
        })
        .collect();
    took.sort();
    took[took.len() / 2]
}
