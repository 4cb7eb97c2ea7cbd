//! `mlp shell`: into the sandbox of a step, at a terminal and without.
#![expect(clippy::disallowed_methods, reason = "whole commands are what is tested")]

use crate::project::Project;
use std::io::Write;
use std::process::Stdio;

const PIPELINE: &str = r#"import std.{env, step}

tools = env.host(["sh", "cat"])
rows = step(["sh", "-c", "echo 1 2 3 > rows.csv"], env = tools, outputs = { rows: File("rows.csv") })
made = step(
  ["sh", "-c", "cat $FROM src/words > o"], env = tools, vars = { FROM: "inputs/rows" },
  inputs = { rows: rows.rows, src: ./src }, outputs = { o: File("o") },
)
"#;

fn project() -> Project {
    let project = Project::new(PIPELINE);
    project.write("src/words", "words\n");
    project.write("secret", "secret\n");
    project
}

#[test]
fn a_command_runs_with_the_inputs_and_variables_of_the_step() {
    let project = project();
    let ran = project.run(&[
        "shell",
        "made",
        "--",
        "sh",
        "-c",
        "cat $FROM src/words; ls; echo x > o",
    ]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(0), "1 2 3\nwords\ninputs\nsrc\n"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("nothing that is written in it is registered"),
        "{}",
        ran.err
    );
    // What it wrote is gone, what it reads is built, and the step itself is not.
    assert!(!project.root().join("result").exists() && !project.root().join("o").exists());
    assert_eq!(project.build(&["made"]).built(), ["made"]);
}

#[test]
fn its_status_and_streams_are_passed_on() {
    let project = project();
    let status = |command: &str| project.run(&["shell", "made", "--", "sh", "-c", command]).code;
    assert_eq!(status("exit 7"), Some(7));
    assert_eq!(status("kill -9 $$"), Some(137));
    assert_eq!(status("cat secret"), Some(1));
    assert_eq!(status("echo x > src/words"), Some(2));

    let mut child = project
        .command(&["shell", "made", "--", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"through\n").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"through\n");
}

#[test]
fn a_command_that_is_not_there_is_said() {
    let ran = project().run(&["shell", "made", "--", "nothing-of-this-name"]);
    assert_eq!(ran.code, Some(1));
    let said = "error: the sandbox of `made` cannot be entered: cannot run nothing-of-this-name: No such file or directory\n\
                hint: a step sees only the programs of its environment, and its own inputs\n";
    assert!(ran.err.ends_with(said), "{}", ran.err);
}

#[test]
fn at_a_terminal_there_is_a_shell_with_job_control() {
    let project = project();
    // Python's pty stands for a person's terminal.
    let python = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let mlp = env!("CARGO_BIN_EXE_mlp");
    let mut command = std::process::Command::new("python3");
    let template = project.command(&[]);
    for (name, value) in template.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let mut child = command
        .args(["-c", python, mlp, "shell", "made"])
        .current_dir(project.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let typed = "cat $FROM\nsleep 100 &\njobs\nkill %1\nstty size < /dev/tty\nexit 5\n";
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(5), "{shown}");
    assert!(shown.contains("1 2 3"), "{shown}");
    assert!(shown.contains("[mlp made] $"), "{shown}");
    assert!(
        shown.contains("Running") && shown.contains("sleep 100"),
        "{shown}"
    );
    assert!(!shown.contains("no job control"), "{shown}");
    assert!(
        shown.contains("the step runs `sh -c 'cat $FROM src/words > o'`"),
        "{shown}"
    );
}

#[test]
fn a_step_of_the_library_is_entered_as_well() {
    let project = Project::small();
    let ran = project.run(&[
        "shell",
        "parts.train",
        "--",
        "sh",
        "-c",
        "ls; ls inputs; cat call.json",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.out.starts_with("call.json\ninputs\nout\ndataset\n"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("data.split"), "{}", ran.out);
}
