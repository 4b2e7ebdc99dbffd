//! Letters out over SMTP, stage by stage; lettre's transport lives here only.

pub mod answer;
pub mod breaker;
pub mod fault;
pub mod opening;
pub mod patience;
pub mod relay;
pub mod wire;
