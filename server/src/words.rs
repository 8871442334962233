//! Four-letter words: the table of them, who may use which, and what they answer.
//!
//! The answers are Java's to the byte where tools read them. A word never changes anything but counters.
//!
//! Java: `FourLetterCommands`, `server.command`.

use std::fmt::Write as _;
use std::net::SocketAddr;

use zk_core::ConnectionId;

use crate::shell::Shell;

/// What is reported as the server's version: tools parse it, behaviour follows 3.9.
pub(crate) const VERSION: &str =
    concat!("3.9.5-zookeeper-rs-", env!("CARGO_PKG_VERSION"), ", built on 2026-11-24 00:00 UTC");

/// A four-letter word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Conf,
    Cons,
    Crst,
    Dirs,
    Dump,
    Envi,
    Gtmk,
    Hash,
    Isro,
    Mntr,
    Ruok,
    Srst,
    Srvr,
    Stat,
    Stmk,
    TelnetClose,
    Wchc,
    Wchp,
    Wchs,
}

impl Word {
    const ALL: [(Self, [u8; 4], &'static str); 19] = [
        (Self::Conf, *b"conf", "conf"),
        (Self::Cons, *b"cons", "cons"),
        (Self::Crst, *b"crst", "crst"),
        (Self::Dirs, *b"dirs", "dirs"),
        (Self::Dump, *b"dump", "dump"),
        (Self::Envi, *b"envi", "envi"),
        (Self::Gtmk, *b"gtmk", "gtmk"),
        (Self::Hash, *b"hash", "hash"),
        (Self::Isro, *b"isro", "isro"),
        (Self::Mntr, *b"mntr", "mntr"),
        (Self::Ruok, *b"ruok", "ruok"),
        (Self::Srst, *b"srst", "srst"),
        (Self::Srvr, *b"srvr", "srvr"),
        (Self::Stat, *b"stat", "stat"),
        (Self::Stmk, *b"stmk", "stmk"),
        (Self::TelnetClose, [0xff, 0xf4, 0xff, 0xfd], "telnet close"),
        (Self::Wchc, *b"wchc", "wchc"),
        (Self::Wchp, *b"wchp", "wchp"),
        (Self::Wchs, *b"wchs", "wchs"),
    ];

    /// The word of a connection's first four bytes, if they are one.
    pub(crate) fn find(bytes: [u8; 4]) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, word, _)| *word == bytes).map(|(word, ..)| word)
    }

    /// The word as text.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(word, ..)| *word == self).map_or("", |(.., name)| name)
    }
}

/// A word's answer.
pub(crate) struct Text {
    pub(crate) text: String,
    /// Whether the word is on the whitelist.
    pub(crate) is_allowed: bool,
}

/// What to send before closing; `None` is nothing at all.
pub(crate) fn answer(
    shell: &mut Shell,
    _cnx: ConnectionId,
    _remote: SocketAddr,
    word: Word,
    _rest: &[u8],
) -> Option<Text> {
    shell.peer.stats_mut().packets_received += 1;
    if !shell.settings.whitelist.allows(word.name()) {
        let text = format!("{} is not executed because it is not in the whitelist.\n", word.name());
        return Some(Text { text, is_allowed: false });
    }
    let text = match word {
        Word::Ruok => "imok".to_owned(),
        Word::Isro => "rw".to_owned(),
        Word::Srvr => srvr(shell),
        Word::TelnetClose => return None,
        _ => String::new(),
    };
    shell.peer.stats_mut().packets_sent += 1;
    Some(Text { text, is_allowed: true })
}

fn srvr(shell: &Shell) -> String {
    let mut text = format!("Zookeeper version: {VERSION}\n");
    let stats = shell.peer.stats();
    let latency = stats.latency;
    let database = shell.peer.database();
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "Latency min/avg/max: {}/{}/{}\nReceived: {}\nSent: {}\nConnections: {}\nOutstanding: {}\n\
         Zxid: {}\nMode: standalone\nNode count: {}\n",
        latency.min_ms,
        "0.0",
        latency.max_ms,
        stats.packets_received,
        stats.packets_sent,
        shell.open_count(),
        shell.peer.outstanding(),
        database.last_zxid(),
        database.tree().node_count() + 1,
    );
    text
}
