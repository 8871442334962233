//! A server that does with a four-letter word what the test says.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// What happens after a word has come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    /// The text, then the connection is closed.
    Text(&'static str),
    /// The text, and then nothing more, with the connection open.
    Stall(&'static str),
    /// A byte now and then, for ever.
    Drip,
    /// More bytes than any answer has.
    Flood,
    /// The text, then a reset, as of a server that leaves input unread.
    Reset(&'static str),
}

pub(crate) const NOT_SERVING: Reply =
    Reply::Text("This ZooKeeper instance is not currently serving requests\n");

/// Serves on a free port of `address` until the test process ends. Gives back the port.
pub(crate) fn serve_on(address: IpAddr, reply: fn(&str) -> Reply) -> Option<u16> {
    let listener = TcpListener::bind((address, 0)).ok()?;
    let port = listener.local_addr().expect("a bound socket has an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream, reply));
        }
    });
    Some(port)
}

/// Serves on IPv4 loopback.
pub(crate) fn serve(reply: fn(&str) -> Reply) -> String {
    let port = serve_on(Ipv4Addr::LOCALHOST.into(), reply);
    port.expect("IPv4 loopback has free ports").to_string()
}

/// A port that a listener holds without ever accepting, its backlog left to the kernel: what a
/// server looks like that is bound and still loads its database.
pub(crate) fn bound_only() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("a bound socket has an address").port();
    (listener, port.to_string())
}

/// A port that nobody listens on.
pub(crate) const REFUSED: &str = "23099";

fn answer(mut stream: TcpStream, reply: fn(&str) -> Reply) {
    let mut word = [0; 4];
    while !matches!(stream.peek(&mut word), Ok(4)) {
        if !matches!(stream.peek(&mut word), Ok(1..)) {
            return;
        }
    }
    let reply = reply(str::from_utf8(&word).expect("words are ASCII"));
    // Closing with input unread resets the connection.
    let is_read = !matches!(reply, Reply::Reset(_));
    if is_read {
        stream.read_exact(&mut word).expect("what can be peeked at can be read");
    }
    // The client may give up at any moment, so nothing below expects a write to succeed.
    match reply {
        Reply::Text(text) | Reply::Reset(text) => {
            let _ = stream.write_all(text.as_bytes());
        }
        Reply::Stall(text) => {
            let _ = stream.write_all(text.as_bytes());
            let _ = stream.read(&mut word);
        }
        Reply::Drip => {
            let (_never, pause) = mpsc::channel::<()>();
            while stream.write_all(b"i").is_ok() {
                let _ = pause.recv_timeout(Duration::from_millis(20));
            }
        }
        Reply::Flood => while stream.write_all(&[b'x'; 65536]).is_ok() {},
    }
}
