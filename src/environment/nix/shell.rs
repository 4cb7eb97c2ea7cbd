//! The shell of a flake, realised: variables and closure. What varies from machine to machine is left out of both, so that
//! equal shells are equal bytes. Talks to the rest of its module.

use super::{Nix, NixError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A realised shell. Its JSON is the environment's output: sorted, with nothing of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevShell {
    /// What the shell exports.
    pub variables: BTreeMap<String, String>,
    /// The store paths that the shell can reach, sorted.
    pub closure: Vec<PathBuf>,
}

/// Exported by every shell of Nix, and either about the build of the environment itself, or about the machine.
const DROPPED: [&str; 35] = [
    "HOME",
    "IN_NIX_SHELL",
    "NIX_BUILD_CORES",
    "NIX_BUILD_TOP",
    "NIX_ENFORCE_PURITY",
    "NIX_LOG_FD",
    "NIX_STORE",
    "OLDPWD",
    "PWD",
    "SHELL",
    "SHLVL",
    "SSL_CERT_FILE",
    "NIX_SSL_CERT_FILE",
    "TEMP",
    "TEMPDIR",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "_",
    "__structuredAttrs",
    "buildPhase",
    "builder",
    "dontAddDisableDepTrack",
    "guess",
    "name",
    "out",
    "outputs",
    "phases",
    "preferLocalBuild",
    "shell",
    "shellHook",
    "stdenv",
    "strictDeps",
    "system",
];

#[derive(Deserialize)]
struct Printed {
    variables: BTreeMap<String, Variable>,
}

#[derive(Deserialize)]
struct Variable {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    value: serde_json::Value,
}

#[derive(Deserialize)]
struct Built {
    outputs: BTreeMap<String, PathBuf>,
}

impl Nix {
    /// Realises `devShells.SYSTEM.SHELL` of the flake in the directory `flake`, which holds nothing that is no part of it:
    /// Nix copies all of it. `root` is where a link is put that keeps the shell from Nix's collector of garbage for as
    /// long as the link is there.
    ///
    /// The lock must be whole: Nix is not allowed to mend it.
    pub fn dev_shell(
        &self,
        flake: &Path,
        system: &str,
        shell: &str,
        root: &Path,
    ) -> Result<DevShell, NixError> {
        let unknown = |known| NixError::UnknownShell {
            shell: shell.to_owned(),
            system: system.to_owned(),
            known,
        };
        let place = place(flake)?;
        let is_name = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|letter| letter.is_ascii_alphanumeric() || b"_-'".contains(&letter))
        };
        let shells = format!("{place}#devShells.{system}");
        if !is_name(shell) || !is_name(system) {
            return Err(unknown(self.shells(&shells)));
        }
        let installable = format!("{shells}.{shell}");
        match self.printed(&installable, root) {
            Err(NixError::Failed { said, .. }) if said.contains("does not provide attribute") => {
                Err(unknown(self.shells(&shells)))
            }
            // Not made by bash, as `mkShell` does: then it is a package whose programs are the shell's.
            Err(NixError::Failed { said, .. }) if said.contains("use 'bash' as their builder") => {
                self.package(&installable, root)
            }
            other => other,
        }
    }

    fn printed(&self, installable: &str, root: &Path) -> Result<DevShell, NixError> {
        let mut arguments: Vec<OsString> = ["print-dev-env", "--json", "--profile"]
            .map(OsString::from)
            .into();
        arguments.push(root.into());
        arguments.extend(["--no-update-lock-file", "--no-write-lock-file", installable].map(OsString::from));
        let printed: Printed = self.json(&arguments)?;
        let exported = printed
            .variables
            .into_iter()
            .filter(|(_, variable)| variable.kind == "exported");
        let variables = exported.filter_map(|(name, variable)| match variable.value {
            serde_json::Value::String(value) if !DROPPED.contains(&name.as_str()) => Some((name, value)),
            _ => None,
        });
        let mut variables: BTreeMap<String, String> = variables.collect();
        let environment = real_path(root)?;
        let mut closure = self.closure(std::slice::from_ref(&environment))?;
        // The file of variables itself: it holds the time of its making, and nothing refers to it.
        closure.retain(|path| *path != environment);
        if let Some(path) = variables.get_mut("PATH") {
            let real = path
                .split(':')
                .filter(|place| *place != "/path-not-set" && !place.is_empty());
            *path = real.collect::<Vec<_>>().join(":");
        }
        Ok(DevShell { variables, closure })
    }

    fn package(&self, installable: &str, root: &Path) -> Result<DevShell, NixError> {
        let mut arguments: Vec<OsString> = ["build", "--json", "--out-link"].map(OsString::from).into();
        arguments.push(root.into());
        arguments.extend(["--no-update-lock-file", "--no-write-lock-file", installable].map(OsString::from));
        let built: Vec<Built> = self.json(&arguments)?;
        let outputs: Vec<PathBuf> = built
            .into_iter()
            .flat_map(|built| built.outputs.into_values())
            .collect();
        let programs: Vec<_> = outputs
            .iter()
            .map(|output| format!("{}/bin", output.display()))
            .collect();
        let variables = BTreeMap::from([("PATH".to_owned(), programs.join(":"))]);
        Ok(DevShell {
            variables,
            closure: self.closure(&outputs)?,
        })
    }

    /// The shells that the flake has, for a message; none where that cannot be had either.
    fn shells(&self, shells: &str) -> Vec<String> {
        let arguments = [
            "eval",
            "--json",
            "--no-update-lock-file",
            "--no-write-lock-file",
            shells,
            "--apply",
            "builtins.attrNames",
        ];
        self.json(&arguments.map(OsString::from)).unwrap_or_default()
    }

    /// The store paths that these reach, sorted.
    fn closure(&self, paths: &[PathBuf]) -> Result<Vec<PathBuf>, NixError> {
        let arguments = ["path-info", "--recursive"].into_iter().map(OsString::from);
        let arguments: Vec<OsString> = arguments.chain(paths.iter().map(OsString::from)).collect();
        let printed = self.run(&arguments)?;
        let found: BTreeSet<PathBuf> = printed.lines().map(PathBuf::from).collect();
        match found.iter().find(|path| !path.is_absolute()) {
            None => Ok(found.into_iter().collect()),
            Some(path) => Err(NixError::Answer {
                command: "nix path-info --recursive".to_owned(),
                why: format!("`{}` is no store path", path.display()),
            }),
        }
    }

    fn json<T: for<'a> Deserialize<'a>>(&self, arguments: &[OsString]) -> Result<T, NixError> {
        let printed = self.run(arguments)?;
        serde_json::from_str(&printed).map_err(|error| NixError::Answer {
            command: format!(
                "nix {}",
                arguments
                    .first()
                    .map(|name| name.to_string_lossy())
                    .unwrap_or_default()
            ),
            why: error.to_string(),
        })
    }
}

fn real_path(link: &Path) -> Result<PathBuf, NixError> {
    std::fs::canonicalize(link).map_err(|error| NixError::Answer {
        command: "nix print-dev-env".to_owned(),
        why: format!("it left no link at {}: {error}", link.display()),
    })
}

/// The reference to a flake in a directory. No letter of it may mean something in a reference; and Nix decodes none.
pub(super) fn place(flake: &Path) -> Result<String, NixError> {
    let path = flake.to_string_lossy();
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"/_-.+~@,=".contains(&letter);
    match flake.is_absolute() && path.bytes().all(plain) {
        true => Ok(format!("path:{path}")),
        false => Err(NixError::Place(path.into_owned())),
    }
}
