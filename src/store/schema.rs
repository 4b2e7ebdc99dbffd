//! The migrations that this program carries, and how far a database has come: add only, one transaction for all that are missing.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Row};

use super::entry;
use super::pool::{Engine, Store, Unusable};

/// One step, with its text for each engine.
pub(crate) struct Step {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// All steps in order; the first is version 1. A step that was ever released is never edited.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "the_desk",
        sqlite: include_str!("../../migrations/0001_the_desk.sql"),
        postgres: include_str!("../../migrations/0001_the_desk.sql"),
    },
    Step {
        name: "append_only",
        sqlite: include_str!("../../migrations/0002_append_only.sqlite.sql"),
        postgres: include_str!("../../migrations/0002_append_only.postgres.sql"),
    },
    Step {
        name: "postponed",
        sqlite: include_str!("../../migrations/0003_postponed.sql"),
        postgres: include_str!("../../migrations/0003_postponed.sql"),
    },
    Step {
        name: "life",
        sqlite: include_str!("../../migrations/0004_life.sql"),
        postgres: include_str!("../../migrations/0004_life.sql"),
    },
    Step {
        name: "appointments",
        sqlite: include_str!("../../migrations/0005_appointments.sql"),
        postgres: include_str!("../../migrations/0005_appointments.sql"),
    },
    Step {
        name: "channel",
        sqlite: include_str!("../../migrations/0006_channel.sql"),
        postgres: include_str!("../../migrations/0006_channel.sql"),
    },
    Step {
        name: "going_on",
        sqlite: include_str!("../../migrations/0007_going_on.sql"),
        postgres: include_str!("../../migrations/0007_going_on.sql"),
    },
    Step {
        name: "succession",
        sqlite: include_str!("../../migrations/0008_succession.sql"),
        postgres: include_str!("../../migrations/0008_succession.sql"),
    },
];

/// The text of a step as the engine takes it. SQLite's STRICT tables know INTEGER and BLOB; PostgreSQL knows neither STRICT nor BLOB.
fn text(step: &Step, engine: Engine) -> String {
    match engine {
        Engine::Postgres => step.postgres.to_owned(),
        Engine::Sqlite => {
            let mut live = String::new();
            let mut rest = step.sqlite;
            while let Some((before, marked)) = rest.split_once("/*sqlite ") {
                live.push_str(before);
                let (inside, after) = marked.split_once("*/").unwrap_or((marked, ""));
                live.push_str(inside);
                rest = after;
            }
            live.push_str(rest);
            live.replace("BIGINT", "INTEGER").replace("BYTEA", "BLOB")
        }
    }
}

impl Store {
    /// Brings the database to this program's version.
    pub(crate) async fn migrate(&self) -> Result<()> {
        let mut tx = self.begin_write().await?;
        if self.engine == Engine::Postgres {
            // Two programs that open an empty database at once would otherwise both create its tables.
            sqlx::query(
                "SELECT CAST(pg_advisory_xact_lock($1, hashtext(current_schema())) AS TEXT)",
            )
            .bind(entry::MIGRATION_LOCK)
            .execute(&mut *tx)
            .await?;
        }
        sqlx::raw_sql(
            "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, sha256 BYTEA NOT NULL)",
        )
        .execute(&mut *tx)
        .await?;
        let done = sqlx::query("SELECT version, name, sha256 FROM schema_version ORDER BY version")
            .fetch_all(&mut *tx)
            .await?;
        let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
        let found = match done.last() {
            Some(row) => row.try_get::<i64, _>(0)?,
            None => 0,
        };
        if found > known {
            return Err(Unusable::NewerSchema { found, known }.into());
        }
        for (version, step) in (1_i64..).zip(STEPS) {
            let sql = text(step, self.engine);
            let digest = Sha256::digest(sql.as_bytes()).to_vec();
            let before = done.get(usize::try_from(version.saturating_sub(1))?);
            if let Some(row) = before {
                if row.try_get::<i64, _>(0)? != version || row.try_get::<Vec<u8>, _>(2)? != digest {
                    bail!(
                        "Step {version} of the database's schema ({}) is not the one that this program knows",
                        row.try_get::<String, _>(1)?
                    );
                }
                continue;
            }
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut *tx)
                .await
                .with_context(|| format!("Migration {version} ({}) failed", step.name))?;
            sqlx::query("INSERT INTO schema_version (version, name, sha256) VALUES ($1, $2, $3)")
                .bind(version)
                .bind(step.name)
                .bind(digest)
                .execute(&mut *tx)
                .await?;
        }
        let begun = sqlx::query("SELECT one FROM ledger")
            .fetch_optional(&mut *tx)
            .await?;
        if begun.is_none() {
            let instance = entry::random()?;
            sqlx::query(
                "INSERT INTO ledger (one, next_request, next_pending, next_outbox, next_seq, head, instance) VALUES (1, 1, 1, 1, 1, $1, $2)",
            )
            .bind(entry::genesis(&instance).to_vec())
            .bind(instance.to_vec())
            .execute(&mut *tx)
            .await?;
        }
        tx.commit()
            .await
            .context("The migrations were not committed")
    }
}
