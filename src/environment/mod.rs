//! Environments: the pinned tools of a step. Reads flake.nix and flake.lock and says on what an environment depends; runs
//! Nix to realise one. Talks to base and model, and to the language's sources and diagnostics.

pub mod codes;
pub mod flake_lock;
pub mod flake_nix;
pub mod flake_ref;
pub mod host;
pub mod interpreter;
pub mod key;
pub mod locking;
pub mod nix;
pub mod python_lock;
pub mod versions;
pub mod wheels;
