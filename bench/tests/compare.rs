//! The comparison runs from end to end and speaks JSON. How fast anything is, is not tested.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The report on our server alone, and whether that is built.
fn compare(arguments: &[&str]) -> (Value, bool) {
    let bench = Path::new(env!("CARGO_BIN_EXE_bench"));
    let ours = bench.with_file_name("zookeeper-server");
    let output = Command::new(bench)
        .args(["compare", "--quick", "--json", "--no-java", "--ours"])
        .arg(&ours)
        .args(arguments)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    (report, ours.exists())
}

/// The median of a figure in a column; `None` if it was not measured.
fn median(report: &Value, workload: &str, figure: &str, column: &str) -> Option<f64> {
    let figures = report["figures"].as_array().expect("a report has figures");
    let found = figures.iter().find(|f| f["workload"] == workload && f["figure"] == figure);
    found.and_then(|found| found[column]["median"].as_f64())
}

#[test]
fn a_quick_comparison_has_the_control_and_our_server_if_it_is_built() {
    let (report, is_built) = compare(&["--only", "get 50x32"]);
    let control = median(&report, "get 50x32", "throughput", "control");
    assert!(control.is_some_and(|rate| rate > 0.0), "{report}");
    if !is_built {
        let notes = report["notes"].to_string();
        assert!(notes.contains("did not start"), "{notes}");
    }
}

#[test]
fn an_ensemble_fails_over_if_our_server_is_built() {
    let (report, is_built) = compare(&["--ensemble", "--only", "leader killed"]);
    let workload = "leader killed (kill -9)";
    let first = median(&report, workload, "first write", "ours");
    let both = median(&report, workload, "first writes of both clients", "ours");
    assert_eq!((first.is_some(), both.is_some()), (is_built, is_built), "{report}");
    assert!(first <= both, "{report}");
}
