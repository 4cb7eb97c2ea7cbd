//! Literate tests: `docs/language.md`, `docs/steps.md` and every `.md` file under `literate/` are chapters on the language whose examples
//! are run.
//!
//! A fence is a file: ```` ```mlp ```` alone is a program of its own, ```` ```mlp + ```` goes on with the program before
//! it, ```` ```mlp lib/base.mlp ```` (or `yaml`, `json`, `toml`) is a file that the programs under the same heading may
//! import. In them, comments are assertions about their line, or, alone on a line, about the next line of code:
//!
//! - `# error: [E0204] text` and `# warning: [E0222] text`: a diagnostic starts there, with the code and, somewhere in
//!   its message, the text. `# help: text` after it: its help, note or a label says so. Every diagnostic must be expected.
//! - `# revealed: T`: the type of the binding, `let`, parameter or final expression that starts there.
//! - `# value: v`: what the binding, or the final expression, evaluates to.
//!
//! For readers, `# error: E0204`, `# : T` and `# => v` say the same. A program is evaluated, not only checked, where a
//! value or an error of shapes or of evaluation is expected.

use mlp_lang::check::check;
use mlp_lang::core::Core;
use mlp_lang::diagnostic::{Diagnostic, Severity};
use mlp_lang::eval::{Demand, Render, Request, evaluate};
use mlp_lang::hir::{ItemKind, ItemRef, LocalId, ModuleId, Program};
use mlp_lang::lower::{Files, load};
use mlp_lang::source::{Sources, Span};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// A program of a chapter.
struct Example {
    /// The chapter's file and the line of the fence.
    place: String,
    files: Vec<(String, String)>,
}

#[derive(Debug)]
enum Kind {
    Diagnostic(Severity, String),
    Help,
    Revealed,
    Value,
}

/// A comment that says what must be so.
#[derive(Debug)]
struct Assertion {
    file: String,
    /// The line that it is about, from 1.
    line: usize,
    kind: Kind,
    text: String,
}

#[test]
fn chapters() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/literate");
    let mut chapters: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    chapters.sort();
    for page in ["../docs/language.md", "../docs/steps.md"] {
        chapters.push(Path::new(env!("CARGO_MANIFEST_DIR")).join(page));
    }
    let only = std::env::var("CHAPTER").unwrap_or_default();
    let (mut failures, mut count) = (String::new(), 0);
    for chapter in chapters
        .iter()
        .filter(|path| path.to_string_lossy().contains(&only))
    {
        let text = std::fs::read_to_string(chapter).unwrap();
        let name = chapter.file_name().unwrap().to_string_lossy();
        for example in examples(&name, &text) {
            count += 1;
            let wrong = run(&example);
            if !wrong.is_empty() {
                writeln!(failures, "\n{}\n{}", example.place, wrong.join("\n")).unwrap();
            }
        }
    }
    assert!(count > 0, "no example was found");
    assert!(failures.is_empty(), "{failures}");
}

/// The programs of a chapter, each with the named files of its section.
fn examples(chapter: &str, text: &str) -> Vec<Example> {
    let mut made: Vec<Example> = Vec::new();
    let (mut named, mut first) = (Vec::new(), 0);
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.starts_with('#') {
            add_named(&mut made[first..], &named);
            named.clear();
            first = made.len();
        }
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let mut body = String::new();
        for (_, line) in lines.by_ref().take_while(|(_, line)| !line.starts_with("```")) {
            body.push_str(line);
            body.push('\n');
        }
        match info.split_once(' ') {
            Some((_, "+")) => {
                let program = made.last_mut().expect("`+` goes on with a program");
                program.files[0].1.push_str(&body);
            }
            Some((_, path)) => named.push((path.to_owned(), body)),
            None if info == "mlp" => made.push(Example {
                place: format!("{chapter}:{}", number + 1),
                files: vec![("main.mlp".to_owned(), body)],
            }),
            None => {}
        }
    }
    add_named(&mut made[first..], &named);
    made
}

fn add_named(examples: &mut [Example], named: &[(String, String)]) {
    for example in examples {
        example.files.extend_from_slice(named);
    }
}

fn assertions(file: &str, text: &str) -> Vec<Assertion> {
    let mut made = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let Some((at, kind, text)) = assertion(line) else {
            continue;
        };
        let alone = line[..at].trim().is_empty();
        let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        let line = match (alone, &kind) {
            // Help belongs to the diagnostic before it.
            (true, Kind::Help) => made.last().map_or(index + 1, |before: &Assertion| before.line),
            (true, _) => match lines[index..].iter().position(code) {
                Some(more) => index + more + 1,
                None => lines.len(),
            },
            (false, _) => index + 1,
        };
        made.push(Assertion {
            file: file.to_owned(),
            line,
            kind,
            text,
        });
    }
    made
}

/// Where a line's assertion starts, and what it says.
fn assertion(line: &str) -> Option<(usize, Kind, String)> {
    let find = |mark: &str| line.find(mark).map(|at| (at, line[at + mark.len()..].trim()));
    for mark in ["# revealed: ", "# : "] {
        if let Some((at, text)) = find(mark) {
            return Some((at, Kind::Revealed, text.to_owned()));
        }
    }
    for mark in ["# value: ", "# => "] {
        if let Some((at, text)) = find(mark) {
            return Some((at, Kind::Value, text.to_owned()));
        }
    }
    if let Some((at, text)) = find("# help: ") {
        return Some((at, Kind::Help, text.to_owned()));
    }
    for (mark, severity) in [("# error: ", Severity::Error), ("# warning: ", Severity::Warning)] {
        if let Some((at, text)) = find(mark) {
            let text = text.strip_prefix('[').unwrap_or(text);
            let (code, text) = text.split_at_checked("E0000".len()).expect("a code is expected");
            let text = text.strip_prefix(']').unwrap_or(text);
            return Some((
                at,
                Kind::Diagnostic(severity, code.to_owned()),
                text.trim().to_owned(),
            ));
        }
    }
    None
}

/// What is wrong with an example.
fn run(example: &Example) -> Vec<String> {
    let files = Files::new(
        example
            .files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str())),
    );
    let loaded = load(&files, "main.mlp");
    let mut checked = check(&loaded.program, &loaded.sources);
    let mut found = loaded.diagnostics.clone();
    found.append(&mut checked.diagnostics);
    let expected: Vec<Assertion> = example
        .files
        .iter()
        .flat_map(|(path, text)| assertions(path, text))
        .collect();
    let evaluated = |assertion: &Assertion| match &assertion.kind {
        Kind::Value => true,
        Kind::Diagnostic(_, code) => code.starts_with("E03") || (code.starts_with("E04") && code != "E0401"),
        _ => false,
    };
    let values = match expected.iter().any(evaluated) {
        true => values(&checked.core, &loaded.sources, &mut found),
        false => BTreeMap::new(),
    };
    let mut wrong = diagnostics(&loaded.sources, &found, &expected);
    for assertion in &expected {
        let actual = match assertion.kind {
            Kind::Revealed => revealed(&loaded.program, &loaded.sources, &mut checked.types, assertion),
            Kind::Value => {
                named(&loaded.program, &loaded.sources, assertion).and_then(|name| values.get(&name).cloned())
            }
            _ => continue,
        };
        if actual.as_deref() != Some(assertion.text.as_str()) {
            let actual = actual.unwrap_or_else(|| "nothing".to_owned());
            wrong.push(format!(
                "  {}:{}: expected `{}`\n     found `{actual}`",
                assertion.file, assertion.line, assertion.text
            ));
        }
    }
    wrong
}

fn values(core: &Core, sources: &Sources, found: &mut Vec<Diagnostic>) -> BTreeMap<String, String> {
    let request = |demand| Request {
        core,
        sources,
        demand,
        render: Render::Text,
    };
    let all = evaluate(request(&Demand::All));
    found.extend(all.diagnostics);
    all.values
        .into_iter()
        .map(|shown| (shown.label, shown.text))
        .collect()
}

/// Holds what was found against what is expected, each way.
fn diagnostics(sources: &Sources, found: &[Diagnostic], expected: &[Assertion]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut left: Vec<&Diagnostic> = found.iter().collect();
    let mut last: Option<&Diagnostic> = None;
    for assertion in expected {
        match &assertion.kind {
            Kind::Diagnostic(severity, code) => {
                let fits = |found: &&Diagnostic| {
                    place(sources, found.span()) == (assertion.file.clone(), assertion.line)
                        && found.code == code
                        && found.severity == *severity
                        && found.message.contains(&assertion.text)
                };
                match left.iter().position(fits) {
                    Some(at) => last = Some(left.remove(at)),
                    None => {
                        last = None;
                        wrong.push(format!(
                            "  {}:{}: not reported: [{code}] {}",
                            assertion.file, assertion.line, assertion.text
                        ));
                    }
                }
            }
            Kind::Help => {
                let Some(diagnostic) = last else { continue };
                let mut said = diagnostic
                    .help
                    .iter()
                    .chain(&diagnostic.notes)
                    .chain(diagnostic.labels.iter().map(|label| &label.text));
                if !said.any(|text| text.contains(&assertion.text)) {
                    wrong.push(format!(
                        "  {}:{}: expected help `{}`\n     found {diagnostic:#?}",
                        assertion.file, assertion.line, assertion.text
                    ));
                }
            }
            Kind::Revealed | Kind::Value => {}
        }
    }
    for diagnostic in left {
        let (file, line) = place(sources, diagnostic.span());
        wrong.push(format!(
            "  {file}:{line}: unexpected: [{}] {}\n     {:?} {:?}",
            diagnostic.code, diagnostic.message, diagnostic.notes, diagnostic.help
        ));
    }
    wrong
}

fn place(sources: &Sources, span: Span) -> (String, usize) {
    let source = sources.get(span.source);
    let before = &source.text[..(span.start as usize).min(source.text.len())];
    (source.path.to_string(), before.matches('\n').count() + 1)
}

fn at(sources: &Sources, span: Span, assertion: &Assertion) -> bool {
    place(sources, span) == (assertion.file.clone(), assertion.line)
}

/// The name of the binding at an assertion; nothing for the final expression.
fn named(program: &Program, sources: &Sources, assertion: &Assertion) -> Option<String> {
    let entry = program.modules.last()?;
    if let Some(item) = entry
        .items
        .iter()
        .find(|item| at(sources, item.name_span, assertion))
    {
        return Some(item.name.to_string());
    }
    let result = entry.result.as_ref()?;
    at(sources, entry.expr_spans[result.expr.0 as usize], assertion).then(String::new)
}

fn revealed(
    program: &Program,
    sources: &Sources,
    types: &mut mlp_lang::check::TypeTable,
    assertion: &Assertion,
) -> Option<String> {
    for (index, module) in program.modules.iter().enumerate() {
        let id = ModuleId(index as u32);
        for (index, item) in module.items.iter().enumerate() {
            let item_ref = ItemRef {
                module: id,
                item: index as u32,
            };
            if at(sources, item.name_span, assertion) {
                return types.item(item_ref);
            }
            let locals = match &item.kind {
                ItemKind::Fn(function) => &function.locals,
                ItemKind::Value { body, .. }
                | ItemKind::Param {
                    default: Some(body), ..
                } => &body.locals,
                _ => continue,
            };
            if let Some(local) = locals.iter().position(|local| at(sources, local.span, assertion)) {
                return types.local(item_ref, LocalId(local as u32));
            }
        }
        if let Some(result) = &module.result
            && at(sources, module.expr_spans[result.expr.0 as usize], assertion)
        {
            return types.result(id);
        }
    }
    None
}
