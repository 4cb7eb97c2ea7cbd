use super::*;
use crate::lower::{Files, load};
use crate::shapes::shape_text;

/// What a session answers to inputs, a line for each thing that it says. A line that begins with `:` asks for a type
/// (`:t`) or for layers (`:s`).
fn answers(files: &Files, session: &mut Session, inputs: &[&str]) -> String {
    let mut lines = Vec::new();
    for input in inputs {
        let (entered, rows) = match input.split_at(2.min(input.len())) {
            (":t", text) => (session.type_of(files, text), None),
            (":s", text) => session.layers(files, text),
            _ => (session.enter(files, input), None),
        };
        for found in &entered.diagnostics {
            let span = found.span();
            let path = &entered.sources.get(span.source).path;
            lines.push(format!("{} {path}:{} {}", found.code, span.start, found.message));
        }
        lines.extend(entered.defined.into_iter().chain(entered.shown));
        let rows = rows.iter().flat_map(|rows| rows.iter());
        lines.extend(rows.map(|row| format!("{} {}", row.kind, shape_text(&row.output))));
    }
    lines.join("\n")
}

fn said(inputs: &[&str]) -> String {
    answers(&Files::default(), &mut Session::default(), inputs)
}

#[test]
fn definitions_and_expressions() {
    assert_eq!(said(&["x = 1", "x + 1"]), "x: Int\n2");
    assert_eq!(
        said(&["fn f(n: Int) = n * 2", "[f(n) for n in [1, 2]]"]),
        "f: (Int) -> Int\n[2, 4]"
    );
    assert_eq!(said(&["a = 1\nb = a + 1\na + b"]), "a: Int\nb: Int\n3");
    assert_eq!(
        said(&["type P = { x: Int = 1 }", "p: P = {}", "p"]),
        "type P\np: P\n{ x: 1 }"
    );
    assert_eq!(
        said(&["enum C { Red, Grey(Int) }", "Grey(1)", "C.Red"]),
        "enum C\nGrey(1)\nRed"
    );
    assert_eq!(said(&[""]), "");
}

#[test]
fn a_later_definition_shadows_an_earlier_one() {
    assert_eq!(
        said(&["x = 1", "y = x", "x = \"a\"", "x", "y"]),
        "x: Int\ny: Int\nx: Str\n\"a\"\n1"
    );
    assert_eq!(said(&["len = 3", "len"]), "len: Int\n3");
}

#[test]
fn what_fails_leaves_the_session_as_it_was() {
    let found = said(&["x = 1", "x = y", "x = [", "x = [1][5]", "x + \"a\"", "x"]);
    insta::assert_snapshot!(found);
}

#[test]
fn imports_stay() {
    let files = Files::new([("lib.mlp", "n = 3\nenum Mode { Fast }\n")]);
    let inputs = [
        "import std.{nn}",
        "nn.relu()",
        "import ./lib.mlp",
        "lib.n",
        "lib.Mode.Fast",
        "import ./gone.mlp",
    ];
    insta::assert_snapshot!(answers(&files, &mut Session::default(), &inputs));
}

#[test]
fn a_file_is_seen_with_its_imports() {
    let files = Files::new([(
        "main.mlp",
        "import std.{nn}\nparam n: Int = 3\nnet = nn.linear(n)\nbad = 1 + \"a\"\n",
    )]);
    let mut session = Session::new(load(&files, "main.mlp"));
    let found = answers(
        &files,
        &mut session,
        &["net", "n = 4", "net", "nn.linear(n)", "bad"],
    );
    insta::assert_snapshot!(found);
}

#[test]
fn types_are_told_without_evaluating() {
    assert_eq!(
        said(&[":t [1, 2.5]", ":t len", ":t [1][9]"]),
        "List[Float]\n(List[_]) -> Int\nInt"
    );
}

#[test]
fn networks_show_their_shapes() {
    let inputs = [
        "import std.{nn}",
        "net = nn.sequential([nn.conv2d(4, kernel_size = 3), nn.relu, nn.flatten, nn.linear(10)])",
        ":s net, [1, 8, 8]",
        ":s nn.relu, [3]",
        ":s net",
        ":s net, [8]",
        ":s net, [1, \"a\"]",
        ":s 1 + 2",
        ":s 3, [1]",
    ];
    insta::assert_snapshot!(said(&inputs));
}

#[test]
fn what_may_be_written_is_what_the_session_sees() {
    let files = Files::new([("main.mlp", "import std.{nn}\nwidth = 3\n")]);
    let mut session = Session::new(load(&files, "main.mlp"));
    answers(
        &files,
        &mut session,
        &["record = { first_field: 1, other: \"a\" }"],
    );
    let labels = |text: &str| {
        let found = session.complete(&files, text, text.len(), &|_| Vec::new());
        let typed = text
            .rsplit(|c: char| !(c == '_' || c.is_alphanumeric()))
            .next()
            .unwrap_or("")
            .to_owned();
        let labels = found.into_iter().map(|found| found.label);
        labels
            .filter(|label| label.starts_with(&typed))
            .take(4)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(labels("wid"), "width");
    assert_eq!(labels("1 + rec"), "record");
    assert_eq!(labels("record.fi"), "first_field");
    assert_eq!(labels("record."), "first_field other");
    assert_eq!(labels("nn.conv"), "conv1d conv2d conv_transpose2d");
    assert_eq!(labels("x = nn.conv2d(1, ker"), "kernel_size");
    assert_eq!(labels("impo"), "import");
    assert_eq!(labels("import std.me"), "metrics");
}

#[test]
fn documentation_of_what_was_typed() {
    let mut session = Session::default();
    answers(
        &Files::default(),
        &mut session,
        &["## Twice.\nfn f(n: Int) = n * 2"],
    );
    let entries = session.documentation();
    assert_eq!(
        (entries[0].signature.as_str(), entries[0].doc.as_str()),
        ("f(n: Int) -> Int", "Twice.")
    );
}
