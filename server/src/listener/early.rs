//! The client port before there is a database: words are answered, clients wait a moment.
//!
//! Loading can take minutes. A probe that is refused meanwhile takes the server for a dead one and has it
//! started again, for ever; so the port is open first.
//!
//! Invariant: a client that comes just before the end of the loading is let in with every byte it sent.
//!
//! Compat: Java closes the connection of a client that comes too early at once; here it has as long as a
//! small database takes to load.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::spawn_local;
use tokio::time::timeout;
use tracing::debug;
use zk_config::config::Whitelist;

use super::{ClientPlace, ClientPort, admit, failed};
use crate::progress::Lookout;
use crate::shell::Shell;
use crate::words::{self, LOG_TURN, TRACE_MASK, Word};

/// How long a client waits for the database before it is sent elsewhere, or a word for its last byte.
const PATIENCE: Duration = Duration::from_secs(1);

/// The client port while the database is being loaded.
pub(crate) struct EarlyPort {
    listener: TcpListener,
    place: ClientPlace,
    door: Door,
    opened: watch::Sender<Opened>,
}

/// The server, once there is one.
type Opened = Option<Rc<RefCell<Shell>>>;

/// What the task of a connection knows.
#[derive(Clone)]
struct Door {
    whitelist: Whitelist,
    trace_mask: Rc<Cell<i64>>,
    keep_alive: bool,
    loading: Rc<Lookout>,
    opened: watch::Receiver<Opened>,
}

/// Who came early.
struct Guest {
    stream: TcpStream,
    remote: SocketAddr,
    /// What was read of the first four bytes.
    first: Vec<u8>,
}

impl EarlyPort {
    /// A port that is listened on already.
    pub(crate) fn new(
        listener: TcpListener,
        place: ClientPlace,
        whitelist: Whitelist,
        keep_alive: bool,
        loading: Lookout,
    ) -> Self {
        let loading = Rc::new(loading);
        let (sender, opened) = watch::channel(None);
        let trace_mask = Rc::new(Cell::new(TRACE_MASK));
        let door = Door { whitelist, trace_mask, keep_alive, loading, opened };
        Self { listener, place, door, opened: sender }
    }

    /// Answers words until `part` of the start is done.
    pub(crate) async fn answer_during<T>(&self, part: impl Future<Output = T>) -> T {
        let answering = async {
            loop {
                match self.listener.accept().await {
                    Ok((stream, remote)) => {
                        let guest = Guest { stream, remote, first: Vec::new() };
                        spawn_local(self.door.clone().receive(guest));
                    }
                    Err(error) => failed(&error).await,
                }
            }
        };
        tokio::select! {
            done = part => done,
            never = answering => never,
        }
    }

    /// Lets clients in, those first who wait.
    pub(crate) fn open(self, shell: &Rc<RefCell<Shell>>, backlog: Option<u32>) -> ClientPort {
        let Self { listener, place, door, opened } = self;
        shell.borrow_mut().trace_mask = door.trace_mask.get();
        opened.send_replace(Some(shell.clone()));
        ClientPort::serve(shell, listener, place, backlog, door.keep_alive)
    }
}

impl Door {
    async fn receive(mut self, mut guest: Guest) {
        match timeout(PATIENCE, self.wish(&mut guest)).await {
            Ok(Some(Wish::Word(word))) => self.answer(guest, word).await,
            Ok(Some(Wish::Session(shell))) => {
                admit(&shell, guest.stream, guest.first, guest.remote, self.keep_alive);
            }
            Ok(None) => {}
            Err(_) => {
                debug!(remote = %guest.remote, "closed: the database is still being loaded");
            }
        }
    }

    /// What somebody wants; `None`: nothing any more.
    async fn wish(&mut self, guest: &mut Guest) -> Option<Wish> {
        let session = async |opened: &mut watch::Receiver<Opened>| {
            opened.wait_for(Option::is_some).await.ok()?.clone().map(Wish::Session)
        };
        tokio::select! {
            wish = session(&mut self.opened) => return wish,
            word = guest.word() => if let Some(word) = word.ok()? {
                return Some(Wish::Word(word));
            }
        }
        session(&mut self.opened).await
    }

    async fn answer(&self, mut guest: Guest, word: Word) {
        let mut argument = Vec::new();
        let mut rest = (&mut guest.stream).take(word.argument_len() as u64);
        // However it ends, the word is answered with what has come.
        let _ = timeout(PATIENCE, rest.read_to_end(&mut argument)).await;
        // Closed with input unread, such as a newline, the connection would be reset.
        let mut behind = [0; 64];
        let read = guest.stream.try_read(&mut behind).unwrap_or(0);
        let mut mask = self.trace_mask.get();
        let text = words::answer_without_database(&self.whitelist, &mut mask, word, &argument);
        self.trace_mask.set(mask);
        // There is no thread of the log yet: the one that loads is asked about in its place.
        let stalled = behind[..read]
            .starts_with(LOG_TURN)
            .then(|| self.loading.stalled(Instant::now()))
            .flatten();
        let text = stalled.map(|time| format!("loading has not gone on for {time:.0?}\n")).or(text);
        let Some(text) = text else { return };
        let sending = async {
            guest.stream.write_all(text.as_bytes()).await?;
            guest.stream.shutdown().await
        };
        // Who does not take it has no need of it.
        let _ = timeout(PATIENCE, sending).await;
    }
}

/// What an early guest wants, and who can give it.
enum Wish {
    Word(Word),
    Session(Rc<RefCell<Shell>>),
}

impl Guest {
    /// The word that the first four bytes are, if they are one.
    async fn word(&mut self) -> io::Result<Option<Word>> {
        loop {
            if let Some(first) = self.first.first_chunk() {
                return Ok(Word::find(*first));
            }
            let missing = 4 - self.first.len();
            let mut stream = (&mut self.stream).take(missing as u64);
            if stream.read_buf(&mut self.first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
