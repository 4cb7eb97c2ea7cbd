//! Whole builds under faults: damaged files, killed processes, full and vanished disks. After each, the next build comes
//! to what an undisturbed one comes to, or says in words what is wrong.

mod damage;
mod disk;
mod kill;
mod place;
