//! Whole builds under faults: damaged files, killed processes, full and vanished disks. After each, the next build comes
//! to what an undisturbed one comes to, or says in words what is wrong.
//!
//! What must hold, whatever happens at whatever moment: no wrong result; nothing is lost whose registration was told; no
//! process of a build outlives it; an error is said in words; the next build succeeds. What a failure of the power leaves is
//! tried beside the scheduler (`src/scheduler/tests/faults.rs`), and what a builder may try in `tests/sandbox`.

mod at_once;
mod clock;
mod damage;
mod dice;
mod disk;
mod kill;
mod place;
