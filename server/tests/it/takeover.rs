//! One data directory, opened by turns by our server and by Java's: each reads what the other left.

use crate::server::{Config, Kind, Server};
use crate::tools::require;
use crate::tree::{SUPER, Tree, grow};

/// How a server comes to its end.
#[derive(Clone, Copy, Debug)]
enum End {
    Killed,
    Asked,
}

/// Lets `turns` run one after the other on one directory; the tree must stay what the last made it.
fn check(turns: &[(Kind, End)]) {
    let next_to = |kind| if kind == Kind::Java { Kind::under_test() } else { Kind::Java };
    if !require(&["java", "zookeeper-java", "slf4j"]) {
        return;
    }
    let (first, _) = turns[0];
    let mut server = Server::new(first, &config());
    let mut sessions = Vec::new();
    for (round, &(kind, end)) in (1..).zip(turns) {
        sessions.push(grow(server.address(), round));
        let before = Tree::read(server.address());
        match end {
            End::Killed => server.kill9(),
            End::Asked => drop(server.sigterm()),
        }
        let next = turns.get(sessions.len()).map_or(next_to(kind), |&(kind, _)| kind);
        server.start_as(next);
        let how = format!("round {round}, {next:?} after {kind:?} was {end:?}");
        let now = Tree::read(server.address());
        now.assert_is(&before, &how);
        for session in &sessions {
            let back = session.reattach(server.address());
            back.unwrap_or_else(|failure| panic!("{how}: a session is lost: {failure}"));
        }
        println!("{how}: {} nodes are as they were", now.len());
    }
}

fn config() -> Config {
    // Few txns a snapshot, so that logs and snapshots both change hands.
    Config::default()
        .setting("snapCount=20")
        .property("zookeeper.extendedTypesEnabled=true")
        .property("zookeeper.snapCount=20")
        .property("zookeeper.preAllocSize=64")
        .property(SUPER)
}

#[test]
fn java_reads_what_a_killed_server_left_and_the_way_back() {
    check(&[Kind::under_test(), Kind::Java, Kind::under_test()].map(|kind| (kind, End::Killed)));
}

#[test]
fn java_reads_what_a_stopped_server_left_and_the_way_back() {
    check(&[Kind::under_test(), Kind::Java, Kind::under_test()].map(|kind| (kind, End::Asked)));
}
