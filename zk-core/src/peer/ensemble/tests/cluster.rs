//! Servers with disks that never fail and wires that never lose, in one thread and one order.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;
use zk_wire::{
    ConnectRequest, ConnectResponse, Decoder, Encoder, EnsembleId, Frames, Naming, Op, ReplyHeader,
    ServerId, SessionId, TxnRecord, Xid, Zxid, write_snapshot_stream_end,
};

use crate::peer::tests::options;
use crate::quorum::plain::Plain;
use crate::{
    ConnectionId, Database, DatabaseOptions, EnsembleOptions, Grammar, Input, LinkId, Members,
    Millis, Now, Output, Peer,
};

/// Servers by number, and what is on its way to them.
pub(super) struct Cluster {
    servers: BTreeMap<i64, Server>,
    events: VecDeque<(i64, Event)>,
    links: BTreeMap<LinkId, (i64, i64)>,
    clients: Vec<Client>,
    now: Millis,
    count: i64,
    keep: usize,
    last_link: u64,
    lingering: Option<i64>,
    /// Whose disk does not answer.
    slow_disk: Option<i64>,
    /// Members that are all empty begin a new ensemble.
    may_found: bool,
    /// Whose log has lost what lies before its last txns.
    purged: Option<i64>,
    /// How many txns were read from logs for learners.
    read_again: usize,
    /// Who must read all that comes.
    watched: Option<i64>,
    /// Whether requests may change the members.
    is_reconfigurable: bool,
    /// Sessions are local; whether they may become global.
    local_sessions: Option<bool>,
}

#[derive(Default)]
struct Server {
    peer: Option<Peer>,
    log: Vec<(Zxid, Bytes)>,
    epochs: (i32, i32),
    /// What its file says of the ensemble's id.
    naming: Naming,
    /// It was told that it is of another ensemble, and has ended.
    is_foreign: bool,
    /// Its log was lost, and it knows that.
    is_wiped: bool,
    /// The configuration of its files, and the one that is proposed.
    members: Option<(Members, Option<Members>)>,
}

struct Client {
    server: i64,
    cnx: ConnectionId,
    session: SessionId,
    passwd: [u8; 16],
    inbox: Vec<u8>,
    xid: i32,
}

enum Event {
    Notified { from: i64, payload: Vec<u8> },
    Reachable { peer: i64, is_reachable: bool },
    LinkOpened(LinkId),
    Dialed(LinkId),
    DialFailed,
    LinkBytes(LinkId, Bytes),
    LinkClosed(LinkId),
    Persisted(Zxid),
    Stored(i32, i32),
    NamingStored(Naming),
    Ended,
    Truncated(Zxid),
    Reload,
    LogRead(LinkId, Vec<(Zxid, Bytes)>),
    LogUnfit(LinkId),
    SnapshotTaken,
    SnapshotStreamed,
    Closed(ConnectionId),
}

impl Cluster {
    pub(super) fn new(count: i64) -> Self {
        Self::keeping(count, 500)
    }

    /// Empty servers, of which none was told that it is new; none is started.
    pub(super) fn guarded(count: i64) -> Self {
        let mut cluster = Self::with(0, 500, None);
        (cluster.may_found, cluster.count) = (true, count);
        for sid in 1..=count {
            cluster.servers.insert(sid, Server { is_wiped: true, ..Server::default() });
        }
        cluster
    }

    /// Servers that keep so many txns in memory.
    pub(super) fn keeping(count: i64, keep: usize) -> Self {
        Self::with(count, keep, None)
    }

    /// Servers with sessions of their own, that may become global or not.
    pub(super) fn with_local_sessions(count: i64, may_upgrade: bool) -> Self {
        Self::with(count, 500, Some(may_upgrade))
    }

    /// Servers whose members may change.
    pub(super) fn reconfigurable(count: i64) -> Self {
        let mut cluster = Self::with(0, 500, None);
        cluster.is_reconfigurable = true;
        for sid in 1..=count {
            cluster.add(sid, Plain::voters(1..=count));
        }
        cluster
    }

    /// One more server, whose files have these members.
    pub(super) fn add(&mut self, sid: i64, members: Members) {
        let server = Server { members: Some((members, None)), ..Server::default() };
        self.servers.insert(sid, server);
        self.count = sid;
        self.start(sid);
    }

    /// Asks for other members; the error code of the reply.
    pub(super) fn reconfig(&mut self, client: usize, joining: &str, leaving: &str) -> i32 {
        self.ask(client, Op::Reconfig, &reconfig_request(joining, leaving, -1))
    }

    /// Asks for other members than those of this version; the error code of the reply.
    pub(super) fn reconfig_of(&mut self, client: usize, leaving: &str, version: i64) -> i32 {
        self.ask(client, Op::Reconfig, &reconfig_request("", leaving, version))
    }

    /// Asks for other members and hears nothing of it.
    pub(super) fn reconfig_unheard(&mut self, client: usize, joining: &str) {
        self.tell(client, Op::Reconfig, &reconfig_request(joining, "", -1));
    }

    fn with(count: i64, keep: usize, local_sessions: Option<bool>) -> Self {
        let mut cluster = Self {
            servers: (1..=count).map(|sid| (sid, Server::default())).collect(),
            events: VecDeque::new(),
            links: BTreeMap::new(),
            clients: Vec::new(),
            now: Millis(1000),
            count,
            keep,
            last_link: 0,
            lingering: None,
            slow_disk: None,
            may_found: false,
            purged: None,
            read_again: 0,
            watched: None,
            is_reconfigurable: false,
            local_sessions,
        };
        for sid in 1..=count {
            cluster.start(sid);
        }
        cluster
    }

    pub(super) fn start(&mut self, sid: i64) {
        let now = self.now();
        let (count, keep) = (self.count, self.keep);
        let server = self.servers.get_mut(&sid).unwrap();
        let mut options = options();
        options.server_id = u8::try_from(sid).unwrap();
        options.prep.reconfig = self.is_reconfigurable;
        options.prep.auth.skip_acl = self.is_reconfigurable;
        let grammar: Arc<dyn Grammar> = Arc::new(Plain);
        let (members, proposed) = server.members.clone().unwrap_or_else(|| {
            let all = (1..=count).map(ServerId);
            let (groups, weights) = (BTreeMap::new(), BTreeMap::new());
            (Members::new(all, [], groups, weights, 0, "version=0".to_owned()), None)
        });
        options.ensemble = Some(EnsembleOptions {
            me: ServerId(sid),
            members,
            proposed,
            naming: server.naming,
            fresh_id: EnsembleId(u128::from(self.last_link) << 8 | u128::from(sid.unsigned_abs())),
            is_blank: server.is_wiped && server.log.is_empty(),
            may_found: self.may_found,
            accepted_epoch: zk_wire::Epoch(server.epochs.0),
            current_epoch: zk_wire::Epoch(server.epochs.1),
            init_limit: 10,
            sync_limit: 2,
            election_interval_min_ms: 200,
            election_interval_max_ms: 60_000,
            commit_log_count: keep,
            commit_log_bytes: 0,
            log_permille: Some(1000),
            force_snapshot_sync: false,
            leader_serves: true,
            reconfig: Some(grammar).filter(|_| self.is_reconfigurable),
            read_only: true,
            local_sessions: self.local_sessions.is_some(),
            local_upgrading: self.local_sessions == Some(true),
        });
        let database = server.recover(keep);
        server.peer = Some(Peer::new(options, database, now));
    }

    /// Its disk takes what it gets and does not answer.
    pub(super) fn hold_disk(&mut self, sid: i64) {
        self.slow_disk = Some(sid);
    }

    /// The disk that was held has everything.
    pub(super) fn release_disk(&mut self) {
        let Some(sid) = self.slow_disk.take() else { return };
        let last = self.servers[&sid].log.last().map_or(Zxid::ZERO, |(zxid, _)| *zxid);
        self.events.push_back((sid, Event::Persisted(last)));
    }

    /// It can no longer read its log for others.
    pub(super) fn purge(&mut self, sid: i64) {
        self.purged = Some(sid);
    }

    /// How many txns learners got that were in no memory.
    pub(super) fn read_again(&self) -> usize {
        self.read_again
    }

    /// It must read all that comes from its leader.
    pub(super) fn watch_reading(&mut self, sid: i64) {
        self.watched = Some(sid);
    }

    /// A server that is down loses its log.
    pub(super) fn wipe(&mut self, sid: i64) {
        self.servers.get_mut(&sid).unwrap().log.clear();
    }

    /// A server that is down loses its log and knows that there was one.
    pub(super) fn blank(&mut self, sid: i64) {
        self.wipe(sid);
        let server = self.servers.get_mut(&sid).unwrap();
        server.epochs = (0, 0);
        server.is_wiped = true;
    }

    /// Its process will wait for something when it is told to end.
    pub(super) fn linger(&mut self, sid: i64) {
        self.lingering = Some(sid);
    }

    /// It is told to end.
    pub(super) fn terminate(&mut self, sid: i64) {
        self.step(sid, Input::Stop);
    }

    /// Its process is killed; its peers notice at once.
    pub(super) fn stop(&mut self, sid: i64) {
        self.servers.get_mut(&sid).unwrap().peer = None;
        let gone: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, ends)| ends.0 == sid || ends.1 == sid)
            .map(|l| *l.0)
            .collect();
        for link in gone {
            let (a, b) = self.links.remove(&link).unwrap();
            self.events.push_back((if a == sid { b } else { a }, Event::LinkClosed(link)));
        }
        for other in 1..=self.count {
            self.events.push_back((other, Event::Reachable { peer: sid, is_reachable: false }));
        }
    }

    /// A server that is down has promised this epoch.
    pub(super) fn promise(&mut self, sid: i64, epoch: i32) {
        self.servers.get_mut(&sid).unwrap().epochs.0 = epoch;
    }

    /// A server that is down has followed a leader of this epoch.
    pub(super) fn follow_epoch(&mut self, sid: i64, epoch: i32) {
        self.servers.get_mut(&sid).unwrap().epochs.1 = epoch;
    }

    /// What a server's file says of the ensemble's id.
    pub(super) fn naming(&self, sid: i64) -> Naming {
        self.servers[&sid].naming
    }

    /// It starts anew with this, if it runs.
    pub(super) fn set_naming(&mut self, sid: i64, naming: Naming) {
        let server = self.servers.get_mut(&sid).unwrap();
        server.naming = naming;
        if server.peer.is_some() {
            self.start(sid);
        }
    }

    /// Whether it was told that it is of another ensemble.
    pub(super) fn is_foreign(&self, sid: i64) -> bool {
        self.servers[&sid].is_foreign
    }

    pub(super) fn log_len(&self, sid: i64) -> usize {
        self.servers[&sid].log.len()
    }

    pub(super) fn peer(&self, sid: i64) -> &Peer {
        self.servers[&sid].peer.as_ref().expect("it runs")
    }

    pub(super) fn roles(&self) -> String {
        let role = |server: &Server| {
            server.peer.as_ref().map_or("down".to_owned(), |peer| peer.role().to_string())
        };
        let roles: Vec<String> =
            self.servers.iter().map(|(sid, server)| format!("{sid} {}", role(server))).collect();
        roles.join(" ")
    }

    pub(super) fn has(&self, sid: i64, path: &str) -> bool {
        self.peer(sid).database().tree().lookup(path).is_some()
    }

    /// Until nothing is on its way, and for two seconds more.
    pub(super) fn run(&mut self) {
        self.pass(2000);
    }

    /// So many ms pass.
    pub(super) fn pass(&mut self, ms: u64) {
        let until = self.now.after(ms);
        loop {
            while let Some((sid, event)) = self.events.pop_front() {
                self.deliver(sid, event);
            }
            let peers = self.servers.values().filter_map(|server| server.peer.as_ref());
            let Some(next) = peers.filter_map(Peer::deadline).min() else { break };
            if next > until {
                break;
            }
            self.now = self.now.max(next);
            for sid in 1..=self.count {
                self.step(sid, Input::Timeout);
            }
        }
        self.now = until;
    }

    pub(super) fn now(&self) -> Now {
        Now { mono: self.now, wall_ms: 5 }
    }

    fn deliver(&mut self, sid: i64, event: Event) {
        match event {
            Event::Notified { from, payload } => {
                let from = ServerId(from);
                self.step(sid, Input::Notified { from, payload: &payload });
            }
            Event::Reachable { peer, is_reachable } => {
                let peer = ServerId(peer);
                self.step(sid, Input::Reachable { peer, is_reachable });
            }
            Event::LinkOpened(link) => {
                self.step(sid, Input::LinkOpened { link, remote: IpAddr::from([127, 0, 0, 1]) });
            }
            Event::Dialed(link) => self.step(sid, Input::Dialed { link }),
            Event::DialFailed => self.step(sid, Input::DialFailed),
            // Bytes come in pieces of any size.
            Event::LinkBytes(link, bytes) => {
                let len = if bytes.len() < 4096 { 13 } else { 4099 };
                for bytes in bytes.chunks(len) {
                    if self.watched == Some(sid) {
                        assert!(self.peer(sid).may_read_link(link), "it must read on");
                    }
                    self.step(sid, Input::LinkBytes { link, bytes });
                }
            }
            Event::LinkClosed(link) => self.step(sid, Input::LinkClosed { link }),
            Event::Persisted(zxid) => self.step(sid, Input::Persisted { zxid }),
            Event::Stored(accepted, current) => {
                let (accepted, current) = (zk_wire::Epoch(accepted), zk_wire::Epoch(current));
                self.step(sid, Input::EpochsStored { accepted, current });
            }
            Event::Ended => self.stop(sid),
            Event::NamingStored(naming) => self.step(sid, Input::NamingStored { naming }),
            Event::Truncated(zxid) => self.step(sid, Input::Truncated { zxid }),
            Event::Reload => {
                let keep = self.keep;
                let database = Box::new(self.servers.get_mut(&sid).unwrap().recover(keep));
                self.step(sid, Input::Reloaded { database });
            }
            Event::LogRead(link, txns) => {
                self.read_again += txns.len();
                self.step(sid, Input::LogRead { link, txns: &txns });
            }
            Event::LogUnfit(link) => self.step(sid, Input::LogUnfit { link }),
            Event::SnapshotTaken => self.step(sid, Input::SnapshotTaken { is_durable: true }),
            Event::SnapshotStreamed => self.step(sid, Input::SnapshotStreamed),
            Event::Closed(cnx) => self.step(sid, Input::Disconnected { cnx }),
        }
    }

    fn step(&mut self, sid: i64, input: Input<'_>) {
        let now = self.now();
        let Some(peer) = &mut self.servers.get_mut(&sid).unwrap().peer else { return };
        let mut outputs = Vec::new();
        peer.step(now, input, &mut outputs);
        for output in outputs {
            self.carry_out(sid, output);
        }
    }

    fn carry_out(&mut self, sid: i64, output: Output) {
        let server = self.servers.get_mut(&sid).unwrap();
        match output {
            Output::Append { zxid, bytes } => {
                server.log.push((zxid, bytes));
                if self.slow_disk != Some(sid) {
                    self.events.push_back((sid, Event::Persisted(zxid)));
                }
            }
            Output::Roll | Output::Resume(_) | Output::ResumeLink(_) | Output::StopDialing => {}
            Output::Stopped if self.lingering == Some(sid) => {}
            Output::Stopped => self.stop(sid),
            Output::Flush(cnx) => self.receive(sid, cnx),
            Output::Close(cnx) => {
                self.receive(sid, cnx);
                self.events.push_back((sid, Event::Closed(cnx)));
            }
            Output::Notify { to, payload } => {
                self.events.push_back((to.0, Event::Notified { from: sid, payload }));
            }
            Output::ConnectPeers => {
                for peer in 1..=self.count {
                    let is_reachable = self.servers[&peer].peer.is_some();
                    self.events.push_back((sid, Event::Reachable { peer, is_reachable }));
                }
            }
            Output::Dial { leader } => self.dial(sid, leader.0),
            Output::Send { link, bytes } => {
                if let Some((a, b)) = self.links.get(&link) {
                    let to = if *a == sid { *b } else { *a };
                    self.events.push_back((to, Event::LinkBytes(link, bytes)));
                }
            }
            Output::CloseLink(link) => {
                if let Some((a, b)) = self.links.remove(&link) {
                    let other = if a == sid { b } else { a };
                    self.events.push_back((other, Event::LinkClosed(link)));
                    self.events.push_back((sid, Event::LinkClosed(link)));
                }
            }
            Output::StoreEpochs { accepted, current } => {
                server.epochs = (accepted.0, current.0);
                self.events.push_back((sid, Event::Stored(accepted.0, current.0)));
            }
            Output::StoreNaming(naming) => {
                server.naming = naming;
                self.events.push_back((sid, Event::NamingStored(naming)));
            }
            Output::Foreign { .. } => {
                server.is_foreign = true;
                self.events.push_back((sid, Event::Ended));
            }
            Output::KeepMembers => {
                let peer = server.peer.as_ref().expect("it runs");
                let members = peer.members().expect("it is a member").clone();
                server.members = Some((members, peer.proposed_members().cloned()));
            }
            Output::Truncate { zxid } => {
                server.log.retain(|(logged, _)| *logged <= zxid);
                self.events.push_back((sid, Event::Truncated(zxid)));
            }
            Output::Reload => self.events.push_back((sid, Event::Reload)),
            Output::AbortSnapshot => server.peer.as_mut().unwrap().database_mut().abort_snapshot(),
            Output::TakeSnapshot => self.events.push_back((sid, Event::SnapshotTaken)),
            Output::ReadLog { link, above, until, bytes_max } => {
                self.read_log(sid, link, above..=until, bytes_max);
            }
            Output::StreamSnapshot { links } => self.stream(sid, &links),
        }
    }

    fn dial(&mut self, sid: i64, leader: i64) {
        if self.servers[&leader].peer.is_none() {
            return self.events.push_back((sid, Event::DialFailed));
        }
        self.last_link += 1;
        let link = LinkId(self.last_link);
        self.links.insert(link, (sid, leader));
        self.events.push_back((leader, Event::LinkOpened(link)));
        self.events.push_back((sid, Event::Dialed(link)));
    }

    /// Two txns at a time.
    fn read_log(&mut self, sid: i64, link: LinkId, range: RangeInclusive<Zxid>, bytes_max: u64) {
        let log = &self.servers[&sid].log;
        let wanted: Vec<_> = log.iter().filter(|(zxid, _)| range.contains(zxid)).cloned().collect();
        let len: usize = wanted.iter().map(|(_, bytes)| bytes.len()).sum();
        let has_all = wanted.first().is_some_and(|(zxid, _)| zxid == range.start());
        if !has_all || len as u64 > bytes_max || self.purged == Some(sid) {
            return self.events.push_back((sid, Event::LogUnfit(link)));
        }
        for txns in wanted[1..].chunks(2) {
            self.events.push_back((sid, Event::LogRead(link, txns.to_vec())));
        }
    }

    fn stream(&mut self, sid: i64, links: &[LinkId]) {
        let database = self.servers.get_mut(&sid).unwrap().peer.as_mut().unwrap().database_mut();
        let (_, _, mut stream) = database.begin_snapshot();
        while let Some(slice) = database.snapshot_slice(2) {
            stream.extend_from_slice(&slice.bytes);
        }
        write_snapshot_stream_end(&mut stream);
        let bytes = Bytes::from(stream);
        for link in links {
            self.carry_out(sid, Output::Send { link: *link, bytes: bytes.clone() });
        }
        self.events.push_back((sid, Event::SnapshotStreamed));
    }

    /// A client with a new session, once it has one.
    pub(super) fn connect(&mut self, server: i64) -> usize {
        self.open(server, SessionId(0), [0; 16], false)
    }

    /// A client that is content with reads.
    pub(super) fn connect_read_only(&mut self, server: i64) -> usize {
        self.open(server, SessionId(0), [0; 16], true)
    }

    /// The same client comes to another server with its session.
    pub(super) fn reconnect(&mut self, client: usize, server: i64) -> usize {
        let Client { session, passwd, .. } = self.clients[client];
        self.open(server, session, passwd, false)
    }

    fn open(
        &mut self,
        server: i64,
        session_id: SessionId,
        passwd: [u8; 16],
        is_reader: bool,
    ) -> usize {
        let client = self.clients.len();
        let cnx = ConnectionId::new(u32::try_from(client).unwrap(), 0);
        let (session, inbox) = (session_id, Vec::new());
        self.clients.push(Client { server, cnx, session, passwd, inbox, xid: 0 });
        self.step(server, Input::Connected { cnx, remote: IpAddr::from([127, 0, 0, 1]) });
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: Zxid::ZERO,
            timeout_ms: 4000,
            session_id,
            passwd: Some(&passwd),
            read_only: Some(is_reader),
        };
        let mut bytes = Vec::new();
        request.encode(&mut Encoder::new(&mut bytes));
        self.step(server, Input::Frame { cnx, bytes: &bytes });
        self.pass(10);
        let reply = self.frame(client);
        let response = ConnectResponse::decode(&reply).unwrap();
        assert_eq!(response.read_only, Some(is_reader));
        let client_state = &mut self.clients[client];
        client_state.session = response.session_id;
        client_state.passwd = response.passwd;
        client
    }

    pub(super) fn session(&self, client: usize) -> SessionId {
        self.clients[client].session
    }

    /// Sends a request; the error code of its reply.
    pub(super) fn ask(&mut self, client: usize, op: Op, body: &[u8]) -> i32 {
        let xid = self.tell(client, op, body);
        let reply = self.frame(client);
        let header = ReplyHeader::decode(&mut Decoder::new(&reply)).unwrap();
        assert_eq!(header.xid, xid);
        header.err
    }

    /// Sends a request that may not be answered.
    fn tell(&mut self, client: usize, op: Op, body: &[u8]) -> Xid {
        let asking = &mut self.clients[client];
        asking.xid += 1;
        let xid = if op == Op::Ping { Xid(-2) } else { Xid(asking.xid) };
        let (server, cnx) = (asking.server, asking.cnx);
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes).int(xid.0).int(op.code());
        bytes.extend_from_slice(body);
        self.step(server, Input::Frame { cnx, bytes: &bytes });
        self.pass(10);
        xid
    }

    pub(super) fn create(&mut self, client: usize, path: &str) -> i32 {
        self.create_with(client, path, 0)
    }

    pub(super) fn create_ephemeral(&mut self, client: usize, path: &str) -> i32 {
        self.create_with(client, path, 1)
    }

    fn create_with(&mut self, client: usize, path: &str, flags: i32) -> i32 {
        let mut body = Vec::new();
        let mut e = Encoder::new(&mut body);
        e.text(path).buffer(Some(b"x")).count(1).int(31).text("world").text("anyone").int(flags);
        self.ask(client, Op::Create, &body)
    }

    pub(super) fn exists(&mut self, client: usize, path: &str) -> i32 {
        let mut body = Vec::new();
        Encoder::new(&mut body).text(path).boolean(false);
        self.ask(client, Op::Exists, &body)
    }

    pub(super) fn sync(&mut self, client: usize) -> i32 {
        let mut body = Vec::new();
        Encoder::new(&mut body).text("/");
        self.ask(client, Op::Sync, &body)
    }

    fn receive(&mut self, sid: i64, cnx: ConnectionId) {
        let Some(peer) = &mut self.servers.get_mut(&sid).unwrap().peer else { return };
        let Some(output) = peer.output(cnx) else { return };
        let bytes = std::mem::take(output);
        let client = self.clients.iter_mut().find(|client| client.cnx == cnx).unwrap();
        client.inbox.extend_from_slice(&bytes);
    }

    fn frame(&mut self, client: usize) -> Vec<u8> {
        let inbox = &mut self.clients[client].inbox;
        let mut frames = Frames::new(inbox, 1 << 20);
        let frame = frames.next_frame().unwrap().expect("a reply has come").to_vec();
        let consumed = frames.consumed();
        inbox.drain(..consumed);
        frame
    }
}

fn reconfig_request(joining: &str, leaving: &str, version: i64) -> Vec<u8> {
    let mut body = Vec::new();
    let mut e = Encoder::new(&mut body);
    for text in [joining, leaving] {
        e.text_or_null(Some(text).filter(|text| !text.is_empty()));
    }
    e.text_or_null(None).long(version);
    body
}

impl Server {
    /// The database that its log gives.
    fn recover(&mut self, keep: usize) -> Database {
        use zk_wire::Replica as _;
        let options = DatabaseOptions { seed: 1, extended_types: false, digest: true };
        let mut database = Database::new(options).keeping_replayed(keep * 100);
        for (zxid, bytes) in &self.log {
            database.replay(&TxnRecord::decode(bytes).unwrap());
            database.replayed(*zxid, bytes);
        }
        database.finish_recovery();
        database
    }
}
