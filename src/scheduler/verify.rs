//! Whether outputs are what they were declared to be, before anything is registered.

use super::failure::Attempt;
use crate::model::derivation::{Derivation, Output};
use crate::model::event::StepFailure;
use mlp_lang::spec::{ArtifactKind, Datum};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

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

/// Holds what a build left at `found` against what `derivation` declares.
pub(super) fn verify(derivation: &Derivation, found: &BTreeMap<String, PathBuf>) -> Attempt<Verified> {
    let mut verified = Verified::default();
    for (name, output) in &derivation.outputs {
        let Some(path) = found.get(name) else {
            if output.optional {
                verified.hashed.insert(name.clone(), None);
                continue;
            }
            let help = format!("the step must write it at `{}`", output.path);
            return Err(failure(name, "was not written".to_owned(), Some(help)));
        };
        let value = content(output, path).map_err(|reason| failure(name, reason, None))?;
        if output.observed {
            verified
                .observed
                .insert(name.clone(), value.unwrap_or(Value::Null));
        } else {
            verified.hashed.insert(name.clone(), Some(path.clone()));
        }
    }
    Ok(verified)
}

fn failure(output: &str, reason: String, help: Option<String>) -> Box<StepFailure> {
    Box::new(StepFailure::Output {
        output: output.to_owned(),
        reason,
        help,
    })
}

/// What the output holds, where it is JSON; words about what is wrong.
fn content(output: &Output, path: &Path) -> Result<Option<Value>, String> {
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
        ArtifactKind::Dir | ArtifactKind::Dataset | ArtifactKind::Model | ArtifactKind::State if !is_dir => {
            Err(format!("is {what}, where a directory belongs"))
        }
        ArtifactKind::File | ArtifactKind::Plot if !is_file => {
            Err(format!("is {what}, where a file belongs"))
        }
        ArtifactKind::Metrics | ArtifactKind::History | ArtifactKind::Value => {
            if !is_file {
                return Err(format!("is {what}, where a JSON file belongs"));
            }
            json(path, metadata.len(), &output.schema).map(Some)
        }
        _ if !is_file && !is_dir => Err(format!("is {what}")),
        _ if output.observed => Ok(fs::read(path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())),
        _ => Ok(None),
    }
}

fn json(path: &Path, size: u64, schema: &Datum) -> Result<Value, String> {
    if size > LARGEST_JSON {
        return Err(format!(
            "has {size} bytes, and a JSON output may have {LARGEST_JSON}"
        ));
    }
    let bytes = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        let text = String::from_utf8_lossy(&bytes);
        let not_finite = ["NaN", "Infinity"].into_iter().find(|word| text.contains(word));
        match not_finite {
            Some(word) => format!("holds {word}, which JSON has not: {error}"),
            None => format!("is not JSON: {error}"),
        }
    })?;
    conforms(&value, schema, "")?;
    Ok(value)
}

/// Holds `value` against a schema of `spec`: a map of fields, `List` of something, or the name of a type. Fields that
/// the schema does not name are let through.
fn conforms(value: &Value, schema: &Datum, at: &str) -> Result<(), String> {
    let wrong = |wanted: &str| {
        let at = if at.is_empty() {
            String::new()
        } else {
            format!("`{at}` in it ")
        };
        Err(format!("{at}is {}, where {wanted} belongs", kind(value)))
    };
    match schema {
        Datum::Map(fields) if !fields.is_empty() => {
            let Some(object) = value.as_object() else {
                return wrong("an object");
            };
            for (name, schema) in fields {
                let inner = if at.is_empty() {
                    name.clone()
                } else {
                    format!("{at}.{name}")
                };
                let field = object.get(name).ok_or_else(|| format!("lacks `{inner}`"))?;
                conforms(field, schema, &inner)?;
            }
            Ok(())
        }
        Datum::Variant(list, of) if list == "List" => {
            let Some(items) = value.as_array() else {
                return wrong("a list");
            };
            let Some(of) = of.get("of") else { return Ok(()) };
            items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| conforms(item, of, &format!("{at}[{index}]")))
        }
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
        content(&output, &path).map(drop)
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
    fn nan_is_no_json() {
        let said = held(r#"{"accuracy": NaN}"#, accuracy()).unwrap_err();
        assert!(said.starts_with("holds NaN, which JSON has not"), "{said}");
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
        let said = content(&output, folder.path()).unwrap_err();
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
            let said = content(&output, &path).unwrap_err();
            assert!(
                said.starts_with("is neither a file nor a directory"),
                "{kind:?}: {said}"
            );
        }
    }
}
