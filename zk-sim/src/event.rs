//! What can happen next, and to whom.

use zk_core::LinkId;

use crate::net::Side;
use crate::wire::WireId;

/// Something that will happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A client does something.
    Client(usize),
    /// A client's connection reaches the server's listener.
    Accept(WireId),
    /// Bytes reach the server, or the client.
    Up(WireId),
    Down(WireId),
    /// The end of the stream reaches the server, or the client.
    UpEnd(WireId),
    DownEnd(WireId),
    /// A part of a server's process goes on; it means nothing to a later process.
    Work {
        node: usize,
        boot: u64,
        work: Work,
    },
    /// Something is on its way between servers.
    Net(Passage),
    /// A server is started.
    Start(usize),
    /// Something breaks.
    Fault,
    /// What isolates servers ends.
    Relief,
    /// Once faults are over: is all done?
    Look,
}

/// A part of a server's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// The task of a client's connection.
    Socket(WireId),
    /// The driver hands its batch to the log thread.
    SendBatch,
    /// The log thread takes what has come.
    Log,
    /// The log thread's flush is over.
    Commit,
    /// The log thread does what is neither an append nor a flush.
    Act,
    /// The driver hears of what the log thread has done.
    Report,
    /// A snapshot goes on.
    Snapshot(u64),
    /// A part of the log is read for a learner.
    LogRead(LinkId),
    /// The driver's timer.
    Timer,
    /// A stopping server waits no longer.
    StopEnd,
}

/// Something between servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// A server tries to reach its leader's quorum port.
    Dial { node: usize, attempt: u64 },
    /// A connection to the quorum port is there, as this end sees it.
    LinkOpens { link: LinkId, side: Side },
    /// Bytes reach this end.
    LinkBytes { link: LinkId, side: Side },
    /// This end hears that it is gone.
    LinkEnds { link: LinkId, side: Side },
    /// A server tries to reach another's election port.
    Call { from: usize, to: usize, boot: u64 },
    /// It did not.
    CallFails { from: usize, to: usize, boot: u64 },
    /// An election connection is there, as `to` sees it; `of` tells which one.
    LineOpens { from: usize, to: usize, of: u64 },
    /// The sender's socket takes what waits.
    LineTakes { from: usize, to: usize, of: u64 },
    /// A vote arrives.
    LineBrings { from: usize, to: usize, of: u64 },
    /// `to` hears that its election connection is gone.
    LineEnds { from: usize, to: usize, of: u64 },
}
