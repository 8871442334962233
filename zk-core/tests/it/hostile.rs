//! Frames that no client sends: nothing panics, and the log still says what happened.

use std::net::IpAddr;

use zk_core::{ConnectionId, Database, Input, Millis, Now, Output, Peer};
use zk_wire::{ConnectRequest, Encoder, Replica, SessionId, TxnRecord, Zxid};

use crate::command::request;
use crate::settings::Settings;

const REQUESTS: &[&str] = &[
    "create /a data",
    "create -e -s /a/s",
    "create2 /b acl=auth:null:rwcda",
    "createContainer /c",
    "createTTL /t ttl=1000",
    "createTTL /t flags=0 ttl=-1",
    "set /a x v=0",
    "setAcl /a acl=ip:127.0.0.1/8:r,world:anyone:rwcda",
    "delete /a",
    "multi [create /m; set /m x; check /m v=1; delete /m]",
    "multiRead [get /a; ls /]",
    "create /zookeeper/quota/a",
    "create /zookeeper/quota/a/zookeeper_limits countHardLimit=3",
    "create /zookeeper/quota/a/zookeeper_stats count=0",
    "set /zookeeper/quota/a/zookeeper_stats garbage",
    "delete /zookeeper/quota/a/zookeeper_limits",
    "get -w /a",
    "exists -w /b",
    "ls2 -w /",
    "getAcl /a",
    "setWatches2 1 data=/a,/b exist=/c child=/ persistent=/a recursive=/",
    "addWatch / 1",
    "removeWatches / 3",
    "getEphemerals /",
    "auth digest super:test",
    "sasl token",
    "sync /a",
    "whoAmI",
    "ping",
    "close",
];

struct Stranger {
    peer: Peer,
    random: u64,
    mono_ms: u64,
    cnx: u32,
    log: Vec<(Zxid, Vec<u8>)>,
}

impl Stranger {
    fn below(&mut self, n: usize) -> usize {
        self.random = self.random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E);
        usize::try_from(self.random >> 33).unwrap() % n
    }

    fn id(&self) -> ConnectionId {
        ConnectionId::new(0, self.cnx)
    }

    fn step(&mut self, input: Input<'_>) {
        let now = Now { mono: Millis(self.mono_ms), wall_ms: 1_700_000_000_000 };
        let mut out = Vec::new();
        self.peer.step(now, input, &mut out);
        let mut is_closed = false;
        for output in out {
            match output {
                Output::Append { zxid, bytes } => self.log.push((zxid, bytes.to_vec())),
                Output::Close(cnx) => is_closed |= cnx == self.id(),
                Output::Flush(cnx) => self.peer.output(cnx).unwrap().clear(),
                Output::Roll | Output::TakeSnapshot | Output::Resume(_) => {}
                other => panic!("a server alone has no use for {other:?}"),
            }
        }
        if is_closed {
            let cnx = self.id();
            self.step(Input::Disconnected { cnx });
            self.connect();
        }
    }

    fn connect(&mut self) {
        self.cnx += 1;
        let cnx = self.id();
        self.step(Input::Connected { cnx, remote: IpAddr::from([127, 0, 0, 1]) });
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: Zxid::ZERO,
            timeout_ms: 5000,
            session_id: SessionId(0),
            passwd: None,
            read_only: None,
        };
        let mut bytes = Vec::new();
        request.encode(&mut Encoder::new(&mut bytes));
        self.step(Input::Frame { cnx, bytes: &bytes });
        self.persist();
    }

    fn persist(&mut self) {
        let zxid = self.log.last().unwrap().0;
        self.step(Input::Persisted { zxid });
    }

    /// A request with some bytes changed, cut off, or put behind it.
    fn frame(&mut self) -> Vec<u8> {
        let (op, body) = request(REQUESTS[self.below(REQUESTS.len())]);
        let mut bytes = [&7_i32.to_be_bytes()[..], &op.to_be_bytes(), &body].concat();
        for _ in 0..self.below(3) {
            let at = self.below(bytes.len());
            bytes[at] = [0, 1, 0x2f, 0x7f, 0x80, 0xff][self.below(6)];
        }
        match self.below(8) {
            0 => bytes.truncate(self.below(bytes.len())),
            1 => bytes.extend([0xff; 9]),
            _ => {}
        }
        bytes
    }
}

#[test]
fn frames_of_any_bytes_end_at_most_their_connection() {
    for seed in 0..6 {
        let mut settings = Settings::new();
        settings.options.prep.extended_types = seed % 2 == 0;
        settings.options.prep.enforce_quota = seed % 3 == 0;
        let now = Now { mono: Millis(0), wall_ms: 1_700_000_000_000 };
        let peer = Peer::new(settings.options.clone(), Database::new(settings.database()), now);
        let mut stranger = Stranger { peer, random: seed, mono_ms: 0, cnx: 0, log: Vec::new() };
        stranger.connect();
        for _ in 0..2000 {
            let bytes = stranger.frame();
            let cnx = stranger.id();
            stranger.step(Input::Frame { cnx, bytes: &bytes });
            match stranger.below(20) {
                0..=5 => stranger.persist(),
                6 => {
                    stranger.mono_ms += 1500;
                    stranger.step(Input::Timeout);
                }
                _ => {}
            }
        }
        stranger.persist();
        let live = stranger.peer.database();
        assert!(live.tree().node_count() > 4 && live.digest_mismatches() == 0, "seed {seed}");
        let mut replayed = Database::new(settings.database());
        for (_, bytes) in &stranger.log {
            replayed.replay(&TxnRecord::decode(bytes).unwrap());
        }
        assert_eq!(replayed.tree().digest(), live.tree().digest(), "seed {seed}");
        assert_eq!(replayed.sessions(), live.sessions(), "seed {seed}");
    }
}
