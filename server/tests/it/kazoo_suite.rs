//! kazoo's own test-suite, which comes with its package, against servers of ours.
//!
//! `clients/kazoo` has the pytest plugin that puts our servers in the place of kazoo's ensemble, the
//! lists of the tests that cannot run so, with reasons, and the pinned versions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::program::{clients, run};
use crate::server::{Config, Kind};
use crate::tools::{require, skip};
use crate::tree::SUPER;

/// Runs the suite but for what two lists name, `deselected.txt` and this one, on servers with these ports
/// for clients, learners and votes: one stands alone, several are an ensemble.
///
/// # Panics
/// A test fails, or skips itself and is not listed.
pub(crate) fn passes(ports: &[[u16; 3]], deselected: &str) {
    if !require(&["python", "python-venv"]) {
        return;
    }
    let Some(python) = python_with_kazoo() else { return };
    let config = Config::default().property(SUPER);
    let command_line = serde_json::to_string(&Kind::under_test().command_line(&config));
    let mut pytest = Command::new(python);
    pytest.args(["-m", "pytest", "-p", "our_servers", "--pyargs", "kazoo.tests"]);
    pytest.args(["-p", "no:cacheprovider", "--timeout=120", "-q", "-W", "ignore"]);
    pytest.current_dir(env!("CARGO_TARGET_TMPDIR"));
    pytest.envs([("PYTHONPATH", clients("kazoo")), ("PYTHONDONTWRITEBYTECODE", "1".into())]);
    pytest.env("ZK_SERVER_COMMAND", command_line.expect("words are JSON"));
    pytest.env("ZK_SERVER_PORTS", serde_json::to_string(ports).expect("numbers are JSON"));
    pytest.env("ZK_DESELECTED", deselected);
    // kazoo asks these about its own CI.
    pytest.env_remove("CI").env_remove("ZOOKEEPER_VERSION");
    let finished = run(&mut pytest, Duration::from_secs(15 * 60)).or_fail("kazoo's tests");
    let summary = finished.out.lines().rev().find(|line| line.contains(" passed"));
    println!("kazoo: {}", summary.expect("pytest sums up").trim_matches('='));
}

/// The interpreter of a virtual environment that has the pinned kazoo; made once for each build
/// folder and list of versions.
fn python_with_kazoo() -> Option<PathBuf> {
    let versions = clients("kazoo/requirements.txt");
    let wanted = fs::read_to_string(&versions).expect("the versions are in the repository");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kazoo-venv");
    let (python, installed) = (folder.join("bin/python"), folder.join("installed.txt"));
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Some(python);
    }
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(&folder);
    run(&mut venv, Duration::from_secs(120)).or_fail("python3 -m venv");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "-r"]).arg(&versions);
    let finished = run(&mut pip, Duration::from_secs(600));
    if !finished.status.success() {
        skip(&format!("pip installs no kazoo: {}", finished.err));
        return None;
    }
    fs::write(&installed, wanted).expect("the build folder is writable");
    Some(python)
}
