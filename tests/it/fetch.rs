//! Files of the web and archives, in whole builds: had once, found again, resumed after a kill, refused.

use crate::project::Project;
use crate::web::{Answer, Server};
use std::fs;
use std::io::Write;
use std::time::Duration;

fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_string()
}

/// A pipeline that fetches and counts.
fn pipeline(call: &str) -> String {
    format!(
        "import std.{{env, step}}\n\nraw = {call}\ncount = step([\"sh\", \"-c\", \"wc -c < ${{raw}} > n\"], env = env.host([\"sh\", \"wc\"]), outputs = {{ n: File(\"n\") }})\n"
    )
}

fn shown(project: &Project, server: &Server, arguments: &[&str]) -> String {
    let ran = project.run(arguments);
    project.redacted(&ran).replace(&server.url(""), "http://[SERVER]")
}

/// A tar with one file.
fn tar() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/a.csv"), "1,2\n").unwrap();
    #[expect(clippy::disallowed_methods, reason = "the tar of people is what is unpacked")]
    let tar = std::process::Command::new("tar")
        .args(["-cz", "-C"])
        .arg(folder.path())
        .arg("data")
        .output()
        .unwrap();
    assert!(tar.status.success());
    tar.stdout
}

#[test]
fn what_was_had_once_is_not_asked_for_again() {
    let text = b"a,b\n1,2\n".to_vec();
    let content = text.clone();
    let server = Server::start(move |_, _| Answer::File(content.clone()));
    let call = format!(
        "fetch(\"{}\", blake3 = \"{}\")",
        server.url("/a.csv"),
        digest(&text)
    );
    let project = Project::new(&pipeline(&call));
    let report = project.build(&["count", "raw"]);
    assert_eq!(report.built(), ["count", "raw"]);
    assert_eq!(fs::read(project.root().join("result/raw")).unwrap(), text);
    assert_eq!(server.asked().len(), 1);
    // Another address, that nobody answers, and a mirror: what decides is the digest.
    let other = format!(
        "fetch(\"http://127.0.0.1:1/moved.csv\", blake3 = \"{}\", mirrors = [\"https://example.invalid/a.csv\"])",
        digest(&text)
    );
    project.write("pipeline.mlp", &pipeline(&other));
    assert!(project.build(&["count", "raw"]).built().is_empty());
    assert_eq!(server.asked().len(), 1);
    // Asked to compare, it is had again.
    project.write("pipeline.mlp", &pipeline(&call));
    assert_eq!(project.run(&["build", "raw", "--check"]).code, Some(0));
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn another_file_is_an_error_that_says_both_digests() {
    let server = Server::start(|_, _| Answer::File(b"something else".to_vec()));
    let call = format!(
        "fetch(\"{}\", blake3 = \"{}\")",
        server.url("/a.csv"),
        digest(b"wanted")
    );
    let project = Project::new(&pipeline(&call));
    insta::assert_snapshot!(shown(&project, &server, &["build", "count"]));
    let err = project.run(&["build", "count"]).err;
    assert!(
        err.contains(&digest(b"wanted")) && err.contains(&digest(b"something else")),
        "{err}"
    );
}

#[test]
fn what_no_address_has_is_an_error_with_each_reason() {
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/gone.csv" => Answer::Status(404, ""),
        _ => Answer::Status(403, ""),
    });
    let call = format!(
        "fetch(\"{}\", blake3 = \"{}\", mirrors = [\"{}\"])",
        server.url("/gone.csv"),
        digest(b"wanted"),
        server.url("/mine.csv"),
    );
    let project = Project::new(&pipeline(&call));
    insta::assert_snapshot!(shown(&project, &server, &["build", "count"]));
}

#[test]
fn a_build_that_was_killed_goes_on_where_it_was() {
    let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let file = content.clone();
    let server = Server::start(move |_, before| match before {
        0 => Answer::Silent(file.clone(), 70_000),
        _ => Answer::File(file.clone()),
    });
    let call = format!(
        "fetch(\"{}\", blake3 = \"{}\")",
        server.url("/a.bin"),
        digest(&content)
    );
    let project = Project::new(&pipeline(&call));
    let partial = project.root().join("../store/partial").join(digest(&content));
    let mut build = project.start(&["build", "raw"]);
    while !fs::metadata(&partial).is_ok_and(|there| there.len() == 70_000) {
        assert!(build.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(10));
    }
    build.kill().unwrap();
    build.wait().unwrap();
    assert_eq!(project.build(&["raw"]).built(), ["raw"]);
    assert_eq!(server.asked()[1].from, Some(70_000));
    assert_eq!(fs::read(project.root().join("result/raw")).unwrap(), content);
    assert!(!partial.exists());
}

#[test]
fn an_archive_is_unpacked_in_the_sandbox() {
    let archive = tar();
    let file = archive.clone();
    let server = Server::start(move |_, _| Answer::File(file.clone()));
    let project = Project::new(&format!(
        "import std.{{env, step}}\n\nraw = fetch(\"{}\", blake3 = \"{}\") |> unpack\nown = unpack(./own.tar.gz)\n\
         both = step([\"sh\", \"-c\", \"cat ${{raw}}/data/a.csv ${{own}}/data/a.csv > o\"], env = env.host([\"sh\", \"cat\"]), outputs = {{ o: File(\"o\") }})\n",
        server.url("/a.tar.gz"),
        digest(&archive)
    ));
    fs::write(project.root().join("own.tar.gz"), &archive).unwrap();
    project.build(&["both", "raw"]);
    let read = |path: &str| fs::read_to_string(project.root().join("result").join(path)).unwrap();
    assert_eq!(read("both.o"), "1,2\n1,2\n");
    assert_eq!(read("raw/data/a.csv"), "1,2\n");
}

#[test]
fn an_archive_that_reaches_out_is_refused() {
    let project =
        Project::new("out = unpack(./evil.tar)\nno = unpack(./table.csv)\nfolder = unpack(./folder)\n");
    let mut header = [0_u8; 512];
    header[..9].copy_from_slice(b"../../out");
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(b"00000000001");
    header[156] = b'0';
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut file = fs::File::create(project.root().join("evil.tar")).unwrap();
    file.write_all(&header).unwrap();
    file.write_all(&[b'x'; 1]).unwrap();
    file.write_all(&[0; 511 + 1024]).unwrap();
    project.write("table.csv", "a,b\n1,2\n");
    project.write("folder/a", "");
    insta::assert_snapshot!(project.shown(&["build", "out", "no", "--keep-going", "--jobs", "1"]));
    insta::assert_snapshot!(project.shown(&["build", "folder"]));
}

#[test]
fn what_is_no_address_is_said_before_anything_runs() {
    let project = Project::new(&format!(
        "a = fetch(\"ftp://example.org/a\", blake3 = \"{0}\")\nb = fetch(\"https://example.org/a b\", blake3 = \"{0}\")\n\
         c = fetch(\"https://example.org/a\", blake3 = \"cafe\")\nd = fetch(\"https://example.org/a\", blake3 = \"{0}\", mirrors = [\"example.org/a\"])\n",
        digest(b"x")
    ));
    insta::assert_snapshot!(project.shown(&["check"]));
}
