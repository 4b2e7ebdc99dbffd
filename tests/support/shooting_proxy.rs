//! Stands between a daemon and its mail server, passes on what they say, and kills the daemon at a chosen moment of their conversation.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::trial_desk::Target;

/// Everything that was said in one connection: by the client, by the server.
#[derive(Default)]
struct Said {
    client: String,
    server: String,
}

type Moment = dyn Fn(&str, &str) -> bool + Send + Sync;

/// Starts one in front of the port `to`; gives back its own port. As soon as `moment` holds of what client and server have said in one
/// connection, `target` is shot, once: before a client's word is passed on, in the middle of a server's. Its threads end with the program.
pub fn start(
    to: u16,
    target: Target,
    moment: impl Fn(&str, &str) -> bool + Send + Sync + 'static,
) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("A free loopback port");
    let port = listener.local_addr().expect("A bound port").port();
    // None once the shot is fired.
    let shot = Arc::new(Mutex::new(Some((target, Box::new(moment) as Box<Moment>))));
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else {
                continue;
            };
            let said = Arc::new(Mutex::new(Said::default()));
            for is_client in [true, false] {
                let (from, into) = if is_client {
                    (&client, &server)
                } else {
                    (&server, &client)
                };
                let (from, into) = (from.try_clone().unwrap(), into.try_clone().unwrap());
                let (said, shot) = (Arc::clone(&said), Arc::clone(&shot));
                thread::spawn(move || pass_on(from, into, is_client, &said, &shot));
            }
        }
    });
    port
}

fn pass_on(
    mut from: TcpStream,
    mut into: TcpStream,
    is_client: bool,
    said: &Mutex<Said>,
    shot: &Mutex<Option<(Target, Box<Moment>)>>,
) {
    let mut chunk = [0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        let chunk = &chunk[..count];
        let mut said = said.lock().unwrap();
        let text = String::from_utf8_lossy(chunk);
        if is_client {
            said.client.push_str(&text);
        } else {
            said.server.push_str(&text);
        }
        let mut shot = shot.lock().unwrap();
        if shot
            .as_ref()
            .is_some_and(|(_, moment)| moment(&said.client, &said.server))
        {
            let (target, _) = shot.take().unwrap();
            if !is_client {
                drop(into.write_all(&chunk[..count / 2]));
            }
            target.shoot();
            break;
        }
        drop((said, shot));
        if into.write_all(chunk).is_err() {
            break;
        }
    }
    drop(into.shutdown(Shutdown::Both));
    drop(from.shutdown(Shutdown::Both));
}
