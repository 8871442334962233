//! How many files the process has open, and how many it may have. Linux only; elsewhere both are -1.

use std::fs;

/// Open descriptors and their limit; -1 where the system does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptors {
    pub(crate) open: i64,
    pub(crate) limit: i64,
}

impl Descriptors {
    /// Asks the system.
    pub(crate) fn now() -> Self {
        // The folder itself is open while it is read.
        let open = fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() - 1);
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        Self {
            open: open.and_then(|count| i64::try_from(count).ok()).unwrap_or(-1),
            limit: limit(&limits).unwrap_or(-1),
        }
    }
}

/// The soft limit in the text of `/proc/<pid>/limits`.
fn limit(limits: &str) -> Option<i64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(i64::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_of_open_files_is_read() {
        let check = |line: &str, limit_found| assert_eq!(limit(line), limit_found);
        check(
            "Max stack size  1 2 bytes\nMax open files            1024      4096   files\n",
            Some(1024),
        );
        check("Max open files            unlimited  unlimited  files", Some(i64::MAX));
        check("", None);
    }
}
