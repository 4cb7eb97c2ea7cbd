{
  description = "mlp: a declarative, reproducible build system for machine learning";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      # The bits of a training are pinned to AVX2, and the sandbox is Linux's.
      system = "x86_64-linux";
      pkgs = nixpkgs.legacyPackages.${system};
      version = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).workspace.package.version;

      # `mlp` and `mlp-data`. The trainer is pinned to one build of libtorch, which `cargo xtask libtorch` fetches.
      package = pkgs: pkgs.rustPlatform.buildRustPackage {
        pname = "mlp";
        inherit version;
        src = self;
        cargoLock.lockFile = ./Cargo.lock;
        cargoBuildFlags = [ "--package" "mlp" "--package" "mlp-data" ];
        # The tests of whole commands need the trainer and namespaces, which the Nix sandbox has not.
        cargoTestFlags = [ "--package" "mlp-lang" "--package" "mlp-protocol" "--package" "mlp-data" ];
        meta = {
          description = "A declarative, reproducible build system for machine learning";
          license = with pkgs.lib.licenses; [ mit asl20 ];
          platforms = [ system ];
          mainProgram = "mlp";
        };
      };

      # What `target` of the pipeline in `src` comes to, as a package: its artifacts by name, as `result` has them.
      # Nix's sandbox stands around the whole build, so `mlp` makes none of its own. There is no network in it, nor any tool
      # but /bin/sh: of steps' environments it can make none, what needs one is built by `mlp build`.
      #   settings  values of params: { lr = "3e-4"; }
      #   trainer   a package with bin/mlp-trainer, for pipelines that train
      pipeline = { src, target, name ? "mlp-${target}", settings ? { }, pkgs ? nixpkgs.legacyPackages.${system}
                 , mlp ? package pkgs, trainer ? null }:
        let
          quoted = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'";
          set = param: "--set ${quoted "${param}=${toString settings.${param}}"}";
          options = builtins.concatStringsSep " " (map set (builtins.attrNames settings));
        in
        pkgs.stdenvNoCC.mkDerivation {
          inherit name src;
          buildPhase = ''
            export HOME="$PWD/.home" MLP_STORE="$PWD/.store" MLP_LIBEXEC="$PWD/.libexec"
            mkdir -p "$HOME" "$MLP_LIBEXEC"
            ln -s ${mlp}/bin/mlp-data "$MLP_LIBEXEC/"
            ${if trainer == null then "" else "ln -s ${trainer}/bin/mlp-trainer \"$MLP_LIBEXEC/\""}
            ${mlp}/bin/mlp build ${quoted target} --sandbox=off ${options}
          '';
          installPhase = ''
            mkdir -p "$out"
            cp -rL result/. "$out/"
          '';
          dontConfigure = true;
          dontFixup = true;
        };
    in
    {
      packages.${system} = rec {
        mlp = package pkgs;
        default = mlp;
      };

      overlays.default = final: prev: { mlp = package final; };

      lib = { inherit pipeline; };

      templates.default = {
        path = ./examples/flake;
        description = "A pipeline whose steps run in a shell of its flake";
        welcomeText = "Lock it with `mlp env lock`, then `mlp build evaluate`.";
      };

      devShells.${system}.default = pkgs.mkShell {
        packages = with pkgs; [
          cargo
          cargo-deny
          clippy
          gcc
          python3
          python3Packages.pip
          rust-analyzer
          rustc
          rustfmt
        ];
      };
    };
}
