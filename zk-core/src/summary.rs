//! What is kept of many measurements: extremes and sum, and for latencies their distribution.
//!
//! Invariants
//! - Adding allocates nothing and takes constant time.
//! - A percentile is at most 1/16 off, exact below 32, and never outside of minimum and maximum.
//!
//! Java: `AvgMinMaxCounter`, `AvgMinMaxPercentileCounter` (which samples where this counts).

/// Minimum, maximum, sum and count of something measured: ms, bytes, watchers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The smallest; 0 before the first.
    pub min: u64,
    /// The largest.
    pub max: u64,
    /// The last.
    pub last: u64,
    /// The sum.
    pub total: u64,
    /// How many.
    pub count: u64,
}

impl Summary {
    /// One more was measured.
    pub fn add(&mut self, value: u64) {
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = self.max.max(value);
        self.last = value;
        self.total = self.total.saturating_add(value);
        self.count += 1;
    }
}

/// Below this, each value has a bucket of its own.
const EXACT: u64 = 32;
/// Above, each power of two is cut into so many buckets.
const PARTS: u64 = 16;
/// Values from 2^32 on share the last bucket.
const BUCKETS: usize = 464;

/// A summary that also knows percentiles.
#[derive(Clone, Debug)]
pub struct Distribution {
    summary: Summary,
    buckets: [u64; BUCKETS],
}

impl Default for Distribution {
    fn default() -> Self {
        Self { summary: Summary::default(), buckets: [0; BUCKETS] }
    }
}

impl Distribution {
    /// One more was measured.
    pub fn add(&mut self, value: u64) {
        self.summary.add(value);
        self.buckets[bucket(value)] += 1;
    }

    /// Extremes and sum.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// The value that so many of a thousand do not pass; 0 before the first.
    pub fn permille(&self, permille: u64) -> u64 {
        let rank = (self.summary.count * permille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return middle(index).clamp(self.summary.min, self.summary.max);
            }
        }
        0
    }
}

fn bucket(value: u64) -> usize {
    let value = value.min(u32::MAX.into());
    let index = if value < EXACT {
        value
    } else {
        let exponent = u64::from(value.ilog2());
        let part = (value >> (exponent - 4)) % PARTS;
        EXACT + (exponent - 5) * PARTS + part
    };
    usize::try_from(index).expect("there are few buckets")
}

/// The middle of a bucket.
fn middle(index: usize) -> u64 {
    let index = u64::try_from(index).expect("there are few buckets");
    if index < EXACT {
        return index;
    }
    let (power, part) = ((index - EXACT) / PARTS, (index - EXACT) % PARTS);
    let width = 1 << (power + 1);
    (PARTS + part) * width + width / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_knows_its_extremes() {
        let mut summary = Summary::default();
        for value in [3, 9, 1] {
            summary.add(value);
        }
        assert_eq!(summary, Summary { min: 1, max: 9, last: 1, total: 13, count: 3 });
    }

    #[test]
    fn every_value_has_a_bucket_whose_middle_is_near() {
        for shift in 0..32 {
            for value in [1_u64 << shift, (1 << shift) + (1 << shift) / 3, (2 << shift) - 1] {
                let middle = middle(bucket(value));
                assert!(middle.abs_diff(value) * PARTS <= value, "{value} in {middle}");
            }
        }
        assert_eq!((bucket(u64::MAX), bucket(u32::MAX.into())), (BUCKETS - 1, BUCKETS - 1));
    }

    #[test]
    fn percentiles_are_those_of_what_was_added() {
        let mut distribution = Distribution::default();
        assert_eq!(distribution.permille(500), 0);
        for value in 1..=1000 {
            distribution.add(value);
        }
        for (permille, exact) in [(500, 500), (950, 950), (990, 990), (999, 999)] {
            let found = distribution.permille(permille);
            assert!(u64::abs_diff(found, exact) * PARTS <= exact, "p{permille} is {found}");
        }
        let mut few = Distribution::default();
        few.add(51);
        assert_eq!((few.permille(500), few.permille(999)), (51, 51));
    }
}
