//! What a person reads who made a mistake: `ui/*.md` has the cases, a file a topic, and `ui/*.snap` the same cases with
//! what `mlp` prints, to be read from top to bottom.
//!
//! A case is a heading and fences: ```` ```mlp ```` is `pipeline.mlp`, ```` ```yaml params.yaml ```` another file, and
//! ```` ```sh ```` a command, where it is not `mlp check`. Files before the first case are part of every one. `⟨U+00A0⟩`
//! stands for a character that one would not see. Each case is one mistake, and must give one message; a heading that ends
//! in `(2 mistakes)` is a case of two. Where a message has a mend, it is applied, and the message must then be gone.

use crate::project::Project;
use std::fmt::Write;

#[derive(Default)]
struct Case {
    title: String,
    files: Vec<(String, String)>,
    command: Vec<String>,
}

/// The characters that are written by their numbers.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("⟨U+");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('⟩').unwrap();
        out.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        out.push_str(rest);
    }
    out
}

/// The words of a command, some between `'`.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.trim().split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

fn cases(text: &str) -> Vec<Case> {
    let mut common = Case::default();
    let mut cases: Vec<Case> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            cases.push(Case {
                title: title.to_owned(),
                files: common.files.clone(),
                command: vec!["check".to_owned()],
            });
        } else if let Some(fence) = line.strip_prefix("```") {
            let body: String = lines
                .by_ref()
                .take_while(|line| *line != "```")
                .map(|line| format!("{line}\n"))
                .collect();
            let case = cases.last_mut().unwrap_or(&mut common);
            match fence.split_once(' ') {
                Some((_, name)) => case.files.push((name.to_owned(), unescaped(&body))),
                None if fence == "sh" => case.command = words(&body).split_off(1),
                None => case.files.push(("pipeline.mlp".to_owned(), unescaped(&body))),
            }
        }
    }
    cases
}

fn project(case: &Case) -> Project {
    let project = Project::new("");
    for (path, text) in &case.files {
        project.write(path, text);
    }
    project
}

fn said(project: &Project, case: &Case) -> String {
    let arguments: Vec<&str> = case.command.iter().map(String::as_str).collect();
    let ran = project.run(&arguments);
    project.redacted_text(&format!("{}{}", ran.out, ran.err))
}

fn headings(said: &str) -> Vec<&str> {
    let heading = |line: &&str| line.starts_with("error E") || line.starts_with("warning E");
    said.lines().filter(heading).collect()
}

/// The byte at which a line and column begin, both from 1.
fn offset(text: &str, place: &serde_json::Value) -> usize {
    let (line, column) = (place["line"].as_u64().unwrap(), place["column"].as_u64().unwrap());
    let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
    let start = starts.take(line as usize).last().unwrap();
    let rest = &text[start..];
    start
        + rest
            .char_indices()
            .nth(column as usize - 1)
            .map_or(rest.len(), |(at, _)| at)
}

/// Applies the mends of what is found, and gives the headings of what they should mend, and what is said then; none where
/// there is no mend.
fn said_after_mending(project: &Project, case: &Case) -> Option<(Vec<String>, String)> {
    let ran = project.run(&["check", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let mut edits: Vec<(String, usize, usize, String)> = Vec::new();
    let mut mended = Vec::new();
    for diagnostic in found["diagnostics"].as_array().unwrap() {
        let text = |field: &str| diagnostic[field].as_str().unwrap_or_default().to_owned();
        if diagnostic["mend"].is_object() {
            mended.push(format!(
                "{} {}: {}",
                text("severity"),
                text("code"),
                text("message")
            ));
        }
        for edit in diagnostic["mend"]["edits"].as_array().into_iter().flatten() {
            let path = edit["path"].as_str().unwrap().to_owned();
            let text = std::fs::read_to_string(project.root().join(&path)).unwrap();
            let (start, end) = (offset(&text, &edit["start"]), offset(&text, &edit["end"]));
            edits.push((path, start, end, edit["text"].as_str().unwrap().to_owned()));
        }
    }
    if edits.is_empty() {
        return None;
    }
    edits.sort();
    for (path, start, end, new) in edits.into_iter().rev() {
        let mut text = std::fs::read_to_string(project.root().join(&path)).unwrap();
        text.replace_range(start..end, &new);
        project.write(&path, &text);
    }
    Some((mended, said(project, case)))
}

/// How many mistakes a case has: one, if its heading does not say another number.
fn mistakes(title: &str) -> usize {
    let number = title
        .strip_suffix(" mistakes)")
        .and_then(|title| title.rsplit_once('('));
    number.map_or(1, |(_, number)| number.parse().unwrap())
}

fn read_through(topic: &str, text: &str) {
    let mut shown = String::new();
    let mut wrong = String::new();
    for case in cases(text) {
        let project = project(&case);
        let said = said(&project, &case);
        let found = headings(&said);
        if found.len() != mistakes(&case.title) {
            writeln!(wrong, "{}: {} messages", case.title, found.len()).unwrap();
        }
        writeln!(shown, "## {}\n", case.title).unwrap();
        if case.command != ["check"] {
            writeln!(shown, "$ mlp {}\n", case.command.join(" ")).unwrap();
        }
        writeln!(shown, "{said}").unwrap();
        if let (["check"], Some((mended, after))) = (
            &*case.command.iter().map(String::as_str).collect::<Vec<_>>(),
            said_after_mending(&project, &case),
        ) && mended
            .iter()
            .any(|heading| headings(&after).contains(&heading.as_str()))
        {
            writeln!(wrong, "{}: its mend leaves\n{after}", case.title).unwrap();
        }
    }
    insta::with_settings!({ snapshot_path => "ui", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(topic, shown);
    });
    assert!(wrong.is_empty(), "{wrong}");
}

/// A test for each topic, so that they run side by side.
macro_rules! topics {
    ($($name:ident: $file:literal,)*) => {
        $(
            #[test]
            fn $name() {
                read_through($file, include_str!(concat!("ui/", $file, ".md")));
            }
        )*
    };
}

topics! {
    punctuation: "punctuation",
    python: "python",
    yaml: "yaml",
    pytorch: "pytorch",
    names: "names",
    types: "types",
    shapes: "shapes",
    values: "values",
    data_files: "data-files",
    traced: "traced",
    training: "training",
    steps: "steps",
    environments: "environments",
    combined: "combined",
}

/// Codes that no snapshot shows, and why.
const NOT_SHOWN: &[(&str, &str)] = &[
    ("E0408", "so many steps take a minute without optimisation"),
    ("E0507", "whether there is a GPU is the machine's affair"),
    (
        "E0508",
        "a builtin that is not known comes from another version of mlp",
    ),
    ("E0511", "the language lets nothing through that cannot be hashed"),
    ("E0613", "whether Nix is installed is the machine's affair"),
    (
        "E0614",
        "what Nix says when it fails differs from version to version",
    ),
    ("E0615", "Nix would have to run for an hour"),
    (
        "S0112",
        "pinned data would have to go between the plan and the build of its step",
    ),
];

/// The texts of the snapshots below `folder`.
fn snapshots(folder: &std::path::Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            snapshots(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "snap") {
            texts.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// What is said with each code can be read in a snapshot, as a person would see it.
#[test]
fn every_code_is_shown() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for folder in ["tests", "src"] {
        snapshots(&root.join(folder), &mut texts);
    }
    let shown = |code: &str| {
        let heads = [format!("error {code}: "), format!("warning {code}: ")];
        let begins = |line: &str| heads.iter().any(|head| line.starts_with(head.as_str()));
        texts.iter().any(|text| text.lines().any(begins))
    };
    let mut wrong = String::new();
    for code in mlp_lang::codes::codes().map(|code| code.code) {
        let excused = NOT_SHOWN.iter().any(|(excused, _)| *excused == code);
        match (shown(code), excused) {
            (false, false) => writeln!(wrong, "{code} is in no snapshot: add a case to tests/it/ui").unwrap(),
            (true, true) => writeln!(wrong, "{code} is shown: take it off the list").unwrap(),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
