//! A script's failure in words: what it said last, and the input that it lacks, written as it belongs into the pipeline.

use super::failure::Told;
use crate::model::event::Undeclared;
use crate::model::graph::Step;
use mlp_lang::source::{Sources, Span};

/// What to tell of a script that ended with `status`.
pub(super) fn told(
    status: i32,
    words: Option<&str>,
    undeclared: &[Undeclared],
    step: Option<&Step>,
    sources: &Sources,
) -> Told {
    let Some(first) = undeclared.first() else {
        let message = match words {
            Some(words) => format!("its script stopped: {words}"),
            None => format!("its program ended with status {status}"),
        };
        return Told {
            code: "S0101".to_owned(),
            message,
            help: Some(
                match words {
                    Some(words) if words.contains("Read-only file system") => {
                        "a step writes below the folder that it runs in; its inputs, and all that lies elsewhere, are read-only"
                    }
                    _ => "its last words are in the log",
                }
                .to_owned(),
            ),
        };
    };
    let names: Vec<String> = undeclared.iter().map(|file| format!("`{}`", file.path)).collect();
    let which = if undeclared.len() == 1 {
        "is no input"
    } else {
        "are no inputs"
    };
    let inputs = undeclared.iter().map(|file| entry(file, step, sources));
    let inputs: Vec<String> = inputs.collect();
    let span = step.and_then(|step| step.origin.arguments.get("inputs").copied());
    let mut help = match span {
        Some(_) => format!("add it to the step's inputs: `{}`", inputs.join(", ")),
        None => format!("give it to the step: `inputs = {{ {} }}`", inputs.join(", ")),
    };
    if let Some(made_by) = &first.made_by {
        help.push_str(&format!(
            ", and read `inputs/{}`: `{made_by}` makes it",
            name(&first.path)
        ));
    }
    Told {
        code: "S0111".to_owned(),
        message: format!("it looked for {}, which {which} of it", names.join(", ")),
        help: Some(help),
    }
}

/// `raw: ./data/raw.csv`.
fn entry(file: &Undeclared, step: Option<&Step>, sources: &Sources) -> String {
    let name = name(&file.path);
    match &file.made_by {
        Some(made_by) => format!("{name}: {made_by}"),
        None => format!(
            "{name}: {}",
            path_from(step.map(|step| step.origin.span), &file.path, sources)
        ),
    }
}

/// A name for the input: the file's, as far as names go.
pub(super) fn name(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split('.').find(|part| !part.is_empty()).unwrap_or("file");
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    let name: String = stem.chars().map(plain).collect();
    match name.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("_{name}"),
        false => name,
    }
}

/// `path` as it is written in the file of `span`: paths are relative to the file that they stand in.
pub(super) fn path_from(span: Option<Span>, path: &str, sources: &Sources) -> String {
    let file = span.map_or("", |span| sources.get(span.source).path.as_str());
    let folders: Vec<&str> = file
        .rsplit_once('/')
        .map_or(Vec::new(), |(folder, _)| folder.split('/').collect());
    let parts: Vec<&str> = path.split('/').collect();
    let shared = folders
        .iter()
        .zip(&parts)
        .take_while(|(one, other)| one == other)
        .count();
    let up = folders.len() - shared;
    let rest = parts[shared..].join("/");
    let plain = |c: char| c.is_alphanumeric() || "-._+@%~/".contains(c);
    let lead = if up == 0 {
        "./".to_owned()
    } else {
        "../".repeat(up)
    };
    match rest.chars().all(plain) {
        true => format!("{lead}{rest}"),
        false => format!("{lead}\"{rest}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_as_they_belong_into_the_pipeline() {
        assert_eq!(name("data/raw.csv"), "raw");
        assert_eq!(name("data/2024-May.csv"), "_2024_may");
        assert_eq!(name(".env"), "env");
        let mut sources = Sources::default();
        let root = sources.add("pipeline.mlp", "");
        let deep = sources.add("steps/train/lib.mlp", "");
        let span = |source| {
            Some(Span {
                source,
                start: 0,
                end: 0,
            })
        };
        assert_eq!(path_from(span(root), "data/raw.csv", &sources), "./data/raw.csv");
        assert_eq!(
            path_from(span(deep), "data/raw.csv", &sources),
            "../../data/raw.csv"
        );
        assert_eq!(path_from(span(deep), "steps/a b.csv", &sources), "../\"a b.csv\"");
    }

    #[test]
    fn what_is_missing_is_written_as_an_input() {
        let sources = Sources::default();
        let file = |made_by: Option<&str>| Undeclared {
            path: "data/raw.csv".into(),
            made_by: made_by.map(str::to_owned),
        };
        let told = |file| told(1, None, &[file], None, &sources);
        let plain = told(file(None));
        assert_eq!(
            plain.message,
            "it looked for `data/raw.csv`, which is no input of it"
        );
        assert_eq!(
            plain.help.unwrap(),
            "give it to the step: `inputs = { raw: ./data/raw.csv }`"
        );
        let made = told(file(Some("prepare.raw")));
        assert_eq!(
            made.help.unwrap(),
            "give it to the step: `inputs = { raw: prepare.raw }`, and read `inputs/raw`: `prepare.raw` makes it"
        );
    }
}
