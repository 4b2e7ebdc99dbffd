//! How values stand in columns that know only whole numbers, text and octets: moments, days, digests, compressed bytes.

use std::fmt;

use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};

/// A moment as the store writes it: microseconds since the epoch.
pub(crate) fn micros(moment: DateTime<Utc>) -> i64 {
    moment.timestamp_micros()
}

/// A moment as the store wrote it.
pub(crate) fn moment(micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
        .with_context(|| format!("The database holds {micros} where a moment should be"))
}

/// Bytes as the store holds them. Level 1: the letters that people send are mostly base64 and text, where more effort gains little.
pub(crate) fn pack(bytes: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::compress(bytes, 1).context("Can't compress")
}

/// Bytes made ready for the store by whoever has them, before a lock is taken for writing them.
#[derive(Clone, PartialEq, Eq)]
pub struct Pressed {
    packed: Vec<u8>,
    sha256: [u8; 32],
}

impl Pressed {
    /// Presses bytes.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        Ok(Self {
            packed: pack(bytes)?,
            sha256: Sha256::digest(bytes).into(),
        })
    }

    /// As the store holds them.
    pub(crate) fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// SHA-256 of the bytes as they were.
    pub(crate) fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

impl fmt::Debug for Pressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pressed({} octets)", self.packed.len())
    }
}

/// Bytes as they were, given their number.
pub(crate) fn unpack(packed: &[u8], size: i64) -> Result<Vec<u8>> {
    zstd::bulk::decompress(packed, usize::try_from(size)?)
        .context("The database holds a letter that can't be unpacked")
}

/// A text of our own making as it was.
pub(crate) fn unpack_text(packed: &[u8]) -> Result<String> {
    String::from_utf8(unpack_bytes(packed)?).context("The database holds a text that is not UTF-8")
}

/// A SHA-256 as the store holds it.
pub(crate) fn digest(bytes: &[u8]) -> Result<[u8; 32]> {
    <[u8; 32]>::try_from(bytes).context("The database holds a digest of another length")
}

/// A day of the desk's calendar as the store writes it, `2026-11-23`.
pub(crate) fn day_text(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

/// The same as the store wrote it.
pub(crate) fn day(text: &str) -> Result<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .context("The database holds something else where a day should be")
}

/// Bytes of our own making as they were.
pub(crate) fn unpack_bytes(packed: &[u8]) -> Result<Vec<u8>> {
    zstd::stream::decode_all(packed).context("The database holds something that can't be unpacked")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::store::testing::minute;

    #[test]
    fn moments_survive() {
        assert_eq!(moment(micros(minute(3))).unwrap(), minute(3));
        assert!(moment(i64::MAX).is_err());
    }

    #[test]
    fn bytes_survive() {
        for bytes in [&b""[..], b"one", &[0; 100_000]] {
            let packed = pack(bytes).unwrap();
            assert_eq!(unpack_bytes(&packed).unwrap(), bytes);
            assert_eq!(
                unpack(&packed, i64::try_from(bytes.len()).unwrap()).unwrap(),
                bytes
            );
        }
        assert!(
            unpack(&pack(&[0; 100]).unwrap(), 99).is_err(),
            "never more than was promised"
        );
        assert!(unpack_bytes(b"nonsense").is_err());
    }
}
