//! Bytes to a [`Letter`]: never fails, never trusts; what it could not read stands in the letter's faults.

use crate::desk::letter::Letter;

/// Caps on what is read of one letter (S31); past them the rest is left unread and a fault says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Octets of the header block.
    pub header_bytes: usize,
    /// MIME parts.
    pub parts: usize,
    /// Depth of nesting.
    pub depth: usize,
    /// Octets of decoded text kept.
    pub text_bytes: usize,
    /// Addresses read from one field.
    pub addresses: usize,
}

impl Caps {
    /// The caps of the product; `docs` say why these.
    pub const DEFAULT: Self = Self {
        header_bytes: 1 << 20,
        parts: 2_000,
        depth: 100,
        text_bytes: 4 << 20,
        addresses: 1_000,
    };
}

/// Reads a letter. `own_addresses` tells the desk's own letters come back (R46).
pub fn read(raw: &[u8], caps: Caps) -> Letter {
    let _ = (raw, caps);
    todo!()
}
