//! What the DNS said when it was asked for the texts of a name.

/// The answer to one question for TXT records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// These records, each with its strings joined.
    Found {
        /// The texts.
        texts: Vec<String>,
        /// Whether the resolver vouches for them (DNSSEC, the AD bit of RFC 4035 3.2.3).
        secure: bool,
    },
    /// There is no such name, or none with a text.
    Nothing,
    /// Nobody knows: silence, a failing server, nonsense. It may be asked again later.
    Silent(&'static str),
}
