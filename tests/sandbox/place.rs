//! What a builder sees, and what it cannot reach.

use super::script;
use mlp::model::build::{Ending, Isolation};

#[test]
fn a_build_writes_its_output() {
    let build = script("echo made > out");
    let outcome = build.run();
    assert_eq!(outcome.ending, Ending::Succeeded, "{}", build.log());
    assert_eq!(build.out(&outcome), "made\n");
    assert!(outcome.cpu.is_some() && outcome.peak_memory.is_some_and(|peak| peak > 0));
}

#[test]
fn stdout_and_stderr_go_to_the_log() {
    let build = script("echo one; echo two >&2; exit 3");
    assert_eq!(build.run().ending, Ending::Exited(3));
    assert_eq!(build.log(), "one\ntwo\n");
}

#[test]
fn the_environment_is_exactly_what_was_asked_for() {
    let mut build = script("env | sort");
    build.request.vars = [("B".into(), "2".into()), ("PATH".into(), "/usr/bin".into())].into();
    // The shell sets PWD, and some shells OLDPWD and SHLVL.
    let log = build.logged();
    let own = ["PWD=", "OLDPWD=", "SHLVL=", "_="];
    let given: Vec<_> = log
        .lines()
        .filter(|line| !own.iter().any(|own| line.starts_with(own)))
        .collect();
    assert_eq!(given, ["B=2", "PATH=/usr/bin", "Succeeded"]);
}

#[test]
fn the_identity_is_the_same_everywhere() {
    let log = script("id -un; id -u; uname -n; pwd; umask; echo $HOME; ls -A /").logged();
    let expected = "mlp\n1000\nmlp\n/build\n0022\n/build\n";
    assert!(log.starts_with(expected), "{log}");
}

#[test]
fn files_of_the_machine_are_invisible() {
    let build = script("cat /etc/shadow /etc/hostname /root/.profile; ls /root /home /sys /var /opt");
    assert!(matches!(build.run().ending, Ending::Exited(_)));
    let log = build.log();
    assert_eq!(log.matches("No such file or directory").count(), 8, "{log}");
}

#[test]
fn there_is_no_network() {
    let log = script("cat /proc/net/dev | tail -n +3 | cut -d: -f1; cat /proc/net/route | wc -l").logged();
    // The loopback alone, and no route.
    assert!(log.split_whitespace().next() == Some("lo"), "{log}");
    assert!(log.contains("\n1\n") || log.contains("\n0\n"), "{log}");
}

#[test]
fn inputs_are_read_only() {
    let mut build =
        script("cat inputs/a/f; echo x > inputs/a/f; rm inputs/a/f; touch inputs/b; echo end > out");
    let input = build.directory.path().join("input");
    std::fs::create_dir(&input).unwrap();
    std::fs::write(input.join("f"), "content\n").unwrap();
    build.request.inputs.insert("inputs/a".into(), input.clone());
    build.request.inputs.insert("inputs/b".into(), input.join("f"));
    let outcome = build.run();
    let log = build.log();
    assert!(log.starts_with("content\n"), "{log}");
    assert_eq!(log.matches("Read-only file system").count(), 3, "{log}");
    assert_eq!(build.out(&outcome), "end\n");
    assert_eq!(std::fs::read_to_string(input.join("f")).unwrap(), "content\n");
}

#[test]
fn only_the_build_directory_and_tmp_can_be_written() {
    let log = script(
        "for d in / /usr /etc /dev /proc/sys/kernel; do touch $d/new 2>/dev/null && echo wrote $d; done; \
                      touch /tmp/a /build/b /dev/shm/c && echo fine; \
                      (echo 1 > /proc/sys/kernel/panic) 2>/dev/null && echo kernel; true",
    )
    .logged();
    assert_eq!(log, "fine\nSucceeded");
}

#[test]
fn processes_of_others_are_invisible() {
    let log = script("ls -d /proc/[0-9]* | wc -l; cat /proc/1/environ; kill -9 1; ls /proc/1/fd").logged();
    let count: u32 = log.lines().next().unwrap().parse().unwrap();
    assert!(count <= 5, "{log}");
    assert!(log.contains("Permission denied"), "{log}");
}

#[test]
fn rights_are_gone_for_good() {
    let log = script("grep -E 'CapEff|CapBnd|NoNewPrivs|^Seccomp:' /proc/self/status").logged();
    let values: Vec<_> = log
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_eq!(
        values,
        ["0000000000000000", "0000000000000000", "1", "2"],
        "{log}"
    );
}

#[test]
fn namespaces_mounts_and_setuid_are_refused() {
    let log = script(
        "unshare -U true 2>&1 | grep -c 'not permitted'; unshare -r true 2>/dev/null || echo no root; \
         mount -t tmpfs x /tmp 2>/dev/null || echo no mount; \
         cp /bin/true t; chmod u+s t 2>/dev/null || echo no setuid; chmod 755 t && echo chmod",
    )
    .logged();
    assert_eq!(log, "1\nno root\nno mount\nno setuid\nchmod\nSucceeded");
}

#[test]
fn addresses_are_the_same_in_every_run() {
    let addresses = || script("grep -E 'stack|libc' /proc/self/maps | cut -d- -f1").logged();
    assert_eq!(addresses(), addresses());
}

#[test]
fn no_descriptor_is_inherited() {
    let log = script("ls /proc/self/fd").logged();
    // 3 is what ls itself opened.
    assert_eq!(log, "0\n1\n2\n3\nSucceeded");
}

#[test]
fn an_input_that_is_not_there_is_said() {
    let mut build = script("true");
    build
        .request
        .inputs
        .insert("inputs/a".into(), "/nowhere/a".into());
    let Ending::NotStarted { reason, .. } = build.run().ending else {
        panic!("it started")
    };
    assert!(reason.contains("/nowhere/a"), "{reason}");
}

#[test]
fn a_program_that_is_not_there_is_said() {
    let mut build = script("true");
    build.request.argv = vec!["/usr/bin/no-such-program".into()];
    let Ending::NotStarted { reason, help } = build.run().ending else {
        panic!("it started")
    };
    assert_eq!(
        reason,
        "cannot run /usr/bin/no-such-program: No such file or directory"
    );
    assert!(help.unwrap().contains("its environment"));
}

#[test]
fn a_program_is_looked_up_in_the_path_that_it_gets() {
    let mut build = script("");
    build.request.argv = vec!["echo".into(), "found".into()];
    assert_eq!(build.logged(), "found\nSucceeded");
    build.request.vars.insert("PATH".into(), "/nowhere".into());
    assert!(matches!(build.run().ending, Ending::NotStarted { .. }));
}

#[test]
fn an_output_behind_a_link_is_none() {
    let mut build = script("ln -s /usr link; touch out");
    build.request.outputs.insert("stolen".into(), "link/bin".into());
    let outcome = build.run();
    assert_eq!(outcome.outputs.keys().collect::<Vec<_>>(), ["out"]);
}

#[test]
fn a_program_runs_with_its_closure_and_sees_nothing_else() {
    let program = std::path::Path::new("/usr/bin/ls").canonicalize().unwrap();
    let mut build = script("");
    build.request.isolation = Isolation::Sandboxed;
    build.request.closure = mlp_sandbox::Closures::default().of(&program).unwrap();
    build.request.argv = vec![program.display().to_string(), "/usr/bin".into(), "/etc".into()];
    let log = build.logged();
    assert!(
        log.contains("/usr/bin:\nls\n") && log.ends_with("Succeeded"),
        "{log}"
    );
    assert!(!log.contains("shadow"), "{log}");
}

#[test]
fn without_a_sandbox_the_same_request_builds_too() {
    let mut build = script("cat inputs/a > out; echo $HOME");
    let input = build.directory.path().join("input");
    std::fs::write(&input, "content\n").unwrap();
    build.request.inputs.insert("inputs/a".into(), input);
    build.request.isolation = Isolation::Off;
    let outcome = build.run();
    assert_eq!(outcome.isolation, Isolation::Off);
    assert_eq!(build.out(&outcome), "content\n");
    assert_eq!(
        build.log().trim(),
        build.request.scratch.join("build").display().to_string()
    );
}

#[test]
fn this_machine_can_make_sandboxes() {
    let directory = tempfile::tempdir().unwrap();
    let helper = mlp_sandbox::Helper::new(super::mlp_program());
    assert_eq!(mlp_sandbox::probe(&helper, directory.path()), Ok(()));
}

#[test]
fn an_input_gets_no_second_name_and_no_other_way_in() {
    let mut build = script(
        "for to in out /tmp/x; do ln inputs/a/f $to 2>/dev/null && echo linked; done; \
         (echo x > /proc/self/root/build/inputs/a/f) 2>/dev/null && echo by root; \
         (echo x > /proc/self/cwd/inputs/a/f) 2>/dev/null && echo by cwd; \
         exec 9<inputs/a/f; (echo x > /proc/self/fd/9) 2>/dev/null && echo by descriptor; \
         chmod 666 inputs/a/f 2>/dev/null && echo chmod; touch -d 2001-01-01 inputs/a/f 2>/dev/null && echo touch; true",
    );
    let input = build.directory.path().join("input");
    std::fs::create_dir(&input).unwrap();
    std::fs::write(input.join("f"), "content\n").unwrap();
    build.request.inputs.insert("inputs/a".into(), input.clone());
    assert_eq!(build.logged(), "Succeeded");
    assert_eq!(std::fs::read_to_string(input.join("f")).unwrap(), "content\n");
}
