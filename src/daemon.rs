//! The daemon: it begins, holds the lease, reloads and stops; what runs meanwhile is in `house`. Nobody else spawns.

mod files;
mod house;
mod reload;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::Clock;
use crate::config::fault::Faults;
use crate::store::lease::Lease;
use crate::store::pool::Store;
use crate::telemetry;

use house::House;
use reload::{Found, Reloads};

/// How often a daemon that waits for another's lease looks.
const LEASE: Duration = Duration::from_secs(2);

/// Why the daemon could not begin its work.
#[derive(Debug)]
pub enum Refusal {
    /// The configuration is bad.
    Configuration(Faults),
    /// Another daemon works on this database; who, as far as is known.
    Taken(String),
    /// The database or the system is not ready.
    Trouble(anyhow::Error),
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::Trouble(error)
    }
}

/// Runs until SIGTERM or SIGINT; SIGHUP reloads.
///
/// # Errors
/// Why it could not begin. Once begun, trouble is waited out and told in the log.
pub async fn run(file: PathBuf) -> Result<(), Refusal> {
    let clock = Clock::System;
    let mut found = Found::read(&file);
    let config = Arc::new(found.take_config().map_err(Refusal::Configuration)?);
    let store = Store::open(&config.store_url).await?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be awaited")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT can't be awaited")?;
    let hangup = signal(SignalKind::hangup()).context("SIGHUP can't be awaited")?;
    let (lease, waited) = tokio::select! {
        lease = lease(&store) => lease?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    store.reclaim(clock.now()).await?;
    let mut reloads = Reloads::new(file.clone(), hangup, found, config.watch, waited);
    let mut house = House::open(&store, &clock, &config, file);
    telemetry::started(env!("CARGO_PKG_VERSION"), config.mailboxes.len());
    tell_system(&[NotifyState::Ready]);
    let lost = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        why = lost(&lease) => Some(why),
        never = reloads.serve(&mut house) => match never {},
    };
    tell_system(&[NotifyState::Stopping]);
    house.close().await;
    if let Some(why) = lost {
        return Err(Refusal::Taken(why));
    }
    telemetry::stopped();
    Ok(())
}

/// Returns once the lease is gone, with why: then another daemon may be at work, and this one must not be.
async fn lost(lease: &Lease) -> String {
    loop {
        tokio::time::sleep(LEASE).await;
        if let Err(error) = lease.assure().await {
            return format!("the lease was lost: {error:#}");
        }
    }
}

/// SQLite serves one daemon, and a second one is a mistake; on PostgreSQL the second one is ready to take over. Whether it had to wait.
async fn lease(store: &Store) -> Result<(Lease, bool), Refusal> {
    let mut told = false;
    loop {
        match store.try_lease().await? {
            Ok(lease) => return Ok((lease, told)),
            Err(holder) if !store.serves_several() => return Err(Refusal::Taken(holder)),
            Err(holder) => {
                if !told {
                    telemetry::waiting_for_lease(&holder);
                    tell_system(&[
                        NotifyState::Ready,
                        NotifyState::Status("another daemon is active, this one is ready"),
                    ]);
                    told = true;
                }
                tokio::time::sleep(LEASE).await;
            }
        }
    }
}

fn tell_system(states: &[NotifyState<'_>]) {
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(states);
}
