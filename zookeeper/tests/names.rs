//! The one binary answers to each of its names, by a link and by its first argument.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

const BINARY: &str = env!("CARGO_BIN_EXE_zookeeper");

const NAMES: &[&str] =
    &["start-zookeeper", "zookeeper-metrics", "zookeeper-ready", "zookeeper-server"];

fn run(program: &Path, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().expect("the binary starts")
}

#[test]
fn a_link_and_the_first_argument_name_the_same_program() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for name in NAMES {
        let link = folder.path().join(name);
        symlink(BINARY, &link).expect("linked");
        let expected = format!("{name} {}\n", env!("CARGO_PKG_VERSION"));
        for output in [run(&link, &["--version"]), run(Path::new(BINARY), &[name, "--version"])] {
            assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
            assert!(output.status.success());
        }
    }
}

#[test]
fn a_program_gets_its_own_arguments_and_its_exit_code_comes_back() {
    let output = run(Path::new(BINARY), &["zookeeper-ready", "--mode=nonsense"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("nonsense"), "{stderr}");
}

#[test]
fn an_unknown_name_says_which_there_are() {
    for arguments in [&[][..], &["zookeeper-serve"]] {
        let output = run(Path::new(BINARY), arguments);
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8_lossy(&output.stderr);
        for name in NAMES {
            assert!(stderr.contains(name), "{stderr}\nlacks {name}");
        }
    }
}
