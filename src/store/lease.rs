//! Which of several daemons on one database is the active one: a lock that dies with its holder, and a fence that stops a holder who lost it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use sqlx::{AnyConnection, ConnectOptions, Connection, Row};
use tokio::sync::Mutex;

use super::entry;
use super::pool::Store;

/// What the session that holds the lock is told: it may be idle for ever, but if its machine vanishes the server must notice within half a
/// minute, or the other daemon would wait for hours.
const LEASE_SESSION: &str = "SET idle_session_timeout TO 0; SET tcp_keepalives_idle TO 10; SET tcp_keepalives_interval TO 5; \
     SET tcp_keepalives_count TO 3";

/// Held while this process is the active daemon. On SQLite a file lock beside the database, on PostgreSQL a session advisory lock.
#[derive(Debug)]
pub struct Lease {
    lock: Lock,
    fence: i64,
}

#[derive(Debug)]
enum Lock {
    /// The open file holds the lock; nothing else is done with it.
    File(#[allow(dead_code, reason = "held, not read")] File),
    /// The session holds the lock.
    Session(Mutex<AnyConnection>),
}

impl Lease {
    /// The value of the fence that came with it.
    pub fn fence(&self) -> i64 {
        self.fence
    }

    /// Makes sure that the lock is still there: on PostgreSQL it goes with its connection, and another daemon may hold it already.
    ///
    /// # Errors
    /// The connection is gone: stop, or take the lease anew.
    pub async fn assure(&self) -> Result<()> {
        match &self.lock {
            Lock::File(_) => Ok(()),
            Lock::Session(connection) => connection
                .lock()
                .await
                .ping()
                .await
                .context("The connection that held the lease is gone"),
        }
    }
}

impl Store {
    /// Takes the lease if nobody holds it; otherwise says who does, as far as is known. From then on this store and its clones decide and
    /// send only as long as no other daemon has taken the lease ([`super::pool::Fenced`]).
    ///
    /// # Errors
    /// The database or the lock file can't be reached.
    pub async fn try_lease(&self) -> Result<std::result::Result<Lease, String>> {
        let lock = match &self.file {
            Some(database) => match lock_file(&lock_path(database))? {
                Ok(file) => Lock::File(file),
                Err(holder) => return Ok(Err(holder)),
            },
            None => match self.lock_session().await? {
                Some(connection) => Lock::Session(Mutex::new(connection)),
                None => return Ok(Err(self.holder().await?)),
            },
        };
        let fence: i64 =
            sqlx::query("UPDATE lease SET fence = fence + 1, holder = $1 RETURNING fence")
                .bind(this_process())
                .fetch_one(&self.writer)
                .await
                .context("Can't raise the fence")?
                .try_get(0)?;
        self.fence.store(fence, Ordering::SeqCst);
        Ok(Ok(Lease { lock, fence }))
    }

    async fn lock_session(&self) -> Result<Option<AnyConnection>> {
        let mut connection = self
            .options
            .connect()
            .await
            .context("Can't connect to PostgreSQL for the lease")?;
        sqlx::raw_sql(LEASE_SESSION)
            .execute(&mut connection)
            .await
            .context("Can't set up the session that holds the lease")?;
        let got: i64 = sqlx::query(
            "SELECT CAST(CASE WHEN pg_try_advisory_lock($1, hashtext(current_schema())) THEN 1 ELSE 0 END AS BIGINT)",
        )
        .bind(entry::LEASE_LOCK)
        .fetch_one(&mut connection)
        .await?
        .try_get(0)?;
        Ok((got == 1).then_some(connection))
    }

    async fn holder(&self) -> Result<String> {
        Ok(sqlx::query("SELECT holder FROM lease")
            .fetch_one(&self.reader)
            .await?
            .try_get(0)?)
    }
}

/// Where the lock of a database file lies.
fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Locks the file and writes this process into it; or reads who holds it.
fn lock_file(path: &Path) -> Result<std::result::Result<File, String>> {
    let doing = || format!("Can't lock {}", path.display());
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .with_context(doing)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).with_context(doing)?;
            file.rewind().with_context(doing)?;
            writeln!(file, "{}", this_process()).with_context(doing)?;
            Ok(Ok(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // What stands there is for people; a file that can't be read is locked all the same.
            if file.read_to_string(&mut holder).is_err() {
                holder.clear();
            }
            Ok(Err(holder.trim().to_owned()))
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(doing),
    }
}

/// This process, for people who find its lock in their way.
fn this_process() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let pid = std::process::id();
    match host.trim() {
        "" => format!("process {pid}"),
        host => format!("process {pid} on {host}"),
    }
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
    use crate::store::pool::Fenced;
    use crate::store::testing::{minute, on_each_engine};

    #[tokio::test]
    async fn one_daemon_at_a_time_holds_the_lease() {
        on_each_engine(async |db| {
            let (one, two) = (db.store.clone(), db.open_again().await);
            let lease = one.try_lease().await.unwrap().unwrap();
            lease.assure().await.unwrap();
            let holder = two.try_lease().await.unwrap().unwrap_err();
            assert!(holder.contains(&std::process::id().to_string()), "{holder}");
            drop(lease);
            // On PostgreSQL the server lets go once it has noticed that the connection is closed.
            let second = loop {
                match two.try_lease().await.unwrap() {
                    Ok(lease) => break lease,
                    Err(_) => tokio::task::yield_now().await,
                }
            };
            assert_eq!(second.fence(), 2);
        })
        .await;
    }

    #[tokio::test]
    async fn a_daemon_that_lost_the_lease_can_neither_decide_nor_send() {
        on_each_engine(async |db| {
            let (one, two) = (db.store.clone(), db.open_again().await);
            let lost = one.try_lease().await.unwrap().unwrap();
            one.begin().await.unwrap().commit().await.unwrap();
            drop(lost);
            let _lease = loop {
                match two.try_lease().await.unwrap() {
                    Ok(lease) => break lease,
                    Err(_) => tokio::task::yield_now().await,
                }
            };
            let fenced = |error: &anyhow::Error| error.downcast_ref::<Fenced>().copied();
            let expected = Some(Fenced {
                ours: 1,
                current: 2,
            });
            assert_eq!(fenced(&one.begin().await.unwrap_err()), expected);
            assert_eq!(fenced(&one.clone().begin().await.unwrap_err()), expected);
            assert_eq!(
                fenced(&one.settle_and_claim(&[], 1, minute(1)).await.unwrap_err()),
                expected
            );
            assert_eq!(fenced(&one.reclaim(minute(1)).await.unwrap_err()), expected);
            two.begin().await.unwrap().commit().await.unwrap();
            two.settle_and_claim(&[], 1, minute(1)).await.unwrap();
            let command = db.open_again().await;
            command.begin().await.unwrap().commit().await.unwrap();
        })
        .await;
    }
}
