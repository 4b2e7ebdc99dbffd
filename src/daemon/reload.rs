//! Reloading: on SIGHUP, or when a file changed, the whole configuration is read anew; a good one takes over at once, a bad one changes nothing and is told (P8).

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sd_notify::NotifyState;
use tokio::signal::unix::Signal;

use super::files::{self, Files};
use super::house::House;
use super::tell_system;
use crate::clock::Clock;
use crate::config::fault::Faults;
use crate::config::load::attempt;
use crate::config::{Config, environment};
use crate::{takeover, telemetry};

/// A configuration as it was found, good or bad, and what it came from.
#[derive(Debug)]
pub(super) struct Found {
    /// None once it was taken.
    config: Option<Result<Config, Faults>>,
    looked_at: BTreeSet<PathBuf>,
    fingerprint: [u8; 32],
}

impl Found {
    /// Reads the configuration now. Commands that say passwords are run.
    pub(super) fn read(file: &Path) -> Self {
        let now = Clock::System.now();
        let (loaded, looked_at) = attempt(file, environment::of_process(), now, None);
        let config = loaded.map(|loaded| {
            for warning in &loaded.warnings {
                telemetry::configuration_warning(&warning.to_string());
            }
            loaded.config
        });
        Self {
            config: Some(config),
            fingerprint: files::fingerprint(&looked_at),
            looked_at,
        }
    }

    /// Hands the configuration out.
    ///
    /// # Errors
    /// Its faults.
    pub(super) fn take_config(&mut self) -> Result<Config, Faults> {
        self.config.take().unwrap_or_else(|| Err(Faults::default()))
    }
}

/// Waits for calls to reload, and follows them.
#[derive(Debug)]
pub(super) struct Reloads {
    file: PathBuf,
    hangup: Signal,
    files: Files,
    looked_at: BTreeSet<PathBuf>,
    fingerprint: [u8; 32],
    /// The faults of the configuration on disk, if it is a bad one, as they were told.
    bad: Option<String>,
}

impl Reloads {
    /// What the first configuration came from is watched. With `missed`, something may have changed since it was read.
    pub(super) fn new(
        file: PathBuf,
        hangup: Signal,
        found: Found,
        watch: bool,
        missed: bool,
    ) -> Self {
        let mut reloads = Self {
            file,
            hangup,
            files: Files::new(),
            looked_at: BTreeSet::new(),
            fingerprint: found.fingerprint,
            bad: None,
        };
        reloads.follow(found.looked_at, watch);
        if missed {
            reloads.files.touch();
        }
        reloads
    }

    /// Reloads whenever it is called for, until dropped. Calls that come together are one.
    pub(super) async fn serve(&mut self, house: &mut House) -> Infallible {
        loop {
            let called = house.reload.clone();
            let by_signal = tokio::select! {
                _ = self.hangup.recv() => true,
                () = called.notified() => false,
                () = self.files.changed() => false,
            };
            self.reload(house, by_signal).await;
        }
    }

    async fn reload(&mut self, house: &mut House, by_signal: bool) {
        let Some(mut found) = self.read_aside().await else {
            return;
        };
        let unchanged = found.fingerprint == self.fingerprint && found.looked_at == self.looked_at;
        if unchanged && !by_signal {
            return;
        }
        let mut states = vec![NotifyState::Reloading];
        states.extend(NotifyState::monotonic_usec_now().ok());
        tell_system(&states);
        let old = house.config();
        let judged = found.take_config().map_err(|faults| faults.to_string());
        let judged = judged.and_then(|fresh| changeable(&old, fresh));
        let watch = judged.as_ref().map_or(old.watch, |fresh| fresh.watch);
        self.fingerprint = found.fingerprint;
        self.follow(found.looked_at, watch);
        match judged {
            Ok(fresh) => {
                if fresh.keys.lacks_one_of(&old.keys) {
                    telemetry::keys_removed();
                }
                house.take(Arc::new(fresh)).await;
                telemetry::reloaded();
                if self.bad.is_some() && self.tell(house, None).await {
                    self.bad = None;
                }
            }
            Err(faults) => {
                telemetry::reload_refused(&faults);
                if self.bad.as_ref() != Some(&faults) && self.tell(house, Some(&faults)).await {
                    self.bad = Some(faults);
                }
            }
        }
        tell_system(&[NotifyState::Ready]);
    }

    /// A password command may take its time: the tasks go on meanwhile.
    async fn read_aside(&self) -> Option<Found> {
        let file = self.file.clone();
        match tokio::task::spawn_blocking(move || Found::read(&file)).await {
            Ok(found) => Some(found),
            Err(error) => {
                let error =
                    anyhow::Error::new(error).context("Reading the configuration broke off");
                telemetry::trouble("reload", &error);
                None
            }
        }
    }

    /// Watches what the configuration came from; what changed before it was watched is looked at again.
    fn follow(&mut self, looked_at: BTreeSet<PathBuf>, watch: bool) {
        self.looked_at = looked_at;
        if !watch {
            self.files.follow(&BTreeSet::new());
            return;
        }
        self.files.follow(&self.looked_at);
        if files::fingerprint(&self.looked_at) != self.fingerprint {
            self.files.touch();
        }
    }

    /// Tells the specialists; whether that could be done, or else it is tried with the next reload.
    async fn tell(&self, house: &House, faults: Option<&str>) -> bool {
        let told =
            takeover::configuration(&house.store, &house.config(), faults, house.clock.now()).await;
        match told {
            Ok(_) => {
                house.send.notify_one();
                true
            }
            Err(error) => {
                telemetry::trouble("tell of the configuration", &error);
                false
            }
        }
    }
}

/// The configuration, unless it changes what can't change under running tasks.
fn changeable(old: &Config, fresh: Config) -> Result<Config, String> {
    if fresh.store_url == old.store_url {
        return Ok(fresh);
    }
    Err(
        "[store] url can't change while the daemon runs: restart it (`systemctl restart postdesk`)"
            .to_owned(),
    )
}
