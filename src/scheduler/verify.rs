//! Whether outputs are what they were declared to be, before anything is registered.

use super::failure::Attempt;
use super::typed::Written;
use crate::model::derivation::{Builder, Derivation, Output};
use crate::model::event::StepFailure;
use mlp_lang::spec::{ArtifactKind, Datum};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Entries of a folder that are looked at for a hint.
const MOST_LOOKED_AT: usize = 1000;
/// Files that a hint names.
const MOST_SHOWN: usize = 5;
/// The largest JSON output: figures, not data.
const LARGEST_JSON: u64 = 64 << 20;

/// The outputs that are there, hashed and observed ones.
#[derive(Debug, Default)]
pub(super) struct Verified {
    /// Hashed outputs by name; `None` is an optional one that was left out.
    pub(super) hashed: BTreeMap<String, Option<PathBuf>>,
    /// Observed outputs by name, where they are JSON.
    pub(super) observed: BTreeMap<String, Value>,
}

/// Holds what a build left at `found` against what `derivation` declares. `inputs` are its inputs on this machine, `folder`
/// is where it ran.
pub(super) fn verify(
    derivation: &Derivation,
    found: &BTreeMap<String, PathBuf>,
    inputs: &BTreeMap<String, PathBuf>,
    folder: &Path,
) -> Attempt<Verified> {
    let mut verified = Verified::default();
    // A command's figures are all declared; a builtin may tell more than one asks for.
    let exact = matches!(derivation.builder, Builder::Command { .. });
    let written = Written {
        derivation,
        inputs,
        folder,
    };
    for (name, output) in &derivation.outputs {
        // The state of a command is no result; it need not leave one.
        if exact && output.kind == ArtifactKind::State {
            let is_other = found.get(name.as_str()).is_some_and(|path| !path.is_dir());
            let help = || Some("a state is a folder: write the file into it".to_owned());
            match is_other {
                true => return Err(failure(name, "is no folder".to_owned(), help())),
                false => continue,
            }
        }
        let Some(path) = found.get(name.as_str()) else {
            if output.optional {
                verified.hashed.insert(name.to_string(), None);
                continue;
            }
            return Err(failure(
                name,
                "was not written".to_owned(),
                Some(unwritten(derivation, output, folder)),
            ));
        };
        let unfit = |Unfit(reason, help)| failure(name, reason, help);
        let value = content(output, path, exact).map_err(unfit)?;
        let path = match exact {
            true => written.complete(name, output, path).map_err(unfit)?,
            false => path.clone(),
        };
        if output.observed {
            verified
                .observed
                .insert(name.to_string(), value.unwrap_or(Value::Null));
        } else {
            verified.hashed.insert(name.to_string(), Some(path));
        }
    }
    Ok(verified)
}

/// What is wrong with an output, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfit(pub(super) String, pub(super) Option<String>);

impl From<String> for Unfit {
    fn from(reason: String) -> Self {
        Self(reason, None)
    }
}

/// What to do about an output that was not written: the files that were are the best hint.
fn unwritten(derivation: &Derivation, output: &Output, folder: &Path) -> String {
    let must = format!("the step must write it at `{}`", output.path);
    let written = written(derivation, folder);
    match written.as_slice() {
        [] if matches!(derivation.builder, Builder::Command { .. }) => {
            format!("{must}; it wrote nothing")
        }
        [] => must,
        files => {
            let shown: Vec<String> = files
                .iter()
                .take(MOST_SHOWN)
                .map(|file| format!("`{file}`"))
                .collect();
            let more = if files.len() > MOST_SHOWN { ", …" } else { "" };
            format!("{must}; it wrote {}{more}", shown.join(", "))
        }
    }
}

/// Files below the build directory that are no inputs, sorted.
fn written(derivation: &Derivation, folder: &Path) -> Vec<String> {
    let (mut files, mut waiting) = (Vec::new(), vec![String::new()]);
    while let Some(inner) = waiting.pop() {
        let entries = fs::read_dir(folder.join(&inner)).into_iter().flatten().flatten();
        for entry in entries.take(MOST_LOOKED_AT) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if inner.is_empty() {
                name
            } else {
                format!("{inner}/{name}")
            };
            let is_input = derivation.inputs.contains_key(&path) || path.starts_with('.');
            match entry.file_type() {
                Ok(kind) if kind.is_file() && !is_input => files.push(path),
                Ok(kind) if kind.is_dir() && !is_input && waiting.len() < MOST_LOOKED_AT => {
                    waiting.push(path);
                }
                _ => {}
            }
        }
    }
    files.sort();
    files
}

fn failure(output: &str, reason: String, help: Option<String>) -> Box<StepFailure> {
    Box::new(StepFailure::Output {
        output: output.to_owned(),
        reason,
        help,
    })
}

/// What the output holds, where it is JSON; words about what is wrong.
fn content(output: &Output, path: &Path, exact: bool) -> Result<Option<Value>, Unfit> {
    let metadata = fs::symlink_metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    let (is_file, is_dir) = (metadata.is_file(), metadata.is_dir());
    let what = if is_dir {
        "a directory"
    } else if is_file {
        "a file"
    } else {
        "neither a file nor a directory"
    };
    match output.kind {
        // A command writes the weights of a model, which are completed to its folder.
        ArtifactKind::Model if exact => Ok(None),
        ArtifactKind::Dir | ArtifactKind::Dataset | ArtifactKind::Model | ArtifactKind::State if !is_dir => {
            Err(format!("is {what}, where a directory belongs").into())
        }
        ArtifactKind::File | ArtifactKind::Plot if !is_file => {
            Err(format!("is {what}, where a file belongs").into())
        }
        ArtifactKind::Metrics | ArtifactKind::History | ArtifactKind::Value => {
            if !is_file {
                return Err(format!("is {what}, where a JSON file belongs").into());
            }
            json(path, metadata.len(), &output.schema, exact).map(Some)
        }
        _ if !is_file && !is_dir => Err(format!("is {what}").into()),
        _ if output.observed => Ok(fs::read(path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())),
        _ => Ok(None),
    }
}

fn json(path: &Path, size: u64, schema: &Datum, exact: bool) -> Result<Value, Unfit> {
    if size > LARGEST_JSON {
        return Err(format!("has {size} bytes, and a JSON output may have {LARGEST_JSON}").into());
    }
    let bytes = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        let text = String::from_utf8_lossy(&bytes);
        match not_finite(&text) {
            Some(said) => Unfit(said, Some("find out why the figure is no number; a figure that may be missing is written `null`, and declared optional: `Float?`".to_owned())),
            None => format!("is not JSON: {error}").into(),
        }
    })?;
    conforms(&value, schema, "", exact)?;
    Ok(value)
}

/// Python writes NaN and infinities into JSON, which has none: which figure it is, in words.
fn not_finite(text: &str) -> Option<String> {
    let word = ["NaN", "-Infinity", "Infinity"]
        .into_iter()
        .find(|word| text.contains(word))?;
    let before = text.split(word).next()?.trim_end();
    let key = before
        .strip_suffix(':')
        .and_then(|before| before.trim_end().strip_suffix('"'));
    let key = key.and_then(|before| before.rsplit_once('"'));
    Some(match key {
        Some((_, key)) => format!("`{key}` in it is {word}"),
        None => format!("holds {word}, which is no number"),
    })
}

/// Holds `value` against a schema of `spec`: a map of fields, `List`, `Map` or `Optional` of something, or the name of a
/// type. Fields that the schema does not name are let through, unless it is `exact`.
fn conforms(value: &Value, schema: &Datum, at: &str, exact: bool) -> Result<(), Unfit> {
    let wrong = |wanted: &str| {
        let at = if at.is_empty() {
            String::new()
        } else {
            format!("`{at}` in it ")
        };
        Err(format!("{at}is {}, where {wanted} belongs", kind(value)).into())
    };
    match schema {
        Datum::Map(fields) if !fields.is_empty() => {
            let Some(object) = value.as_object() else {
                return wrong("an object");
            };
            let inner = |name: &str| {
                if at.is_empty() {
                    name.to_owned()
                } else {
                    format!("{at}.{name}")
                }
            };
            for (name, schema) in fields {
                let inner = inner(name);
                match object.get(name.as_str()) {
                    Some(field) => conforms(field, schema, &inner, exact)?,
                    None if matches!(schema, Datum::Variant(optional, _) if optional == "Optional") => {}
                    None => return Err(lacking(&inner, object)),
                }
            }
            match object.keys().find(|name| exact && !fields.contains_key(name)) {
                Some(extra) => {
                    let help = format!("declare it: `{extra}: …`, or do not write it");
                    Err(Unfit(
                        format!("holds `{}`, which is not declared", inner(extra)),
                        Some(help),
                    ))
                }
                None => Ok(()),
            }
        }
        Datum::Variant(name, parts) => match (name.as_str(), parts.get("of")) {
            ("List", Some(of)) => {
                let Some(items) = value.as_array() else {
                    return wrong("a list");
                };
                let mut items = items.iter().enumerate();
                items.try_for_each(|(index, item)| conforms(item, of, &format!("{at}[{index}]"), exact))
            }
            ("Map", Some(of)) => {
                let Some(object) = value.as_object() else {
                    return wrong("an object");
                };
                let mut fields = object.iter();
                fields.try_for_each(|(name, field)| conforms(field, of, &format!("{at}[{name:?}]"), exact))
            }
            ("Optional", Some(of)) if !value.is_null() => conforms(value, of, at, exact),
            _ => Ok(()),
        },
        Datum::Str(name) => match name.as_str() {
            "Float" if !value.is_number() => wrong("a number"),
            "Int" if !(value.is_i64() || value.is_u64()) => wrong("an integer"),
            "Bool" if !value.is_boolean() => wrong("a truth value"),
            "Str" if !value.is_string() => wrong("a string"),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// A figure that is declared and not there, with those that are.
fn lacking(name: &str, object: &serde_json::Map<String, Value>) -> Unfit {
    let there: Vec<String> = object
        .keys()
        .take(MOST_SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    let help = (!there.is_empty()).then(|| format!("it holds {}", there.join(", ")));
    Unfit(format!("lacks `{name}`"), help)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(text: &str, schema: Datum) -> Result<(), String> {
        held_as(text, schema, false)
    }

    fn held_as(text: &str, schema: Datum, exact: bool) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.json");
        fs::write(&path, text).unwrap();
        let output = Output {
            kind: ArtifactKind::Metrics,
            path: "out/metrics.json".into(),
            schema,
            optional: false,
            observed: false,
        };
        content(&output, &path, exact)
            .map(drop)
            .map_err(|Unfit(reason, _)| reason)
    }

    fn accuracy() -> Datum {
        Datum::Map([("accuracy".to_owned(), Datum::Str("Float".into()))].into())
    }

    #[test]
    fn figures_that_conform_pass() {
        assert_eq!(held(r#"{"accuracy": 0.5, "more": 1}"#, accuracy()), Ok(()));
        assert_eq!(held(r#"{"accuracy": 1}"#, accuracy()), Ok(()));
    }

    #[test]
    fn a_missing_figure_is_named() {
        assert_eq!(held("{}", accuracy()), Err("lacks `accuracy`".into()));
    }

    #[test]
    fn a_figure_of_another_type_is_named() {
        let said = held(r#"{"accuracy": "high"}"#, accuracy());
        assert_eq!(
            said,
            Err("`accuracy` in it is a string, where a number belongs".into())
        );
    }

    #[test]
    fn a_list_is_looked_into() {
        let ints = Datum::Variant(
            "List".into(),
            [("of".to_owned(), Datum::Str("Int".into()))].into(),
        );
        let schema = Datum::Map([("counts".to_owned(), ints)].into());
        let said = held(r#"{"counts": [1, 2.5]}"#, schema);
        assert_eq!(
            said,
            Err("`counts[1]` in it is a number, where an integer belongs".into())
        );
    }

    #[test]
    fn a_figure_that_is_no_number_is_named() {
        let said = |text: &str| held(text, accuracy()).unwrap_err();
        assert_eq!(said(r#"{"loss": 1, "accuracy": NaN}"#), "`accuracy` in it is NaN");
        assert_eq!(
            said(r#"{"accuracy" : -Infinity}"#),
            "`accuracy` in it is -Infinity"
        );
        assert_eq!(said("[NaN]"), "holds NaN, which is no number");
        assert!(said("{").starts_with("is not JSON"));
    }

    #[test]
    fn what_a_command_does_not_declare_it_must_not_write() {
        let said = held_as(r#"{"accuracy": 0.5, "more": 1}"#, accuracy(), true);
        assert_eq!(said, Err("holds `more`, which is not declared".into()));
    }

    #[test]
    fn optional_figures_may_be_missing_or_null() {
        let of = |name: &str, of: Datum| Datum::Variant(name.into(), [("of".to_owned(), of)].into());
        let float = Datum::Str("Float".into());
        let schema = Datum::Map(
            [
                ("auc".to_owned(), of("Optional", float.clone())),
                ("per_class".to_owned(), of("Map", float)),
            ]
            .into(),
        );
        for text in [r#"{"per_class": {}}"#, r#"{"auc": null, "per_class": {"a": 1}}"#] {
            assert_eq!(held_as(text, schema.clone(), true), Ok(()), "{text}");
        }
        let said = held_as(r#"{"auc": "x", "per_class": {}}"#, schema.clone(), true);
        assert_eq!(
            said,
            Err("`auc` in it is a string, where a number belongs".into())
        );
        let said = held_as(r#"{"per_class": {"a": true}}"#, schema, true);
        assert_eq!(
            said,
            Err("`per_class[\"a\"]` in it is a truth value, where a number belongs".into())
        );
    }

    #[test]
    fn a_directory_is_no_file_of_figures() {
        let folder = tempfile::tempdir().unwrap();
        let output = Output {
            kind: ArtifactKind::Metrics,
            path: "out".into(),
            schema: Datum::Null,
            optional: false,
            observed: false,
        };
        let said = content(&output, folder.path(), false).unwrap_err().0;
        assert_eq!(said, "is a directory, where a JSON file belongs");
    }

    #[test]
    fn a_link_is_no_output_whatever_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, path) = (folder.path().join("secret"), folder.path().join("out"));
        fs::write(&secret, "{}").unwrap();
        std::os::unix::fs::symlink(&secret, &path).unwrap();
        for kind in [
            ArtifactKind::File,
            ArtifactKind::Dir,
            ArtifactKind::Metrics,
            ArtifactKind::Predictions,
        ] {
            let output = Output {
                kind,
                path: "out".into(),
                schema: Datum::Null,
                optional: false,
                observed: false,
            };
            let said = content(&output, &path, false).unwrap_err().0;
            assert!(
                said.starts_with("is neither a file nor a directory"),
                "{kind:?}: {said}"
            );
        }
    }
}
