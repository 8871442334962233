//! The container's limit of memory against what the server is going to need.
//!
//! A server that the kernel kills says nothing; this is said before it starts. Where the limit may be enough,
//! nothing is refused.
//!
//! Measured: an empty server serves within 2 MB, and a tree in memory is as large as its snapshot that is not
//! compressed, for znodes of 100 and of 2000 bytes.

use std::fs;
use std::path::Path;

use crate::data_files::{Kind, newest};
use crate::problem::Problem;

/// What counts for the memory of a start.
#[derive(Clone, Copy, Debug)]
struct Demand {
    limit: u64,
    /// The size of the newest snapshot, or 0.
    snapshot: u64,
}

/// Why the server cannot live within the limit.
pub(crate) fn problem(data_dir: &Path) -> Option<Problem> {
    let demand = Demand::of(data_dir).filter(|demand| demand.limit < demand.least())?;
    let (limit, least) = (shown(demand.limit), shown(demand.least()));
    Some(Problem::Memory { limit, least, snapshot: shown(demand.snapshot) })
}

/// What a limit that may be too small is worth saying.
pub(crate) fn caution(data_dir: &Path) -> Option<String> {
    let demand = Demand::of(data_dir)?;
    let is_tight = demand.limit >= demand.least() && demand.limit < demand.ample();
    is_tight.then(|| {
        format!(
            "the container's memory limit of {} is tight: the newest snapshot has {}, so give it {}",
            shown(demand.limit),
            shown(demand.snapshot),
            shown(demand.ample())
        )
    })
}

impl Demand {
    /// `None` without a limit.
    fn of(data_dir: &Path) -> Option<Self> {
        let limits = FILES.iter().filter_map(|file| limit(&fs::read_to_string(file).ok()?));
        let snapshot = newest(data_dir, Kind::Snapshot).map_or(0, |file| file.size);
        Some(Self { limit: limits.min()?, snapshot })
    }

    /// Below that it ends for certain. Long names make a snapshot larger than the tree.
    fn least(self) -> u64 {
        LEAST + self.snapshot / 2
    }

    /// The tree twice: it grows, and connections and writes on the way have their share.
    fn ample(self) -> u64 {
        AMPLE + self.snapshot.saturating_mul(2)
    }
}

/// What a file of the kernel says, if that is a limit.
fn limit(text: &str) -> Option<u64> {
    // `max` of cgroup v2, and what v1 says in its place.
    text.trim().parse().ok().filter(|limit| *limit < UNLIMITED)
}

fn shown(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

/// Version 2 and version 1, as a container sees its own.
const FILES: [&str; 2] =
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
const LEAST: u64 = 4_000_000;
const AMPLE: u64 = 32_000_000;
const UNLIMITED: u64 = 1 << 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_none_in_either_version() {
        assert_eq!(limit("512000000\n"), Some(512_000_000));
        assert_eq!(limit("max\n"), None);
        assert_eq!(limit("9223372036854771712\n"), None);
        assert_eq!(limit(""), None);
    }

    #[test]
    fn what_is_needed_grows_with_the_snapshot() {
        let of = |snapshot| Demand { limit: 0, snapshot };
        assert_eq!((of(0).least(), of(0).ample()), (LEAST, AMPLE));
        assert_eq!(of(100_000_000).least(), 54_000_000);
        assert_eq!(of(100_000_000).ample(), 232_000_000);
    }
}
