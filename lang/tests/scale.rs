//! Size: long chains and many bindings are checked without recursion and without slowing down out of proportion.

use mlp_lang::check::{Checked, check};
use mlp_lang::lower::load_text;
use std::fmt::Write;

fn checked(text: &str) -> Checked {
    let loaded = load_text(text);
    let found: Vec<_> = loaded
        .diagnostics
        .iter()
        .map(|found| &found.message)
        .take(3)
        .collect();
    assert!(found.is_empty(), "{found:?}");
    check(&loaded.program, &loaded.sources)
}

#[test]
fn a_chain_of_a_hundred_thousand_terms_is_checked() {
    let text = format!(
        "x = 1{}\ny = 1{} + 0.5",
        " + 1".repeat(100_000),
        " + 1".repeat(1_000)
    );
    let mut made = checked(&text);
    assert!(made.diagnostics.is_empty());
    let entry = made
        .core
        .entry
        .iter()
        .map(|(_, global)| made.core.globals[global.0 as usize].item);
    let items: Vec<_> = entry.flatten().collect();
    assert_eq!(made.types.item(items[0]).as_deref(), Some("Int"));
    assert_eq!(made.types.item(items[1]).as_deref(), Some("Float"));
}

#[test]
fn chains_of_pipes_comparisons_and_conditions_are_checked() {
    let pipes = format!("x = [1]{}", " |> map(a => a + 1)".repeat(5_000));
    let conditions = format!("y = true{}", " and 1 < 2".repeat(20_000));
    let wanted = format!("z: Float = 1{}", " + 1".repeat(20_000));
    let made = checked(&format!("{pipes}\n{conditions}\n{wanted}"));
    assert!(made.diagnostics.is_empty());
}

#[test]
fn ten_thousand_bindings_in_a_chain_are_checked() {
    let mut text = String::from("a0 = { n: 1 }\n");
    for n in 1..10_000 {
        writeln!(text, "a{n} = {{ n: a{}.n + 1 }}", n - 1).unwrap();
    }
    assert!(checked(&text).diagnostics.is_empty());
}

#[test]
fn a_type_that_doubles_with_each_binding_stays_small() {
    let mut text = String::from("a0 = { n: 1 }\n");
    for n in 1..200 {
        writeln!(text, "a{n} = {{ x: a{0}, y: a{0} }}", n - 1).unwrap();
    }
    let mut made = checked(&text);
    assert!(made.diagnostics.is_empty());
    let last = made
        .core
        .entry
        .last()
        .and_then(|(_, global)| made.core.globals[global.0 as usize].item)
        .unwrap();
    assert!(made.types.item(last).unwrap().len() < 10_000);
}

#[test]
fn a_type_that_nests_without_end_is_refused() {
    let mut text = String::from("a0 = 1\n");
    for n in 1..2_000 {
        writeln!(text, "a{n} = [a{}]", n - 1).unwrap();
    }
    let made = checked(&text);
    assert_eq!(
        made.diagnostics
            .iter()
            .map(|found| found.code)
            .collect::<Vec<_>>(),
        ["E0228"]
    );
}

#[test]
fn expressions_nested_as_deep_as_the_parser_allows_are_checked() {
    let deep =
        |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(240), close.repeat(240));
    let programs = [
        format!("x = {}", deep("[", "1", "]")),
        format!("x: Json = {}", deep("{ a: ", "1", "}")),
        format!("x = {}", deep("if true then 1 else ", "2", "")),
        format!("x = {}", deep("min(1, ", "2", ")")),
        format!("x = {}", deep("-(1 + ", "2", ")")),
        format!("x = {}", deep("map([1], a => sum(", "[2]", "))")),
        format!("x = {}", deep("[a for a in ", "[1]", "]")),
        format!("x = {}", deep("match 1 { _ => ", "2", "}")),
        format!("fn f(n: Int) =\n{}  n", "  let n = n + 1\n".repeat(240)),
        format!("x: {} = 1", deep("List[", "Int", "]")),
    ];
    for text in programs {
        let loaded = load_text(&text);
        // What nests too deep is an error of syntax; all else is checked.
        check(&loaded.program, &loaded.sources);
    }
}

#[test]
fn lets_and_alternatives_for_null_are_chains_of_any_length() {
    let lets = format!("fn f(n: Int) =\n{}  n", "  let n = n + 1\n".repeat(20_000));
    let nulls = format!("x = null{} ?? 1", " ?? null".repeat(20_000));
    let mut made = checked(&format!("{lets}\n{nulls}"));
    assert!(made.diagnostics.is_empty());
    let last = made
        .core
        .entry
        .last()
        .and_then(|(_, global)| made.core.globals[global.0 as usize].item);
    assert_eq!(made.types.item(last.unwrap()).as_deref(), Some("Int"));
}

#[test]
fn question_marks_may_be_many() {
    let text = format!("x: Int{} = 1\n", "?".repeat(100_000));
    let loaded = mlp_lang::lower::load_text(&text);
    assert_eq!(loaded.diagnostics, []);
}
