use super::*;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn pages_are_in_form() {
    let mut before = "";
    for code in codes() {
        assert!(before < code.code, "sorted: {}", code.code);
        before = code.code;
        assert!(
            code.page
                .starts_with(&format!("# {}: {}\n\n", code.code, code.title)),
            "{}",
            code.code
        );
        if code.code > "E05" {
            continue;
        }
        for part in ["\nWrong:\n```", "\nRight:\n```"] {
            assert!(code.page.contains(part), "{} has no {part:?}", code.code);
        }
    }
    assert_eq!(find("e0310").map(|code| code.title), Some("shape mismatch"));
}

/// The codes that the sources under `folder` mention between quotation marks.
fn mentioned(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            mentioned(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for (at, _) in text.match_indices("\"E0") {
                let code = &text[at + 1..];
                if code.as_bytes().get(5) == Some(&b'"')
                    && code[1..5].bytes().all(|byte| byte.is_ascii_digit())
                {
                    found.insert(code[..5].to_owned());
                }
            }
        }
    }
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let mut found = BTreeSet::new();
    mentioned(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    // From E05 on they are the engine's.
    let pages: BTreeSet<String> = codes()
        .map(|code| code.code.to_owned())
        .filter(|code| code.as_str() < "E05")
        .collect();
    let without_page: Vec<_> = found.difference(&pages).collect();
    let without_code: Vec<_> = pages.difference(&found).collect();
    assert!(
        without_page.is_empty(),
        "no page in docs/errors: {without_page:?}"
    );
    assert!(without_code.is_empty(), "nothing reports: {without_code:?}");
}

/// The text of the fence after `head`, if it is `.mlp`.
fn example(page: &str, head: &str) -> Option<String> {
    let fence = page.split_once(head)?.1.strip_prefix("```mlp\n")?;
    Some(fence.split_once("\n```")?.0.to_owned())
}

/// The wrong example of each page of syntax and names gives its code and no other error, the right one no error.
#[test]
fn examples_of_syntax_and_names_hold() {
    let ours = |code: &str| {
        (("E0101".."E02").contains(&code) || ("E0250".."E0280").contains(&code)) && code != "E0113"
    };
    let mut wrong_ones = Vec::new();
    for code in codes().filter(|code| ours(code.code)) {
        let reported = |text: &str| -> Vec<&str> {
            let loaded = crate::lower::load_text(text);
            loaded
                .diagnostics
                .iter()
                .map(|diagnostic| diagnostic.code)
                .collect()
        };
        let wrong = example(code.page, "Wrong:\n").unwrap_or_default();
        let right = example(code.page, "Right:\n").unwrap_or_default();
        let (wrong, right) = (reported(&wrong), reported(&right));
        if !wrong.iter().all(|found| *found == code.code) || wrong.is_empty() || !right.is_empty() {
            wrong_ones.push(format!(
                "{}: wrong gives {wrong:?}, right gives {right:?}",
                code.code
            ));
        }
    }
    assert!(wrong_ones.is_empty(), "{wrong_ones:#?}");
}
