//! Realises a shell of a flake with the Nix that is installed: what it has in its variables, and the closure of store
//! paths that a sandbox binds. Nix is asked for nothing that is not locked. Talks to the `nix` program, and to the
//! language's diagnostics.

mod command;
mod error;
mod lock;
mod shell;

pub use error::{NixError, not_installed};
pub use shell::DevShell;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where installers put `nix`, for sessions that have not read the profile.
const PLACES: [&str; 3] = [
    "/run/current-system/sw/bin",
    "/nix/var/nix/profiles/default/bin",
    "/usr/bin",
];

/// Variables that Nix is given, beside all that start with `NIX_`: where it keeps its things, and how it reaches the
/// network. None of them changes what it comes to.
const PASSED: [&str; 18] = [
    "ALL_PROXY",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "PATH",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "TMPDIR",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// An installed Nix and how it is run.
#[derive(Clone, Debug)]
pub struct Nix {
    program: PathBuf,
    variables: BTreeMap<String, String>,
    /// How long a single run may take.
    pub limit: Duration,
    /// Whether it must do without a network.
    pub offline: bool,
}

/// What Nix calls this machine: `x86_64-linux`.
pub fn system() -> String {
    format!("{}-linux", std::env::consts::ARCH)
}

impl Nix {
    /// The Nix that is installed, as this process would start it.
    pub fn installed() -> Option<Self> {
        let variables = std::env::vars_os();
        let variables =
            variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::find(&variables.collect())
    }

    /// Finds `nix` on the `PATH` in `variables`, the variables that mlp was started with, or where it is usually
    /// installed.
    pub fn find(variables: &BTreeMap<String, String>) -> Option<Self> {
        let path = variables.get("PATH").map(String::as_str).unwrap_or_default();
        let home = variables
            .get("HOME")
            .map(|home| format!("{home}/.nix-profile/bin"));
        let places = path.split(':').chain(home.as_deref()).chain(PLACES);
        let program = places.map(|place| Path::new(place).join("nix")).find(|program| {
            // A relative entry of PATH would mean another program in another directory.
            program.is_absolute() && program.is_file()
        })?;
        let passed = variables.iter().filter(|(name, _)| {
            // These two say what a shell is in, and how Python should start: nothing for us.
            name.starts_with("NIX_") && *name != "NIX_PATH" || PASSED.contains(&name.as_str())
        });
        let variables = passed
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Some(Self {
            program,
            variables,
            limit: Duration::from_secs(3600),
            offline: false,
        })
    }

    /// The program, by its absolute path.
    pub fn program(&self) -> &Path {
        &self.program
    }
}

#[cfg(test)]
mod tests;
