//! The tools of the interop tests: which are missing here, and the Debian packages that bring them.
//!
//! The tables are the tests' own (`tools.txt` beside them), so that no tool stands anywhere twice.
//!
//! Invariants
//! - Installs only when told to, and only as root; otherwise prints the command that would.
//! - A machine that lacks a tool still runs everything else.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

/// Installs what is missing if it may, and gives back the tools that stay missing.
pub(crate) fn provide(may_install: bool) -> anyhow::Result<Vec<&'static str>> {
    let missing = missing();
    if missing.is_empty() {
        println!("==> tools: everything that the interop tests use is installed");
        return Ok(Vec::new());
    }
    let packages = packages(&missing);
    let names: Vec<_> = missing.iter().map(|tool| tool.name).collect();
    println!("==> tools: missing here: {}", names.join(", "));
    if !may_install || !is_root() {
        println!("    tests that need them are skipped; as root on Debian this installs them:");
        println!("    cargo xtask test --install   (apt-get install {})", packages.join(" "));
        return Ok(names);
    }
    apt_get(&["update"])?;
    apt_get(&[&["install", "--yes", "--no-install-recommends"], packages.as_slice()].concat())?;
    Ok(self::missing().iter().map(|tool| tool.name).collect())
}

/// A process's own folder in `/proc` belongs to its effective user.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[derive(Debug, PartialEq)]
struct Tool {
    name: &'static str,
    proof: &'static str,
    packages: Vec<&'static str>,
}

impl Tool {
    fn is_installed(&self) -> bool {
        if self.proof.starts_with('/') {
            return Path::new(self.proof).exists();
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(self.proof).is_file())
    }
}

fn missing() -> Vec<Tool> {
    TABLES.iter().flat_map(|table| tools(table)).filter(|tool| !tool.is_installed()).collect()
}

fn tools(table: &'static str) -> impl Iterator<Item = Tool> {
    table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut words = line.split_whitespace();
        Some(Tool { name: words.next()?, proof: words.next()?, packages: words.collect() })
    })
}

fn packages(tools: &[Tool]) -> Vec<&'static str> {
    let mut packages: Vec<_> = tools.iter().flat_map(|tool| tool.packages.clone()).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

fn apt_get(arguments: &[&str]) -> anyhow::Result<()> {
    println!("==> tools: apt-get {}", arguments.join(" "));
    let status = Command::new("apt-get")
        // A machine that has just come up may still be installing updates.
        .args(["--quiet", "-o", "DPkg::Lock::Timeout=300"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()
        .context("apt-get did not start: install the missing packages by hand")?;
    if !status.success() {
        bail!("apt-get {} failed with {status}", arguments.join(" "));
    }
    Ok(())
}

const TABLES: &[&str] = &[
    include_str!("../../server/tests/it/tools.txt"),
    include_str!("../../zookeeper/tests/images/tools.txt"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_names_a_tool_its_proof_and_its_packages() {
        let table = "# comment\n\ngo  go  golang-go\njar /usr/x.jar liba libb\n";
        let jar = Tool { name: "jar", proof: "/usr/x.jar", packages: vec!["liba", "libb"] };
        let go = Tool { name: "go", proof: "go", packages: vec!["golang-go"] };
        assert_eq!(tools(table).collect::<Vec<_>>(), [go, jar]);
    }

    #[test]
    fn every_tool_has_a_package() {
        let all = || TABLES.iter().flat_map(|table| tools(table));
        let without: Vec<_> = all().filter(|tool| tool.packages.is_empty()).collect();
        assert_eq!(without, []);
        assert!(all().count() > 5);
    }

    #[test]
    fn a_package_that_two_tools_need_is_installed_once() {
        let table = "java java jdk\njavac javac jdk\ngo go golang-go\n";
        assert_eq!(packages(&tools(table).collect::<Vec<_>>()), ["golang-go", "jdk"]);
    }
}
