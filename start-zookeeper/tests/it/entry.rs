//! The entry points of other images: what variables make of zoo.cfg and `myid`, and who runs then.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::pod::{BINARY, Pod, Run};

/// Ours in a container's folder, and a script that tells what it became in the server's place.
struct Container {
    pod: Pod,
}

impl Container {
    fn new() -> Self {
        let pod = Pod::new("zk-0");
        for folder in ["bin", "data", "datalog", "conf"] {
            fs::create_dir(pod.path(folder)).expect("made");
        }
        for name in ["docker-entrypoint.sh", "zkServer.sh", "run.sh"] {
            pod.install(Path::new(BINARY), &format!("bin/{name}"));
        }
        let script = "#!/bin/sh\necho \"uid $(id -u)\"\nfor word in \"$@\"; do echo \"$word\"; done\nexit 77\n";
        pod.write_script("bin/zookeeper-server", script);
        Self { pod }
    }

    /// Starts `program` with these variables and no others of ours.
    fn run(&self, program: &str, words: &[&str], variables: &[(&str, &str)]) -> Run {
        let path = |name: &str| self.pod.path(name);
        let mut command = Command::new(path("bin").join(program));
        command
            .args(words)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", path("bin").display()))
            .env("ZOO_DATA_DIR", path("data"))
            .env("ZOO_DATA_LOG_DIR", path("datalog"))
            .env("ZOO_CONF_DIR", path("conf"))
            .envs(variables.iter().copied())
            .stdin(Stdio::null());
        self.pod.finished(command.output())
    }

    fn start(&self, variables: &[(&str, &str)]) -> Run {
        self.run("docker-entrypoint.sh", &["zkServer.sh", "start-foreground"], variables)
    }

    fn zoo_cfg(&self) -> String {
        let folder = self.pod.path("").display().to_string();
        let text = self.pod.read("conf/zoo.cfg").expect("written");
        text.replace(folder.trim_end_matches('/'), "")
    }
}

/// What every ensemble gets that says nothing of empty volumes itself.
const GUARD: &[&str] = &["-Dzookeeper.db.autocreate=false", "-Dzookeeper.joinGuard.enabled=true"];

const THREE: &str =
    "server.1=zk-0:2888:3888;2181 server.2=zk-1:2888:3888;2181 server.3=zk-2:2888:3888;2181";

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[test]
fn without_variables_it_is_the_official_images_standalone_server() {
    let container = Container::new();
    let run = container.start(&[]).started();
    let zoo_cfg = container.pod.path("conf/zoo.cfg").display().to_string();
    assert_eq!(run.arguments(), ["/conf/zoo.cfg"], "of {zoo_cfg}");
    assert_eq!(
        container.zoo_cfg(),
        "dataDir=/data\ndataLogDir=/datalog\ntickTime=2000\ninitLimit=5\nsyncLimit=2\n\
         autopurge.snapRetainCount=3\nautopurge.purgeInterval=0\nmaxClientCnxns=60\n\
         standaloneEnabled=true\nadmin.enableServer=true\nserver.1=localhost:2888:3888;2181\n"
    );
    assert_eq!(container.pod.read("data/myid").as_deref(), Some("1\n"));
    run.says("data in /data: empty");
    run.says("server 1 (from the default)");
}

#[test]
fn every_way_to_start_it_makes_the_same_file() {
    let texts = [
        ("docker-entrypoint.sh", &["zkServer.sh", "start-foreground"][..]),
        ("docker-entrypoint.sh", &[]),
        ("docker-entrypoint.sh", &["/run.sh"]),
        ("zkServer.sh", &["start-foreground"]),
        ("run.sh", &[]),
    ]
    .map(|(program, words)| {
        let container = Container::new();
        container.run(program, words, &[("ZOO_MY_ID", "2"), ("ZOO_SERVERS", THREE)]).started();
        assert_eq!(container.pod.read("data/myid").as_deref(), Some("2\n"), "{program}");
        container.zoo_cfg()
    });
    assert!(texts[0].contains("server.2=zk-1:2888:3888;2181\n"), "{}", texts[0]);
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
}

#[test]
fn a_member_says_where_each_setting_came_from() {
    let container = Container::new();
    container.pod.write("secret", "tickTime=1500\n");
    let secret = container.pod.path("secret").display().to_string();
    let run = container.start(&[
        ("ZOO_MY_ID", "3"),
        ("ZOO_SERVERS", THREE),
        ("ZOO_CFG_EXTRA_FILE", &secret),
        ("ZOO_TICKTIME", "1"),
        ("ZOO_LOG4J_PROP", "DEBUG,CONSOLE"),
        ("ZOO_SERVICE_HOST", "10.0.0.1"),
    ]);
    let run = run.started();
    run.says("server 3 (from ZOO_MY_ID)");
    run.says("server.2=zk-1:2888:3888;2181 (from ZOO_SERVERS)");
    run.says("tickTime=1500 (from ZOO_CFG_EXTRA_FILE)");
    run.says("ZOO_TICKTIME is no variable: is ZOO_TICK_TIME meant?");
    assert!(!run.stderr.contains("ZOO_SERVICE_HOST"), "{}", run.stderr);
    let level = "-Dzookeeper.console.threshold=DEBUG";
    assert_eq!(run.arguments(), [&[level], GUARD, &["/conf/zoo.cfg"]].concat());
}

#[test]
fn an_ensemble_is_guarded_against_empty_volumes_unless_somebody_says_otherwise() {
    let arguments = |more: (&str, &str)| {
        let container = Container::new();
        let run = container.start(&[("ZOO_SERVERS", THREE), more]).started();
        assert!(!container.zoo_cfg().contains("joinGuard.enabled=true"));
        run.arguments().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(arguments(("ZOO_MY_ID", "1")), [GUARD, &["/conf/zoo.cfg"]].concat());
    assert_eq!(arguments(("ZOO_CFG_EXTRA", "joinGuard.enabled=false")), ["/conf/zoo.cfg"]);
    assert_eq!(arguments(("ZOO_CFG_EXTRA", "db.autocreate=true")), ["/conf/zoo.cfg"]);
    let flags = ("JVMFLAGS", "-Xmx1g -Dzookeeper.joinGuard.enabled=false");
    assert_eq!(arguments(flags), ["/conf/zoo.cfg"]);
}

#[test]
fn root_gives_its_rights_up_and_the_folders_with_them() {
    if !is_root() {
        return;
    }
    let container = Container::new();
    for name in ["data/version-2/snapshot.0", "data/lost+found/x"] {
        container.pod.write(name, "");
    }
    let run = container.start(&[]).started();
    assert!(run.stdout.starts_with("uid 1000\n"), "{}", run.stdout);
    let owner = |name: &str| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(container.pod.path(name)).expect("exists").uid()
    };
    for name in ["data", "datalog", "conf", "data/version-2", "data/version-2/snapshot.0"] {
        assert_eq!(owner(name), 1000, "{name}");
    }
    for name in ["data/myid", "conf/zoo.cfg"] {
        assert_eq!(owner(name), 1000, "{name}");
    }
    assert_eq!(owner("data/lost+found"), 0, "it is not the server's");
}

#[test]
fn a_link_in_the_volume_is_not_followed() {
    if !is_root() {
        return;
    }
    use std::os::unix::fs::MetadataExt;
    let container = Container::new();
    container.pod.write("elsewhere", "");
    fs::create_dir(container.pod.path("data/version-2")).expect("made");
    let link = container.pod.path("data/version-2/snapshot.0");
    std::os::unix::fs::symlink(container.pod.path("elsewhere"), &link).expect("linked");
    container.start(&[]).started();
    assert_eq!(fs::metadata(container.pod.path("elsewhere")).expect("exists").uid(), 0);
}

#[test]
fn a_zoo_cfg_that_is_there_counts_and_what_it_ignores_is_told() {
    let container = Container::new();
    let folder = container.pod.path("data").display().to_string();
    let text = format!("dataDir={folder}\nclientPort=2181\ntickTime=3000\n");
    container.pod.write("conf/zoo.cfg", &text);
    let variables = [("ZOO_TICK_TIME", "2500"), ("ZOO_INIT_LIMIT", "7"), ("ZOO_SYNC_LIMIT", "")];
    let run = container.start(&variables).started();
    run.says(
        "/conf/zoo.cfg is there and counts: it says otherwise than ZOO_TICK_TIME, ZOO_INIT_LIMIT",
    );
    assert_eq!(container.pod.read("conf/zoo.cfg"), Some(text));
}

#[test]
fn a_myid_that_is_there_counts_if_it_is_a_member() {
    let container = Container::new();
    container.pod.write("data/myid", "3\n");
    let run = container.start(&[("ZOO_MY_ID", "2"), ("ZOO_SERVERS", THREE)]).started();
    run.says("server 3 (from the volume's myid)");
    run.says("the volume's myid holds 3 and counts; ZOO_MY_ID says 2");
    assert_eq!(container.pod.read("data/myid").as_deref(), Some("3\n"));
    container.pod.write("data/myid", "9\n");
    container.start(&[("ZOO_MY_ID", "2"), ("ZOO_SERVERS", THREE)]).refused(
        6,
        &["/data/myid: holds 9, which is none of the servers in /conf/zoo.cfg (1, 2, 3)"],
    );
}

#[test]
fn an_id_that_no_member_has_is_refused_and_nothing_is_written() {
    let container = Container::new();
    let run = container.start(&[("ZOO_MY_ID", "4"), ("ZOO_SERVERS", THREE)]);
    run.refused(8, &["/conf/zoo.cfg: no line server.4, but ZOO_MY_ID is server 4"]);
    assert!(!container.pod.path("conf/zoo.cfg").exists());
    assert!(!container.pod.path("data/myid").exists());
}

#[test]
fn all_that_is_wrong_with_the_variables_is_told_at_once() {
    let container = Container::new();
    container
        .start(&[("ZOO_MY_ID", "one"), ("ZOO_CFG_EXTRA_FILE", "/nowhere"), ("ZOO_SERVER_ID", "2")])
        .refused(
            2,
            &[
                "ZOO_CFG_EXTRA_FILE=/nowhere: No such file",
                "ZOO_MY_ID is a variable of the official image, ZOO_SERVER_ID one of Bitnami's",
                "ZOO_MY_ID=one: give the number of this server",
            ],
        );
}

#[test]
fn bitnamis_and_confluents_variables_are_understood() {
    let container = Container::new();
    let servers = ("ZOO_SERVERS", "zk-0:2888:3888,zk-1:2888:3888,zk-2:2888:3888");
    let run = container.start(&[servers, ("ZOO_SERVER_ID", "2")]).started();
    run.says("variables as Bitnami's image has them");
    assert!(container.zoo_cfg().contains("server.2=zk-1:2888:3888;2181\n"));
    assert_eq!(container.pod.read("data/myid").as_deref(), Some("2\n"));
    let container = Container::new();
    let servers = ("ZOOKEEPER_SERVERS", "zk-0:2888:3888;zk-1:2888:3888;zk-2:2888:3888");
    let run = container.start(&[
        servers,
        ("ZOOKEEPER_SERVER_ID", "3"),
        ("ZOOKEEPER_CLIENT_PORT", "2181"),
        ("ZOOKEEPER_PORT", "tcp://10.0.0.1:2181"),
    ]);
    run.started().says("variables as Confluent's image has them");
    assert!(container.zoo_cfg().contains("clientPort=2181\ninitLimit=10\nsyncLimit=5\nserver.1="));
    assert_eq!(container.pod.read("data/myid").as_deref(), Some("3\n"));
}

#[test]
fn another_command_is_run_as_it_is_and_writes_nothing() {
    let container = Container::new();
    let run = container.run(
        "docker-entrypoint.sh",
        &["sh", "-c", "echo $ZOO_MY_ID; exit 5"],
        &[("ZOO_MY_ID", "7")],
    );
    assert_eq!((run.code, run.stdout.as_str()), (Some(5), "7\n"), "{}", run.stderr);
    for file in ["data/myid", "conf/zoo.cfg"] {
        assert!(!container.pod.path(file).exists(), "{file}");
    }
    let run = container.run("docker-entrypoint.sh", &["no-such-program"], &[]);
    run.refused(2, &["cannot run no-such-program: ENOENT"]);
}

#[test]
fn a_word_of_zkserver_sh_that_a_container_cannot_mean_is_refused() {
    let container = Container::new();
    container.run("zkServer.sh", &["stop"], &[]).refused(2, &["zkServer.sh stop: give "]);
    let run = container.run("zkServer.sh", &["version"], &[]);
    assert!(run.stdout.starts_with("Apache ZooKeeper, version "), "{}", run.stdout);
    let run = container.run("zkServer.sh", &["status"], &[("ZOO_CONF_DIR", "/nowhere")]);
    assert!(run.stderr.contains("Client port found: 2181."), "{}", run.stderr);
    // As after a reconfiguration, which moves members and ports out of zoo.cfg.
    let path = |name: &str| container.pod.path(name).display().to_string();
    let (data, dynamic) = (path("data"), path("conf/zoo.cfg.dynamic.7"));
    let text = format!("dataDir={data}\ninitLimit=5\nsyncLimit=2\ndynamicConfigFile={dynamic}\n");
    container.pod.write("conf/zoo.cfg", &text);
    container.pod.write("conf/zoo.cfg.dynamic.7", "server.1=a:2:3;2182\nserver.2=b:2:3;2183\n");
    container.pod.write("data/myid", "2\n");
    let run = container.run("zkServer.sh", &["status"], &[("ZOO_CONF_DIR", &path("conf"))]);
    assert!(run.stderr.contains("Client port found: 2183."), "{}", run.stderr);
}

#[test]
fn a_folder_for_zoo_cfg_that_cannot_be_written_sends_it_to_the_data() {
    let container = Container::new();
    for (name, mode) in [("conf", 0o555), ("data", 0o777), ("datalog", 0o777)] {
        let path = container.pod.path(name);
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("ours");
        if is_root() && name == "conf" {
            chown(&path, Some(1000), None).expect("root may");
        }
    }
    for tick_time in ["2000", "3000"] {
        let run = container.start(&[("ZOO_TICK_TIME", tick_time)]).started();
        run.says("zoo.cfg is written to /data/zoo.cfg: /conf: cannot be written");
        assert_eq!(run.arguments(), ["/data/zoo.cfg"]);
        let written = container.pod.read("data/zoo.cfg").expect("written");
        assert!(written.contains(&format!("tickTime={tick_time}\n")), "{written}");
    }
    container.pod.write("data/zoo.cfg", "clientPort=2181\n");
    container.start(&[]).refused(2, &["/data/zoo.cfg: exists and was not written by"]);
}
