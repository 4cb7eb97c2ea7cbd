use super::*;

fn read_text(text: &str) -> (Option<Flake>, Vec<Diagnostic>, Sources) {
    let mut sources = Sources::default();
    let source = sources.add("flake.nix", text);
    let (flake, diagnostics) = read(&sources, source);
    (flake, diagnostics, sources)
}

fn flake(text: &str) -> Flake {
    let (flake, diagnostics, _) = read_text(text);
    assert_eq!(diagnostics, []);
    flake.unwrap()
}

/// Each diagnostic as `code "text under it": message`.
fn complaints(text: &str) -> Vec<String> {
    let (_, diagnostics, sources) = read_text(text);
    let line = |d: &Diagnostic| format!("{} {:?}: {}", d.code, sources.text(d.span()), d.message);
    diagnostics.iter().map(line).collect()
}

fn reference(url: &str) -> Target {
    Target::Reference(FlakeRef::parse(url).unwrap())
}

#[test]
fn all_forms_of_inputs_are_read() {
    let text = r#"{
      description = "tools";
      nixConfig.extra-substituters = [ "https://example.org" ];
      inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-24.05";
      inputs = {
        utils = { url = "github:numtide/flake-utils"; inputs.systems.follows = "systems"; };
        systems.url = github:nix-systems/default;
        "data" = { url = ''path:./data''; flake = false; };
        attrs = { type = "gitlab"; owner = "a"; repo = "b"; ref = "main"; };
        same.follows = "utils/systems";
        itself.follows = "";
        local.url = ./tools;
        named = { };
        git = (({ type = "git"; url = "https://h/r"; submodules = true; revCount = 3; }));
      };
      outputs = { self, nixpkgs, extra, ... } @ inputs: let x = 1; in { devShells = x; };
    }"#;
    let flake = flake(text);
    assert_eq!(flake.description.as_deref(), Some("tools"));
    let target = |name: &str| flake.inputs[name].target.clone();
    assert_eq!(target("nixpkgs"), reference("github:NixOS/nixpkgs/nixos-24.05"));
    assert_eq!(target("utils"), reference("github:numtide/flake-utils"));
    assert_eq!(target("systems"), reference("github:nix-systems/default"));
    assert_eq!(target("data"), reference("path:./data"));
    assert_eq!(target("attrs"), reference("gitlab:a/b/main"));
    assert_eq!(
        target("same"),
        Target::Follows(vec!["utils".into(), "systems".into()])
    );
    assert_eq!(target("itself"), Target::Follows(vec![]));
    assert_eq!(target("local"), reference("./tools"));
    assert_eq!(target("named"), Target::Unsaid);
    assert_eq!(target("extra"), Target::Unsaid);
    let Target::Reference(git) = target("git") else {
        panic!("git is a reference")
    };
    assert_eq!(
        (git.get("submodules"), git.get("revCount")),
        (Some("true"), Some("3"))
    );
    assert_eq!(flake.inputs.len(), 11);
    assert!(!flake.inputs["data"].flake);
    let systems = &flake.inputs["utils"].overrides["systems"];
    assert_eq!(systems.target, Target::Follows(vec!["systems".into()]));
}

#[test]
fn spans_lie_on_what_was_written() {
    let text = "{ inputs.a.url = \"github:o/r\"; outputs = { self, a }: { }; }";
    let (flake, _, sources) = read_text(text);
    let input = &flake.unwrap().inputs["a"];
    assert_eq!(
        (sources.text(input.name), sources.text(input.span)),
        ("a", "\"github:o/r\"")
    );
}

#[test]
fn what_only_evaluation_knows_is_said() {
    for (text, complaint) in [
        (
            "{ inputs = import ./inputs.nix; outputs = x: x; }",
            r#"E0603 "import ./inputs.nix": the inputs are computed"#,
        ),
        (
            "{ inputs = let a = 1; in { }; outputs = x: x; }",
            r#"E0603 "let a = 1; in { }": the inputs are computed"#,
        ),
        (
            "{ inputs.a = f 1; outputs = x: x; }",
            r#"E0603 "f 1": input `a` is computed"#,
        ),
        (
            "{ inputs.a.url = \"x\" + y; outputs = x: x; }",
            r#"E0603 "\"x\" + y": `url` of input `a` is computed"#,
        ),
        (
            "{ inputs.a.url = \"x${y}\"; outputs = x: x; }",
            r#"E0603 "\"x${y}\"": `url` of input `a` is computed"#,
        ),
        (
            "{ inputs.${a}.url = \"x\"; outputs = x: x; }",
            r#"E0603 "${a}": the name of an input is computed"#,
        ),
        (
            "{ inputs.a = { inherit (b) url; }; outputs = x: x; }",
            r#"E0603 "url": `url` of input `a` is computed"#,
        ),
        (
            "{ inputs.a.flake = x; outputs = x: x; }",
            r#"E0603 "x": whether `a` is a flake is computed"#,
        ),
        (
            "{ inputs.a.follows = x; outputs = x: x; }",
            r#"E0603 "x": what `a` follows is computed"#,
        ),
        (
            "{ inputs.a = \"b\"; outputs = x: x; }",
            r#"E0602 "\"b\"": input `a` is not a set"#,
        ),
        (
            "{ inputs.a.url = \"ftp://x\"; outputs = x: x; }",
            r#"E0604 "\"ftp://x\"": input `a` has no valid reference"#,
        ),
        (
            "{ inputs.a.owner = \"x\"; outputs = x: x; }",
            r#"E0604 "a": input `a` has `owner`, and no `type` that would give it a meaning"#,
        ),
        (
            "{ inputs.a.url = \"b\"; inputs.a.url = \"c\"; outputs = x: x; }",
            r#"E0601 "url": `url` is defined twice"#,
        ),
        (
            "let x = 1; in { outputs = y: y; }",
            r#"E0602 "": a flake is an attribute set"#,
        ),
        ("{ }", r#"E0602 "": this flake has no `outputs`"#),
        ("", r#"E0601 "": this flake.nix cannot be read as Nix"#),
        (
            "{ outputs = x: ; }",
            r#"E0601 ";": this flake.nix cannot be read as Nix"#,
        ),
    ] {
        assert_eq!(complaints(text), [complaint], "{text}");
    }
}

#[test]
fn one_bad_input_leaves_the_others() {
    let (flake, diagnostics, _) = read_text("{ inputs.a = f 1; inputs.b.url = \"x\"; outputs = x: x; }");
    let flake = flake.unwrap();
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(flake.inputs["a"].target, Target::Unknown);
    assert_eq!(flake.inputs["b"].target, reference("x"));
}

/// A person may hand us anything; the worst are files that are deep.
#[test]
fn no_depth_is_a_crash() {
    let pieces = [
        "[",
        "(",
        "{a=",
        "-",
        "!",
        "a:",
        "{a}:",
        "a//",
        "a++",
        "a->",
        "a+",
        "x ",
        "[a.]",
        "\"${",
        "''${",
        "a.",
        "a?b.",
        "{a.b.c.d=",
        "rec{",
        "let a=1;in ",
        "if a then b else ",
        "with a;",
        "a or ",
        "{inherit(",
        "a@{b?",
        "x==",
        "a.b or ",
        "(x:",
        "{ inputs.",
        "./${",
        "let{a=",
        "assert a;",
        "a|>",
        "a<|",
    ];
    for piece in pieces {
        let tokens = rnix::tokenize(piece).count();
        drop(read_text(&format!("{{ inputs.a = {}", piece.repeat(300))));
        // Longer than what is read, where nothing in it ends an expression.
        drop(read_text(&piece.repeat(20_000 / tokens)));
    }
    drop(read_text(&"-".repeat(3_000)));
}

#[test]
fn large_flakes_are_read() {
    let list = "\"x\" ".repeat(9_000);
    let many: String = (0..5_000).map(|n| format!("p{n} = {{ x = {n}; }};\n")).collect();
    let text = format!("{{ inputs.a.url = \"x\"; list = [ {list} ]; {many} outputs = x: x; }}");
    assert_eq!(flake(&text).inputs.len(), 1);
}

#[test]
fn deep_sets_are_unknown_and_not_a_crash() {
    let path = format!(
        "{{ inputs.a{}.url = \"x\"; outputs = x: x; }}",
        ".inputs.a".repeat(5_000)
    );
    assert_eq!(complaints(&path).len(), 1);
    let sets = format!(
        "{{ inputs.a = {}1{}; outputs = x: x; }}",
        "{ inputs.a = ".repeat(200),
        ";}".repeat(200)
    );
    assert_eq!(complaints(&sets).len(), 1);
}

const SAMPLE: &str = r#"{
  description = "d";
  inputs = { nixpkgs.url = "github:NixOS/nixpkgs/x"; b = { type = "git"; url = ''https://h/${"r"}''; flake = false; };
    c = { follows = "b/c"; inputs.d.follows = "nixpkgs"; }; };
  outputs = { self, nixpkgs, ... }@inputs: with nixpkgs; let x = [ 1 2.5 ./a <b> ~/c ]; in rec { y = a.b or (c: d) ? e; };
}"#;

proptest::proptest! {
    #[test]
    fn no_mutation_of_a_flake_is_a_crash(
        edits in proptest::collection::vec((0..SAMPLE.len(), 0..20usize, "[ -~é\n]{0,4}|\\$\\{|''|\\{|\\}|\\]|\"|;"), 1..8),
    ) {
        let mut text = SAMPLE.to_owned();
        for (at, length, new) in edits {
            let floor = |mut place: usize| { while !text.is_char_boundary(place) { place -= 1 } place };
            let start = floor(at.min(text.len()));
            let end = floor((start + length).min(text.len()));
            text.replace_range(start..end.max(start), &new);
        }
        let (_, diagnostics, sources) = read_text(&text);
        for diagnostic in diagnostics {
            for label in diagnostic.labels {
                sources.text(label.span);
            }
        }
    }

    #[test]
    fn no_text_is_a_crash(text in "([\\[\\]{}();:=.\"'$@?,!+-/*<>a \n]|let|in|rec|inherit|with|if|then|else|or|\\$\\{|''|//|é){0,60}") {
        drop(read_text(&text));
    }
}
