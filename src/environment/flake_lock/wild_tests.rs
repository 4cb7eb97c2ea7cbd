//! Flakes and locks as nobody would write them: no text is a crash, none takes long, and what is said points into the text.

use super::*;
use crate::environment::flake_nix;
use crate::environment::key::FlakeShell;
use proptest::collection::vec;
use proptest::prelude::*;

/// Flakes as they are found, in many styles.
const FLAKES: &[&str] = &[
    r#"{
  description = "A Rust project";
  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    rust-overlay = { url = "github:oxalica/rust-overlay"; inputs.nixpkgs.follows = "nixpkgs"; };
    flake-utils.url = "github:numtide/flake-utils";
  };
  outputs = { self, nixpkgs, rust-overlay, flake-utils, ... }:
    flake-utils.lib.eachDefaultSystem (system:
      let
        overlays = [ (import rust-overlay) ];
        pkgs = import nixpkgs { inherit system overlays; };
      in with pkgs; {
        devShells.default = mkShell { buildInputs = [ openssl pkg-config (rust-bin.stable.latest.default.override { extensions = [ "rust-src" ]; }) ]; };
      });
}"#,
    r#"# CUDA
{
  nixConfig = { extra-substituters = [ "https://cuda-maintainers.cachix.org" ]; };
  inputs.nixpkgs.url = github:NixOS/nixpkgs/nixos-24.05;
  inputs.data = { url = "path:./data"; flake = false; };
  inputs."poetry2nix" = { type = "github"; owner = "nix-community"; repo = "poetry2nix"; ref = "master"; };
  outputs = inputs@{ self, nixpkgs, ... }: let
      forAll = f: nixpkgs.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (s: f nixpkgs.legacyPackages.${s});
    in {
      devShells = forAll (pkgs: { train = pkgs.mkShell { packages = [ (pkgs.python311.withPackages (p: with p; [ numpy torch ])) ];
        shellHook = ''
          export X=${pkgs.hello}/bin ''${not} $''
          echo "done"
        ''; }; });
    };
}"#,
    "{ outputs = _: { }; }",
    "{inputs={a.url=\"a\";b.follows=\"a/c\";b.inputs.d.inputs.e.follows=\"\";};outputs=f;}",
];

/// An edit: where, how many bytes go, what comes.
type Edit = (usize, usize, String);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let pieces = prop_oneof![
        "[ -~\u{e9}\u{1f600}\n]{0,4}",
        Just("${".to_owned()),
        Just("''".to_owned()),
        Just("inputs = { ".to_owned()),
        Just("follows = \"a/b\"; ".to_owned()),
        Just(r#"["root", "a"]"#.to_owned()),
        Just("\u{0}\u{feff}\u{202e}".to_owned()),
        Just("{ a = ".repeat(400)),
    ];
    vec((any::<usize>(), 0..40usize, pieces), 0..8)
}

fn edited(text: &str, edits: Vec<Edit>) -> String {
    let mut text = text.to_owned();
    for (at, length, new) in edits {
        let floor = |text: &str, mut place: usize| {
            while !text.is_char_boundary(place) {
                place -= 1;
            }
            place
        };
        let start = floor(&text, at % (text.len() + 1));
        let end = floor(&text, (start + length).min(text.len())).max(start);
        text.replace_range(start..end, &new);
    }
    text
}

/// Reads a flake with its lock, and everything that is made of them.
fn read_all(flake: &str, lock: &str) {
    let mut sources = Sources::default();
    let (nix, lock) = (sources.add("flake.nix", flake), sources.add("flake.lock", lock));
    drop(flake_nix::reads(flake));
    let (flake, mut told) = flake_nix::read(&sources, nix);
    match read(&sources, lock) {
        Ok(lock) => {
            told.extend(flake.iter().flat_map(|flake| check(&sources, flake, &lock)));
            let reached = lock.reachable();
            assert!(reached.len() <= lock.nodes.len());
            for one in &reached {
                assert!(one.inputs.iter().all(|(_, place)| *place < reached.len()));
            }
            let shell = FlakeShell {
                tree: None,
                lock: Some(&lock),
                system: "x86_64-linux",
                shell: "default",
            };
            shell.canonical().unwrap();
        }
        Err(error) => told.push(*error),
    }
    told.extend(flake.iter().filter_map(missing));
    for told in &told {
        assert!(!told.message.is_empty());
        for label in &told.labels {
            sources.text(label.span);
        }
    }
}

/// A lock of nodes `n0`, `n1`, … in which edges lead anywhere: nodes that are not there, circles, ways through ways.
fn graph() -> impl Strategy<Value = String> {
    let edge = prop_oneof![
        (0..9usize).prop_map(|node| format!("\"n{node}\"")),
        vec(0..5usize, 0..5).prop_map(|way| {
            let way: Vec<_> = way.iter().map(|input| format!("\"i{input}\"")).collect();
            format!("[{}]", way.join(","))
        }),
    ];
    vec((vec((0..5usize, edge), 0..5), any::<bool>()), 1..8).prop_map(|nodes| {
        let node = |(name, (inputs, flake)): (usize, (Vec<(usize, String)>, bool))| {
            let inputs: Vec<_> = inputs.iter().map(|(name, edge)| format!("\"i{name}\": {edge}")).collect();
            format!(
                r#""n{name}": {{ "inputs": {{ {} }}, "flake": {flake},
                   "original": {{ "type": "indirect", "id": "n{name}" }}, "locked": {{ "type": "path", "path": "/n{name}" }} }}"#,
                inputs.join(", ")
            )
        };
        let nodes: Vec<_> = nodes.into_iter().enumerate().map(node).collect();
        format!(r#"{{ "version": 7, "root": "n0", "nodes": {{ {} }} }}"#, nodes.join(", "))
    })
}

proptest! {
    #[test]
    fn no_flake_and_no_lock_is_a_crash(
        flake in 0..FLAKES.len(), edits in edits(), lock in graph(), lock_edits in edits(),
    ) {
        read_all(&edited(FLAKES[flake], edits), &edited(&lock, lock_edits));
    }

    #[test]
    fn edges_that_lead_anywhere_end_somewhere(lock in graph()) {
        let flake = "{ inputs.i0.follows = \"i1/i2\"; inputs.i1.url = \"n1\"; inputs.i2.inputs.i0.follows = \"\"; outputs = x: x; }";
        read_all(flake, &lock);
    }

    #[test]
    fn no_bytes_are_a_crash(bytes in vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        read_all(&text, &text);
        read_all(FLAKES[0], &text);
    }
}

/// Ways that fork at every step: to go along them one by one would take 2^60 steps.
#[test]
fn ways_that_fork_are_walked_once() {
    let edges: Vec<_> = (0..60)
        .map(|n| format!(r#""i{n}": ["i{}", "i{}"]"#, n + 1, n + 1))
        .chain([r#""i60": "root""#.to_owned()])
        .collect();
    let lock = format!(
        r#"{{ "version": 7, "root": "root", "nodes": {{ "root": {{ "inputs": {{ {} }} }} }} }}"#,
        edges.join(", ")
    );
    read_all(FLAKES[0], &lock);
    let mut sources = Sources::default();
    let source = sources.add("flake.lock", lock);
    assert_eq!(read(&sources, source).unwrap().target("root", "i0"), Ok("root"));
}

#[test]
fn large_locks_are_read_and_their_mistakes_are_not_endless() {
    let node = |n: usize| {
        format!(
            r#""n{n}": {{ "original": {{ "type": "indirect", "id": "n" }}, "locked": {{ "type": "path", "path": "/n{n}" }} }}"#
        )
    };
    let nodes: Vec<_> = (0..5_000).map(node).collect();
    let inputs: Vec<_> = (0..5_000).map(|n| format!("\"i{n}\": \"n{n}\"")).collect();
    let lock = format!(
        r#"{{ "version": 7, "root": "root", "nodes": {{ {}, "root": {{ "inputs": {{ {} }} }} }} }}"#,
        nodes.join(", "),
        inputs.join(", ")
    );
    let mut sources = Sources::default();
    let (nix, source) = (
        sources.add("flake.nix", FLAKES[2]),
        sources.add("flake.lock", lock),
    );
    let flake = flake_nix::read(&sources, nix).0.unwrap();
    let lock = read(&sources, source).unwrap();
    assert_eq!(lock.reachable().len(), 5_001);
    assert_eq!(check(&sources, &flake, &lock).len(), 50);

    let huge = sources.add("flake.lock", " ".repeat(9 << 20));
    assert_eq!(
        read(&sources, huge).unwrap_err().message,
        "this flake.lock has more than 8 MiB"
    );
}

#[test]
fn deep_texts_are_told_of() {
    for piece in ["[", "{\"a\":", "[{\"nodes\":"] {
        read_all(FLAKES[0], &piece.repeat(100_000));
    }
}
