//! Which files of its folder a flake reads: by the paths that stand in its text. Nix gets these and nothing else of the
//! project, so that data beside a flake is neither copied nor part of its key. Talks to rnix.

use rnix::SyntaxKind;

/// What a Nix file reads of the folder that it lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Perhaps all of it: it speaks of the flake itself, or of its whole folder.
    Whole,
    /// Files and folders, relative to the file, sorted.
    Paths(Vec<String>),
}

/// What the Nix file with this text reads.
pub fn reads(text: &str) -> Reads {
    let mut paths = Vec::new();
    let mut selves = 0;
    for (kind, token) in rnix::tokenize(text) {
        match kind {
            SyntaxKind::TOKEN_IDENT if token == "self" => selves += 1,
            SyntaxKind::TOKEN_PATH_REL => paths.push(token.to_owned()),
            _ => {}
        }
    }
    paths.sort();
    paths.dedup();
    let is_folder = |path: &String| path.split('/').all(|part| matches!(part, "" | "." | ".."));
    // Once it is the parameter of `outputs`.
    if selves > 1 || paths.iter().any(is_folder) {
        return Reads::Whole;
    }
    Reads::Paths(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_what_is_read() {
        let text = "{ outputs = { self, nixpkgs }: { a = import ./nix/a.nix; b = ./b + \"/./c\"; d = ./d/${\"x\"}; }; }";
        let paths = ["./b", "./d/", "./nix/a.nix"].map(str::to_owned).to_vec();
        assert_eq!(reads(text), Reads::Paths(paths));
    }

    #[test]
    fn a_flake_that_speaks_of_itself_reads_all() {
        for body in ["self", "./.", "../.", "./${x}"] {
            let text = format!("{{ outputs = {{ self }}: {{ a = {body}; }}; }}");
            assert_eq!(reads(&text), Reads::Whole, "{body}");
        }
    }
}
