//! The oracle: what a load left must be on every member, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use zk_wire::CreateFlags;

use crate::deadline::await_until;
use crate::ensemble::Ensemble;
use crate::idler::Idler;
use crate::member::Member;
use crate::session::Session;
use crate::sync::Sync;
use crate::tree::Tree;
use crate::writer::{self, Writer};

/// Sessions that were stopped, and what they know.
pub(crate) struct Account {
    pub(crate) writers: Vec<Writer>,
    pub(crate) idlers: Vec<Idler>,
    /// Nodes below the root that others have made.
    pub(crate) extra: BTreeSet<String>,
}

impl Account {
    /// What these know.
    pub(crate) fn new(writers: Vec<Writer>, idlers: Vec<Idler>) -> Self {
        Self { writers, idlers, extra: BTreeSet::new() }
    }

    /// Lets each writer have at least so many more writes acknowledged.
    pub(crate) fn write(&mut self, count: u64) {
        for writer in &mut self.writers {
            let enough = writer.counts().0 + count;
            writer.run(|acknowledged| acknowledged >= enough);
        }
    }

    /// Writes so much that no member keeps all of it in memory for one that lags.
    pub(crate) fn write_bulk(&mut self, server: SocketAddr) {
        self.write(BULK_TXNS);
        let mut session = Session::reader(server);
        if self.extra.insert("bulk".to_owned()) {
            session.create("/bulk", b"", CreateFlags::Persistent).expect("all is well");
        }
        for round in 0..BULK_ROUNDS {
            session.set("/bulk", &vec![round; BULK_BYTES]).expect("all is well");
        }
    }

    /// Holds the ensemble, which must be at rest, against what its clients were told.
    ///
    /// # Panics
    /// Something acknowledged is not there, something is there that nobody asked for, a session is lost,
    /// or members differ.
    pub(crate) fn check(&mut self, ensemble: &Ensemble) {
        let members: Vec<_> =
            ensemble.members().iter().filter(|member| member.is_awake()).collect();
        self.check_sessions();
        for member in &members {
            self.check_content(member);
        }
        let (first, others) = members.split_first().expect("somebody serves");
        let tree = Tree::read(first.address());
        for other in others {
            let how = format!("server.{}, which is to be like server.{}", other.sid(), first.sid());
            Tree::read(other.address()).assert_is(&tree, &how);
        }
        await_until("all members have the same last zxid", LIMIT, || {
            let zxids: Option<BTreeSet<_>> = members.iter().map(|member| member.zxid()).collect();
            (zxids?.len() == 1).then_some(())
        });
        let digests = compare_digests(&members);
        for member in &members {
            check_log(member);
        }
        let counts = self.writers.iter().map(Writer::counts);
        let (acknowledged, losses) = counts.fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        println!(
            "{acknowledged} acknowledged writes, {losses} times with some of unknown outcome; {} nodes \
             and {digests} digests are the same on {} members after {}",
            tree.len(),
            members.len(),
            syncs(&members)
        );
    }

    fn check_sessions(&mut self) {
        let writers = self.writers.iter_mut().map(Writer::session);
        for session in writers.chain(self.idlers.iter_mut().map(Idler::session)) {
            while session.ping().is_err() {
                session.attach();
            }
        }
    }

    fn check_content(&mut self, member: &Member) {
        // A new session is a txn: once a member has granted it, it has all that was before.
        let mut reader = Session::reader(member.address());
        let sid = member.sid();
        let mut tops = self.extra.clone();
        tops.insert("zookeeper".to_owned());
        for writer in &mut self.writers {
            let (top, id) = (writer.top().to_owned(), writer.session().id());
            let found = writer::read(&mut reader, &top).expect("the subtree is there");
            assert_eq!(&found, writer.content(), "{top} on server.{sid}");
            found.check_data(&mut reader, &top);
            let owner = writer::owner(&mut reader, &top).expect("its session lives");
            assert_eq!(owner, id, "{top} on server.{sid}");
            tops.insert(top[1..].to_owned());
        }
        for idler in &mut self.idlers {
            let id = idler.session().id();
            let (_, stat) = reader.get(idler.node()).expect("its session lives");
            assert_eq!(stat.ephemeral_owner, id.0, "{} on server.{sid}", idler.node());
            tops.insert(idler.node()[1..].to_owned());
        }
        let found: BTreeSet<_> = reader.children("/").expect("it serves").into_iter().collect();
        assert_eq!(found, tops, "on server.{sid}");
    }
}

/// Where members have noted the digest of the same moment, it must be the same. Gives how often that was.
fn compare_digests(members: &[&Member]) -> usize {
    let mut digests: BTreeMap<String, (String, usize)> = BTreeMap::new();
    let mut compared = 0;
    for member in members {
        let answer = member.word("hash").expect("it serves");
        for (zxid, digest) in answer.lines().filter_map(|line| line.split_once(": ")) {
            let (zxid, digest) = (zxid.trim_start_matches("0x"), digest.trim());
            let noted = digests.entry(zxid.to_owned());
            let (first, sid) = noted.or_insert((digest.to_owned(), member.sid()));
            let sids = (*sid, member.sid());
            assert_eq!(
                first, digest,
                "digests at {zxid} of server.{} and server.{}",
                sids.0, sids.1
            );
            compared += usize::from(sids.0 != sids.1);
        }
    }
    compared
}

/// How often members were brought up to date, and how.
fn syncs(members: &[&Member]) -> String {
    let all: Vec<_> =
        members.iter().flat_map(|member| Vec::from_iter(Sync::all(&member.log()))).collect();
    let count = |sync| all.iter().filter(|found| **found == sync).count();
    let [diff, snap, trunc] = [Sync::Diff, Sync::Snap, Sync::Trunc].map(count);
    format!("{diff} DIFF, {snap} SNAP, {trunc} TRUNC")
}

/// A member may complain about the others, but not about itself.
///
/// Java 3.8.0 reads its log into its tree when it leaves a role, while another thread still commits to that
/// tree: what it says of digests then is of no account. The digests at rest were compared before.
fn check_log(member: &Member) {
    let mut is_between_roles = false;
    for line in member.log().lines() {
        if JAVA_LEAVES_ROLE.iter().any(|sign| line.contains(sign)) {
            is_between_roles = true;
        } else if JAVA_SERVES.iter().any(|sign| line.contains(sign)) {
            is_between_roles = false;
        }
        let is_bad = BAD_LINES.iter().any(|bad| line.contains(bad))
            || !is_between_roles && line.contains(DIGESTS_DIFFER);
        assert!(!is_bad, "server.{} printed: {line}", member.sid());
    }
}

/// A panic of ours, and Java's words for an end that it did not expect.
const BAD_LINES: &[&str] = &["panicked", "Unexpected exception causing exit"];
/// The words of both for a tree that differs from the leader's.
const DIGESTS_DIFFER: &str = "Digests are not matching";
const JAVA_LEAVES_ROLE: &[&str] =
    &[".Learner - shutdown Follower", ".Learner - shutdown Observer", ".Leader - Shutting down"];
const JAVA_SERVES: &[&str] = &[
    "following - broadcast",
    "observing - broadcast",
    "leading - broadcast",
    "Reading configuration from",
];
/// Java keeps 500 txns (`commitLogCount`), ours 16 MB at least.
const BULK_TXNS: u64 = 200;
const BULK_ROUNDS: u8 = 20;
const BULK_BYTES: usize = 900_000;
const LIMIT: Duration = Duration::from_secs(10);
