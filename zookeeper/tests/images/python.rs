//! Checkers and a client that come from Python's registry, in an environment of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::tools::{output, run, skip};

/// A program of the environment, or `None` after saying why the test is skipped.
pub(crate) fn program(name: &str) -> Option<Command> {
    static BIN: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match BIN.get_or_init(prepare) {
        Ok(bin) => Some(Command::new(bin.join(name))),
        Err(why) => {
            skip(why);
            None
        }
    }
}

/// The objects of a YAML text.
pub(crate) fn objects(yaml: &str) -> Option<Vec<serde_json::Value>> {
    let script = "import json, sys, yaml\n\
                  print(json.dumps([o for o in yaml.safe_load_all(sys.argv[1]) if o]))";
    let json = run(program("python3")?.args(["-c", script, yaml]));
    Some(serde_json::from_str(&json).expect("Python prints JSON"))
}

/// Made once for each build folder and list of versions.
fn prepare() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("images-venv");
    let (bin, installed) = (folder.join("bin"), folder.join("installed.txt"));
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == VERSIONS) {
        return Ok(bin);
    }
    let venv = output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    if !venv.status.success() {
        return Err("python3 makes no environment (Debian: python3-venv)".to_owned());
    }
    let list = folder.join("requirements.txt");
    fs::write(&list, VERSIONS).expect("the build folder is writable");
    let mut pip = Command::new(bin.join("python3"));
    let pip = output(pip.args(["-m", "pip", "install", "--quiet", "-r"]).arg(&list));
    if !pip.status.success() {
        return Err(format!("pip installs nothing: {}", String::from_utf8_lossy(&pip.stderr)));
    }
    fs::write(&installed, VERSIONS).expect("the build folder is writable");
    Ok(bin)
}

const VERSIONS: &str = include_str!("requirements.txt");
