//! Programs on Curator, compiled against Debian's jars.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::program::{clients, run};
use crate::tools::require;

/// The command that runs `clients/curator/<name>.java`; `None` where it cannot be compiled.
pub(crate) fn command(name: &str) -> Option<Command> {
    if !require(&["java", "javac", "zookeeper-java", "slf4j", "curator"]) {
        return None;
    }
    let classes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("curator").join(name);
    let source = clients("curator").join(name).with_extension("java");
    let mut compile = Command::new("javac");
    compile.args(["-cp", CLASS_PATH, "-d"]).arg(&classes).arg(source);
    run(&mut compile, Duration::from_secs(120)).or_fail("javac");
    let mut command = Command::new("java");
    command.args(["-XX:TieredStopAtLevel=1", "-cp"]);
    command.arg(format!("{CLASS_PATH}:{}", classes.display())).arg(name);
    Some(command)
}

const CLASS_PATH: &str = "/usr/share/java/curator-recipes.jar:/usr/share/java/curator-framework.jar:\
                          /usr/share/java/curator-client.jar:/usr/share/java/guava.jar:\
                          /usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";
