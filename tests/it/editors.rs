//! The extension for VS Code holds together. What the grammar says of a text is tested beside it, by `npm test`.

use serde_json::Value;
use std::path::PathBuf;

fn extension(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("editors/vscode")
        .join(file)
}

fn json(file: &str) -> Value {
    let text = std::fs::read_to_string(extension(file)).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn the_extension_names_files_that_are_there() {
    let manifest = json("package.json");
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    let main = manifest["main"].as_str().unwrap();
    assert!(extension(main).exists());
    let language = &manifest["contributes"]["languages"][0];
    json(language["configuration"].as_str().unwrap());
    let grammar = &manifest["contributes"]["grammars"][0];
    let text = json(grammar["path"].as_str().unwrap());
    assert_eq!(text["scopeName"], grammar["scopeName"]);
}

/// All patterns of a grammar, and the names that it includes.
fn walk(value: &Value, patterns: &mut Vec<String>, included: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("match" | "begin" | "end", Value::String(text)) => patterns.push(text.clone()),
                    ("include", Value::String(text)) => included.push(text.clone()),
                    _ => walk(value, patterns, included),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, patterns, included)),
        _ => {}
    }
}

#[test]
fn the_grammar_includes_what_it_has_and_knows_every_reserved_word() {
    let grammar = json("syntaxes/mlp.tmLanguage.json");
    let (mut patterns, mut included) = (Vec::new(), Vec::new());
    walk(&grammar, &mut patterns, &mut included);
    for name in &included {
        let key = name.strip_prefix('#').unwrap();
        assert!(
            grammar["repository"][key].is_object(),
            "{name} is included and not there"
        );
    }
    let words = [
        "if", "then", "else", "match", "let", "fn", "true", "false", "null", "and", "or", "not", "import",
        "for",
    ];
    for word in words {
        let mut found = patterns
            .iter()
            .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
        assert!(found.any(|found| found == word), "`{word}` has no colour");
    }
}
