//! The real `postdesk run` with a configuration written for the measurement, and its memory.

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::dovecot::{DESK, PASSWORD};
use crate::support::{mailgen, wait};

/// Where the letters come from.
#[derive(Debug, Clone)]
pub enum Inbox {
    /// An IMAP server on the loopback address without TLS.
    Imap(u16),
    /// A Maildir.
    Maildir(PathBuf),
}

/// A running daemon; it ends and its folder goes when this is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    folder: TempDir,
}

impl Daemon {
    /// Writes a configuration for `senders` customers and starts the daemon. It takes everything from the beginning and sends to the port `smtp`.
    pub fn start(inbox: &Inbox, smtp: u16, senders: usize, specialists: usize) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("desk-bench-")
            .tempdir()
            .expect("A temporary folder");
        configure(folder.path(), inbox, smtp, senders, specialists);
        let log = File::create(folder.path().join("log")).expect("A log file");
        let program = std::env::var_os("POSTDESK_BENCH_PROGRAM");
        let program = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_postdesk").into());
        let child = Command::new(program)
            .arg("--config")
            .arg(folder.path().join("postdesk.toml"))
            .arg("run")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("The daemon starts");
        Self { child, folder }
    }

    /// Checks that it still runs.
    ///
    /// # Panics
    /// It ended: with the end of its log.
    pub fn check(&mut self) {
        if let Some(status) = self.child.try_wait().expect("The daemon's state") {
            panic!("The daemon ended ({status}):\n{}", self.end_of_log());
        }
    }

    /// The end of its log.
    pub fn end_of_log(&self) -> String {
        let log = fs::read(self.folder.path().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// The most memory that it ever held, in KiB (`VmHWM`).
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("The daemon's /proc entry");
        let line = status.lines().find(|l| l.starts_with("VmHWM:"));
        line.and_then(|l| l.split_whitespace().nth(1)?.parse().ok())
            .expect("VmHWM")
    }

    /// The processor time that it used, in seconds, user and system together.
    pub fn processor_time(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.expect("The daemon's /proc entry");
        let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let ticks = |at: usize| -> f64 {
            let field = fields.split(' ').nth(at);
            field.and_then(|f| f.parse().ok()).unwrap_or_default()
        };
        // Fields 14 and 15 of proc(5), in the 100 ticks a second that Linux shows to programs.
        (ticks(11) + ticks(12)) / 100.0
    }

    /// The size of its database with everything beside it, in octets.
    pub fn stored(&self) -> u64 {
        let entries = fs::read_dir(self.folder.path().join("var"));
        let entries = entries.into_iter().flatten().flatten();
        entries
            .filter_map(|e| e.metadata().ok())
            .map(|m| m.len())
            .sum()
    }

    /// Asks it to end, and says whether it did within `limit` with exit code 0.
    pub fn ends_well(&mut self, limit: Duration) -> bool {
        let pid = self.child.id().to_string();
        let script = ["-c", "kill -s TERM \"$1\"", "end", &pid];
        let told = Command::new("sh").args(script).status();
        if !told.is_ok_and(|s| s.success()) {
            return false;
        }
        let mut fate = None;
        wait::until("the daemon's end", limit, || {
            fate = self.child.try_wait().expect("The daemon's state");
            fate.map(|_| ())
        });
        fate.is_some_and(|s| s.success())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn configure(folder: &Path, inbox: &Inbox, smtp: u16, senders: usize, specialists: usize) {
    let secret = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).expect("A secret file");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("A secret file's mode");
    };
    secret("secret", &format!("1 {}\n", "5a".repeat(32)));
    secret("imap-password", PASSWORD);
    fs::create_dir_all(folder.join("var")).expect("A folder for the database");
    fs::write(
        folder.join("postdesk.toml"),
        main_file(inbox, smtp, specialists),
    )
    .expect("The main file");
    fs::create_dir(folder.join("customers")).expect("A folder for customers");
    for number in 0..senders {
        let text = CUSTOMER
            .replace("@NUMBER@", &number.to_string())
            .replace("@DOMAIN@", &mailgen::domain(number))
            .replace("@EMAIL@", &mailgen::sender(number));
        fs::write(folder.join(format!("customers/org{number}.toml")), text)
            .expect("A customer's file");
    }
}

/// An open desk at any hour, without limits that a flood of letters would hit.
fn main_file(inbox: &Inbox, smtp: u16, specialists: usize) -> String {
    let source = match inbox {
        Inbox::Imap(port) => format!(
            "host = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nusername = \"{DESK}\"\npassword_file = \"imap-password\"\nfolder = \"INBOX\"\nstart = \"beginning\"\nafter = \"keep\""
        ),
        Inbox::Maildir(path) => format!("maildir = \"{}\"", path.display()),
    };
    let mut hours = String::new();
    for day in [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ] {
        writeln!(hours, "{day} = [\"00:00-24:00\"]").expect("A line");
    }
    MAIN.replace("@ADDRESS@", DESK)
        .replace("@HOURS@", &hours)
        .replace("@SOURCE@", &source)
        .replace("@SMTP@", &smtp.to_string())
        + &(1..=specialists)
            .map(|n| SPECIALIST.replace("@NUMBER@", &n.to_string()))
            .collect::<String>()
}

const MAIN: &str = r#"[desk]
name = "Ситуационный центр"
address = "@ADDRESS@"
locale = "ru"
timezone = "Europe/Moscow"
secret_file = "secret"

[store]
url = "sqlite://var/postdesk.db"

[hours]
@HOURS@
[calendar]
production_calendar = "none"

[deadlines]
answer = 5
warn_before = 1

[limits]
letters_per_hour = 1000000
requests_per_hour = 1000000

[[mailbox]]
name = "support"
@SOURCE@
strangers = "refuse"
default_kind = "question"
authentication = "off"

[smtp]
host = "127.0.0.1"
port = @SMTP@
tls = "none"
connections = 4
"#;

const SPECIALIST: &str = r#"
[[specialist]]
name = "Петрова Ольга Сергеевна"
email = "petrova@NUMBER@@desk.test"
"#;

const CUSTOMER: &str = r#"name = "Организация @NUMBER@"
domains = ["@DOMAIN@"]

[[installation]]
id = "org@NUMBER@-courses"
name = "Учебная система @NUMBER@"

[[installation.representative]]
role = "primary"
name = "Иванова Мария Петровна"
email = "@EMAIL@"
since = 2020-01-01
"#;
