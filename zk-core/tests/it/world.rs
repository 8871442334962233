//! A server and its clients in one thread: the shell's duties, and a clock that only tests move.
//!
//! Every reply is matched with the oldest request that has none, so each scenario also shows that a
//! connection's replies come in the order of its requests. At the end no txn's digest was wrong.

use std::collections::{BTreeMap, VecDeque};

use zk_core::{ConnectionId, Database, Input, Millis, Now, Output, Peer, password};
use zk_wire::{
    Acl, ConnectRequest, ConnectResponse, CreateKind, CreateTxn, Decoder, Encoder, Frames, Op,
    Replica, ReplyHeader, RequestHeader, SessionId, Txn, TxnHeader, TxnRecord, Xid, Zxid,
};

use crate::command::{Words, hex, request};
use crate::settings::Settings;
use crate::show::{Shower, error, event};

/// Where the wall clock starts, in ms since 1970.
const START_MS: i64 = 1_700_000_000_000;

/// One server's life.
pub(crate) struct World {
    pub(crate) peer: Peer,
    pub(crate) settings: Settings,
    /// What happened since this was emptied last.
    pub(crate) lines: Vec<String>,
    /// Txns in the log, those in flight too.
    pub(crate) log: Vec<(Zxid, Vec<u8>)>,
    persisted: Zxid,
    mono_ms: u64,
    clients: BTreeMap<String, Client>,
    names: BTreeMap<SessionId, String>,
    places: u32,
}

struct Client {
    cnx: ConnectionId,
    is_open: bool,
    /// Whether it takes what the server sends.
    is_reading: bool,
    has_connected: bool,
    session: SessionId,
    last_xid: i32,
    unanswered: VecDeque<(i32, i32)>,
    /// Frames that the server does not want yet.
    held: VecDeque<Vec<u8>>,
}

impl World {
    /// A new server on an empty disk.
    pub(crate) fn new(settings: Settings) -> Self {
        let now = Now { mono: Millis(0), wall_ms: START_MS };
        let database = Database::new(settings.database());
        Self {
            peer: Peer::new(settings.options.clone(), database, now),
            settings,
            lines: Vec::new(),
            log: Vec::new(),
            persisted: Zxid::ZERO,
            mono_ms: 0,
            clients: BTreeMap::new(),
            names: BTreeMap::new(),
            places: 0,
        }
    }

    fn now(&self) -> Now {
        let wall_ms = START_MS + i64::try_from(self.mono_ms).unwrap();
        Now { mono: Millis(self.mono_ms), wall_ms }
    }

    /// One line of a scenario.
    pub(crate) fn command(&mut self, line: &str) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        match first {
            "connect" => self.connect(&Words::parse(rest), false),
            "reattach" => self.connect(&Words::parse(rest), true),
            "cut" => self.cut(rest),
            "persisted" => self.persist(rest.parse().map_or(self.last_appended(), Zxid)),
            "tick" => self.pass(rest.parse().unwrap()),
            "restart" => self.restart(),
            "logged" => {
                let (path, counter) = rest.split_once(' ').unwrap();
                self.log_create(path, counter.parse().unwrap());
                self.restart();
            }
            _ => match rest {
                "stops reading" => self.client(first).is_reading = false,
                "reads" => {
                    self.client(first).is_reading = true;
                    let cnx = self.client(first).cnx;
                    self.receive(cnx);
                    self.feed(first);
                }
                _ => self.send(first, rest),
            },
        }
    }

    fn client(&mut self, name: &str) -> &mut Client {
        self.clients.get_mut(name).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    /// `NAME timeout=6000 from=10.0.0.1 last=ZXID`; a reattach also takes `session=` and `passwd=`.
    fn connect(&mut self, words: &Words, is_reattach: bool) {
        let name = words.verb.as_str();
        let session = match (is_reattach, words.setting("session")) {
            (false, _) => SessionId(0),
            (true, Some("unknown")) => SessionId(77),
            (true, other) => self.client(other.unwrap_or(name)).session,
        };
        let cnx = ConnectionId::new(self.places, 0);
        self.places += 1;
        let client = Client {
            cnx,
            is_open: true,
            is_reading: true,
            has_connected: false,
            session,
            last_xid: 0,
            unanswered: VecDeque::new(),
            held: VecDeque::new(),
        };
        self.clients.insert(name.to_owned(), client);
        let remote = words.setting("from").unwrap_or("127.0.0.1").parse().unwrap();
        self.step(Input::Connected { cnx, remote });
        let right = password(session);
        let passwd: &[u8] = if words.setting("passwd").is_some() { &[7; 16] } else { &right };
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: Zxid(words.number("last").unwrap_or(0)),
            timeout_ms: words.number("timeout").unwrap_or(6000),
            session_id: session,
            passwd: Some(passwd),
            read_only: (!words.has("-o")).then_some(false),
        };
        let mut frame = Vec::new();
        request.encode(&mut Encoder::new(&mut frame));
        if !words.has("-n") {
            self.client(name).held.push_back(frame);
            self.feed(name);
        }
    }

    fn cut(&mut self, name: &str) {
        let client = self.client(name);
        client.is_open = false;
        let cnx = client.cnx;
        self.step(Input::Disconnected { cnx });
    }

    /// A request as words, `frame HEX`, or `connect` for a second connect request.
    fn send(&mut self, name: &str, line: &str) {
        let client = self.client(name);
        if let Some(digits) = line.strip_prefix("frame ") {
            client.held.push_back(hex(digits.trim()));
            return self.feed(name);
        }
        let (op, body) = request(line);
        let usual = match Op::from_code(op) {
            Some(Op::Ping) => -2,
            Some(Op::Auth) => -4,
            Some(Op::SetWatches | Op::SetWatches2) => -8,
            _ => client.last_xid + 1,
        };
        client.last_xid = client.last_xid.max(usual);
        let xid = Words::parse(line).number("xid").unwrap_or(usual);
        let mut frame = Vec::new();
        RequestHeader { xid: Xid(xid), op }.encode(&mut Encoder::new(&mut frame));
        frame.extend_from_slice(&body);
        client.unanswered.push_back((if op == Op::Ping.code() { -2 } else { xid }, op));
        client.held.push_back(frame);
        self.feed(name);
    }

    /// Gives the server what a client has sent, as far as it wants it.
    fn feed(&mut self, name: &str) {
        while let Some(client) = self.clients.get(name)
            && client.is_open
            && !client.held.is_empty()
        {
            let cnx = client.cnx;
            if !self.peer.may_read(cnx) {
                return self.lines.push(format!("{name} is not read"));
            }
            let bytes = self.client(name).held.pop_front().unwrap();
            self.step(Input::Frame { cnx, bytes: &bytes });
        }
    }

    fn step(&mut self, input: Input<'_>) {
        let mut outputs = Vec::new();
        self.peer.step(self.now(), input, &mut outputs);
        let mut closed = Vec::new();
        let mut resumed = Vec::new();
        for output in outputs {
            match output {
                Output::Append { zxid, bytes } => {
                    if self.settings.slow_disk {
                        self.lines.push(format!("append {}", zxid.0));
                    }
                    self.log.push((zxid, bytes.to_vec()));
                }
                Output::Roll => self.lines.push("roll".to_owned()),
                Output::TakeSnapshot => self.snapshot(),
                Output::Flush(cnx) => self.receive(cnx),
                Output::Close(cnx) => {
                    self.receive(cnx);
                    closed.push(cnx);
                    let name = self.name_of(cnx);
                    self.lines.push(format!("close {name}"));
                }
                Output::Resume(cnx) => resumed.push(cnx),
                other => panic!("a server alone has no use for {other:?}"),
            }
        }
        for cnx in closed {
            if let Some(client) = self.clients.values_mut().find(|client| client.cnx == cnx) {
                client.is_open = false;
            }
            self.step(Input::Disconnected { cnx });
        }
        if !self.settings.slow_disk && self.persisted < self.last_appended() {
            self.persist(self.last_appended());
        }
        for cnx in resumed {
            let name = self.name_of(cnx);
            self.feed(&name);
        }
    }

    fn name_of(&self, cnx: ConnectionId) -> String {
        let named = self.clients.iter().find(|(_, client)| client.cnx == cnx);
        named.map_or("?".to_owned(), |(name, _)| name.clone())
    }

    fn last_appended(&self) -> Zxid {
        self.log.last().map_or(Zxid::ZERO, |(zxid, _)| *zxid)
    }

    fn persist(&mut self, zxid: Zxid) {
        self.persisted = zxid;
        self.step(Input::Persisted { zxid });
    }

    fn snapshot(&mut self) {
        let (zxid, _, _) = self.peer.database_mut().begin_snapshot();
        self.lines.push(format!("snapshot {}", zxid.0));
        self.peer.database_mut().abort_snapshot();
    }

    /// Lets time pass, stopping wherever the server wants to be woken.
    fn pass(&mut self, ms: u64) {
        let until = self.mono_ms + ms;
        while let Some(deadline) = self.peer.deadline().filter(|deadline| deadline.0 <= until) {
            self.mono_ms = self.mono_ms.max(deadline.0);
            self.step(Input::Timeout);
            let next = self.peer.deadline();
            assert!(next.is_none_or(|next| next > deadline), "a deadline that passed is no more");
        }
        self.mono_ms = until;
    }

    /// A create in the log that raises its parent's counter, as if that many had been before it.
    fn log_create(&mut self, path: &str, counter: i32) {
        let zxid = self.last_appended().next();
        let header =
            TxnHeader { session: SessionId(0), cxid: Xid(0), zxid, time_ms: self.now().wall_ms };
        let create = CreateTxn {
            kind: CreateKind::Create,
            path: path.to_owned(),
            data: Some(Vec::new()),
            acl: vec![Acl::open()],
            ephemeral: false,
            parent_cversion: counter,
        };
        let record = TxnRecord { header, txn: Txn::Create(create), digest: None };
        let mut bytes = Vec::new();
        record.encode(&mut Encoder::new(&mut bytes));
        self.log.push((zxid, bytes));
        self.persisted = zxid;
    }

    /// The server is killed; a new one has what was persisted.
    fn restart(&mut self) {
        self.log.retain(|(zxid, _)| *zxid <= self.persisted);
        let mut database = Database::new(self.settings.database());
        for (_, bytes) in &self.log {
            database.replay(&TxnRecord::decode(bytes).unwrap());
        }
        database.finish_recovery();
        assert_eq!(database.digest_mismatches(), 0, "replay gives what the txns say");
        self.peer = Peer::new(self.settings.options.clone(), database, self.now());
        for client in self.clients.values_mut() {
            client.is_open = false;
        }
    }

    /// Takes what waits for a client and writes it down.
    fn receive(&mut self, cnx: ConnectionId) {
        let name = self.name_of(cnx);
        if self.clients.get(&name).is_some_and(|client| !client.is_reading) {
            return;
        }
        let Some(output) = self.peer.output(cnx) else { return };
        let bytes = std::mem::take(output);
        let mut frames = Frames::new(&bytes, usize::MAX);
        while let Some(frame) = frames.next_frame().unwrap() {
            let line = self.frame(&name, frame);
            self.lines.push(format!("{name} <- {line}"));
        }
        assert_eq!(frames.consumed(), bytes.len(), "only whole frames are sent");
    }

    fn frame(&mut self, name: &str, frame: &[u8]) -> String {
        if !self.client(name).has_connected {
            return self.connect_response(name, frame);
        }
        let mut d = Decoder::new(frame);
        let header = ReplyHeader::decode(&mut d).unwrap();
        if header.xid == Xid::NOTIFICATION {
            return format!("event zxid={} {}", header.zxid.0, event(&mut d));
        }
        let sent = self.client(name).unanswered.pop_front();
        let (xid, op) = sent.unwrap_or((header.xid.0, 0));
        assert_eq!(header.xid.0, xid, "{name}'s replies come in the order of its requests");
        let head = format!("{xid} zxid={} {}", header.zxid.0, error(header.err));
        if header.err != 0 {
            assert!(d.rest().is_empty(), "an error has no record");
            return head;
        }
        let names = &self.names;
        let name_of = |id| names.get(&SessionId(id)).cloned().unwrap_or_else(|| id.to_string());
        let shower = Shower { start_ms: START_MS, name_of: &name_of };
        format!("{head} {}", shower.body(op, &mut d)).trim_end().to_owned()
    }

    fn connect_response(&mut self, name: &str, frame: &[u8]) -> String {
        let response = ConnectResponse::decode(frame).unwrap();
        let length = frame.len();
        if response.session_id == SessionId(0) {
            assert_eq!((response.timeout_ms, response.passwd), (0, [0; 16]));
            return format!("refused, {length} bytes");
        }
        assert_eq!(response.passwd, password(response.session_id));
        let owner = self.names.entry(response.session_id).or_insert(name.to_owned()).clone();
        let client = self.client(name);
        client.has_connected = true;
        client.session = response.session_id;
        format!("session of {owner}, timeout {}, {length} bytes", response.timeout_ms)
    }
}
