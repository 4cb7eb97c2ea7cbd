//! This project's flake.nix, evaluated by the Nix that is installed with a package set of a few names, offline; and a target
//! that a flake exposes as a package, built for real. Where no Nix is, the tests say so and pass.

use crate::flakes::Nix;
use std::path::Path;

/// Packages that know their names, and `mkDerivation` as far as a package without a compiler needs it.
const STUB: &str = r#"{
  outputs = { self }: {
    legacyPackages.x86_64-linux = rec {
      package = name: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; };
      rustPlatform.buildRustPackage = args: package "${args.pname}-${args.version}" // { inherit args; };
      mkShell = args: package "shell" // { inherit args; };
      stdenvNoCC.mkDerivation = args: derivation {
        inherit (args) name src;
        system = "x86_64-linux"; builder = "/bin/bash"; PATH = "/usr/bin:/bin";
        # Nix ends a builder that closes its output, as cp does before it exits; so bash is not to become cp.
        args = [ "-ec" "cp -r $src work; chmod -R u+w work; cd work; ${args.buildPhase} ${args.installPhase} exit 0" ];
      };
      lib.licenses = { mit = "MIT"; asl20 = "Apache-2.0"; };
      cargo = package "cargo"; cargo-deny = cargo; clippy = cargo; gcc = cargo; python3 = cargo; rustc = cargo;
      rust-analyzer = cargo; rustfmt = cargo; python3Packages.pip = cargo;
    };
  };
}
"#;

/// What a flake of somebody else does with it.
const CONSUMER: &str = r#"{
  inputs.nixpkgs.url = "path:./nixpkgs";
  inputs.mlp.url = "path:./mlp";
  inputs.mlp.inputs.nixpkgs.follows = "nixpkgs";
  outputs = { self, nixpkgs, mlp }:
    let pkgs = nixpkgs.legacyPackages.x86_64-linux; in {
      packages.x86_64-linux.greeting = mlp.lib.pipeline {
        src = ./pipeline; target = "greeting"; settings = { who = "\"the world's\""; };
        mlp = "@MLP@";
      };
      overlaid = (mlp.overlays.default (pkgs // { rustPlatform.buildRustPackage = args: "of the final set"; }) pkgs).mlp;
    };
}
"#;

const PIPELINE: &str = r#"import std.{env, step}
param who: Str = "nobody"
greeting = step(
  ["sh", "-c", "printf %s \"$WHO\" > o"], env = env.host(["sh"]), vars = { WHO: who }, outputs = { text: File("o") },
)
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A copy of what the flake reads of this project: Nix would copy all of a checkout.
fn laid_out(nix: &Nix) {
    for path in [
        "flake.nix",
        "Cargo.toml",
        "Cargo.lock",
        "examples/flake/flake.nix",
        "examples/flake/pipeline.mlp",
    ] {
        nix.write(
            &format!("mlp/{path}"),
            &std::fs::read_to_string(root().join(path)).unwrap(),
        );
    }
    nix.write("nixpkgs/flake.nix", STUB);
    let programs = Path::new(env!("CARGO_BIN_EXE_mlp")).parent().unwrap();
    nix.write(
        "flake.nix",
        &CONSUMER.replace("@MLP@", &nix.path("programs").display().to_string()),
    );
    std::fs::create_dir_all(nix.path("programs")).unwrap();
    std::os::unix::fs::symlink(programs, nix.path("programs/bin")).unwrap();
    nix.write("pipeline/pipeline.mlp", PIPELINE);
}

#[test]
fn the_flake_evaluates_to_what_it_promises() {
    let Some(nix) = Nix::new() else { return };
    laid_out(&nix);
    let stub = format!("path:{}", nix.path("nixpkgs").display());
    let eval = |attribute: &str, apply: &str| -> serde_json::Value {
        let flake = format!("path:{}#{attribute}", nix.path("mlp").display());
        let out = nix.run(&[
            "eval",
            "--json",
            "--no-write-lock-file",
            "--override-input",
            "nixpkgs",
            &stub,
            &flake,
            "--apply",
            apply,
        ]);
        serde_json::from_str(&out).unwrap()
    };
    let name = eval("packages.x86_64-linux.default", "package: package.name");
    assert_eq!(name, format!("mlp-{}", env!("CARGO_PKG_VERSION")));
    let flags = eval(
        "packages.x86_64-linux.mlp",
        "package: package.args.cargoBuildFlags",
    );
    assert_eq!(
        flags,
        serde_json::json!(["--package", "mlp", "--package", "mlp-data"])
    );
    let tools = eval(
        "devShells.x86_64-linux.default",
        "shell: builtins.length shell.args.packages",
    );
    assert_eq!(tools, 9);
    let template = eval(
        "templates.default",
        "template: builtins.attrNames (builtins.readDir template.path)",
    );
    assert_eq!(template, serde_json::json!(["flake.nix", "pipeline.mlp"]));
}

#[test]
fn a_flake_exposes_a_target_as_a_package() {
    let Some(nix) = Nix::new() else { return };
    laid_out(&nix);
    let here = format!("path:{}", nix.path(".").display());
    nix.run(&["flake", "lock", &here]);
    let overlaid = nix.run(&["eval", "--raw", &format!("{here}#overlaid")]);
    assert_eq!(overlaid, "of the final set");
    let built = nix.run(&["build", "--no-link", "--json", &format!("{here}#greeting")]);
    let built: serde_json::Value = serde_json::from_str(&built).unwrap();
    let out = built[0]["outputs"]["out"].as_str().unwrap();
    let made: Vec<_> = std::fs::read_dir(out).unwrap().flatten().collect();
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(std::fs::read_to_string(made[0].path()).unwrap(), "the world's");
}

#[test]
fn the_template_is_a_pipeline_without_mistakes() {
    let project = crate::project::Project::new("");
    for path in ["flake.nix", "pipeline.mlp", "src/count.py", "points.csv"] {
        let from = root().join("examples/flake").join(path);
        project.write(path, &std::fs::read_to_string(from).unwrap());
    }
    let check = project.run(&["check"]);
    assert_eq!(
        (check.code, check.err.as_str()),
        (Some(0), "ok: no mistakes found\n")
    );
    // Its lock is for whoever takes it to write.
    let env = project.run(&["env", "check"]);
    assert_eq!(env.code, Some(1));
    assert!(env.err.contains("error E0605"), "{}", env.err);
}
