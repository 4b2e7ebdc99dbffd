//! A year of 50 customers and 20,000 letters on a clock of its own, by a seeded cast of representatives, strangers, robots, forgers and
//! specialists, with the promises looked at after each step. A seed that breaks one prints the shortest history that was found to break it.
//!
//! `POSTDESK_YEAR_SEED=7 cargo test --release --locked --test year -- --nocapture` plays all of it; without `--release` the year has fewer
//! letters, or `POSTDESK_YEAR_LETTERS` of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::too_many_lines,
    clippy::wildcard_enum_match_arm,
    reason = "a test runner"
)]

mod cast;
mod chance;
mod deeds;
mod letters;
mod oracle;
mod play;

use std::time::{Duration, Instant};

use deeds::Deed;
use play::{Broken, Play};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |v| v.parse().expect(name))
}

/// How long a shorter history is looked for.
const SHRINKING: Duration = Duration::from_secs(60);

/// Plays deeds on a fresh desk.
async fn play(deeds: &[Deed], most_resolved: Option<u64>) -> (Play, Result<(), Broken>) {
    let mut play = Play::new().await;
    play.oracle.most_resolved = most_resolved;
    let done = play.all(deeds).await;
    (play, done)
}

/// The shortest history found that still breaks something: pieces are left out, large ones first, as long as it breaks without them.
async fn shortest(deeds: &[Deed], most_resolved: Option<u64>) -> Vec<Deed> {
    let began = Instant::now();
    let mut kept = deeds.to_vec();
    let mut piece = kept.len().div_ceil(2);
    while piece > 0 && began.elapsed() < SHRINKING {
        let mut at = 0;
        while at < kept.len() && began.elapsed() < SHRINKING {
            let mut fewer = kept.clone();
            let gone: Vec<Deed> = fewer.drain(at..(at + piece).min(kept.len())).collect();
            // The rest keeps its moments.
            if let Some(next) = fewer.get_mut(at) {
                next.after += gone.iter().map(|d| d.after).sum::<i64>();
            }
            if let (_, Err(broken)) = play(&fewer, most_resolved).await {
                fewer.truncate(broken.deed + 1);
                kept = fewer;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    kept
}

async fn report(seed: u64, deeds: &[Deed], broken: &Broken, most_resolved: Option<u64>) -> String {
    let short = shortest(&deeds[..=broken.deed.min(deeds.len() - 1)], most_resolved).await;
    let (play, done) = play(&short, most_resolved).await;
    let why = done.err().map_or_else(String::new, |b| b.why);
    format!(
        "seed {seed}, deed {} of {}: {}\nthe shortest history found, {} deeds, ends with {why}:\n{}",
        broken.deed + 1,
        deeds.len(),
        broken.why,
        short.len(),
        play.told.join("\n")
    )
}

/// P1, P2, P3, P4, P5, P6, P7 at every step of a year.
#[tokio::test(flavor = "multi_thread")]
async fn a_year_keeps_its_promises() {
    let seed = setting("POSTDESK_YEAR_SEED", 2026);
    let all = if cfg!(debug_assertions) {
        2_500
    } else {
        20_000
    };
    let letters = usize::try_from(setting("POSTDESK_YEAR_LETTERS", all)).unwrap();
    let deeds = deeds::year(seed, letters, &cast::people());
    let began = Instant::now();
    let (play, done) = play(&deeds, None).await;
    if let Err(broken) = done {
        panic!("{}", report(seed, &deeds, &broken, None).await);
    }
    eprintln!(
        "{letters} letters, {} requests, {:.1} s, database {} KiB, events: {:?}",
        play.oracle.registered_in_all(),
        began.elapsed().as_secs_f64(),
        play.peak().await / 1024,
        play.oracle.seen
    );
    assert!(play.oracle.registered_in_all() > letters as u64 / 20);
}

/// A broken promise is found, and told by a short history.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_promise_is_told_shortly() {
    let deeds = deeds::year(1, 600, &cast::people());
    let most = Some(2);
    let (_, done) = play(&deeds, most).await;
    let broken = done.expect_err("the third resolved request is one too many");
    let short = shortest(&deeds[..=broken.deed], most).await;
    let (play, done) = play(&short, most).await;
    assert_eq!(
        done.unwrap_err().why.split(':').next(),
        Some("One resolved too many")
    );
    assert!(
        short.len() <= 12,
        "{} deeds:\n{}",
        short.len(),
        play.told.join("\n")
    );
}
