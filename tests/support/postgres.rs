//! A database of the test's own in PostgreSQL: in the server that `POSTDESK_TEST_PG` names, or in a private one that this program starts once.

use std::fs;
use std::future::Future;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::guarded::{self, End, Guarded};
use super::loopback_ports;
use super::wait;

/// An empty database; it goes when this is dropped.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// Makes one.
    ///
    /// # Panics
    /// There is no PostgreSQL to be had.
    pub fn create() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let server = server();
        let name = format!(
            "desk_{}_{}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        );
        execute(server.clone(), format!("CREATE DATABASE {name}"));
        Self { server, name }
    }

    /// Its URL, `postgres://…`.
    pub fn url(&self) -> String {
        let (base, _) = self.server.rsplit_once('/').expect("A database in the URL");
        format!("{base}/{}", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        execute(
            self.server.clone(),
            format!("DROP DATABASE {} WITH (FORCE)", self.name),
        );
    }
}

/// The URL of the server's maintenance database.
fn server() -> String {
    static PRIVATE: OnceLock<Private> = OnceLock::new();
    match std::env::var("POSTDESK_TEST_PG") {
        Ok(url) => url,
        Err(_) => PRIVATE.get_or_init(Private::start).url.clone(),
    }
}

/// A server that lives as long as this program; its guard then ends it and removes its folder.
#[derive(Debug)]
struct Private {
    url: String,
    _server: Guarded,
}

impl Private {
    fn start() -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new()
            .prefix("desk-postgres-")
            .tempdir()
            .expect("A temporary folder")
            .keep();
        // PostgreSQL refuses to run as root.
        let user = guarded::is_root()
            .then(|| guarded::user("postgres").expect("The user postgres, of Debian's package"));
        if let Some(user) = user {
            chown(&folder, Some(user.uid), Some(user.gid)).expect("A folder for PostgreSQL");
        }
        let data = folder.join("data");
        initialise(&programs, &data, user);
        let [port] = loopback_ports::free();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nfsync = off\nmax_connections = 200\n"
        );
        fs::write(data.join("postgresql.auto.conf"), settings).expect("PostgreSQL's settings");
        let command = [
            programs.join("postgres").display().to_string(),
            "-D".to_owned(),
            data.display().to_string(),
        ];
        let server = Guarded::start(&command, &folder, user, End::Signal("INT"));
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        wait::until("PostgreSQL's answer", Duration::from_secs(30), || {
            assert!(server.runs(), "PostgreSQL ended: {}", server.printed());
            let url = url.clone();
            block_on(async move { PgConnection::connect(&url).await.is_ok() }).then_some(())
        });
        Self {
            url,
            _server: server,
        }
    }
}

fn initialise(programs: &Path, data: &Path, user: Option<guarded::User>) {
    use std::os::unix::process::CommandExt;
    let mut initdb = Command::new(programs.join("initdb"));
    initdb
        .arg("-D")
        .arg(data)
        .args([
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ])
        .current_dir("/");
    if let Some(user) = user {
        initdb.uid(user.uid).gid(user.gid);
    }
    let done = initdb.output().expect("initdb starts");
    assert!(
        done.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// The folder of the newest PostgreSQL's programs.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|e| e.path()).collect::<Vec<_>>())
        .unwrap_or_default();
    versions
        .into_iter()
        .max_by_key(|p| p.file_name().and_then(|n| n.to_str()?.parse::<u32>().ok()))
        .map(|p| p.join("bin"))
        .expect("PostgreSQL is not installed: run `bash tests/run`, or apt-get install postgresql, or name a server in POSTDESK_TEST_PG")
}

fn execute(server: String, statement: String) {
    block_on(async move {
        let mut connection = PgConnection::connect(&server)
            .await
            .expect("PostgreSQL takes a call");
        connection
            .execute(AssertSqlSafe(statement))
            .await
            .expect("A statement of the test support");
        drop(connection.close().await);
    });
}

/// Runs a future to its end on a thread of its own, so that it works inside and outside a runtime.
fn block_on<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    std::thread::spawn(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("A runtime")
            .block_on(work)
    })
    .join()
    .expect("The database work ends")
}
