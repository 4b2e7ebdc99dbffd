//! A whole desk in a folder of its own, run as the real program, killed and started again at will, and its books read afterwards.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use postdesk::store::history::ChainState;
use postdesk::store::pool::Store;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Row};
use tempfile::TempDir;

use super::guarded::{End, Guarded};
use super::wait;

/// How long anything of a desk may take, on a machine that has much else to do.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A desk that never closes.
pub const ALWAYS: &str = "monday = [\"00:00-24:00\"]\ntuesday = [\"00:00-24:00\"]\nwednesday = [\"00:00-24:00\"]\nthursday = [\"00:00-24:00\"]\n\
     friday = [\"00:00-24:00\"]\nsaturday = [\"00:00-24:00\"]\nsunday = [\"00:00-24:00\"]\n";

const RADUGA: &str = r#"
name = "Raduga"
domains = ["raduga.example"]
[[installation]]
id = "raduga-moodle"
name = "Moodle"
[[installation.representative]]
role = "primary"
name = "Maria Ivanova"
email = "maria@raduga.example"
phone = "+7 900 000-00-01"
since = 2020-01-01
[[installation.representative]]
role = "additional"
name = "Oleg Smirnov"
email = "oleg@raduga.example"
phone = "+7 900 000-00-02"
since = 2020-01-01
"#;

const SOLNCE: &str = r#"
name = "Solnce"
domains = ["solnce.example"]
[[installation]]
id = "solnce-portal"
name = "Portal"
tags = ["[portal]"]
[[installation.representative]]
role = "primary"
name = "Viktor Belov"
email = "viktor@solnce.example"
phone = "+7 900 000-00-05"
since = 2020-01-01
[[installation]]
id = "solnce-shop"
name = "Shop"
tags = ["[shop]"]
[[installation.representative]]
role = "primary"
name = "Viktor Belov"
email = "viktor@solnce.example"
phone = "+7 900 000-00-05"
since = 2020-01-01
"#;

/// What a desk remembers, without the names that differ from run to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// Message-ID, verdict, number of the request, places it was seen in.
    pub letters: Vec<String>,
    /// Number, kind, status, requester, subject.
    pub requests: Vec<String>,
    /// The whole history: kind, number of the request, Message-ID of the letter.
    pub history: Vec<String>,
    /// Recipient, wording, subject.
    pub outbox: Vec<String>,
}

/// A letter of the desk's as its books have it.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// To whom.
    pub recipient: String,
    /// With the angle brackets.
    pub message_id: String,
    /// How it stands.
    pub state: String,
    /// Attempts that were counted.
    pub attempts: i64,
}

/// Who is shot: whichever daemon of the desk runs at that moment.
#[derive(Debug, Clone, Default)]
pub struct Target(Arc<Mutex<Option<u32>>>);

impl Target {
    /// Kills -9 and waits until it is dead; nothing if nobody runs.
    pub fn shoot(&self) {
        let pid = self.0.lock().unwrap().take();
        if let Some(pid) = pid {
            signal("KILL", pid);
            wait::until("the death of the daemon", PATIENCE, || {
                (!alive(pid)).then_some(())
            });
        }
    }

    fn aim(&self, pid: u32) {
        *self.0.lock().unwrap() = Some(pid);
    }
}

/// The desk.
pub struct TrialDesk {
    /// Its daemon.
    pub target: Target,
    // Ends before the folder goes.
    running: Option<Guarded>,
    folder: TempDir,
    books: tokio::runtime::Runtime,
    logged: usize,
}

impl TrialDesk {
    /// A desk with these hours, this `[[mailbox]]` source and this `[smtp]`.
    pub fn new(hours: &str, source: &str, smtp: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("desk-trial-")
            .tempdir()
            .unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["customers", "inbox/tmp", "inbox/new", "inbox/cur"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        fs::write(at("postdesk.toml"), configuration(hours, source, smtp)).unwrap();
        fs::write(at("customers/raduga.toml"), RADUGA).unwrap();
        fs::write(at("customers/solnce.toml"), SOLNCE).unwrap();
        let secret = "1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
        for (name, text) in [("secret", secret), ("password", super::dovecot::PASSWORD)] {
            fs::write(at(name), text).unwrap();
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        let books = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self {
            target: Target::default(),
            running: None,
            folder,
            books,
            logged: 0,
        }
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Its configuration.
    pub fn configuration(&self) -> PathBuf {
        self.path().join("postdesk.toml")
    }

    /// Its database.
    pub fn url(&self) -> String {
        format!("sqlite://{}/desk.db", self.path().display())
    }

    /// Puts a letter into its Maildir as an MTA does; letters lie there in the order of `second`.
    pub fn put(&self, name: &str, letter: &[u8], second: u64) {
        let begun = self.path().join("inbox/tmp").join(name);
        fs::write(&begun, letter).unwrap();
        let file = fs::File::options().write(true).open(&begun).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second))
            .unwrap();
        fs::rename(begun, self.path().join("inbox/new").join(name)).unwrap();
    }

    /// Starts the daemon; `strace` are arguments of strace, under which it runs then. One worker thread: a call of the n-th number is the same
    /// in every run, as far as there is one thread for its kind.
    pub fn start(&mut self, strace: &[&str]) {
        self.bury();
        self.logged = self.whole_log().len();
        let mut command = vec!["env", "TOKIO_WORKER_THREADS=1"];
        if !strace.is_empty() {
            // -D: the daemon, not strace, is the child of whoever started it.
            command.extend(["strace", "-D", "-f", "-qq"]);
            command.extend(strace);
        }
        let file = self.configuration().display().to_string();
        command.extend([env!("CARGO_BIN_EXE_postdesk"), "run", "--config", &file]);
        let command: Vec<String> = command.into_iter().map(str::to_owned).collect();
        let running = Guarded::start(&command, self.path(), None, End::Kill);
        self.target.aim(running.pid());
        self.running = Some(running);
    }

    /// Whether the daemon runs.
    pub fn runs(&self) -> bool {
        self.running.as_ref().is_some_and(Guarded::runs)
    }

    /// Ends what there may still be of it, -9.
    pub fn bury(&mut self) {
        if let Some(running) = self.running.take() {
            running.end_and_keep_folder();
        }
    }

    /// Tells the daemon to finish (SIGTERM) and waits until it has; whether it said that it did.
    pub fn stop(&mut self) -> bool {
        let Some(running) = &self.running else {
            return false;
        };
        signal("TERM", running.pid());
        wait::until("the daemon's end", PATIENCE, || {
            (!self.runs()).then_some(())
        });
        self.bury();
        self.log().contains("Stopped")
    }

    /// Tells the daemon to reload (SIGHUP).
    pub fn hang_up(&self) {
        signal("HUP", self.running.as_ref().expect("it runs").pid());
    }

    /// Writes one of its files as an editor does: another file takes its name.
    pub fn save(&self, name: &str, text: &str) {
        let new = self.path().join(format!("{name}.swp"));
        fs::write(&new, text).unwrap();
        fs::rename(new, self.path().join(name)).unwrap();
    }

    /// One of its files.
    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// What the daemon said since it was last started.
    pub fn log(&self) -> String {
        self.whole_log().split_off(self.logged)
    }

    fn whole_log(&self) -> String {
        fs::read_to_string(self.path().join("guard.log")).unwrap_or_default()
    }

    /// Whether so many letters are decided and so many of ours are out, with nothing left to do. May be asked while the daemon runs.
    pub fn quiet(&self, letters: i64, outbox: i64) -> bool {
        let sql = "SELECT (SELECT COUNT(*) FROM letters WHERE decided_us IS NOT NULL), (SELECT COUNT(*) FROM letters), \
                   (SELECT COUNT(*) FROM outbox WHERE state = 'sent'), (SELECT COUNT(*) FROM outbox)";
        let Ok(rows) = self.ask(sql) else {
            return false;
        };
        let count = |column: usize| rows[0].get::<i64, _>(column);
        count(0) == letters
            && count(1) == letters
            && count(2) == outbox
            && count(3) == outbox
            && self.files("inbox/new").is_empty()
    }

    /// The names in a folder of the desk, sorted.
    pub fn files(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path().join(folder)) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn ask(&self, sql: &'static str) -> sqlx::Result<Vec<sqlx::sqlite::SqliteRow>> {
        self.books.block_on(async {
            let mut connection: SqliteConnection = SqliteConnectOptions::new()
                .filename(self.path().join("desk.db"))
                .read_only(true)
                .busy_timeout(Duration::from_secs(5))
                .connect()
                .await?;
            sqlx::query(sql).fetch_all(&mut connection).await
        })
    }

    fn lines(&self, sql: &'static str) -> Vec<String> {
        let rows = self.ask(sql).unwrap();
        rows.iter().map(|row| row.get::<String, _>(0)).collect()
    }

    /// The books.
    pub fn books(&self) -> Books {
        Books {
            letters: self.lines(
                "SELECT COALESCE(l.message_id, '?') || ' ' || COALESCE(l.verdict, 'undecided') || ' ' || COALESCE(r.number_count, '-') || ' ' || \
                 (SELECT COUNT(*) FROM locations p WHERE p.letter_id = l.id) FROM letters l LEFT JOIN requests r ON r.id = l.request_id ORDER BY l.id",
            ),
            requests: self.lines(
                "SELECT COALESCE(number_count, '-') || ' ' || kind || ' ' || status || ' ' || requester || ' ' || subject FROM requests ORDER BY id",
            ),
            history: self.lines(
                "SELECT e.kind || ' ' || COALESCE(r.number_count, '-') || ' ' || COALESCE(l.message_id, '-') FROM events e \
                 LEFT JOIN requests r ON r.id = e.request_id LEFT JOIN letters l ON l.id = e.letter_id ORDER BY e.seq",
            ),
            outbox: self.lines(
                "SELECT recipient || ' ' || template || ' ' || subject FROM outbox ORDER BY id",
            ),
        }
    }

    /// The letters of the desk's.
    pub fn outbox(&self) -> Vec<Outgoing> {
        let sql =
            "SELECT recipient, '<' || message_id || '>', state, attempts FROM outbox ORDER BY id";
        let rows = self.ask(sql).unwrap();
        rows.iter()
            .map(|row| Outgoing {
                recipient: row.get(0),
                message_id: row.get(1),
                state: row.get(2),
                attempts: row.get(3),
            })
            .collect()
    }

    /// What the walk along the chain finds, bytes of all letters included.
    pub fn chain(&self) -> ChainState {
        self.books.block_on(async {
            let store = Store::open(&self.url()).await.unwrap();
            let state = store.verify_chain().await.unwrap();
            store.close().await;
            state
        })
    }
}

fn configuration(hours: &str, source: &str, smtp: &str) -> String {
    format!(
        "[desk]\nname = \"Desk\"\naddress = \"support@desk.example\"\nlocale = \"en\"\ntimezone = \"Europe/Moscow\"\nsecret_file = \"secret\"\n\
         [store]\nurl = \"sqlite://desk.db\"\n[hours]\n{hours}[[mailbox]]\nname = \"support\"\n{source}\nstrangers = \"refuse\"\n\
         authserv_ids = [\"mx.desk.example\"]\n[smtp]\n{smtp}\n[[specialist]]\nname = \"Anna Petrova\"\nemail = \"petrova@desk.example\"\n"
    )
}

/// A letter that our server vouches for.
pub fn letter(id: u32, from: &str, subject: &str, further: &str) -> Vec<u8> {
    let domain = from.rsplit('@').next().unwrap();
    format!(
        "Authentication-Results: mx.desk.example;\r\n dmarc=pass header.from={domain}\r\nReceived: from mx by mx.desk.example; x\r\n\
         From: <{from}>\r\nTo: support@desk.example\r\nMessage-ID: <{id}@mail.example>\r\nDate: Mon, 5 Jan 2026 10:00:00 +0300\r\n\
         Subject: {subject}\r\n{further}\r\nLetter {id}.\r\n"
    )
    .into_bytes()
}

/// Sends a signal to one process.
pub fn signal(name: &str, pid: u32) {
    // The shell's own: a kill of its own is not on every machine.
    let sent = Command::new("bash")
        .args(["-c", "kill -s \"$0\" \"$1\" 2>/dev/null", name])
        .arg(pid.to_string())
        .status();
    sent.expect("bash starts");
}

fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z') && !rest.starts_with('X'))
}
