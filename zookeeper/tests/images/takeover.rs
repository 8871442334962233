//! `k8s/migrate.md` acted out: Java's servers on the volumes of four images, replaced one by one by ours
//! while somebody writes, and back.
//!
//! Java's are Debian's packages in the container of Debian's base, whose `/usr` is the machine's.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::container::{Container, Network, Options};
use crate::deadline::await_until;
use crate::engine::Engine;
use crate::ensemble::await_leader;
use crate::images::Image;
use crate::layers::println;
use crate::load::Load;
use crate::tools::{run, skip};

/// An image whose volumes are taken over.
struct Contract {
    name: &'static str,
    /// Where it has snapshots and the log.
    data: &'static str,
    log: &'static str,
    /// Where volumes are mounted.
    mounts: &'static [&'static str],
    /// Who owns them, and whom its server runs as.
    user: &'static str,
    /// Whom ours runs as: the pod's, or root, which gives its rights up.
    our_user: &'static str,
    /// What our first screen says of it.
    found: &'static str,
}

/// Each member is of another.
const CONTRACTS: [Contract; 4] = [
    Contract {
        name: "kow3ns",
        data: "/var/lib/zookeeper/data",
        log: "/var/lib/zookeeper/data/log",
        mounts: &["/var/lib/zookeeper"],
        user: "1000:1000",
        our_user: "1000:1000",
        found: "transaction log in /var/lib/zookeeper/data/log: ",
    },
    Contract {
        name: "official",
        data: "/data",
        log: "/datalog",
        mounts: &["/data", "/datalog"],
        user: "1000:1000",
        our_user: "0:0",
        found: "folders of the official image: it has data",
    },
    Contract {
        name: "bitnami",
        data: "/bitnami/zookeeper/data",
        log: "/bitnami/zookeeper/data",
        mounts: &["/bitnami/zookeeper"],
        user: "1001:0",
        our_user: "1001:0",
        found: "folders of Bitnami's image: it has data",
    },
    Contract {
        name: "confluent",
        data: "/var/lib/zookeeper/data",
        log: "/var/lib/zookeeper/log",
        mounts: &["/var/lib/zookeeper/data", "/var/lib/zookeeper/log"],
        user: "1000:1000",
        our_user: "1000:1000",
        found: "folders of Confluent's and the Kubernetes image: it has data",
    },
];

fn host(ordinal: usize) -> String {
    format!("zk-{ordinal}.{DOMAIN}")
}

fn servers(client_port: &str) -> Vec<String> {
    let line = |n: usize| format!("server.{}={}:2888:3888{client_port}", n + 1, host(n));
    (0..CONTRACTS.len()).map(line).collect()
}

/// Names, volumes, and the machine's Java.
struct Site {
    engine: &'static Engine,
    network: Network,
    volumes: tempfile::TempDir,
    java_settings: String,
}

impl Site {
    /// `None`, said aloud, without Java.
    fn new(engine: &'static Engine) -> Option<Self> {
        let settings = fs::canonicalize(format!("{JAVA_HOME}/conf/security/java.security"));
        let jars = CLASS_PATH.split(':').all(|jar| Path::new(jar).exists());
        let (Ok(settings), true) = (settings, jars) else {
            skip(
                "no Java server here (Debian: default-jdk-headless libzookeeper-java libslf4j-java)",
            );
            return None;
        };
        let folder = settings.ancestors().nth(2).expect("two folders are in the name").to_owned();
        let volumes = tempfile::tempdir().expect("a scratch folder");
        for (ordinal, contract) in CONTRACTS.iter().enumerate() {
            for mount in contract.mounts {
                let path = volume(&volumes, ordinal, mount);
                fs::create_dir_all(&path).expect("ours");
                run(std::process::Command::new("chown").args([contract.user, &path]));
            }
        }
        let java_settings = folder.display().to_string();
        Some(Self { engine, network: Network::new(engine), volumes, java_settings })
    }

    fn options(&self, ordinal: usize) -> Options {
        let options = Options::default()
            .network(&self.network)
            .flag(format!("--hostname=zk-{ordinal}"))
            .flag(format!("--domainname={DOMAIN}"))
            .flag(format!("--network-alias={}", host(ordinal)));
        CONTRACTS[ordinal].mounts.iter().fold(options, |options, mount| {
            options.flag(format!("--volume={}:{mount}", volume(&self.volumes, ordinal, mount)))
        })
    }

    fn java(&self, ordinal: usize) -> Container {
        let contract = &CONTRACTS[ordinal];
        let zoo_cfg = format!(
            "dataDir={}\ndataLogDir={}\ntickTime=2000\ninitLimit=10\nsyncLimit=5\nclientPort=2181\n\
             admin.enableServer=false\n{}\n",
            contract.data,
            contract.log,
            servers("").join("\n")
        );
        let script = format!(
            "mkdir -p {0} {1} && {{ [ -e {0}/myid ] || echo {2} > {0}/myid; }} && \
             echo \"$ZOO_CFG\" > /tmp/zoo.cfg && exec {JAVA_HOME}/bin/java -Xmx128m -XX:+UseSerialGC \
             -XX:TieredStopAtLevel=1 -Djava.net.preferIPv4Stack=true -cp {CLASS_PATH} \
             org.apache.zookeeper.server.quorum.QuorumPeerMain /tmp/zoo.cfg",
            contract.data,
            contract.log,
            ordinal + 1
        );
        let options = self
            .options(ordinal)
            .flag(format!("--user={}", contract.user))
            .flag("--volume=/usr:/usr:ro")
            .flag(format!("--volume={0}:{0}:ro", self.java_settings))
            .env("ZOO_CFG", &zoo_cfg)
            .command(&["sh", "-c", &script]);
        Container::start(self.engine, Image::Debian, &options)
    }

    fn ours(&self, ordinal: usize) -> Container {
        let contract = &CONTRACTS[ordinal];
        let options = self.options(ordinal).flag(format!("--user={}", contract.our_user));
        let id = (ordinal + 1).to_string();
        let names = (0..CONTRACTS.len()).map(|n| format!("{}:2888:3888", host(n)));
        let names: Vec<_> = names.collect();
        let options = match contract.name {
            "kow3ns" => {
                let flags = format!("--servers={} --data_log_dir={}", names.len(), contract.log);
                let script = format!("start-zookeeper {flags}");
                options.flag("--entrypoint=").command(&["sh", "-c", &script])
            }
            "official" => {
                options.env("ZOO_MY_ID", &id).env("ZOO_SERVERS", &servers(";2181").join(" "))
            }
            "bitnami" => options.env("ZOO_SERVER_ID", &id).env("ZOO_SERVERS", &names.join(",")),
            "confluent" => options
                .env("ZOOKEEPER_SERVER_ID", &id)
                .env("ZOOKEEPER_CLIENT_PORT", "2181")
                .env("ZOOKEEPER_SERVERS", &names.join(";")),
            name => panic!("nobody knows how {name} is started"),
        };
        let container = Container::start(self.engine, Image::Slim, &options);
        container.await_serving();
        container.says(contract.found);
        assert!(!container.log().contains("/data/log: empty"), "{}", container.log());
        container
    }

    /// As migrate.md says it: followers first, the leader last, the next one when this one serves.
    fn replace(&self, members: &mut Vec<Container>, new: impl Fn(usize) -> Container) {
        let leader = await_leader(members);
        let followers = (0..members.len()).filter(|ordinal| *ordinal != leader);
        for ordinal in followers.chain([leader]) {
            let old = members.remove(ordinal);
            old.stop();
            drop(old);
            members.insert(ordinal, new(ordinal));
            await_until("the new member is in the quorum", LIMIT, || {
                let answer = members[ordinal].ask("srvr").ok()?;
                ["Mode: follower", "Mode: leader"].iter().find(|mode| answer.contains(**mode))
            });
        }
    }
}

fn volume(volumes: &tempfile::TempDir, ordinal: usize, mount: &str) -> String {
    format!("{}/{ordinal}{mount}", volumes.path().display())
}

#[test]
fn javas_members_on_four_images_volumes_are_replaced_under_load_and_come_back() {
    let Some(engine) = Engine::get() else { return };
    let Some(site) = Site::new(engine) else { return };
    let started = Instant::now();
    let mut members: Vec<_> = (0..CONTRACTS.len()).map(|ordinal| site.java(ordinal)).collect();
    await_leader(&members);
    let Some(load) = Load::start(&members, 0) else { return };
    assert_eq!(of_java(&members), CONTRACTS.len());
    site.replace(&mut members, |ordinal| site.ours(ordinal));
    assert_eq!(of_java(&members), 0);
    let there = load.finish();
    let load = Load::start(&members, there).expect("it has run before");
    site.replace(&mut members, |ordinal| site.java(ordinal));
    let back = load.finish();
    await_leader(&members);
    assert_eq!(of_java(&members), CONTRACTS.len());
    println(&format!(
        "Java to ours: {there} writes; back: {} more; none missing, in {:?}",
        back - there,
        started.elapsed()
    ));
}

/// How many of them say that they are the version that Debian has.
fn of_java(members: &[Container]) -> usize {
    members.iter().filter(|member| member.await_serving().contains("version: 3.8.0")).count()
}

const DOMAIN: &str = "zk-hs.default.svc.cluster.local";
const JAVA_HOME: &str = "/usr/lib/jvm/default-java";
const CLASS_PATH: &str = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";
const LIMIT: Duration = Duration::from_secs(90);
