//! The real binaries against servers that answer, refuse, stall, lie and break off, and against
//! Java where it is installed.

mod ensemble;
mod fake;
mod java;
mod metrics;
mod ready;

use std::process::{Command, Output};

const READY: &str = env!("CARGO_BIN_EXE_zookeeper-ready");
const METRICS: &str = env!("CARGO_BIN_EXE_zookeeper-metrics");

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().expect("the binary starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("messages are UTF-8")
}

/// Success prints nothing; failure is exit code 1 and one line that contains `why`.
fn check(program: &str, arguments: &[&str], expected: Result<(), &str>) {
    let output = run(program, arguments);
    let message = stderr(&output);
    match expected {
        Ok(()) => {
            assert_eq!(output.status.code(), Some(0), "{arguments:?}: {message}");
            assert_eq!(message, "", "{arguments:?}");
        }
        Err(why) => {
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
            assert!(output.stdout.is_empty(), "{arguments:?}");
            assert!(message.contains(why), "{arguments:?}: {message:?} lacks {why:?}");
            assert_eq!(message.lines().count(), 1, "{arguments:?}: {message:?}");
        }
    }
}
