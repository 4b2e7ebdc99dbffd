//! A small IMAP server that says EXISTS at once (Dovecot waits half a second): one folder, one account, enough commands for a reader that idles.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// A running server. Its threads end with the program.
#[derive(Debug, Clone)]
pub struct IdleImap {
    /// Its port on the loopback address, without TLS.
    pub port: u16,
    room: Arc<Room>,
}

#[derive(Debug, Default)]
struct Room {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// UID n is letter n - 1; nothing is ever removed.
    letters: Vec<Arc<Vec<u8>>>,
    /// Who waits in IDLE, by number of the connection.
    idlers: Vec<(usize, TcpStream)>,
    calls: usize,
    logins: usize,
}

impl IdleImap {
    /// Starts one with an empty INBOX; any user name and password will do.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("A free loopback port");
        let port = listener.local_addr().expect("A bound port").port();
        let room = Arc::new(Room::default());
        let shared = Arc::clone(&room);
        thread::spawn(move || {
            for call in listener.incoming().flatten() {
                let room = Arc::clone(&shared);
                thread::spawn(move || {
                    let number = {
                        let mut state = room.state.lock().expect("The room");
                        state.calls += 1;
                        state.calls
                    };
                    // A client that hangs up ends its own conversation only.
                    drop(converse(call, &room, number));
                    room.lock().idlers.retain(|(n, _)| *n != number);
                });
            }
        });
        Self { port, room }
    }

    /// Waits until a client is in IDLE; whether one is within `limit`.
    pub fn someone_idles(&self, limit: Duration) -> bool {
        let state = self.room.lock();
        let (state, _) = self
            .room
            .changed
            .wait_timeout_while(state, limit, |s| s.idlers.is_empty())
            .expect("The room");
        !state.idlers.is_empty()
    }

    /// Puts a letter into the INBOX, tells everyone in IDLE, and says when that was (just before the line was written).
    pub fn put(&self, letter: Vec<u8>) -> Instant {
        let mut state = self.room.lock();
        state.letters.push(Arc::new(letter));
        let line = format!("* {} EXISTS\r\n", state.letters.len());
        let said = Instant::now();
        for (_, idler) in &mut state.idlers {
            // Who hung up is taken off the list by its own conversation.
            drop(idler.write_all(line.as_bytes()));
        }
        said
    }

    /// How many times a client logged in.
    pub fn logins(&self) -> usize {
        self.room.lock().logins
    }
}

impl Room {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("The room")
    }
}

fn converse(call: TcpStream, room: &Room, number: usize) -> std::io::Result<()> {
    call.set_nodelay(true)?;
    let mut output = call.try_clone()?;
    let mut input = BufReader::new(call);
    output.write_all(b"* OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE AUTH=PLAIN] desk.test\r\n")?;
    loop {
        let Some(line) = line(&mut input)? else {
            return Ok(());
        };
        let (tag, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let (verb, arguments) = rest.split_once(' ').unwrap_or((rest, ""));
        let done = match verb.to_ascii_uppercase().as_str() {
            "IDLE" => idle(&mut input, &mut output, room, number)?,
            "AUTHENTICATE" => {
                if !arguments.trim().contains(' ') {
                    output.write_all(b"+ \r\n")?;
                    drop(self::line(&mut input)?);
                }
                room.lock().logins += 1;
                "OK logged in"
            }
            "LOGIN" => {
                room.lock().logins += 1;
                "OK logged in"
            }
            "UID" => uid(&mut output, room, arguments)?,
            "LOGOUT" => {
                output.write_all(format!("* BYE\r\n{tag} OK\r\n").as_bytes())?;
                return Ok(());
            }
            other => plain(&mut output, room, other, arguments)?,
        };
        output.write_all(format!("{tag} {done}\r\n").as_bytes())?;
    }
}

/// Commands that are one answer and nothing more.
fn plain(
    output: &mut TcpStream,
    room: &Room,
    verb: &str,
    arguments: &str,
) -> std::io::Result<&'static str> {
    let count = room.lock().letters.len();
    let text = match verb {
        "CAPABILITY" => "* CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE AUTH=PLAIN\r\n".to_owned(),
        "NOOP" | "CHECK" => format!("* {count} EXISTS\r\n"),
        "SELECT" | "EXAMINE" => format!(
            "* FLAGS (\\Seen \\Deleted)\r\n* OK [PERMANENTFLAGS (\\Seen \\Deleted)] ok\r\n* {count} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT {}] ok\r\n",
            count + 1
        ),
        "STATUS" => {
            let name = arguments.split(" (").next().unwrap_or("INBOX");
            format!(
                "* STATUS {name} (MESSAGES {count} UIDNEXT {} UIDVALIDITY 7)\r\n",
                count + 1
            )
        }
        "LIST" => "* LIST (\\HasNoChildren) \"/\" INBOX\r\n".to_owned(),
        "ID" => "* ID NIL\r\n".to_owned(),
        "CLOSE" | "UNSELECT" | "ENABLE" => String::new(),
        _ => return Ok("BAD unknown"),
    };
    output.write_all(text.as_bytes())?;
    Ok("OK done")
}

fn idle(
    input: &mut BufReader<TcpStream>,
    output: &mut TcpStream,
    room: &Room,
    number: usize,
) -> std::io::Result<&'static str> {
    {
        // Under the lock, so that no EXISTS comes before the "+", and none is missed that came before the list.
        let mut state = room.lock();
        output.write_all(b"+ idling\r\n")?;
        state.idlers.push((number, output.try_clone()?));
    }
    room.changed.notify_all();
    let word = line(input)?.unwrap_or_default();
    room.lock().idlers.retain(|(n, _)| *n != number);
    Ok(if word.eq_ignore_ascii_case("DONE") {
        "OK idle ended"
    } else {
        "BAD not DONE"
    })
}

fn uid(output: &mut TcpStream, room: &Room, arguments: &str) -> std::io::Result<&'static str> {
    let (verb, rest) = arguments.split_once(' ').unwrap_or((arguments, ""));
    let letters = room.lock().letters.clone();
    match verb.to_ascii_uppercase().as_str() {
        "SEARCH" => {
            let upper = rest.to_ascii_uppercase();
            let set = upper
                .split_once("UID ")
                .map_or("1:*", |(_, s)| s.split(' ').next().unwrap_or("1:*"));
            let found: Vec<String> = members(set, letters.len())
                .iter()
                .map(usize::to_string)
                .collect();
            output.write_all(format!("* SEARCH {}\r\n", found.join(" ")).as_bytes())?;
        }
        "FETCH" => {
            let (set, items) = rest.split_once(' ').unwrap_or((rest, ""));
            for uid in members(set, letters.len()) {
                output.write_all(&fetched(uid, &letters[uid - 1], items))?;
            }
        }
        "STORE" | "MOVE" | "COPY" | "EXPUNGE" => {}
        _ => return Ok("BAD unknown"),
    }
    Ok("OK done")
}

/// One FETCH response with the items that were asked for.
fn fetched(uid: usize, letter: &[u8], items: &str) -> Vec<u8> {
    let upper = items.to_ascii_uppercase();
    let mut answer = format!("* {uid} FETCH (UID {uid}").into_bytes();
    if upper.contains("FLAGS") {
        answer.extend_from_slice(b" FLAGS ()");
    }
    if upper.contains("INTERNALDATE") {
        answer.extend_from_slice(b" INTERNALDATE \"20-Nov-2026 12:00:00 +0000\"");
    }
    if upper.contains("RFC822.SIZE") {
        answer.extend_from_slice(format!(" RFC822.SIZE {}", letter.len()).as_bytes());
    }
    if let Some((_, asked)) = upper.split_once("BODY.PEEK[") {
        let (section, rest) = asked.split_once(']').unwrap_or(("", ""));
        let whole = if section.starts_with("HEADER") {
            let end = letter.windows(4).position(|w| w == b"\r\n\r\n");
            &letter[..end.map_or(letter.len(), |at| at + 4)]
        } else {
            letter
        };
        let window = rest
            .strip_prefix('<')
            .and_then(|r| r.split_once('>')?.0.split_once('.'))
            .and_then(|(from, size)| Some((from.parse().ok()?, size.parse().ok()?)));
        let (mark, part) = match window {
            Some((from, size)) => (format!("<{from}>"), slice(whole, from, size)),
            None => (String::new(), whole),
        };
        let head = format!(" BODY[{section}]{mark} {{{}}}\r\n", part.len());
        answer.extend_from_slice(head.as_bytes());
        answer.extend_from_slice(part);
    }
    answer.extend_from_slice(b")\r\n");
    answer
}

fn slice(whole: &[u8], from: usize, size: usize) -> &[u8] {
    let from = from.min(whole.len());
    &whole[from..(from + size).min(whole.len())]
}

/// The UIDs of a set such as `1,4:7,9:*` that exist; `*` is the highest, and a range may stand in either order (RFC 3501, section 9).
pub fn members(set: &str, highest: usize) -> Vec<usize> {
    let number = |text: &str| {
        if text == "*" {
            highest
        } else {
            text.parse().unwrap_or(0)
        }
    };
    let mut found: Vec<usize> = set
        .split(',')
        .flat_map(|part| {
            let (a, b) = part.split_once(':').unwrap_or((part, part));
            let (a, b) = (number(a), number(b));
            a.min(b)..=a.max(b).min(highest)
        })
        .filter(|uid| (1..=highest).contains(uid))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn line(input: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    let mut octets = Vec::new();
    if input.read_until(b'\n', &mut octets)? == 0 {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&octets).trim_end().to_owned()))
}
