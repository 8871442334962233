//! Dates in UTC as text: of log lines and of the `dump` word. No time zones, no leap seconds.

use std::fmt;

/// A moment as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    year: i64,
    month: usize,
    day: i64,
    weekday: usize,
    second_of_day: i64,
    milli: i64,
}

const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

impl Date {
    /// The date of so many ms since 1970. The calendar is computed in years that begin in March.
    pub(crate) fn from_wall_ms(wall_ms: i64) -> Self {
        let days = wall_ms.div_euclid(DAY_MS);
        let of_day = wall_ms.rem_euclid(DAY_MS);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 2 } else { from_march - 10 };
        let year = year_of_era + era * 400 + i64::from(month < 2);
        let index = |n: i64| usize::try_from(n).expect("calendar parts are small and positive");
        Self {
            year,
            month: index(month),
            day,
            weekday: index((days + 4).rem_euclid(7)),
            second_of_day: of_day / 1000,
            milli: of_day % 1000,
        }
    }

    fn clock(&self) -> (i64, i64, i64) {
        (self.second_of_day / 3600, self.second_of_day / 60 % 60, self.second_of_day % 60)
    }

    /// `Sun Nov 22 06:57:05 UTC 2026`, as Java prints a `Date`.
    pub(crate) fn java(&self) -> String {
        let (hour, minute, second) = self.clock();
        format!(
            "{} {} {:02} {hour:02}:{minute:02}:{second:02} UTC {}",
            WEEKDAYS[self.weekday], MONTHS[self.month], self.day, self.year
        )
    }
}

/// `2026-11-22 06:48:41,167`, as log lines begin.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = self.clock();
        write!(
            f,
            "{:04}-{:02}-{:02} {hour:02}:{minute:02}:{second:02},{:03}",
            self.year,
            self.month + 1,
            self.day,
            self.milli
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let check = |wall_ms: i64, log: &str, java: &str| {
            let date = Date::from_wall_ms(wall_ms);
            assert_eq!((date.to_string().as_str(), date.java().as_str()), (log, java));
        };
        check(0, "1970-01-01 00:00:00,000", "Thu Jan 01 00:00:00 UTC 1970");
        check(951_782_400_123, "2000-02-29 00:00:00,123", "Tue Feb 29 00:00:00 UTC 2000");
        check(1_795_330_625_001, "2026-11-22 06:57:05,001", "Sun Nov 22 06:57:05 UTC 2026");
        check(-1, "1969-12-31 23:59:59,999", "Wed Dec 31 23:59:59 UTC 1969");
        check(1_709_251_199_000, "2024-02-29 23:59:59,000", "Thu Feb 29 23:59:59 UTC 2024");
    }
}
