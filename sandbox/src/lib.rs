//! The sandbox: runs a program in namespaces of its own (user, mount, pid, network, ipc, uts), with nothing visible but
//! what it is given, as root and as any user. `docs/design/sandbox.md` lists its system calls in the order of the code.
//!
//! Three processes: **mlp** asks (`spawn`); the **helper**, small and single-threaded, forks (`helper`); the **first
//! process** of each build makes the place (`enter`), starts the program (`program`, `filter`), reaps, watches the
//! bounds (`watch`), hears of files that are touched where that is asked for (`trace`), and kills what is left (`first`).
//! They speak `wire`. `terminal` stands between the user's terminal and a program inside. The local executor uses it.
//!
//! A builder program whose start is dear can be the helper of its own builds (`helper_main` with its work).
//!
//! Where namespaces are refused, and the user asks for it, `landlock` is a weaker level.
//!
//! **Invariant**: where the kernel refuses any step, nothing is run, and the [`Refusal`] says which step; no weaker level
//! is fallen back to.

mod cgroup;
mod closure;
mod enter;
mod filter;
mod first;
mod helper;
mod landlock;
mod program;
mod refusal;
mod spawn;
mod syscall;
mod terminal;
mod trace;
mod watch;
mod wire;

pub use cgroup::Groups;
pub use cgroup::{bounds_here, memory_bound};
pub use closure::{Closures, libraries};
pub use closure::{Layout, layout};
pub use helper::{Streams, Work, helper_main};
pub use landlock::landlock_version;
pub use program::PROTOCOL;
pub use refusal::probe;
pub use spawn::FirstProcess;
pub use spawn::{HELPER_ARGUMENT, Helper};
pub use terminal::Terminal;
pub use wire::Refusal;
pub use wire::{Access, Ended, Exceeded, Program, Report, Spec, Touch, Touched, Watch};
