//! The stable codes of messages about environments. Each has a page, `docs/errors/CODE.md`. Talks to nobody.

/// flake.nix is not Nix, or too large to be read.
pub const FLAKE_SYNTAX: &str = "E0601";
/// flake.nix is Nix, and no flake.
pub const NOT_A_FLAKE: &str = "E0602";
/// An input is computed, and cannot be known without running Nix.
pub const COMPUTED_INPUT: &str = "E0603";
/// A reference to a flake is none.
pub const INVALID_REFERENCE: &str = "E0604";
/// There is no flake.lock.
pub const MISSING_LOCK: &str = "E0605";
/// flake.lock is not what it should be.
pub const INVALID_LOCK: &str = "E0606";
/// flake.lock is of a version that is not known.
pub const LOCK_VERSION: &str = "E0607";
/// flake.lock was written for other inputs.
pub const STALE_LOCK: &str = "E0608";
/// An input is in flake.lock without the hash of its content.
pub const UNLOCKED_INPUT: &str = "E0609";
/// A `follows` leads nowhere, or in a circle.
pub const BROKEN_FOLLOWS: &str = "E0610";
/// Only this machine has an input.
pub const MACHINE_LOCAL_INPUT: &str = "E0611";
/// The flake has no such shell.
pub const UNKNOWN_SHELL: &str = "E0612";
/// Nix is not installed.
pub const NO_NIX: &str = "E0613";
/// Nix failed.
pub const NIX_FAILED: &str = "E0614";
/// Nix took too long.
pub const NIX_TIMEOUT: &str = "E0615";
/// A tool of the machine is not there, or cannot be used.
pub const NO_TOOL: &str = "E0616";
/// No interpreter of the version is there.
pub const NO_PYTHON: &str = "E0617";
/// Nothing says what a lock is to hold.
pub const NOTHING_TO_LOCK: &str = "E0618";
/// No program that writes a lock is here.
pub const NO_LOCKER: &str = "E0619";
/// A program that writes locks failed.
pub const LOCKER_FAILED: &str = "E0627";
/// uv.lock is of another pyproject.toml.
pub const PYTHON_STALE: &str = "E0628";
/// Packages could not be fetched or installed.
pub const NOT_FETCHED: &str = "E0626";
/// A lock of Python packages is not what it should be.
pub const PYTHON_LOCK: &str = "E0620";
/// A file in a lock has no hash.
pub const PYTHON_NO_HASH: &str = "E0621";
/// No wheel of a package is for the target.
pub const PYTHON_NO_WHEEL: &str = "E0622";
/// A package has no wheel at all.
pub const PYTHON_SOURCE_ONLY: &str = "E0623";
/// A marker cannot be evaluated.
pub const PYTHON_MARKER: &str = "E0624";
/// The lock is for other Pythons.
pub const PYTHON_VERSION: &str = "E0625";
