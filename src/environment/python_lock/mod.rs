//! Locks of Python packages: uv.lock, pylock.toml, and requirements with hashes. Each comes to the packages that a target
//! needs and, for each, the one wheel that is installed, by its hash. Nothing is fetched, resolved or built here. Talks to
//! the language's sources and diagnostics.

mod agree;
mod marker;
mod pylock;
mod requirements;
mod target;
mod uv;

pub use agree::agree;
pub use target::{InvalidPython, Target};

use super::codes;
use marker::normalised;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::{SourceId, Sources, Span};
use std::ops::Range;
use target::{Fit, Tags};

/// What a lock comes to for a target, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PythonEnvironment {
    /// Wheels to fetch and unpack.
    pub wheels: Vec<Wheel>,
    /// Packages of which the lock knows hashes only: an index has to be asked which files they are of.
    pub unlocated: Vec<Unlocated>,
}

/// A wheel that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wheel {
    /// The package, in normal form.
    pub name: String,
    /// Its version as it is written.
    pub version: String,
    /// Its file name.
    pub file: String,
    /// Where it is.
    pub place: Place,
    /// Of the file, in hexadecimal.
    pub sha256: String,
}

/// Where a wheel is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the index that tools ask where they are told of no other: found by name and version there, or in whatever mirror
    /// of it the machine is set to.
    Index,
    /// At a URL. It is in no key: the hash is.
    Url(String),
    /// At a path, relative to the lock.
    Path(String),
}

/// How locks name the index that is asked where nothing else is said: uv writes it as each package's `registry`, PEP 751 as
/// its `index`. A package that a lock has from another one is fetched from where the lock saw it.
const DEFAULT_INDEX: &str = "https://pypi.org/simple";

/// The place of a file that a lock saw at `url`, in the index `index` if it was in one.
fn place_of(url: &str, index: Option<&str>) -> Place {
    match index {
        Some(index) if index.trim_end_matches('/') == DEFAULT_INDEX => Place::Index,
        _ => Place::Url(url.to_owned()),
    }
}

/// A package whose wheel is one of those with these hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlocated {
    /// The package, in normal form.
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// Of its files, in hexadecimal, sorted.
    pub sha256: Vec<String>,
    /// Where it is asked for.
    pub span: Span,
}

/// Reads the lock that is `source`, by the form that its file name says, and chooses for the target. Where there is an
/// error among the diagnostics, the environment is not whole.
pub fn read(sources: &Sources, source: SourceId, target: &Target) -> (PythonEnvironment, Vec<Diagnostic>) {
    let text = &sources.get(source).text;
    let path = sources.get(source).path.as_str();
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut reading = Reading {
        source,
        target,
        environment: PythonEnvironment::default(),
        diagnostics: Vec::new(),
    };
    if name == "uv.lock" {
        uv::read(&mut reading, text);
    } else if name == "pylock.toml" || name.starts_with("pylock.") && name.ends_with(".toml") {
        pylock::read(&mut reading, text);
    } else if name.ends_with(".txt") {
        requirements::read(&mut reading, text);
    } else {
        let message = format!("`{name}` is no lock of Python packages that is understood");
        reading.error(
            codes::PYTHON_LOCK,
            0..0,
            message,
            "name a uv.lock, a pylock.toml, or requirements in a .txt",
        );
    }
    let Reading {
        mut environment,
        diagnostics,
        ..
    } = reading;
    environment
        .wheels
        .sort_by(|one, other| (&one.name, &one.file).cmp(&(&other.name, &other.file)));
    environment.wheels.dedup();
    environment
        .unlocated
        .sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
    (environment, diagnostics)
}

/// What the readers of the forms share.
struct Reading<'a> {
    source: SourceId,
    target: &'a Target,
    environment: PythonEnvironment,
    diagnostics: Vec<Diagnostic>,
}

/// A file that a lock offers for a package.
#[derive(Clone, Debug)]
struct Offer {
    file: String,
    place: Place,
    /// `sha256` in hexadecimal, where the lock has it.
    sha256: Option<String>,
}

/// A package that is needed.
struct Needed<'a> {
    name: &'a str,
    version: Option<&'a str>,
    range: Range<usize>,
    offers: Vec<Offer>,
    /// Whether the lock has its source code.
    sdist: bool,
}

impl Reading<'_> {
    fn span(&self, range: &Range<usize>) -> Span {
        let place = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Span {
            source: self.source,
            start: place(range.start),
            end: place(range.end),
        }
    }

    fn error(&mut self, code: &'static str, range: Range<usize>, message: impl Into<String>, help: &str) {
        let span = self.span(&range);
        self.diagnostics
            .push(Diagnostic::error(code, span, message).help(help));
    }

    fn syntax(&mut self, error: &toml::de::Error, help: &str) {
        let range = error.span().unwrap_or(0..0);
        let span = self.span(&range);
        let message = Diagnostic::error(codes::PYTHON_LOCK, span, "this lock cannot be read");
        self.diagnostics.push(message.at(error.message()).help(help));
    }

    /// Whether a marker holds; one that cannot be read is told, and holds not.
    fn holds(
        &mut self,
        marker: &str,
        range: &Range<usize>,
        extras: &std::collections::BTreeSet<String>,
    ) -> bool {
        match marker::holds(
            marker,
            marker::Setting {
                target: self.target,
                extras,
            },
        ) {
            Ok(holds) => holds,
            Err(why) => {
                let span = self.span(range);
                let error = Diagnostic::error(
                    codes::PYTHON_MARKER,
                    span,
                    format!("the marker `{marker}` cannot be used"),
                );
                self.diagnostics.push(error.at(why));
                false
            }
        }
    }

    /// Told, where the lock was made for other Pythons.
    fn requires_python(&mut self, specifiers: &str, range: Range<usize>) {
        let Ok(wanted) = specifiers.parse::<pep440_rs::VersionSpecifiers>() else {
            let message = format!("`{specifiers}` does not say versions of Python");
            self.error(codes::PYTHON_LOCK, range, message, "write the lock anew");
            return;
        };
        if !wanted.contains(&self.target.python) {
            let message = format!(
                "the lock is for Python {specifiers}, and the environment has {}",
                self.target.python
            );
            self.error(
                codes::PYTHON_VERSION,
                range,
                message,
                "lock for this Python (`requires-python`), or ask for another",
            );
        }
    }

    /// Chooses the wheel of a package, or says why there is none.
    fn choose(&mut self, needed: Needed<'_>) {
        let mut best: Option<(Fit, &Offer, Tags)> = None;
        for offer in &needed.offers {
            let Some(tags) = Tags::of(&offer.file) else {
                continue;
            };
            if let Some(fit) = self.target.fit(&tags)
                && best.as_ref().is_none_or(|(old, ..)| fit < *old)
            {
                best = Some((fit, offer, tags));
            }
        }
        let Some((_, offer, tags)) = best else {
            return self.no_wheel(&needed);
        };
        let Some(sha256) = offer.sha256.clone() else {
            let message = format!("the lock has no SHA-256 of `{}`", offer.file);
            let help = "lock from an index that gives SHA-256 (the Python Package Index does); `pip-compile --generate-hashes`";
            return self.error(codes::PYTHON_NO_HASH, needed.range, message, help);
        };
        let version = needed.version.map_or(tags.version, str::to_owned);
        let wheel = Wheel {
            name: normalised(needed.name),
            version,
            file: offer.file.clone(),
            place: offer.place.clone(),
            sha256,
        };
        self.environment.wheels.push(wheel);
    }

    fn no_wheel(&mut self, needed: &Needed<'_>) {
        let name = needed.name;
        let wheels: Vec<&str> = needed
            .offers
            .iter()
            .map(|offer| offer.file.as_str())
            .filter(|file| Tags::of(file).is_some())
            .collect();
        if wheels.is_empty() {
            let what = if needed.sdist {
                "only as source code"
            } else {
                "without any file"
            };
            let message = format!("`{name}` is in the lock {what}, and wheels alone are installed");
            let help = "choose a version that has wheels; or build one (`pip wheel`), and lock it by its path or URL";
            return self.error(codes::PYTHON_SOURCE_ONLY, needed.range.clone(), message, help);
        }
        let target = self.target;
        let message = format!(
            "no wheel of `{name}` is for CPython {} on x86-64 Linux",
            target.python_minor()
        );
        let span = self.span(&needed.range);
        let mut error = Diagnostic::error(codes::PYTHON_NO_WHEEL, span, message);
        // What is nearest comes first: wheels of this system that only ask for a newer glibc.
        let newer = wheels
            .iter()
            .filter_map(|file| Tags::of(file))
            .flat_map(|tags| tags.platforms);
        if let Some((major, minor)) = newer
            .filter_map(|platform| target::glibc(&platform))
            .filter(|glibc| *glibc > target.glibc)
            .min()
        {
            error = error.note(format!(
                "there are wheels for glibc {major}.{minor}; wheels are chosen for {}.{}",
                target.glibc.0, target.glibc.1
            ));
        }
        let shown: Vec<_> = wheels.iter().take(4).map(|file| format!("`{file}`")).collect();
        let more = if wheels.len() > 4 {
            format!(", and {} more", wheels.len() - 4)
        } else {
            String::new()
        };
        error = error.note(format!("the lock has {}{more}", shown.join(", ")));
        self.diagnostics
            .push(error.help("choose a version of the package, or of Python, for which there is one"));
    }
}

/// The `sha256:…` of a hash, if it is one.
fn sha256(hash: &str) -> Option<String> {
    hex(hash
        .strip_prefix("sha256:")
        .or_else(|| hash.strip_prefix("sha256="))?)
}

fn hex(digits: &str) -> Option<String> {
    (digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .then(|| digits.to_ascii_lowercase())
}

/// The file that a URL or path names.
fn file_of(place: &str) -> String {
    let path = place.split(['#', '?']).next().unwrap_or(place);
    super::flake_ref::percent_decode(path.rsplit('/').next().unwrap_or(path))
}

#[cfg(test)]
mod tests;
