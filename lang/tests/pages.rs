//! The pages of the checker's errors: the wrong example of each gives its code and no other, the right one nothing.

use mlp_lang::check::check;
use mlp_lang::codes::codes;
use mlp_lang::lower::load_text;

/// The fence after `head`, if it is `.mlp`.
fn example(page: &str, head: &str) -> Option<String> {
    let fence = page.split_once(head)?.1.strip_prefix("```mlp\n")?;
    Some(fence.split_once("\n```")?.0.to_owned())
}

fn reported(text: &str) -> Vec<&'static str> {
    let loaded = load_text(text);
    let checked = check(&loaded.program, &loaded.sources);
    let all = loaded.diagnostics.iter().chain(&checked.diagnostics);
    // That an import is not used is beside the point of an example.
    all.map(|found| found.code)
        .filter(|code| *code != "E0270")
        .collect()
}

#[test]
fn examples_of_the_checker_hold() {
    let ours = |code: &str| {
        ("E0201".."E0250").contains(&code) || ("E0280".."E0300").contains(&code) || code == "E0401"
    };
    let mut count = 0;
    let mut failed = Vec::new();
    for code in codes().filter(|code| ours(code.code)) {
        if let Some(wrong) = example(code.page, "Wrong:\n") {
            count += 1;
            let found = reported(&wrong);
            if found != [code.code] {
                failed.push(format!("{}: wrong gives {found:?}", code.code));
            }
        }
        let right = example(code.page, "Right:\n")
            .map(|right| reported(&right))
            .unwrap_or_default();
        if !right.is_empty() {
            failed.push(format!("{}: right gives {right:?}", code.code));
        }
    }
    assert!(count > 25, "{count} examples");
    assert!(failed.is_empty(), "{failed:#?}");
}
