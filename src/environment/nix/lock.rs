//! Locks of flakes, as Nix writes them. Talks to its module alone.

use super::shell::place;
use super::{Nix, NixError};
use crate::environment::locking::Renewal;
use std::path::Path;

/// The first version whose `nix flake update` takes the names of inputs, and the flake beside them.
const NAMES_INPUTS: (u32, u32) = (2, 19);

impl Nix {
    /// Writes flake.lock in the directory `flake`, which holds nothing that is no part of the flake. What is locked there
    /// and still fits is kept, as far as it is not to be renewed.
    pub fn lock(&self, flake: &Path, renewal: Renewal<'_>) -> Result<(), NixError> {
        let place = place(flake)?;
        let arguments = match renewal {
            Renewal::Missing => words(&["flake", "lock", &place]),
            _ if self.version()? < NAMES_INPUTS => match renewal {
                Renewal::Named(names) => {
                    let inputs = names.iter().flat_map(|name| ["--update-input", name]);
                    let all: Vec<&str> = ["flake", "lock"]
                        .into_iter()
                        .chain(inputs)
                        .chain([&*place])
                        .collect();
                    words(&all)
                }
                _ => words(&["flake", "update", &place]),
            },
            Renewal::All => words(&["flake", "update", "--flake", &place]),
            Renewal::Named(names) => {
                let names = names.iter().map(String::as_str);
                let all: Vec<&str> = ["flake", "update", "--flake", &place]
                    .into_iter()
                    .chain(names)
                    .collect();
                words(&all)
            }
        };
        self.run(&arguments).map(drop)
    }

    /// Its version, of which the last word of `nix --version` speaks; an unknown one counts as new.
    fn version(&self) -> Result<(u32, u32), NixError> {
        Ok(version(&self.run(&["--version"])?).unwrap_or((u32::MAX, 0)))
    }
}

fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.split_whitespace().next_back()?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_read_from_what_nix_and_its_kin_say() {
        assert_eq!(version("nix (Nix) 2.8.0\n"), Some((2, 8)));
        assert_eq!(version("nix (Lix, like Nix) 2.91.1"), Some((2, 91)));
        assert_eq!(version("nix (Nix) 2.25.0pre20240910_b9d3cdf"), Some((2, 25)));
        assert_eq!(version("nix"), None);
    }
}
