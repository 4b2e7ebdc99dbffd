//! The folder that takes letters as files, for trying out: written beside, then renamed, so that nobody sees half a letter.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::fs;
use tokio::io::AsyncWriteExt;

use crate::parcel::{Outcome, Parcel};

/// A folder that is used as a way out.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Takes a folder, making it if it isn't there.
    ///
    /// # Errors
    /// It can't be made.
    pub fn new(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path)
            .with_context(|| format!("The folder {} can't be made", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Puts a letter in. A second attempt of the same letter replaces the first file.
    pub async fn deliver(&mut self, parcel: &Parcel) -> Outcome {
        let name = file_name(parcel);
        match self.put(&name, &parcel.bytes).await {
            Ok(()) => Outcome::Sent(format!("kept as {name}")),
            Err(error) => Outcome::Later {
                why: format!("FOLDER: {error}"),
                unknown: false,
                after: None,
                account: true,
            },
        }
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let beside = self.path.join(format!(".{name}.tmp"));
        let mut file = fs::File::create(&beside).await?;
        file.write_all(bytes).await?;
        file.sync_all().await?;
        drop(file);
        fs::rename(&beside, self.path.join(name)).await?;
        // The name itself is only on the disk once the folder is (fsync(2)).
        fs::File::open(&self.path).await?.sync_all().await
    }
}

/// One Message-ID goes to one recipient, so it names the file. What a file name can't bear becomes `_`.
fn file_name(parcel: &Parcel) -> String {
    let plain: String = parcel
        .message_id
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+') {
                c
            } else {
                '_'
            }
        })
        .take(180)
        .collect();
    format!("{}.eml", plain.trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;

    fn parcel(message_id: &str, bytes: &[u8]) -> Parcel {
        Parcel {
            from: "support@desk.example".to_owned(),
            to: "maria@raduga.example".to_owned(),
            bytes: bytes.to_owned(),
            message_id: message_id.to_owned(),
        }
    }

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_second_attempt_replaces_the_same_file_and_nothing_else_is_left() {
        let place = tempfile::tempdir().unwrap();
        let mut folder = Folder::new(&place.path().join("out")).unwrap();
        for _ in 0..2 {
            let sent = folder.deliver(&parcel("1.a@desk.example", b"A\r\n")).await;
            assert!(matches!(sent, Outcome::Sent(_)), "{sent:?}");
        }
        folder.deliver(&parcel("2.b@desk.example", b"B\r\n")).await;
        assert_eq!(
            names(&place.path().join("out")),
            ["1.a@desk.example.eml", "2.b@desk.example.eml"]
        );
        assert_eq!(
            std::fs::read(place.path().join("out/1.a@desk.example.eml")).unwrap(),
            b"A\r\n"
        );
    }

    #[tokio::test]
    async fn a_name_never_leaves_the_folder() {
        let place = tempfile::tempdir().unwrap();
        let mut folder = Folder::new(&place.path().join("out")).unwrap();
        folder.deliver(&parcel("../../x/..@y", b"A\r\n")).await;
        assert_eq!(names(place.path()), ["out"]);
        assert_eq!(names(&place.path().join("out")), ["_.._x_..@y.eml"]);
    }

    #[tokio::test]
    async fn a_folder_that_is_gone_is_a_fault_of_the_way_not_of_the_letter() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("out");
        let mut folder = Folder::new(&path).unwrap();
        std::fs::remove_dir(&path).unwrap();
        let outcome = folder.deliver(&parcel("1@x", b"A\r\n")).await;
        assert!(
            matches!(outcome, Outcome::Later { account: true, .. }),
            "{outcome:?}"
        );
    }
}
