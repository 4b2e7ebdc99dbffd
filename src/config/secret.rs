//! Secrets: where they come from, and who else could read them. A secret never stands in the configuration itself.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::mail::thread::Keys;

use super::Secret;
use super::fault::Fault;
use super::reading::Reading;
use super::section::Section;
use super::source::{Place, Placed};

/// No secret is larger; whatever is, is the wrong file.
const LARGEST: u64 = 64 * 1024;

/// How long a command may take to say the password.
const PATIENCE: Duration = Duration::from_secs(30);

const INLINE: &str =
    "a password in the configuration ends up in backups, version control and screenshots";

/// Reads a file that nobody but its owner may read; a fault is told at `at`, with `make` as the way to make one.
pub fn private_file(reading: &Reading, path: &Path, at: Place, make: &str) -> Option<String> {
    reading.look_at(path);
    let shown = path.display();
    let unreadable = |why: String| {
        Fault::error(at, format!("`{shown}` cannot be read"))
            .label(why)
            .why("without this secret the desk cannot start")
            .todo(make)
    };
    let text = match std::fs::metadata(path) {
        Err(error) => Err(unreadable(error.to_string())),
        Ok(about) if !about.is_file() => Err(unreadable("this is no file".to_owned())),
        Ok(about) if about.permissions().mode() & 0o077 != 0 => {
            let mode = about.permissions().mode() & 0o777;
            Err(Fault::error(at, format!("others may read `{shown}`"))
                .label(format!("its mode is {mode:04o}"))
                .why("whoever reads this secret can write letters in the desk's name")
                .todo(format!("chmod 600 {shown}")))
        }
        Ok(_) => contents(path).map_err(unreadable),
    };
    text.map_err(|fault| reading.fault(fault)).ok()
}

fn contents(path: &Path) -> Result<String, String> {
    let mut octets = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST).read_to_end(&mut octets))
        .map_err(|error| error.to_string())?;
    String::from_utf8(octets).map_err(|_| "it is not UTF-8 text".to_owned())
}

/// The sealing keys that `secret_file` names.
pub fn sealing_keys(section: &Section<'_>) -> Option<Keys> {
    let reading = section.reading();
    let name = section.text_or("secret_file", "secret");
    let path = reading.resolve(&name.value);
    let make = format!(
        "make one: `postdesk init NEWFOLDER` writes NEWFOLDER/secret, to be moved to {}",
        path.display()
    );
    let text = private_file(reading, &path, name.at, &make)?;
    match Keys::read(&text) {
        Ok(keys) => Some(keys),
        Err(what) => {
            reading.fault(
                Fault::error(name.at, format!("`{}` holds no keys", path.display()))
                    .label(what)
                    .why("these keys seal the tokens by which replies find their request")
                    .todo("each line is `ID HEX`: one digit or letter and 64 hexadecimal digits; `postdesk init DIR` makes one"),
            );
            None
        }
    }
}

/// The password of `[[mailbox]]` or `[smtp]`: exactly one of `password_file`, `password_command` and `credential`; none if there is none or it cannot be had.
pub fn password(section: &Section<'_>) -> Option<Placed<Secret>> {
    let reading = section.reading();
    refuse_inline(section);
    let file = section.text("password_file");
    let command = section
        .has("password_command")
        .map(|at| (at, section.texts("password_command", &[])));
    let credential = section.text("credential");
    let ways = [
        file.as_ref().map(|f| f.at),
        command.as_ref().map(|c| c.0),
        credential.as_ref().map(|c| c.at),
    ];
    let ways: Vec<Place> = ways.into_iter().flatten().collect();
    if let [first, second, ..] = ways.as_slice() {
        reading.fault(
            Fault::error(*second, "the password comes from two places")
                .label("and here")
                .also(*first, "it comes from here")
                .why("if the two differ, nobody can say which one counts")
                .todo("keep one of `password_file`, `password_command` and `credential`"),
        );
        return None;
    }
    if let Some(file) = file {
        let path = reading.resolve(&file.value);
        let shown = path.display();
        let make = format!("put the password into it: (umask 077; cat > {shown})");
        let text = private_file(reading, &path, file.at, &make)?;
        return one_line(section, &text, file.at);
    }
    if let Some((at, words)) = command {
        return said_by(section, &words, at);
    }
    let credential = credential?;
    let path = credential_path(reading, &credential)?;
    reading.look_at(&path);
    match contents(&path) {
        Ok(text) => one_line(section, &text, credential.at),
        Err(why) => {
            reading.fault(
                Fault::error(
                    credential.at,
                    format!("there is no credential `{}`", credential.value),
                )
                .label(why)
                .why("systemd puts credentials into the folder $CREDENTIALS_DIRECTORY")
                .todo(format!(
                    "add LoadCredential={}:/path/of/the/file to the unit",
                    credential.value
                )),
            );
            None
        }
    }
}

/// Whether any of the keys that [`password`] takes is written.
pub fn names_password(section: &Section<'_>) -> Option<Place> {
    ["password_file", "password_command", "credential"]
        .into_iter()
        .find_map(|key| section.has(key))
}

fn refuse_inline(section: &Section<'_>) {
    if let Some(at) = section.has("password") {
        section.reading().fault(
            Fault::error(at, "the password stands in the configuration itself")
                .label("not here")
                .why(INLINE)
                .todo("put it into a file of mode 0600 and write password_file = \"NAME\""),
        );
    }
    if let Some(at) = section.has("oauth2") {
        section.reading().fault(
            Fault::error(at, "`oauth2` is not available yet")
                .label("not in this version")
                .why("the desk would not be able to log in")
                .todo("use a password made for applications, by password_file = \"NAME\""),
        );
    }
}

fn credential_path(reading: &Reading, name: &Placed<String>) -> Option<std::path::PathBuf> {
    let Some(folder) = reading.variable("CREDENTIALS_DIRECTORY") else {
        reading.fault(
            Fault::error(name.at, "no credentials were passed to this process")
                .label("$CREDENTIALS_DIRECTORY is not set")
                .why("`credential` is for a service that systemd starts with LoadCredential=")
                .todo("start it by systemd, or write password_file = \"NAME\""),
        );
        return None;
    };
    if name.value.contains('/') || name.value.starts_with('.') {
        reading.fault(
            Fault::error(name.at, "the name of a credential is no path")
                .label("a plain name")
                .why("it is looked up in $CREDENTIALS_DIRECTORY and nowhere else")
                .todo("write the name that stands before the colon in LoadCredential="),
        );
        return None;
    }
    Some(Path::new(folder).join(&name.value))
}

fn one_line(section: &Section<'_>, text: &str, at: Place) -> Option<Placed<Secret>> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let what = if line.is_empty() {
        "the password is empty"
    } else if line.chars().any(char::is_control) {
        "the password has more than one line, or control characters"
    } else {
        section.note_at("password", "\"***\"", at);
        let value = Secret::new(line.to_owned());
        return Some(Placed { value, at });
    };
    section.reading().fault(
        Fault::error(at, what)
            .label("read from here")
            .why("no server takes it")
            .todo("let it give the password and nothing else, on one line"),
    );
    None
}

fn said_by(section: &Section<'_>, words: &[Placed<String>], at: Place) -> Option<Placed<Secret>> {
    let said = match words.split_first() {
        None => Err("it names no program".to_owned()),
        Some((program, arguments)) => {
            let arguments: Vec<&str> = arguments.iter().map(|a| a.value.as_str()).collect();
            run(&program.value, &arguments, &section.reading().resolve(""))
        }
    };
    match said {
        Ok(text) => one_line(section, &text, at),
        Err(why) => {
            section.reading().fault(
                Fault::error(at, "the command gave no password")
                    .label(why)
                    .why("without the password the desk cannot log in")
                    .todo("write program and arguments as a list, no shell: [\"pass\", \"show\", \"mail\"]"),
            );
            None
        }
    }
}

/// What a program prints; what it prints on its standard error is the operator's to see.
fn run(program: &str, arguments: &[&str], folder: &Path) -> Result<String, String> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    if !folder.as_os_str().is_empty() {
        command.current_dir(folder);
    }
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let (sender, receiver) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        // A thread, since a program that says nothing must not hold up the start for good.
        std::thread::spawn(move || {
            let mut octets = Vec::new();
            let read = output.take(LARGEST).read_to_end(&mut octets);
            let _ = sender.send(read.map(|_| octets));
        });
    }
    let said = receiver.recv_timeout(PATIENCE);
    if said.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let octets = said
        .map_err(|_| format!("it said nothing within {} seconds", PATIENCE.as_secs()))?
        .map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(status.to_string());
    }
    String::from_utf8(octets).map_err(|_| "it is not UTF-8 text".to_owned())
}
