//! Databases and small facts for the store's tests: each test runs on SQLite, and on PostgreSQL where `POSTDESK_TEST_PG` holds a URL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "tests"
)]

use chrono::{DateTime, Duration, NaiveDate, Utc};
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};

use super::column::Pressed;
use super::entry::{hex, random};
use super::letters::{Fetched, LetterId, Location};
use super::pool::Store;
use super::work::{LetterResult, Names, Outgoing, Work, Written};
use crate::desk::address::Address;
use crate::desk::assurance::Level;
use crate::desk::decide::{Concern, Decision, Verdict};
use crate::desk::event::Event;
use crate::desk::notice::{Notice, Purpose, Tells, Template, Thread};
use crate::desk::people::Locale;
use crate::desk::request::{Kind, Matter, Number, RequestId, Type};

/// A database of one test's own.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) store: Store,
    /// The folder of a SQLite file; gone with the value.
    pub(crate) folder: Option<tempfile::TempDir>,
}

impl Database {
    /// Another process's view of it.
    pub(crate) async fn open_again(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }

    /// Somebody with the rights to do so writes past the program, guards taken away.
    pub(crate) async fn tamper(&self, sql: &str) {
        let mut tx = self.store.begin_write().await.unwrap();
        let off = if self.folder.is_some() {
            "PRAGMA defer_foreign_keys = ON; DROP TRIGGER IF EXISTS events_stay; DROP TRIGGER IF EXISTS events_are_not_removed"
        } else {
            "DROP TRIGGER IF EXISTS events_stay ON events; \
             ALTER TABLE events DROP CONSTRAINT IF EXISTS events_request_id_fkey; \
             ALTER TABLE events DROP CONSTRAINT IF EXISTS events_letter_id_fkey"
        };
        sqlx::raw_sql(off).execute(&mut *tx).await.unwrap();
        let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&mut *tx)
            .await
            .unwrap()
            .rows_affected();
        assert!(done > 0, "nothing was altered by {sql}");
        tx.commit().await.unwrap();
    }

    /// One number out of the database.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        sqlx::query(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&self.store.reader)
            .await
            .unwrap()
            .try_get(0)
            .unwrap()
    }
}

/// Runs a test on a new database of each engine there is.
pub(crate) async fn on_each_engine(test: impl AsyncFn(&Database)) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/var/desk 1.db", folder.path().display());
    let database = Database {
        store: Store::open(&url).await.unwrap(),
        url,
        folder: Some(folder),
    };
    test(&database).await;
    database.store.close().await;

    let Ok(server) = std::env::var("POSTDESK_TEST_PG") else {
        return;
    };
    sqlx::any::install_default_drivers();
    let schema = format!("test_{}", hex(&random().unwrap()));
    let mut admin = AnyConnection::connect(&server).await.unwrap();
    let create = format!("CREATE SCHEMA {schema}");
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&mut admin)
        .await
        .unwrap();
    let mark = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{mark}options=-c%20search_path%3D{schema}");
    let database = Database {
        store: Store::open(&url).await.unwrap(),
        url,
        folder: None,
    };
    test(&database).await;
    database.store.close().await;
    let drop = format!("DROP SCHEMA {schema} CASCADE");
    sqlx::raw_sql(AssertSqlSafe(drop))
        .execute(&mut admin)
        .await
        .unwrap();
}

/// Monday 2026-11-23, 10:00 UTC, and so many minutes.
pub(crate) fn minute(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_428_000, 0).unwrap() + Duration::minutes(minutes)
}

/// A moment after every other.
pub(crate) fn far() -> DateTime<Utc> {
    minute(10_000_000)
}

pub(crate) fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

pub(crate) fn fetched(uid: i64, raw: &str, arrived: DateTime<Utc>) -> Fetched {
    Fetched {
        location: Location {
            uidvalidity: 7,
            uid,
        },
        arrived,
        raw: raw.as_bytes().to_vec(),
        oversize: None,
    }
}

/// Keeps one letter and gives what would be recorded of it.
pub(crate) async fn kept(store: &Store, uid: i64, raw: &str) -> LetterResult {
    let kept = store
        .keep(
            "support",
            &[fetched(uid, raw, minute(uid))],
            None,
            minute(uid),
        )
        .await
        .unwrap();
    result(kept[0].id, raw)
}

pub(crate) fn result(id: LetterId, raw: &str) -> LetterResult {
    LetterResult {
        id,
        sha256: Sha256::digest(raw.as_bytes()).into(),
        message_id: Some(format!("{raw}@raduga.example")),
        content_key: Some(Sha256::digest(format!("key of {raw}")).into()),
        signature_key: None,
        sender: Some("maria@raduga.example".to_owned()),
        assurance: Level::Domain,
    }
}

pub(crate) fn matter() -> Matter {
    Matter {
        customer: Some("raduga".to_owned()),
        installation: None,
        requester: address("Maria@raduga.example"),
        requester_name: "Иванова Мария Петровна".to_owned(),
        locale: Locale::Ru,
        kind: Kind::Question,
        type_: Type::Support,
        subject: "Заявка".to_owned(),
        message_id: Some("one@raduga.example".to_owned()),
        arrived: minute(1),
        opens: minute(2),
        registration_day: NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(),
        acknowledged: true,
        vouched: Level::Domain,
        quiet: false,
        channel: crate::desk::request::Channel::Mail,
    }
}

pub(crate) fn registered(number: Number) -> Event {
    Event::Registered {
        number,
        day: NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(),
        due: minute(7 * 24 * 60),
    }
}

pub(crate) fn decision(verdict: Verdict, concern: Concern, events: Vec<Event>) -> Decision {
    Decision {
        verdict,
        sender: None,
        concern,
        events,
        notices: vec![],
        findings: Default::default(),
        onward: None,
        reasons: vec!["because".to_owned()],
    }
}

pub(crate) fn notice(template: Template, purpose: Purpose) -> Notice {
    Notice {
        template,
        to: address("maria@raduga.example"),
        name: String::new(),
        locale: Locale::Ru,
        purpose,
        thread: Thread::default(),
        tells: Tells::default(),
    }
}

/// The letters of a decision as `compose` would write them.
pub(crate) fn outgoing(decision: &Decision, names: &Names) -> Vec<Outgoing> {
    decision
        .notices
        .iter()
        .zip(&names.outbox)
        .map(|(notice, id)| Outgoing {
            id: *id,
            recipient: notice.to.to_string(),
            recipient_key: notice.to.key(true),
            template: notice.template.word().to_owned(),
            refusal: notice.template.is_refusal(),
            internal: notice.template.is_internal(),
            subject: "Re: Заявка".to_owned(),
            message_id: format!("out-{id}@desk.example"),
            bytes: Pressed::new(
                format!("Message-ID: <out-{id}@desk.example>\r\n\r\nПринято\r\n").as_bytes(),
            )
            .unwrap(),
        })
        .collect()
}

/// What a decision on a letter would be written as.
pub(crate) fn written(
    letter: Option<&LetterResult>,
    decision: &Decision,
    names: &Names,
) -> Written {
    let explanation = letter.map(|letter| {
        let id = letter.message_id.as_deref().unwrap_or_default();
        let raw = id.strip_suffix("@raduga.example").unwrap_or(id);
        Pressed::new(format!(r#"{{"text":"{raw}"}}"#).as_bytes()).unwrap()
    });
    Written {
        explanation,
        letters: outgoing(decision, names),
    }
}

/// Names a decision, writes it with its letters, and gives the names.
pub(crate) async fn apply(
    work: &mut Work,
    letter: Option<&LetterResult>,
    decision: &Decision,
    now: DateTime<Utc>,
) -> Names {
    let names = work.name(decision);
    let written = written(letter, decision, &names);
    work.apply(letter, decision, &names, written, now).unwrap();
    names
}

/// A letter is kept and becomes the next request of 2026, with one letter to its sender.
pub(crate) async fn register(store: &Store, uid: i64, raw: &str) -> (RequestId, Number) {
    let letter = kept(store, uid, raw).await;
    let mut work = store.begin().await.unwrap();
    let number = crate::desk::decide::next_number(work.last_numbers(), 2026);
    let mut decision = decision(
        Verdict::Registered,
        Concern::Opened(matter()),
        vec![registered(number)],
    );
    decision.notices = vec![notice(Template::Registered, Purpose::Reply)];
    let names = apply(&mut work, Some(&letter), &decision, minute(uid)).await;
    work.commit().await.unwrap();
    (names.request.unwrap(), number)
}
