//! The preliminary check of electronic signatures: one process a letter, which has no network, little memory and little time (R29, R30).
//!
//! A letter with signatures is a stranger's octets for big parsers in C. They run in a process of their own, this program started anew
//! ([`examiner`]), which gets the letter on its standard input, shuts itself in ([`confine`]), asks the system's `openssl` ([`openssl`]) and
//! says what it found as JSON. Whatever becomes of it, the letter goes on: what could not be checked is told as such.

pub mod confine;
pub mod examiner;
pub mod openssl;

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use chrono::{DateTime, Utc};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use crate::config::signatures::SignatureConfig;
use crate::desk::signature::{Form, Obstacle, SignatureCheck};
use crate::telemetry;

/// How long all signatures of a letter may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest report of a helper, in octets.
const REPORT: u64 = 4 << 20;
/// The argument by which this program is the helper; nothing else ever stands on its command line.
pub const SUBCOMMAND: &str = "check-signature";

/// What the helper is told, on the first line of its standard input; the letter follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// The program `openssl`.
    pub program: PathBuf,
    /// Its engine for GOST.
    pub engine: Option<String>,
    /// The folder of anchors.
    pub anchors: Option<PathBuf>,
    /// When the letter arrived: the moment at which certificates must be valid.
    pub arrived: DateTime<Utc>,
}

/// Checks signatures.
#[derive(Debug, Clone)]
pub struct Checker {
    /// This program.
    helper: PathBuf,
    config: SignatureConfig,
    patience: Duration,
}

impl Checker {
    /// A checker with the desk's anchors. The helper is the program that runs now, even if its file has been replaced since.
    pub fn new(config: SignatureConfig) -> Self {
        Self {
            helper: PathBuf::from("/proc/self/exe"),
            config,
            patience: PATIENCE,
        }
    }

    /// The same with another helper, for a program that is not postdesk.
    pub fn with_helper(self, helper: PathBuf) -> Self {
        Self { helper, ..self }
    }

    /// The same with less patience.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Every signature of a letter, as it came; none where nothing in it is signed. Never fails, and holds up no thread.
    pub async fn check(&self, raw: &[u8], arrived: DateTime<Utc>) -> Vec<SignatureCheck> {
        let done = tokio::time::timeout(self.patience, self.ask(raw, arrived)).await;
        let why = match done {
            Ok(Ok(checks)) => return checks,
            Ok(Err(error)) => {
                telemetry::trouble("signatures", &error);
                Obstacle::NoHelper
            }
            Err(_) => Obstacle::TooSlow,
        };
        vec![SignatureCheck::not_done(Form::Letter, why)]
    }

    async fn ask(&self, raw: &[u8], arrived: DateTime<Utc>) -> Result<Vec<SignatureCheck>> {
        let errand = Errand {
            program: self.config.program.clone(),
            engine: self.config.engine.clone(),
            anchors: self.config.anchors.clone(),
            arrived,
        };
        let mut errand = serde_json::to_vec(&errand)?;
        errand.push(b'\n');
        // Dropped in this order: first nobody runs any more, then the folder goes.
        let folder = Scratch::new()?;
        let mut helper = Running::start(&self.helper, &folder.0)?;
        let mut input = helper.0.stdin.take().context("The helper has no input")?;
        let output = helper.0.stdout.take().context("The helper has no output")?;
        let tell = async {
            // A helper that ends early says why by its exit code.
            let _ = input.write_all(&errand).await;
            let _ = input.write_all(raw).await;
            drop(input);
        };
        let mut report = Vec::new();
        let mut output = output.take(REPORT);
        let (_, read) = tokio::join!(tell, output.read_to_end(&mut report));
        read.context("The helper's report can't be read")?;
        let status = helper.0.wait().await?;
        anyhow::ensure!(
            status.success(),
            "The helper for signatures ended: {status}"
        );
        serde_json::from_slice(&report).context("The helper's report is none")
    }
}

/// The helper and all that it started, which end when this is dropped.
struct Running(Child);

impl Running {
    fn start(program: &Path, folder: &Path) -> Result<Self> {
        let child = Command::new(program)
            .arg(SUBCOMMAND)
            .env_clear()
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("The helper for signatures can't be started")?;
        Ok(Self(child))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // None once it has ended: by then its number may be another's.
        let group = self.0.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = group.and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// A folder for one helper, which goes with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let number = getrandom::u64().map_err(|e| anyhow!("No randomness: {e}"))?;
        let path = std::env::temp_dir().join(format!("postdesk-signatures-{number:016x}"));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("The folder {} can't be made", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
