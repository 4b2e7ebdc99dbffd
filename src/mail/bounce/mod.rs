//! Bounces: reports that a letter of ours did not arrive, in every shape that mail systems give them (R47).

mod cause;
mod phrases;
pub(crate) mod report;
mod returned;
pub(crate) mod shape;
mod status;
mod story;
mod told;
