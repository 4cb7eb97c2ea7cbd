//! The one clock: the only place that asks for the time of day. What it says is for people and for caches; it reaches
//! no key and no output.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// The time since the epoch; zero on a machine whose clock stands before it.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The day of a time, in UTC: `2026-01-31`.
pub fn day(seconds: u64) -> String {
    let at = at(seconds);
    format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day())
}

/// A time to the minute, in UTC: `2026-01-31 14:25`.
pub fn minute(seconds: u64) -> String {
    let of_day = at(seconds);
    format!("{} {:02}:{:02}", day(seconds), of_day.hour(), of_day.minute())
}

fn at(seconds: u64) -> OffsetDateTime {
    let seconds = i64::try_from(seconds).unwrap_or_default();
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_utc() {
        assert_eq!(minute(1_769_869_500), "2026-01-31 14:25");
        assert_eq!(day(0), "1970-01-01");
    }
}
