//! A real Java 3.8.0 server opens what this crate leaves, and has the same database.
//!
//! Java writes a snapshot as soon as it has loaded a directory, so what it loaded is read from there.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use zk_storage::{
    Compression, DataDirs, LogOptions, MemDisk, RealDisk, TxnLog, Warning, recover, snapshots,
};
use zk_wire::{CreateKind, Replica, SessionId, Txn, TxnRecord, Zxid};

use crate::crash::{Life, crash_images};
use crate::model::Model;
use crate::scratch::{
    OPTIONS, bytes_of, create, create_as, empty_disk, initial, recovered, write_snapshot, zxid_of,
};

const JARS: [&str; 2] = ["/usr/share/java/zookeeper.jar", "/usr/share/java/slf4j-simple.jar"];

/// Whether Java is here; where it must be, its absence is a failure.
fn has_java() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has_java = std::env::split_paths(&path).any(|folder| folder.join("java").is_file());
    let is_here = has_java && JARS.iter().all(|jar| Path::new(jar).exists());
    if !is_here {
        let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!is_ci, "CI skips no test: java, libzookeeper-java or libslf4j-java is missing");
        eprintln!("skipped: java, libzookeeper-java or libslf4j-java is not installed");
    }
    is_here
}

/// A Java server on a data directory; killed when dropped.
struct JavaServer {
    child: Child,
    dir: TempDir,
    port: u16,
}

impl JavaServer {
    /// Starts on a copy of `disk`.
    fn start(disk: &MemDisk, port: u16) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("data/version-2")).unwrap();
        for path in disk.paths() {
            let target = dir.path().join("data/version-2").join(path.file_name().unwrap());
            fs::write(target, disk.content(&path).unwrap()).unwrap();
        }
        let config = dir.path().join("zoo.cfg");
        let data = dir.path().join("data");
        let text = format!(
            "tickTime=2000\ndataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\n\
             maxSessionTimeout=86400000\n",
            data.display()
        );
        fs::write(&config, text).unwrap();
        let output = fs::File::create(dir.path().join("out.log")).unwrap();
        let child = Command::new("java")
            .args(["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .args(["-Dfile.encoding=UTF-8", "-Dzookeeper.admin.enableServer=false"])
            .args(["-Dzookeeper.extendedTypesEnabled=true", "-cp", &JARS.join(":")])
            .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { child, dir, port }
    }

    /// The zxid that it serves at.
    fn zxid(&mut self) -> Zxid {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(zxid) = self.srvr() {
                return zxid;
            }
            let is_up = self.child.try_wait().unwrap().is_none() && Instant::now() < end;
            assert!(is_up, "java does not serve:\n{}", self.output());
            // Nobody unparks this thread: the pause only keeps the looks apart.
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn srvr(&self) -> Option<Zxid> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut socket = TcpStream::connect(address).ok()?;
        // A server that is not ready yet may leave the question unanswered.
        socket.set_read_timeout(Some(Duration::from_millis(500))).ok()?;
        socket.write_all(b"srvr").ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).ok()?;
        let zxid = answer.lines().find_map(|line| line.strip_prefix("Zxid: 0x"))?;
        i64::from_str_radix(zxid, 16).ok().map(Zxid)
    }

    fn output(&self) -> String {
        fs::read_to_string(self.dir.path().join("out.log")).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for JavaServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Java serves exactly `model` from `disk`.
fn check(what: &str, disk: &MemDisk, model: &Model, port: u16) {
    let mut java = JavaServer::start(disk, port);
    assert_eq!(java.zxid(), model.last_zxid, "{what}:\n{}", java.output());
    java.kill();
    let dirs = DataDirs::new(&java.data(), &java.data());
    let newest = &snapshots(&RealDisk, dirs.snap()).unwrap()[0];
    assert_eq!(newest.zxid, model.last_zxid, "{what}: java wrote its own snapshot");
    let found = recover(&RealDisk, &dirs, &OPTIONS, Model::default).unwrap();
    found.replica.assert_is(model, what);
    assert_eq!(found.replica.digests.1, 0, "{what}: java computes other digests");
    assert_eq!(found.replayed, 0, "{what}");
}

/// Txns of every kind that leaves something behind.
fn varied_txns() -> Vec<Vec<u8>> {
    let session = Txn::CreateSession { timeout_ms: 40_000_000 };
    let set = |path: &str, data: Option<Vec<u8>>, version| Txn::SetData {
        path: path.to_owned(),
        data,
        version,
        reconfig: false,
    };
    let parts = vec![
        create_as(CreateKind::Create, "/multi", false),
        set("/multi", None, 1),
        Txn::Delete { path: "/gone".to_owned(), container: false },
    ];
    vec![
        bytes_of(1, session),
        bytes_of(2, create_as(CreateKind::Create, "/a", false)),
        bytes_of(3, create_as(CreateKind::Create2, "/a/\u{e9}\u{4e2d}", true)),
        bytes_of(4, create_as(CreateKind::Container, "/container", false)),
        bytes_of(5, create_as(CreateKind::Ttl { ttl_ms: 0xff_ffff_ffff }, "/ttl", false)),
        bytes_of(6, set("/a", Some(vec![3; 70_000]), 1)),
        create(7, "/gone", b"soon"),
        bytes_of(8, Txn::Multi(parts)),
        bytes_of(9, Txn::Error { code: -110 }),
        bytes_of(10, set("", Some(b"root".to_vec()), 1)),
    ]
}

#[test]
fn java_opens_snapshots_of_every_packing_and_the_log_above_them() {
    if !has_java() {
        return;
    }
    let packings = [Compression::Plain, Compression::Gz, Compression::Snappy];
    for (compression, port) in packings.into_iter().zip(23_200..) {
        let (disk, dirs) = empty_disk();
        let mut model = initial();
        let mut log = TxnLog::new(disk.clone(), &dirs, LogOptions::default());
        write_snapshot(&disk, &dirs, &model, compression).unwrap();
        for txn in varied_txns() {
            log.append(zxid_of(&txn), &txn).unwrap();
            log.commit().unwrap();
            model.replay(&TxnRecord::decode(&txn).unwrap());
            if model.last_zxid == Zxid(6) {
                log.roll().unwrap();
                write_snapshot(&disk, &dirs, &model, compression).unwrap();
            }
        }
        assert!(model.sessions.contains_key(&SessionId(1)) && model.nodes.len() == 9);
        let ours = recovered(&disk, &dirs).unwrap();
        assert_eq!((ours.snapshot_zxid, ours.replayed), (Some(Zxid(6)), 4));
        check(&format!("{compression:?}"), &disk, &model, port);
    }
}

#[test]
fn java_opens_what_is_left_of_a_crash_after_our_recovery_and_after_a_kill_at_once() {
    if !has_java() {
        return;
    }
    let is_holes = |warning: &Warning| matches!(warning, Warning::HolesCut { .. });
    let is_torn = |warning: &Warning| matches!(warning, Warning::TornTail { .. });
    let mut life = Life::new();
    let mut chosen = [None, None];
    crash_images(&mut life, |life, image, _| {
        let found = recovered(image, &life.dirs).unwrap();
        let has = [found.warnings.iter().any(is_holes), found.warnings.iter().any(is_torn)];
        for (slot, has) in chosen.iter_mut().zip(has) {
            if has && slot.is_none() && found.last_zxid >= Zxid(5) {
                *slot = Some((image.fork(), found.replica.clone()));
            }
        }
    });
    let [holes, torn] = chosen.map(|image| image.expect("some crash leaves such a log"));
    check("holes", &holes.0, &holes.1, 23_203);
    check("torn", &torn.0, &torn.1, 23_204);
    // Killed, not crashed: nobody of ours looks at the directory in between.
    let last = recovered(&life.disk.fork(), &life.dirs).unwrap();
    check("killed", &life.disk, &last.replica, 23_205);
}
