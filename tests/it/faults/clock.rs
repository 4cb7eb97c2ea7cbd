//! Clocks that are wrong: files of the future and of long ago, and times that do not move when a file changes.
#![expect(clippy::disallowed_methods, reason = "times of files are set here")]

use super::place::{Place, digests, undisturbed};
use std::fs::File;
use std::time::{Duration, SystemTime};

/// No time of a file makes a change of it pass unseen.
#[test]
fn a_change_is_seen_whatever_the_clock_says() {
    let place = Place::new();
    let path = place.project().join("points.csv");
    let right = std::fs::read_to_string(&path).unwrap();
    let wrong = right.replace("-7,-7,0", "-7,-7,1");
    assert_eq!(right.len(), wrong.len());
    let years = |years: u64| Duration::from_secs(years * 365 * 86_400);
    for time in [
        SystemTime::now() + years(30),
        SystemTime::now() - Duration::from_secs(60),
        SystemTime::UNIX_EPOCH,
    ] {
        let write = |text: &str| {
            std::fs::write(&path, text).unwrap();
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(time)
                .unwrap();
        };
        write(&right);
        place.succeeds();
        // The same size and the same time.
        write(&wrong);
        let ran = place.run();
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let report = serde_json::from_str(&ran.out).unwrap();
        assert_ne!(&digests(&report), undisturbed(), "the table of {time:?}");
        write(&right);
        place.succeeds();
    }
}
