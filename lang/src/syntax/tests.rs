use super::*;
use proptest::prelude::*;

fn of(text: &str) -> Parse {
    parse(SourceId(0), text.into())
}

fn codes(text: &str) -> Vec<&'static str> {
    of(text).diagnostics.iter().map(|error| error.code).collect()
}

/// The text comes back from the tokens, nodes nest, and every place that is named lies in the text.
fn holds(text: &str) {
    let parse = of(text);
    let back: String = parse.tree.tokens().map(SyntaxToken::text).collect();
    assert_eq!(back, text);
    nests(parse.tree.root());
    for error in &parse.diagnostics {
        let edits = error
            .mend
            .iter()
            .flat_map(|mend| mend.edits.iter().map(|(span, _)| *span));
        for span in error.labels.iter().map(|label| label.span).chain(edits) {
            assert!(
                text.get(span.start as usize..span.end as usize).is_some(),
                "{error:?}"
            );
        }
    }
}

/// Children lie in their parent in order; nodes hold what elements walk over.
fn nests(node: Node<'_>) {
    let mut at = node.span().start;
    for child in node.children() {
        let span = child.span();
        assert!(
            at <= span.start && span.end <= node.span().end,
            "{child:?} in {node:?}"
        );
        assert!(span.start < span.end, "{child:?} is empty");
        at = span.end;
        assert_eq!(child.parent().map(|parent| parent.span()), Some(node.span()));
        nests(child);
    }
    let walked: String = node.elements().fold(String::new(), |mut text, element| {
        text.push_str(match element {
            Element::Node(node) => node.text(),
            Element::Token(token) => token.text(),
        });
        text
    });
    assert_eq!(walked, node.text());
}

#[test]
fn texts_that_broke_something() {
    for text in [
        "",
        "'",
        "\"",
        "\"${",
        "\"${\"${\"",
        "\"\"\"${\n",
        "\u{0}é\u{301}",
        "x=[(]",
        "x=\"${(\"}",
        "let",
        "let x",
        "- ",
        "|>",
        "x = 1 + if",
        "1 + x =>",
        "{",
        "}",
        "import",
        "import std.",
        "import std.{",
        "fn",
        "fn f",
        "fn f(",
        "a.",
        "a[",
        "a[A",
        "match",
        "match x {",
        "if",
        "f(x for",
        "{a for",
        "[x for",
        "type T =",
        "enum E {A(",
        "./",
        "./\"",
        "..",
        "...",
        "x:",
        ":",
        "\"\\",
        "\"\\\u{e9}\"",
        "\"\"\"\\\u{e9}",
        "x = 1 if",
        "x ? ",
        "a: ",
        "\r\n\r",
        "\u{feff}x = 1",
        "f\"",
        "lambda",
        "\u{201c}",
    ] {
        holds(text);
    }
}

#[test]
fn chains_may_be_as_long_as_one_likes() {
    for (head, link) in [
        ("x = 1", " + 1"),
        ("x = a", ".b"),
        ("x = f", "(1)"),
        ("x = a", " |> f"),
        ("x = a", " ?? b"),
        ("x = a", "[0]"),
    ] {
        assert_eq!(
            codes(&format!("{head}{}", link.repeat(100_000))),
            Vec::<&str>::new(),
            "{link}"
        );
    }
    let lets = "let a = 1\n  ".repeat(100_000);
    assert_eq!(codes(&format!("f = (\n  {lets}a)")), Vec::<&str>::new());
    let bindings: String = (0..100_000).map(|n| format!("x{n} = {n}\n")).collect();
    assert_eq!(codes(&bindings), Vec::<&str>::new());
}

#[test]
fn nesting_ends_with_an_error() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a:", "}"),
        ("f(", ")"),
        ("-", ""),
        ("not ", ""),
        ("x => ", ""),
        ("if a then b else ", ""),
        ("2 ** ", ""),
        ("\"${", "}\""),
    ] {
        let nested = |depth: usize| format!("x = {}1{}", open.repeat(depth), close.repeat(depth));
        assert_eq!(codes(&nested(100)), Vec::<&str>::new(), "{open}");
        assert_eq!(codes(&nested(20_000)), ["E0113"], "{open}");
    }
    for (open, close) in [("List[", "]"), ("(", ")"), ("{ a: ", "}"), ("(A) -> ", "")] {
        let nested = |depth: usize| format!("type T = {}A{}", open.repeat(depth), close.repeat(depth));
        assert_eq!(codes(&nested(100)), Vec::<&str>::new(), "{open}");
        assert_eq!(codes(&nested(20_000)), ["E0113"], "{open}");
    }
    assert_eq!(
        codes(&format!(
            "x = match 1 {{ {}a{} => 1 }}",
            "{ a: ".repeat(20_000),
            "}".repeat(20_000)
        )),
        ["E0113"]
    );
    // JSON of 256 levels is fine.
    assert_eq!(
        codes(&format!("{}{}", "[".repeat(256), "]".repeat(256))),
        Vec::<&str>::new()
    );
}

#[test]
fn what_is_never_closed_takes_linear_time() {
    for text in [
        "(",
        "[",
        "{",
        "f(",
        "\"${",
        "{a:",
        "match x {",
        "\"\"\"\n${",
        "fn f(",
        "x = (\n",
        "x = \"a\n",
        "if a then ",
    ] {
        holds(&text.repeat(20_000));
    }
}

#[test]
fn what_is_skipped_has_text() {
    // Here nothing but the end of an open string is left to skip.
    holds("import ${}=\nimport \"");
}

/// The texts of the corpus.
fn corpus() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut texts: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .flat_map(|entry| {
            let file = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            file.split("# === ").map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    texts.sort();
    texts
}

/// A piece of syntax, to be put anywhere.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "(", ")", "[", "]", "{", "}", "\"", "\"\"\"", "${", "=", ":", ",", "\n", "\n  ", "-", " - ", "|>",
        "=>", "if ", " then ", " else ", "for ", "let ", "fn ", "match ", "import ", "x", "X", "1", "1.",
        "30min", "./", "..", "...", "?", "??", "not ", "#", "##", "'", "\\", "\u{e9}", "\u{201c}", ";", "$",
        "@",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_comes_back(text in "\\PC{0,80}|[\\x00-\\x7f]{0,80}") {
        holds(&text);
    }

    #[test]
    fn any_sequence_of_pieces_comes_back(pieces in prop::collection::vec(piece(), 0..60)) {
        holds(&pieces.concat());
    }

    #[test]
    fn mutated_programs_come_back(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), length in 0usize..6, new in piece()) {
        let texts = corpus();
        let mut chars: Vec<char> = which.get(&texts).chars().collect();
        let start = at.index(chars.len() + 1);
        let end = (start + length).min(chars.len());
        chars.splice(start..end, new.chars());
        let text: String = chars.into_iter().collect();
        holds(&text);
        // Lowering must take whatever the parser leaves.
        crate::lower::load_text(&text);
    }
}
