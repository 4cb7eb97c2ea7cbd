use super::*;
use crate::environment::flake_nix;

const HASH: &str = "sha256-wGRc7CElkkSWMzlYvEq9GB78TZCxrOpOTY/7Hka4DzE=";

/// The diagnostics of a flake whose inputs and whose lock's nodes are these: `code "text under it": message`.
fn complaints(inputs: &str, nodes: &str) -> Vec<String> {
    let flake = format!("{{ inputs = {{ {inputs} }}; outputs = x: x; }}");
    let lock = format!(r#"{{ "version": 7, "root": "root", "nodes": {{ {nodes} }} }}"#);
    let mut sources = Sources::default();
    let (flake, lock) = (sources.add("flake.nix", flake), sources.add("flake.lock", lock));
    let (flake, diagnostics) = flake_nix::read(&sources, flake);
    assert_eq!(diagnostics, []);
    let diagnostics = match read(&sources, lock) {
        Ok(lock) => check(&sources, &flake.unwrap(), &lock),
        Err(diagnostic) => vec![*diagnostic],
    };
    let line = |d: &Diagnostic| format!("{} {:?}: {}", d.code, sources.text(d.span()), d.message);
    diagnostics.iter().map(line).collect()
}

fn locked(name: &str, original: &str, inputs: &str) -> String {
    format!(
        r#""{name}": {{ "inputs": {{ {inputs} }}, "original": {{ {original} }},
           "locked": {{ "type": "github", "owner": "o", "repo": "{name}", "rev": "1", "narHash": "{HASH}" }} }}"#
    )
}

fn root(inputs: &str) -> String {
    format!(r#""root": {{ "inputs": {{ {inputs} }} }}"#)
}

const GITHUB: &str = r#""type": "github", "owner": "o", "repo": "a""#;
const INDIRECT: &str = r#""type": "indirect", "id": "b""#;

#[test]
fn a_lock_that_fits_is_fine() {
    let nodes = [
        root(r#""a": "a", "b": "b_2", "c": ["a", "b"], "d": []"#),
        locked("a", GITHUB, r#""b": ["b"], "e": "e""#),
        locked("b_2", INDIRECT, ""),
        locked("e", r#""type": "path", "path": "./e""#, r#""up": ["a"]"#),
    ];
    let inputs = r#"a.url = "github:o/a"; a.inputs.b.follows = "b"; b = { }; c.follows = "a/b"; d.follows = "";
      a.inputs.e.url = "path:./e"; a.inputs.e.inputs.up.follows = "a";"#;
    assert_eq!(complaints(inputs, &nodes.join(",")), [""; 0]);
}

#[test]
fn follows_are_resolved() {
    let nodes = [
        root(r#""a": "a", "b": "b", "c": ["a", "x"]"#),
        locked("a", GITHUB, r#""x": ["b"]"#),
        locked("b", INDIRECT, r#""back": ["a", "x", "back2"], "back2": []"#),
    ];
    let text = format!(
        r#"{{ "version": 7, "root": "root", "nodes": {{ {} }} }}"#,
        nodes.join(",")
    );
    let mut sources = Sources::default();
    let source = sources.add("flake.lock", text);
    let lock = read(&sources, source).unwrap();
    assert_eq!(lock.target("root", "c"), Ok("b"));
    assert_eq!(lock.target("b", "back"), Ok("root"));
    assert_eq!(lock.resolve(&["c".into(), "back2".into(), "a".into()]), Ok("a"));
    let order: Vec<_> = lock.reachable().iter().map(|reached| reached.name).collect();
    assert_eq!(order, ["root", "a", "b"]);
}

#[test]
fn a_lock_of_another_flake_is_told() {
    let a = [
        root(r#""a": "a""#),
        locked("a", GITHUB, r#""b": "b""#),
        locked("b", INDIRECT, ""),
    ]
    .join(",");
    for (inputs, complaint) in [
        (
            r#"a.url = "github:o/a/main";"#,
            r#"E0608 "\"github:o/a/main\"": flake.lock was written for another `a`"#,
        ),
        (
            r#"a.follows = "b"; "#,
            r#"E0608 "\"b\"": flake.lock was written for another `a`"#,
        ),
        (
            r#"a = { };"#,
            r#"E0608 "a": flake.lock was written for another `a`"#,
        ),
        (
            r#"a.url = "github:o/a"; a.inputs.b.follows = "";"#,
            r#"E0608 "\"\"": flake.lock was written for another `a/b`"#,
        ),
        (
            r#"a.url = "github:o/a"; new.url = "x";"#,
            r#"E0608 "new": flake.lock does not know the input `new`"#,
        ),
        (
            "",
            r#"E0608 "\"a\"": flake.lock has an input `a`, and flake.nix does not"#,
        ),
        (
            r#"a.url = "github:o/a"; a.inputs.z.follows = "";"#,
            r#"E0608 "z": `a/z` is overridden, and there is no such input"#,
        ),
        (
            r#"a = { url = "github:o/a"; flake = false; };"#,
            r#"E0608 "a": flake.lock has locked `a` as a flake"#,
        ),
    ] {
        assert_eq!(complaints(inputs, &a), [complaint]);
    }
}

#[test]
fn broken_and_circular_follows_are_told_once() {
    let input = r#"a.url = "github:o/a";"#;
    let nodes = [
        root(r#""a": "a""#),
        locked("a", GITHUB, r#""x": ["a", "y"], "y": ["a", "x"]"#),
    ]
    .join(",");
    assert_eq!(
        complaints(input, &nodes),
        [r#"E0610 "\"x\"": input `x` of `a` leads nowhere in flake.lock"#]
    );
    let nodes = [
        root(r#""a": "a""#),
        locked("a", GITHUB, r#""x": ["a", "y"], "y": "none""#),
    ]
    .join(",");
    assert_eq!(complaints(input, &nodes).len(), 2);
}

#[test]
fn a_long_way_of_follows_is_no_overflow() {
    let inputs: Vec<_> = (0..20_000)
        .map(|n| format!(r#""x{n}": ["x{}"]"#, n + 1))
        .collect();
    let text = format!(
        r#"{{ "version": 7, "root": "root", "nodes": {{ {} }} }}"#,
        root(&inputs.join(","))
    );
    let mut sources = Sources::default();
    let source = sources.add("flake.lock", text);
    let lock = read(&sources, source).unwrap();
    assert_eq!(lock.target("root", "x0"), Err(Broken::TooLong));
}

#[test]
fn what_is_not_pinned_or_only_here_is_told() {
    let local = format!(
        r#""a": {{ "original": {{ "type": "path", "path": "/home/me/a" }},
        "locked": {{ "type": "path", "path": "/home/me/a", "narHash": "{HASH}" }} }}"#
    );
    let nodes = [root(r#""a": "a""#), local].join(",");
    let told = complaints(r#"a.url = "/home/me/a";"#, &nodes);
    assert_eq!(told, [r#"E0611 "\"/home/me/a\"": only this machine has `a`"#]);
    let nodes = nodes.replace(HASH, "x");
    let told = complaints(r#"a.url = "/home/me/a";"#, &nodes);
    assert_eq!(
        told,
        [r#"E0606 "\"narHash\"": `narHash` of `a` is not `sha256-` with 44 letters of base 64"#]
    );
    let nodes = [
        root(r#""a": "a""#),
        locked("a", GITHUB, "").replace("\"narHash\"", "\"other\""),
    ]
    .join(",");
    let told = complaints(r#"a.url = "github:o/a";"#, &nodes);
    assert_eq!(
        told,
        [r#"E0609 "\"a\"": `a` is not pinned: the lock has no hash of its content"#]
    );
}

#[test]
fn no_lock_matters_where_there_are_inputs() {
    let mut sources = Sources::default();
    for (text, expected) in [
        ("{ outputs = { self }: { }; }", None),
        ("{ outputs = { self, nixpkgs }: { }; }", Some("E0605 \"nixpkgs\"")),
    ] {
        let source = sources.add("flake.nix", text);
        let told = missing(&flake_nix::read(&sources, source).0.unwrap());
        let told = told.map(|d| format!("{} {:?}", d.code, sources.text(d.span())));
        assert_eq!(told.as_deref(), expected);
    }
}

#[test]
fn what_is_no_lock_is_told_with_its_place() {
    let cases = [
        ("", r#"E0606 "": this flake.lock is not JSON"#),
        ("{\n<<<<<<< HEAD\n}", r#"E0606 "": this flake.lock is not JSON"#),
        ("[]", r#"E0606 "": a lock is a JSON object"#),
        (
            r#"{"version": 8}"#,
            r#"E0607 "\"version\"": flake.lock has version 8, and version 7 is what is understood"#,
        ),
        (
            r#"{"version": "7"}"#,
            r#"E0606 "\"version\"": `version` is missing, or not a number"#,
        ),
        (
            r#"{"version": 7, "root": "r", "nodes": {}}"#,
            r#"E0606 "\"root\"": the root, `r`, is not among the nodes"#,
        ),
        (
            r#"{"version": 7, "root": "r", "nodes": {"r": {"inputs": {"a": 1}}}}"#,
            r#"E0606 "\"a\"": input `a` of `r` is neither a node's name nor a list of names"#,
        ),
        (
            r#"{"version": 7, "root": "r", "nodes": {"r": {}, "a": {}}}"#,
            r#"E0606 "\"a\"": node `a` has no `original`"#,
        ),
        (
            r#"{"version": 7, "root": "r", "nodes": {"r": {}, "a": {"locked": {"type": "x"}}}}"#,
            r#"E0606 "\"locked\"": `locked` of `a` is no reference: `x` is no type of reference"#,
        ),
    ];
    for (text, expected) in cases {
        let mut sources = Sources::default();
        let source = sources.add("flake.lock", text);
        let told = read(&sources, source).unwrap_err();
        assert_eq!(
            format!("{} {:?}: {}", told.code, sources.text(told.span()), told.message),
            expected
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_mutation_of_a_lock_is_a_crash(edits in proptest::collection::vec((0..600usize, 0..12usize, "[ -~é\n]{0,3}"), 1..5)) {
        let nodes = [root(r#""a": "a", "b": ["a", "b"]"#), locked("a", GITHUB, r#""b": "b""#), locked("b", INDIRECT, "")];
        let mut text = format!(r#"{{ "version": 7, "root": "root", "nodes": {{ {} }} }}"#, nodes.join(","));
        for (at, length, new) in edits {
            let floor = |mut place: usize| { while !text.is_char_boundary(place) { place -= 1 } place };
            let start = floor(at.min(text.len()));
            let end = floor((start + length).min(text.len())).max(start);
            text.replace_range(start..end, &new);
        }
        let mut sources = Sources::default();
        let flake = sources.add("flake.nix", r#"{ inputs.a.url = "github:o/a"; inputs.b.follows = "a/b"; outputs = x: x; }"#);
        let source = sources.add("flake.lock", text);
        let flake = flake_nix::read(&sources, flake).0.unwrap();
        let told = match read(&sources, source) {
            Ok(lock) => check(&sources, &flake, &lock),
            Err(told) => vec![*told],
        };
        for label in told.iter().flat_map(|told| &told.labels) {
            sources.text(label.span);
        }
    }
}
