//! What the server measures, under the names that dashboards know, and the texts that `mntr` and Prometheus get.
//!
//! The core counts what clients do; [`Counts`] is what the shell adds: disk, start, refusals.
//! Nothing here changes anything but the counters' own reset.
//!
//! Java: `ServerMetrics`, `MonitorCommand`, `DefaultMetricsProvider`.

mod descriptors;
pub(crate) mod endpoint;
mod number;
mod prometheus;
mod table;
#[cfg(test)]
mod tests;

use zk_core::{Distribution, Members, Now, Peer, Reign, Summary};
use zk_wire::ServerId;

pub(crate) use descriptors::Descriptors;
pub(crate) use number::{double, mean};
pub(crate) use table::{node_count, proposal_sizes};

use number::to_f64;
use table::METRICS;

use crate::shell::Shell;

/// What the shell counts since start or the last `srst`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Flushes of the txn log, in ms.
    pub(crate) flushes: Distribution,
    /// Flushes above `fsync.warningthresholdms`.
    pub(crate) slow_flushes: u64,
    /// Txns a flush.
    pub(crate) batches: Summary,
    /// Snapshots that were taken, in ms.
    pub(crate) snapshots: Summary,
    /// Loading the files at start, in ms.
    pub(crate) loading: Summary,
    /// Txns that were replayed at start.
    pub(crate) replayed: Summary,
    /// Requests refused for `largeRequestMaxBytes`.
    pub(crate) large_rejected: u64,
}

/// Everything that metrics are drawn from, at one moment.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) peer: &'a Peer,
    pub(crate) counts: &'a Counts,
    /// Open client connections.
    pub(crate) connections: u32,
    /// For how long it is what it is.
    pub(crate) uptime_ms: u64,
    pub(crate) descriptors: Descriptors,
    /// What only a leader knows.
    pub(crate) reign: Option<Reign>,
    /// A leader's learners.
    pub(crate) learners: Vec<LearnerQueue>,
}

impl<'a> Facts<'a> {
    /// What holds now; the core has counted together what it has before.
    pub(crate) fn of(shell: &'a Shell, now: Now) -> Self {
        let reign = shell.peer.reign(now.mono);
        let uptime_ms = shell.peer.role_age_ms(now.mono);
        Self {
            peer: &shell.peer,
            counts: &shell.counts,
            connections: shell.open_count(),
            uptime_ms: uptime_ms.unwrap_or_else(|| crate::clock::millis(shell.started.elapsed())),
            descriptors: Descriptors::now(),
            learners: reign.as_ref().map(|reign| queues(shell, reign)).unwrap_or_default(),
            reign,
        }
    }
}

/// How many packets wait to be sent to each learner that said who it is.
fn queues(shell: &Shell, reign: &Reign) -> Vec<LearnerQueue> {
    let Some(ensemble) = &shell.ensemble else { return Vec::new() };
    let links = ensemble.links();
    let known = reign.learners.iter().filter_map(|learner| Some((learner.id?, learner.link)));
    known.map(|(id, link)| LearnerQueue { id, packets: links.queue_len(link) }).collect()
}

/// What waits to be sent to a learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LearnerQueue {
    pub(crate) id: ServerId,
    pub(crate) packets: usize,
}

/// Where a metric comes from, and so what kind it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// A level that goes up and down.
    Gauge(fn(&Facts<'_>) -> i64),
    /// A level with a fraction.
    Ratio(fn(&Facts<'_>) -> f64),
    /// A number that only grows.
    Counter(fn(&Facts<'_>) -> u64),
    /// A summary without percentiles.
    Basic(fn(&Facts<'_>) -> Summary),
    /// A summary with percentiles.
    Advanced(for<'a> fn(&'a Facts<'_>) -> &'a Distribution),
    /// A counter of a part of Java's server that this one has not.
    NoCounter,
    /// A summary of a part that this server has not.
    NoBasic,
    /// A summary with percentiles of a part that this server has not.
    NoAdvanced,
    /// A level that a member of an ensemble has.
    Member(fn(&Members) -> i64),
    /// A level that a leader has.
    Leader(fn(&Facts<'_>, &Reign) -> i64),
    /// A summary without percentiles that a leader has of each learner.
    Learner(fn(LearnerQueue) -> Summary),
    /// A summary with percentiles of a part of Java's leader that this one has not.
    NoLearner,
}

/// All metrics as `mntr` writes them, a line each.
pub(crate) fn lines(facts: &Facts<'_>) -> String {
    let mut text = String::new();
    for (name, source) in METRICS {
        match source {
            Source::Gauge(of) => level(&mut text, name, of(facts)),
            Source::Ratio(of) => text += &format!("zk_{name}\t{}\n", double(of(facts))),
            Source::Counter(of) => text += &format!("zk_{name}\t{}\n", of(facts)),
            Source::NoCounter => text += &format!("zk_{name}\t0\n"),
            Source::Member(of) => {
                if let Some(members) = facts.peer.members() {
                    level(&mut text, name, of(members));
                }
            }
            Source::Leader(of) => {
                if let Some(reign) = &facts.reign {
                    level(&mut text, name, of(facts, reign));
                }
            }
            Source::Learner(of) => {
                for learner in &facts.learners {
                    basic(&mut text, &format!("{}_{name}", learner.id), of(*learner));
                }
            }
            Source::NoLearner => {
                for LearnerQueue { id, .. } in &facts.learners {
                    advanced(&mut text, &format!("{id}_{name}"), &Distribution::default());
                }
            }
            Source::Basic(of) => basic(&mut text, name, of(facts)),
            Source::NoBasic => basic(&mut text, name, Summary::default()),
            Source::Advanced(of) => advanced(&mut text, name, of(facts)),
            Source::NoAdvanced => advanced(&mut text, name, &Distribution::default()),
        }
    }
    text
}

fn level(text: &mut String, name: &str, level: i64) {
    *text += &format!("zk_{name}\t{level}\n");
}

fn basic(text: &mut String, name: &str, summary: Summary) {
    let Summary { min, max, total, count, .. } = summary;
    *text += &format!(
        "zk_avg_{name}\t{}\nzk_min_{name}\t{min}\nzk_max_{name}\t{max}\nzk_cnt_{name}\t{count}\n\
         zk_sum_{name}\t{total}\n",
        double(mean(summary))
    );
}

fn advanced(text: &mut String, name: &str, distribution: &Distribution) {
    basic(text, name, distribution.summary());
    for (label, permille) in [("p50", 500), ("p95", 950), ("p99", 990), ("p999", 999)] {
        *text += &format!("zk_{label}_{name}\t{}\n", distribution.permille(permille));
    }
}
