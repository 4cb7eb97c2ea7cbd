{
  description = "mlp: a declarative, reproducible build system for machine learning";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      # The bits of a training are pinned to AVX2, and the sandbox is Linux's.
      system = "x86_64-linux";
      pkgs = nixpkgs.legacyPackages.${system};
      version = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).workspace.package.version;
      meta = {
        description = "A declarative, reproducible build system for machine learning";
        license = with pkgs.lib.licenses; [ mit asl20 ];
        platforms = [ system ];
        mainProgram = "mlp";
      };
    in
    {
      # `mlp` and `mlp-data`. The trainer is pinned to one build of libtorch, which `cargo xtask libtorch` fetches.
      packages.${system} = rec {
        mlp = pkgs.rustPlatform.buildRustPackage {
          pname = "mlp";
          inherit version meta;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          cargoBuildFlags = [ "--package" "mlp" "--package" "mlp-data" ];
          # The tests of whole commands need the trainer and namespaces, which the Nix sandbox has not.
          cargoTestFlags = [ "--package" "mlp-lang" "--package" "mlp-protocol" "--package" "mlp-data" ];
        };
        default = mlp;
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
