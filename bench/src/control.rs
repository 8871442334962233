//! The controls: what the machine gives a server that does nothing, and a disk that only syncs.
//!
//! The echo answers the very frames of the workloads with replies of the right length, so that its
//! figures are the ceiling of any server with one thread. It runs as a process of its own.
//!
//! Invariants
//! - The echo reads once and writes once per ready connection and turn, and looks at nothing but
//!   length, xid and op.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use zk_wire::{
    Decoder, Encoder, Frames, Op, ReplyHeader, RequestHeader, Zxid, begin_frame, end_frame,
};

use crate::error::Error;
use crate::guard::Guard;
use crate::session::REPLY_MAX;
use crate::statistics::latencies;

/// The echo as a child process; it ends with this value.
#[derive(Debug)]
pub(crate) struct Echo {
    child: Child,
    guard: Rc<Guard>,
    pub(crate) port: u16,
}

impl Echo {
    /// Starts this very program as the echo, on the CPU that the caller is pinned to.
    pub(crate) fn start(guard: &Rc<Guard>) -> Result<Self, Error> {
        let program = std::env::current_exe().map_err(Error::file("find", "this program"))?;
        let mut child = Command::new(&program)
            .arg("echo")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|source| Error::Spawn { program, source })?;
        guard.add(child.id());
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .map_err(Error::file("read", "the echo's output"))?;
        let port = line.trim().parse().unwrap_or(0);
        Ok(Self { child, guard: guard.clone(), port })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        // It may have ended by itself; nobody can act on that here.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.guard.remove(self.child.id());
    }
}

/// Binds the echo's port.
pub(crate) fn listen() -> Result<(TcpListener, u16), Error> {
    let bind = Error::connection("bind", 0);
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| {
            listener.set_nonblocking(true)?;
            let port = listener.local_addr()?.port();
            Ok((listener, port))
        })
        .map_err(bind)
}

/// Answers until it is killed.
pub(crate) fn echo(listener: &TcpListener) -> Result<(), Error> {
    let epoll =
        Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(Error::system("create an epoll"))?;
    let add = |stream: &dyn std::os::fd::AsFd, token| {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, token);
        epoll.add(stream.as_fd(), event).map_err(Error::system("add to an epoll"))
    };
    add(&listener, LISTENER)?;
    let mut peers: Vec<Option<Peer>> = Vec::new();
    let mut output = Vec::new();
    let mut events = vec![EpollEvent::empty(); 256];
    loop {
        let ready = epoll
            .wait(&mut events, EpollTimeout::NONE)
            .map_err(Error::system("wait for requests"))?;
        for event in &events[..ready] {
            if event.data() == LISTENER {
                let (stream, _) = listener.accept().map_err(Error::connection("accept on", 0))?;
                let peer = Peer::new(stream).map_err(Error::connection("accept on", 0))?;
                add(&peer.stream, peers.len() as u64)?;
                peers.push(Some(peer));
                continue;
            }
            let index = usize::try_from(event.data()).expect("the data is an index");
            let Some(peer) = &mut peers[index] else { continue };
            if peer.answer(&mut output).is_err() {
                peers[index] = None;
            }
        }
    }
}

const LISTENER: u64 = u64::MAX;

struct Peer {
    stream: TcpStream,
    input: Vec<u8>,
    filled: usize,
}

impl Peer {
    fn new(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, input: vec![0; 64 << 10], filled: 0 })
    }

    /// Blocking in `write` is right here: the load generator always reads what it asked for.
    fn answer(&mut self, output: &mut Vec<u8>) -> std::io::Result<()> {
        let count = self.stream.read(&mut self.input[self.filled..])?;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.filled += count;
        output.clear();
        let mut frames = Frames::new(&self.input[..self.filled], REPLY_MAX);
        while let Some(frame) = frames.next_frame().map_err(std::io::Error::other)? {
            append_reply(frame, output).map_err(std::io::Error::other)?;
        }
        let consumed = frames.consumed();
        self.input.copy_within(consumed..self.filled, 0);
        self.filled -= consumed;
        self.stream.write_all(output)
    }
}

/// A reply header, and zeros up to the length that a server's reply would have.
fn append_reply(frame: &[u8], output: &mut Vec<u8>) -> Result<(), zk_wire::DecodeError> {
    let header = RequestHeader::decode(&mut Decoder::new(frame))?;
    let body: &[u8] = match Op::from_code(header.op) {
        Some(Op::SetData) => &[0; STAT_LEN],
        Some(Op::Create) => &[0; 4 + PATH_LEN],
        _ => &[0; 4 + DATA_LEN + STAT_LEN],
    };
    let start = begin_frame(output);
    ReplyHeader::ok(header.xid, Zxid(0)).encode(&mut Encoder::new(output));
    output.extend_from_slice(body);
    end_frame(output, start);
    Ok(())
}

const STAT_LEN: usize = 68;
const PATH_LEN: usize = 22;
const DATA_LEN: usize = 100;

/// Writes 1 KB and syncs, again and again for `time`, into a file of zeros written before: the
/// cheapest durable write there is. Gives the latencies in nanoseconds.
pub(crate) fn sync_writes(folder: &Path, time: Duration) -> Result<Histogram<u64>, Error> {
    let path = folder.join("sync-control");
    let file = File::create(&path).map_err(Error::file("create", &path))?;
    let zeros = vec![0; 1 << 20];
    for chunk in 0..CONTROL_FILE_MIB {
        file.write_all_at(&zeros, chunk << 20).map_err(Error::file("write", &path))?;
    }
    file.sync_all().map_err(Error::file("sync", &path))?;
    let mut histogram = latencies();
    let started = Instant::now();
    let mut writes = 0;
    while started.elapsed() < time {
        let before = Instant::now();
        let offset = (writes << 10) % (CONTROL_FILE_MIB << 20);
        file.write_all_at(&[7; 1 << 10], offset).map_err(Error::file("write", &path))?;
        file.sync_data().map_err(Error::file("sync", &path))?;
        let ns = u64::try_from(before.elapsed().as_nanos()).unwrap_or(u64::MAX);
        histogram.saturating_record(ns);
        writes += 1;
    }
    std::fs::remove_file(&path).map_err(Error::file("remove", &path))?;
    Ok(histogram)
}

const CONTROL_FILE_MIB: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Load, Pace, Until};
    use crate::requests::{Mix, Requests};

    #[test]
    fn the_echo_answers_the_load_generator() {
        let (listener, port) = listen().unwrap();
        std::thread::spawn(move || echo(&listener));
        for (mix, pace) in [
            (Mix::Get, Pace::Closed { depth: 1 }),
            (Mix::NinetyTen, Pace::Closed { depth: 32 }),
            (Mix::Create, Pace::Open { per_second: 1_000_000 }),
        ] {
            let mut load = Load::bare(port, 3).unwrap();
            let run = load.run(&mut Requests::new(mix, 10, 0), pace, Until::Sent(1000)).unwrap();
            assert_eq!(run.latencies.len(), 1000);
            load.close().unwrap();
        }
    }

    #[test]
    fn a_get_reply_of_the_echo_has_the_length_of_a_servers() {
        let mut request = Vec::new();
        Requests::new(Mix::Get, 1, 0).append(7, &mut request);
        let mut reply = Vec::new();
        append_reply(&request[4..], &mut reply).unwrap();
        assert_eq!(reply.len(), 192);
    }

    #[test]
    fn synced_writes_take_time() {
        let folder = tempfile::tempdir().unwrap();
        let histogram = sync_writes(folder.path(), Duration::from_millis(1)).unwrap();
        assert!(!histogram.is_empty() && histogram.min() > 0);
    }
}
