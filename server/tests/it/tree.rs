//! A server's whole tree as clients see it: written once with nodes of every kind, read to compare.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use zk_wire::{Acl, CreateFlags, Perms, Stat};

use crate::client::{Client, Failure, NewNode};

/// All that a client can know of a node.
#[derive(Clone, Debug, PartialEq)]
struct Node {
    data: Option<Vec<u8>>,
    stat: Stat,
    acl: Vec<Acl>,
}

/// Every node but `/zookeeper/config`, which each server makes for itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree(BTreeMap<String, Node>);

impl Tree {
    /// Reads the tree with the rights of `super`.
    ///
    /// Compat: a member of Java's can leave a read unanswered until the next txn wakes it. The session of
    /// another attempt is one.
    pub(crate) fn read(address: SocketAddr) -> Self {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            match Self::attempt(address) {
                Ok(tree) => return tree,
                Err(Failure::Lost(error)) if error.kind() == ErrorKind::WouldBlock => {
                    last = Some(error);
                }
                Err(failure) => panic!("a node that was listed is there: {failure}"),
            }
        }
        panic!("the server does not answer: {last:?}");
    }

    fn attempt(address: SocketAddr) -> Result<Self, Failure> {
        let mut client = Client::connect(address)?;
        client.wait_at_most(PATIENCE)?;
        client.auth("digest", "super:test")?;
        let mut nodes = BTreeMap::new();
        let mut paths = vec!["/".to_owned()];
        while let Some(path) = paths.pop() {
            let (data, stat) = client.get(&path)?;
            let acl = client.acl(&path)?;
            let parent = path.trim_end_matches('/');
            for name in client.children(&path)? {
                paths.push(format!("{parent}/{name}"));
            }
            nodes.insert(path, Node { data, stat, acl });
        }
        nodes.remove("/zookeeper/config");
        Ok(Self(nodes))
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Asserts that `self` is what was `before`.
    ///
    /// # Panics
    /// It is not: the message names each node that differs.
    pub(crate) fn assert_is(&self, before: &Self, how: &str) {
        let mut differences = String::new();
        for path in self.0.keys().chain(before.0.keys().filter(|path| !self.0.contains_key(*path)))
        {
            let (now, then) = (self.0.get(path), before.0.get(path));
            if now != then {
                writeln!(differences, "{path}\n  was {then:?}\n  is  {now:?}")
                    .expect("a string takes everything");
            }
        }
        assert!(differences.is_empty(), "{how}: the tree changed\n{differences}");
    }
}

/// How often a tree is read that is not answered whole.
const ATTEMPTS: u32 = 5;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Adds nodes of every kind below `/round-<round>`, changes and deletes some; gives back the client
/// whose session owns the ephemerals.
pub(crate) fn grow(address: SocketAddr, round: u32) -> Client {
    // Not as `super`: an ACL of scheme auth names all that the client is.
    let mut client = Client::connect(address).expect("the server serves");
    client.auth("digest", "reader:secret").expect("the digest scheme is on");
    let top = format!("/round-{round}");
    let below = |name: &str| format!("{top}/{name}");
    client.create(&NewNode::new(&top, None)).expect("the round is new");
    let (binary, long) = ([0, 0xff, 0xfe, b'\n'], vec![7; 70_000]);
    for (name, data) in [
        ("empty", Some(&b""[..])),
        ("null", None),
        ("binary", Some(&binary)),
        ("longer than a preallocated piece of log", Some(&long)),
        ("привет-世界", Some("δεδομένα".as_bytes())),
        ("gone", Some(b"soon")),
        ("again", Some(b"first")),
    ] {
        client.create(&NewNode::new(below(name), data)).expect("the node is new");
    }
    for (name, flags) in [
        ("container", CreateFlags::Container),
        ("ttl", CreateFlags::PersistentWithTtl),
        ("ttl-sequence-", CreateFlags::PersistentSequentialWithTtl),
        ("ephemeral", CreateFlags::Ephemeral),
        ("ephemeral-sequence-", CreateFlags::EphemeralSequential),
        ("sequence-", CreateFlags::PersistentSequential),
        ("sequence-", CreateFlags::PersistentSequential),
    ] {
        client.create(&NewNode::new(below(name), &b"x"[..]).flags(flags)).expect("it is new");
    }
    client.create(&NewNode::new(below("container/child"), None)).expect("the node is new");
    for (name, perms, scheme, id) in [
        ("digest", Perms::ALL, "digest", "bob:NTk5OTk5OTk5OTk5OTk5OTk5OTk="),
        ("ip", Perms::READ.or(Perms::WRITE), "ip", "10.0.0.0/8"),
        ("auth", Perms::ALL, "auth", ""),
        ("world", Perms::CREATE.or(Perms::DELETE), "world", "anyone"),
    ] {
        let node = NewNode::new(below(name), &b"guarded"[..]).acl(perms, scheme, id);
        client.create(&node).expect("the ACL is valid");
    }
    change(&mut client, &below).expect("what was created can be changed");
    client
}

fn change(client: &mut Client, below: &dyn Fn(&str) -> String) -> Result<(), Failure> {
    client.set(&below("empty"), b"no longer")?;
    client.set(&below("binary"), &[1, 2, 3])?;
    client.set("/", b"the root has data too")?;
    client.delete(&below("gone"))?;
    client.delete(&below("again"))?;
    client.create(&NewNode::new(below("again"), &b"second"[..]))?;
    client.set_acl(&below("null"), &[Acl::open(), Acl::world_readable()])?;
    client.set_acl(&below("null"), &[Acl::world_readable()])?;
    let (all, a, b) = (below("all"), below("all/a"), below("all/b"));
    let nodes = [&all, &a, &b].map(|path| NewNode::new(path, &b"together"[..]));
    client.create_all(&nodes)?;
    let refused = [NewNode::new(below("none"), None), nodes[0].clone()];
    assert!(matches!(client.create_all(&refused), Err(Failure::Code(_))), "`all` exists already");
    let quota = format!("/zookeeper/quota{}", below("all"));
    let (limits, stats) = (format!("{quota}/zookeeper_limits"), format!("{quota}/zookeeper_stats"));
    for missing in quota.match_indices('/').skip(2).map(|(at, _)| &quota[..at]).chain([&*quota]) {
        match client.create(&NewNode::new(missing, None)) {
            Ok(_) | Err(Failure::Code(NODE_EXISTS)) => {}
            Err(failure) => return Err(failure),
        }
    }
    client.create(&NewNode::new(&limits, &b"count=100,bytes=10000"[..]))?;
    client.create(&NewNode::new(&stats, &b"count=3,bytes=24"[..]))?;
    client.create(&NewNode::new(below("all/counted"), &b"by the quota"[..]))?;
    Ok(())
}

/// The property that lets `super:test` do everything.
pub(crate) const SUPER: &str =
    "zookeeper.DigestAuthenticationProvider.superDigest=super:D/InIHSb7yEEbrWz8b9l71RjZJU=";

const NODE_EXISTS: i32 = -110;
