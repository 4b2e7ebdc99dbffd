//! Every way a configuration can be wrong is a folder in `bad_configs/`, and must be refused for that reason, in these words. `UPDATE=1` rewrites the words (K101).
//!
//! A folder holds `postdesk.toml`, mostly `customers/`, and `expected`; besides, where the case is about that:
//! `env` (one `NAME=value` a line) and `files` (one `MODE NAME` or `absent NAME` a line).
//! A sound `secret` and passwords of mode 0600 are put beside it, unless `files` says otherwise.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use postdesk::config::load::load;

fn now() -> DateTime<Utc> {
    "2026-08-21T09:00:00Z".parse().unwrap()
}

#[test]
fn every_bad_configuration_is_refused_for_its_reason() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_configs");
    let mut folders: Vec<PathBuf> = fs::read_dir(&cases)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    folders.sort();
    assert!(folders.len() >= 40, "only {} cases", folders.len());
    let wrong: Vec<String> = folders.iter().filter_map(|f| check(f)).collect();
    assert!(
        wrong.is_empty(),
        "{}\n\nUPDATE=1 cargo test --test bad_configs rewrites what is expected",
        wrong.join("\n\n")
    );
}

/// Says what differs, if anything does.
fn check(case: &Path) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    lay_out(case, folder.path());
    let env = fs::read_to_string(case.join("env")).unwrap_or_default();
    let env = env.lines().map(|line| {
        let (name, value) = line.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    });
    let said = match load(&folder.path().join("postdesk.toml"), env, now()) {
        Err(faults) => faults.to_string(),
        Ok(loaded) => {
            let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
            format!("{}\n\nloaded with warnings", warnings.join("\n\n"))
        }
    };
    let prefix = format!("{}/", folder.path().display());
    let said = format!("{}\n", said.replace(&prefix, "").trim_end());
    let expected = case.join("expected");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&expected, &said).unwrap();
    }
    let wanted = fs::read_to_string(&expected).unwrap_or_default();
    let name = case.file_name().unwrap().to_string_lossy();
    // A secret that a message shows would stand in logs and reports of faults.
    assert!(!said.contains("hunter2"), "{name} shows a secret:\n{said}");
    (said != wanted).then(|| format!("== {name}: expected\n{wanted}\n== but was\n{said}"))
}

fn lay_out(case: &Path, folder: &Path) {
    let key = "0123456789abcdef".repeat(4);
    write(folder, "secret", &format!("a {key}\n"));
    write(folder, "imap-password", "hunter2\n");
    write(folder, "smtp-password", "hunter2\n");
    copy(case, folder);
    for name in ["secret", "imap-password", "smtp-password"] {
        set_mode(&folder.join(name), 0o600);
    }
    let files = fs::read_to_string(case.join("files")).unwrap_or_default();
    for line in files.lines() {
        let (mode, name) = line.split_once(' ').unwrap();
        let path = folder.join(name);
        match mode {
            "absent" => fs::remove_file(path).unwrap(),
            "folder" => {
                let _ = fs::remove_file(&path);
                fs::create_dir(path).unwrap();
            }
            mode => set_mode(&path, u32::from_str_radix(mode, 8).unwrap()),
        }
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap().path();
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry, &target);
        } else {
            fs::copy(&entry, &target).unwrap();
        }
    }
}
