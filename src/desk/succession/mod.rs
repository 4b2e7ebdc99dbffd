//! Representatives change (R28-R32): a procedure of its own, from the letter that asks for it to the day on which the successor takes office.

pub mod command;
pub(super) mod conduct;
pub mod effect;
pub mod evidence;
pub mod opening;
pub mod passing;
pub mod procedure;
pub(super) mod report;
pub mod told;
mod weighing;

#[cfg(test)]
mod tests;
