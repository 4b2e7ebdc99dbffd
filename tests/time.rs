//! Time and letters in the right order: what waits unread goes before what time does (R2), numbers go by arrival (R17), and nothing depends on when the daemon ran.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use postdesk::backlog::Backlog;
use postdesk::clock::Clock;
use postdesk::config::{self, Config};
use postdesk::desk::course::Ending;
use postdesk::desk::decide::{Concern, Decision, Onward, Verdict};
use postdesk::desk::event::Event;
use postdesk::desk::request::{Number, Request, RequestId, Status};
use postdesk::desk::{replay, ticking};
use postdesk::inbound::Inbound;
use postdesk::store::history::ChainState;
use postdesk::store::letters::{Fetched, Location};
use postdesk::store::pool::Store;
use postdesk::store::work::Written;
use proptest::prelude::*;

fn write_config(dir: &Path, own: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(dir.join("customers")).unwrap();
    let main = format!(
        "[desk]\nname = \"Desk\"\naddress = \"support@desk.example\"\nlocale = \"en\"\ntimezone = \"Europe/Moscow\"\nsecret_file = \"secret\"\n\
         [store]\nurl = \"sqlite://desk.db\"\n[hours]\nmonday = [\"09:00-12:30\", \"13:30-17:00\"]\ntuesday = [\"09:00-12:30\", \"13:30-17:00\"]\n\
         wednesday = [\"09:00-12:30\", \"13:30-17:00\"]\nthursday = [\"09:00-12:30\", \"13:30-17:00\"]\nfriday = [\"09:00-12:30\", \"13:30-16:00\"]\n\
         [calendar]\nproduction_calendar = \"ru\"\n[[mailbox]]\nname = \"support\"\nmaildir = \"inbox\"\nauthentication = \"off\"\n\
         [smtp]\nfolder = \"outbox\"\n[[specialist]]\nname = \"Anna Petrova\"\nemail = \"petrova@desk.example\"\n{own}"
    );
    std::fs::write(dir.join("postdesk.toml"), main).unwrap();
    let customer = "name = \"Raduga\"\ndomains = [\"raduga.example\"]\n[[installation]]\nid = \"moodle\"\nname = \"Moodle\"\n\
         [[installation.representative]]\nrole = \"primary\"\nname = \"Maria Ivanova\"\nemail = \"maria@raduga.example\"\nsince = 2026-01-01\n";
    std::fs::write(dir.join("customers/raduga.toml"), customer).unwrap();
    let secret = "1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    std::fs::write(dir.join("secret"), secret).unwrap();
    std::fs::set_permissions(dir.join("secret"), std::fs::Permissions::from_mode(0o600)).unwrap();
    dir.join("postdesk.toml")
}

fn load(dir: &Path, own: &str) -> Arc<Config> {
    let path = write_config(dir, own);
    let loaded = config::load::load(&path, [], at("2026-08-01 00:00"));
    Arc::new(loaded.unwrap_or_else(|f| panic!("{f}")).config)
}

/// A moment of Moscow.
fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_str(&format!("{text}:00 +0300"), "%Y-%m-%d %H:%M:%S %z")
        .expect(text)
        .to_utc()
}

struct Desk {
    _dir: tempfile::TempDir,
    config: Arc<Config>,
    clock: Clock,
    store: Store,
    inbound: Inbound,
    letters: i64,
}

impl Desk {
    async fn open(start: &str, backlog: Backlog) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = load(dir.path(), "");
        let store = Store::open(&config.store_url).await.unwrap();
        let clock = Clock::manual(at(start));
        let inbound = Inbound::new(store.clone(), clock.clone(), Arc::default()).behind(backlog);
        Self {
            _dir: dir,
            config,
            clock,
            store,
            inbound,
            letters: 0,
        }
    }

    /// A letter is kept; nobody decides on it yet.
    async fn keep(&mut self, arrived: DateTime<Utc>, subject: &str, text: &str) {
        self.letters += 1;
        let raw = format!(
            "From: Maria Ivanova <maria@raduga.example>\r\nTo: support@desk.example\r\nMessage-ID: <{}@mail.example>\r\n\
             Date: Mon, 17 Aug 2026 10:00:00 +0300\r\nSubject: {subject}\r\n\r\n{text}\r\n",
            self.letters
        );
        let fetched = Fetched {
            location: Location {
                uidvalidity: 1,
                uid: self.letters,
            },
            arrived,
            raw: raw.into_bytes(),
            oversize: None,
        };
        let now = self.clock.now();
        self.store
            .keep("support", &[fetched], None, now)
            .await
            .unwrap();
    }

    /// The daemon works until it has nothing to do.
    async fn work(&mut self) {
        loop {
            let ticked = self.inbound.tick(&self.config).await.unwrap();
            let stepped = self.inbound.step(&self.config).await.unwrap();
            if ticked.decided == 0 && stepped.is_idle() {
                break;
            }
        }
    }

    async fn request(&self, count: u32) -> Request {
        let found = self.store.request(Number::new(2026, count)).await.unwrap();
        found.unwrap_or_else(|| panic!("There is no request {count}"))
    }

    /// A specialist moves a request.
    async fn moved(&mut self, count: u32, to: Status) {
        let now = self.clock.now();
        let request = self.request(count).await;
        let events = vec![Event::StatusChanged {
            to,
            by: None,
            why: "done".to_owned(),
            at: now,
            ending: (to == Status::Closed).then_some(Ending::Solved),
        }];
        let stands = replay::after(&request, &events);
        let decision = Decision {
            verdict: Verdict::Attached,
            sender: None,
            concern: Concern::Existing(request.id),
            events,
            notices: vec![],
            reasons: vec![],
            findings: Default::default(),
            onward: Some(Onward {
                succession: None,
                wakes: ticking::wakes(&self.config.desk, &stands, now),
                course: stands.course,
                continues: None,
            }),
        };
        let mut work = self.store.begin().await.unwrap();
        let names = work.name(&decision);
        work.apply(None, &decision, &names, Written::default(), now)
            .unwrap();
        work.commit().await.unwrap();
    }

    async fn asked_on_monday(backlog: Backlog) -> Self {
        let mut desk = Self::open("2026-08-17 11:00", backlog).await;
        desk.keep(at("2026-08-17 11:00"), "Report", "No report.")
            .await;
        desk.inbound.step(&desk.config.clone()).await.unwrap();
        desk.clock.set(at("2026-08-17 12:00"));
        desk.moved(1, Status::AwaitingInformation).await;
        desk.clock.set(at("2026-08-24 09:00"));
        desk
    }
}

fn backlog(began: &str) -> Backlog {
    let backlog = Backlog::default();
    backlog.watch(["support"], at(began));
    backlog
}

/// R2: the answer lies in the mailbox since before the closing, and the mailbox has not been read yet.
#[tokio::test]
async fn nothing_is_closed_while_a_mailbox_is_unread() {
    let backlog = backlog("2026-08-31 17:05");
    let mut desk = Desk::asked_on_monday(backlog.clone()).await;
    backlog.note("support", at("2026-08-24 09:00"));
    desk.work().await;
    assert!(desk.request(1).await.course.reminded.is_some());
    // Ten days have passed, and the mailbox was last read before that.
    desk.clock.set(at("2026-08-31 17:05"));
    desk.work().await;
    assert_eq!(desk.request(1).await.status, Status::AwaitingInformation);
    desk.keep(
        at("2026-08-31 16:50"),
        "Re: Report [No. 2026-000001] [№ 2026-000001]",
        "For August.",
    )
    .await;
    backlog.note("support", at("2026-08-31 17:06"));
    desk.clock.set(at("2026-08-31 17:07"));
    desk.work().await;
    let request = desk.request(1).await;
    assert_eq!(request.status, Status::InProgress);
    assert_eq!(request.course.since, Some(at("2026-08-31 16:50")));
}

/// A mailbox that can't be read for an hour does not stop the desk for ever.
#[tokio::test]
async fn a_mailbox_that_stays_down_is_not_waited_for() {
    let backlog = backlog("2026-08-31 16:30");
    let mut desk = Desk::asked_on_monday(backlog.clone()).await;
    backlog.note("support", at("2026-08-24 09:00"));
    desk.work().await;
    for (now, status) in [
        ("2026-08-31 17:00", Status::AwaitingInformation),
        ("2026-08-31 17:59", Status::AwaitingInformation),
        ("2026-08-31 18:00", Status::Closed),
    ] {
        desk.clock.set(at(now));
        desk.work().await;
        assert_eq!(desk.request(1).await.status, status, "{now}");
    }
    // What comes to light after all would have kept it open, and does (R2).
    desk.keep(
        at("2026-08-31 16:50"),
        "Re: Report [№ 2026-000001]",
        "For August.",
    )
    .await;
    desk.work().await;
    let request = desk.request(1).await;
    assert_eq!(request.status, Status::InProgress);
    assert_eq!(request.due, Some(at("2026-09-08 13:50")));
}

/// What is kept and undecided goes before what time does later, without any mailbox.
#[tokio::test]
async fn a_letter_that_is_kept_goes_before_a_later_closing() {
    let mut desk = Desk::asked_on_monday(Backlog::default()).await;
    desk.work().await;
    desk.clock.set(at("2026-09-02 10:00"));
    desk.keep(
        at("2026-08-31 16:59"),
        "Re: Report [№ 2026-000001]",
        "For August.",
    )
    .await;
    desk.work().await;
    assert_eq!(desk.request(1).await.status, Status::InProgress);
}

/// R16: an opening waits for its mailbox some minutes only.
#[tokio::test]
async fn an_opening_waits_a_little_for_an_unread_mailbox() {
    let backlog = backlog("2026-08-17 08:00");
    let mut desk = Desk::open("2026-08-17 08:00", backlog.clone()).await;
    desk.keep(at("2026-08-17 08:00"), "Early", "Early.").await;
    desk.work().await;
    desk.clock.set(at("2026-08-17 09:00"));
    desk.work().await;
    let none = desk.store.request(Number::new(2026, 1)).await.unwrap();
    assert!(none.is_none());
    // A letter that came later must not get the number of the one that waits.
    desk.keep(at("2026-08-17 09:01"), "Later", "Later.").await;
    desk.clock.set(at("2026-08-17 09:02"));
    desk.work().await;
    assert!(
        desk.store
            .request(Number::new(2026, 1))
            .await
            .unwrap()
            .is_none()
    );
    backlog.note("support", at("2026-08-17 09:02"));
    desk.work().await;
    assert_eq!(desk.request(1).await.matter.subject, "Early");
    assert_eq!(desk.request(2).await.matter.subject, "Later");
    desk.clock.set(at("2026-08-17 20:00"));
    desk.keep(at("2026-08-17 20:00"), "Late", "Late.").await;
    desk.work().await;
    desk.clock.set(at("2026-08-18 09:05"));
    desk.work().await;
    assert_eq!(desk.request(3).await.matter.subject, "Late");
}

/// F69: the machine's clock is set back by two days between two letters.
#[tokio::test]
async fn f69_a_clock_that_is_set_back_reorders_nothing() {
    let mut desk = Desk::open("2026-08-19 10:00", Backlog::default()).await;
    desk.keep(at("2026-08-19 10:00"), "First", "First.").await;
    desk.work().await;
    desk.clock.set(at("2026-08-17 10:00"));
    desk.keep(at("2026-08-19 10:01"), "Second", "Second.").await;
    desk.work().await;
    // By the desk's clock that moment has not come yet: it waits as for an opening, and no number is given twice or backwards.
    assert!(
        desk.store
            .request(Number::new(2026, 2))
            .await
            .unwrap()
            .is_none()
    );
    desk.clock.set(at("2026-08-19 10:02"));
    desk.work().await;
    let (first, second) = (desk.request(1).await, desk.request(2).await);
    assert_eq!(first.matter.subject, "First");
    assert_eq!(second.matter.subject, "Second");
    assert!(first.matter.registration_day <= second.matter.registration_day);
    let chain = desk.store.verify_chain().await.unwrap();
    assert!(matches!(chain, ChainState::Whole { .. }), "{chain:?}");
}

/// Item 7: a configuration that changed finds the next moments anew, in portions.
#[tokio::test]
async fn a_new_configuration_finds_the_moments_anew() {
    let mut desk = Desk::open("2026-08-17 10:00", Backlog::default()).await;
    for n in 0..3 {
        desk.keep(at("2026-08-17 10:00"), &format!("Report {n}"), "No report.")
            .await;
    }
    desk.work().await;
    for n in 1..=3 {
        desk.moved(n, Status::Resolved).await;
    }
    assert_eq!(
        desk.store.next_moment().await.unwrap(),
        Some(at("2026-08-20 17:00"))
    );
    let dir = tempfile::tempdir().unwrap();
    let changed = load(dir.path(), "[deadlines]\nclose_resolved = 7\n");
    let mut after = RequestId(0);
    while let Some(last) = desk.inbound.rewake(&changed, after).await.unwrap() {
        assert!(last > after);
        after = last;
    }
    assert_eq!(after, RequestId(3));
    assert_eq!(
        desk.store.next_moment().await.unwrap(),
        Some(at("2026-08-26 17:00"))
    );
    let chain = desk.store.verify_chain().await.unwrap();
    assert!(matches!(chain, ChainState::Whole { .. }), "{chain:?}");
}

/// What became of letters that arrived at these moments, if the daemon ran at those.
async fn told(arrivals: &[DateTime<Utc>], runs: &[DateTime<Utc>]) -> Vec<(String, Request)> {
    let mut desk = Desk::open("2026-08-03 00:00", Backlog::default()).await;
    let mut kept = 0;
    for run in runs {
        desk.clock.set(*run);
        while let Some(arrived) = arrivals.get(kept).filter(|a| *a <= run) {
            desk.keep(*arrived, &format!("Letter {kept}"), &format!("Text {kept}"))
                .await;
            kept += 1;
        }
        desk.work().await;
    }
    let mut found = Vec::new();
    for count in 1..=u32::try_from(arrivals.len()).unwrap() {
        let request = desk.request(count).await;
        found.push((request.matter.subject.clone(), request));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// R2, R16, R17, R18: whenever the daemon ran, each letter has the number of its arrival, the same day and the same due moment; and due
    /// moments are monotone in arrival.
    #[test]
    fn nothing_depends_on_when_the_daemon_ran(
        minutes in prop::collection::btree_set(0_i64..14_400, 1..10),
        runs in prop::collection::btree_set(0_i64..14_400, 0..6),
    ) {
        let start = at("2026-08-14 00:00");
        let moment = |m: &i64| start + TimeDelta::minutes(*m);
        let arrivals: Vec<_> = minutes.iter().map(moment).collect();
        let end = at("2026-09-01 12:00");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (once, now_and_then, always) = runtime.block_on(async {
            let mut some: Vec<_> = runs.iter().map(moment).collect();
            some.push(end);
            let mut all: Vec<_> = arrivals.clone();
            all.extend((0..30).map(|d| at("2026-08-14 09:00") + TimeDelta::hours(12 * d)));
            all.push(end);
            all.sort_unstable();
            (told(&arrivals, &[end]).await, told(&arrivals, &some).await, told(&arrivals, &all).await)
        });
        let plain = |list: &[(String, Request)]| list.iter().map(|(subject, r)| {
            (subject.clone(), r.number, r.matter.arrived, r.matter.registration_day, r.due)
        }).collect::<Vec<_>>();
        prop_assert_eq!(plain(&once), plain(&always));
        prop_assert_eq!(plain(&now_and_then), plain(&always));
        for pair in always.windows(2) {
            prop_assert!(pair[0].1.matter.arrived <= pair[1].1.matter.arrived);
            prop_assert!(pair[0].1.due <= pair[1].1.due);
        }
    }
}
