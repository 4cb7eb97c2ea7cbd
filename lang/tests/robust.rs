//! What nobody writes, and what is found in files all the same: large, deep, odd, endless. A message at its place, or a
//! result; sizes are such that what grows faster than its input would not end.

mod hold;

use mlp_lang::check::check;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::eval::{Bounds, Demand, Outcome, Render, Request, Target, evaluate_within};
use mlp_lang::lower::{Files, Loaded, load, load_text};
use mlp_lang::source::Span;
use std::fmt::Write;

const BOUNDS: Bounds = Bounds {
    steps: 500_000,
    memory: 256 << 20,
};

/// Evaluates one target, or all; what was found, and the values.
fn evaluated(mut loaded: Loaded, target: Option<&str>) -> (Loaded, Vec<Diagnostic>, Outcome) {
    let checked = check(&loaded.program, &loaded.sources);
    let demand = match target {
        None => Demand::All,
        Some(text) => {
            let source = loaded.sources.add("command line", text);
            let span = Span {
                source,
                start: 0,
                end: text.len() as u32,
            };
            Demand::Show(vec![Target {
                text: text.to_owned(),
                span,
            }])
        }
    };
    let outcome = evaluate_within(
        Request {
            core: &checked.core,
            sources: &loaded.sources,
            demand: &demand,
            render: Render::Text,
        },
        BOUNDS,
    );
    let mut found = loaded.diagnostics.clone();
    found.extend(checked.diagnostics);
    found.extend(outcome.diagnostics.iter().cloned());
    hold::well_formed(&found, &loaded.sources);
    (loaded, found, outcome)
}

/// `CODE line:column text under it` of each message, or the values.
fn said(text: &str) -> Vec<String> {
    let (loaded, found, outcome) = evaluated(load_text(text), None);
    if found.is_empty() {
        return outcome.values.into_iter().map(|value| value.text).collect();
    }
    found.iter().map(|found| place(&loaded, found)).collect()
}

fn place(loaded: &Loaded, found: &Diagnostic) -> String {
    let span = found.span();
    let before = &loaded.sources.get(span.source).text[..span.start as usize];
    let line = before.matches('\n').count() + 1;
    format!("{} {line} {}", found.code, loaded.sources.text(span))
}

#[test]
fn a_hundred_thousand_bindings() {
    hold::on_main_stack(|| {
        let mut text = String::from("a0 = 0\n");
        for n in 1..100_000 {
            writeln!(text, "a{n} = a{} + 1", n - 1).unwrap();
        }
        let (_, found, outcome) = evaluated(load_text(&text), None);
        assert_eq!(found, []);
        assert_eq!(
            outcome.values.last().map(|value| value.text.as_str()),
            Some("99999")
        );
        // Asked for the last alone, each waits for the one before it: that nests too deep, and is no crash.
        let (_, found, _) = evaluated(load_text(&text), Some("a99999"));
        assert_eq!(
            found.iter().map(|found| found.code).collect::<Vec<_>>(),
            ["E0407"]
        );
    });
}

#[test]
fn a_line_of_ten_megabytes() {
    let long = "ab ".repeat((10 << 20) / 3);
    assert_eq!(said(&format!("x = \"{long}\" == \"\"\n")), ["false"]);
    assert_eq!(said(&format!("x = 1 # {long}\n")), ["1"]);
    assert_eq!(said(&format!("x = 1 + y # {long}\n")), ["E0250 1 y"]);
    let (_, found, _) = evaluated(load_text(&format!("x = \"{long}\n")), None);
    assert_eq!(
        found.iter().map(|found| found.code).collect::<Vec<_>>(),
        ["E0102"]
    );
}

#[test]
fn a_list_of_half_a_million_numbers_on_one_line() {
    let list = "1,".repeat(500_000);
    assert_eq!(
        said(&format!("x = [{list}][0]\ny = len([{list}])\n")),
        ["1", "500000"]
    );
}

#[test]
fn huge_literals() {
    let digits = "9".repeat(100_000);
    for (text, code) in [
        (format!("x = {digits}"), "E0105"),
        (format!("x = -{digits}"), "E0105"),
        (format!("x = {digits}.5"), "E0105"),
        (format!("x = 1e{digits}"), "E0105"),
        (format!("x = {digits}d"), "E0105"),
        (format!("x = \"\\u{{{digits}}}\""), "E0103"),
    ] {
        let (_, found, _) = evaluated(load_text(&text), None);
        assert_eq!(
            found.first().map(|found| found.code),
            Some(code),
            "{}",
            &text[..20]
        );
        assert_eq!(found.len(), 1, "{}", &text[..20]);
    }
    assert_eq!(said(&format!("x = 0.{digits}")), ["1.0"]);
}

#[test]
fn line_ends_and_byte_order_marks_are_no_difference() {
    let text = "fn f(n: Int) =\n  let m = n\n  [m, # one\n  2]\nx = f(1)\ny = \"\"\"\n  a\n  b\n  \"\"\"\n";
    let expected = said(text);
    assert_eq!(expected.len(), 3);
    assert_eq!(said(&text.replace('\n', "\r\n")), expected);
    let mut files = Files::default();
    files.insert("main.mlp", format!("\u{feff}{text}").as_bytes());
    let (_, found, outcome) = evaluated(load(&files, "main.mlp"), None);
    assert_eq!(found, []);
    assert_eq!(outcome.values.len(), 3);
}

#[test]
fn bytes_that_do_not_belong_there() {
    assert_eq!(said("x = 1\0\n"), ["E0101 1 \0"]);
    assert_eq!(said("\u{1}x = 1\n"), ["E0101 1 \u{1}"]);
    assert_eq!(said(&"\0".repeat(100_000)).len(), 1);
    let mut files = Files::default();
    files.insert("main.mlp", b"x = 1\ny = \"\xff\"\n");
    let loaded = load(&files, "main.mlp");
    assert_eq!(
        loaded
            .diagnostics
            .iter()
            .map(|found| found.code)
            .collect::<Vec<_>>(),
        ["E0005"]
    );
    // A whole file of another kind.
    files.insert("main.mlp", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    assert_eq!(load(&files, "main.mlp").diagnostics.len(), 1);
}

#[test]
fn a_circle_of_a_thousand_files() {
    let texts: Vec<(String, String)> = (0..1000)
        .map(|n| {
            let next = (n + 1) % 1000;
            let text = format!("import ./m{next}.mlp\nx = m{next}.x\n");
            (format!("m{n}.mlp"), text)
        })
        .collect();
    let files = Files::new(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let loaded = load(&files, "m0.mlp");
    let codes: Vec<_> = loaded.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["E0010"]);
}

#[test]
fn what_does_not_end_is_stopped_at_its_line() {
    hold::on_main_stack(|| {
        let deep = "a = 1\nfn f(n: Int) -> Int =\n  1 + f(n + 1)\nx = f(0)\n";
        assert_eq!(said(deep), ["E0407 3 f(n + 1)"]);
        let long = "fn f(n: Int) = fold(range(n), 0, (s, i) => s + i)\n\nx = f(1_000_000)\n";
        assert_eq!(said(long), ["E0408 1 fold(range(n), 0, (s, i) => s + i)"]);
        let large = "a = 1\nx = range(100_000_000)\n";
        assert_eq!(said(large), ["E0409 2 range(100_000_000)"]);
        let text = "x = fold(range(60), \"ab\", (s, _) =>\n  s + s)\n";
        assert_eq!(said(text), ["E0409 2 s + s"]);
    });
}

#[test]
fn brackets_that_nest_fifty_thousand_deep() {
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{ a: ", "}"),
        ("f(", ")"),
        ("-", ""),
        ("not ", ""),
        ("x => ", ""),
    ] {
        for text in [
            format!("x = {}1{}", open.repeat(50_000), close.repeat(50_000)),
            format!("x = {}", open.repeat(50_000)),
        ] {
            let loaded = load_text(&text);
            hold::well_formed(&loaded.diagnostics, &loaded.sources);
            let errors = loaded.diagnostics.len();
            assert!((1..=2).contains(&errors), "{open}: {errors}");
        }
    }
}

#[test]
fn data_files_that_nest_a_hundred_thousand_deep() {
    for (path, text) in [
        ("d.json", "[".repeat(100_000) + &"]".repeat(100_000)),
        ("d.json", "{\"a\":".repeat(100_000)),
        ("d.yaml", "- ".repeat(100_000)),
        ("d.yaml", "[".repeat(100_000)),
        ("d.toml", format!("a = {}", "[".repeat(100_000))),
        ("d.toml", format!("{} = 1", vec!["a"; 100_000].join("."))),
    ] {
        let main = format!("x = import ./{path} as Json\n");
        let files = Files::new([("main.mlp", main.as_str()), (path, text.as_str())]);
        let (_, found, _) = evaluated(load(&files, "main.mlp"), None);
        assert_eq!(found.len(), 1, "{path} {}", &text[..5]);
    }
}
