//! uv.lock: a graph of packages, walked from the project's own dependencies. Development groups and the project's extras
//! are no part of an environment. Talks to its module alone.

use super::{Needed, Offer, Place, Reading, codes, file_of, place_of, sha256};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

const AGAIN: &str = "uv.lock is written by uv: write it anew with `uv lock`";

#[derive(Deserialize)]
struct Lock {
    version: Spanned<u64>,
    #[serde(rename = "requires-python")]
    requires_python: Option<Spanned<String>>,
    #[serde(default, rename = "package")]
    packages: Vec<Package>,
    #[serde(default)]
    manifest: Manifest,
}

#[derive(Default, Deserialize)]
struct Manifest {
    #[serde(default)]
    members: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    name: Spanned<String>,
    version: Option<String>,
    #[serde(default)]
    source: BTreeMap<String, toml::Value>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
    #[serde(default, rename = "optional-dependencies")]
    optional: BTreeMap<String, Vec<Dependency>>,
    sdist: Option<toml::Value>,
    #[serde(default)]
    wheels: Vec<File>,
}

#[derive(Deserialize)]
struct Dependency {
    name: Spanned<String>,
    version: Option<String>,
    source: Option<BTreeMap<String, toml::Value>>,
    #[serde(default)]
    extra: Vec<String>,
    marker: Option<Spanned<String>>,
}

#[derive(Deserialize)]
struct File {
    url: Option<String>,
    path: Option<String>,
    filename: Option<String>,
    hash: Option<String>,
}

impl Package {
    /// Whether it is the project, or a member of its workspace: its code comes as a step's inputs.
    fn is_own(&self) -> bool {
        self.source.contains_key("virtual") || self.source.contains_key("editable")
    }

    fn is(&self, dependency: &Dependency) -> bool {
        self.name.get_ref() == dependency.name.get_ref()
            && dependency
                .version
                .as_ref()
                .is_none_or(|version| self.version.as_ref() == Some(version))
            && dependency
                .source
                .as_ref()
                .is_none_or(|source| self.source == *source)
    }

    fn offers(&self) -> Vec<Offer> {
        let registry = self.source.get("registry").and_then(toml::Value::as_str);
        let offer = |file: &File| {
            let (place, named) = match (&file.url, &file.path) {
                (Some(url), _) => (place_of(url, registry), url.clone()),
                // A folder of wheels is a registry too, and its files are named from there.
                (None, Some(path)) => {
                    let path = registry.map_or_else(|| path.clone(), |folder| format!("{folder}/{path}"));
                    (Place::Path(path.clone()), path)
                }
                (None, None) => self.place()?,
            };
            let file_name = file.filename.clone().unwrap_or_else(|| file_of(&named));
            Some(Offer {
                file: file_name,
                place,
                sha256: file.hash.as_deref().and_then(sha256),
            })
        };
        self.wheels.iter().filter_map(offer).collect()
    }

    /// A wheel that is named alone lies where the package's source says: a URL of the file, or a path.
    fn place(&self) -> Option<(Place, String)> {
        let text = |key: &str| self.source.get(key).and_then(toml::Value::as_str);
        let url = text("url").map(|url| (Place::Url(url.to_owned()), url.to_owned()));
        url.or_else(|| text("path").map(|path| (Place::Path(path.to_owned()), path.to_owned())))
    }
}

pub(super) fn read(reading: &mut Reading<'_>, text: &str) {
    let lock: Lock = match toml::from_str(text) {
        Ok(lock) => lock,
        Err(error) => return reading.syntax(&error, AGAIN),
    };
    if *lock.version.get_ref() != 1 {
        let message = format!(
            "uv.lock has version {}, and version 1 is what is understood",
            lock.version.get_ref()
        );
        return reading.error(codes::PYTHON_LOCK, lock.version.span(), message, AGAIN);
    }
    if let Some(requires) = &lock.requires_python {
        reading.requires_python(requires.get_ref(), requires.span());
    }
    let own = |package: &Package| {
        package.is_own()
            && (lock.manifest.members.is_empty() || lock.manifest.members.contains(package.name.get_ref()))
    };
    let roots: Vec<usize> = (0..lock.packages.len())
        .filter(|index| own(&lock.packages[*index]))
        .collect();
    if roots.is_empty() && !lock.packages.is_empty() {
        let help = "lock a project with a pyproject.toml: `uv init --bare`, `uv add …`";
        return reading.error(
            codes::PYTHON_LOCK,
            0..0,
            "this uv.lock does not say which project it is of",
            help,
        );
    }
    let mut walk = Walk {
        lock: &lock,
        needed: BTreeMap::new(),
        waiting: Vec::new(),
    };
    for root in roots {
        walk.need(root, &[]);
    }
    walk.run(reading);
    for index in walk.needed.into_keys() {
        install(reading, &lock.packages[index]);
    }
}

struct Walk<'a> {
    lock: &'a Lock,
    /// Packages with the extras that are asked of them.
    needed: BTreeMap<usize, BTreeSet<String>>,
    waiting: Vec<usize>,
}

impl Walk<'_> {
    fn need(&mut self, package: usize, extras: &[String]) {
        let new = !self.needed.contains_key(&package);
        let known = self.needed.entry(package).or_default();
        let before = known.len();
        known.extend(extras.iter().cloned());
        if new || known.len() > before {
            self.waiting.push(package);
        }
    }

    fn run(&mut self, reading: &mut Reading<'_>) {
        // A package that comes again with more extras is walked again; its markers are told once.
        let mut told = BTreeSet::new();
        while let Some(index) = self.waiting.pop() {
            let package = &self.lock.packages[index];
            let extras = self.needed.get(&index).cloned().unwrap_or_default();
            let optional = extras
                .iter()
                .filter_map(|extra| package.optional.get(extra))
                .flatten();
            for dependency in package.dependencies.iter().chain(optional) {
                let before = reading.diagnostics.len();
                let holds = match &dependency.marker {
                    Some(marker) => reading.holds(marker.get_ref(), &marker.span(), &extras),
                    None => true,
                };
                if reading.diagnostics.len() > before && !told.insert(dependency.name.span().start) {
                    reading.diagnostics.truncate(before);
                }
                if holds {
                    self.follow(reading, dependency);
                }
            }
        }
    }

    fn follow(&mut self, reading: &mut Reading<'_>, dependency: &Dependency) {
        let mut found =
            (0..self.lock.packages.len()).filter(|index| self.lock.packages[*index].is(dependency));
        match (found.next(), found.next()) {
            (Some(index), None) => self.need(index, &dependency.extra),
            (one, _) => {
                let how = if one.is_some() {
                    "in several versions"
                } else {
                    "missing"
                };
                let message = format!(
                    "`{}` is asked for, and {how} in this lock",
                    dependency.name.get_ref()
                );
                reading.error(codes::PYTHON_LOCK, dependency.name.span(), message, AGAIN);
            }
        }
    }
}

fn install(reading: &mut Reading<'_>, package: &Package) {
    if package.is_own() {
        return;
    }
    let name = package.name.get_ref();
    let range = package.name.span();
    if let Some((_, kind)) = [("git", "a git repository"), ("directory", "a directory")]
        .into_iter()
        .find(|(kind, _)| package.source.contains_key(*kind))
    {
        let message = format!("`{name}` comes from {kind}, and wheels alone are installed");
        let help = "build a wheel of it (`uv build`), and lock that by its path or URL";
        return reading.error(codes::PYTHON_SOURCE_ONLY, range, message, help);
    }
    let needed = Needed {
        name,
        version: package.version.as_deref(),
        range,
        offers: package.offers(),
        sdist: package.sdist.is_some(),
    };
    reading.choose(needed);
}
