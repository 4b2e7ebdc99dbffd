//! What our own mail server established about the sender (R13): `Authentication-Results` of the configured authserv-ids, topmost only.

use crate::desk::assurance::SenderAssurance;
use crate::desk::letter::Letter;

/// Judges a letter by the raw header block. `authserv_ids` are the configured names of our own server; with none, no header counts.
pub fn judge(raw: &[u8], letter: &Letter, authserv_ids: &[String]) -> SenderAssurance {
    let _ = (raw, letter, authserv_ids);
    todo!()
}
