//! Edits, one after the other, of a project's files: where a check with summaries of what was not edited finds nothing, a check
//! of everything finds nothing.

use super::*;
use crate::check::check_needed;
use crate::lower::{Files, Loaded, Made, load_mentioned, set};
use crate::source::World;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The entry is the first; of each file what may stand in it.
const FILES: &[(&str, &[&str])] = &[
    (
        "pipeline.mlp",
        &[
            "import ./runs.mlp\n\nall = { runs: runs.all, best: runs.fits[0] }\n",
            "import ./runs.mlp\nimport ./sizes.mlp\n\nall = [runs.first, ...runs.all]\nn = sizes.width * 2\n",
            "import std.data\nimport ./sizes.mlp\n\nx = data.pixels(\"p*\", channels = 1, height = sizes.width, width = 8)\n",
            "import ./runs.mlp\nimport std.{metrics, ml}\n\nagain = ml.evaluate(runs.fits[0].model, on = runs.parts.test, metrics = { f1: metrics.f1(average = \"macro\") })\n",
            "import ./runs.mlp\nimport ./make.mlp\n\nscore = runs.all[0].accuracy\nbest = max_by(runs.all, e => e.accuracy)\nmore = make.times(3)\n",
            "import ./runs.mlp\nimport std.env\n\nkeep = step([\"cat\", runs.fits[0].model], env = env.host([\"cat\"]), outputs = { out: File(\"o\") })\nhistory = runs.fits[0].history\n",
            "import ./words.mlp\nimport ./sizes.mlp\n\nsame = words.names == [\"a\", \"b\"] and words.table[\"a\"] == sizes.width\npath = words.path\nkind = match words.maybe { null => 0, n => n }\n",
            "import ./words.mlp\n\ntext = \"${words.names[0]}-${words.half}\"\nbig = Large\nlabel = words.table\nfirst = words.pick\n",
            "import ./runs.mlp\n\nparam n: Int = 1\n\nwrong = runs.all[n] + 1\n",
            "import ./sizes.mlp\n\nassert(sizes.width < 10, \"too wide\")\n",
            "import ./sizes.mlp\n\nlist = [i for i in range(sizes.width)]\ndeep = list[8]\n",
        ],
    ),
    (
        "runs.mlp",
        &[
            "import std.{data, loss, metrics, ml, optim}\nimport ./sizes.mlp\nimport ./make.mlp\n\ndigits = data.csv(./d.csv, x = data.pixels(\"p*\", channels = 1, height = 8, width = 8), y = data.label(\"y\", classes = 10))\nparts = data.split(digits, { train: 0.8, test: 0.2 }, seed = 1)\nfits = [ml.train(make.net(w), on = parts.train, loss = loss.cross_entropy, optimizer = optim.adam(lr = 0.1), epochs = 1, batch_size = 8, seed = 2) for w in [sizes.width, 8]]\nfirst = ml.evaluate(fits[0].model, on = parts.test, metrics = { accuracy: metrics.accuracy })\nall = [first]\n",
            "import std.{data, loss, metrics, ml, nn, optim}\n\ndigits = data.csv(./d.csv, x = data.pixels(\"p*\", channels = 1, height = 4, width = 4), y = data.label(\"y\", classes = 3))\nparts = data.split(digits, { train: 0.8, val: 0.1, test: 0.1 }, seed = 1)\nfits = [ml.train(nn.sequential([nn.flatten, nn.linear(3)]), on = parts.train, val = parts.val, loss = loss.cross_entropy, optimizer = optim.adam(lr = lr), epochs = 1, batch_size = 8, seed = 2, metrics = { accuracy: metrics.accuracy }) for lr in [0.1, 0.2]]\nfirst = fits[0].val\nall = [fit.val for fit in fits]\n",
            "import ./sizes.mlp\n\nfits = [{ model: sizes.width, history: 1 }]\nparts = { test: 1 }\nfirst = { accuracy: 0.5 }\nall = [{ accuracy: 0.25 }, first]\n",
            "first = { accuracy: }\nall = [first]\n",
        ],
    ),
    (
        "make.mlp",
        &[
            "import std.nn\nimport ./sizes.mlp\n\nfn net(w: Int) = nn.sequential([nn.flatten, nn.linear(w), nn.relu, nn.linear(10)])\nfn times(x: Int) = x * sizes.width\n",
            "import std.nn\n\nenum Size { Small, Large }\nfn net(w: Int) = nn.sequential([nn.linear(w), nn.conv2d(3, kernel_size = 3)])\nfn times(x: Float) = x\n",
        ],
    ),
    (
        "sizes.mlp",
        &[
            "width = 8\n",
            "width = 4 + 5\n",
            "width = \"wide\"\n",
            "width = (import ./sizes.json as { width: Int }).width\n",
        ],
    ),
    (
        "words.mlp",
        &[
            "import ./sizes.mlp\nimport ./kinds.mlp\n\nnames = [\"a\", \"b\"]\ntable: Map[Int] = { a: 8, b: sizes.width }\npath = ./d.csv\nmaybe: Int? = null\nhalf = 0.5\npick = kinds.default\n",
            "import ./kinds.mlp\n\nnames = [\"a\", \"b\", \"c\"]\ntable = { a: 4 }\npath = \"d.csv\"\nmaybe = 3\nhalf = 0.5e-3\npick = if kinds.is_large then 1 else 2\n",
        ],
    ),
    (
        "kinds.mlp",
        &[
            "enum Kind { Little, Large }\n\ndefault = Large\nis_large = default == Large\n",
            "enum Kind { Little, Great }\n\ndefault = Kind.Great\nis_large = false\n",
        ],
    ),
    (
        "sizes.json",
        &["{ \"width\": 8 }", "{ \"width\": 9 }", "{ \"width\": null }"],
    ),
];

const ENTRY: &str = FILES[0].0;

type Texts = BTreeMap<&'static str, &'static str>;
/// Of each file the texts that were read for it and for those that it imports.
type Read = BTreeMap<String, BTreeMap<String, Rc<str>>>;

/// Notes what is read, and hands it on.
fn world(texts: &Texts) -> Files {
    Files::new(texts.iter().map(|(path, text)| (*path, *text)))
}

/// What a check came to.
struct Check {
    said: Vec<String>,
    lacks: bool,
    summaries: Summaries,
    read: Read,
}

fn check(texts: &Texts, settings: &[(&str, &str)], known: Summaries, before: &Read) -> Check {
    let world = world(texts);
    let also: Vec<&str> = settings.iter().map(|(_, text)| *text).collect();
    let mut loaded = load_mentioned(&world, ENTRY, known, &also);
    for (name, text) in settings {
        set(&mut loaded, &world, name, text);
    }
    let made = loaded.made_of();
    let read = read(&loaded, &made, &world, before);
    let mut checked = check_needed(&loaded.program, &loaded.sources);
    let (outcome, summaries) = evaluate_all(&loaded.program, &loaded.sources, &mut checked, &made);
    let all = loaded
        .diagnostics
        .iter()
        .chain(&checked.diagnostics)
        .chain(&outcome.diagnostics);
    Check {
        said: all
            .map(|found| format!("{} {}", found.code, found.message))
            .collect(),
        lacks: outcome.lacks || checked.lacks,
        summaries,
        read,
    }
}

fn read(loaded: &Loaded, made: &[Made], world: &Files, before: &Read) -> Read {
    let path = |at: usize| {
        loaded
            .sources
            .get(loaded.program.modules[at].source)
            .path
            .to_string()
    };
    let mut all: Read = BTreeMap::new();
    for (index, (module, made)) in loaded.program.modules.iter().zip(made).enumerate() {
        let mut read = BTreeMap::new();
        if module.summary.is_some() {
            read.clone_from(&before[&path(index)]);
        }
        for file in &made.files {
            let bytes = world.read(file).unwrap();
            read.insert(file.to_string(), std::str::from_utf8(&bytes).unwrap().into());
        }
        for import in &made.imports {
            read.extend(all[&path(import.0 as usize)].clone());
        }
        all.insert(path(index), read);
    }
    all
}

/// Checks after each of `edits`, and gives how often summaries were enough.
fn all_hold(edits: &[(usize, usize)], settings: &[(&str, &str)]) -> usize {
    let mut texts: Texts = FILES.iter().map(|(path, texts)| (*path, texts[0])).collect();
    let (mut known, mut read) = (Summaries::default(), Read::new());
    let mut enough = 0;
    for (file, text) in edits {
        let (path, of) = FILES[file % FILES.len()];
        texts.insert(path, of[text % of.len()]);
        let whole = check(&texts, settings, Summaries::default(), &BTreeMap::new());
        let mut same = known.clone();
        same.retain(|path| {
            let mut read = read[path].iter();
            read.all(|(path, text)| texts.get(path.as_str()).is_some_and(|now| **now == **text))
        });
        if !same.is_empty() {
            // What is remembered goes through its bytes.
            let bytes = serde_json::to_string(&same).unwrap();
            let same: Summaries = serde_json::from_str(&bytes).unwrap();
            let part = check(&texts, settings, same, &read);
            if part.said.is_empty() && !part.lacks {
                assert!(
                    whole.said.is_empty(),
                    "not said: {:#?}\nof {texts:#?}",
                    whole.said
                );
                enough += 1;
                (known, read) = (part.summaries, part.read);
                continue;
            }
        }
        if whole.said.is_empty() {
            assert!(!whole.lacks);
            (known, read) = (whole.summaries, whole.read);
        }
    }
    enough
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_left_unsaid(edits in prop::collection::vec((0..FILES.len(), 0..12_usize), 1..16)) {
        all_hold(&edits, &[]);
    }
}

/// Edits of the entry after a check of everything.
fn of_entry(variants: &[usize]) -> Vec<(usize, usize)> {
    variants.iter().map(|variant| (0, *variant)).collect()
}

#[test]
fn an_edit_of_the_entry_needs_no_other_file() {
    assert_eq!(all_hold(&of_entry(&[0, 1, 0, 1]), &[]), 3);
}

#[test]
fn artifacts_are_passed_on_and_given_to_steps() {
    assert_eq!(all_hold(&of_entry(&[0, 5, 0]), &[]), 2);
}

#[test]
fn who_looks_behind_an_artifact_checks_everything() {
    // It is evaluated on data of which a summary says nothing; the sizes are those of a binding.
    assert_eq!(all_hold(&of_entry(&[0, 3]), &[]), 0);
    assert_eq!(all_hold(&of_entry(&[1, 2]), &[]), 0);
}

#[test]
fn an_edit_of_one_file_leaves_the_others() {
    let words = 4;
    assert_eq!(
        all_hold(&[(0, 6), (words, 0), (words, 0), (words, 1), (words, 0)], &[]),
        3
    );
}

#[test]
fn what_evaluations_took_adds_up() {
    let texts: Texts = FILES.iter().map(|(path, texts)| (*path, texts[0])).collect();
    let whole = check(&texts, &[], Summaries::default(), &BTreeMap::new());
    let first = whole.summaries.spent;
    assert!(first.steps > 0 && first.memory > 0 && first.depth > 0);
    let part = check(&texts, &[], whole.summaries.clone(), &whole.read);
    assert!(part.said.is_empty() && !part.lacks);
    assert!(part.summaries.spent.steps >= first.steps && part.summaries.spent.depth > first.depth);
    let mut spent = whole.summaries;
    spent.spent.depth = 2_500;
    let part = check(&texts, &[], spent, &whole.read);
    assert_eq!(part.said, ["E0407 calls nested too deep"]);
}
