//! `zkCleanup.sh` on the files of a server that has run: what Java's would remove, and its errors.

mod process;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use process::{Server, free_ports, is_done, run, text};

/// A folder with zoo.cfg and the data.
struct Site(tempfile::TempDir);

impl Site {
    /// Each start that finds txns leaves a snapshot.
    fn with_snapshots(count: usize) -> Self {
        let site = Self(tempfile::tempdir().expect("a scratch folder"));
        let [port] = free_ports();
        let path = |name: &str| site.0.path().join(name).display().to_string();
        let text = format!(
            "dataDir={}\ndataLogDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\n\
             admin.enableServer=false\n",
            path("data"),
            path("log")
        );
        fs::write(path("zoo.cfg"), text).expect("ours");
        for n in 0..count {
            let log = File::create(path("out")).expect("ours");
            let server = Server::start(&[], Path::new(&path("zoo.cfg")), log);
            let create = format!("/n{n}");
            let deadline = Instant::now() + LIMIT;
            while !is_done(port, &["create", &create]) {
                assert!(Instant::now() < deadline, "the server does not serve");
                thread::yield_now();
            }
            drop(server);
        }
        site
    }

    fn clean(&self, words: &[&str]) -> Output {
        run(&[&["zkCleanup.sh"], words].concat(), self.0.path())
    }

    fn names(&self) -> Vec<String> {
        let files = ["data", "log"].into_iter().flat_map(|folder| {
            let entries = fs::read_dir(self.0.path().join(folder).join("version-2"));
            entries.expect("it is there").map(|entry| entry.expect("listed").file_name())
        });
        let names = files.map(|name| name.to_string_lossy().into_owned());
        let mut names: Vec<_> = names.filter(|name| name.contains('.')).collect();
        names.sort();
        names
    }
}

/// The names, as a sorted list, of the files that lines speak of.
fn removed(output: &str) -> Vec<String> {
    let names = output.lines().map(|line| {
        let (time, path) = line.split_once('\t').expect("a tab stands before the path");
        assert!(time.starts_with("Removing file: "), "{line}");
        assert!(time.ends_with("AM") || time.ends_with("PM"), "{line}");
        Path::new(path).file_name().expect("a file").to_string_lossy().into_owned()
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn what_javas_would_remove_is_removed_and_nothing_is_left_to_do() {
    let site = Site::with_snapshots(6);
    let before = site.names();
    let by_java = java_on_a_copy(&site);
    let output = site.clean(&["-n", "3"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let gone = removed(&text(&output.stdout));
    let after = site.names();
    assert!(gone.iter().any(|name| name.starts_with("snapshot.")), "{gone:?} of {before:?}");
    assert!(gone.iter().any(|name| name.starts_with("log.")), "{gone:?} of {before:?}");
    assert_eq!(after.len() + gone.len(), before.len());
    assert!(gone.iter().all(|name| before.contains(name) && !after.contains(name)));
    if let Some(by_java) = by_java {
        assert_eq!(gone, by_java);
    }
    let again = site.clean(&["-n", "3"]);
    assert_eq!((again.status.code(), text(&again.stdout)), (Some(0), String::new()));
}

/// `None`, said aloud, without Java.
fn java_on_a_copy(site: &Site) -> Option<Vec<String>> {
    if CLASS_PATH.split(':').any(|jar| !Path::new(jar).exists()) {
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "CI has Java's jars");
        eprintln!("skipped: no Java to compare with (Debian: libzookeeper-java)");
        return None;
    }
    let copy = tempfile::tempdir().expect("a scratch folder");
    for folder in ["data", "log"] {
        let from = site.0.path().join(folder);
        let copied = Command::new("cp").arg("-r").arg(from).arg(copy.path()).status();
        assert!(copied.expect("cp starts").success());
    }
    let mut java = Command::new("java");
    java.args(["-cp", CLASS_PATH, "org.apache.zookeeper.server.PurgeTxnLog"]);
    java.args([copy.path().join("log"), copy.path().join("data")]).args(["-n", "3"]);
    let output = java.output().expect("Java starts");
    assert!(output.status.success(), "{}", text(&output.stderr));
    Some(removed(&text(&output.stdout)))
}

#[test]
fn what_is_wrong_is_said_as_java_says_it() {
    let site = Site::with_snapshots(1);
    for (words, why) in [
        (&["-n", "2"][..], "count should be greater than or equal to 3\n"),
        (&["-n", "x"], "'x' can not be parsed to integer.\n"),
        (&["-m", "3"], ""),
        (&[], ""),
    ] {
        let output = site.clean(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert_eq!(text(&output.stderr), why, "{words:?}");
        assert!(text(&output.stdout).starts_with("Usage:\nPurgeTxnLog dataLogDir "), "{words:?}");
    }
    fs::remove_dir_all(site.0.path().join("log")).expect("ours");
    let output = site.clean(&["-n", "3"]);
    let expected = format!("Path '{}' does not exist. \n", site.0.path().join("log").display());
    assert_eq!(text(&output.stderr), expected);
    fs::remove_file(site.0.path().join("zoo.cfg")).expect("ours");
    let output = site.clean(&["-n", "3"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("zkCleanup.sh: "), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
}

const CLASS_PATH: &str = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";
const LIMIT: Duration = Duration::from_secs(60);
