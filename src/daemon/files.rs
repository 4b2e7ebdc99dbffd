//! The files of the configuration, watched: told once after a change, when whoever changes them has come to rest.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::EventKind;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::telemetry;

/// An editor writes, renames, and sets modes; an upgrade writes file after file. After so much rest it is over.
const REST: Duration = Duration::from_millis(300);
/// Whoever never comes to rest is looked at all the same.
const LONGEST: Duration = Duration::from_secs(5);

/// What is watched. Folders are, not files: a file that is replaced by another of its name is another file.
#[derive(Debug)]
pub(super) struct Files {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    wanted: Arc<Mutex<BTreeSet<PathBuf>>>,
    touched: Arc<Notify>,
}

impl Files {
    /// Nothing is watched yet.
    pub(super) fn new() -> Self {
        Self {
            watcher: None,
            folders: BTreeSet::new(),
            wanted: Arc::default(),
            touched: Arc::default(),
        }
    }

    /// Watches these files and folders, and nothing else; what is not there is waited for.
    pub(super) fn follow(&mut self, looked_at: &BTreeSet<PathBuf>) {
        let wanted = with_targets(looked_at);
        let mut folders: BTreeSet<PathBuf> =
            wanted.iter().filter(|p| p.is_dir()).cloned().collect();
        folders.extend(
            wanted
                .iter()
                .filter_map(|p| p.parent())
                .filter(|p| p.is_dir())
                .map(Path::to_path_buf),
        );
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = wanted;
        if folders.is_empty() {
            (self.watcher, self.folders) = (None, folders);
            return;
        }
        if self.watcher.is_none() {
            self.folders.clear();
            match watcher(self.wanted.clone(), self.touched.clone()) {
                Ok(watcher) => self.watcher = Some(watcher),
                Err(error) => return telemetry::not_watching(&error.to_string()),
            }
        }
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        for gone in self.folders.difference(&folders) {
            // One that was removed is watched no more by itself.
            let _ = watcher.unwatch(gone);
        }
        let mut kept = BTreeSet::new();
        for folder in folders {
            // Watched again where it may be a new folder of the same name.
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    kept.insert(folder);
                }
                Err(error) => telemetry::not_watching(&error.to_string()),
            }
        }
        self.folders = kept;
    }

    /// Returns once something changed and nothing has for a moment. May be dropped and called again.
    pub(super) async fn changed(&self) {
        self.touched.notified().await;
        let quiet = async { while timeout(REST, self.touched.notified()).await.is_ok() {} };
        tokio::select! {
            () = quiet => {}
            () = sleep(LONGEST) => {}
        }
    }

    /// Has [`Files::changed`] return.
    pub(super) fn touch(&self) {
        self.touched.notify_one();
    }
}

/// Absolute paths, and where links lead: an administrator's link into another folder is watched at both ends.
fn with_targets(paths: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    let absolute = paths.iter().filter_map(|p| std::path::absolute(p).ok());
    let targets = paths.iter().filter_map(|p| p.canonicalize().ok());
    absolute.chain(targets).collect()
}

fn watcher(
    wanted: Arc<Mutex<BTreeSet<PathBuf>>>,
    touched: Arc<Notify>,
) -> notify::Result<RecommendedWatcher> {
    notify::recommended_watcher(move |event: notify::Result<Event>| {
        let wanted = wanted.lock().unwrap_or_else(PoisonError::into_inner);
        // An error may have cost events.
        if event.is_ok_and(|e| !e.need_rescan() && !matters(&e, &wanted)) {
            return;
        }
        touched.notify_one();
    })
}

/// Whether an event may have changed what the configuration comes to. That somebody reads a file, as the desk itself does, changes nothing.
fn matters(event: &Event, wanted: &BTreeSet<PathBuf>) -> bool {
    if !matches!(
        event.kind,
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Any
    ) {
        return false;
    }
    event.paths.iter().any(|path| {
        let hidden = path.file_name().is_some_and(|n| {
            let name = n.to_string_lossy();
            name.starts_with('.') || name.ends_with('~')
        });
        wanted.contains(path)
            || !hidden && path.parent().is_some_and(|folder| wanted.contains(folder))
    })
}

/// What these files hold and these folders list, as one value: the same as long as nothing changed.
pub(super) fn fingerprint(paths: &BTreeSet<PathBuf>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for path in paths {
        hash.update(path.as_os_str().as_encoded_bytes());
        match std::fs::metadata(path) {
            Ok(about) if about.is_file() => {
                use std::os::unix::fs::PermissionsExt as _;
                hash.update(about.permissions().mode().to_be_bytes());
                let octets = std::fs::read(path).unwrap_or_default();
                hash.update(Sha256::digest(octets));
            }
            Ok(about) if about.is_dir() => {
                let names = std::fs::read_dir(path).into_iter().flatten().flatten();
                let names: BTreeSet<_> = names.map(|e| e.file_name()).collect();
                for name in names {
                    hash.update(name.as_encoded_bytes());
                    hash.update([0]);
                }
            }
            _ => hash.update([1]),
        }
    }
    hash.finalize().into()
}
