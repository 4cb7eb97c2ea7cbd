//! What everything stands on: digests, canonical encoding, atomic files, locks, the one clock. Talks to std alone.

pub mod atomic;
pub mod clock;
pub mod digest;
pub mod encoding;
#[cfg(test)]
pub(crate) mod faults;
pub mod lock;
pub mod near;
pub mod processor;
pub mod size;
