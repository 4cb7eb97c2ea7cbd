//! pylock.toml (PEP 751): packages with markers, all of which that hold are installed. Extras and groups are not chosen.
//! Talks to its module alone.

use super::{Needed, Offer, Place, Reading, codes, file_of, hex, place_of};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

const AGAIN: &str = "write it anew: `uv export --format pylock.toml -o pylock.toml`, or `pip lock`";

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Lock {
    lock_version: Spanned<String>,
    requires_python: Option<Spanned<String>>,
    #[serde(default)]
    environments: Vec<Spanned<String>>,
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: Spanned<String>,
    version: Option<String>,
    marker: Option<Spanned<String>>,
    index: Option<String>,
    requires_python: Option<Spanned<String>>,
    vcs: Option<toml::Value>,
    directory: Option<toml::Value>,
    archive: Option<File>,
    sdist: Option<toml::Value>,
    #[serde(default)]
    wheels: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    name: Option<String>,
    url: Option<String>,
    path: Option<String>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

impl File {
    /// The file as it is offered; `index` is that of its package.
    fn offer(&self, index: Option<&str>) -> Option<Offer> {
        let (place, named) = match (&self.url, &self.path) {
            (Some(url), _) => (place_of(url, index), url),
            (None, Some(path)) => (Place::Path(path.clone()), path),
            (None, None) => return None,
        };
        let file = self.name.clone().unwrap_or_else(|| file_of(named));
        Some(Offer {
            file,
            place,
            sha256: self.hashes.get("sha256").and_then(|digits| hex(digits)),
        })
    }
}

pub(super) fn read(reading: &mut Reading<'_>, text: &str) {
    let lock: Lock = match toml::from_str(text) {
        Ok(lock) => lock,
        Err(error) => return reading.syntax(&error, AGAIN),
    };
    let version = lock.lock_version.get_ref();
    if version.split('.').next() != Some("1") {
        let message = format!("this lock has version {version}, and version 1.0 is what is understood");
        return reading.error(codes::PYTHON_LOCK, lock.lock_version.span(), message, AGAIN);
    }
    if let Some(requires) = &lock.requires_python {
        reading.requires_python(requires.get_ref(), requires.span());
    }
    let none = BTreeSet::new();
    let fits = lock
        .environments
        .iter()
        .any(|marker| reading.holds(marker.get_ref(), &marker.span(), &none));
    if let (Some(first), false) = (lock.environments.first(), fits) {
        let message = "the lock is for other environments than CPython on x86-64 Linux";
        reading.error(
            codes::PYTHON_VERSION,
            first.span(),
            message,
            "lock for this environment as well",
        );
    }
    let mut chosen: BTreeMap<&str, &Package> = BTreeMap::new();
    for package in &lock.packages {
        let holds = match &package.marker {
            Some(marker) => reading.holds(marker.get_ref(), &marker.span(), &none),
            None => true,
        };
        if !holds {
            continue;
        }
        if chosen.insert(package.name.get_ref(), package).is_some() {
            let message = format!(
                "`{}` is in this lock twice for one environment",
                package.name.get_ref()
            );
            reading.error(codes::PYTHON_LOCK, package.name.span(), message, AGAIN);
        }
    }
    for package in chosen.into_values() {
        install(reading, package);
    }
}

fn install(reading: &mut Reading<'_>, package: &Package) {
    let name = package.name.get_ref();
    let range = package.name.span();
    if let Some(directory) = &package.directory {
        // The project itself is listed as an editable directory: its code comes as a step's inputs.
        if directory.get("editable").and_then(toml::Value::as_bool) == Some(true) {
            return;
        }
    }
    if package.vcs.is_some() || package.directory.is_some() {
        let message = format!("`{name}` comes as source code, and wheels alone are installed");
        let help = "build a wheel of it, and lock that by its path or URL";
        return reading.error(codes::PYTHON_SOURCE_ONLY, range, message, help);
    }
    if let Some(requires) = &package.requires_python {
        reading.requires_python(requires.get_ref(), requires.span());
    }
    let files = package.wheels.iter().chain(&package.archive);
    let offers = files
        .filter_map(|file| file.offer(package.index.as_deref()))
        .collect();
    let sdist = package.sdist.is_some() || package.archive.is_some();
    reading.choose(Needed {
        name,
        version: package.version.as_deref(),
        range,
        offers,
        sdist,
    });
}
