//! What a person reads who made a mistake: `ui/*.md` has the cases, a file a topic, and `ui/*.snap` the same cases with
//! what `mlp` prints, to be read from top to bottom.
//!
//! A case is a heading and fences: ```` ```mlp ```` is `pipeline.mlp`, ```` ```yaml params.yaml ```` another file, and
//! ```` ```sh ```` a command, where it is not `mlp check`. Files before the first case are part of every one. `⟨U+00A0⟩`
//! stands for a character that one would not see. Each case is one mistake, and must give one message. Where a message
//! has a mend, it is applied, and the message must then be gone.

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

/// Applies the mends of what is found, and gives what is said then; none where there is no mend.
fn said_after_mending(project: &Project, case: &Case) -> Option<String> {
    let ran = project.run(&["check", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let mut edits: Vec<(String, usize, usize, String)> = Vec::new();
    for diagnostic in found["diagnostics"].as_array().unwrap() {
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
    Some(said(project, case))
}

fn read_through(topic: &str, text: &str) {
    let mut shown = String::new();
    let mut wrong = String::new();
    for case in cases(text) {
        let project = project(&case);
        let said = said(&project, &case);
        let found = headings(&said);
        if found.len() != 1 {
            writeln!(wrong, "{}: one mistake, and {} messages", case.title, found.len()).unwrap();
        }
        writeln!(shown, "## {}\n", case.title).unwrap();
        if case.command != ["check"] {
            writeln!(shown, "$ mlp {}\n", case.command.join(" ")).unwrap();
        }
        writeln!(shown, "{said}").unwrap();
        if let (["check"], Some(after)) = (
            &*case.command.iter().map(String::as_str).collect::<Vec<_>>(),
            said_after_mending(&project, &case),
        ) && found.iter().any(|heading| headings(&after).contains(heading))
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
}
