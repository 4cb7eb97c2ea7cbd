//! With the Nix that is installed, without a network, in stores of their own. Where no Nix is, they say so and pass.

use super::*;
use crate::environment::{flake_lock, flake_nix};
use mlp_lang::source::{Sources, Span};
use std::fs;
use std::os::unix::fs::PermissionsExt;

struct Place {
    directory: tempfile::TempDir,
    nix: Nix,
}

impl Place {
    /// None, where Nix or bash is not installed.
    fn new() -> Option<Self> {
        let mut variables: BTreeMap<String, String> = std::env::vars()
            .filter(|(name, _)| !name.starts_with("NIX_"))
            .collect();
        let directory = tempfile::tempdir().unwrap();
        // Nix does not accept a store below a symbolic link.
        let base = directory.path().canonicalize().unwrap();
        for (name, folder) in [
            ("NIX_CONF_DIR", "conf"),
            ("NIX_STORE_DIR", "store"),
            ("NIX_STATE_DIR", "state"),
            ("NIX_LOG_DIR", "log"),
            ("HOME", "home"),
        ] {
            fs::create_dir(base.join(folder)).unwrap();
            variables.insert(name.to_owned(), base.join(folder).display().to_string());
        }
        let configuration = "experimental-features = nix-command flakes\nbuild-users-group =\nsandbox = false\nsubstituters =\n";
        fs::write(base.join("conf/nix.conf"), configuration).unwrap();
        let found = Nix::find(&variables).filter(|_| Path::new("/bin/bash").exists());
        let Some(mut nix) = found else {
            eprintln!("no Nix, or no bash, on this machine: not tested");
            return None;
        };
        nix.offline = true;
        nix.limit = Duration::from_secs(120);
        Some(Self { directory, nix })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(name)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn lock(&self) {
        self.nix
            .run(&["flake", "lock", &format!("path:{}", self.path("flake").display())])
            .unwrap();
    }

    fn shell(&self, shell: &str) -> Result<DevShell, NixError> {
        self.nix.dev_shell(
            &self.path("flake"),
            "x86_64-linux",
            shell,
            &self.path(&format!("root-{shell}")),
        )
    }
}

impl Drop for Place {
    /// A store is read-only, and has to be made writable to be removed.
    fn drop(&mut self) {
        let mut waiting = vec![self.directory.path().to_owned()];
        while let Some(folder) = waiting.pop() {
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).ok();
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            waiting.extend(
                entries
                    .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                    .map(|e| e.path()),
            );
        }
    }
}

const FLAKE: &str = r#"{
  inputs.tool.url = "path:./tool";
  outputs = { self, tool }: {
    devShells.x86_64-linux = rec {
      default = derivation {
        name = "shell"; system = "x86_64-linux"; outputs = [ "out" ];
        builder = "/bin/bash"; args = [ "-c" "echo made > $out" ];
        PATH = "${builtins.toFile "program" "program"}:/path-not-set"; GREETING = tool.greeting;
      };
      plain = derivation {
        name = "plain"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo ${default} > $out" ];
      };
      broken = throw "this shell is broken";
    };
  };
}"#;

fn flake() -> Option<Place> {
    let place = Place::new()?;
    place.write("flake/flake.nix", FLAKE);
    place.write(
        "flake/tool/flake.nix",
        "{ outputs = { self }: { greeting = \"hello\"; }; }",
    );
    place.lock();
    Some(place)
}

#[test]
fn a_shell_is_its_variables_and_its_closure() {
    let Some(place) = flake() else { return };
    let shell = place.shell("default").unwrap();
    assert_eq!(shell.variables.get("GREETING").map(String::as_str), Some("hello"));
    let [program] = shell.closure.as_slice() else {
        panic!("{:?}", shell.closure)
    };
    assert!(program.to_string_lossy().ends_with("-program"));
    assert_eq!(shell.variables["PATH"], program.display().to_string());
    assert_eq!(fs::read_to_string(program).unwrap(), "program");
    let json = serde_json::to_string(&shell).unwrap();
    assert_eq!(serde_json::from_str::<DevShell>(&json).unwrap(), shell);

    // A comment changes the flake, and nothing of what it comes to.
    place.write("flake/flake.nix", &format!("# a comment\n{FLAKE}"));
    assert_eq!(place.shell("default").unwrap(), shell);
    place.write(
        "flake/tool/flake.nix",
        "{ outputs = { self }: { greeting = \"good day\"; }; }",
    );
    // Nix before 2.26 pins what lies in the flake, too.
    fs::remove_file(place.path("flake/flake.lock")).unwrap();
    place.lock();
    assert_eq!(place.shell("default").unwrap().variables["GREETING"], "good day");
}

#[test]
fn a_shell_that_bash_does_not_make_is_a_package() {
    let Some(place) = flake() else { return };
    let shell = place.shell("plain").unwrap();
    let names: Vec<_> = shell
        .closure
        .iter()
        .map(|path| path.to_string_lossy()[..].to_owned())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(shell.variables["PATH"].ends_with("-plain/bin"));
}

#[test]
fn what_nix_writes_is_read_and_agrees() {
    let Some(place) = flake() else { return };
    let mut sources = Sources::default();
    let text = |name: &str| fs::read_to_string(place.path(name)).unwrap();
    let nix = sources.add("flake.nix", text("flake/flake.nix"));
    let lock = sources.add("flake.lock", text("flake/flake.lock"));
    let (flake, told) = flake_nix::read(&sources, nix);
    assert_eq!(told, []);
    let lock = flake_lock::read(&sources, lock).unwrap();
    assert_eq!(flake_lock::check(&sources, &flake.unwrap(), &lock), []);
    assert_eq!(lock.target("root", "tool"), Ok("tool"));
}

#[test]
fn what_fails_is_told() {
    let Some(mut place) = flake() else { return };
    let mut sources = Sources::default();
    let span = Span {
        source: sources.add("pipeline.mlp", "env"),
        start: 0,
        end: 3,
    };
    let told = |error: NixError| error.diagnostic(span);

    for shell in ["train", "a b", "\"", ""] {
        let unknown = told(place.shell(shell).unwrap_err());
        assert_eq!(
            (unknown.code, unknown.help.as_deref()),
            ("E0612", Some("it has `broken`, `default`, `plain`"))
        );
    }
    let broken = told(place.shell("broken").unwrap_err());
    assert_eq!(broken.code, "E0614");
    assert!(
        broken
            .notes
            .iter()
            .any(|note| note.contains("this shell is broken")),
        "{:?}",
        broken.notes
    );

    // A lock that Nix would have to mend is not mended.
    let before = fs::read_to_string(place.path("flake/flake.lock")).unwrap();
    place.write("flake/flake.nix", &FLAKE.replace("./tool", "./tool2"));
    assert_eq!(told(place.shell("default").unwrap_err()).code, "E0614");
    assert_eq!(
        fs::read_to_string(place.path("flake/flake.lock")).unwrap(),
        before
    );

    let odd = place
        .nix
        .dev_shell(Path::new("/a#b"), "x86_64-linux", "default", &place.path("root"));
    assert_eq!(told(odd.unwrap_err()).code, "E0614");
    place.nix.limit = Duration::ZERO;
    assert_eq!(told(place.shell("default").unwrap_err()).code, "E0615");
    place.nix.program = place.path("none");
    assert_eq!(told(place.shell("default").unwrap_err()).code, "E0613");
}

#[test]
fn nix_is_found_by_absolute_paths_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("nix"), "").unwrap();
    let path = format!("relative:{}", folder.path().display());
    let variables = [
        ("PATH", path.as_str()),
        ("NIX_PATH", "x"),
        ("NIX_CONF_DIR", "y"),
        ("SECRET", "z"),
    ];
    let variables = variables
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let nix = Nix::find(&variables).unwrap();
    assert_eq!(nix.program(), folder.path().join("nix"));
    let passed: Vec<_> = nix.variables.keys().map(String::as_str).collect();
    assert_eq!(passed, ["NIX_CONF_DIR", "PATH"]);
}
