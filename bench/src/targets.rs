//! What the figures should be: one table.

use std::fmt::Write;

/// What a figure must meet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Condition {
    /// So many times better than Java in the same run.
    TimesJava(f64),
    /// At least this part of the control.
    ShareOfControl(f64),
    /// Ours is no more than this, in the figure's unit.
    AtMost(f64),
}

impl Condition {
    pub(crate) fn text(self) -> String {
        let mut text = String::new();
        match self {
            Self::TimesJava(least) => write!(text, ">= {least}x"),
            Self::ShareOfControl(least) => write!(text, ">= {:.0} % of control", least * 100.0),
            Self::AtMost(most) => write!(text, "<= {most}"),
        }
        .expect("a string takes every text");
        text
    }
}

/// The targets of a workload's figure.
pub(crate) fn of(workload: &str, figure: &str) -> impl Iterator<Item = Condition> {
    TARGETS.iter().filter(move |row| row.0 == workload && row.1 == figure).map(|row| row.2)
}

const TARGETS: &[(&str, &str, Condition)] = &[
    ("get 50x1", "per CPU-second", Condition::TimesJava(2.5)),
    ("get 50x1", "per CPU-second", Condition::ShareOfControl(0.85)),
    ("get 50x32", "throughput", Condition::TimesJava(10.0)),
    ("set durable 1x1", "throughput", Condition::TimesJava(2.0)),
    ("set durable 50x1", "throughput", Condition::TimesJava(3.5)),
    ("set durable 200x32", "throughput", Condition::TimesJava(6.0)),
    ("memory", "RSS per znode, loaded", Condition::AtMost(200.0)),
    ("memory", "RSS per znode, restarted", Condition::AtMost(200.0)),
    ("cold start", "first session", Condition::AtMost(15.0)),
    ("cold start", "idle RSS", Condition::AtMost(6.0)),
    ("start with znodes", "first session", Condition::AtMost(700.0)),
    ("snapshot under load", "longest stall added", Condition::AtMost(1.0)),
    ("set 1x1 via a follower", "p50", Condition::TimesJava(3.0)),
    ("set 200x32 over all members", "throughput", Condition::TimesJava(4.0)),
    ("leader killed (kill -9)", "first write", Condition::AtMost(60.0)),
    ("leader killed (kill -9)", "first writes of both clients", Condition::AtMost(60.0)),
    ("leader stopped (SIGTERM)", "first write", Condition::AtMost(30.0)),
    ("leader stopped (SIGTERM)", "first writes of both clients", Condition::AtMost(30.0)),
    ("leader stopped (SIGTERM)", "failed writes", Condition::AtMost(0.0)),
    ("boot of three empty members", "first write", Condition::AtMost(150.0)),
    ("rejoin by DIFF, 100 k txns", "serves", Condition::AtMost(300.0)),
    ("rejoin by SNAP, 1 M znodes", "serves", Condition::AtMost(1500.0)),
];
