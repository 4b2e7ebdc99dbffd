//! Runs the program itself in a folder of its own: what it prints, how it ends, how much processor time and memory it takes.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A desk of the demo's configuration, in a folder that goes away with it.
pub struct Desk {
    pub folder: tempfile::TempDir,
}

/// How one command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
    /// The processor time of all its threads: it says the same on a machine that does other work.
    pub took: Duration,
    /// The most resident memory it was seen to have, in MiB.
    pub peak: u64,
}

impl Desk {
    /// The demo's configuration and a secret, no database.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let init = folder.path().join("init");
        let made = run(&["init", init.to_str().unwrap()], "", folder.path());
        assert_eq!(made.code, Some(0), "{made:?}");
        std::fs::copy(init.join("secret"), folder.path().join("secret")).unwrap();
        std::fs::remove_dir_all(init).unwrap();
        std::fs::create_dir(folder.path().join("customers")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
        write("postdesk.toml", include_str!("../../demo/postdesk.toml")).unwrap();
        let customer = include_str!("../../demo/customers/raduga.toml");
        write("customers/raduga.toml", customer).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the desk's folder; gives its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.fed(arguments, "")
    }

    /// The same with something on standard input.
    pub fn fed(&self, arguments: &[&str], input: &str) -> Ended {
        let config = self.path("postdesk.toml");
        let mut all = vec!["-c", config.to_str().unwrap()];
        all.extend(arguments);
        run(&all, input, self.folder.path())
    }

    /// A command that must succeed and print one JSON value.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.err);
        serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{e}: {}", ended.out))
    }
}

/// Runs the program in a folder.
pub fn run(arguments: &[&str], input: &str, folder: &Path) -> Ended {
    let scratch = tempfile::tempdir().unwrap();
    let (out, err) = (scratch.path().join("out"), scratch.path().join("err"));
    let given = scratch.path().join("in");
    std::fs::write(&given, input).unwrap();
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_postdesk"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("POSTDESK_LOG")
        .stdin(Stdio::from(File::open(given).unwrap()))
        .stdout(Stdio::from(File::create(&out).unwrap()))
        .stderr(Stdio::from(File::create(&err).unwrap()))
        .spawn()
        .unwrap();
    let mut peak = 0;
    let took = loop {
        // Asked before it is waited for: what has ended is still there with all that it used.
        let (ended, took) = used(child.id());
        if ended {
            break took;
        }
        peak = peak.max(high_water(child.id()));
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let status = child.wait().unwrap();
    let read = |path| {
        let mut bytes = Vec::new();
        File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    Ended {
        code: status.code(),
        out: read(out),
        err: read(err),
        took,
        peak,
    }
}

/// Whether a child that nobody has waited for has ended, and the processor time of all its threads so far (proc(5): state, utime, stime).
fn used(pid: u32) -> (bool, Duration) {
    /// `USER_HZ`, which Linux keeps at this for programs.
    const TICKS: u64 = 100;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name before it may hold anything.
    let (_, after) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks: u64 = fields[11..=12]
        .iter()
        .map(|f| f.parse::<u64>().unwrap())
        .sum();
    (
        fields[0] == "Z",
        Duration::from_millis(ticks * 1000 / TICKS),
    )
}

/// What the system says was the most: `VmHWM` of a process that still runs, in MiB.
fn high_water(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
