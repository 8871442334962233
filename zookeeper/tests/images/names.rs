//! Names of pods as a cluster has them whose headless service does not publish pods that are not ready: a name is
//! there once its pod is, and no sooner.
//!
//! The engine gives its names to whatever runs, so these come from a name server of the test's own, which the engine
//! asks for names that it does not know. Only questions for one IPv4 address are ever answered with one.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::tools::skip;

type Table = Mutex<BTreeMap<String, Ipv4Addr>>;

/// A name server, until it is dropped.
pub(crate) struct Names {
    pub(crate) server: Ipv4Addr,
    table: Arc<Table>,
}

impl Names {
    /// On the host's address in a network; `None`, said aloud, for who may not have the port.
    pub(crate) fn new(server: Ipv4Addr) -> Option<Self> {
        let socket = match UdpSocket::bind((server, PORT)) {
            Ok(socket) => socket,
            Err(error) => {
                skip(&format!("no name server on {server}:{PORT}: {error}"));
                return None;
            }
        };
        socket.set_read_timeout(Some(BETWEEN_LOOKS)).expect("not zero");
        let table = Arc::new(Table::default());
        let weak = Arc::downgrade(&table);
        thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Some(table) = weak.upgrade() {
                let Ok((length, asker)) = socket.recv_from(&mut buffer) else { continue };
                if let Some(answer) = answer(&buffer[..length], &table) {
                    // Who has gone meanwhile needs no answer.
                    let _ = socket.send_to(&answer, asker);
                }
            }
        });
        Some(Self { server, table })
    }

    /// The name means that address from now on, or nothing.
    pub(crate) fn set(&self, name: &str, address: Option<Ipv4Addr>) {
        let mut table = self.table.lock().expect("nobody panics with it");
        match address {
            Some(address) => table.insert(name.to_owned(), address),
            None => table.remove(name),
        };
    }
}

/// `None` for what is no question.
fn answer(query: &[u8], table: &Table) -> Option<Vec<u8>> {
    let (name, end) = question(query)?;
    let is_for_ipv4 = query.get(end - 4..end)? == [0, A, 0, INTERNET];
    let address = table.lock().expect("nobody panics with it").get(&name).copied();
    let code = if address.is_some() { 0 } else { NO_SUCH_NAME };
    let found = address.filter(|_| is_for_ipv4);
    let mut answer = query[..2].to_vec();
    answer.extend([
        RESPONSE,
        RECURSION_AVAILABLE | code,
        0,
        1,
        0,
        found.is_some().into(),
        0,
        0,
        0,
        0,
    ]);
    answer.extend(&query[HEADER..end]);
    if let Some(address) = found {
        // The name of the question, no time to live, four bytes.
        answer.extend([0xc0, 12, 0, A, 0, INTERNET, 0, 0, 0, 0, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}

/// The name that is asked for, and where the question ends.
fn question(query: &[u8]) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    let mut at = HEADER;
    loop {
        let length = usize::from(*query.get(at)?);
        let label = query.get(at + 1..at + 1 + length)?;
        at += 1 + length;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(label).to_lowercase());
    }
    Some((labels.join("."), at + 4))
}

const PORT: u16 = 53;
const HEADER: usize = 12;
const A: u8 = 1;
const INTERNET: u8 = 1;
/// An answer, with authority, to who wanted recursion.
const RESPONSE: u8 = 0x85;
const RECURSION_AVAILABLE: u8 = 0x80;
const NO_SUCH_NAME: u8 = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
