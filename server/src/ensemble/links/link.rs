//! The task of one link: its socket, from the first byte to the last.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Buf as _;
use thiserror::Error;
use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zk_core::{Input, LinkId};

use super::{Fate, Link, Links, READ_SIZE, STREAM_AHEAD};

/// Why a link is over.
#[derive(Debug, Error)]
enum End {
    #[error("the peer closed it")]
    ClosedThere,
    #[error("this server closed it")]
    ClosedHere,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What a task waits for.
enum Event {
    /// So many bytes are in the buffer; none is the end of the stream.
    Read(usize),
    Writable,
    Signal,
}

/// What a task is to do.
struct Look {
    fate: Fate,
    may_read: bool,
    has_output: bool,
}

impl Links {
    /// Serves a link until it is gone, and says so.
    pub(super) async fn serve(self: &Rc<Self>, link: LinkId, mut stream: TcpStream) {
        let end = match self.exchange(link, &mut stream).await {
            Ok(end) => end,
            Err(error) => End::Io(error),
        };
        drop(stream);
        self.forget(link, &end.to_string());
    }

    async fn exchange(&self, link: LinkId, stream: &mut TcpStream) -> io::Result<End> {
        loop {
            let look = self.look(link);
            match look.fate {
                Fate::Open => {}
                Fate::Closing => {
                    self.send_last(link, stream).await?;
                    return Ok(End::ClosedHere);
                }
                Fate::Dropped => return Ok(End::ClosedHere),
            }
            let event = poll_fn(|cx| self.poll_event(cx, link, stream, &look)).await?;
            if let Event::Read(n) = event {
                if n == 0 {
                    return Ok(End::ClosedThere);
                }
                self.take(link, n);
            }
            // Whatever it was may have made something to send.
            self.write(link, stream)?;
            if matches!(event, Event::Read(READ_SIZE)) {
                // There is more; others have their turn before.
                tokio::task::yield_now().await;
            }
        }
    }

    fn look(&self, link: LinkId) -> Look {
        let may_read = self.core.upgrade().is_some_and(|core| core.may_read(link));
        let state = self.state.borrow();
        match state.links.get(&link) {
            Some(open) => Look { fate: open.fate, may_read, has_output: open.out_len > 0 },
            None => Look { fate: Fate::Dropped, may_read: false, has_output: false },
        }
    }

    fn poll_event(
        &self,
        cx: &mut Context<'_>,
        link: LinkId,
        stream: &mut TcpStream,
        look: &Look,
    ) -> Poll<io::Result<Event>> {
        let mut state = self.state.borrow_mut();
        let signal = state.links.get_mut(&link).map(|open| &mut open.signal);
        if signal.is_none_or(|signal| signal.poll(cx).is_ready()) {
            return Poll::Ready(Ok(Event::Signal));
        }
        if look.may_read {
            let mut buffer = ReadBuf::new(&mut state.read_buffer);
            if Pin::new(&mut *stream).poll_read(cx, &mut buffer)?.is_ready() {
                return Poll::Ready(Ok(Event::Read(buffer.filled().len())));
            }
        }
        if look.has_output && stream.poll_write_ready(cx)?.is_ready() {
            return Poll::Ready(Ok(Event::Writable));
        }
        Poll::Pending
    }

    /// Feeds what was read into the buffer.
    fn take(&self, link: LinkId, n: usize) {
        let buffer = std::mem::take(&mut self.state.borrow_mut().read_buffer);
        self.feed(Input::LinkBytes { link, bytes: &buffer[..n] });
        self.state.borrow_mut().read_buffer = buffer;
    }

    /// Writes what waits, as far as the socket takes it.
    fn write(&self, link: LinkId, stream: &TcpStream) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        let Some(open) = state.links.get_mut(&link).filter(|open| open.out_len > 0) else {
            return Ok(());
        };
        let mut sent = 0;
        while open.out_len > 0 && sent < WRITE_MAX {
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let mut count = 0;
            for (slice, bytes) in slices.iter_mut().zip(&open.out) {
                *slice = IoSlice::new(bytes);
                count += 1;
            }
            match stream.try_write_vectored(&slices[..count]) {
                Ok(n) => {
                    open.sent(n);
                    sent += n;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if open.out_len <= STREAM_AHEAD {
            self.room.notify_one();
        }
        Ok(())
    }

    /// Sends what is left and ends the stream in order.
    async fn send_last(&self, link: LinkId, stream: &mut TcpStream) -> io::Result<()> {
        let last = {
            let mut state = self.state.borrow_mut();
            let open = state.links.get_mut(&link);
            open.map(|open| std::mem::take(&mut open.out)).unwrap_or_default()
        };
        let sending = async {
            for bytes in last {
                stream.write_all(&bytes).await?;
            }
            stream.shutdown().await
        };
        let slow = || io::Error::new(io::ErrorKind::TimedOut, "it does not take the last bytes");
        timeout(LAST_BYTES, sending).await.unwrap_or_else(|_| Err(slow()))
    }
}

impl Link {
    /// Removes what was sent from the front.
    fn sent(&mut self, n: usize) {
        self.out_len -= n;
        let mut left = n;
        while let Some(first) = self.out.front_mut().filter(|_| left > 0) {
            let part = left.min(first.len());
            first.advance(part);
            left -= part;
            if first.is_empty() {
                self.out.pop_front();
            }
        }
    }
}

/// So many packets go out with one call.
const SLICES_MAX: usize = 128;
/// After so many bytes other tasks have their turn.
const WRITE_MAX: usize = 1 << 20;
/// How long a link that is closed may take for its last bytes.
const LAST_BYTES: Duration = Duration::from_secs(2);
