//! Processes that are ended while they work.
#![expect(clippy::disallowed_methods, reason = "signals are sent by kill(1)")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};

/// Reads stderr of `child` until a line has `text`; gives all that was read. Fails where the child ends before.
pub(crate) fn wait_for(child: &mut Child, text: &str) -> (String, BufReader<std::process::ChildStderr>) {
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let read = read_until(&mut reader, text);
    (read, reader)
}

/// Reads on until a line has `text`; gives all that was read. Fails where there is none.
pub(crate) fn read_until(reader: &mut impl BufRead, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        assert_ne!(
            reader.read_line(&mut read).unwrap(),
            0,
            "ended without `{text}`:\n{read}"
        );
    }
    read
}

/// Whether a process is alive that has `mark` in its command line.
pub(crate) fn any_process_has(mark: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(mark)
    })
}

/// Waits for the end: the exit code, and what was still written on stderr.
pub(crate) fn finish(child: &mut Child, mut rest: impl Read) -> (Option<i32>, String) {
    let mut text = String::new();
    rest.read_to_string(&mut text).unwrap();
    (child.wait().unwrap().code(), text)
}

/// Sends a signal, `INT` or `KILL`, to one process.
pub(crate) fn signal(process: u32, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &process.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// The process called `name` (as the kernel cuts it off) that descends from `ancestor`.
pub(crate) fn descendant(ancestor: u32, name: &str) -> u32 {
    let processes: Vec<(u32, u32, String)> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|process: u32| stat(process))
        .collect();
    let mut family = vec![ancestor];
    let mut seen = 0;
    while seen < family.len() {
        let parent = family[seen];
        let children = processes.iter().filter(|(_, of, _)| *of == parent);
        family.extend(children.map(|(process, ..)| *process));
        seen += 1;
    }
    let found = processes
        .iter()
        .find(|(process, _, called)| called == name && family.contains(process));
    found
        .map(|(process, ..)| *process)
        .unwrap_or_else(|| panic!("no {name} below {ancestor}"))
}

/// A process's number, its parent's, and its name.
fn stat(process: u32) -> Option<(u32, u32, String)> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    Some((process, tail.split_whitespace().nth(1)?.parse().ok()?, name))
}
