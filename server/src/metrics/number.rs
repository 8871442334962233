//! Numbers with a fraction as Java prints them.

use zk_core::Summary;

/// The mean with four decimals at most; 0 of nothing.
pub(crate) fn mean(summary: Summary) -> f64 {
    if summary.count == 0 {
        return 0.0;
    }
    let mean = to_f64(summary.total) / to_f64(summary.count);
    (mean * 10_000.0).round() / 10_000.0
}

/// As `Double.toString`: a decimal at least, an exponent from 10^7 on and below 10^-3.
pub(crate) fn double(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        let sign = if value < 0.0 { "-" } else { "" };
        return if value.is_nan() { "NaN".to_owned() } else { format!("{sign}Infinity") };
    }
    if value == 0.0 || (1e-3..1e7).contains(&size) {
        return with_decimal(&value.to_string());
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').expect("the format has an exponent");
    format!("{}E{exponent}", with_decimal(digits))
}

fn with_decimal(digits: &str) -> String {
    if digits.contains('.') { digits.to_owned() } else { format!("{digits}.0") }
}

/// Exact up to 2^53, which no counter reaches; beyond that the nearest double.
pub(super) fn to_f64(n: u64) -> f64 {
    let [high, low] =
        [n >> 32, n & 0xffff_ffff].map(|half| u32::try_from(half).unwrap_or(u32::MAX));
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_java_does() {
        for (value, text) in [
            (0.0, "0.0"),
            (15.0, "15.0"),
            (12.7368, "12.7368"),
            (0.001, "0.001"),
            (0.0005, "5.0E-4"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (12_345_678.5, "1.23456785E7"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
        ] {
            assert_eq!(double(value), text);
        }
    }

    #[test]
    fn a_mean_has_four_decimals_at_most() {
        let mean_of = |total, count| mean(Summary { total, count, ..Summary::default() });
        assert_eq!(double(mean_of(112, 3)), "37.3333");
        assert_eq!(double(mean_of(242, 19)), "12.7368");
        assert_eq!(double(mean_of(0, 0)), "0.0");
        assert_eq!(double(mean_of(20, 3)), "6.6667");
    }
}
