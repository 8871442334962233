//! `zookeeper-metrics`: what `mntr` says goes to standard output, or the exit code is 1.

use crate::fake::{NOT_SERVING, REFUSED, Reply, serve};
use crate::{METRICS, check, run};

#[test]
fn metrics_are_printed_as_they_came() {
    fn metrics(word: &str) -> Reply {
        assert_eq!(word, "mntr");
        Reply::Text("zk_version\t3.9.5\nzk_znode_count\t5\n")
    }
    let output = run(METRICS, &[&serve(metrics)]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, b"zk_version\t3.9.5\nzk_znode_count\t5\n");
    assert!(output.stderr.is_empty());
}

#[test]
fn no_metrics_is_exit_code_1() {
    fn refuses(_: &str) -> Reply {
        Reply::Text("mntr is not executed because it is not in the whitelist.\n")
    }
    fn elects(_: &str) -> Reply {
        NOT_SERVING
    }
    fn odd(_: &str) -> Reply {
        Reply::Text("hello")
    }
    check(METRICS, &[&serve(refuses)], Err("add it to 4lw.commands.whitelist"));
    check(METRICS, &[&serve(elects)], Err("not serving"));
    check(METRICS, &[&serve(odd)], Err("unexpected answer to mntr: hello"));
    check(METRICS, &[REFUSED], Err("cannot connect"));
}
