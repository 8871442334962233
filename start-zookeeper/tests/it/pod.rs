//! One container: its hosts file, resolv.conf, volume, and a server that tells what it was given.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_start-zookeeper");

/// What the exit code of the server is, to be told from those of start-zookeeper.
pub(crate) const SERVER_EXIT_CODE: i32 = 77;

pub(crate) struct Pod {
    folder: TempDir,
    hostname: String,
}

/// How a run ended.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Pod {
    pub(crate) fn new(hostname: &str) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let pod = Self { folder, hostname: hostname.to_owned() };
        // Others may pass: some tests drop root's rights.
        fs::set_permissions(pod.folder.path(), Permissions::from_mode(0o755)).expect("ours");
        let domain = "zk-hs.default.svc.cluster.local";
        let hosts: String =
            (0..5).map(|n| format!("10.1.0.{n}\tzk-{n}.{domain}\tzk-{n}\n")).collect();
        pod.write("hosts", &hosts);
        pod.write("resolv.conf", "search default.svc.cluster.local\n");
        pod.write_script(
            "zookeeper-server",
            &format!(
                "#!/bin/sh\necho \"pid $$\"\nfor word in \"$@\"; do echo \"$word\"; done\n\
                 exit {SERVER_EXIT_CODE}\n"
            ),
        );
        pod
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
        fs::write(path, content).expect("written");
    }

    pub(crate) fn write_script(&self, name: &str, content: &str) {
        let text = format!("{name}.txt");
        self.write(&text, content);
        self.install(&self.path(&text), name);
    }

    /// Puts a program there. By another process: a file that this one has open for writing is
    /// open in every child that a test beside this one forks just then, and cannot be run.
    pub(crate) fn install(&self, program: &Path, name: &str) {
        let status =
            Command::new("install").arg("-m755").arg(program).arg(self.path(name)).status();
        assert!(status.expect("install starts").success());
    }

    pub(crate) fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)).ok()
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).expect("exists").permissions().mode() & 0o777
    }

    /// The command with this pod's files and folders; later flags beat these.
    pub(crate) fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        let flag = |flag: &str, name: &str| format!("{flag}={}", self.path(name).display());
        command
            .arg(format!("--hostname={}", self.hostname))
            .args([flag("--hosts_file", "hosts"), flag("--resolv_conf", "resolv.conf")])
            .args([flag("--data_dir", "data"), flag("--data_log_dir", "data/log")])
            .args([flag("--conf_dir", "conf"), flag("--server_bin", "zookeeper-server")])
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Run {
        self.finished(self.command(Path::new(BINARY), arguments).output())
    }

    /// Starts without root's rights, which would open every folder. The tests' own binary may be
    /// where only root looks.
    pub(crate) fn start_unprivileged(&self, arguments: &[&str]) -> Run {
        let binary = self.path("start-zookeeper");
        self.install(Path::new(BINARY), "start-zookeeper");
        let mut command = self.command(&binary, arguments);
        if nix::unistd::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        self.finished(command.output())
    }

    pub(crate) fn finished(&self, output: std::io::Result<Output>) -> Run {
        let output = output.expect("the binary starts");
        let folder = self.folder.path().display().to_string();
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8").replace(&folder, "");
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Run {
    /// The server ran, with its exit code for ours.
    #[track_caller]
    pub(crate) fn started(self) -> Self {
        assert_eq!(self.code, Some(SERVER_EXIT_CODE), "{}", self.stderr);
        self
    }

    /// The arguments that the server got.
    pub(crate) fn arguments(&self) -> Vec<&str> {
        self.stdout.lines().skip(1).collect()
    }

    /// Ended with `code` and with exactly these problems.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, problems: &[&str]) {
        let prefix = "start-zookeeper: ";
        let told: Vec<_> =
            self.stderr.lines().filter_map(|line| line.strip_prefix(prefix)).collect();
        assert_eq!(told.len(), problems.len(), "{}", self.stderr);
        for (told, problem) in told.iter().zip(problems) {
            assert!(told.contains(problem), "{told}\nlacks {problem}");
        }
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        assert_eq!(self.stdout, "", "the server did not run");
    }

    /// A line of the first screen has this in it.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert!(
            self.stderr.lines().any(|line| line.contains(text)),
            "{}\nlacks {text}",
            self.stderr
        );
    }
}

const NOBODY: u32 = 65534;
