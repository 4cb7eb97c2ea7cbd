//! What wheels are chosen for, and how well a wheel fits it (PEP 425, 600). The target is stated, not asked of the machine:
//! the choice is part of what a pipeline pins. Talks to nobody.

use pep440_rs::Version;
use std::cmp::Reverse;
use std::str::FromStr;

/// CPython on x86-64 Linux with glibc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The interpreter's full version.
    pub python: Version,
    /// The newest glibc that wheels may ask for, `(2, 28)`.
    pub glibc: (u32, u32),
}

/// No version of Python 3.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version of Python 3, such as `3.11` or `3.11.7`")]
pub struct InvalidPython(String);

impl Target {
    /// Of the interpreter's version, best with its patch (`3.11.7`), for glibc 2.28: what RHEL 8, Debian 10 and all that
    /// came after have.
    pub fn new(python: &str) -> Result<Self, InvalidPython> {
        let version = Version::from_str(python)
            .ok()
            .filter(|version| matches!(version.release(), [3, _, ..]));
        let python = version.ok_or_else(|| InvalidPython(python.to_owned()))?;
        Ok(Self {
            python,
            glibc: (2, 28),
        })
    }

    fn minor(&self) -> u64 {
        self.python.release().get(1).copied().unwrap_or_default()
    }

    /// `3.11`.
    pub fn python_minor(&self) -> String {
        format!("3.{}", self.minor())
    }

    /// How well a wheel of these tags fits; less is better. None: it does not.
    pub(super) fn fit(&self, tags: &Tags) -> Option<Fit> {
        let mut best: Option<(u64, u64, u32)> = None;
        for platform in &tags.platforms {
            let Some(distance) = self.platform(platform) else {
                continue;
            };
            for python in &tags.pythons {
                for abi in &tags.abis {
                    let Some((class, age)) = self.interpreter(python, abi, platform == "any") else {
                        continue;
                    };
                    let fit = (class, age, distance);
                    best = Some(best.map_or(fit, |old| old.min(fit)));
                }
            }
        }
        best.map(|best| Fit(best, Reverse(tags.build)))
    }

    /// The class of a pair of interpreter and ABI in pip's order, and how old the interpreter is that it was made for.
    fn interpreter(&self, python: &str, abi: &str, pure: bool) -> Option<(u64, u64)> {
        let minor = self.minor();
        let own = format!("cp3{minor}");
        let age = |digits: &str| match digits.parse::<u64>() {
            Ok(built) if built <= minor => Some(minor - built),
            _ => None,
        };
        let generic = |python: &str| match python.strip_prefix("py3")? {
            "" => Some(1),
            // `py311` before `py3` before `py310`, as in pip.
            digits => age(digits).map(|age| if age == 0 { 0 } else { age + 1 }),
        };
        match (python.strip_prefix("cp3"), abi, pure) {
            (_, _, false) if python == own && abi == own => Some((0, 0)),
            (Some(digits), "abi3", false) if !digits.is_empty() => {
                age(digits).map(|age| if age == 0 { (1, 0) } else { (3, age) })
            }
            (_, "none", false) if python == own => Some((2, 0)),
            (_, "none", false) => generic(python).map(|age| (4, age)),
            (_, "none", true) if python == own => Some((5, 0)),
            (_, "none", true) => generic(python).map(|age| (6, age)),
            _ => None,
        }
    }

    /// How far a platform's glibc is below the target's; none where the platform is another.
    fn platform(&self, platform: &str) -> Option<u32> {
        let (major, minor) = match platform {
            "any" => return Some(0),
            "linux_x86_64" => return Some(u32::MAX),
            "manylinux1_x86_64" => (2, 5),
            "manylinux2010_x86_64" => (2, 12),
            "manylinux2014_x86_64" => (2, 17),
            other => glibc(other)?,
        };
        (major == self.glibc.0 && minor <= self.glibc.1).then(|| self.glibc.1 - minor)
    }
}

/// The glibc that a `manylinux_2_17_x86_64` asks for.
pub(super) fn glibc(platform: &str) -> Option<(u32, u32)> {
    let (major, minor) = platform
        .strip_prefix("manylinux_")?
        .strip_suffix("_x86_64")?
        .split_once('_')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// How well a wheel fits; less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit((u64, u64, u32), Reverse<u64>);

/// What a wheel's file name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tags {
    pub(super) name: String,
    pub(super) version: String,
    build: u64,
    pythons: Vec<String>,
    abis: Vec<String>,
    pub(super) platforms: Vec<String>,
}

impl Tags {
    /// Reads `name-version(-build)?-python-abi-platform.whl`.
    pub(super) fn of(file: &str) -> Option<Self> {
        let parts: Vec<&str> = file.strip_suffix(".whl")?.split('-').collect();
        let (name, version, build, python, abi, platform) = match parts.as_slice() {
            [name, version, python, abi, platform] => (name, version, "0", python, abi, platform),
            [name, version, build, python, abi, platform] => (name, version, *build, python, abi, platform),
            _ => return None,
        };
        let digits = build
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(build.len());
        let set = |text: &str| text.split('.').map(str::to_owned).collect();
        Some(Self {
            name: (*name).to_owned(),
            version: (*version).to_owned(),
            build: build[..digits].parse().ok()?,
            pythons: set(python),
            abis: set(abi),
            platforms: set(platform),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(file: &str) -> Option<Fit> {
        Target::new("3.11.7").unwrap().fit(&Tags::of(file)?)
    }

    /// The order of `pip debug --verbose` for CPython 3.11 with glibc 2.28.
    #[test]
    fn wheels_are_preferred_as_pip_does() {
        let order = [
            "a-1-2-cp311-cp311-manylinux_2_28_x86_64.whl",
            "a-1-cp311-cp311-manylinux_2_28_x86_64.whl",
            "a-1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_5_x86_64.whl",
            "a-1-cp311-cp311-manylinux2014_x86_64.whl",
            "a-1-cp311-cp311-manylinux2010_x86_64.whl",
            "a-1-cp311-cp311-manylinux1_x86_64.whl",
            "a-1-cp311-cp311-linux_x86_64.whl",
            "a-1-cp311-abi3-manylinux_2_17_x86_64.whl",
            "a-1-cp311-none-manylinux_2_17_x86_64.whl",
            "a-1-cp310-abi3-manylinux_2_5_x86_64.whl",
            "a-1-cp37-abi3-manylinux_2_17_x86_64.whl",
            "a-1-py311-none-manylinux_2_17_x86_64.whl",
            "a-1-py2.py3-none-manylinux_2_17_x86_64.whl",
            "a-1-py310-none-manylinux_2_17_x86_64.whl",
            "a-1-cp311-none-any.whl",
            "a-1-py311-none-any.whl",
            "a-1-py3-none-any.whl",
            "a-1-py38-none-any.whl",
        ];
        let fits: Vec<_> = order
            .iter()
            .map(|file| fit(file).unwrap_or_else(|| panic!("{file} fits")))
            .collect();
        for (pair, files) in fits.windows(2).zip(order.windows(2)) {
            assert!(pair[0] < pair[1], "{files:?}");
        }
    }

    #[test]
    fn wheels_of_others_do_not_fit() {
        for file in [
            "a-1-cp312-cp312-manylinux_2_17_x86_64.whl",
            "a-1-cp310-cp310-manylinux_2_17_x86_64.whl",
            "a-1-cp313-cp313t-manylinux_2_17_x86_64.whl",
            "a-1-cp312-abi3-manylinux_2_17_x86_64.whl",
            "a-1-cp311-cp311-manylinux_2_31_x86_64.whl",
            "a-1-cp311-cp311-manylinux_2_17_aarch64.whl",
            "a-1-cp311-cp311-musllinux_1_2_x86_64.whl",
            "a-1-cp311-cp311-win_amd64.whl",
            "a-1-py2-none-any.whl",
            "a-1-py312-none-any.whl",
            "a-1-pp311-pypy311_pp73-manylinux_2_17_x86_64.whl",
            "a-1.tar.gz",
            "a-1.whl",
            "é.whl",
        ] {
            assert_eq!(fit(file), None, "{file}");
        }
    }

    #[test]
    fn only_versions_of_python_3_are_targets() {
        assert_eq!(Target::new("3.11").unwrap().python_minor(), "3.11");
        for text in ["", "3", "2.7", "three", "3.x"] {
            assert!(Target::new(text).is_err(), "{text}");
        }
    }
}
