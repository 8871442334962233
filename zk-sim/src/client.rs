//! One client: a session that it makes, keeps, loses and takes up again, with requests on the way.
//!
//! It behaves as client libraries do: one connection at a time, pings when idle, gives up a
//! connection on which nothing comes, and sets its watches again on the next.

mod choose;

use zk_wire::{ConnectRequest, Encoder, Frames, SessionId, Zxid, begin_frame, end_frame};

use crate::ask::Ask;
use crate::checker::{Came, ConnectAsk, LinkId};
use crate::scene::Scene;
use crate::violation::Violation;
use crate::watching::Watching;

/// A client.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) link: Option<LinkId>,
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
    /// It does nothing before.
    silent_until_us: u64,
    /// What it had when its last connection was lost.
    watching: Watching,
    last_zxid: i64,
}

/// What a client wants of its connection.
#[derive(Debug)]
pub(crate) enum Act {
    Nothing,
    /// Open one and send these bytes.
    Connect(Vec<u8>, ConnectAsk),
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
        let Some(link) = self.link else { return self.connect(scene) };
        let timeout_us = u64::try_from(self.timeout_ms).unwrap_or(0) * 1000;
        let waits = !self.is_established || self.outstanding > 0;
        if waits && scene.now_us - self.heard_us.max(self.sent_us) > timeout_us * 2 / 3 {
            return Act::Leave;
        }
        if !self.is_established || self.has_ended {
            return Act::Nothing;
        }
        let mut bytes = Vec::new();
        if scene.now_us - self.sent_us > timeout_us / 4 {
            self.send(scene, link, Ask::Ping, &mut bytes);
        }
        if is_ending {
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
                Ask::CloseSession => true,
                Ask::Auth { scheme, .. } => *scheme == "unknown",
                _ => false,
            };
            self.send(scene, link, ask, &mut bytes);
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
        self.has_ended = false;
        self.outstanding = 0;
        self.rest.clear();
        (self.heard_us, self.sent_us) = (scene.now_us, scene.now_us);
        Act::Connect(bytes, ConnectAsk { session: self.session, is_password_right, timeout_ms })
    }

    fn forget_session(&mut self) {
        self.session = 0;
        self.watching = Watching::default();
    }

    fn send(&mut self, scene: &mut Scene, link: LinkId, ask: Ask, bytes: &mut Vec<u8>) {
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
        scene.note(|| format!("{link:?} asks {xid} {ask:?}"), &[]);
        scene.checker.on_asked(link, self.session, xid, ask);
        self.outstanding += 1;
        self.sent_us = scene.now_us;
    }

    /// Bytes have come; what it sends at once is returned.
    pub(crate) fn on_bytes(
        &mut self,
        scene: &mut Scene,
        link: LinkId,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Violation> {
        self.heard_us = scene.now_us;
        self.rest.extend_from_slice(bytes);
        let rest = std::mem::take(&mut self.rest);
        let mut frames = Frames::new(&rest, usize::MAX);
        let mut answer = Vec::new();
        while let Ok(Some(frame)) = frames.next_frame() {
            match scene.checker.on_frame(link, frame)? {
                Came::Event => {}
                Came::Reply => self.outstanding -= 1,
                Came::Session(0) => {
                    self.forget_session();
                    self.has_ended = true;
                }
                Came::Session(session) => {
                    self.is_established = true;
                    if session != self.session {
                        (self.session, self.xid) = (session, 0);
                    } else {
                        self.watch_again(scene, link, &mut answer);
                    }
                }
            }
        }
        self.rest = rest[frames.consumed()..].to_vec();
        Ok(answer)
    }

    fn watch_again(&mut self, scene: &mut Scene, link: LinkId, bytes: &mut Vec<u8>) {
        let seen = scene.checker.seen(self.last_zxid);
        let watches = self.watching.again(&seen);
        if !watches.is_empty() {
            self.send(scene, link, Ask::SetWatches(watches), bytes);
        }
    }

    /// Its connection is gone.
    pub(crate) fn on_lost(&mut self, scene: &mut Scene) {
        let Some(link) = self.link.take() else { return };
        let (watching, last) = scene.checker.on_link_lost(link);
        if self.is_established {
            self.watching = watching;
            self.last_zxid = self.last_zxid.max(last);
        }
        self.is_established = false;
        self.outstanding = 0;
    }

    /// Whether it waits for nothing.
    pub(crate) fn is_quiet(&self) -> bool {
        self.link.is_some() && self.is_established && self.outstanding == 0 && !self.has_ended
    }
}
