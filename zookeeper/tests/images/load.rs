//! Somebody who writes to an ensemble all the time, by `load.py`, and afterwards looks for every write that was
//! acknowledged.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use crate::container::Container;
use crate::engine::root;
use crate::python::program;

/// Writes to the ensemble until it is told to end, and looks for all that was acknowledged.
pub(crate) struct Load {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Load {
    /// `before` of an earlier load must be there.
    pub(crate) fn start(pods: &[Container], before: u64) -> Option<Self> {
        let servers = pods.iter().map(|pod| pod.address().expect("it runs").to_string() + ":2181");
        let mut command: Command = program("python3")?;
        command.arg(root().join("zookeeper/tests/images/load.py"));
        command.arg(servers.collect::<Vec<_>>().join(",")).arg(before.to_string());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut load = Self { child, output };
        assert_eq!(load.line(), "ready");
        Some(load)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a pipe can be read");
        line.trim_end().to_owned()
    }

    /// Nothing acknowledged may be missing; gives back how many there are.
    pub(crate) fn finish(mut self) -> u64 {
        self.child.stdin.take().expect("piped").write_all(b"end\n").expect("it reads");
        let line = self.line();
        assert!(self.child.wait().expect("it ends").success(), "{line}");
        let (count, rest) = line.split_once(' ').expect("a count comes first");
        assert_eq!(rest, "acknowledged, 0 missing");
        count.parse().expect("a number")
    }
}
