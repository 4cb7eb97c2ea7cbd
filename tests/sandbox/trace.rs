//! What a watched program touches is heard, whoever of its children does it and however it names it.

use super::{mlp_program, script};
use mlp::executor::{Cancel, Local, Manner};
use mlp::model::build::{BuildObserver, Ending, Touch, Touched};
use mlp_protocol::message::Message;
use mlp_sandbox::Helper;
use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::path::PathBuf;

#[derive(Default)]
struct Heard(BTreeSet<(String, Touch)>);

impl BuildObserver for Heard {
    fn message(&mut self, _: &Message, _: Option<PathBuf>) -> Result<(), String> {
        Ok(())
    }

    fn touched(&mut self, Touched { path, how }: Touched) {
        if let Some(path) = path.strip_prefix("/build/") {
            self.0.insert((path.to_owned(), how));
        }
    }
}

#[test]
fn children_of_children_are_heard() {
    let text = "cd in; cat a > /dev/null; (sh -c 'exec cat ../in/deep/b' | cat) > ../out; test -e c; ls deep > /dev/null; \
                ./run; echo new > ../written; exit 3";
    let mut build = script(text);
    let project = build.directory.path().join("project");
    std::fs::create_dir_all(project.join("deep")).unwrap();
    for (name, content) in [
        ("a", "a"),
        ("deep/b", "b"),
        ("c", "c"),
        ("unread", ""),
        ("run", "#!/bin/sh\n"),
    ] {
        std::fs::write(project.join(name), content).unwrap();
    }
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(project.join("run"), executable).unwrap();
    build.request.inputs.insert("in".into(), project);
    let null = std::fs::File::open("/dev/null").unwrap();
    let log = std::fs::File::create(&build.request.log).unwrap();
    let manner = Manner {
        streams: [null.as_fd(), log.as_fd(), log.as_fd()],
        terminal: false,
        trace: true,
    };
    let mut heard = Heard::default();
    let executor = Local::new(Helper::new(mlp_program()));
    let outcome = executor.enter(&build.request, &manner, &mut heard, &Cancel::new().unwrap());
    assert_eq!(outcome.ending, Ending::Exited(3), "{}", build.log());
    assert_eq!(build.out(&outcome), "b");
    let read: Vec<&str> = heard
        .0
        .iter()
        .filter(|(_, how)| *how == Touch::Read)
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(read, ["in/a", "in/deep/b", "in/run"]);
    assert!(
        heard.0.contains(&("in/c".to_owned(), Touch::LookedFor)),
        "{:?}",
        heard.0
    );
    assert!(
        heard.0.contains(&("in/deep".to_owned(), Touch::Listed)),
        "{:?}",
        heard.0
    );
    assert!(
        heard
            .0
            .iter()
            .all(|(path, _)| path != "in/unread" && path != "written"),
        "{:?}",
        heard.0
    );
}
