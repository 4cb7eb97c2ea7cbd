{
  description = "A pipeline whose steps run in a shell that Nix makes";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";

  outputs = { self, nixpkgs }:
    let pkgs = nixpkgs.legacyPackages.x86_64-linux; in
    {
      # What the pipeline's steps see, and nothing else of the machine. Another package here builds them again; a comment
      # does not.
      devShells.x86_64-linux.steps = pkgs.mkShell { packages = [ (pkgs.python3.withPackages (python: [ python.numpy ])) ]; };
    };
}
