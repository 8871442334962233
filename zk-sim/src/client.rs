//! One client: a session that it makes, keeps, loses and takes up again, with requests on the way.
//!
//! It behaves as client libraries do: one connection at a time, pings when idle, gives up a
//! connection on which nothing comes, goes to any server next, and sets its watches again there.

mod choose;

use zk_wire::{ConnectRequest, Encoder, Frames, SessionId, Zxid, begin_frame, end_frame};

use crate::ask::Ask;
use crate::checker::{Came, ConnectAsk};
use crate::scene::Scene;
use crate::tally::Operation;
use crate::violation::Violation;
use crate::watching::Watching;
use crate::wire::WireId;

/// A client.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) wire: Option<WireId>,
    /// 0 while it has none.
    session: i64,
    timeout_ms: i32,
    is_established: bool,
    xid: i32,
    outstanding: u64,
    /// Bytes of a frame that is not whole.
    rest: Vec<u8>,
    heard_us: u64,
    sent_us: u64,
    /// Nothing may follow on this connection.
    has_ended: bool,
    /// Nothing will come of this connection.
    is_lost: bool,
    /// It asked for the end of its session, and does not come back to it.
    is_closing: bool,
    /// It does nothing before.
    silent_until_us: u64,
    /// It does not connect again before.
    retry_at_us: u64,
    /// Once it asks for nothing new: its last requests.
    farewell: Farewell,
    /// What it had when its last connection was lost.
    watching: Watching,
    last_zxid: i64,
}

/// How far a client's last requests are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Farewell {
    #[default]
    Unsaid,
    /// On the way over the connection that it has.
    Said,
    Answered,
}

/// What a client wants of its connection.
#[derive(Debug)]
pub(crate) enum Act {
    Nothing,
    /// Open one to a server and send these bytes.
    Connect {
        node: usize,
        bytes: Vec<u8>,
        connect: ConnectAsk,
    },
    Send(Vec<u8>),
    /// Let go of it.
    Leave,
}

const PING_XID: i32 = -2;
const AUTH_XID: i32 = -4;
const SET_WATCHES_XID: i32 = -8;

impl Client {
    /// What it does now. Once `is_ending`, it asks for nothing new.
    pub(crate) fn act(&mut self, scene: &mut Scene, is_ending: bool) -> Act {
        if scene.now_us < self.silent_until_us && !is_ending {
            return Act::Nothing;
        }
        let Some(wire) = self.wire else {
            return if scene.now_us < self.retry_at_us {
                Act::Nothing
            } else {
                self.connect(scene)
            };
        };
        let timeout_us = u64::try_from(self.timeout_ms).unwrap_or(0) * 1000;
        let waits = !self.is_established || self.outstanding > 0;
        if waits && scene.now_us - self.heard_us.max(self.sent_us) > timeout_us * 2 / 3 {
            return Act::Leave;
        }
        if self.is_lost {
            return Act::Leave;
        }
        if !self.is_established || self.has_ended {
            return Act::Nothing;
        }
        let mut bytes = Vec::new();
        if scene.now_us - self.sent_us > timeout_us / 4 {
            self.send(scene, wire, Ask::Ping, &mut bytes);
        }
        if is_ending {
            self.say_farewell(scene, wire, &mut bytes);
            return if bytes.is_empty() { Act::Nothing } else { Act::Send(bytes) };
        }
        if scene.random.chance(4) {
            self.silent_until_us = scene.now_us + scene.delay(timeout_us * 3);
        } else if scene.random.chance(4) {
            return Act::Leave;
        }
        let room = scene.knobs.pipeline_max.saturating_sub(self.outstanding);
        for _ in 0..scene.random.below(room + 1) {
            let ask = choose::ask(scene, self.session);
            let is_last = match &ask {
                Ask::CloseSession => {
                    self.is_closing = true;
                    true
                }
                Ask::Auth { scheme, .. } => *scheme == "unknown",
                _ => false,
            };
            self.send(scene, wire, ask, &mut bytes);
            if is_last {
                self.has_ended = true;
                break;
            }
        }
        if bytes.is_empty() { Act::Nothing } else { Act::Send(bytes) }
    }

    fn connect(&mut self, scene: &mut Scene) -> Act {
        if self.session != 0 && scene.random.chance(20) {
            self.forget_session();
        }
        let is_password_right = !scene.random.chance(20);
        let mut passwd = zk_core::password(SessionId(self.session));
        passwd[3] ^= u8::from(!is_password_right);
        let (min, max) = (scene.knobs.session_timeout_min_ms, scene.knobs.session_timeout_max_ms);
        let wish = scene.random.between(min / 2, max);
        self.timeout_ms = i32::try_from(wish.max(min)).expect("timeouts are short");
        let timeout_ms = i32::try_from(wish).expect("timeouts are short");
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: Zxid(self.last_zxid),
            timeout_ms,
            session_id: SessionId(self.session),
            passwd: Some(&passwd),
            read_only: Some(false),
        };
        let mut bytes = Vec::new();
        let start = begin_frame(&mut bytes);
        request.encode(&mut Encoder::new(&mut bytes));
        end_frame(&mut bytes, start);
        self.is_established = false;
        (self.has_ended, self.is_lost) = (false, false);
        self.outstanding = 0;
        self.rest.clear();
        (self.heard_us, self.sent_us) = (scene.now_us, scene.now_us);
        let (session, last_zxid) = (self.session, self.last_zxid);
        let connect = ConnectAsk { session, is_password_right, timeout_ms, last_zxid };
        let node = scene.random.index(scene.knobs.quorum.nodes());
        scene.tally.count(Operation::Connect);
        Act::Connect { node, bytes, connect }
    }

    /// Whoever is served must be able to write, and to see what was written.
    fn say_farewell(&mut self, scene: &mut Scene, wire: WireId, bytes: &mut Vec<u8>) {
        if self.farewell != Farewell::Unsaid {
            return;
        }
        self.farewell = Farewell::Said;
        let path = "/".to_owned();
        self.send(scene, wire, Ask::SetData { path: path.clone(), data: None, version: -1 }, bytes);
        self.send(scene, wire, Ask::Sync { path }, bytes);
    }

    fn forget_session(&mut self) {
        self.session = 0;
        self.watching = Watching::default();
    }

    fn send(&mut self, scene: &mut Scene, wire: WireId, ask: Ask, bytes: &mut Vec<u8>) {
        let xid = match ask {
            Ask::Ping => PING_XID,
            Ask::Auth { .. } => AUTH_XID,
            Ask::SetWatches(_) => SET_WATCHES_XID,
            _ => {
                self.xid += 1;
                self.xid
            }
        };
        bytes.extend(ask.frame(xid));
        scene.tally.count(ask.operation());
        scene.note(|| format!("{wire:?} asks {xid} {ask:?}"), 11);
        scene.checker.on_asked(wire, self.session, xid, ask);
        self.outstanding += 1;
        self.sent_us = scene.now_us;
    }

    /// Bytes have come; what it sends at once is returned.
    pub(crate) fn on_bytes(
        &mut self,
        scene: &mut Scene,
        wire: WireId,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Violation> {
        self.heard_us = scene.now_us;
        self.rest.extend_from_slice(bytes);
        let rest = std::mem::take(&mut self.rest);
        let mut frames = Frames::new(&rest, usize::MAX);
        let mut answer = Vec::new();
        while let Ok(Some(frame)) = frames.next_frame() {
            match scene.checker.on_frame(wire, frame)? {
                Came::Event => {}
                Came::Reply { is_lost } => {
                    self.outstanding -= 1;
                    self.is_lost |= is_lost;
                    if self.outstanding == 0 && self.farewell == Farewell::Said {
                        self.farewell = Farewell::Answered;
                    }
                }
                Came::Session(0) => {
                    self.forget_session();
                    self.has_ended = true;
                }
                Came::Session(session) => {
                    self.is_established = true;
                    if session != self.session {
                        (self.session, self.xid) = (session, 0);
                    } else {
                        self.watch_again(scene, wire, &mut answer);
                    }
                }
            }
        }
        self.rest = rest[frames.consumed()..].to_vec();
        Ok(answer)
    }

    fn watch_again(&mut self, scene: &mut Scene, wire: WireId, bytes: &mut Vec<u8>) {
        let seen = scene.checker.seen(self.last_zxid);
        let watches = self.watching.again(self.last_zxid, &seen);
        if !watches.is_empty() {
            self.send(scene, wire, Ask::SetWatches(watches), bytes);
        }
    }

    /// Its connection is gone.
    pub(crate) fn on_lost(&mut self, scene: &mut Scene) {
        let Some(wire) = self.wire.take() else { return };
        let (watching, last) = scene.checker.on_wire_lost(wire);
        if self.is_established {
            self.watching = watching;
            self.last_zxid = self.last_zxid.max(last);
        }
        if std::mem::take(&mut self.is_closing) {
            self.forget_session();
        }
        self.is_established = false;
        self.outstanding = 0;
        if self.farewell == Farewell::Said {
            self.farewell = Farewell::Unsaid;
        }
        self.retry_at_us = scene.now_us + scene.delay(scene.knobs.quorum.retry_us);
    }

    /// Whether it waits for nothing.
    pub(crate) fn is_quiet(&self) -> bool {
        let is_open = self.wire.is_some() && self.is_established && !self.has_ended;
        is_open && self.outstanding == 0 && self.farewell == Farewell::Answered
    }
}
