//! The rules: the regulation as pure code. Values in, a [`decide::Decision`] out; no clock, no I/O, no `async`, and nothing here can fail.

pub mod address;
pub mod assurance;
pub mod authority;
pub mod calendar;
pub mod deadline;
pub mod decide;
mod draft;
pub mod event;
pub mod installation;
pub mod kind;
pub mod letter;
mod lookalike;
mod naming;
pub mod notice;
mod outsider;
pub mod people;
pub mod policy;
pub mod production;
mod reception;
mod registration;
mod reply;
mod representative;
pub mod request;
pub mod subject;
mod telling;
mod timing;
pub mod words;
