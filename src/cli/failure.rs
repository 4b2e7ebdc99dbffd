//! How a command ends: what went wrong, said in one chain, and the exit code that scripts rely on.

use std::fmt;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// A check found something; it has been told on standard output.
    Found,
    /// The command line asks for what there isn't.
    Usage(String),
    /// Something is not reachable or busy now.
    TryAgain(anyhow::Error),
    /// The configuration is bad; every fault, rendered.
    Configuration(String),
    /// Anything else.
    Broken(anyhow::Error),
}

impl Failure {
    /// The exit code: 1 found, 2 usage, 75 try again later, 78 configuration.
    pub fn code(&self) -> u8 {
        match self {
            Self::Found | Self::Broken(_) => 1,
            Self::Usage(_) => 2,
            Self::TryAgain(_) => 75,
            Self::Configuration(_) => 78,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found => Ok(()),
            Self::Usage(what) => write!(f, "error: {what}\nFor help, add --help"),
            Self::TryAgain(error) => {
                write!(f, "error: {error:#}\nNothing was lost: try again later")
            }
            Self::Configuration(faults) => f.write_str(faults),
            Self::Broken(error) => write!(f, "error: {error:#}"),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Broken(error)
    }
}
