//! Every task: how they start, wake each other and stop; nobody else spawns.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::config::fault::Faults;
use crate::config::{self, Config};
use crate::courier::Courier;
use crate::desk::address::Address;
use crate::dns::resolver::Resolver;
use crate::inbound::{Inbound, Lost};
use crate::intake::Intake;
use crate::outbound::{Outbound, Undelivered};
use crate::readings::Readings;
use crate::store::lease::Lease;
use crate::store::pool::Store;
use crate::telemetry;

/// The longest sleep: a clock that was set and a letter that `ingest` kept are noticed after that.
const NAP: Duration = Duration::from_secs(15);
/// How soon something that is due and could not be done is looked at again.
const SOON: Duration = Duration::from_secs(1);
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

/// Loads the configuration as the daemon and its reload do.
///
/// # Errors
/// Every fault at once.
pub fn load(file: &Path) -> Result<Config, Faults> {
    let (config, warnings) = config::load(file)?;
    for warning in warnings {
        telemetry::configuration_warning(&warning.to_string());
    }
    Ok(config)
}

/// Runs until SIGTERM or SIGINT; SIGHUP reloads.
///
/// # Errors
/// Why it could not begin. Once begun, trouble is waited out and told in the log.
pub async fn run(file: PathBuf) -> Result<(), Refusal> {
    let clock = Clock::System;
    let config = Arc::new(load(&file).map_err(Refusal::Configuration)?);
    let store = Store::open(&config.store_url).await?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be awaited")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT can't be awaited")?;
    let mut hangup = signal(SignalKind::hangup()).context("SIGHUP can't be awaited")?;
    let lease = tokio::select! {
        lease = lease(&store) => lease?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    store.reclaim(clock.now()).await?;
    let mut config = config;
    loop {
        let house = House::open(&store, &clock, &config);
        telemetry::started(env!("CARGO_PKG_VERSION"), config.mailboxes.len());
        tell_system(&[NotifyState::Ready]);
        let next = tokio::select! {
            _ = terminate.recv() => Next::Stop,
            _ = interrupt.recv() => Next::Stop,
            fresh = reload(&mut hangup, &file, &config) => Next::Reloaded(fresh),
            why = lost(&lease) => Next::Lost(why),
        };
        let reloading = matches!(next, Next::Reloaded(_));
        tell_system(&[if reloading {
            NotifyState::Reloading
        } else {
            NotifyState::Stopping
        }]);
        house.close().await;
        match next {
            Next::Reloaded(fresh) => config = fresh,
            Next::Stop => break,
            Next::Lost(why) => return Err(Refusal::Taken(why)),
        }
    }
    telemetry::stopped();
    Ok(())
}

/// What ends the work under one configuration.
enum Next {
    Stop,
    Reloaded(Arc<Config>),
    Lost(String),
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

/// SQLite serves one daemon, and a second one is a mistake; on PostgreSQL the second one is ready to take over.
async fn lease(store: &Store) -> Result<Lease, Refusal> {
    let mut told = false;
    loop {
        match store.try_lease().await? {
            Ok(lease) => return Ok(lease),
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

/// Waits for a SIGHUP that finds a good configuration; a bad one changes nothing and is told (P8).
async fn reload(
    hangup: &mut tokio::signal::unix::Signal,
    file: &Path,
    old: &Config,
) -> Arc<Config> {
    loop {
        hangup.recv().await;
        match load_aside(file).await {
            Ok(fresh) if fresh.store_url != old.store_url => {
                telemetry::reload_refused(
                    "[store] url can't change while the daemon runs: restart it",
                );
            }
            Ok(fresh) => {
                telemetry::reloaded();
                return Arc::new(fresh);
            }
            Err(faults) => telemetry::reload_refused(&faults),
        }
    }
}

/// A password command may take its time: the tasks go on meanwhile.
async fn load_aside(file: &Path) -> Result<Config, String> {
    let file = file.to_path_buf();
    let loaded = tokio::task::spawn_blocking(move || load(&file)).await;
    match loaded {
        Ok(loaded) => loaded.map_err(|faults| faults.to_string()),
        Err(error) => Err(format!("Reading the configuration broke off: {error}")),
    }
}

fn tell_system(states: &[NotifyState<'_>]) {
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(states);
}

/// The tasks under one configuration.
struct House {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl House {
    fn open(store: &Store, clock: &Clock, config: &Arc<Config>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let decide = Arc::new(Notify::new());
        let send = Arc::new(Notify::new());
        let mut tasks = JoinSet::new();
        let names = config.mailboxes.iter().map(|m| m.policy.name.as_str());
        let readings = Readings::new(names, clock.now(), decide.clone());
        for mailbox in &config.mailboxes {
            let intake = Intake {
                store: store.clone(),
                clock: clock.clone(),
                wake: decide.clone(),
                max_letter: config.max_letter,
                readings: readings.clone(),
            };
            let (mailbox, stopped) = (mailbox.clone(), stopped.clone());
            tasks.spawn(async move { intake.run(&mailbox, stopped).await });
        }
        let rules = Decider {
            store: store.clone(),
            clock: clock.clone(),
            config: config.clone(),
            decide,
            send: send.clone(),
            readings,
        };
        tasks.spawn(rules.run(stopped.clone()));
        let out = Sender {
            store: store.clone(),
            clock: clock.clone(),
            config: config.clone(),
            send,
        };
        tasks.spawn(out.run(stopped));
        Self { stop, tasks }
    }

    /// Ends every task after what it has begun.
    async fn close(mut self) {
        let _ = self.stop.send(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                telemetry::trouble(
                    "task",
                    &anyhow::Error::new(error).context("A task broke off"),
                );
            }
        }
    }
}

/// Decides on what is kept, and on what time brings.
struct Decider {
    store: Store,
    clock: Clock,
    config: Arc<Config>,
    decide: Arc<Notify>,
    send: Arc<Notify>,
    readings: Readings,
}

impl Decider {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        let dns = &self.config.dns;
        let dns = Resolver::asking(dns.servers.clone(), dns.patience);
        let mut inbound = Inbound::new(self.store.clone(), self.clock.clone(), self.send.clone())
            .asking(dns)
            .behind(self.readings.clone());
        let mut failures = 0_u32;
        while !*stop.borrow() {
            let pause = match self.turn(&mut inbound).await {
                Ok(None) => continue,
                Ok(Some(pause)) => {
                    failures = 0;
                    pause
                }
                Err(error) => {
                    telemetry::trouble("decide", &error);
                    failures = failures.saturating_add(1);
                    Duration::from_secs(1_u64.checked_shl(failures).unwrap_or(60).min(60))
                }
            };
            tokio::select! {
                _ = stop.wait_for(|s| *s) => break,
                () = self.decide.notified(), if failures == 0 => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One turn: what time brings first, then the letters; how long to rest if there was nothing to do.
    async fn turn(&self, inbound: &mut Inbound) -> Result<Option<Duration>> {
        let ticked = match self.store.next_moment().await? {
            Some(moment) if moment <= self.clock.now() => inbound.tick(&self.config).await?,
            _ => Default::default(),
        };
        let stepped = inbound.step(&self.config).await?;
        if ticked.written > 0 || stepped.written > 0 {
            self.send.notify_one();
        }
        if ticked.decided > 0 || !stepped.is_idle() {
            return Ok(None);
        }
        Ok(Some(until(
            self.store.next_moment().await?,
            self.clock.now(),
        )))
    }
}

/// How long to sleep towards a moment; never longer than a nap. What is due and was not done waits for letters: it is looked at again soon.
fn until(moment: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Duration {
    let left = moment.map(|m| {
        m.signed_duration_since(now)
            .to_std()
            .unwrap_or(Duration::ZERO)
            .max(SOON)
    });
    left.unwrap_or(NAP).min(NAP)
}

/// Sends what is due.
struct Sender {
    store: Store,
    clock: Clock,
    config: Arc<Config>,
    send: Arc<Notify>,
}

impl Sender {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        let couriers = loop {
            match Courier::all(&self.config.courier) {
                Ok(couriers) => break couriers,
                Err(error) => telemetry::trouble("send", &error),
            }
            tokio::select! {
                _ = stop.wait_for(|s| *s) => return,
                () = tokio::time::sleep(NAP) => {}
            }
        };
        let desk = &self.config.desk.address;
        let mut outbound = Outbound::new(self.store.clone(), couriers, self.clock.clone(), desk);
        outbound
            .run(stop, &self.send, |lost| self.undelivered(lost))
            .await;
    }

    /// A letter that will never arrive comes back to the rules.
    async fn undelivered(&self, lost: Undelivered) -> Result<()> {
        let Ok(to) = Address::new(&lost.recipient) else {
            return Ok(());
        };
        let lost = Lost {
            request: lost.request,
            to,
            why: lost.why,
            internal: lost.internal,
        };
        let written = Inbound::new(self.store.clone(), self.clock.clone(), self.send.clone())
            .undelivered(&self.config, &lost)
            .await?;
        if written > 0 {
            self.send.notify_one();
        }
        Ok(())
    }
}
