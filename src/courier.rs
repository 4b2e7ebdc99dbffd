//! The courier: one letter's bytes to one recipient; Sent, Later or Never back. Over SMTP, or into a folder.

use anyhow::Result;

use crate::config::CourierConfig;
use crate::folder::Folder;
use crate::parcel::{Outcome, Parcel};
use crate::smtp::patience::Patience;
use crate::smtp::relay::Relay;

/// One way out. It carries one letter at a time; several at once need several couriers.
#[derive(Debug)]
pub enum Courier {
    /// Over SMTP, on a connection that is kept between letters.
    Smtp(Box<Relay>),
    /// Into a folder.
    Folder(Folder),
}

impl Courier {
    /// A courier for this way; it connects with the first letter, not here.
    ///
    /// # Errors
    /// A certificate file can't be read, or the folder can't be made.
    pub fn new(config: &CourierConfig) -> Result<Self> {
        Self::with_patience(config, Patience::default())
    }

    /// The same, with other limits of time.
    ///
    /// # Errors
    /// As [`Courier::new`].
    pub fn with_patience(config: &CourierConfig, patience: Patience) -> Result<Self> {
        match config {
            CourierConfig::Smtp {
                endpoint, login, ..
            } => Ok(Self::Smtp(Box::new(Relay::new(
                endpoint.clone(),
                login.clone(),
                patience,
            )?))),
            CourierConfig::Folder(path) => Ok(Self::Folder(Folder::new(path)?)),
        }
    }

    /// As many couriers as the configuration allows connections.
    ///
    /// # Errors
    /// As [`Courier::new`].
    pub fn all(config: &CourierConfig) -> Result<Vec<Self>> {
        let count = match config {
            CourierConfig::Smtp { connections, .. } => (*connections).max(1),
            CourierConfig::Folder(_) => 1,
        };
        (0..count).map(|_| Self::new(config)).collect()
    }

    /// Carries one letter; every wait in it is bounded. Dropping it half-way closes the connection and leaves the fate unknown.
    pub async fn deliver(&mut self, parcel: &Parcel) -> Outcome {
        match self {
            Self::Smtp(relay) => relay.deliver(parcel).await,
            Self::Folder(folder) => folder.deliver(parcel).await,
        }
    }

    /// Connects and logs in, if it isn't, and asks the server whether it is still there. For `check --connect`.
    ///
    /// # Errors
    /// The reason in one line.
    pub async fn check(&mut self) -> Result<(), String> {
        match self {
            Self::Smtp(relay) => relay.check().await,
            Self::Folder(_) => Ok(()),
        }
    }

    /// Whether it holds a connection that has had nothing to do for long.
    pub fn is_tired(&self) -> bool {
        match self {
            Self::Smtp(relay) => relay.is_tired(),
            Self::Folder(_) => false,
        }
    }

    /// Says goodbye.
    pub async fn close(&mut self) {
        match self {
            Self::Smtp(relay) => relay.close().await,
            Self::Folder(_) => (),
        }
    }
}
