//! From a connection to a logged-in one: greeting, STARTTLS, capabilities, name and password.

use super::connect::{dial, protect};
use super::fault::ImapFault;
use super::guard::Transport;
use super::pace::Pace;
use super::syntax::{is_plain, plain_response, quoted};
use super::told::{Kind, Told};
use super::wire::{Answer, Wire, small, within};
use crate::config::{ImapConfig, Login, Tls};

/// Connects and logs in.
pub(super) async fn log_in(config: &ImapConfig, pace: Pace) -> Result<Wire, ImapFault> {
    let endpoint = &config.endpoint;
    let bare: Box<dyn Transport> = Box::new(dial(endpoint, pace).await?);
    let mut wire = match endpoint.tls {
        Tls::Implicit => Wire::new(protect(bare, endpoint, pace).await?, pace),
        Tls::StartTls | Tls::None => Wire::new(bare, pace),
    };
    let mut known = greet(&mut wire).await?;
    if known && endpoint.tls != Tls::Implicit {
        // RFC 9051 section 11.1: who puts PREAUTH before TLS keeps us from it.
        let why = "the server takes us for logged in before the connection is protected (PREAUTH)";
        return Err(ImapFault::Tls(why.to_owned()));
    }
    if endpoint.tls == Tls::StartTls {
        wire = start_tls(wire, config, pace).await?;
        known = false;
    }
    if !known {
        learn(&mut wire).await?;
        authenticate(&mut wire, &config.login).await?;
    }
    learn(&mut wire).await?;
    Ok(wire)
}

/// Reads the greeting; true if the server takes us for logged in.
async fn greet(wire: &mut Wire) -> Result<bool, ImapFault> {
    let deadline = within(wire.pace.answer);
    let told = wire.response("its greeting", deadline).await?;
    wire.note(&told)?;
    if let Told::Status(word) = told {
        return match word.kind {
            Kind::Ok => Ok(false),
            Kind::Preauth => Ok(true),
            Kind::No | Kind::Bad | Kind::Bye => Err(ImapFault::Disconnected(word.said)),
        };
    }
    let why = "it does not begin with a greeting".to_owned();
    Err(ImapFault::Protocol(why))
}

/// Turns a connection in clear into one in TLS, or fails: there is no way on without. Nothing that was said before is kept.
async fn start_tls(mut wire: Wire, config: &ImapConfig, pace: Pace) -> Result<Wire, ImapFault> {
    match wire.run("STARTTLS", "STARTTLS").await? {
        Answer::Ok => {}
        Answer::No(why) | Answer::Bad(why) => {
            let why = format!("the server does not begin TLS: {why}");
            return Err(ImapFault::Tls(why));
        }
    }
    let Some(clean) = wire.into_clean() else {
        let why = "bytes were put into the connection before TLS began".to_owned();
        return Err(ImapFault::Tls(why));
    };
    Ok(Wire::new(
        protect(clean, &config.endpoint, pace).await?,
        pace,
    ))
}

/// Asks for the capabilities, unless the server has told them by itself.
async fn learn(wire: &mut Wire) -> Result<(), ImapFault> {
    if wire.news.capabilities.is_some() {
        return Ok(());
    }
    wire.run("CAPABILITY", "CAPABILITY")
        .await?
        .done("CAPABILITY")?;
    if wire.news.capabilities.is_none() {
        let why = "it does not say what it can do".to_owned();
        return Err(ImapFault::Protocol(why));
    }
    Ok(())
}

async fn authenticate(wire: &mut Wire, login: &Login) -> Result<(), ImapFault> {
    let password = login.password.reveal();
    let plain = is_plain(&login.username) && is_plain(password);
    let answer = if plain && !wire.can("LOGINDISABLED") {
        let command = format!("LOGIN {} {}", quoted(&login.username), quoted(password));
        // What the server can do often changes with the login.
        wire.news.capabilities = None;
        wire.run("LOGIN", &command).await?
    } else if wire.can("AUTH=PLAIN") {
        wire.news.capabilities = None;
        authenticate_plain(wire, &plain_response(&login.username, password)).await?
    } else if plain {
        let why = "it takes no password here (LOGINDISABLED); is TLS configured?".to_owned();
        return Err(ImapFault::Refused(why));
    } else {
        let why = "it has no way to take a password that is not ASCII (AUTH=PLAIN)".to_owned();
        return Err(ImapFault::Refused(why));
    };
    match answer {
        Answer::Ok => Ok(()),
        Answer::No(why) if is_for_now(&why) => Err(ImapFault::Refused(why)),
        Answer::No(why) => Err(ImapFault::Auth(why)),
        Answer::Bad(why) => Err(ImapFault::Refused(why)),
    }
}

async fn authenticate_plain(wire: &mut Wire, response: &str) -> Result<Answer, ImapFault> {
    let what = "AUTHENTICATE";
    let deadline = within(wire.pace.answer);
    let allowance = small(wire.pace);
    let tag = wire
        .begin(what, "AUTHENTICATE PLAIN", allowance, deadline)
        .await?;
    if let Some(answer) = wire.until_continue(what, &tag, deadline).await? {
        return Ok(answer);
    }
    wire.write(what, response, deadline).await?;
    wire.finish(what, &tag, deadline, |_| ()).await
}

/// A NO that is not about the password (RFC 5530; Dovecot, Courier and Exchange say LIMIT and INUSE): trying again soon is no guessing.
fn is_for_now(said: &str) -> bool {
    ["[UNAVAILABLE]", "[LIMIT]", "[INUSE]", "[SERVERBUG]"]
        .iter()
        .any(|code| {
            said.get(..code.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(code))
        })
}
