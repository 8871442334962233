//! The metrics in Prometheus' text format, under the names of Java's provider: no prefix, no `_total`.
//!
//! Pure: from facts to text. Quantiles are of all samples since the start or `srst`, Java's of the last ten minutes.
//!
//! Wire: exposition format 0.0.4. Java: `PrometheusMetricsProvider`.

use zk_core::{Distribution, Summary};

use super::{Facts, Source, double, to_f64};
use crate::metrics::table::METRICS;

/// What the format is called in HTTP.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All families, or those with one of the names.
pub(super) fn text(facts: &Facts<'_>, names: &[String]) -> String {
    let mut text = String::new();
    for (name, source) in METRICS {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            family(&mut text, name, source, facts);
        }
    }
    text
}

fn family(text: &mut String, name: &str, source: &Source, facts: &Facts<'_>) {
    match source {
        Source::Gauge(of) => level(text, name, of(facts)),
        Source::Ratio(of) => {
            head(text, name, "gauge");
            *text += &format!("{name} {}\n", double(of(facts)));
        }
        Source::Counter(of) => counter(text, name, of(facts)),
        Source::NoCounter => counter(text, name, 0),
        Source::Member(of) => {
            if let Some(members) = facts.peer.members() {
                level(text, name, of(members));
            }
        }
        Source::Leader(of) => {
            if let Some(reign) = &facts.reign {
                level(text, name, of(facts, reign));
            }
        }
        Source::Basic(of) => basic(text, name, of(facts)),
        Source::NoBasic => basic(text, name, Summary::default()),
        Source::Advanced(of) => advanced(text, name, of(facts)),
        Source::NoAdvanced => advanced(text, name, &Distribution::default()),
        Source::Learner(of) => {
            head(text, name, "summary");
            for learner in &facts.learners {
                let summary = of(*learner);
                let key = format!("key=\"{}\",", learner.id);
                quantile(text, name, &key, "0.5", summary.count, summary.last);
                totals(text, name, &format!("{{{key}}}"), summary);
            }
        }
        // A set of which no key has a sample.
        Source::NoLearner => head(text, name, "summary"),
    }
}

fn head(text: &mut String, name: &str, kind: &str) {
    *text += &format!("# HELP {name} {name}\n# TYPE {name} {kind}\n");
}

fn level(text: &mut String, name: &str, level: i64) {
    head(text, name, "gauge");
    let size = to_f64(level.unsigned_abs());
    *text += &format!("{name} {}\n", double(if level < 0 { -size } else { size }));
}

fn counter(text: &mut String, name: &str, count: u64) {
    head(text, name, "counter");
    *text += &format!("{name} {}\n", double(to_f64(count)));
}

/// Of a summary without percentiles its last sample stands for the middle one.
fn basic(text: &mut String, name: &str, summary: Summary) {
    head(text, name, "summary");
    quantile(text, name, "", "0.5", summary.count, summary.last);
    totals(text, name, "", summary);
}

fn advanced(text: &mut String, name: &str, distribution: &Distribution) {
    head(text, name, "summary");
    let summary = distribution.summary();
    for (label, permille) in [("0.5", 500), ("0.9", 900), ("0.99", 990)] {
        quantile(text, name, "", label, summary.count, distribution.permille(permille));
    }
    totals(text, name, "", summary);
}

fn quantile(text: &mut String, name: &str, key: &str, quantile: &str, count: u64, value: u64) {
    let value = if count == 0 { f64::NAN } else { to_f64(value) };
    *text += &format!("{name}{{{key}quantile=\"{quantile}\",}} {}\n", double(value));
}

fn totals(text: &mut String, name: &str, labels: &str, summary: Summary) {
    let (count, total) = (double(to_f64(summary.count)), double(to_f64(summary.total)));
    *text += &format!("{name}_count{labels} {count}\n{name}_sum{labels} {total}\n");
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_family_is_written_as_javas_provider_writes_it() {
        let mut distribution = Distribution::default();
        for value in [0, 1, 4] {
            distribution.add(value);
        }
        let mut text = String::new();
        level(&mut text, "znode_count", 5);
        level(&mut text, "last_client_response_size", -1);
        counter(&mut text, "bytes_received_count", 10_000_000);
        advanced(&mut text, "readlatency", &distribution);
        basic(&mut text, "snapshottime", Summary::default());
        expect![[r#"
            # HELP znode_count znode_count
            # TYPE znode_count gauge
            znode_count 5.0
            # HELP last_client_response_size last_client_response_size
            # TYPE last_client_response_size gauge
            last_client_response_size -1.0
            # HELP bytes_received_count bytes_received_count
            # TYPE bytes_received_count counter
            bytes_received_count 1.0E7
            # HELP readlatency readlatency
            # TYPE readlatency summary
            readlatency{quantile="0.5",} 1.0
            readlatency{quantile="0.9",} 4.0
            readlatency{quantile="0.99",} 4.0
            readlatency_count 3.0
            readlatency_sum 5.0
            # HELP snapshottime snapshottime
            # TYPE snapshottime summary
            snapshottime{quantile="0.5",} NaN
            snapshottime_count 0.0
            snapshottime_sum 0.0
        "#]]
        .assert_eq(&text);
    }
}
