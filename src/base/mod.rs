//! What everything stands on: digests, canonical encoding, atomic files, locks, the one clock. Talks to std alone.

pub mod digest;
