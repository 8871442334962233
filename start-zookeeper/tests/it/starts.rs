//! Starts that go well: what is rendered, written, said, and handed to the server.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::pod::{BINARY, Pod};

const STATEFULSET: &str = include_str!("../../testdata/statefulset-command.txt");
const OLD_ZOO_CFG: &str = include_str!("../../testdata/zoo.cfg.start-zookeeper");

/// What the old script rendered, but for the key that it misspelt.
fn zoo_cfg() -> String {
    OLD_ZOO_CFG.replace("autopurge.purgeInteval", "autopurge.purgeInterval")
}

/// Runs the manifest's command as the kubelet does, through a shell, with the flags behind it that
/// stand for the pod.
fn through_shell(pod: &Pod, more: &[&str]) -> std::process::Output {
    let folder = Path::new(BINARY).parent().expect("a binary is in a folder");
    let command = pod.command(Path::new("true"), more);
    let flags = command.get_args().map(|flag| flag.to_str().expect("UTF-8"));
    // The manifest's own folders count, so those of the pod are left out.
    let flags = flags.filter(|flag| !flag.contains("_dir="));
    let script = format!("{} {}", STATEFULSET.trim(), flags.collect::<Vec<_>>().join(" "));
    Command::new("sh")
        .args(["-c", &script])
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .output()
        .expect("sh starts")
}

#[test]
fn the_manifests_command_line_renders_what_the_old_script_rendered() {
    let pod = Pod::new("zk-0");
    let output = through_shell(&pod, &["--dry-run"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), zoo_cfg());
    assert_eq!(pod.read("data/myid"), None);
}

#[test]
fn both_forms_of_flags_in_any_order_make_the_same_zoo_cfg() {
    let pod = Pod::new("zk-0");
    let one = pod.start(&["--servers=3", "--tick_time=1000", "--dry-run"]);
    let other = pod.start(&["--dry-run", "--tick_time", "1000", "--servers", "3"]);
    assert_eq!(one.code, Some(0), "{}", one.stderr);
    assert_eq!(one.stdout, other.stdout);
}

#[test]
fn a_start_writes_zoo_cfg_and_myid_and_becomes_the_server() {
    let pod = Pod::new("zk-2");
    let child = pod
        .command(Path::new(BINARY), &["--servers=3", "--log_level=warn", "--", "--more", "-Da=b"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let pid = child.id();
    let output = child.wait_with_output().expect("it ends");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    let zoo_cfg = pod.path("conf/zoo.cfg").display().to_string();
    assert_eq!(
        stdout.lines().collect::<Vec<_>>(),
        [
            &format!("pid {pid}"),
            "-Dzookeeper.4lw.commands.whitelist=srvr,ruok,mntr,stat,conf,isro",
            "-Dzookeeper.admin.enableServer=false",
            "-Dzookeeper.console.threshold=WARN",
            "-Dzookeeper.quorumListenOnAllIPs=true",
            "-Da=b",
            "-Dzookeeper.db.autocreate=false",
            "-Dzookeeper.joinGuard.enabled=true",
            "--more",
            &zoo_cfg,
        ]
    );
    assert_eq!(pod.read("data/myid").as_deref(), Some("3\n"));
    let written = pod.read("conf/zoo.cfg").expect("written");
    assert!(written.contains("server.3=zk-2.zk-hs.default.svc.cluster.local:2888:3888\n"));
    assert!(pod.path("data/log").is_dir());
    for (name, mode) in [("data", 0o750), ("data/log", 0o750), ("conf/zoo.cfg", 0o640)] {
        assert_eq!(pod.mode(name) & !mode, 0, "{name}");
    }
    let names: Vec<_> = fs::read_dir(pod.path("conf")).expect("listed").collect();
    assert_eq!(names.len(), 1, "nothing is left over: {names:?}");
}

#[test]
fn the_first_screen_says_what_was_found_and_where() {
    let pod = Pod::new("zk-0");
    pod.write("hosts", "10.1.0.1 zk-0.zk-hs.x.org zk-0\n10.1.0.2 zk-1.zk-hs.x.org\n");
    let run = pod.start(&["--servers=3", "--heap=3G", "--log_dir=/var/log/zookeeper"]).started();
    run.says("server 1: name zk (from host name zk-0), ordinal 0 (from host name zk-0)");
    run.says("domain zk-hs.x.org (from /hosts)");
    run.says("data in /data: empty");
    run.says("transaction log in /data/log: empty");
    run.says("configuration in /conf/zoo.cfg");
    run.says("server.1 zk-0.zk-hs.x.org (participant, this server) is 10.1.0.1");
    run.says("server.2 zk-1.zk-hs.x.org (participant) is 10.1.0.2");
    run.says("server.3 zk-2.zk-hs.x.org (participant) ");
    run.says("the start goes on");
    run.says("--heap=3G is not needed");
    run.says("--log_dir=/var/log/zookeeper is not needed");
    run.says("starting /zookeeper-server -D");
    run.says(&format!("uid {}, gid {}", nix::unistd::geteuid(), nix::unistd::getegid()));
    run.says("server.1=zk-0.zk-hs.x.org:2888:3888");
}

#[test]
fn a_setting_that_is_not_the_default_says_which_flag_it_is_from() {
    let pod = Pod::new("zk-0");
    let flags =
        ["--tick_time=1500", "--sync_limit=5", "--max_session_timeout=60000", "--servers=3"];
    let set = ["--set=snapCount=5000", "--set=ssl.keyStore.password=pass"];
    let run = pod.start(&[&flags[..], &set[..]].concat()).started();
    run.says("INFO tickTime=1500 (from --tick_time)");
    run.says("INFO maxSessionTimeout=60000 (from --max_session_timeout)");
    run.says("INFO snapCount=5000 (from --set)");
    run.says("INFO ssl.keyStore.password=*** (from --set)");
    let of_flags = run.stderr.lines().filter(|line| line.contains(" (from --")).count();
    run.says("INFO servers=3 (from --servers)");
    // The host name is one more.
    assert_eq!(of_flags, 6, "{}", run.stderr);
}

#[test]
fn a_second_start_finds_its_volume_and_replaces_its_zoo_cfg() {
    let pod = Pod::new("zk-0");
    pod.start(&["--servers=3"]).started();
    pod.start(&["--servers=3", "--tick_time=3000"]).started();
    assert!(pod.read("conf/zoo.cfg").expect("written").contains("tickTime=3000\n"));
    assert_eq!(pod.read("data/myid").as_deref(), Some("1\n"));
}

#[test]
fn a_standalone_server_needs_no_identity_and_gets_a_myid() {
    let pod = Pod::new("myhost");
    pod.write("hosts", "");
    pod.write("resolv.conf", "");
    pod.start(&[]).started().says("standalone server");
    assert_eq!(pod.read("data/myid").as_deref(), Some("1\n"));
    assert!(!pod.read("conf/zoo.cfg").expect("written").contains("server."));
}

#[test]
fn zoo_cfg_has_the_last_word_over_what_the_server_is_passed() {
    let pod = Pod::new("zk-0");
    let set = ["--set=4lw.commands.whitelist=*", "--set", "quorumListenOnAllIPs=false"];
    let run = pod.start(&set).started();
    let arguments = run.arguments();
    assert!(!arguments.iter().any(|word| word.contains("whitelist") || word.contains("AllIPs")));
    let written = pod.read("conf/zoo.cfg").expect("written");
    assert!(written.ends_with("4lw.commands.whitelist=*\nquorumListenOnAllIPs=false\n"));
}

#[test]
fn secrets_are_written_and_not_shown() {
    let pod = Pod::new("zk-0");
    let secret = "DigestAuthenticationProvider.superDigest=super:swordfish";
    let run = pod.start(&["--set", secret, "--", "-Dzookeeper.ssl.keyStore.password=swordfish"]);
    let run = run.started();
    assert!(!run.stderr.contains("swordfish"), "{}", run.stderr);
    run.says("DigestAuthenticationProvider.superDigest=***");
    assert!(pod.read("conf/zoo.cfg").expect("written").contains(secret));
    assert!(run.stdout.contains("-Dzookeeper.ssl.keyStore.password=swordfish"));
}

#[test]
fn a_dry_run_prints_zoo_cfg_and_changes_nothing() {
    let pod = Pod::new("zk-0");
    pod.write("data/myid", "3\n");
    let run = pod.start(&["--servers=3", "--dry-run", "--server_bin=/nowhere"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.starts_with("#This file was autogenerated DO NOT EDIT\nclientPort=2181\n"));
    run.says("would not start: /data/myid: holds 3");
    run.says("would not start: --server_bin=/nowhere: cannot be run");
    assert_eq!(pod.read("data/myid").as_deref(), Some("3\n"));
    assert!(!pod.path("conf").exists() && !pod.path("data/log").exists());
}

#[test]
fn a_template_replaces_the_built_in_one() {
    let pod = Pod::new("zk-0");
    pod.write("my.tera", "dataDir={{ data_dir }}/mine\nclientPort=2182\n");
    let template = format!("--template={}", pod.path("my.tera").display());
    pod.start(&[&template]).started();
    let data = pod.path("data").display().to_string();
    let header = "#This file was autogenerated DO NOT EDIT";
    let expected = format!("{header}\ndataDir={data}/mine\nclientPort=2182\n");
    assert_eq!(pod.read("conf/zoo.cfg"), Some(expected));
    assert_eq!(pod.read("data/mine/myid").as_deref(), Some("1\n"), "it is where zoo.cfg says");
}

#[test]
fn a_given_zoo_cfg_is_used_as_it_is() {
    let pod = Pod::new("zk-1");
    let data = pod.path("data").display().to_string();
    let text = format!(
        "dataDir={data}\nclientPort=2181\ninitLimit=5\nsyncLimit=2\n\
         server.1=zk-0:2888:3888\nserver.2=zk-1:2888:3888\nadmin.enableServer=true\n"
    );
    pod.write("mounted/zoo.cfg", &text);
    let config = format!("--config={}", pod.path("mounted/zoo.cfg").display());
    let run = pod.start(&[&config]).started();
    assert_eq!(run.arguments().last(), Some(&"/mounted/zoo.cfg"));
    assert!(!run.stdout.contains("admin.enableServer"));
    assert_eq!(pod.read("mounted/zoo.cfg"), Some(text));
    assert_eq!(pod.read("data/myid").as_deref(), Some("2\n"));
    assert!(!pod.path("conf").exists());
    run.says("server.1 zk-0 (participant) is 10.1.0.0");
}

#[test]
fn a_read_only_conf_dir_sends_zoo_cfg_to_the_volume() {
    let pod = Pod::new("zk-0");
    for (name, mode) in [("conf", 0o555), ("data", 0o777)] {
        fs::create_dir(pod.path(name)).expect("made");
        fs::set_permissions(pod.path(name), Permissions::from_mode(mode)).expect("ours");
    }
    let run = pod.start_unprivileged(&[]).started();
    run.says("zoo.cfg is written to /data/zoo.cfg instead of --conf_dir: /conf: cannot be written");
    assert_eq!(run.arguments().last(), Some(&"/data/zoo.cfg"));
    assert!(pod.path("data/zoo.cfg").exists() && !pod.path("conf/zoo.cfg").exists());
    pod.start_unprivileged(&[]).started();
}

#[test]
fn the_server_beside_this_program_goes_before_that_in_path() {
    let pod = Pod::new("zk-0");
    let beside = pod.path("bin/start-zookeeper");
    pod.write_script("bin/zookeeper-server", "#!/bin/sh\necho beside\n");
    pod.write_script("elsewhere/zookeeper-server", "#!/bin/sh\necho in PATH\n");
    pod.install(Path::new(BINARY), "bin/start-zookeeper");
    let run = || {
        let mut command = pod.command(&beside, &[]);
        let flags: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        command = Command::new(&beside);
        let is_other = |flag: &&std::ffi::OsString| !flag.to_string_lossy().contains("server_bin");
        command.args(flags.iter().filter(is_other)).env("PATH", pod.path("elsewhere"));
        String::from_utf8(command.output().expect("starts").stdout).expect("UTF-8")
    };
    assert_eq!(run(), "beside\n");
    fs::remove_file(pod.path("bin/zookeeper-server")).expect("removed");
    assert_eq!(run(), "in PATH\n");
}

#[test]
fn waiting_for_names_ends_as_soon_as_they_resolve() {
    let pod = Pod::new("zk-0");
    let started = Instant::now();
    pod.start(&["--servers=3", "--dns_wait=600"]).started().says("waiting up to 600s");
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_signal_ends_the_wait_for_names() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130)] {
        let pod = Pod::new("zk-0");
        let mut child = pod
            .command(Path::new(BINARY), &["--servers=9", "--dns_wait=600"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut lines = stderr.lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("waiting up to")));
        await_handler(child.id(), signal);
        let pid = Pid::from_raw(child.id().try_into().expect("a pid is small"));
        kill(pid, signal).expect("the child is ours");
        let last = lines.last().expect("a reason");
        assert!(last.contains("stopped by a signal"), "{last}");
        assert_eq!(child.wait().expect("it ends").code(), Some(code));
        assert_eq!(pod.read("data/myid"), None, "nothing was written");
    }
}

/// The line on the screen comes a moment before the handler.
fn await_handler(pid: u32, signal: Signal) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the child lives");
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = u64::from_str_radix(caught.expect("Linux lists it").trim(), 16);
        if caught.expect("a mask in hex") >> (signal as i32 - 1) & 1 == 1 {
            return;
        }
        assert!(Instant::now() < deadline, "no handler for {signal}");
        std::thread::yield_now();
    }
}

#[test]
fn clients_from_elsewhere_are_told_addresses_that_the_server_does_not_open() {
    let pod = Pod::new("zk-1");
    let advertised = "--advertised_client_address=zk-{ordinal}.example.org:32181";
    pod.start(&["--servers=2", "--observers=1", advertised]).started();
    let text = pod.read("conf/zoo.cfg").expect("written");
    assert!(text.contains("\nadvertisedClientAddress.enabled=true\n"), "{text}");
    assert!(text.contains("\nclientPort=2181\n"), "{text}");
    for ending in [":3888;zk-1.example.org:32181\n", ":3888:observer;zk-2.example.org:32181\n"] {
        assert!(text.contains(ending), "{text}");
    }
    pod.start(&["--servers=3", "--advertised_client_address=a:1,b:2"])
        .refused(2, &["--advertised_client_address=a:1,b:2: these are 2 addresses for 3 members: give host:port with {ordinal} in it"]);
    pod.start(&[advertised]).refused(2, &["--advertised_client_address with --servers=1: "]);
}
