//! The way out as a whole (G73): rows of the database, couriers, and a mail server that does what it is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "support/smtpfake.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared by several tests")]
mod smtpfake;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use postdesk::clock::Clock;
use postdesk::config::{CourierConfig, Endpoint, Tls};
use postdesk::courier::Courier;
use postdesk::desk::address::Address;
use postdesk::desk::decide::{Concern, Decision, Verdict};
use postdesk::desk::notice::{Alert, Notice, Purpose, Tells, Template, Thread};
use postdesk::desk::people::Locale;
use postdesk::outbound::{Outbound, Undelivered};
use postdesk::smtp::patience::Patience;
use postdesk::store::column::Pressed;
use postdesk::store::pool::Store;
use postdesk::store::work::{Outgoing, Written};
use smtpfake::{Act, Fake, Plan};
use sqlx::{AnyConnection, Connection, Row};
use tokio::sync::{Notify, watch};

/// Monday 2026-11-23, 10:00 UTC.
fn monday() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_428_000, 0).unwrap()
}

/// A desk's way out, all but the running.
struct Way {
    store: Store,
    url: String,
    clock: Clock,
    wake: Arc<Notify>,
    never: Arc<Mutex<Vec<Undelivered>>>,
    _folder: tempfile::TempDir,
}

impl Way {
    async fn new() -> Self {
        Self::by(Clock::manual(monday())).await
    }

    async fn by(clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/desk.db", folder.path().display());
        Self {
            store: Store::open(&url).await.unwrap(),
            url,
            clock,
            wake: Arc::new(Notify::new()),
            never: Arc::default(),
            _folder: folder,
        }
    }

    fn later(&self, time: TimeDelta) {
        self.clock.set(self.clock.now() + time);
    }

    fn outbound(&self, port: u16, couriers: usize) -> Outbound {
        let config = CourierConfig::Smtp {
            endpoint: Endpoint {
                host: "127.0.0.1".to_owned(),
                port,
                tls: Tls::None,
                ca_file: None,
            },
            login: None,
            connections: 1,
        };
        let patience = Patience {
            opening: Duration::from_millis(500),
            envelope: Duration::from_millis(500),
            data: Duration::from_millis(500),
            dot: Duration::from_millis(500),
            ..Patience::default()
        };
        let courier = || Courier::with_patience(&config, patience.clone()).unwrap();
        let couriers = (0..couriers).map(|_| courier()).collect();
        let from = Address::new("support@desk.example").unwrap();
        Outbound::new(self.store.clone(), couriers, self.clock.clone(), &from)
    }

    /// Writes letters to Мария, due at once; to her alone this is about a failure if `alert`.
    async fn write(&self, count: usize, alert: bool) {
        let mut tells = Tells::default();
        if alert {
            let to = Address::new("oleg@raduga.example").unwrap();
            tells.alert = Some(Alert::Undelivered(to, "gone".to_owned()));
        }
        let notice = Notice {
            template: if alert {
                Template::SpecialistAlert
            } else {
                Template::Registered
            },
            to: Address::new("maria@raduga.example").unwrap(),
            name: String::new(),
            locale: Locale::Ru,
            purpose: Purpose::Nothing,
            thread: Thread::default(),
            tells,
        };
        let decision = Decision {
            verdict: Verdict::Ignored,
            sender: None,
            concern: Concern::Nothing,
            events: vec![],
            notices: vec![notice; count],
            findings: Default::default(),
            onward: None,
            reasons: vec!["because".to_owned()],
        };
        let mut work = self.store.begin().await.unwrap();
        let names = work.name(&decision);
        let letters: Vec<Outgoing> = names
            .outbox
            .iter()
            .map(|id| Outgoing {
                id: *id,
                recipient: "maria@raduga.example".to_owned(),
                recipient_key: "maria@raduga.example".to_owned(),
                template: "registered".to_owned(),
                refusal: false,
                internal: false,
                subject: "Re: 1".to_owned(),
                message_id: format!("out-{id}@desk.example"),
                bytes: Pressed::new(
                    format!("Message-ID: <out-{id}@desk.example>\r\n\r\n.ok\r\n").as_bytes(),
                )
                .unwrap(),
            })
            .collect();
        let written = Written {
            explanation: None,
            letters,
        };
        work.apply(None, &decision, &names, written, self.clock.now())
            .unwrap();
        work.commit().await.unwrap();
        self.wake.notify_one();
    }

    /// State, attempts and unknowns of each row, in order.
    async fn rows(&self) -> Vec<(String, i64, i64)> {
        sqlx::any::install_default_drivers();
        let mut db = AnyConnection::connect(&self.url).await.unwrap();
        let rows = sqlx::query("SELECT state, attempts, unknowns FROM outbox ORDER BY id")
            .fetch_all(&mut db)
            .await
            .unwrap();
        rows.iter()
            .map(|row| (row.get(0), row.get(1), row.get(2)))
            .collect()
    }

    async fn row(&self) -> (String, i64, i64) {
        self.rows().await.remove(0)
    }

    fn on_never(&self) -> impl Fn(Undelivered) -> std::future::Ready<Result<()>> + use<> {
        let never = Arc::clone(&self.never);
        move |undelivered| {
            never.lock().unwrap().push(undelivered);
            std::future::ready(Ok(()))
        }
    }

    /// Runs until `so`, then stops, and gives the time it took until then.
    async fn run_until(&self, mut outbound: Outbound, so: impl Future) -> Duration {
        let (stop, stopped) = watch::channel(false);
        let wake = Arc::clone(&self.wake);
        let on_never = self.on_never();
        let begin = Instant::now();
        let task = tokio::spawn(async move { outbound.run(stopped, &wake, on_never).await });
        tokio::time::timeout(Duration::from_secs(60), so)
            .await
            .expect("in time");
        let took = begin.elapsed();
        stop.send(true).unwrap();
        task.await.unwrap();
        took
    }

    /// One round: everything that is due is tried once, and settled.
    async fn round(&self, outbound: Outbound) {
        let all_home = async {
            loop {
                let waiting = self.store.backlog().await.unwrap().0;
                let due = self.store.next_due().await.unwrap();
                let sending = self.rows().await.iter().any(|row| row.0 == "sending");
                if !sending && (waiting == 0 || due.is_none_or(|due| due > self.clock.now())) {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        self.run_until(outbound, all_home).await;
    }
}

fn row(state: &str, attempts: i64, unknowns: i64) -> (String, i64, i64) {
    (state.to_owned(), attempts, unknowns)
}

#[tokio::test]
async fn what_is_due_goes_out_once_and_in_order() {
    let fake = Fake::clear(vec![Plan::well().offering("PIPELINING")]).await;
    let way = Way::new().await;
    way.write(20, false).await;
    way.round(way.outbound(fake.port, 1)).await;
    assert_eq!(way.rows().await, vec![row("sent", 1, 0); 20]);
    let letters = fake.seen().letters;
    let ids: Vec<String> = letters
        .iter()
        .map(|letter| String::from_utf8(letter.bytes.clone()).unwrap())
        .collect();
    let mut sorted = ids.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((ids.len(), sorted.len()), (20, 20));
    assert_eq!(fake.seen().connections, 1);
    assert!(letters[0].mail.starts_with("FROM:<support@desk.example>"));
}

#[tokio::test]
async fn c1_a_deferred_letter_waits_longer_each_time_and_is_given_up_after_five_days() {
    let refusing = Plan::well().at("rcpt", Act::Say("452 4.2.2 full\r\n"));
    let fake = Fake::clear(vec![refusing]).await;
    let way = Way::new().await;
    way.write(1, false).await;
    let mut waits = vec![];
    loop {
        way.round(way.outbound(fake.port, 1)).await;
        let Some(due) = way.store.next_due().await.unwrap() else {
            break;
        };
        waits.push((due - way.clock.now()).num_minutes());
        way.clock.set(due);
    }
    assert_eq!(waits[..4], [1, 5, 15, 60], "{waits:?}");
    assert!(waits[4..].iter().all(|wait| (240..=250).contains(wait)));
    assert!(way.clock.now() - monday() >= TimeDelta::days(5));
    assert!(way.clock.now() - monday() < TimeDelta::hours(5 * 24 + 5));
    assert_eq!(way.row().await.0, "failed");
    let never = way.never.lock().unwrap().clone();
    assert_eq!(never.len(), 1);
    assert_eq!(never[0].why, "given up after 5 days: RCPT: 452 4.2.2 full");
}

#[tokio::test]
async fn c2_a_refused_letter_is_told_once_and_one_about_a_failure_is_not() {
    let refusing = Plan::well().at("rcpt", Act::Say("550 5.1.1 nobody\r\n"));
    let fake = Fake::clear(vec![refusing]).await;
    let way = Way::new().await;
    way.write(1, false).await;
    way.write(1, true).await;
    way.round(way.outbound(fake.port, 2)).await;
    assert_eq!(way.rows().await, vec![row("failed", 1, 0); 2]);
    let never = way.never.lock().unwrap().clone();
    assert_eq!(never.len(), 1, "{never:?}");
    assert_eq!(never[0].why, "RCPT: 550 5.1.1 nobody");
    assert_eq!(never[0].recipient, "maria@raduga.example");
}

#[tokio::test]
async fn c2_what_could_not_be_entered_is_tried_again_not_forgotten() {
    let refusing = Plan::well().at("rcpt", Act::Say("550 5.1.1 nobody\r\n"));
    let fake = Fake::clear(vec![refusing]).await;
    let way = Way::new().await;
    way.write(1, false).await;
    let mut outbound = way.outbound(fake.port, 1);
    let failing = |_| std::future::ready(Err(anyhow::anyhow!("The disk is full")));
    outbound.step(&failing).await.unwrap();
    while outbound.step(&failing).await.unwrap().settled == 0 {
        tokio::task::yield_now().await;
        // The errand goes on while a step waits for the database.
    }
    assert_eq!(way.row().await, row("deferred", 1, 0));
    way.later(TimeDelta::minutes(15));
    way.round(outbound).await;
    assert_eq!(way.row().await, row("failed", 2, 0));
    assert_eq!(way.never.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn c5_an_unknown_fate_is_tried_again_after_a_quarter_of_an_hour_with_the_same_bytes() {
    let lost = Plan::well().at("dot", Act::Close);
    let fake = Fake::clear(vec![lost, Plan::well()]).await;
    let way = Way::new().await;
    way.write(1, false).await;
    way.round(way.outbound(fake.port, 1)).await;
    assert_eq!(way.row().await, row("deferred", 1, 1));
    let due = way.store.next_due().await.unwrap().unwrap();
    assert_eq!((due - way.clock.now()).num_minutes(), 15);
    way.clock.set(due);
    way.round(way.outbound(fake.port, 1)).await;
    assert_eq!(way.row().await, row("sent", 2, 1));
    let letters = fake.seen().letters;
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0].bytes, letters[1].bytes);
}

#[tokio::test]
async fn c6_a_death_in_the_middle_leaves_one_letter_a_connection_in_doubt() {
    let slow = Plan::well().at("dot", Act::Hang);
    let fake = Fake::clear(vec![slow.clone(), slow, Plan::well()]).await;
    let way = Way::new().await;
    way.write(10, false).await;
    {
        let mut outbound = way.outbound(fake.port, 2);
        let (_stop, stopped) = watch::channel(false);
        let dying = outbound.run(stopped, &way.wake, way.on_never());
        tokio::select! {
            () = dying => panic!("nobody told it to stop"),
            _ = fake.until(|seen| seen.letters.len() == 2) => (),
        }
    }
    let doubtful = way
        .rows()
        .await
        .iter()
        .filter(|row| row.0 == "sending")
        .count();
    assert_eq!(doubtful, 2);
    assert_eq!(way.store.reclaim(way.clock.now()).await.unwrap(), 2);
    way.round(way.outbound(fake.port, 2)).await;
    let rows = way.rows().await;
    assert!(rows.iter().all(|row| row.0 == "sent"), "{rows:?}");
    assert_eq!(fake.seen().letters.len(), 12);
}

#[tokio::test]
async fn p10_a_server_that_is_away_for_a_moment_costs_seconds_and_no_attempts() {
    let down = Plan::well().at("connect", Act::SayAndClose("554 5.3.2 not yet\r\n"));
    let fake = Fake::clear(vec![down.clone(), down, Plan::well()]).await;
    let way = Way::by(Clock::System).await;
    way.write(6, false).await;
    let sent = fake.until(|seen| seen.letters.len() == 6);
    let took = way.run_until(way.outbound(fake.port, 2), sent).await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(took >= Duration::from_millis(900), "{took:?}");
    assert!(way.rows().await.iter().all(|row| row.0 == "sent"));
    assert!(way.never.lock().unwrap().is_empty());
}

#[tokio::test]
async fn p10_an_outage_of_weeks_gives_no_letter_up() {
    let way = Way::new().await;
    way.write(1, false).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let mut outbound = way.outbound(port, 1);
    let on_never = way.on_never();
    outbound.step(&on_never).await.unwrap();
    while outbound.step(&on_never).await.unwrap().settled == 0 {
        tokio::task::yield_now().await;
    }
    way.later(TimeDelta::days(20));
    let refusing = Plan::well().at("rcpt", Act::Say("451 4.7.1 later\r\n"));
    let fake = Fake::clear(vec![refusing, Plan::well()]).await;
    way.round(way.outbound(fake.port, 1)).await;
    assert_eq!(way.row().await, row("deferred", 2, 0));
    way.later(TimeDelta::minutes(6));
    way.round(way.outbound(fake.port, 1)).await;
    assert_eq!(way.row().await, row("sent", 3, 0));
    assert!(way.never.lock().unwrap().is_empty());
}

#[tokio::test]
async fn to_stop_is_to_finish_what_is_begun_and_begin_nothing() {
    let slow = Plan::well().at("dot", Act::Delay(Duration::from_millis(100)));
    let fake = Fake::clear(vec![slow]).await;
    let way = Way::new().await;
    way.write(5, false).await;
    let first = fake.until(|seen| seen.letters.len() == 1);
    way.run_until(way.outbound(fake.port, 1), first).await;
    let states: Vec<String> = way.rows().await.into_iter().map(|row| row.0).collect();
    assert_eq!(states.iter().filter(|state| *state == "sent").count(), 1);
    assert_eq!(states.iter().filter(|state| *state == "pending").count(), 4);
    assert!(fake.verbs(1).contains(&"QUIT".to_owned()));
}

#[tokio::test]
async fn a_new_row_is_sent_as_soon_as_somebody_calls() {
    let fake = Fake::clear(vec![Plan::well().offering("PIPELINING")]).await;
    let way = Way::by(Clock::System).await;
    let mut times = vec![];
    let calling = async {
        for n in 1..=50 {
            // The way out has nothing to do and waits for a minute now.
            way.write(1, false).await;
            let begin = Instant::now();
            fake.until(|seen| seen.letters.len() == n).await;
            times.push(begin.elapsed());
        }
    };
    way.run_until(way.outbound(fake.port, 2), calling).await;
    times.sort();
    println!("wake to dot: median {:?}, last {:?}", times[25], times[49]);
    // Far from a minute, and from the 44 ms of Nagle's algorithm.
    assert!(times[25] < Duration::from_millis(30), "{times:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_connections_carry_hundreds_of_letters_a_second() {
    let fake = Fake::clear(vec![Plan::well().offering("PIPELINING")]).await;
    let way = Way::by(Clock::System).await;
    let count = 1000;
    way.write(count, false).await;
    let sent = fake.until(|seen| seen.letters.len() == count);
    let took = way.run_until(way.outbound(fake.port, 2), sent).await;
    println!("{count} letters in {took:?}");
    assert_eq!(way.rows().await, vec![row("sent", 1, 0); count]);
    assert_eq!(fake.seen().letters.len(), count);
    assert!(took < Duration::from_secs(10), "{took:?}");
}
