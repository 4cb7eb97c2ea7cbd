//! The grammar accepts what the language's own parser accepts, and nothing else: on the examples, the library, the texts of
//! the documentation, every case of the parser's tests, and programs with a part left out.
#![expect(
    clippy::unwrap_used,
    reason = "a test may panic; clippy knows only functions marked #[test]"
)]

use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::SourceId;
use mlp_lang::syntax::parse;
use std::path::{Path, PathBuf};
use tree_sitter::Parser;

/// What a grammar cannot say: how large a number may be, how deep brackets may nest, and that lines of `- item` are
/// meant as a list, though they parse as a difference.
fn is_beyond(error: &Diagnostic) -> bool {
    matches!(error.code, "E0105" | "E0113") || error.message.starts_with("the elements of a list stand in")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn parser() -> Parser {
    let language = tree_sitter_mlp::language()
        .expect("Node.js is needed to read grammar.js: install it and build again");
    let mut parser = Parser::new();
    parser.set_language(&language.into()).unwrap();
    parser
}

/// All files below a folder with one of the extensions, in order.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found
}

/// The `mlp` fences of a page.
fn fences(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let body: String = lines
                .by_ref()
                .take_while(|line| *line != "```")
                .map(|line| format!("{line}\n"))
                .collect();
            if line.starts_with("```mlp") {
                found.push(body);
            }
        }
    }
    found
}

/// The cases of a file of the parser's corpus.
fn corpus(text: &str) -> Vec<String> {
    let mut cases: Vec<String> = Vec::new();
    let expectation = |line: &str| {
        [
            "# error: E0",
            "# warning: E0",
            "#  note: ",
            "#  help: ",
            "#  also: ",
        ]
        .iter()
        .any(|head| line.starts_with(head))
    };
    for line in text.split_inclusive('\n') {
        if line.starts_with("# === ") {
            cases.push(String::new());
        } else if let Some(case) = cases.last_mut().filter(|_| !expectation(line)) {
            case.push_str(line);
        }
    }
    cases
}

/// Says where the two do not agree about a text.
fn disagreement(parser: &mut Parser, text: &str) -> Option<String> {
    let found = parse(SourceId(0), text.into()).diagnostics;
    let ours: Vec<_> = found.iter().filter(|found| !is_beyond(found)).collect();
    if found.len() > ours.len() {
        return None;
    }
    let tree = parser.parse(text, None).unwrap();
    if tree.root_node().has_error() != ours.is_empty() {
        return None;
    }
    let told = ours.first().map_or("accepted".to_owned(), |error| {
        format!("{} {}", error.code, error.message)
    });
    Some(format!(
        "--- the parser: {told}; here{}\n{text}",
        faults(tree.root_node())
    ))
}

/// Where a tree has an error, and what it read instead.
fn faults(node: tree_sitter::Node<'_>) -> String {
    if node.is_error() || node.is_missing() {
        let place = node.start_position();
        return format!(" {}:{} {}", place.row + 1, place.column + 1, node.to_sexp());
    }
    let children = (0..node.child_count()).filter_map(|index| node.child(index));
    children.map(faults).collect()
}

fn agree(texts: impl IntoIterator<Item = (String, String)>, at_least: usize) {
    let mut parser = parser();
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, text) in texts {
        count += 1;
        wrong.extend(disagreement(&mut parser, &text).map(|said| format!("{name}\n{said}")));
    }
    assert!(count >= at_least, "{count} texts");
    assert!(
        wrong.is_empty(),
        "{} of {count} differ\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Each part of the files under a folder, with the file's name.
fn parts(folder: &str, extension: &str, cut: fn(&str) -> Vec<String>) -> Vec<(String, String)> {
    let cut = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        cut(&read(&path))
            .into_iter()
            .map(move |text| (name.clone(), text))
    };
    files(&root().join(folder), extension)
        .into_iter()
        .flat_map(cut)
        .collect()
}

fn whole(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

#[test]
fn examples_and_the_library() {
    agree(
        parts("examples", "mlp", whole)
            .into_iter()
            .chain(parts("stdlib", "mlp", whole)),
        9,
    );
}

#[test]
fn the_cases_of_the_parser() {
    agree(parts("lang/tests/corpus", "mlp", corpus), 150);
}

#[test]
fn the_documentation() {
    agree(
        parts("docs", "md", fences)
            .into_iter()
            .chain(parts("lang/tests/literate", "md", fences)),
        200,
    );
}

#[test]
fn what_beginners_write() {
    agree(parts("tests/it/ui", "md", fences), 300);
}

/// Texts with each of their parts left out.
fn without_each_part(text: &str) -> Vec<(String, String)> {
    let mut cuts = vec![0];
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        if at > 0 && !(word(c) && word(before)) {
            cuts.push(at);
        }
        before = c;
    }
    cuts.push(text.len());
    let parts = cuts
        .windows(2)
        .filter(|cut| !text[cut[0]..cut[1]].trim().is_empty());
    parts
        .map(|cut| {
            (
                "a part left out".to_owned(),
                format!("{} {}", &text[..cut[0]], &text[cut[1]..]),
            )
        })
        .collect()
}

#[test]
fn a_pipeline_without_each_of_its_parts() {
    let text = read(&root().join("examples/digits/pipeline.mlp"));
    agree(without_each_part(&text), 300);
}

#[test]
fn a_program_of_all_forms_without_each_of_its_parts() {
    let text = read(&root().join("lang/tests/broken.rs"));
    let program = text.split_once("const LANGUAGE: &str = r#\"").unwrap().1;
    agree(without_each_part(program.split_once("\"#").unwrap().0), 500);
}

/// What binds tighter is further in.
#[test]
fn trees_are_what_they_say() {
    let mut parser = parser();
    let mut tree = |text: &str| parser.parse(text, None).unwrap().root_node().to_sexp();
    assert_eq!(
        tree("x = a + b * -c ** 2"),
        "(file (binding name: (lname) value: (binary left: (name (lname)) right: (binary left: (name (lname)) \
         right: (negation (binary left: (name (lname)) right: (integer)))))))"
    );
    assert_eq!(
        tree("y = f(a)\n  |> g\nx = \"n ${k} # no comment\" # comment"),
        "(file (binding name: (lname) value: (pipe (call function: (name (lname)) (arguments (argument (name (lname))))) \
         (name (lname)))) (binding name: (lname) value: (string (interpolation (name (lname))))) (comment))"
    );
}

/// The highlights name only nodes that there are.
#[test]
fn the_highlights_fit_the_grammar() {
    let language = tree_sitter_mlp::language().unwrap().into();
    let text = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/highlights.scm"));
    tree_sitter::Query::new(&language, &text).unwrap();
}
