//! Programs with a part missing or doubled: the checker never panics, and what it lets through the evaluator can run.

use mlp_lang::check::check;
use mlp_lang::diagnostic::Severity;
use mlp_lang::eval::{Demand, Render, Request, evaluate};
use mlp_lang::lower::load_text;

const PIPELINE: &str = include_str!("../../examples/digits/pipeline.mlp");

const LANGUAGE: &str = r#"
type Config = { lr: Float = 0.1, epochs: Int, note?: Str, sizes: List[Int] = [1, 2] }
enum Shape { Dot, Circle(radius: Float), Box(Float, Float = 1.0) }
param n: Int = 3
base: Config = { epochs: n, note: "a ${n}" }
fn area(s: Shape) = match s { Dot => 0.0, Circle(r) if r > 1.0 => r * r, Circle(radius = r) => r, Box(a, b) => a * b }
fn total(xs: List[Float]) -> Float = if len(xs) == 0 then 0.0 else xs[0] + total(drop(xs, 1))
fn pick[T](a: T?, b: T) = a ?? b
fn shift(by: Int, twice: Int = by + by, *, f: (Int) -> Int = x => x + twice) = f(by)
shapes = [Dot, Circle(2.0), Box(1.5), Box(1, 2)]
areas = shapes |> map(area) |> filter(a => a > 0.0)
table = { [str(i)]: { area: a, rank: -i } for i, a in areas if not (a == 2.0) }
more = { ...base, epochs: base.epochs ** 2 // 3 }
j: Json = { "a": [1, null, "x"], b: { c: 1.5 } }
d = decode[{ a: Json, b: { c: Float } }](j).b.c
f = (x: { name: Str, .. }) => x.name
g = f({ name: "g", size: 1 }) + join(["a", "b"], ",")
h = shift(1) + shift(2, twice = 1, f = y => y - 1)
i = let z = total(areas)
  let { lr, epochs } = { lr: 1, epochs: 2.0 }
  z * 2 + float(lr) / epochs
k = pick(null, 1) + pick(first([2]), 3)
"#;

/// The text cut into words and single signs, with the white space before each.
fn tokens(text: &str) -> Vec<&str> {
    let mut made = Vec::new();
    let mut start = 0;
    let mut in_word = false;
    for (at, c) in text.char_indices() {
        let word = c.is_alphanumeric() || c == '_';
        if at > start && !(word && in_word) {
            made.push(&text[start..at]);
            start = at;
        }
        in_word = word;
    }
    made.push(&text[start..]);
    made
}

fn run(text: &str) {
    let loaded = load_text(text);
    let checked = check(&loaded.program, &loaded.sources);
    let all = loaded.diagnostics.iter().chain(&checked.diagnostics);
    let failed = all.filter(|found| found.severity == Severity::Error).count() > 0;
    let outcome = evaluate(Request {
        core: &checked.core,
        sources: &loaded.sources,
        demand: &Demand::All,
        render: Render::Text,
    });
    // The evaluator says E0419 where a value is not what the checker promised.
    let broken = outcome.diagnostics.iter().find(|found| found.code == "E0419");
    assert!(broken.is_none(), "{broken:?}\nfailed: {failed}\n{text}");
}

/// Runs with the stack that the evaluator's depth is measured against.
fn on_main_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(16 << 20)
        .spawn(work)
        .expect("a thread can be made");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Leaves out every `step`-th part, one at a time.
fn without_each_part(text: &str, step: usize) {
    run(text);
    let tokens = tokens(text);
    for (index, token) in tokens.iter().enumerate().step_by(step) {
        if token.trim().is_empty() {
            continue;
        }
        let (before, after) = (tokens[..index].concat(), tokens[index + 1..].concat());
        run(&format!("{before} {after}"));
    }
}

fn with_each_part_changed(text: &str) {
    let tokens = tokens(text);
    for (index, token) in tokens.iter().enumerate() {
        let (before, after) = (tokens[..index].concat(), tokens[index + 1..].concat());
        for other in ["1", "x", "\"s\"", "null", "[", "Dot"] {
            if !token.trim().is_empty() && index % 11 == other.len() % 11 {
                run(&format!("{before}{other}{after}"));
            }
        }
    }
}

#[test]
fn a_pipeline_without_one_of_its_parts() {
    on_main_stack(|| without_each_part(PIPELINE, 3));
}

#[test]
fn a_program_without_each_of_its_parts() {
    on_main_stack(|| without_each_part(LANGUAGE, 1));
}

#[test]
fn programs_with_parts_changed() {
    on_main_stack(|| {
        with_each_part_changed(PIPELINE);
        with_each_part_changed(LANGUAGE);
    });
}

#[test]
fn the_whole_programs_are_right() {
    for text in [PIPELINE, LANGUAGE] {
        let loaded = load_text(text);
        let checked = check(&loaded.program, &loaded.sources);
        let found: Vec<_> = loaded.diagnostics.iter().chain(&checked.diagnostics).collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}
