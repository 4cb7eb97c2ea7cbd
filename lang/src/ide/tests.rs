//! A snippet with a cursor, `$0`, and what is answered there.

use super::*;
use crate::lower::Files;

const MAIN: &str = "main.mlp";

/// The text without its cursor, and where that stood.
fn cursor(text: &str) -> (String, u32) {
    let at = text.find("$0").expect("the snippet has a cursor");
    (text.replacen("$0", "", 1), at as u32)
}

fn open(text: &str, others: &[(&str, &str)]) -> (Files, Analysis, Position) {
    let (text, offset) = cursor(text);
    let files = Files::new(others.iter().copied().chain([(MAIN, text.as_str())]));
    let analysis = Analysis::new(&files, MAIN);
    let source = analysis.source(MAIN).unwrap();
    (files, analysis, Position { source, offset })
}

fn hovered(text: &str) -> String {
    let (_, mut analysis, at) = open(text, &[]);
    let Some(hover) = hover(&mut analysis, at) else {
        return String::new();
    };
    let parts = [Some(hover.code), hover.doc, hover.network];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" | ")
}

fn labels(text: &str) -> Vec<String> {
    let (files, mut analysis, at) = open(text, &[]);
    let list = |folder: &str| match folder {
        "" => vec![
            entry("src", true),
            entry("digits.csv", false),
            entry(".git", true),
        ],
        "src" => vec![entry("train.py", false)],
        _ => Vec::new(),
    };
    let found = complete(&mut analysis, at, &files, &list);
    found
        .into_iter()
        .map(|found| found.insert.unwrap_or(found.label))
        .collect()
}

fn entry(name: &str, folder: bool) -> FileEntry {
    FileEntry {
        name: name.to_owned(),
        folder,
    }
}

fn places(analysis: &Analysis, spans: &[Span]) -> Vec<String> {
    let place = |span: &Span| {
        let source = analysis.sources().get(span.source);
        let line = source.text[..span.start as usize].matches('\n').count() + 1;
        format!("{}:{line} {}", source.path, analysis.sources().text(*span))
    };
    spans.iter().map(place).collect()
}

fn defined(text: &str, others: &[(&str, &str)]) -> String {
    let (_, mut analysis, at) = open(text, others);
    let found = definition(&mut analysis, at);
    places(&analysis, &found.into_iter().collect::<Vec<_>>()).concat()
}

fn renamed(text: &str, name: &str) -> String {
    let (_, mut analysis, at) = open(text, &[]);
    let edits = match rename(&mut analysis, at, name) {
        Ok(edits) => edits,
        Err(reason) => return reason,
    };
    let mut text = analysis.sources().get(at.source).text.to_string();
    for (span, new) in edits.iter().rev() {
        text.replace_range(span.start as usize..span.end as usize, new);
    }
    text
}

fn hinted(text: &str) -> String {
    let files = Files::new([(MAIN, text)]);
    let mut analysis = Analysis::new(&files, MAIN);
    let source = analysis.source(MAIN).unwrap();
    let range = Span {
        source,
        start: 0,
        end: text.len() as u32,
    };
    let mut shown = text.to_owned();
    for hint in hints(&mut analysis, range).iter().rev() {
        shown.insert_str(hint.at.offset as usize, &format!("«{}»", hint.text));
    }
    shown
}

const NETWORK: &str = "import std.{data, loss, ml, nn, optim}
digits = data.csv(./d.csv, x = data.pixels(\"p*\", channels = 1, height = 8, width = 8), y = data.label(\"l\", classes = 10))
fn cnn(width: Int) = nn.sequential([
  nn.conv2d(width, kernel_size = 3), nn.flatten,
  nn.linear(10),
])
fit = ml.train(cnn(4), on = digits, loss = loss.cross_entropy, optimizer = optim.adam, epochs = 1, batch_size = 8, seed = 1)
";

#[test]
fn hovers_say_type_and_documentation() {
    assert_eq!(hovered("## How many.\nn = 1 + 2\nm = $0n"), "n: Int | How many.");
    assert_eq!(hovered("param l$0r: Float = 1e-3"), "param lr: Float = 1e-3");
    assert_eq!(
        hovered("fn f(a: Int, *, b: Float = 0.5) = [a]\nx = $0f(1)"),
        "fn f(a: Int, *, b: Float = 0.5) -> List[Int]"
    );
    assert_eq!(
        hovered("fn f(a: Int, *, b: Float = 0.5) = [a]\nx = f(1, $0b = 1.0)"),
        "b: Float = 0.5"
    );
    assert_eq!(hovered("x = [$0a * 2.0 for a in [1.5]]"), "a: Float");
    assert_eq!(hovered("r = { a: 1, b: \"t\" }\nx = r.$0b"), "b: Str");
    assert_eq!(hovered("fn f(n: $0Int) = n"), "Int | A whole number: 64 bits.");
    assert_eq!(hovered("x = $0\"text\""), "Str");
    assert_eq!(hovered("# not$0hing"), "");
    let of_library = hovered("import std.nn\nx = nn.$0linear(3)");
    assert!(
        of_library.starts_with("fn nn.linear(out_features: Int, *, bias: Bool = true"),
        "{of_library}"
    );
    assert!(of_library.contains("-> Layer | `x A^T + b`"), "{of_library}");
    assert!(hovered("import std.nn\nx = $0nn.linear(3)").starts_with("import std.nn | Layers."));
}

#[test]
fn hovers_of_layers_say_shapes() {
    let text = NETWORK.replace("nn.linear(10)", "nn.$0linear(10)");
    let said = hovered(&text);
    assert!(
        said.ends_with("gives [batch, 10], 1450 parameters, 2890 FLOPs an example"),
        "{said}"
    );
    let table = hovered(&NETWORK.replace("fit =", "$0fit ="));
    assert!(
        table.contains("conv2d") && table.contains("[batch, 4, 6, 6]"),
        "{table}"
    );
}

#[test]
fn a_broken_file_is_answered_all_the_same() {
    assert_eq!(hovered("n = 1 + 2\nm = [\nk = $0n"), "n: Int");
    assert_eq!(hovered("n = 1\nx = n + \"a\"\ny = $0n"), "n: Int");
    assert_eq!(defined("x = (\ny = 1\nz = $0y", &[]), "main.mlp:2 y");
}

#[test]
fn names_are_completed() {
    let found = labels("alpha = 1\nfn f(beta: Int) = let gamma = 2\n  $0gamma\n");
    for name in ["alpha", "f", "beta", "gamma", "map"] {
        assert!(found.iter().any(|label| label == name), "{name} of {found:?}");
    }
    assert!(!labels("fn f(beta: Int) = beta\nx = $0").contains(&"beta".to_owned()));
    assert_eq!(labels("$0"), ["enum", "fn", "import", "param", "type"]);
    assert!(labels("# a $0").is_empty());
    assert!(labels("x = \"a $0b\"").is_empty());
}

#[test]
fn members_are_completed() {
    assert!(labels("import std.nn\nx = nn.co$0").contains(&"conv2d".to_owned()));
    assert_eq!(labels("r = { a: 1, b: { c: 2 } }\nx = r.$0\n"), ["a", "b"]);
    assert_eq!(labels("r = { a: 1, b: { c: 2 } }\nx = r.b.$0\ny = 3"), ["c"]);
    assert_eq!(labels("r = [{ a: 1 }]\nx = r[0].$0"), ["a"]);
    assert_eq!(
        labels("enum Color { Red, Green }\nx = Color.$0"),
        ["Red", "Green"]
    );
    let fit = labels(&format!("{NETWORK}x = fit.$0"));
    assert_eq!(fit, ["model", "last", "history", "val", "best_epoch"]);
}

#[test]
fn arguments_are_completed() {
    let text = "fn f(a: Int, *, b: Float, c: Str = \"\") = a\nx = f(1, b = 2.0, $0)";
    assert_eq!(labels(text)[0], "c = ");
    assert!(!labels("fn f(a: Int) = a\nx = f(a = $0)").contains(&"a = ".to_owned()));
    let keep = labels("import std.ml\nx = ml.train(keep = $0)");
    assert_eq!(keep[..2], ["Best", "Last"]);
}

#[test]
fn types_imports_and_files_are_completed() {
    assert!(labels("fn f(x: $0").contains(&"Int".to_owned()));
    assert!(labels("type Mine = { a: Int }\nparam p: M$0").contains(&"Mine".to_owned()));
    assert!(labels("import std.{nn, $0}").contains(&"optim".to_owned()));
    assert!(labels("import std.$0").contains(&"ml".to_owned()));
    assert_eq!(labels("x = ./$0"), ["src/", "digits.csv"]);
    assert_eq!(labels("x = ./src/t$0"), ["train.py"]);
}

#[test]
fn definitions_are_found() {
    let lib = [(
        "lib.mlp",
        "\nfn double(n: Int) = n * 2\nenum Size { Small, Large }\n",
    )];
    assert_eq!(
        defined("import ./lib.mlp\nx = lib.$0double(1)", &lib),
        "lib.mlp:2 double"
    );
    assert_eq!(
        defined("import ./lib.mlp\nx = lib.double($0n = 1)", &lib),
        "lib.mlp:2 n"
    );
    assert_eq!(
        defined("import ./lib.mlp\nx = lib.Size.$0Large", &lib),
        "lib.mlp:3 Large"
    );
    assert_eq!(
        defined("import ./lib.mlp\nx = lib.$0Size.Large", &lib),
        "lib.mlp:3 Size"
    );
    assert_eq!(
        defined("import ./$0lib.mlp\nx = lib.double(1)", &lib),
        "lib.mlp:1 "
    );
    assert_eq!(defined("fn f(a: Int) =\n  let b = a\n  $0b", &[]), "main.mlp:2 b");
    assert_eq!(defined("p = { k: 1 }\nq = p\nx = q.$0k", &[]), "main.mlp:1 k");
    let relu = defined("import std.nn\nx = nn.$0relu", &[]);
    assert!(
        relu.starts_with("std/nn.mlp:") && relu.ends_with(" relu"),
        "{relu}"
    );
}

#[test]
fn references_are_found_across_files() {
    let lib = [("lib.mlp", "n = 1\nm = n")];
    let (_, mut analysis, at) = open("import ./lib.mlp\nx = lib.$0n + lib.n", &lib);
    let all = references(&mut analysis, at, true);
    assert_eq!(
        places(&analysis, &all),
        ["main.mlp:2 n", "main.mlp:2 n", "lib.mlp:1 n", "lib.mlp:2 n"]
    );
    assert_eq!(references(&mut analysis, at, false).len(), 3);
}

#[test]
fn names_are_changed_everywhere() {
    assert_eq!(
        renamed("a$0 = 1\nb = { a, c: a }", "z"),
        "z = 1\nb = { a: z, c: z }"
    );
    assert_eq!(
        renamed("fn f(n$0: Int) = n\nx = f(n = 1) + [n for n in [1]][0]", "k"),
        "fn f(k: Int) = k\nx = f(k = 1) + [n for n in [1]][0]"
    );
    assert_eq!(
        renamed(
            "enum E { A$0, B }\nfn f(e: E) = match e { A => 1, E.B => 2 }\nx = f(A)",
            "C"
        ),
        "enum E { C, B }\nfn f(e: E) = match e { C => 1, E.B => 2 }\nx = f(C)"
    );
    assert_eq!(
        renamed("type T$0 = { a: Int }\nparam p: T = { a: 1 }", "U"),
        "type U = { a: Int }\nparam p: U = { a: 1 }"
    );
}

#[test]
fn what_cannot_be_a_name_is_refused() {
    assert_eq!(
        renamed("a$0 = 1", "B"),
        "`B` begins with a capital letter, which is for types and variants"
    );
    assert_eq!(renamed("a$0 = 1", "if"), "`if` is a word of the language");
    assert_eq!(renamed("a$0 = 1", "a b"), "`a b` is no name");
    assert_eq!(renamed("a$0 = 1\nb = 2", "b"), "`b` is taken here already");
    assert_eq!(
        renamed("x = $0map([1], a => a)", "b"),
        "`map` is a name of the standard library"
    );
    assert_eq!(
        renamed("x = $0 1", "b"),
        "only names that the project declares can be changed"
    );
}

#[test]
fn signatures_know_the_argument_at_the_cursor() {
    let at = |text: &str| {
        let (_, mut analysis, at) = open(text, &[]);
        let help = signature(&mut analysis, at)?;
        let (start, end) = *help.params.get(help.active? as usize)?;
        Some(help.label[start as usize..end as usize].to_owned())
    };
    let text = "fn f(a: Int, b: Str, *, c: Float = 0.5) = a\n";
    assert_eq!(at(&format!("{text}x = f($0")), Some("a: Int".to_owned()));
    assert_eq!(at(&format!("{text}x = f(1, $0)")), Some("b: Str".to_owned()));
    assert_eq!(
        at(&format!("{text}x = f([1, 2], \"(\", c = $0")),
        Some("c: Float = 0.5".to_owned())
    );
    assert_eq!(at(&format!("{text}x = f((1), [$0")), Some("b: Str".to_owned()));
    assert_eq!(at(&format!("{text}x = f(1)$0")), None);
}

#[test]
fn hints_show_types_and_shapes() {
    assert_eq!(
        hinted("a = [1]\nb: Int = 2\nc = 3\n"),
        "a«: List[Int]» = [1]\nb: Int = 2\nc = 3\n"
    );
    assert_eq!(
        hinted("fn f(n: Int) =\n  let m = n * 2\n  m\n"),
        "fn f(n: Int) =\n  let m«: Int» = n * 2\n  m\n"
    );
    let shown = hinted(NETWORK);
    assert!(
        shown.contains("kernel_size = 3)« → [batch, 4, 6, 6]», nn.flatten« → [batch, 144]»"),
        "{shown}"
    );
    assert!(shown.contains("nn.linear(10)« → [batch, 10]»"), "{shown}");
}

#[test]
fn the_outline_has_every_declaration() {
    let files = Files::new([(
        MAIN,
        "param p: Int = 1\nfn f(n: Int) = n\nenum E { A, B }\nx = f(p)",
    )]);
    let mut analysis = Analysis::new(&files, MAIN);
    let source = analysis.source(MAIN).unwrap();
    let found = outline(&mut analysis, source);
    let shown: Vec<String> = found
        .iter()
        .map(|entry| format!("{} {}", entry.name, entry.detail))
        .collect();
    assert_eq!(shown, ["p Int", "f (Int) -> Int", "E ", "x Int"]);
    assert_eq!(found[2].children.len(), 2);
}

#[test]
fn mends_are_those_of_the_diagnostics() {
    let files = Files::new([(MAIN, "epochs: 20\nx = epochs")]);
    let analysis = Analysis::new(&files, MAIN);
    let found: Vec<_> = analysis.diagnostics().cloned().collect();
    let range = Span {
        source: analysis.source(MAIN).unwrap(),
        start: 0,
        end: 10,
    };
    let actions = mends(&found, range);
    assert_eq!(actions.len(), 1, "{found:?}");
    assert!(actions[0].title.contains("epochs ="), "{actions:?}");
    assert!(
        mends(
            &found,
            Span {
                start: 12,
                end: 13,
                ..range
            }
        )
        .is_empty()
    );
}

#[test]
fn any_cursor_in_any_prefix_is_answered() {
    let text = NETWORK;
    for end in (0..text.len()).step_by(7) {
        let files = Files::new([(MAIN, &text[..end])]);
        let mut analysis = Analysis::new(&files, MAIN);
        let source = analysis.source(MAIN).unwrap();
        let at = Position {
            source,
            offset: end as u32,
        };
        hover(&mut analysis, at);
        signature(&mut analysis, at);
        definition(&mut analysis, at);
        complete(&mut analysis, at, &files, &|_| Vec::new());
    }
}
