//! A DNS server on loopback that says what it is told, over UDP and TCP, and counts what it is asked.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "shared by several tests"
)]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What is said of a name.
#[derive(Clone)]
pub enum Said {
    /// These texts.
    Texts(Vec<String>),
    /// These texts, over TCP only.
    OverTcp(Vec<String>),
    /// The server fails.
    Fails,
    /// Nothing: the question is heard and not answered.
    Silence,
}

/// The server; it ends with this value.
pub struct PrivateDns {
    /// Where it listens.
    pub address: SocketAddr,
    told: Arc<Mutex<BTreeMap<String, Said>>>,
    asked: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl PrivateDns {
    /// Starts it; whatever it was not told does not exist.
    pub fn start() -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let told: Arc<Mutex<BTreeMap<String, Said>>> = Arc::default();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        udp.set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let (t, a, s) = (told.clone(), asked.clone(), stop.clone());
        threads.push(thread::spawn(move || {
            let mut buffer = [0; 2048];
            while !s.load(Ordering::Relaxed) {
                if let Ok((length, from)) = udp.recv_from(&mut buffer)
                    && let Some(answer) = answer(&buffer[..length], &t, &a, false)
                {
                    udp.send_to(&answer, from).unwrap();
                }
            }
        }));
        tcp.set_nonblocking(true).unwrap();
        let (t, a, s) = (told.clone(), asked.clone(), stop.clone());
        threads.push(thread::spawn(move || {
            while !s.load(Ordering::Relaxed) {
                let Ok((mut stream, _)) = tcp.accept() else {
                    thread::park_timeout(Duration::from_millis(10));
                    continue;
                };
                stream.set_nonblocking(false).unwrap();
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut question).unwrap();
                if let Some(answer) = answer(&question, &t, &a, true) {
                    let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                    stream.write_all(&[&length[..], &answer].concat()).unwrap();
                }
            }
        }));
        Self {
            address,
            told,
            asked,
            stop,
            threads,
        }
    }

    /// From here on says this of a name.
    pub fn say(&self, name: &str, said: Said) {
        self.told.lock().unwrap().insert(name.to_owned(), said);
    }

    /// The names it was asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for PrivateDns {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn answer(
    question: &[u8],
    told: &Mutex<BTreeMap<String, Said>>,
    asked: &Mutex<Vec<String>>,
    tcp: bool,
) -> Option<Vec<u8>> {
    let mut at = 12;
    let mut labels = Vec::new();
    while question[at] != 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..at + 1 + length]).into_owned());
        at += 1 + length;
    }
    let end = at + 5;
    let name = labels.join(".");
    asked.lock().unwrap().push(name.clone());
    let said = told.lock().unwrap().get(&name).cloned();
    let mut out = question[..end].to_vec();
    let (flags, texts): (u16, Vec<String>) = match said {
        None => (0x8183, vec![]),
        Some(Said::Silence) => return None,
        Some(Said::Fails) => (0x8182, vec![]),
        Some(Said::OverTcp(_)) if !tcp => (0x8380, vec![]),
        Some(Said::OverTcp(texts) | Said::Texts(texts)) => (0x8180, texts),
    };
    out[2..4].copy_from_slice(&flags.to_be_bytes());
    out[6..8].copy_from_slice(&u16::try_from(texts.len()).unwrap().to_be_bytes());
    out[10..12].copy_from_slice(&[0, 0]);
    for text in texts {
        let mut data = Vec::new();
        for piece in text.as_bytes().chunks(255) {
            data.push(u8::try_from(piece.len()).unwrap());
            data.extend_from_slice(piece);
        }
        out.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60]);
        out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        out.extend(data);
    }
    Some(out)
}
