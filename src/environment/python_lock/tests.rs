use super::*;

fn hash(letter: char) -> String {
    letter.to_string().repeat(64)
}

fn read_as(name: &str, text: &str, python: &str) -> (PythonEnvironment, Vec<Diagnostic>, Sources) {
    let mut sources = Sources::default();
    let source = sources.add(name, text);
    let (environment, diagnostics) = read(&sources, source, &Target::new(python).unwrap());
    (environment, diagnostics, sources)
}

/// What is installed, as `name version file`.
fn installed(name: &str, text: &str, python: &str) -> Vec<String> {
    let (environment, diagnostics, _) = read_as(name, text, python);
    assert_eq!(diagnostics, []);
    let wheels = environment.wheels.iter();
    wheels
        .map(|wheel| format!("{} {} {}", wheel.name, wheel.version, wheel.file))
        .collect()
}

/// Each diagnostic as `code "text under it": message`.
fn complaints(name: &str, text: &str) -> Vec<String> {
    let (_, diagnostics, sources) = read_as(name, text, "3.11.7");
    let line = |d: &Diagnostic| format!("{} {:?}: {}", d.code, sources.text(d.span()), d.message);
    diagnostics.iter().map(line).collect()
}

/// A uv.lock whose project depends on `dependencies`, with more packages.
fn uv(dependencies: &str, packages: &str) -> String {
    let (a, b, c, d) = (hash('a'), hash('b'), hash('c'), hash('d'));
    format!(
        r#"version = 1
revision = 3
requires-python = ">=3.11"
resolution-markers = ["python_full_version >= '3.12'", "python_full_version < '3.12'"]

[[package]]
name = "project"
version = "0.1.0"
source = {{ virtual = "." }}
dependencies = [ {dependencies} ]

[package.dev-dependencies]
dev = [ {{ name = "pytest" }} ]

[package.metadata]
requires-dist = [ {{ name = "numpy" }} ]

[[package]]
name = "numpy"
version = "2.2.6"
source = {{ registry = "https://index.example/simple" }}
resolution-markers = ["python_full_version < '3.12'"]
sdist = {{ url = "https://files.example.org/numpy-2.2.6.tar.gz", hash = "sha256:{a}" }}
wheels = [
    {{ url = "https://files.example.org/numpy-2.2.6-cp311-cp311-macosx_14_0_x86_64.whl", hash = "sha256:{a}" }},
    {{ url = "https://files.example.org/numpy-2.2.6-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", hash = "sha256:{b}", size = 16, upload-time = "2025-05-17T21:34:39.648Z" }},
    {{ url = "https://files.example.org/numpy-2.2.6-cp311-cp311-musllinux_1_2_x86_64.whl", hash = "sha256:{c}" }},
]

[[package]]
name = "numpy"
version = "2.5.0"
source = {{ registry = "https://index.example/simple" }}
wheels = [ {{ url = "https://files.example.org/numpy-2.5.0-cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl", hash = "sha256:{c}" }} ]

[[package]]
name = "requests"
version = "2.32.0"
source = {{ registry = "https://index.example/simple" }}
dependencies = [ {{ name = "idna" }} ]
wheels = [ {{ url = "https://files.example.org/requests-2.32.0-py3-none-any.whl", hash = "sha256:{d}" }} ]

[package.optional-dependencies]
socks = [ {{ name = "pysocks" }}, {{ name = "colorama", marker = "sys_platform == 'win32'" }} ]

[[package]]
name = "idna"
version = "3.10"
source = {{ registry = "wheels" }}
dependencies = [ {{ name = "requests", extra = ["socks"] }} ]
wheels = [ {{ path = "idna-3.10-py3-none-any.whl", hash = "sha256:{a}" }} ]

[[package]]
name = "pysocks"
version = "1.7.1"
source = {{ url = "https://files.example.org/PySocks-1.7.1-py3-none-any.whl" }}
wheels = [ {{ filename = "PySocks-1.7.1-py3-none-any.whl", hash = "sha256:{b}" }} ]

{packages}
"#
    )
}

const NUMPY: &str = r#"{ name = "numpy", version = "2.2.6", marker = "python_full_version < '3.12'" },
    { name = "numpy", version = "2.5.0", source = { registry = "https://index.example/simple" }, marker = "python_full_version >= '3.12'" },
    { name = "colorama", marker = "sys_platform == 'win32'" }"#;

#[test]
fn a_uv_lock_is_walked_from_the_project() {
    let text = uv(NUMPY, "");
    let old = "numpy 2.2.6 numpy-2.2.6-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
    assert_eq!(installed("uv.lock", &text, "3.11.7"), [old]);
    let new = "numpy 2.5.0 numpy-2.5.0-cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl";
    assert_eq!(installed("sub/uv.lock", &text, "3.12.1"), [new]);
    let (environment, ..) = read_as("uv.lock", &text, "3.11.7");
    assert_eq!(environment.wheels[0].sha256, hash('b'));
    let url =
        "https://files.example.org/numpy-2.2.6-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
    assert_eq!(environment.wheels[0].place, Place::Url(url.to_owned()));
}

#[test]
fn files_of_the_default_index_are_found_by_name_and_others_where_the_lock_saw_them() {
    let place = |name: &str, text: &str| read_as(name, text, "3.11").0.wheels[0].place.clone();
    let text = |registry: &str, at: &str| {
        let package = format!(
            "[[package]]\nname = \"x\"\nversion = \"1\"\nsource = {{ registry = \"{registry}\" }}\nwheels = [ {{ {at}, hash = \"sha256:{}\" }} ]",
            hash('a')
        );
        uv("{ name = \"x\" }", &package)
    };
    let url = "url = \"https://mirror.example/x-1-py3-none-any.whl\"";
    let elsewhere = Place::Url("https://mirror.example/x-1-py3-none-any.whl".to_owned());
    assert_eq!(place("uv.lock", &text(DEFAULT_INDEX, url)), Place::Index);
    assert_eq!(
        place("uv.lock", &text("https://other.example/simple", url)),
        elsewhere
    );
    let path = "path = \"x-1-py3-none-any.whl\"";
    let in_folder = Place::Path("wheels/x-1-py3-none-any.whl".to_owned());
    assert_eq!(place("uv.lock", &text("wheels", path)), in_folder);
    let text = |index: &str| {
        let wheel = format!(
            "wheels = [{{ {url}, hashes = {{ sha256 = \"{}\" }} }}]",
            hash('a')
        );
        pylock(&format!(
            "[[packages]]\nname = \"x\"\nversion = \"1\"\n{index}\n{wheel}"
        ))
    };
    assert_eq!(
        place("pylock.toml", &text("index = \"https://pypi.org/simple/\"")),
        Place::Index
    );
    assert_eq!(place("pylock.toml", &text("")), elsewhere);
}

#[test]
fn extras_bring_their_packages_and_circles_end() {
    let plain = installed("uv.lock", &uv(r#"{ name = "idna" }"#, ""), "3.11");
    assert_eq!(
        plain,
        [
            "idna 3.10 idna-3.10-py3-none-any.whl",
            "pysocks 1.7.1 PySocks-1.7.1-py3-none-any.whl",
            "requests 2.32.0 requests-2.32.0-py3-none-any.whl"
        ]
    );
    let (environment, ..) = read_as("uv.lock", &uv(r#"{ name = "idna" }"#, ""), "3.11");
    assert_eq!(
        environment.wheels[0].place,
        Place::Path("wheels/idna-3.10-py3-none-any.whl".to_owned())
    );
}

#[test]
fn what_a_uv_lock_cannot_give_is_told() {
    let package = |source: &str, rest: &str| {
        format!("[[package]]\nname = \"x\"\nversion = \"1\"\nsource = {{ {source} }}\n{rest}\n")
    };
    let (a, registry) = (hash('a'), "registry = \"https://index.example/simple\"");
    for (packages, complaint) in [
        (
            String::new(),
            r#"E0620 "\"x\"": `x` is asked for, and missing in this lock"#.to_owned(),
        ),
        (
            package(
                registry,
                &format!("sdist = {{ url = \"https://e.org/x-1.tar.gz\", hash = \"sha256:{a}\" }}"),
            ),
            r#"E0623 "\"x\"": `x` is in the lock only as source code, and wheels alone are installed"#
                .to_owned(),
        ),
        (
            package(
                registry,
                "wheels = [ { url = \"https://e.org/x-1-cp312-cp312-win_amd64.whl\" } ]",
            ),
            r#"E0622 "\"x\"": no wheel of `x` is for CPython 3.11 on x86-64 Linux"#.to_owned(),
        ),
        (
            package(
                registry,
                "wheels = [ { url = \"https://e.org/x-1-py3-none-any.whl\", hash = \"md5:1\" } ]",
            ),
            r#"E0621 "\"x\"": the lock has no SHA-256 of `x-1-py3-none-any.whl`"#.to_owned(),
        ),
        (
            package("git = \"https://e.org/x?rev=1\"", ""),
            r#"E0623 "\"x\"": `x` comes from a git repository, and wheels alone are installed"#.to_owned(),
        ),
    ] {
        assert_eq!(
            complaints("uv.lock", &uv("{ name = \"x\" }", &packages)),
            [complaint]
        );
    }
    let marker = uv(r#"{ name = "idna", marker = "moon == 'full'" }"#, "");
    let told = "E0624 \"\\\"moon == 'full'\\\"\": the marker `moon == 'full'` cannot be used";
    assert_eq!(complaints("uv.lock", &marker), [told]);
    let (_, told, _) = read_as("uv.lock", &uv("", ""), "3.10.2");
    assert_eq!(
        told[0].message,
        "the lock is for Python >=3.11, and the environment has 3.10.2"
    );
    let version = uv("", "").replace("version = 1\n", "version = 2\n");
    assert_eq!(
        complaints("uv.lock", &version),
        [r#"E0620 "2": uv.lock has version 2, and version 1 is what is understood"#]
    );
    assert_eq!(
        complaints("uv.lock", "version = \n"),
        ["E0620 \"\": this lock cannot be read"]
    );
}

#[test]
fn a_newer_glibc_is_named() {
    let wheels = format!(
        "[[package]]\nname = \"x\"\nversion = \"1\"\nwheels = [ {{ url = \"https://e.org/x-1-cp311-cp311-manylinux_2_34_x86_64.whl\", hash = \"sha256:{}\" }} ]",
        hash('a')
    );
    let (_, told, _) = read_as("uv.lock", &uv("{ name = \"x\" }", &wheels), "3.11");
    assert_eq!(
        told[0].notes[0],
        "there are wheels for glibc 2.34; wheels are chosen for 2.28"
    );
}

fn pylock(packages: &str) -> String {
    format!("lock-version = \"1.0\"\ncreated-by = \"uv\"\nrequires-python = \">=3.9\"\n{packages}")
}

#[test]
fn a_pylock_is_filtered_by_its_markers() {
    let wheel = |name: &str, file: &str, rest: &str| {
        let hash = hash('a').to_uppercase();
        format!(
            "[[packages]]\nname = \"{name}\"\nversion = \"1.0\"\n{rest}\nwheels = [{{ url = \"https://e.org/{file}#x\", upload-time = 2026-10-18T16:21:06Z, hashes = {{ sha256 = \"{hash}\" }} }}]\n"
        )
    };
    let text = pylock(
        &[
            wheel("Typing_Extensions", "typing_extensions-1.0-py3-none-any.whl", ""),
            wheel(
                "numpy",
                "numpy-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
                "marker = \"python_version < '3.12'\"",
            ),
            wheel(
                "numpy",
                "numpy-1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
                "marker = \"python_version >= '3.12'\"",
            ),
            wheel(
                "colorama",
                "colorama-1.0-py3-none-any.whl",
                "marker = \"sys_platform == 'win32'\"",
            ),
            "[[packages]]\nname = \"project\"\ndirectory = { path = \".\", editable = true }\n".to_owned(),
        ]
        .concat(),
    );
    let expected = [
        "numpy 1.0 numpy-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        "typing-extensions 1.0 typing_extensions-1.0-py3-none-any.whl",
    ];
    assert_eq!(installed("pylock.toml", &text, "3.11.2"), expected);
    let (environment, ..) = read_as("pylock.train.toml", &text, "3.11.2");
    assert_eq!(environment.wheels[0].sha256, hash('a'));
}

#[test]
fn what_a_pylock_cannot_give_is_told() {
    for (packages, complaint) in [
        (
            "[[packages]]\nname = \"x\"\nvcs = { type = \"git\" }",
            r#"E0623 "\"x\"": `x` comes as source code, and wheels alone are installed"#,
        ),
        (
            "[[packages]]\nname = \"x\"\nwheels = [{ path = \"x-1-py3-none-any.whl\" }]",
            r#"E0621 "\"x\"": the lock has no SHA-256 of `x-1-py3-none-any.whl`"#,
        ),
        (
            "[[packages]]\nname = \"x\"\nrequires-python = \">=3.12\"\nwheels = [{ path = \"x-1-py3-none-any.whl\", hashes = { sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\" } }]",
            r#"E0625 "\">=3.12\"": the lock is for Python >=3.12, and the environment has 3.11.7"#,
        ),
    ] {
        assert_eq!(complaints("pylock.toml", &pylock(packages)), [complaint]);
    }
    let windows = "environments = [\"sys_platform == 'win32'\"]";
    assert_eq!(
        complaints("pylock.toml", &pylock(windows)),
        [
            "E0625 \"\\\"sys_platform == 'win32'\\\"\": the lock is for other environments than CPython on x86-64 Linux"
        ]
    );
}

#[test]
fn requirements_are_pinned_and_hashed() {
    let (a, b) = (hash('a'), hash('b'));
    let text = format!(
        "# made by a tool\n-i https://e.org/simple\n--require-hashes\nNumPy==2.2.6 ; python_version >= '3.9' \\\n    --hash=sha256:{b} \\\n    # via x\n    --hash=sha256:{a}\n    # via pandas\nrequests[socks]==2.0 --hash=sha256:{a}  # web\ncolorama==0.4 ; sys_platform == 'win32' \\\n  --hash=sha256:{a}\nx @ https://e.org/x-1-py3-none-any.whl#sha256={b}\r\n"
    );
    let (environment, diagnostics, sources) = read_as("requirements.txt", &text, "3.11");
    assert_eq!(diagnostics, []);
    let unlocated: Vec<_> = environment
        .unlocated
        .iter()
        .map(|one| (one.name.as_str(), one.version.as_str(), one.sha256.clone()))
        .collect();
    assert_eq!(
        unlocated,
        [
            ("numpy", "2.2.6", vec![a.clone(), b.clone()]),
            ("requests", "2.0", vec![a])
        ]
    );
    assert!(
        sources
            .text(environment.unlocated[0].span)
            .starts_with("NumPy==2.2.6")
    );
    assert_eq!(
        (environment.wheels[0].file.as_str(), &environment.wheels[0].sha256),
        ("x-1-py3-none-any.whl", &b)
    );
}

#[test]
fn a_wheel_is_required_by_its_path() {
    let a = hash('a');
    let text = format!("./wheels/own-1.0-py3-none-any.whl \\\n    --hash=sha256:{a}\n");
    let (environment, diagnostics, _) = read_as("requirements.txt", &text, "3.11");
    assert_eq!(diagnostics, []);
    let wheel = &environment.wheels[0];
    let place = Place::Path("wheels/own-1.0-py3-none-any.whl".to_owned());
    assert_eq!(
        (&*wheel.name, &*wheel.version, &wheel.place),
        ("own", "1.0", &place)
    );
    assert_eq!(
        complaints("requirements.txt", "own-1.0-py3-none-any.whl"),
        [r#"E0621 "own-1.0-py3-none-any.whl": the lock has no SHA-256 of `own-1.0-py3-none-any.whl`"#]
    );
}

#[test]
fn what_is_not_locked_in_requirements_is_told() {
    let a = hash('a');
    for (line, complaint) in [
        (
            "numpy".to_owned(),
            r#"E0620 "numpy": `numpy` is not pinned to one version"#,
        ),
        (
            "numpy>=2".to_owned(),
            r#"E0620 "numpy>=2": `numpy>=2` is not pinned to one version"#,
        ),
        (
            "numpy==2.*".to_owned(),
            r#"E0620 "numpy==2.*": `numpy==2.*` is not a package with one version"#,
        ),
        (
            "numpy==2.0".to_owned(),
            r#"E0621 "numpy==2.0": `numpy` has no `--hash=sha256:…`"#,
        ),
        (
            "-r other.txt".to_owned(),
            r#"E0620 "-r other.txt": a lock stands in one file"#,
        ),
        (
            "-e .".to_owned(),
            r#"E0623 "-e .": an editable package is not locked"#,
        ),
        (
            format!("x==1 --hash=sha256:{a}\nX==1 --hash=sha256:{a}"),
            r#"E0620 "X==1 --hash=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": `X` is required twice"#,
        ),
    ] {
        assert_eq!(complaints("requirements.txt", &line), [complaint]);
    }
    assert_eq!(
        complaints("Pipfile.lock", ""),
        [r#"E0620 "": `Pipfile.lock` is no lock of Python packages that is understood"#]
    );
}

proptest::proptest! {
    #[test]
    fn no_mutation_of_a_lock_is_a_crash(
        form in 0..3usize,
        edits in proptest::collection::vec((0..3000usize, 0..12usize, "[ -~é\n]{0,3}"), 1..5),
    ) {
        let (name, mut text) = match form {
            0 => ("uv.lock", uv(NUMPY, "")),
            1 => ("pylock.toml", pylock("[[packages]]\nname = \"x\"\nwheels = [{ path = \"x-1-py3-none-any.whl\" }]")),
            _ => ("r.txt", format!("numpy==1 ; python_version > '3' \\\n --hash=sha256:{}\nx @ https://e/x.whl", hash('a'))),
        };
        for (at, length, new) in edits {
            let floor = |mut place: usize| { while !text.is_char_boundary(place) { place -= 1 } place };
            let start = floor(at.min(text.len()));
            let end = floor((start + length).min(text.len())).max(start);
            text.replace_range(start..end, &new);
        }
        let (_, diagnostics, sources) = read_as(name, &text, "3.11");
        for label in diagnostics.iter().flat_map(|told| &told.labels) {
            sources.text(label.span);
        }
    }
}

#[test]
fn deep_and_large_locks_are_told_of() {
    for piece in [
        "[",
        "a = { b = ",
        "a = [",
        "[[package]]\n",
        "a.",
        "x = \"\"\"",
        "a = [[\n",
    ] {
        for name in ["uv.lock", "pylock.toml", "r.txt"] {
            let (_, diagnostics, sources) = read_as(name, &piece.repeat(20_000), "3.11");
            for label in diagnostics.iter().flat_map(|told| &told.labels) {
                sources.text(label.span);
            }
        }
    }
    let marker = format!("x==1 ; {}python_version > '3'", "(".repeat(10_000));
    assert_eq!(complaints("r.txt", &marker).len(), 1);
}

/// Packages that need each other in a circle, with extras that ask for more of them.
#[test]
fn circles_of_packages_end() {
    let packages: String = (0..200)
        .map(|n| {
            let next = (n + 1) % 200;
            format!(
                "[[package]]\nname = \"p{n}\"\nversion = \"1\"\nsource = {{ virtual = \".\" }}\ndependencies = [ {{ name = \"p{next}\", extra = [\"e{n}\"] }} ]\n[package.optional-dependencies]\ne{n} = [ {{ name = \"p0\", extra = [\"e{next}\"] }} ]\n"
            )
        })
        .collect();
    assert_eq!(
        complaints("uv.lock", &format!("version = 1\n{packages}")),
        [""; 0]
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_are_a_crash(form in 0..3usize, bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let name = ["uv.lock", "pylock.toml", "r.txt"][form];
        read_as(name, &String::from_utf8_lossy(&bytes), "3.11");
    }

    #[test]
    fn no_requirement_is_a_crash(text in "([a-z]{1,3}|==|1\\.0|;| |--hash=sha256:|@|https://|\\[|\\]|\\(|python_version|'3'|and|or|<|\\\\\n|\n|#){0,40}") {
        read_as("r.txt", &text, "3.11");
    }
}
