//! The few sums behind the figures.

use hdrhistogram::Histogram;

/// The middle value; of an even count the mean of the two in the middle, of none `None`.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle)?;
    Some(if sorted.len() % 2 == 1 { *upper } else { f64::midpoint(sorted[middle - 1], *upper) })
}

/// How many times `numerators` is `denominators`: the median over the rounds, because both sides of
/// a round saw the same machine. Without a full set of rounds: of their medians.
pub(crate) fn ratio(numerators: &[f64], denominators: &[f64]) -> Option<f64> {
    if numerators.len() == denominators.len() {
        let rounds: Vec<_> = numerators.iter().zip(denominators).map(|(n, d)| n / d).collect();
        return median(&rounds).filter(|ratio| ratio.is_finite());
    }
    Some(median(numerators)? / median(denominators)?).filter(|ratio| ratio.is_finite())
}

/// An empty histogram of nanoseconds.
pub(crate) fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_MAX_NS, 3).expect("the bounds are constants in order")
}

/// What a histogram can hold; anything longer ended the run before.
pub(crate) const LATENCY_MAX_NS: u64 = 120_000_000_000;

/// Microseconds of a value in nanoseconds.
pub(crate) fn micros(ns: u64) -> f64 {
    ns as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
    }

    #[test]
    fn a_ratio_pairs_the_rounds() {
        assert_eq!(ratio(&[10.0, 40.0, 90.0], &[1.0, 10.0, 100.0]), Some(4.0));
        assert_eq!(ratio(&[10.0], &[2.0, 5.0, 7.0]), Some(2.0));
        assert_eq!(ratio(&[], &[]), None);
        assert_eq!(ratio(&[1.0], &[0.0]), None);
    }

    #[test]
    fn a_histogram_keeps_three_digits() {
        let mut histogram = latencies();
        for ns in 1..=1000u64 {
            histogram.record(ns * 1000).unwrap();
        }
        let p99 = micros(histogram.value_at_quantile(0.99));
        assert!((p99 - 990.0).abs() < 1.0, "{p99}");
    }
}
