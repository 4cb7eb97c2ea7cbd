//! Whether a uv.lock was written for the pyproject.toml beside it: uv notes in it what the project asked for. Talks to the
//! language's sources and diagnostics.

use super::marker::normalised;
use crate::environment::codes;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::{SourceId, Sources, Span};
use pep440_rs::VersionSpecifiers;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

#[derive(Deserialize)]
struct Manifest {
    project: Option<Project>,
}

#[derive(Deserialize)]
struct Project {
    name: Option<String>,
    #[serde(default)]
    dependencies: Vec<Spanned<String>>,
    #[serde(default)]
    dynamic: Vec<String>,
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default, rename = "package")]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default, rename = "requires-dist")]
    requires: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: Spanned<String>,
    specifier: Option<String>,
    marker: Option<String>,
}

/// What is locked of a requirement and what the project asks for, where that is not the same. A file that cannot be read
/// is for others to say.
pub fn agree(sources: &Sources, lock: SourceId, manifest: SourceId) -> Vec<Diagnostic> {
    let Ok(Manifest {
        project: Some(project),
    }) = toml::from_str(&sources.get(manifest).text)
    else {
        return Vec::new();
    };
    let Ok(Lock { packages }) = toml::from_str(&sources.get(lock).text) else {
        return Vec::new();
    };
    let Some(name) = project.name.as_deref().map(normalised) else {
        return Vec::new();
    };
    if project.dynamic.iter().any(|field| field == "dependencies") {
        return Vec::new();
    }
    let Some(own) = packages.iter().find(|package| normalised(&package.name) == name) else {
        let message = format!("this lock is of another project: it has no `{name}`");
        let span = span(lock, &(0..0));
        return vec![Diagnostic::error(codes::PYTHON_STALE, span, message).help(AGAIN)];
    };
    compare(&project, own, lock, manifest)
}

const AGAIN: &str = "write the lock anew: `mlp env lock`";

fn compare(project: &Project, own: &Package, lock: SourceId, manifest: SourceId) -> Vec<Diagnostic> {
    // What extras ask for is in the lock too, by its marker; it is no part of an environment.
    let locked = own.metadata.requires.iter();
    let locked = locked.filter(|locked| {
        !locked
            .marker
            .as_deref()
            .is_some_and(|marker| marker.contains("extra"))
    });
    let mut locked: BTreeMap<String, Vec<&Locked>> = locked.fold(BTreeMap::new(), |mut all, one| {
        let name = normalised(one.name.get_ref());
        all.entry(name).or_insert_with(Vec::new).push(one);
        all
    });
    let mut told = Vec::new();
    let mut asked = BTreeMap::new();
    for dependency in &project.dependencies {
        let (name, specifiers) = requirement(dependency.get_ref());
        asked.insert(name.clone(), ());
        let place = span(manifest, &dependency.span());
        let Some(entries) = locked.get(&name) else {
            let error = Diagnostic::error(
                codes::PYTHON_STALE,
                place,
                format!("uv.lock was not written for this `{name}`"),
            );
            told.push(error.at("this is not locked").help(AGAIN));
            continue;
        };
        let same = |entry: &&Locked| match (&entry.specifier, &specifiers) {
            (Some(locked), Some(wanted)) => locked
                .parse::<VersionSpecifiers>()
                .is_ok_and(|locked| sorted(&locked) == sorted(wanted)),
            // Where uv takes a package from elsewhere (`tool.uv.sources`), it notes the place and no versions.
            (None, _) => true,
            (Some(locked), None) => locked.is_empty(),
        };
        if !entries.iter().any(same)
            && let Some(entry) = entries.first()
        {
            let message = format!("uv.lock was written for other versions of `{name}`");
            let was = entry.specifier.as_deref().unwrap_or_default();
            let error = Diagnostic::error(codes::PYTHON_STALE, place, message);
            let error = error.label(span(lock, &entry.name.span()), format!("locked for `{was}`"));
            told.push(error.help(AGAIN));
        }
    }
    locked.retain(|name, _| !asked.contains_key(name));
    for (name, entries) in locked {
        let at = entries.first().map_or(0..0, |entry| entry.name.span());
        let message = format!("uv.lock was written when the project needed `{name}`, which it does not now");
        told.push(Diagnostic::error(codes::PYTHON_STALE, span(lock, &at), message).help(AGAIN));
    }
    told
}

/// The name of a requirement (PEP 508), and the versions that it allows, where these can be read.
fn requirement(text: &str) -> (String, Option<VersionSpecifiers>) {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_alphanumeric() && !"-_.".contains(letter));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']').map_or("", |(_, rest)| rest),
        None => rest,
    };
    let versions = rest.split(';').next().unwrap_or_default().trim();
    let versions = versions.trim_start_matches('(').trim_end_matches(')');
    let specifiers = match versions.is_empty() || versions.starts_with('@') {
        true => None,
        false => versions.parse().ok(),
    };
    (normalised(name), specifiers)
}

fn sorted(specifiers: &VersionSpecifiers) -> Vec<String> {
    let mut all: Vec<String> = specifiers.iter().map(ToString::to_string).collect();
    all.sort();
    all
}

fn span(source: SourceId, range: &Range<usize>) -> Span {
    let place = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    Span {
        source,
        start: place(range.start),
        end: place(range.end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a lock whose project asked for `locked` when the project asks for `asked`.
    fn said(locked: &str, asked: &str) -> Vec<String> {
        let mut sources = Sources::default();
        let lock = format!(
            "version = 1\n[[package]]\nname = \"my-project\"\nsource = {{ virtual = \".\" }}\n[package.metadata]\nrequires-dist = [{locked}]\n"
        );
        let lock = sources.add("uv.lock", lock);
        let manifest = format!("[project]\nname = \"My_Project\"\ndependencies = [{asked}]\n");
        let manifest = sources.add("pyproject.toml", manifest);
        let told = agree(&sources, lock, manifest);
        let line = |told: &Diagnostic| format!("{:?}: {}", sources.text(told.span()), told.message);
        told.iter().map(line).collect()
    }

    #[test]
    fn what_uv_notes_is_what_the_project_asks_for() {
        let numpy = "{ name = \"numpy\", specifier = \">=2,<3\" }";
        let none: [&str; 0] = [];
        assert_eq!(said(numpy, "\"NumPy [x] <3, >=2 ; python_version > '3'\""), none);
        assert_eq!(said("{ name = \"own\", editable = \"own\" }", "\"own>=1\""), none);
        assert_eq!(
            said("{ name = \"own\" }", "\"own @ https://e.org/own.whl\""),
            none
        );
        let optional = "{ name = \"torch\", marker = \"extra == 'gpu'\" }";
        assert_eq!(said(optional, ""), none);
    }

    #[test]
    fn a_lock_of_other_requirements_is_told() {
        let numpy = "{ name = \"numpy\", specifier = \">=2\" }";
        assert_eq!(
            said(numpy, "\"numpy>=2\", \"pandas\""),
            ["\"\\\"pandas\\\"\": uv.lock was not written for this `pandas`"]
        );
        assert_eq!(
            said(numpy, "\"numpy>=3\""),
            ["\"\\\"numpy>=3\\\"\": uv.lock was written for other versions of `numpy`"]
        );
        assert_eq!(
            said(numpy, ""),
            ["\"\\\"numpy\\\"\": uv.lock was written when the project needed `numpy`, which it does not now"]
        );
    }

    #[test]
    fn a_lock_of_another_project_is_told() {
        let mut sources = Sources::default();
        let lock = sources.add("uv.lock", "version = 1\n[[package]]\nname = \"other\"\n");
        let manifest = sources.add("pyproject.toml", "[project]\nname = \"mine\"\n");
        let told = agree(&sources, lock, manifest);
        assert_eq!(
            told[0].message,
            "this lock is of another project: it has no `mine`"
        );
    }
}
