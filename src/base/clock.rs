//! The one clock: the only place that asks for the time of day. What it says is for people and for caches; it reaches
//! no key and no output.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time since the epoch; zero on a machine whose clock stands before it.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
