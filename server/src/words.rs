//! Four-letter words: the table of them, who may use which, and what they answer.
//!
//! The answers are Java's to the byte where tools read them. A word never changes anything but counters
//! and the trace mask, which is kept for tools that set it and read it back.
//!
//! Java: `FourLetterCommands`, `server.command`.

mod connections;
mod dump;
mod envi;
mod members;
mod report;
mod settings;
#[cfg(test)]
mod tests;
mod watches;

use zk_config::config::Whitelist;
use zk_core::{ConnectionId, Now};

use crate::metrics::Counts;
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
    Memb,
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
    const ALL: [(Self, [u8; 4], &'static str); 20] = [
        (Self::Conf, *b"conf", "conf"),
        (Self::Cons, *b"cons", "cons"),
        (Self::Crst, *b"crst", "crst"),
        (Self::Dirs, *b"dirs", "dirs"),
        (Self::Dump, *b"dump", "dump"),
        (Self::Envi, *b"envi", "envi"),
        (Self::Gtmk, *b"gtmk", "gtmk"),
        (Self::Hash, *b"hash", "hash"),
        (Self::Isro, *b"isro", "isro"),
        (Self::Memb, *b"memb", "memb"),
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

    /// How many bytes belong to the word after its four.
    pub(crate) fn argument_len(self) -> usize {
        if self == Self::Stmk { size_of::<i64>() } else { 0 }
    }

    /// The word as text.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(word, ..)| *word == self).map_or("", |(.., name)| name)
    }
}

/// What a prober puts behind a word to have it answered only after the log's thread has taken a turn.
///
/// Java's servers, and those of ours before there was this, read a word and no further: they answer at once.
pub(crate) const LOG_TURN: &[u8] = b"+log";

const RUOK: &str = "imok";
const NOT_SERVING: &str = "This ZooKeeper instance is not currently serving requests";

/// The trace mask of a server that was told no other.
pub(crate) const TRACE_MASK: i64 = 306;

/// A word's answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    /// Whether the word is on the whitelist.
    pub(crate) is_allowed: bool,
}

/// What to send before closing; `None` is nothing at all. `rest` is what came behind the four bytes.
pub(crate) fn answer(
    shell: &mut Shell,
    cnx: ConnectionId,
    word: Word,
    rest: &[u8],
) -> Option<Text> {
    shell.peer.on_word(cnx);
    // It is the server's own tools that ask for the members.
    let is_own = word == Word::Memb && shell.is_of_this_machine(cnx);
    if !is_own && !shell.settings.whitelist.allows(word.name()) {
        return Some(Text { text: refusal(word), is_allowed: false });
    }
    let now = shell.clock.now();
    let is_serving = shell.peer.is_serving() || shell.peer.is_read_only();
    let text = if is_serving || word == Word::Memb {
        executed(shell, now, cnx, word, rest)?
    } else {
        without_service(&mut shell.trace_mask, word, rest)?
    };
    shell.peer.stats_mut().packets_sent += 1;
    Some(Text { text, is_allowed: true })
}

/// The same before there is a database, with the trace mask of then.
pub(crate) fn answer_without_database(
    whitelist: &Whitelist,
    trace_mask: &mut i64,
    word: Word,
    rest: &[u8],
) -> Option<String> {
    if whitelist.allows(word.name()) {
        without_service(trace_mask, word, rest)
    } else {
        Some(refusal(word))
    }
}

fn refusal(word: Word) -> String {
    format!("{} is not executed because it is not in the whitelist.\n", word.name())
}

fn executed(
    shell: &mut Shell,
    now: Now,
    cnx: ConnectionId,
    word: Word,
    rest: &[u8],
) -> Option<String> {
    Some(match word {
        Word::Conf => settings::conf(&shell.settings, &shell.peer),
        Word::Cons => connections::cons(shell, cnx),
        Word::Crst => {
            shell.peer.reset_connection_stats();
            "Connection stats reset.\n".to_owned()
        }
        Word::Dirs => settings::dirs(&shell.settings),
        Word::Dump => dump::dump(shell, now),
        Word::Envi => envi::envi(),
        Word::Gtmk => gtmk(shell.trace_mask),
        Word::Hash => hash(shell),
        Word::Isro => if shell.peer.is_read_only() { "ro" } else { "rw" }.to_owned(),
        Word::Memb => members::memb(shell),
        Word::Mntr => report::mntr(shell, now),
        Word::Ruok => RUOK.to_owned(),
        Word::Srst => {
            shell.peer.tally();
            shell.peer.stats_mut().reset();
            shell.counts = Counts::default();
            "Server stats reset.\n".to_owned()
        }
        Word::Srvr => report::head(&shell.peer) + &report::srvr(shell),
        Word::Stat => {
            report::head(&shell.peer) + &connections::clients(shell, cnx) + &report::srvr(shell)
        }
        Word::Stmk => stmk(&mut shell.trace_mask, rest)?,
        Word::TelnetClose => return None,
        Word::Wchc => watches::by_session(&shell.peer),
        Word::Wchp => watches::by_path(&shell.peer),
        Word::Wchs => watches::summary(&shell.peer),
    })
}

/// What is answered while there is no quorum, or no database: only some words can do without.
fn without_service(trace_mask: &mut i64, word: Word, rest: &[u8]) -> Option<String> {
    Some(match word {
        Word::Envi => envi::envi(),
        Word::Gtmk => gtmk(*trace_mask),
        Word::Isro => "null".to_owned(),
        Word::Ruok => RUOK.to_owned(),
        Word::Stmk => stmk(trace_mask, rest)?,
        Word::TelnetClose => return None,
        // Compat: the only one without a line feed.
        Word::Hash => NOT_SERVING.to_owned(),
        Word::Conf
        | Word::Cons
        | Word::Crst
        | Word::Dirs
        | Word::Dump
        | Word::Memb
        | Word::Mntr
        | Word::Srst
        | Word::Srvr
        | Word::Stat
        | Word::Wchc
        | Word::Wchp
        | Word::Wchs => format!("{NOT_SERVING}\n"),
    })
}

fn gtmk(trace_mask: i64) -> String {
    trace_mask.to_string()
}

fn stmk(trace_mask: &mut i64, rest: &[u8]) -> Option<String> {
    *trace_mask = i64::from_be_bytes(*rest.first_chunk()?);
    Some(gtmk(*trace_mask))
}

/// The digests that servers of one ensemble can be compared by: signed, as Java's numbers are.
fn hash(shell: &Shell) -> String {
    let digests = shell.peer.database().digests();
    digests.map(|(zxid, digest)| format!("{:x}: {}\n", zxid.0, digest.cast_signed())).collect()
}
