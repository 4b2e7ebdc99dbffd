//! A server process that ends with the test that started it, even if the test is killed: a shell holds its process group and the test holds the shell's input.

use std::fs::{File, read_to_string};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// What the shell does. `set -m` gives the server its own process group, which is what is killed: exactly what was started, no name is looked for.
/// Its children may hold a port or write a file until they are gone, so the group is waited for; burying them is init's business.
/// The line `keep` stops the server only; an end of input (also by the death of the test) removes the folder as well.
const SCRIPT: &str = r#"
set -m
"$@" </dev/null >>"$GUARD_LOG" 2>&1 &
server=$!
echo "$server"
exec >/dev/null 2>&1
word=
read -r word
if [ "$GUARD_SIGNAL" != KILL ]; then kill -s "$GUARD_SIGNAL" "$server"; wait "$server"; fi
kill -s KILL -- "-$server"
wait
left() {
    local file stat
    for file in /proc/[0-9]*/stat; do
        read -r stat <"$file" || continue
        set -- ${stat##*) }
        if [ "$3" = "$server" ] && [ "$1" != Z ]; then return 0; fi
    done
    return 1
}
for _ in {1..500}; do left || break; sleep 0.01; done
if [ "$word" != keep ]; then rm -rf -- "$GUARD_FOLDER"; fi
"#;

/// How the server is told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At once, the whole group.
    Kill,
    /// By this signal to the server, which is waited for (PostgreSQL leaves shared memory behind otherwise).
    Signal(&'static str),
}

/// A user to run as.
#[derive(Debug, Clone, Copy)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Its main group.
    pub gid: u32,
}

/// A running server.
#[derive(Debug)]
pub struct Guarded {
    shell: Child,
    input: Option<ChildStdin>,
    pid: u32,
    log: PathBuf,
}

impl Guarded {
    /// Starts `command` in the foreground; its output goes to `folder/guard.log`, and `folder` goes with it in the end.
    pub fn start(command: &[String], folder: &Path, user: Option<User>, end: End) -> Self {
        let log = folder.join("guard.log");
        let signal = match end {
            End::Kill => "KILL",
            End::Signal(name) => name,
        };
        let mut shell = Command::new("bash");
        shell
            .args(["-c", SCRIPT, "guard"])
            .args(command)
            .env("GUARD_LOG", &log)
            .env("GUARD_SIGNAL", signal)
            .env("GUARD_FOLDER", folder)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0);
        if let Some(user) = user {
            shell.uid(user.uid).gid(user.gid);
        }
        let mut shell = shell.spawn().expect("bash starts");
        let input = shell.stdin.take();
        let mut line = String::new();
        let output = shell.stdout.take().expect("The shell's output");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("The shell's word");
        let pid = line
            .trim()
            .parse()
            .expect("The shell says the server's process id");
        Self {
            shell,
            input,
            pid,
            log,
        }
    }

    /// The server's own process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What it printed.
    pub fn printed(&self) -> String {
        read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it still runs.
    pub fn runs(&self) -> bool {
        let stat = read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        stat.rsplit_once(") ")
            .is_some_and(|(_, rest)| !rest.starts_with('Z'))
    }

    /// Ends it and leaves its folder as it is.
    pub fn end_and_keep_folder(mut self) {
        if let Some(mut input) = self.input.take() {
            input.write_all(b"keep\n").expect("The shell listens");
        }
        self.shell.wait().expect("The shell ends");
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.input.take());
        drop(self.shell.wait());
    }
}

/// Whether this process is root.
pub fn is_root() -> bool {
    me().uid == 0
}

/// Who this process is: the owner of its own entry in `/proc`.
pub fn me() -> User {
    use std::os::unix::fs::MetadataExt;
    let own = File::open("/proc/self")
        .and_then(|f| f.metadata())
        .expect("/proc/self");
    User {
        uid: own.uid(),
        gid: own.gid(),
    }
}

/// A user of this machine by name.
pub fn user(name: &str) -> Option<User> {
    let fields = entry("/etc/passwd", name)?;
    Some(User {
        uid: fields.get(2)?.parse().ok()?,
        gid: fields.get(3)?.parse().ok()?,
    })
}

/// The number of a group of this machine.
pub fn group(name: &str) -> Option<u32> {
    entry("/etc/group", name)?.get(2)?.parse().ok()
}

/// The name of the user or group with this number.
pub fn name_of(file: &str, number: u32) -> Option<String> {
    let text = read_to_string(file).ok()?;
    let number = number.to_string();
    text.lines()
        .map(|l| l.split(':').collect::<Vec<_>>())
        .find(|f| f.get(2) == Some(&number.as_str()))
        .map(|f| f[0].to_owned())
}

fn entry(file: &str, name: &str) -> Option<Vec<String>> {
    let text = read_to_string(file).ok()?;
    text.lines()
        .map(|l| l.split(':').map(str::to_owned).collect::<Vec<_>>())
        .find(|f| f.first().is_some_and(|n| n == name))
}
