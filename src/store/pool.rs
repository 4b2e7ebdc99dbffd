//! Opening the database: SQLite or PostgreSQL by URL, migrations, and the assertion that a commit is durable.

use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyPool, ConnectOptions, Connection, Row, Transaction};

use super::lately::Remembered;

/// What each SQLite connection is told. `synchronous=FULL`: with NORMAL a power loss takes back commits that were reported done.
const SQLITE_SESSION: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 4000;";

/// What each PostgreSQL session is told. `synchronous_commit` is raised where the server has it off, never lowered. Sequential scans are
/// discouraged: a statement prepared while a table was empty keeps scanning it until the next ANALYZE, measured at 3 ms a letter.
/// Without `jit = off` that would cost more than it gains: a one-row table without an index to use then looks worth compiling for (25 ms).
const POSTGRES_SESSION: &str = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'; \
     SET default_transaction_isolation TO 'read committed'; SET lock_timeout TO '15s'; SET enable_seqscan TO off; SET jit TO off; \
     SET idle_in_transaction_session_timeout TO '60s';";

/// How many connections read SQLite beside the one that writes.
const SQLITE_READERS: u32 = 3;

/// How many connections to PostgreSQL there are, for reading and writing alike.
const POSTGRES_CONNECTIONS: u32 = 6;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// SQLite: one file, one writer.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// Why a database is not to be used by this program: nothing that trying again would cure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// A newer program wrote it.
    NewerSchema {
        /// The version it has.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// A commit would not survive a power loss; what is set wrongly.
    NotDurable(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewerSchema { found, known } => write!(
                f,
                "The database has schema version {found}, written by a newer postdesk; this one knows versions up to {known}: install the newer program, or restore the backup made before the upgrade"
            ),
            Self::NotDurable(what) => {
                write!(f, "The database would lose commits at a power loss: {what}")
            }
        }
    }
}

impl std::error::Error for Unusable {}

/// Another daemon has become the active one: this process may decide and send no more (its lease is gone).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fenced {
    /// The fence this process was given with its lease.
    pub ours: i64,
    /// The fence as it stands.
    pub current: i64,
}

impl fmt::Display for Fenced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Another daemon took over this database (lease {}, ours was {})",
            self.current, self.ours
        )
    }
}

impl std::error::Error for Fenced {}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// Takes every write: on SQLite a pool of one connection.
    pub(crate) writer: AnyPool,
    /// Takes every read outside a unit of work.
    pub(crate) reader: AnyPool,
    pub(crate) engine: Engine,
    /// How to make one more connection.
    pub(crate) options: AnyConnectOptions,
    /// The file, for SQLite.
    pub(crate) file: Option<PathBuf>,
    /// The fence that this process holds since it took the lease; 0 if it never did.
    pub(crate) fence: Arc<AtomicI64>,
    /// What the last unit of work knew of the senders that it heard from.
    pub(crate) remembered: Arc<Mutex<Remembered>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the options: they hold the URL, and that may hold a password.
        f.debug_struct("Store")
            .field("engine", &self.engine)
            .field("file", &self.file)
            .field("fence", &self.fence)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens (and creates, and migrates) the database at `url` (`sqlite://path` or `postgres://…`).
    ///
    /// # Errors
    /// It can't be opened, a migration fails, its schema is newer than this program, or SQLite is not in WAL mode with `synchronous=FULL`
    /// ([`Unusable`] tells the last two).
    pub async fn open(url: &str) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let store = match url.split_once("://") {
            Some(("sqlite", path)) if path.is_empty() || path.contains(['?', '#']) => {
                bail!("A database URL of SQLite is sqlite:// and the path of a file, nothing more")
            }
            Some(("sqlite", path)) => Self::connect_sqlite(Path::new(path)).await?,
            Some(("postgres" | "postgresql", _)) => Self::connect_postgres(url).await?,
            _ => bail!("A database URL begins with sqlite:// or postgres://"),
        };
        store.migrate().await?;
        Ok(store)
    }

    /// Whether there is a database at `url` that opening would not first have to make.
    pub fn exists(url: &str) -> bool {
        url.split_once("://")
            .is_some_and(|(scheme, path)| scheme != "sqlite" || Path::new(path).exists())
    }

    /// Whether several daemons may share this database, one of them active.
    pub fn serves_several(&self) -> bool {
        matches!(self.engine, Engine::Postgres)
    }

    async fn connect_sqlite(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).context("The database's path is no path")?;
        create_private(&path)
            .with_context(|| format!("Can't create the database {}", path.display()))?;
        let name = path
            .to_str()
            .context("The database's path is not valid UTF-8")?;
        let options = AnyConnectOptions::from_url(
            &format!("sqlite://{}?mode=rw", escaped(name))
                .parse()
                .context("The database's path can't be written as a URL")?,
        )?
        .disable_statement_logging();
        let pool = |connections: u32, session: &'static str| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .after_release(|connection, _| {
                    Box::pin(async move {
                        // Not before a rollback that was only asked for is done.
                        connection.ping().await?;
                        // quirk_failed_commit: where a COMMIT fails (disk full, I/O error) SQLite has rolled back by itself, but sqlx 0.9
                        // believes for ever that the transaction is open and begins no other: that connection is of no more use.
                        Ok(!connection.is_in_transaction())
                    })
                })
                .after_connect(move |connection, _| {
                    Box::pin(async move {
                        sqlx::raw_sql(SQLITE_SESSION)
                            .execute(&mut *connection)
                            .await?;
                        sqlx::raw_sql(session).execute(&mut *connection).await?;
                        Ok(())
                    })
                })
        };
        let opening = || format!("Can't open the database {}", path.display());
        let writer = pool(1, "PRAGMA query_only = OFF")
            .connect_with(options.clone())
            .await
            .with_context(opening)?;
        assert_durable(&writer).await.with_context(opening)?;
        Ok(Self {
            writer,
            // What they read lies in the write-ahead log or in the system's own cache: each needs little of its own (P9).
            reader: pool(
                SQLITE_READERS,
                "PRAGMA query_only = ON; PRAGMA cache_size = -2048",
            )
            .connect_lazy_with(options.clone()),
            engine: Engine::Sqlite,
            options,
            file: Some(path),
            fence: Arc::new(AtomicI64::new(0)),
            remembered: Arc::default(),
        })
    }

    async fn connect_postgres(url: &str) -> Result<Self> {
        let options = AnyConnectOptions::from_url(
            &url.parse()
                .context("The database's URL can't be understood")?,
        )?
        .disable_statement_logging();
        let pool = AnyPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(Duration::from_secs(15))
            .after_connect(|connection, _| {
                Box::pin(async move {
                    sqlx::raw_sql(POSTGRES_SESSION).execute(connection).await?;
                    Ok(())
                })
            })
            .connect_with(options.clone())
            .await
            .context("Can't connect to PostgreSQL")?;
        Ok(Self {
            writer: pool.clone(),
            reader: pool,
            engine: Engine::Postgres,
            options,
            file: None,
            fence: Arc::new(AtomicI64::new(0)),
            remembered: Arc::default(),
        })
    }

    /// Begins a transaction that will write. SQLite takes the write lock at once: a transaction that reads first and writes later fails
    /// with SQLITE_BUSY_SNAPSHOT, whatever the timeout.
    pub(crate) async fn begin_write(&self) -> Result<Transaction<'static, Any>> {
        let begun = match self.engine {
            Engine::Sqlite => self.writer.begin_with("BEGIN IMMEDIATE").await,
            Engine::Postgres => self.writer.begin().await,
        };
        begun.context("Can't begin a transaction")
    }

    /// Fails if another daemon has raised the fence since this process took the lease. A process that never took it (a command) passes.
    pub(crate) async fn check_fence(&self, tx: &mut Transaction<'static, Any>) -> Result<()> {
        let ours = self.fence.load(Ordering::SeqCst);
        if ours == 0 {
            return Ok(());
        }
        let current: i64 = sqlx::query(match self.engine {
            Engine::Sqlite => "SELECT fence FROM lease",
            // A shared lock: whoever raises the fence waits until this transaction has ended.
            Engine::Postgres => "SELECT fence FROM lease FOR SHARE",
        })
        .fetch_one(&mut **tx)
        .await?
        .try_get(0)?;
        if current == ours {
            Ok(())
        } else {
            Err(Fenced { ours, current }.into())
        }
    }

    /// Closes every connection and waits until they are closed; on SQLite this folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// Creates the file, and the folder it lies in, for the desk alone; what exists keeps its rights.
fn create_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map(|_| ())
}

/// The path with everything escaped that means something in a URL.
fn escaped(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// Refuses a connection whose commits would not outlive a power loss.
async fn assert_durable(writer: &AnyPool) -> Result<()> {
    let mut connection = writer.acquire().await?;
    let mode: String = sqlx::query("PRAGMA journal_mode")
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    let level: i64 = sqlx::query("PRAGMA synchronous")
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    durable(&mode, level)
}

fn durable(mode: &str, level: i64) -> Result<()> {
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(Unusable::NotDurable(format!(
            "journal_mode is {mode}, not wal (does the file system lack shared memory?)"
        ))
        .into());
    }
    if level != 2 {
        return Err(Unusable::NotDurable(format!("synchronous is {level}, not 2 (FULL)")).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic,
        clippy::string_slice,
        reason = "tests"
    )]
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use sqlx::AssertSqlSafe;

    use crate::store::testing::{fetched, minute, on_each_engine};

    #[tokio::test]
    async fn a_database_is_for_the_desk_alone_and_durable() {
        on_each_engine(async |db| {
            let Some(folder) = &db.folder else { return };
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&folder.path().join("var")), 0o700);
            for file in ["desk 1.db", "desk 1.db-wal", "desk 1.db-shm"] {
                assert_eq!(mode(&folder.path().join("var").join(file)), 0o600, "{file}");
            }
            assert_durable(&db.store.writer).await.unwrap();
            sqlx::raw_sql("PRAGMA synchronous = NORMAL")
                .execute(&db.store.writer)
                .await
                .unwrap();
            let error = assert_durable(&db.store.writer).await.unwrap_err();
            assert!(
                matches!(error.downcast_ref(), Some(Unusable::NotDurable(_))),
                "{error}"
            );
        })
        .await;
    }

    #[test]
    fn only_wal_and_full_are_durable() {
        assert!(durable("wal", 2).is_ok());
        assert!(durable("delete", 2).is_err());
        assert!(durable("wal", 1).is_err());
    }

    #[tokio::test]
    async fn a_newer_schema_is_refused_and_left_alone() {
        on_each_engine(async |db| {
            db.tamper("INSERT INTO schema_version (version, name, sha256) SELECT 99, 'x', sha256 FROM schema_version WHERE version = 1")
                .await;
            let error = Store::open(&db.url).await.unwrap_err();
            let known = i64::try_from(crate::store::schema::STEPS.len()).unwrap();
            assert_eq!(
                error.downcast_ref(),
                Some(&Unusable::NewerSchema { found: 99, known })
            );
            assert!(error.to_string().contains("newer postdesk"));
        })
        .await;
    }

    #[tokio::test]
    async fn an_edited_migration_is_noticed() {
        on_each_engine(async |db| {
            db.tamper("UPDATE schema_version SET sha256 = commitment FROM (SELECT sha256 AS commitment FROM schema_version WHERE version = 2) AS t WHERE version = 1")
                .await;
            let error = Store::open(&db.url).await.unwrap_err().to_string();
            assert!(error.contains("Step 1"), "{error}");
        })
        .await;
    }

    #[tokio::test]
    async fn two_programs_may_open_an_empty_database_at_once() {
        on_each_engine(async |db| {
            let url = match &db.folder {
                Some(folder) => format!("sqlite://{}/new.db", folder.path().display()),
                None => {
                    db.tamper("UPDATE keeping SET next_letter = next_letter").await;
                    // Every table of this test's schema, whatever migrations make.
                    sqlx::raw_sql("DO $$ DECLARE t TEXT; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP EXECUTE format('DROP TABLE %I CASCADE', t); END LOOP; END $$; DROP FUNCTION events_stay CASCADE")
                        .execute(&db.store.writer)
                        .await
                        .unwrap();
                    db.url.clone()
                }
            };
            let (one, two, three) =
                futures::join!(Store::open(&url), Store::open(&url), Store::open(&url));
            for store in [one, two, three] {
                store.unwrap().begin().await.unwrap().commit().await.unwrap();
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_full_disk_leaves_no_part_of_anything() {
        on_each_engine(async |db| {
            if db.folder.is_none() {
                return;
            }
            let limit = async |pages: i64| {
                sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA max_page_count = {pages}")))
                    .execute(&db.store.writer)
                    .await
                    .unwrap();
            };
            let mut noise = 1_u32;
            let raw: String = std::iter::repeat_with(|| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                char::from(b'a' + u8::try_from((noise >> 16) % 26).unwrap())
            })
            .take(200_000)
            .collect();
            let batch = [fetched(1, "one", minute(1)), fetched(2, &raw, minute(2))];
            limit(1).await;
            db.store
                .keep("support", &batch, None, minute(3))
                .await
                .unwrap_err();
            assert_eq!(db.count("SELECT COUNT(*) FROM letters").await, 0);
            assert_eq!(db.count("SELECT COUNT(*) FROM locations").await, 0);
            limit(1_000_000).await;
            let kept = db
                .store
                .keep("support", &batch, None, minute(4))
                .await
                .unwrap();
            assert!(kept.iter().all(|letter| letter.fresh));
        })
        .await;
    }

    #[tokio::test]
    async fn who_comes_second_waits_for_the_lock() {
        on_each_engine(async |db| {
            let other = db.open_again().await;
            let held = db.store.begin().await.unwrap();
            let mut second = Box::pin(other.begin());
            let waits = tokio::time::timeout(Duration::from_millis(50), &mut second);
            assert!(waits.await.is_err(), "two hold the write lock at once");
            // Keeping letters doesn't wait for a decision where there is more than one writer.
            if db.folder.is_none() {
                let batch = [fetched(1, "one", minute(1))];
                other
                    .keep("support", &batch, None, minute(1))
                    .await
                    .unwrap();
            }
            held.commit().await.unwrap();
            second.await.unwrap().commit().await.unwrap();
        })
        .await;
    }

    #[tokio::test]
    async fn a_dropped_unit_of_work_frees_the_lock_at_once() {
        on_each_engine(async |db| {
            let other = db.open_again().await;
            for _ in 0..20 {
                drop(db.store.begin().await.unwrap());
                // Given up before it began: nothing of it may hold the lock either.
                let mut begun = Box::pin(db.store.begin());
                assert!(futures::poll!(&mut begun).is_pending());
                drop(begun);
                other.begin().await.unwrap().commit().await.unwrap();
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_url_of_another_kind_is_refused_without_being_repeated() {
        let error = Store::open("mysql://desk:secret@host/db")
            .await
            .unwrap_err();
        assert!(!format!("{error:#}").contains("secret"));
    }
}
