//! A load of what a project mentions of the library is a load of all of it, where nobody is told anything: the same values and
//! specs come out, and in the places where they were written.

use mlp_lang::check::{check, check_needed};
use mlp_lang::eval::{Bounds, Demand, Outcome, Render, Request, evaluate_within};
use mlp_lang::lower::{Files, Loaded, load, load_mentioned};
use mlp_lang::summary::Summaries;
use std::path::Path;

fn outcome(loaded: &Loaded, is_whole: bool) -> Option<Outcome> {
    let checked = match is_whole {
        true => check(&loaded.program, &loaded.sources),
        false => check_needed(&loaded.program, &loaded.sources),
    };
    let is_silent = loaded.diagnostics.is_empty() && checked.diagnostics.is_empty();
    let request = Request {
        core: &checked.core,
        sources: &loaded.sources,
        demand: &Demand::All,
        render: Render::Text,
    };
    // Some of the documents' programs never end.
    let bounds = Bounds {
        steps: 50_000,
        memory: 16 << 20,
    };
    is_silent.then(|| evaluate_within(request, bounds))
}

/// Whether the program is without mistakes.
fn compare(title: &str, files: &Files, entry: &str) -> bool {
    let whole = outcome(&load(files, entry), true);
    let part = outcome(&load_mentioned(files, entry, Summaries::default(), &[]), false);
    assert_eq!(part.is_some(), whole.is_some(), "{title}");
    let (Some(part), Some(whole)) = (part, whole) else {
        return false;
    };
    assert_eq!(part.values, whole.values, "{title}");
    assert_eq!(part.evaluation.specs, whole.evaluation.specs, "{title}");
    assert_eq!(part.evaluation.targets, whole.evaluation.targets, "{title}");
    assert_eq!(part.diagnostics, whole.diagnostics, "{title}");
    true
}

/// The texts between ``` of a document.
fn blocks(document: &str) -> impl Iterator<Item = &str> {
    let fenced = document.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n').map(|(_, text)| text))
}

#[test]
fn the_documents_programs() {
    // As deep as the main thread's.
    let run = std::thread::Builder::new()
        .stack_size(16 << 20)
        .spawn(all_documents);
    run.expect("a thread starts").join().expect("all hold");
}

fn all_documents() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut clean = 0;
    for folder in ["tests/literate", "../docs", "../docs/errors"] {
        let mut paths: Vec<_> = std::fs::read_dir(root.join(folder))
            .expect("the folder is there")
            .map(|entry| entry.expect("it can be read").path())
            .collect();
        paths.sort();
        for path in paths
            .iter()
            .filter(|path| path.extension().is_some_and(|of| of == "md"))
        {
            let document = std::fs::read_to_string(path).expect("it is text");
            for text in blocks(&document) {
                let files = Files::new([("pipeline.mlp", text)]);
                clean += usize::from(compare(
                    &format!("{}\n{text}", path.display()),
                    &files,
                    "pipeline.mlp",
                ));
            }
        }
    }
    assert!(clean > 150, "{clean} programs without mistakes");
}

#[test]
fn imports_in_any_form() {
    let entry = "import ./lib/make.mlp\nimport ./\"lib/other.mlp\" as other\nimport std.nn as layers\n\nnet = layers.sequential([make.one, other.two, layers.linear(3)])\nn = other.n |> sum\n";
    let make = "import ../shared.mlp\nimport std.nn\n\none = shared.wrap(nn.conv2d(8, kernel_size = 3))\n";
    let shared = "import std.nn\n\nfn wrap(layer: Layer) = nn.residual(layer)\n";
    let other = "import std.nn\n\ntwo = nn.flatten\nn = map([1, 2], x => x * 2)\n";
    let files = Files::new([
        ("pipeline.mlp", entry),
        ("lib/make.mlp", make),
        ("lib/other.mlp", other),
        ("shared.mlp", shared),
    ]);
    assert!(compare("files", &files, "pipeline.mlp"));
}
