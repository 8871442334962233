//! A session that writes without pause and keeps account: what was asked for, what was acknowledged.
//!
//! It owns one subtree. Several writes are on the way at a time, in order. When the connection is lost some
//! of them have an unknown outcome; the session then comes back, perhaps to another member, and one more
//! write makes sure that all before it are decided. What is there must now be what the acknowledged writes
//! made, and a first part of the unknown ones: all after one that did not take effect did not either.
//!
//! Invariants
//! - Every node has a name that was never used before, and data that follows from its name.
//! - The register is set with the version that it must have: a set that takes effect twice, or was lost,
//!   shows in the next.

use std::collections::BTreeSet;

use zk_wire::{CreateFlags, Decoder, Encoder, ErrorCode, Op, SessionId};

use crate::client::{Failure, NewNode, encode_delete};
use crate::random::Random;
use crate::session::Session;

/// A writer with its session.
pub(crate) struct Writer {
    top: String,
    session: Session,
    random: Random,
    /// What the acknowledged writes made.
    content: Content,
    /// What all writes that were asked for make.
    ahead: Content,
    /// Asked for and not acknowledged, in order.
    in_flight: Vec<Write>,
    /// Nodes that were asked for afterwards, each alone on a connection, to have these decided.
    settling: BTreeSet<u64>,
    created: u64,
    acknowledged: u64,
    /// How often the outcome of writes was unknown.
    losses: u64,
}

/// A subtree: the numbers of its nodes, and the version of its register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    nodes: BTreeSet<u64>,
    version: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    Create(u64),
    Delete(u64),
    /// Sets the register, whose version must be this.
    Set(i32),
    /// A create and a set, both or none.
    Both(u64, i32),
}

impl Writer {
    /// A new session, with a subtree and an ephemeral node in it.
    pub(crate) fn new(mut session: Session, number: usize) -> Self {
        let top = format!("/writer-{number}");
        let ephemeral = (format!("{top}/{EPHEMERAL}"), CreateFlags::Ephemeral);
        let register = (format!("{top}/{REGISTER}"), CreateFlags::Persistent);
        for (path, flags) in [(top.clone(), CreateFlags::Persistent), ephemeral, register] {
            session.create(&path, b"0", flags).expect("a load begins while all is well");
        }
        Self {
            top,
            session,
            random: Random::new(u64::try_from(number).expect("a small number")),
            content: Content::default(),
            ahead: Content::default(),
            in_flight: Vec::new(),
            settling: BTreeSet::new(),
            created: 0,
            acknowledged: 0,
            losses: 0,
        }
    }

    /// Its subtree.
    pub(crate) fn top(&self) -> &str {
        &self.top
    }

    /// Its session.
    pub(crate) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// How many writes were acknowledged, and how often the outcome of some was unknown.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.acknowledged, self.losses)
    }

    /// Writes through all losses of its connection until told to stop; then every outcome is known. How
    /// many writes were acknowledged by then is told again and again.
    ///
    /// # Panics
    /// What is there is not explained by what was asked for, or the session is lost.
    pub(crate) fn run(&mut self, mut is_over: impl FnMut(u64) -> bool) {
        loop {
            if !self.session.is_attached() {
                self.session.attach();
            }
            let result = if !self.in_flight.is_empty() {
                self.losses += 1;
                self.settle()
            } else if is_over(self.acknowledged) {
                return;
            } else {
                self.write()
            };
            match result {
                Ok(()) => {}
                Err(Failure::Code(code)) if code == ErrorCode::SessionMoved as i32 => {
                    self.session.detach();
                }
                Err(Failure::Lost(_)) => {}
                Err(why) => panic!("{}: {why}, in flight {:?}", self.top, self.in_flight),
            }
        }
    }

    /// Sends some writes and takes their replies.
    fn write(&mut self) -> Result<(), Failure> {
        for _ in 0..=self.random.below(IN_FLIGHT_MAX) {
            let write = self.draw();
            self.ask(write)?;
        }
        while let Some(write) = self.in_flight.first().copied() {
            let reply = self.session.reply()?;
            if let Write::Both(..) = write {
                // A multi that failed answers every op with one; the first stands for all.
                let mut decoder = Decoder::new(&reply);
                let first = [decoder.int(), decoder.boolean().map(i32::from), decoder.int()];
                if let [Ok(-1), _, Ok(code)] = first {
                    return Err(Failure::Code(code));
                }
            }
            self.in_flight.remove(0);
            self.content.apply(write);
            self.acknowledged += 1;
        }
        Ok(())
    }

    fn draw(&mut self) -> Write {
        let oldest = self.ahead.nodes.first().copied();
        match (oldest, self.random.below(10)) {
            (Some(oldest), 0..4) if self.ahead.nodes.len() > NODES_MAX => Write::Delete(oldest),
            (_, 4..7) => Write::Set(self.ahead.version),
            (_, chosen) => {
                self.created += 1;
                if chosen == 7 {
                    Write::Both(self.created, self.ahead.version)
                } else {
                    Write::Create(self.created)
                }
            }
        }
    }

    fn ask(&mut self, write: Write) -> Result<(), Failure> {
        // A connection that is lost while this is sent may still have carried it.
        self.in_flight.push(write);
        self.ahead.apply(write);
        self.send(write)
    }

    fn send(&mut self, write: Write) -> Result<(), Failure> {
        let path = |number: u64| format!("{}/{number}", self.top);
        match write {
            Write::Create(number) => {
                let data = data(number);
                let node = NewNode::new(path(number), data.as_slice());
                self.session.send(Op::Create, |encoder| node.encode(encoder))
            }
            Write::Delete(number) => {
                let path = path(number);
                self.session.send(Op::Delete, |encoder| encode_delete(encoder, &path))
            }
            Write::Set(version) => {
                let top = &self.top;
                self.session.send(Op::SetData, |encoder| encode_register(encoder, top, version))
            }
            Write::Both(number, version) => {
                let data = data(number);
                let node = NewNode::new(path(number), data.as_slice());
                let top = &self.top;
                self.session.send(Op::Multi, |encoder| {
                    encoder.int(Op::Create.code()).boolean(false).int(-1);
                    node.encode(encoder);
                    encoder.int(Op::SetData.code()).boolean(false).int(-1);
                    encode_register(encoder, top, version);
                    encoder.int(-1).boolean(true).int(-1);
                })
            }
        }
    }

    /// Finds out what became of the writes in flight. If the connection is lost once more they stay in
    /// flight.
    fn settle(&mut self) -> Result<(), Failure> {
        // What a session asks for takes effect in its order: once this has, the rest is decided.
        self.created += 1;
        let last = self.created;
        self.settling.insert(last);
        self.send(Write::Create(last))?;
        self.session.reply()?;
        let found = self.read()?;
        let settled = explain(&self.content, &self.in_flight, &self.settling, &found);
        settled.unwrap_or_else(|why| panic!("{}: {why}", self.top));
        assert!(found.nodes.contains(&last), "{}: {last} was acknowledged", self.top);
        self.in_flight.clear();
        self.settling.clear();
        self.ahead.clone_from(&found);
        self.content = found;
        Ok(())
    }

    /// What is there.
    pub(crate) fn read(&mut self) -> Result<Content, Failure> {
        read(&mut self.session, &self.top)
    }

    /// What must be there once every outcome is known.
    pub(crate) fn content(&self) -> &Content {
        &self.content
    }
}

impl Content {
    fn apply(&mut self, write: Write) {
        match write {
            Write::Create(number) => {
                self.nodes.insert(number);
            }
            Write::Delete(number) => {
                self.nodes.remove(&number);
            }
            Write::Set(version) => self.version = version + 1,
            Write::Both(number, version) => {
                self.nodes.insert(number);
                self.version = version + 1;
            }
        }
    }

    /// Reads every node as well: its data must be what its name says.
    pub(crate) fn check_data(&self, session: &mut Session, top: &str) {
        for number in &self.nodes {
            let (found, _) = session.get(&format!("{top}/{number}")).expect("a listed node");
            assert_eq!(found, data(*number), "data of {top}/{number}");
        }
    }
}

/// Reads a subtree, but not the data of its nodes.
///
/// # Panics
/// It has a node that no writer makes, or a register whose data does not fit its version.
pub(crate) fn read(session: &mut Session, top: &str) -> Result<Content, Failure> {
    let mut nodes = BTreeSet::new();
    for name in session.children(top)? {
        if name != EPHEMERAL && name != REGISTER {
            nodes.insert(name.parse().expect("only numbers were asked for"));
        }
    }
    let (data, stat) = session.get(&format!("{top}/{REGISTER}"))?;
    assert_eq!(data, stat.version.to_string().as_bytes(), "{top}/{REGISTER}");
    Ok(Content { nodes, version: stat.version })
}

/// The session to which the ephemeral node of a subtree belongs.
pub(crate) fn owner(session: &mut Session, top: &str) -> Result<SessionId, Failure> {
    let (_, stat) = session.get(&format!("{top}/{EPHEMERAL}"))?;
    Ok(SessionId(stat.ephemeral_owner))
}

/// Whether `found` is what was `acknowledged`, with some first of the writes `in_flight`, and any nodes
/// that were to settle them.
fn explain(
    acknowledged: &Content,
    in_flight: &[Write],
    settling: &BTreeSet<u64>,
    found: &Content,
) -> Result<(), String> {
    let mut decided = found.clone();
    decided.nodes.retain(|number| !settling.contains(number));
    let mut expected = acknowledged.clone();
    let mut kept = in_flight.iter();
    while expected != decided {
        let Some(write) = kept.next() else {
            return Err(format!(
                "no first part of the writes in flight explains what is there\n\
                 in flight: {in_flight:?}\n\
                 register: {} acknowledged, {} found\n\
                 acknowledged and not there: {:?}\n\
                 there and not acknowledged: {:?}",
                acknowledged.version,
                decided.version,
                acknowledged.nodes.difference(&decided.nodes).collect::<Vec<_>>(),
                decided.nodes.difference(&acknowledged.nodes).collect::<Vec<_>>(),
            ));
        };
        expected.apply(*write);
    }
    Ok(())
}

/// Writes the record of a setData request whose data is the version that it leads to.
fn encode_register(encoder: &mut Encoder<'_>, top: &str, version: i32) {
    let data = (version + 1).to_string();
    encoder.text(&format!("{top}/{REGISTER}")).buffer(Some(data.as_bytes())).int(version);
}

/// How many bytes a node has follows from its number.
fn data(number: u64) -> Vec<u8> {
    let text = format!("{number} ");
    let size = usize::try_from(number * 37 % DATA_MAX).expect("a small number");
    text.bytes().cycle().take(size).collect()
}

const EPHEMERAL: &str = "ephemeral";
const REGISTER: &str = "register";
const IN_FLIGHT_MAX: u64 = 8;
const NODES_MAX: usize = 100;
const DATA_MAX: u64 = 300;

#[test]
fn only_a_first_part_of_the_writes_in_flight_explains_what_is_there() {
    let content =
        |nodes: &[u64], version| Content { nodes: nodes.iter().copied().collect(), version };
    let acknowledged = content(&[1, 2], 5);
    let in_flight = [Write::Create(3), Write::Both(6, 5), Write::Delete(1)];
    let settling = BTreeSet::from([4, 5]);
    let check = |found, is_explained| {
        let explained = explain(&acknowledged, &in_flight, &settling, &found).is_ok();
        assert_eq!(explained, is_explained, "{found:?}");
    };
    check(content(&[1, 2], 5), true);
    check(content(&[1, 2, 3], 5), true);
    check(content(&[1, 2, 3, 5, 6], 6), true);
    check(content(&[2, 3, 4, 5, 6], 6), true);
    // One lost, one out of order, half of one, one twice, one that nobody asked for.
    check(content(&[2, 3], 5), false);
    check(content(&[1, 2, 6], 6), false);
    check(content(&[1, 2, 3, 6], 5), false);
    check(content(&[1, 2, 3, 6], 7), false);
    check(content(&[1, 2, 7], 5), false);
}
