//! What `/proc` says about a process: CPU time and resident memory.
//!
//! Linux only, like the comparison itself.

use std::path::PathBuf;

use nix::unistd::{SysconfVar, sysconf};

use crate::error::Error;

/// User and system time of a process since its start, in seconds, all threads.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64, Error> {
    let (path, text) = read(pid, "stat")?;
    let ticks = cpu_ticks(&text).ok_or(Error::Proc { path, field: "CPU times" })?;
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100);
    Ok(ticks as f64 / per_second as f64)
}

/// Resident memory of a process in bytes.
///
/// From `smaps_rollup`, which walks the pages: the counters in `status` lag by some hundred KB.
pub(crate) fn rss_bytes(pid: u32) -> Result<f64, Error> {
    let (path, text) = read(pid, "smaps_rollup")?;
    let kib = rss_kib(&text).ok_or(Error::Proc { path, field: "Rss" })?;
    Ok(kib as f64 * 1024.0)
}

fn read(pid: u32, file: &str) -> Result<(PathBuf, String), Error> {
    let path = PathBuf::from(format!("/proc/{pid}/{file}"));
    let text = std::fs::read_to_string(&path).map_err(Error::file("read", &path))?;
    Ok((path, text))
}

/// The sum of `utime` and `stime`; the name before them may hold blanks and parentheses.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn rss_kib(smaps_rollup: &str) -> Option<u64> {
    let line = smaps_rollup.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_a_name_with_parentheses() {
        let stat = "42 (a) (b c)) S 1 42 42 0 -1 4194560 1 2 3 4 250 17 5 6 20 0 1 0 7";
        assert_eq!(cpu_ticks(stat), Some(267));
        assert_eq!(cpu_ticks("42 (a"), None);
    }

    #[test]
    fn rss_is_the_line_of_its_name() {
        let text = "5570 ---p 0 00:00 0 [rollup]\nRss:   1234 kB\nPss:  7 kB\n";
        assert_eq!(rss_kib(text), Some(1234));
        assert_eq!(rss_kib("Pss: 7 kB\n"), None);
    }

    #[test]
    fn this_process_has_memory() {
        assert!(rss_bytes(std::process::id()).unwrap() > 0.0);
        assert!(cpu_seconds(std::process::id()).unwrap() >= 0.0);
    }
}
