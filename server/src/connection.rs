//! One client's socket: bytes in, frames to the core, bytes out.
//!
//! Invariants
//! - A socket is not read while the core says no: that is all the pressure there is.
//! - An idle connection holds no buffer.
//! - A frame that is too long is refused when its length is read; the body is never waited for.
//!
//! Java: `NIOServerCnxn`.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::{debug, warn};
use zk_core::{ConnectionId, Input, Now};
use zk_wire::Frames;

use crate::shell::Shell;
use crate::words;

/// How long a closing connection may take for its last bytes.
const LAST_BYTES: Duration = Duration::from_secs(2);

/// Nobody who asks about the log's thread waits longer.
const TURN_MAX: Duration = Duration::from_secs(60);

/// What a task waits for.
enum Event {
    /// So many bytes are in the shell's buffer; none is the end of the stream.
    Read(io::Result<usize>),
    Writable,
    Signal,
}

/// Why reading ends.
enum End {
    /// The client is gone, or sent what nobody can read.
    Drop,
    /// It asked for a four-letter word.
    Word(words::Word, Vec<u8>),
}

/// The log's thread takes no turn, or is gone.
struct LogHangs;

struct Client {
    shell: Rc<RefCell<Shell>>,
    stream: TcpStream,
    cnx: ConnectionId,
    remote: SocketAddr,
    /// Bytes of a frame that is not whole, or of frames that the core does not take yet.
    rest: Vec<u8>,
    /// Until the first frame, the first four bytes may be a word.
    is_fresh: bool,
    /// The length of the large request that is counted in the shell.
    large: u64,
}

/// Serves a client that was let in as `cnx` until it is gone; `remote` is IPv4 where IPv4 wears IPv6, and
/// `rest` was read before.
pub(crate) async fn serve(
    shell: Rc<RefCell<Shell>>,
    stream: TcpStream,
    rest: Vec<u8>,
    cnx: ConnectionId,
    remote: SocketAddr,
) {
    let mut client = Client { shell, stream, cnx, remote, rest, is_fresh: true, large: 0 };
    client.run().await;
    let mut shell = client.shell.borrow_mut();
    shell.large_bytes -= client.large;
    shell.release(cnx, remote.ip());
}

impl Client {
    async fn run(&mut self) {
        loop {
            let (may_read, has_output, is_closing) = self.state();
            if is_closing {
                return self.finish().await;
            }
            let end = self.turn(may_read, has_output).await;
            match end {
                Ok(()) => {}
                Err(End::Drop) => return,
                Err(End::Word(word, rest)) => return self.answer(word, rest).await,
            }
            if self.write().is_err() {
                return;
            }
        }
    }

    /// Feeds what is left of earlier reads if the core takes it by now, else waits for what comes.
    async fn turn(&mut self, may_read: bool, has_output: bool) -> Result<(), End> {
        let left = self.rest.len();
        if may_read && left > 0 {
            self.take_rest()?;
            if self.rest.len() < left {
                return Ok(());
            }
        }
        match self.event(may_read, has_output).await {
            Event::Read(read) => self.take(read),
            Event::Writable | Event::Signal => Ok(()),
        }
    }

    fn state(&self) -> (bool, bool, bool) {
        let mut shell = self.shell.borrow_mut();
        let may_read = shell.peer.may_read(self.cnx) && !shell.is_stopping;
        let has_output = shell.peer.connection(self.cnx).is_some_and(|cnx| cnx.has_output());
        (may_read, has_output, shell.is_closing(self.cnx))
    }

    async fn event(&mut self, may_read: bool, has_output: bool) -> Event {
        poll_fn(|cx| {
            if self.shell.borrow_mut().poll_signal(self.cnx, cx).is_ready() {
                return Poll::Ready(Event::Signal);
            }
            if has_output && self.stream.poll_write_ready(cx).is_ready() {
                return Poll::Ready(Event::Writable);
            }
            if !may_read {
                return Poll::Pending;
            }
            // Unlike `try_read`, this takes a short read for the end of what is there: one call less.
            let mut shell = self.shell.borrow_mut();
            let mut buffer = ReadBuf::new(&mut shell.read_buffer);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
            Poll::Ready(Event::Read(read.map(|()| buffer.filled().len())))
        })
        .await
    }

    /// Feeds what is whole of what was read into the shell's buffer.
    fn take(&mut self, read: io::Result<usize>) -> Result<(), End> {
        let buffer = std::mem::take(&mut self.shell.borrow_mut().read_buffer);
        let result = match read {
            Ok(0) => {
                debug!(
                    "Unable to read additional data from client, it probably closed the socket: \
                     address = {}",
                    self.remote
                );
                Err(End::Drop)
            }
            Ok(n) if self.rest.is_empty() => self.feed(&buffer[..n]).map(|consumed| {
                self.rest.extend_from_slice(&buffer[consumed..n]);
            }),
            Ok(n) => {
                self.rest.extend_from_slice(&buffer[..n]);
                self.take_rest()
            }
            Err(_) => Err(End::Drop),
        };
        self.shell.borrow_mut().read_buffer = buffer;
        result
    }

    /// Feeds what was read before and could not be fed.
    fn take_rest(&mut self) -> Result<(), End> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let mut rest = std::mem::take(&mut self.rest);
        let consumed = self.feed(&rest)?;
        rest.drain(..consumed);
        if !rest.is_empty() {
            self.rest = rest;
        }
        Ok(())
    }

    /// Feeds whole frames while the core takes them; gives how many bytes they were.
    fn feed(&mut self, bytes: &[u8]) -> Result<usize, End> {
        if self.is_fresh
            && let Some((first, rest)) = bytes.split_first_chunk::<4>()
        {
            if let Some(word) = words::Word::find(*first) {
                return Err(End::Word(word, rest.to_vec()));
            }
            self.is_fresh = false;
        }
        let mut shell = self.shell.borrow_mut();
        let now = shell.clock.now();
        let length_max = shell.settings.frame_length_max;
        let mut frames = Frames::new(bytes, length_max);
        loop {
            if shell.is_stopping || !shell.peer.may_read(self.cnx) {
                return Ok(frames.consumed());
            }
            match frames.next_frame() {
                Ok(Some(frame)) => {
                    shell.large_bytes -= std::mem::take(&mut self.large);
                    self.feed_frame(&mut shell, now, frame)?;
                }
                Ok(None) => {
                    self.large = count_large(&mut shell, self.large, &bytes[frames.consumed()..])?;
                    return Ok(frames.consumed());
                }
                Err(error) => {
                    warn!(
                        "Len error. A message from {} with advertised length of {} is either a \
                         malformed message or too large to process (length is greater than \
                         jute.maxbuffer={})",
                        self.remote, error.length, error.limit
                    );
                    return Err(End::Drop);
                }
            }
        }
    }

    fn feed_frame(&self, shell: &mut Shell, now: Now, frame: &[u8]) -> Result<(), End> {
        let large = large_size(shell, frame.len());
        if large > 0 && shell.large_bytes + large > shell.settings.large_requests.bytes_max {
            return Err(reject_large(shell, frame.len()));
        }
        shell.step(now, Input::Frame { cnx: self.cnx, bytes: frame }, Some(self.cnx));
        Ok(())
    }

    /// Sends what is waiting, as far as the socket takes it.
    fn write(&self) -> io::Result<()> {
        let mut shell = self.shell.borrow_mut();
        let Some(out) = shell.peer.output(self.cnx) else { return Ok(()) };
        let mut sent = 0;
        let result = loop {
            if sent == out.len() {
                break Ok(());
            }
            match self.stream.try_write(&out[sent..]) {
                Ok(n) => sent += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        out.drain(..sent);
        // An idle connection keeps no more than a small buffer.
        if out.is_empty() && out.capacity() > KEPT_CAPACITY {
            *out = Vec::new();
        }
        result
    }

    /// Sends the last bytes and ends the stream in order.
    async fn finish(&mut self) {
        let taken = self.shell.borrow_mut().peer.output(self.cnx).map(std::mem::take);
        self.send_last(&taken.unwrap_or_default()).await;
    }

    async fn send_last(&mut self, bytes: &[u8]) {
        let sending = async {
            self.stream.write_all(bytes).await?;
            self.stream.shutdown().await
        };
        match timeout(LAST_BYTES, sending).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, remote = %self.remote, "last bytes not sent"),
            Err(_) => debug!(remote = %self.remote, "the client does not take its last bytes"),
        }
    }

    async fn answer(&mut self, word: words::Word, mut rest: Vec<u8>) {
        let is_about_log = word.argument_len() == 0 && rest == words::LOG_TURN;
        if is_about_log && self.log_turn().await.is_err() {
            return;
        }
        if self.shell.borrow().settings.whitelist.allows(word.name()) {
            self.read_argument(word.argument_len(), &mut rest).await;
        }
        let text = words::answer(&mut self.shell.borrow_mut(), self.cnx, word, &rest);
        if let Some(text) = text {
            if text.is_allowed {
                debug!("Processing {} command from /{}", word.name(), self.remote);
            }
            self.send_last(text.text.as_bytes()).await;
        }
    }

    /// Waits until the log's thread has taken a turn, unless it has a good reason not to.
    async fn log_turn(&self) -> Result<(), LogHangs> {
        let turn = self.shell.borrow().log_turn();
        let Some(turn) = turn else { return Ok(()) };
        match timeout(TURN_MAX, turn).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(LogHangs),
        }
    }

    /// Reads on until a word has its argument; who does not send it is not waited for long.
    async fn read_argument(&mut self, length: usize, rest: &mut Vec<u8>) {
        let reading = async {
            while rest.len() < length && self.stream.read_buf(rest).await? > 0 {}
            io::Result::Ok(())
        };
        // However it ends, the word is answered with what has come.
        let _ = timeout(LAST_BYTES, reading).await;
    }
}

/// A buffer of this size may stay with an idle connection.
const KEPT_CAPACITY: usize = 1 << 10;

fn large_size(shell: &Shell, length: usize) -> u64 {
    let length = u64::try_from(length).expect("lengths fit 64 bits");
    match shell.settings.large_requests.threshold {
        Some(threshold) if length > threshold => length,
        _ => 0,
    }
}

/// Counts a large request once its length is known, before its body is there.
fn count_large(shell: &mut Shell, counted: u64, partial: &[u8]) -> Result<u64, End> {
    let Some(prefix) = partial.first_chunk::<4>() else { return Ok(counted) };
    let length = usize::try_from(i32::from_be_bytes(*prefix)).unwrap_or(0);
    let large = large_size(shell, length);
    if counted > 0 || large == 0 {
        return Ok(counted);
    }
    if shell.large_bytes + large > shell.settings.large_requests.bytes_max {
        return Err(reject_large(shell, length));
    }
    shell.large_bytes += large;
    Ok(large)
}

fn reject_large(shell: &mut Shell, length: usize) -> End {
    shell.counts.large_rejected += 1;
    warn!("Rejecting large request of {length} bytes: largeRequestMaxBytes are on the way already");
    End::Drop
}
