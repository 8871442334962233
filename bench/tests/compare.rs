//! The comparison runs from end to end and speaks JSON. How fast anything is, is not tested.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn a_quick_comparison_has_the_control_and_our_server_if_it_is_built() {
    let bench = Path::new(env!("CARGO_BIN_EXE_bench"));
    let ours = bench.with_file_name("zookeeper-server");
    let output = Command::new(bench)
        .args(["compare", "--quick", "--json", "--no-java", "--only", "get 50x32", "--ours"])
        .arg(&ours)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let figures = report["figures"].as_array().unwrap();
    let throughput = figures
        .iter()
        .find(|figure| figure["workload"] == "get 50x32" && figure["figure"] == "throughput")
        .unwrap();
    assert!(throughput["control"]["median"].as_f64().unwrap() > 0.0, "{throughput}");
    if !ours.exists() {
        let notes = report["notes"].to_string();
        assert!(notes.contains("did not start"), "{notes}");
    }
}
