//! `cargo xtask ensemble N`: a local ensemble in the foreground, for people to try.
//!
//! It builds the server, writes one configuration a member and waits until a leader serves. Data and logs
//! stay in `target/ensemble` for the next time. Ctrl-C, or the end of any member, ends all of them.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use crate::repository::Repository;

/// One server.
struct Member {
    sid: usize,
    client_port: u16,
    log: PathBuf,
    process: Child,
}

/// Runs an ensemble of `count` members until a signal.
pub(crate) fn run(count: usize) -> anyhow::Result<()> {
    if !(1..=MEMBERS_MAX).contains(&count) {
        bail!("an ensemble of {count}; 1 to {MEMBERS_MAX} members are allowed");
    }
    let root = Repository::root();
    let server = build(&root)?;
    let mut members = start(&root.join("target/ensemble"), &server, count)?;
    // Not before: processes inherit what is held back. A member that has ended by now is seen in `attend`.
    let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGCHLD]);
    signals.thread_block().context("signals cannot be held back")?;
    let result = attend(&signals, &mut members);
    for member in &members {
        // One that has ended by itself is gone.
        let _ = kill(pid(member), Signal::SIGTERM);
    }
    for member in &mut members {
        member.process.wait().with_context(|| format!("server.{} did not end", member.sid))?;
    }
    println!("the ensemble has ended; its data stays in target/ensemble");
    result
}

fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let arguments = ["build", "--release", "-p", "zookeeper-server"];
    let status = Command::new("cargo").args(arguments).current_dir(root).status();
    if !status.context("cargo did not start")?.success() {
        bail!("the server does not build: cargo {}", arguments.join(" "));
    }
    Ok(root.join("target/release/zookeeper-server"))
}

fn start(dir: &Path, server: &Path, count: usize) -> anyhow::Result<Vec<Member>> {
    let ports = free_ports(count)?;
    let lines: String = (1..=count)
        .zip(&ports)
        .map(|(sid, [_, quorum, election])| format!("server.{sid}=127.0.0.1:{quorum}:{election}\n"))
        .collect();
    let mut members = Vec::new();
    for (sid, [client_port, ..]) in (1..=count).zip(ports) {
        let home = dir.join(format!("server.{sid}"));
        let data = home.join("data");
        fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
        fs::write(data.join("myid"), format!("{sid}\n"))?;
        let config = home.join("zoo.cfg");
        let text = format!(
            "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir={}\nclientPort={client_port}\n\
             admin.enableServer=false\nstandaloneEnabled=false\n4lw.commands.whitelist=*\n{lines}",
            data.display()
        );
        fs::write(&config, text)?;
        let log = home.join("server.log");
        let output = File::create(&log)?;
        let process = Command::new(server)
            .arg(&config)
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("{} did not start", server.display()))?;
        members.push(Member { sid, client_port, log, process });
    }
    Ok(members)
}

/// Ports for clients, the leader and elections of each member: the usual ones where they are free.
fn free_ports(count: usize) -> anyhow::Result<Vec<[u16; 3]>> {
    // They are all held until all are found, so that none is given twice.
    let mut held = Vec::new();
    let mut take = |usual: u16| -> anyhow::Result<u16> {
        let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = bind(usual).or_else(|_| bind(0)).context("no port is free")?;
        let port = listener.local_addr()?.port();
        held.push(listener);
        Ok(port)
    };
    (0..count)
        .map(|index| {
            let index = u16::try_from(index).expect("there are few members");
            Ok([take(2181 + index)?, take(2888 + index)?, take(3888 + index)?])
        })
        .collect()
}

/// Waits for a leader, says where it is, then waits for the end.
fn attend(signals: &SigSet, members: &mut [Member]) -> anyhow::Result<()> {
    let begin = Instant::now();
    let modes = loop {
        let modes: Vec<Option<String>> =
            members.iter().map(|member| mode(member.client_port)).collect();
        if modes.iter().all(Option::is_some) {
            break modes;
        }
        for member in &mut *members {
            if let Some(status) = member.process.try_wait()? {
                bail!("server.{} ended with {status}: see {}", member.sid, member.log.display());
            }
        }
        if begin.elapsed() > PATIENCE {
            bail!("no leader after {PATIENCE:?}: see {}", members[0].log.display());
        }
        sleep(POLL);
    };
    println!("\nan ensemble of {} serves after {} ms", members.len(), begin.elapsed().as_millis());
    for (member, mode) in members.iter().zip(modes) {
        let (sid, port) = (member.sid, member.client_port);
        let mode = mode.unwrap_or_default();
        println!("  server.{sid}  127.0.0.1:{port}  {mode}  log {}", member.log.display());
    }
    let hosts: Vec<String> =
        members.iter().map(|member| format!("127.0.0.1:{}", member.client_port)).collect();
    println!("\nconnection string: {}\nCtrl-C ends it\n", hosts.join(","));
    loop {
        if signals.wait()? != Signal::SIGCHLD {
            return Ok(());
        }
        for member in &mut *members {
            if let Some(status) = member.process.try_wait()? {
                bail!("server.{} ended with {status}: see {}", member.sid, member.log.display());
            }
        }
    }
}

/// What a member says it is, once it serves.
fn mode(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(POLL * 10)).ok()?;
    stream.write_all(b"srvr").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer.lines().find_map(|line| line.strip_prefix("Mode: "))?.to_owned())
}

fn pid(member: &Member) -> Pid {
    Pid::from_raw(i32::try_from(member.process.id()).expect("process numbers fit an i32"))
}

/// As many as one machine is asked to run.
const MEMBERS_MAX: usize = 9;
/// How long a leader may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often members are asked.
const POLL: Duration = Duration::from_millis(20);
