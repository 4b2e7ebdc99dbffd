//! A desk of a test: its configuration in a folder of its own, its daemon as a child process, its database to look into, its log to be proved clean.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use tempfile::TempDir;

use super::post::{DESK, MARK, SOON, until};
use super::support::dovecot::{Dovecot, Options};
use super::support::postgres::Database;

/// The desk's password at every server: a word that stands nowhere else.
pub const PASSWORD: &str = "Sesam-4Vb8-oeffne";
/// A password that no server takes.
pub const WRONG: &str = "Falsch-7Kd2-wort";

const MAIN: &str = r#"
[desk]
name = "Ситуационный центр"
address = "support@desk.test"
locale = "ru"
timezone = "Europe/Moscow"
secret_file = "secret"
[hours]
monday = ["00:00-24:00"]
tuesday = ["00:00-24:00"]
wednesday = ["00:00-24:00"]
thursday = ["00:00-24:00"]
friday = ["00:00-24:00"]
saturday = ["00:00-24:00"]
sunday = ["00:00-24:00"]
[calendar]
production_calendar = "none"
[[specialist]]
name = "Петрова Анна Сергеевна"
email = "petrova@desk.test"
[store]
url = "@STORE@"
"#;

/// The customer of most tests.
pub const RADUGA: &str = r#"
name = "МАУ ДО «Радуга»"
domains = ["raduga.example"]
[[installation]]
id = "raduga-moodle"
name = "СЭО 3KL"
[[installation.representative]]
role = "primary"
name = "Иванова Мария Петровна"
email = "maria@raduga.example"
phone = "+7 900 000-00-01"
since = 2026-01-01
[[installation.representative]]
role = "additional"
name = "Смирнов Олег Игоревич"
email = "oleg@raduga.example"
phone = "+7 900 000-00-02"
since = 2026-01-01
"#;

/// A Dovecot that knows the desk's password as well.
pub fn dovecot() -> Dovecot {
    Dovecot::start_with(&Options {
        further: format!("passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}\n"),
        ..Options::default()
    })
}

/// A `[[mailbox]]` of a private Dovecot, by IMAP without TLS; `more` are further keys.
pub fn mailbox(name: &str, dovecot: &Dovecot, user: &str, more: &str) -> String {
    format!(
        "[[mailbox]]\nname = \"{name}\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nusername = \"{user}\"\npassword_file = \"password\"\n\
         authserv_ids = [\"mx.desk.test\"]\n{more}\n",
        dovecot.imap
    )
}

/// An `[smtp]` without TLS and AUTH.
pub fn smtp(port: u16) -> String {
    format!("[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n")
}

/// A desk. Dropped, it ends its daemons and proves that none of them logged what nobody may read in a log.
#[derive(Debug)]
pub struct Desk {
    folder: TempDir,
    url: String,
    postgres: Option<Database>,
    logs: RefCell<Vec<PathBuf>>,
}

impl Desk {
    /// On SQLite; `sections` is what the main configuration has besides hours, calendar and specialist.
    pub fn new(sections: &str) -> Self {
        Self::made(sections, None)
    }

    /// On PostgreSQL.
    pub fn on_postgres(sections: &str) -> Self {
        Self::made(sections, Some(Database::create()))
    }

    fn made(sections: &str, postgres: Option<Database>) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("desk-e2e-")
            .tempdir()
            .expect("A temporary folder");
        let url = match &postgres {
            Some(database) => database.url(),
            None => format!("sqlite://{}", folder.path().join("desk.db").display()),
        };
        let desk = Self {
            folder,
            url,
            postgres,
            logs: RefCell::default(),
        };
        fs::create_dir(desk.path("customers")).expect("A folder for customers");
        desk.customer("raduga", RADUGA);
        desk.private("secret", &format!("a {}\n", "5e".repeat(32)));
        desk.private("password", &format!("{PASSWORD}\n"));
        desk.private("wrong", &format!("{WRONG}\n"));
        desk.configure(sections);
        desk
    }

    /// Writes the main configuration anew.
    pub fn configure(&self, sections: &str) {
        let main = MAIN.replace("@STORE@", &self.url);
        fs::write(self.config(), format!("{main}{sections}")).expect("The configuration");
    }

    /// Writes a customer.
    pub fn customer(&self, id: &str, text: &str) {
        fs::write(self.path("customers").join(format!("{id}.toml")), text).expect("A customer");
    }

    fn private(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("A secret");
        fs::set_permissions(self.path(name), Permissions::from_mode(0o600)).expect("Its mode");
    }

    /// A file of the desk.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> PathBuf {
        self.path("postdesk.toml")
    }

    /// Starts the daemon; it may not be ready yet.
    pub fn start(&self) -> Daemon {
        let log = self.path(&format!("log.{}", self.logs.borrow().len()));
        self.logs.borrow_mut().push(log.clone());
        Self::spawn(self.program(), log)
    }

    /// Starts the daemon with a filter for its log. Below `info` a log may name people, so it is not among those that are proved clean.
    pub fn start_logging(&self, filter: &str) -> Daemon {
        let mut program = self.program();
        program.env("POSTDESK_LOG", filter);
        Self::spawn(program, self.path("log.all"))
    }

    fn spawn(mut program: Command, log: PathBuf) -> Daemon {
        let file = File::create(&log).expect("A log");
        let child = program
            .arg("run")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .expect("The daemon starts");
        Daemon { child, log }
    }

    /// Starts the daemon and waits until so many mailboxes are connected.
    pub fn connected(&self, mailboxes: usize) -> Daemon {
        let daemon = self.start();
        until("the mailboxes are connected", SOON, || {
            daemon.alive();
            (daemon.log().matches("Mailbox connected").count() >= mailboxes).then_some(())
        });
        daemon
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postdesk"));
        command
            .arg("--config")
            .arg(self.config())
            .env_remove("POSTDESK_LOG")
            .env_remove("POSTDESK_LOG_FORMAT")
            .env_remove("NOTIFY_SOCKET");
        command
    }

    /// Runs a command of the program to its end; what it wrote to standard error counts as log.
    pub fn command(&self, arguments: &[&str]) -> Output {
        let done = self
            .program()
            .args(arguments)
            .output()
            .expect("The program starts");
        let log = self.path("log.commands");
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .expect("A log");
        std::io::Write::write_all(&mut file, &done.stderr).expect("A log");
        if !self.logs.borrow().contains(&log) {
            self.logs.borrow_mut().push(log);
        }
        done
    }

    /// What a command prints as JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let done = self.command(arguments);
        assert!(
            done.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        serde_json::from_slice(&done.stdout).expect("JSON")
    }

    /// All requests as `postdesk requests --json` says, by number.
    pub fn requests(&self) -> Vec<Value> {
        let Value::Array(mut all) = self.json(&["requests", "--json"]) else {
            panic!("No array");
        };
        all.sort_by_key(|r| r["number"].as_str().map(str::to_owned));
        all
    }

    /// The numbers' counts in the order of the register, and that they have no gap.
    ///
    /// # Panics
    /// There is a gap, or a request without a number.
    pub fn gapless(&self) -> usize {
        let requests = self.requests();
        for (at, request) in requests.iter().enumerate() {
            let number = request["number"].as_str().expect("A number");
            assert!(
                number.ends_with(&format!("-{:06}", at + 1)),
                "{number} is at place {}",
                at + 1
            );
        }
        requests.len()
    }

    /// The one value that a query gives.
    pub fn ask(&self, sql: &str) -> i64 {
        let sql = format!("SELECT CAST(({sql}) AS TEXT)");
        self.rows(&sql)[0][0].parse().expect("A number")
    }

    /// What a query of texts gives, once the daemon has made the database.
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let mut last = None;
        until(&format!("{sql} is answered"), SOON, || {
            match on_database(&self.url, query(sql.to_owned())) {
                Ok(rows) => Some(rows),
                Err(error) => {
                    // Told if it stays so.
                    let text = error.to_string();
                    if last.replace(text.clone()) != Some(text.clone()) {
                        eprintln!("{text}");
                    }
                    None
                }
            }
        })
    }

    /// Changes the database while no daemon runs.
    pub fn change(&self, sql: &str) {
        let sql = sql.to_owned();
        let change = async move |mut database: AnyConnection| {
            let done = sqlx::query(AssertSqlSafe(sql)).execute(&mut database).await;
            done.map(drop)
        };
        on_database(&self.url, change).expect("A change");
    }

    /// Waits until so many letters came in, all of them are decided on and all that the desk wrote is sent.
    pub fn settled(&self, letters: i64, daemon: &Daemon, limit: Duration) {
        until(&format!("{letters} letters are settled"), limit, || {
            daemon.alive();
            self.is_settled(letters).then_some(())
        });
    }

    /// Whether so many letters came in, all of them are decided on and all that the desk wrote is sent.
    pub fn is_settled(&self, letters: i64) -> bool {
        let counts = self.rows(
            "SELECT CAST((SELECT COUNT(*) FROM letters WHERE decided_us IS NOT NULL) AS TEXT), CAST((SELECT COUNT(*) FROM letters) AS TEXT), \
             CAST((SELECT COUNT(*) FROM outbox WHERE state <> 'sent') AS TEXT)",
        );
        let wanted = letters.to_string();
        counts[0] == [wanted.clone(), wanted, "0".to_owned()]
    }

    /// Everything that the daemons and commands logged.
    pub fn log(&self) -> String {
        let logs = self.logs.borrow();
        logs.iter()
            .map(|log| fs::read_to_string(log).expect("A log"))
            .collect()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let log = self.log();
        let tokens = if self.postgres.is_some() || self.path("desk.db").exists() {
            let ids = self.rows("SELECT message_id FROM outbox");
            ids.iter()
                .map(|row| row[0].split('@').next().unwrap_or_default().to_owned())
                .collect()
        } else {
            Vec::new()
        };
        let leaks = leaks(&log, &tokens);
        assert!(leaks.is_empty(), "The log tells {leaks:?}:\n{log}");
    }
}

/// A query of texts.
fn query(sql: String) -> impl AsyncFnOnce(AnyConnection) -> sqlx::Result<Vec<Vec<String>>> {
    async move |mut database| {
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&mut database)
            .await?;
        drop(database.close().await);
        let texts = rows.iter().map(|row| {
            (0..row.len())
                .map(|at| Ok(row.try_get::<Option<String>, _>(at)?.unwrap_or_default()))
                .collect()
        });
        texts.collect()
    }
}

fn on_database<T>(
    url: &str,
    work: impl AsyncFnOnce(AnyConnection) -> sqlx::Result<T>,
) -> sqlx::Result<T> {
    sqlx::any::install_default_drivers();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .expect("A runtime")
        .block_on(async move { work(AnyConnection::connect(url).await?).await })
}

/// What a log tells that nobody may read in a log (S32): passwords, tokens, whole addresses of customers and strangers, subjects.
pub fn leaks(log: &str, tokens: &[String]) -> Vec<String> {
    let mut found = passwords(log);
    let tokens = tokens.iter().map(String::as_str);
    let words = [MARK, "TK-"].into_iter().chain(tokens);
    found.extend(words.filter(|w| log.contains(w)).map(str::to_owned));
    let address = Regex::new(r"[\w.+-]+@[\w.-]+\.example").expect("A pattern");
    found.extend(address.find_iter(log).map(|m| m.as_str().to_owned()));
    found
}

/// The passwords that a log tells, as they are or as they travel.
pub fn passwords(log: &str) -> Vec<String> {
    let mut words = Vec::new();
    for password in [PASSWORD, WRONG] {
        words.push(password.to_owned());
        words.push(STANDARD.encode(password));
        words.push(STANDARD.encode(format!("\0{DESK}\0{password}")));
    }
    words.retain(|w| log.contains(w));
    words
}

/// A running daemon; dropped, it is killed.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it logged this.
    pub fn says(&self, what: &str) {
        until(&format!("the log says {what:?}"), SOON, || {
            self.log().contains(what).then_some(())
        });
    }

    /// # Panics
    /// It ended: with its log.
    pub fn alive(&self) {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.unwrap_or_default();
        let runs = stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| !rest.starts_with('Z'));
        assert!(runs, "The daemon ended:\n{}", self.log());
    }

    /// Sends it a signal by name.
    pub fn signal(&self, name: &str) {
        let done = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(done.expect("kill starts").success(), "kill -s {name}");
    }

    /// Waits for its end.
    pub fn ended(&mut self, limit: Duration) -> ExitStatus {
        until("the daemon ends", limit, || {
            self.child.try_wait().expect("A child")
        })
    }

    /// Tells it to finish, and sees that it does so in time and cleanly.
    pub fn stop(mut self) {
        self.signal("TERM");
        let status = self.ended(Duration::from_secs(25));
        assert_eq!(status.code(), Some(0), "SIGTERM:\n{}", self.log());
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("The daemon was there");
        self.child.wait().expect("It ended");
    }

    /// The most memory that it ever had, in KiB.
    pub fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("A running daemon");
        let line = status.lines().find(|l| l.starts_with("VmHWM:"));
        let line = line.expect("A peak");
        line.split_whitespace()
            .nth(1)
            .and_then(|kib| kib.parse().ok())
            .expect("A size")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// S32: what a log must not tell is found in it, and a masked address is none.
#[test]
fn a_leak_is_found() {
    let token = "a1b2c3".to_owned();
    assert!(leaks("to=m***@raduga.example sent", std::slice::from_ref(&token)).is_empty());
    for leak in [
        "LOGIN support Sesam-4Vb8-oeffne",
        "AUTH PLAIN AHN1cHBvcnRAZGVzay50ZXN0AFNlc2FtLTRWYjgtb2VmZm5l",
        "to=maria@raduga.example",
        "id=a1b2c3@desk.test",
        "Subject: журнал 7Q9",
    ] {
        assert_eq!(leaks(leak, std::slice::from_ref(&token)).len(), 1, "{leak}");
    }
}
