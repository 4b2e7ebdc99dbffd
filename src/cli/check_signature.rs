//! `postdesk check-signature`: the process that checks signatures, started by the daemon and by nobody else.

use crate::signature::examiner;

use super::failure::Failure;

/// Reads an errand and a letter from standard input, and says what was found.
///
/// # Errors
/// It can't be shut in, or it was not started by the daemon.
pub fn check_signature() -> Result<(), Failure> {
    Ok(examiner::run()?)
}
