//! The official image's contract: the lines that people type, and the users they run it as.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant};

use crate::container::{Container, Options};
use crate::deadline::within;
use crate::engine::Engine;
use crate::images::Image;
use crate::layers::println;

/// The host's folders of the single node that people run.
struct Host(tempfile::TempDir);

impl Host {
    fn new() -> Self {
        let host = Self(tempfile::tempdir().expect("a scratch folder"));
        fs::set_permissions(host.0.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        host
    }

    fn volume(&self, name: &str) -> String {
        format!("--volume={}/{name}:/{name}", self.0.path().display())
    }

    fn options(&self) -> Options {
        let volumes = ["data", "datalog", "conf"].map(|name| self.volume(name));
        volumes.into_iter().fold(Options::default(), Options::flag)
    }
}

#[test]
fn a_single_node_with_three_folders_of_the_host_leaves_its_files_there() {
    let Some(engine) = Engine::get() else { return };
    for image in [Image::Slim, Image::Busybox] {
        let host = Host::new();
        let options = host.options().flag("--publish=127.0.0.1::2181");
        let container = Container::start(engine, image, &options);
        assert!(container.await_serving().contains("Mode: standalone"));
        let exists = |name: &str| fs::metadata(host.0.path().join(name));
        for name in ["conf/zoo.cfg", "data/myid", "data/version-2/snapshot.0"] {
            let metadata = exists(name).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(metadata.uid(), 1000, "{name}");
        }
        let status = container.say(&["cat", "/proc/1/status"]);
        for line in ["Uid:\t1000\t1000\t1000\t1000", "CapEff:\t0000000000000000"] {
            assert!(status.contains(line), "{status}\nlacks {line}");
        }
        assert_eq!(container.say(&["zkServer.sh", "status"]), "Mode: standalone\n");
        assert_eq!(container.say(&["zkCleanup.sh", "-n", "3"]), "", "nothing is old");
        let path = "/apache-zookeeper-3.8.0-bin/bin/zkServer.sh";
        assert_eq!(container.say(&[path, "status"]), "Mode: standalone\n");
        let (took, code) = container.stop();
        assert_eq!(code, 0, "{}", container.log());
        assert!(took < Duration::from_secs(2), "it took {took:?} to stop");
    }
}

/// The lines of the official image's page and of many blogs, as they are typed.
#[test]
fn the_shell_does_in_the_container_what_people_type() {
    let Some(engine) = Engine::get() else { return };
    for image in Image::ALL {
        let container = Container::start(engine, image, &Options::default());
        container.await_serving();
        let path = "/apache-zookeeper-3.8.0-bin/bin/zkCli.sh";
        // Java's shell says on one stream or the other, and so does ours.
        let shell = |words: &[&str]| {
            let output = container.exec(&[&[path, "-server", "127.0.0.1:2181"], words].concat());
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(output.status.success(), "{words:?}: {said}");
            said
        };
        assert!(shell(&["ls", "/"]).contains("[zookeeper]"));
        assert!(shell(&["create", "/zk_test", "my_data"]).contains("Created /zk_test"));
        shell(&["create", "-s", "/zk_test/s", "1"]);
        shell(&["create", "-e", "/zk_test/e", "1"]);
        assert!(shell(&["get", "/zk_test"]).contains("my_data"));
        shell(&["set", "/zk_test", "junk"]);
        assert!(shell(&["stat", "/zk_test"]).contains("dataVersion = 1"));
        assert!(shell(&["get", "/zk_test"]).contains("junk"));
        shell(&["deleteall", "/zk_test"]);
        assert!(container.say(&["zkCli.sh", "ls", "/"]).contains("[zookeeper]"));
    }
}

/// As the engine runs it, for every way to say where clients connect.
#[test]
fn the_health_check_asks_where_clients_connect() {
    let Some(engine) = Engine::get() else { return };
    for (name, value) in [
        ("ZOO_SERVERS", "server.1=localhost:2888:3888;2182"),
        ("ZOO_PORT_NUMBER", "2182"),
        ("ZOOKEEPER_CLIENT_PORT", "32181"),
    ] {
        let container =
            Container::start(engine, Image::Scratch, &Options::default().env(name, value));
        let check =
            container.inspect("{{range slice .Config.Healthcheck.Test 1}}{{println .}}{{end}}");
        let check: Vec<_> = check.lines().filter(|word| !word.is_empty()).collect();
        let healthy = within(Duration::from_secs(20), || {
            container.exec(&check).status.success().then_some(())
        });
        assert!(healthy.is_some(), "{name}={value}: {:?}", container.exec(&check));
        assert!(container.say(&["zookeeper-ready", "--mode=ready"]).is_empty());
    }
}

#[test]
fn a_restart_keeps_the_first_configuration_and_the_data() {
    let Some(engine) = Engine::get() else { return };
    let host = Host::new();
    let options = host.options().env("ZOO_TICK_TIME", "3000");
    let container = Container::start(engine, Image::Slim, &options);
    container.await_serving();
    container.stop();
    container.start_again();
    container.await_serving();
    drop(container);
    let other = Container::start(engine, Image::Slim, &host.options().env("ZOO_TICK_TIME", "4000"));
    other.await_serving();
    other.says("/conf/zoo.cfg is there and counts: it says otherwise than ZOO_TICK_TIME");
    let zoo_cfg = fs::read_to_string(host.0.path().join("conf/zoo.cfg")).expect("it is there");
    assert!(zoo_cfg.contains("\ntickTime=3000\n"), "{zoo_cfg}");
}

/// As a ConfigMap is: root can neither write it nor give it away.
#[test]
fn a_zoo_cfg_that_is_mounted_read_only_counts() {
    let Some(engine) = Engine::get() else { return };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let text = "dataDir=/data\nclientPort=2181\ntickTime=3000\n4lw.commands.whitelist=conf, srvr\n";
    fs::write(folder.path().join("zoo.cfg"), text).expect("ours");
    let conf = folder.path().display();
    for mount in [format!("{conf}:/conf:ro"), format!("{conf}/zoo.cfg:/conf/zoo.cfg:ro")] {
        let options = Options::default().flag(format!("--volume={mount}"));
        let container = Container::start(engine, Image::Slim, &options);
        container.await_serving();
        let conf = container.ask("conf").expect("it is whitelisted");
        assert!(conf.contains("tickTime=3000\n"), "{conf}");
    }
}

#[test]
fn it_runs_as_any_user_without_rights_on_a_root_that_cannot_be_written() {
    let Some(engine) = Engine::get() else { return };
    for image in Image::ALL {
        for user in ["1000", "1000:1000", "12345:0"] {
            let options = Options::default()
                .flags(&["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"])
                .flags(&["--volume=/data", "--volume=/datalog"])
                .flag(format!("--user={user}"));
            let container = Container::start(engine, image, &options);
            container.await_serving();
            container.says("zoo.cfg is written to /data/zoo.cfg");
            assert_eq!(container.stop().1, 0, "{image:?} as {user}");
        }
    }
}

#[test]
fn a_container_that_runs_something_else_leaves_the_volumes_alone() {
    let Some(engine) = Engine::get() else { return };
    let host = Host::new();
    let options = host.options().command(&["zookeeper-ready", "--host=127.0.0.1", "2181"]);
    let container = Container::start(engine, Image::Slim, &options);
    assert_eq!(container.await_end(), 1);
    container.says("zookeeper-ready: ");
    for folder in ["data", "datalog", "conf"] {
        let entries = fs::read_dir(host.0.path().join(folder)).expect("mounted");
        assert_eq!(entries.count(), 0, "{folder}");
    }
}

#[test]
fn the_binary_alone_is_a_server_and_its_tools() {
    let Some(engine) = Engine::get() else { return };
    let container = Container::start(engine, Image::Scratch, &Options::default());
    container.await_serving();
    container.say(&["zookeeper-ready", "--mode=ready"]);
    assert_eq!(container.say(&["zkServer.sh", "status"]), "Mode: standalone\n");
    let healthy = within(Duration::from_secs(60), || {
        (container.inspect("{{.State.Health.Status}}") == "healthy").then_some(())
    });
    assert!(healthy.is_some(), "{}", container.inspect("{{json .State.Health}}"));
    let host = Host::new();
    let as_root = host.options().flag("--user=0:0");
    let container = Container::start(engine, Image::Scratch, &as_root);
    container.await_serving();
    let owner = fs::metadata(host.0.path().join("data/myid")).expect("it is there").uid();
    assert_eq!(owner, 1000);
}

/// What the classic probe does: the client's half of the connection ends right after the word.
#[test]
fn ten_thousand_probes_by_netcat_get_ten_thousand_answers() {
    let Some(engine) = Engine::get() else { return };
    let options = Options::default()
        .env("ZOO_4LW_COMMANDS_WHITELIST", "ruok")
        .env("ZOO_MAX_CLIENT_CNXNS", "0");
    let container = Container::start(engine, Image::Busybox, &options);
    await_word(&container, "ruok");
    let script = "n=0; ok=0; while [ $n -lt 10000 ]; do n=$((n+1)); \
                  [ \"$(echo ruok | nc 127.0.0.1 2181)\" = imok ] && ok=$((ok+1)); done; echo $ok";
    assert_eq!(container.say(&["sh", "-c", script]), "10000\n");
}

fn await_word(container: &Container, word: &str) {
    let answered = within(Duration::from_secs(60), || {
        container.ask(word).ok().filter(|answer| !answer.is_empty())
    });
    assert!(answered.is_some(), "{}", container.log());
}

/// Measured from outside, so with the engine's own work between the two.
#[test]
fn the_time_from_a_started_process_to_a_served_client_is_printed() {
    let Some(engine) = Engine::get() else { return };
    let container = Container::start(engine, Image::Slim, &Options::default());
    container.await_serving();
    container.stop();
    let pid = |container: &Container| container.inspect("{{.State.Pid}}");
    let mut times = Vec::new();
    for _ in 0..5 {
        container.start_again();
        let started = Instant::now();
        assert_ne!(pid(&container), "0");
        container.await_serving();
        times.push(started.elapsed());
        container.stop();
    }
    times.sort();
    println(&format!("from `docker start` having returned to ready: {:?} in the middle", times[2]));
    assert!(times[0] < Duration::from_secs(5), "{times:?}");
}
