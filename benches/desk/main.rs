//! Measures the whole daemon, as it is shipped, against a real Dovecot and scripted servers: `cargo bench --bench desk -- throughput` and `-- latency`.
#![allow(
    unreachable_pub,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a measuring program: it prints, and what goes wrong ends it"
)]

mod acknowledged;
mod daemon;
mod latency;
mod machine;
#[path = "../../tests/support/mod.rs"]
mod support;
mod throughput;

use std::process::ExitCode;

const USAGE: &str =
    "usage: cargo bench --bench desk -- throughput [--letters 20000] [--senders 200] [--specialists 0] [--seed 1]
       cargo bench --bench desk -- latency [--letters 200]
       cargo bench --bench desk -- machine
POSTDESK_BENCH_PROGRAM names another program to measure, such as an older release.
Exit code 0: every target was met; 1: one was not; 2: wrong usage.";

fn main() -> ExitCode {
    // Cargo adds --bench of its own.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let Some(command) = arguments.first() else {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    };
    let number = |name: &str, default: usize| -> Option<usize> {
        match arguments.iter().position(|a| a == name) {
            Some(at) => arguments.get(at + 1)?.parse().ok().filter(|n| *n > 0),
            None => Some(default),
        }
    };
    let met = match command.as_str() {
        "throughput" => match (
            number("--letters", 20_000),
            number("--senders", 200),
            number("--specialists", 0),
            number("--seed", 1),
        ) {
            (Some(letters), Some(senders), Some(specialists), Some(seed)) => Some(
                throughput::measure(letters, senders, specialists, seed as u64),
            ),
            _ => None,
        },
        "latency" => number("--letters", 200).map(latency::measure),
        "machine" => {
            println!("{}", machine::described());
            Some(true)
        }
        _ => None,
    };
    match met {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}
