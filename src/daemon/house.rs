//! The tasks of a running desk: one for each mailbox, the rules, the way out. A new configuration reaches each of them between two turns.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::backlog::Backlog;
use crate::clock::Clock;
use crate::config::{Config, CourierConfig, Mailbox, Source};
use crate::courier::Courier;
use crate::desk::address::Address;
use crate::desk::request::RequestId;
use crate::dns::resolver::Resolver;
use crate::inbound::{Inbound, Lost};
use crate::intake::Intake;
use crate::outbound::{Outbound, Undelivered};
use crate::store::pool::Store;
use crate::{succession, takeover, telemetry};

/// The longest sleep: a clock that was set and a letter that `ingest` kept are noticed after that.
const NAP: Duration = Duration::from_secs(15);

/// How soon something that is due and could not be done is looked at again.
const SOON: Duration = Duration::from_secs(1);

/// Every task, and what they share.
#[derive(Debug)]
pub(super) struct House {
    pub(super) store: Store,
    pub(super) clock: Clock,
    /// Woken when letters of ours wait for the way out.
    pub(super) send: Arc<Notify>,
    /// Woken when the desk itself wrote a customer's file.
    pub(super) reload: Arc<Notify>,
    decide: Arc<Notify>,
    backlog: Backlog,
    configs: watch::Sender<Arc<Config>>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    posts: BTreeMap<String, Post>,
}

/// The task of one mailbox, and what it was started with.
#[derive(Debug)]
struct Post {
    reach: Reach,
    stop: watch::Sender<bool>,
    task: JoinSet<()>,
}

/// All that the task of a mailbox needs of the configuration: as long as it is the same, the task goes on.
#[derive(Debug, PartialEq, Eq)]
struct Reach {
    source: Source,
    authority: Option<[u8; 32]>,
    max_letter: u64,
}

impl Reach {
    fn of(config: &Config, mailbox: &Mailbox) -> Self {
        let authority = match &mailbox.source {
            Source::Imap(imap) => config.authority(&imap.endpoint).copied(),
            Source::Maildir(_) => None,
        };
        Self {
            source: mailbox.source.clone(),
            authority,
            max_letter: config.max_letter,
        }
    }
}

impl House {
    /// Starts every task.
    pub(super) fn open(store: &Store, clock: &Clock, config: &Arc<Config>, file: PathBuf) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (configs, config_now) = watch::channel(config.clone());
        let decide = Arc::<Notify>::default();
        let mut house = Self {
            store: store.clone(),
            clock: clock.clone(),
            send: Arc::default(),
            backlog: Backlog::new(decide.clone()),
            reload: Arc::default(),
            decide,
            configs,
            stop,
            tasks: JoinSet::new(),
            posts: BTreeMap::new(),
        };
        house.start_mailboxes(config);
        let rules = Decider {
            store: store.clone(),
            clock: clock.clone(),
            configs: config_now.clone(),
            decide: house.decide.clone(),
            send: house.send.clone(),
            backlog: house.backlog.clone(),
            reload: house.reload.clone(),
            file,
        };
        house.tasks.spawn(rules.run(stopped.clone()));
        let out = Sender {
            store: store.clone(),
            clock: clock.clone(),
            configs: config_now,
            send: house.send.clone(),
        };
        house.tasks.spawn(out.run(stopped));
        house
    }

    /// The configuration in force.
    pub(super) fn config(&self) -> Arc<Config> {
        self.configs.borrow().clone()
    }

    /// Puts a new configuration in force. Only what is reached in another way is begun anew: mailboxes that are gone or lie elsewhere end
    /// first, so that no mailbox is ever read by two tasks.
    pub(super) async fn take(&mut self, fresh: Arc<Config>) {
        let stays = |name: &String, post: &Post| {
            let mailbox = fresh.mailboxes.iter().find(|m| m.policy.name == *name);
            mailbox.is_some_and(|m| Reach::of(&fresh, m) == post.reach)
        };
        let leaving: Vec<String> = self
            .posts
            .iter()
            .filter(|(name, post)| !stays(name, post))
            .map(|(name, _)| name.clone())
            .collect();
        let leaving: Vec<Post> = leaving
            .iter()
            .filter_map(|name| self.posts.remove(name))
            .collect();
        for post in &leaving {
            let _ = post.stop.send(true);
        }
        for mut post in leaving {
            ended(&mut post.task).await;
        }
        self.configs.send_replace(fresh.clone());
        self.start_mailboxes(&fresh);
    }

    fn start_mailboxes(&mut self, config: &Config) {
        let names = config.mailboxes.iter().map(|m| m.policy.name.as_str());
        self.backlog.watch(names, self.clock.now());
        for mailbox in &config.mailboxes {
            let name = &mailbox.policy.name;
            if !self.posts.contains_key(name) {
                let post = self.post(mailbox.clone(), Reach::of(config, mailbox));
                self.posts.insert(name.clone(), post);
            }
        }
    }

    fn post(&self, mailbox: Mailbox, reach: Reach) -> Post {
        let (stop, stopped) = watch::channel(false);
        let intake = Intake {
            store: self.store.clone(),
            clock: self.clock.clone(),
            wake: self.decide.clone(),
            max_letter: reach.max_letter,
            backlog: self.backlog.clone(),
        };
        let mut task = JoinSet::new();
        task.spawn(async move { intake.run(&mailbox, stopped).await });
        Post { reach, stop, task }
    }

    /// Ends every task after what it has begun.
    pub(super) async fn close(mut self) {
        let _ = self.stop.send(true);
        for post in self.posts.values() {
            let _ = post.stop.send(true);
        }
        for post in self.posts.values_mut() {
            ended(&mut post.task).await;
        }
        ended(&mut self.tasks).await;
    }
}

async fn ended(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            telemetry::trouble(
                "task",
                &anyhow::Error::new(error).context("A task broke off"),
            );
        }
    }
}

/// Decides on what is kept, and on what time brings.
struct Decider {
    store: Store,
    clock: Clock,
    configs: watch::Receiver<Arc<Config>>,
    decide: Arc<Notify>,
    send: Arc<Notify>,
    backlog: Backlog,
    reload: Arc<Notify>,
    /// The main file of the configuration, beside which the customers' files lie.
    file: PathBuf,
}

impl Decider {
    async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut config = self.configs.borrow_and_update().clone();
        let mut inbound = Inbound::new(self.store.clone(), self.clock.clone(), self.send.clone())
            .asking(resolver(&config))
            .behind(self.backlog.clone());
        // Whether what this configuration says of the people is in the history.
        let mut taken_over = false;
        let mut failures = 0_u32;
        while !*stop.borrow() {
            let fresh = self.configs.borrow_and_update().clone();
            if !Arc::ptr_eq(&fresh, &config) {
                if fresh.dns != config.dns {
                    inbound = inbound.asking(resolver(&fresh));
                }
                (config, taken_over) = (fresh, false);
            }
            let pause = match self.turn(&mut inbound, &config, &mut taken_over).await {
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
                _ = self.configs.changed() => {}
                () = self.decide.notified(), if failures == 0 => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One turn: what the configuration changed among the people, what time brings, then the letters; how long to rest if there was
    /// nothing to do.
    async fn turn(
        &self,
        inbound: &mut Inbound,
        config: &Arc<Config>,
        taken_over: &mut bool,
    ) -> Result<Option<Duration>> {
        let anew = !*taken_over;
        if anew {
            if takeover::appointments(&self.store, config, self.clock.now()).await? > 0 {
                self.send.notify_one();
            }
            // What time brings next follows from the configuration as well.
            let mut after = RequestId(0);
            while let Some(last) = inbound.rewake(config, after).await? {
                after = last;
            }
            *taken_over = true;
        }
        let ticked = match self.store.next_moment().await? {
            _ if anew || inbound.owes() => inbound.tick(config).await?,
            Some(moment) if moment <= self.clock.now() => inbound.tick(config).await?,
            _ => Default::default(),
        };
        let stepped = inbound.step(config).await?;
        if ticked.written > 0 || stepped.written > 0 {
            self.send.notify_one();
        }
        self.write(config).await?;
        if ticked.decided > 0 || !stepped.is_idle() {
            return Ok(None);
        }
        Ok(Some(until(
            self.store.next_moment().await?,
            self.clock.now(),
        )))
    }
}

impl Decider {
    /// Writes changes of representatives into the customers' files.
    async fn write(&self, config: &Config) -> Result<()> {
        let done = succession::write(&self.store, config, &self.file, self.clock.now()).await?;
        if done.reload {
            self.reload.notify_one();
        }
        if done.written > 0 {
            self.send.notify_one();
        }
        Ok(())
    }
}

fn resolver(config: &Config) -> Resolver {
    Resolver::asking(config.dns.servers.clone(), config.dns.patience)
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

/// What the way out checks its server with.
fn authority(config: &Config) -> Option<[u8; 32]> {
    match &config.courier {
        CourierConfig::Smtp { endpoint, .. } => config.authority(endpoint).copied(),
        CourierConfig::Folder(_) => None,
    }
}

/// Sends what is due.
struct Sender {
    store: Store,
    clock: Clock,
    configs: watch::Receiver<Arc<Config>>,
    send: Arc<Notify>,
}

impl Sender {
    /// One way out after another: each lasts until the configuration names another one.
    async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let config = self.configs.borrow_and_update().clone();
            let couriers = match Courier::all(&config.courier) {
                Ok(couriers) => couriers,
                Err(error) => {
                    telemetry::trouble("send", &error);
                    tokio::select! {
                        _ = stop.wait_for(|s| *s) => return,
                        _ = self.configs.changed() => {}
                        () = tokio::time::sleep(NAP) => {}
                    }
                    continue;
                }
            };
            let (halt, halted) = watch::channel(false);
            let from = &config.desk.address;
            let mut out = Outbound::new(self.store.clone(), couriers, self.clock.clone(), from);
            let another = |c: &Arc<Config>| {
                c.courier != config.courier
                    || authority(c) != authority(&config)
                    || c.desk.address != *from
            };
            let mut configs = self.configs.clone();
            let until_another = async {
                tokio::select! {
                    _ = stop.wait_for(|s| *s) => {}
                    _ = configs.wait_for(another) => {}
                }
                let _ = halt.send(true);
            };
            let sending = out.run(halted, &self.send, |lost| self.undelivered(lost));
            tokio::join!(until_another, sending);
        }
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
        let config = self.configs.borrow().clone();
        let written = Inbound::new(self.store.clone(), self.clock.clone(), self.send.clone())
            .undelivered(&config, &lost)
            .await?;
        if written > 0 {
            self.send.notify_one();
        }
        Ok(())
    }
}
