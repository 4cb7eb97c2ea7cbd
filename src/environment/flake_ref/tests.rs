use super::*;

fn attributes(pairs: &[(&str, &str)]) -> FlakeRef {
    let text = |value: &&str| Attribute::Text((*value).to_owned());
    let map = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), text(value)))
        .collect();
    FlakeRef::from_attributes(&map).unwrap()
}

#[track_caller]
fn agree(url: &str, pairs: &[(&str, &str)]) {
    let parsed = FlakeRef::parse(url).unwrap();
    let locked = attributes(pairs);
    assert!(parsed.agrees(&locked), "{parsed:?} and {locked:?}");
    let again = FlakeRef::parse(&parsed.to_string()).unwrap();
    assert!(again.agrees(&parsed), "{again:?} and {parsed:?}");
}

#[test]
fn urls_and_attributes_come_to_the_same() {
    let revision = "0123456789abcdef0123456789abcdef01234567";
    agree("nixpkgs", &[("type", "indirect"), ("id", "nixpkgs")]);
    agree(
        "flake:nixpkgs/unstable",
        &[("type", "indirect"), ("id", "nixpkgs"), ("ref", "unstable")],
    );
    let nixpkgs = [("type", "github"), ("owner", "NixOS"), ("repo", "nixpkgs")];
    agree("github:NixOS/nixpkgs", &nixpkgs);
    let branch = [&nixpkgs[..], &[("ref", "nixos-24.05"), ("dir", "x")]].concat();
    agree("github:NixOS/nixpkgs/nixos-24.05?dir=x", &branch);
    agree("github:NixOS/nixpkgs?ref=nixos-24.05&dir=x", &branch);
    agree(
        &format!("github:NixOS/nixpkgs/{revision}"),
        &[&nixpkgs[..], &[("rev", revision)]].concat(),
    );
    let slashes = [&nixpkgs[..], &[("ref", "feature/one")]].concat();
    agree("github:NixOS/nixpkgs/feature/one", &slashes);
    agree(
        "gitlab:group%2Fpart/repo",
        &[("type", "gitlab"), ("owner", "group/part"), ("repo", "repo")],
    );
    agree(
        "gitlab:group%2Fpart/repo",
        &[("type", "gitlab"), ("owner", "group%2Fpart"), ("repo", "repo")],
    );
    agree(
        "sourcehut:~one/two",
        &[("type", "sourcehut"), ("owner", "~one"), ("repo", "two")],
    );
    agree("path:./x", &[("type", "path"), ("path", "./x")]);
    agree("./x", &[("type", "path"), ("path", "./x")]);
    agree(
        "/home/me/x",
        &[("type", "git"), ("url", "file:///home/me"), ("dir", "x")],
    );
    let git = [
        ("type", "git"),
        ("url", "https://host/r.git"),
        ("ref", "main"),
        ("rev", revision),
    ];
    agree(&format!("git+https://host/r.git?ref=main&rev={revision}"), &git);
    agree(
        "git+https://h/r?submodules=1",
        &[("type", "git"), ("url", "https://h/r"), ("submodules", "true")],
    );
    agree(
        "git+https://h/r?shallow=0",
        &[("type", "git"), ("url", "https://h/r")],
    );
    agree(
        "git+https://h/r?dir=a",
        &[("type", "git"), ("url", "https://h/r?dir=a"), ("dir", "a")],
    );
    agree("git+ssh://git@h/r", &[("type", "git"), ("url", "ssh://git@h/r")]);
    agree("hg+https://h/r", &[("type", "hg"), ("url", "https://h/r")]);
    agree(
        "https://h/a.tar.gz?b=1&a=2",
        &[("type", "tarball"), ("url", "https://h/a.tar.gz?a=2&b=1")],
    );
    agree(
        "tarball+https://h/a",
        &[("type", "tarball"), ("url", "https://h/a")],
    );
    agree("https://h/a", &[("type", "file"), ("url", "https://h/a")]);
    agree("file+https://h/a", &[("type", "file"), ("url", "https://h/a")]);
}

#[test]
fn other_references_do_not_agree() {
    let pairs = [
        ("github:NixOS/nixpkgs", "github:NixOS/nixpkgs/nixos-24.05"),
        ("github:NixOS/nixpkgs", "github:NixOS/nixpkgs?dir=x"),
        ("github:NixOS/nixpkgs", "gitlab:NixOS/nixpkgs"),
        ("nixpkgs", "path:nixpkgs"),
        ("path:./x", "path:./y"),
        ("git+https://h/r", "git+https://h/r?submodules=1"),
    ];
    for (one, other) in pairs {
        let (one, other) = (FlakeRef::parse(one).unwrap(), FlakeRef::parse(other).unwrap());
        assert!(!one.agrees(&other), "{one} and {other}");
    }
}

#[test]
fn what_is_no_reference_says_why() {
    for (text, why) in [
        ("", "it is empty"),
        ("github:NixOS", "`github:NixOS` does not say `owner/repository`"),
        (
            "nixpkgs#hello",
            "`#hello` names an output, and an input is a whole flake",
        ),
        ("ftp://x/y", "`ftp:` is no scheme of references to flakes"),
        ("github:a/b/main?ref=x", "`ref` is given twice"),
        ("flake:1x", "`1x` is no name of a flake"),
        ("git+https://h/r?x", "`x` is not `name=value`"),
    ] {
        assert_eq!(FlakeRef::parse(text).unwrap_err().to_string(), why);
    }
    let missing = BTreeMap::from([("type".to_owned(), Attribute::Text("github".to_owned()))]);
    let why = FlakeRef::from_attributes(&missing).unwrap_err().to_string();
    assert_eq!(why, "a reference of type github needs `owner`");
}

#[test]
fn places_of_this_machine_are_known() {
    for (text, local, relative) in [
        ("path:/home/me/x", true, false),
        ("git+file:///home/me/x", true, false),
        ("path:./x", false, true),
        ("../x", false, true),
        ("github:a/b", false, false),
    ] {
        let reference = FlakeRef::parse(text).unwrap();
        assert_eq!(
            (reference.is_machine_local(), reference.is_relative()),
            (local, relative),
            "{text}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_text_is_a_crash_and_display_reads_back(text in "[a-z]{0,6}[:+/?=&%#.~a-zA-Z0-9é-]{0,30}") {
        if let Ok(reference) = FlakeRef::parse(&text) {
            let again = FlakeRef::parse(&reference.to_string());
            proptest::prop_assert!(again.is_ok_and(|again| again.agrees(&reference)), "{}", reference);
        }
    }
}
