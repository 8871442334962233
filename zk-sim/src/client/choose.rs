//! What a client asks for next: anything, but mostly things that meet what others do.

use zk_wire::{Acl, Id, Op, Perms};

use crate::ask::Ask;
use crate::random::Random;
use crate::rights::{SUPER, USERS};
use crate::scene::Scene;

/// The next request of a session.
pub(super) fn ask(scene: &mut Scene, session: i64) -> Ask {
    if scene.knobs.quorum.is_reconfigurable && scene.admin.chance(30) {
        let is_auth = scene.admin.chance(400);
        return if is_auth {
            Ask::Auth { scheme: "digest", credentials: SUPER.0 }
        } else {
            reconfig(scene)
        };
    }
    match scene.random.below(1000) {
        0..450 => write(scene),
        450..530 => multi(scene),
        530..960 => read(scene),
        960..985 => auth(&mut scene.random),
        985..990 => Ask::CloseSession,
        _ => Ask::GetEphemerals { prefix: ephemeral_prefix(scene, session) },
    }
}

/// A server joins, leaves, or changes its role; now and then with the version of another configuration.
fn reconfig(scene: &mut Scene) -> Ask {
    let nodes = u64::try_from(scene.knobs.quorum.nodes()).expect("there are few servers");
    let version = scene.checker.config_version();
    let node = scene.admin.between(1, nodes);
    let role = if scene.admin.chance(700) { "participant" } else { "observer" };
    let leaves = scene.admin.chance(350);
    Ask::Reconfig {
        joining: (!leaves).then(|| format!("server.{node}=at{node}:{role}")),
        leaving: leaves.then(|| node.to_string()),
        config_id: scene.admin.pick(&[-1, -1, version, 7]),
    }
}

/// A path from a small set, so that clients meet.
fn fresh_path(scene: &mut Scene) -> String {
    let depth = scene.random.between(1, scene.knobs.depth);
    let mut path = String::new();
    for _ in 0..depth {
        let name = scene.random.index(scene.knobs.names);
        path += ["/a", "/b", "/c", "/d", "/e"][name];
    }
    path
}

/// A path, more often than not of a node that is there.
fn path(scene: &mut Scene) -> String {
    if scene.random.chance(15) {
        // What members show of their configuration is each one's own.
        let odd = ["/", "/a/", "/a//b", "/zookeeper", "/a/..", "/zookeeper/config"];
        let known = odd.len() - usize::from(!scene.knobs.quorum.is_alone());
        return scene.random.pick(&odd[..known]).to_owned();
    }
    let head = scene.checker.latest().clone();
    let ours: Vec<&std::rc::Rc<str>> =
        head.nodes.keys().filter(|p| !p.starts_with("/zookeeper")).collect();
    if ours.len() > 1 && scene.random.chance(650) {
        return ours[scene.random.index(ours.len())].to_string();
    }
    fresh_path(scene)
}

fn version(scene: &mut Scene, path: &str, is_acl: bool) -> i32 {
    let node = scene.checker.latest().nodes.get(path).cloned();
    match (scene.random.below(10), node) {
        (0..6, _) => -1,
        (6..9, Some(node)) if is_acl => node.aversion,
        (6..9, Some(node)) => node.version,
        _ => i32::try_from(scene.random.below(4)).expect("it is below 4"),
    }
}

fn data(random: &mut Random) -> Option<Vec<u8>> {
    if random.chance(50) {
        return None;
    }
    let length = random.pick(&[0, 1, 7, 40, 700]);
    let byte = if random.chance(300) { 0 } else { 7 };
    Some(vec![byte; length])
}

fn acl(random: &mut Random) -> Vec<Acl> {
    if random.chance(850) {
        return vec![Acl::open()];
    }
    let perms = Perms(i32::try_from(random.below(32)).expect("it is below 32"));
    let id = match random.below(6) {
        0 => Id::new("world", "anyone"),
        1 => Id::new("digest", USERS[0].1),
        2 => Id::new("digest", USERS[1].1),
        3 => Id::new("auth", ""),
        4 => Id::new("ip", if random.chance(500) { "10.0.0.0/8" } else { "192.168.0.1" }),
        _ => return Vec::new(),
    };
    let entry = Acl { perms, id };
    match random.below(4) {
        0 => vec![entry.clone(), entry],
        1 => vec![Acl::open(), entry],
        _ => vec![entry],
    }
}

fn create(scene: &mut Scene) -> Ask {
    let is_below = scene.random.chance(400);
    let mut path = if is_below { path(scene) } else { fresh_path(scene) };
    let flags = scene.random.pick(&[0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7]);
    if is_below && path != "/" {
        path += if flags == 2 || flags == 3 { "/s-" } else { "/x" };
    }
    if path.matches('/').count() > 4 {
        path = "/a".to_owned();
    }
    let op = match flags {
        4 => Op::CreateContainer,
        5 | 6 => Op::CreateTtl,
        _ => scene.random.pick(&[Op::Create, Op::Create2]),
    };
    let ttl_ms = match op {
        Op::CreateTtl => scene.random.pick(&[1, 10, 100, 0]),
        _ => -1,
    };
    let (data, acl) = (data(&mut scene.random), acl(&mut scene.random));
    Ask::Create { op, path, data, acl, flags, ttl_ms }
}

fn delete(scene: &mut Scene) -> Ask {
    let path = path(scene);
    Ask::Delete { version: version(scene, &path, false), path }
}

fn set_data(scene: &mut Scene) -> Ask {
    let path = path(scene);
    let data = data(&mut scene.random);
    Ask::SetData { version: version(scene, &path, false), path, data }
}

fn write(scene: &mut Scene) -> Ask {
    // What grows too large is cut back.
    let nodes = scene.checker.latest().nodes.len();
    match scene.random.below(10) {
        0..4 if nodes < 60 => create(scene),
        0..7 => delete(scene),
        7..9 => set_data(scene),
        _ => {
            let path = path(scene);
            let acl = acl(&mut scene.random);
            Ask::SetAcl { version: version(scene, &path, true), path, acl }
        }
    }
}

fn multi(scene: &mut Scene) -> Ask {
    let count = scene.random.between(0, 4);
    let part = |scene: &mut Scene| match scene.random.below(4) {
        0 => create(scene),
        1 => delete(scene),
        2 => set_data(scene),
        _ => {
            let path = path(scene);
            Ask::Check { version: version(scene, &path, false), path }
        }
    };
    Ask::Multi((0..count).map(|_| part(scene)).collect())
}

fn read(scene: &mut Scene) -> Ask {
    let path = path(scene);
    let random = &mut scene.random;
    let watch = random.chance(500);
    let kind = i32::try_from(random.between(1, 5)).expect("it is at most 5");
    match random.below(20) {
        0..4 => Ask::GetData { path, watch },
        4..8 => Ask::Exists { path, watch },
        8..12 => Ask::GetChildren { path, watch, with_stat: random.chance(500) },
        12 => Ask::GetAcl { path },
        13 => Ask::GetAllChildrenNumber { path },
        14 => Ask::Sync { path },
        15 => Ask::AddWatch { path, recursive: random.chance(500) },
        16 => Ask::CheckWatches { path, kind },
        17 => Ask::RemoveWatches { path, kind },
        18 => Ask::WhoAmI,
        _ => Ask::MultiRead(vec![(random.chance(500), path), (random.chance(500), "/a".into())]),
    }
}

fn auth(random: &mut Random) -> Ask {
    let (scheme, credentials) = match random.below(20) {
        0 => ("unknown", "x"),
        1 => ("ip", ""),
        2 => ("digest", SUPER.0),
        3..12 => ("digest", USERS[0].0),
        _ => ("digest", USERS[1].0),
    };
    Ask::Auth { scheme, credentials }
}

fn ephemeral_prefix(scene: &mut Scene, session: i64) -> String {
    let mine = scene.checker.latest().ephemerals(session);
    if mine.is_empty() || scene.random.chance(500) { "/".to_owned() } else { mine[0].clone() }
}
