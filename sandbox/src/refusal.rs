//! What to do when the kernel refuses a sandbox: the words for people, and a probe that tries.

use super::helper::Streams;
use super::spawn::Helper;
use super::wire::{Refusal, Report, Spec};
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::Path;

/// Tries to make an empty sandbox below `scratch`, an existing directory. `Err` says which operation this machine
/// refuses first; [`Refusal::help`] what to do about it.
pub fn probe(helper: &Helper, scratch: &Path) -> Result<(), Refusal> {
    let io = |operation: &str, error: &std::io::Error| Refusal {
        operation: operation.to_owned(),
        errno: error.raw_os_error().unwrap_or(libc::EIO),
    };
    let scratch = tempfile::tempdir_in(scratch).map_err(|error| io("make a scratch directory", &error))?;
    let directory = |name: &str| {
        let path = scratch.path().join(name);
        fs::create_dir(&path)
            .map(|()| path)
            .map_err(|error| io("make a scratch directory", &error))
    };
    let spec = Spec {
        namespaces: true,
        root: directory("root")?,
        build: directory("build")?,
        tmp: directory("tmp")?,
        ..Spec::default()
    };
    let null = File::open("/dev/null").map_err(|error| io("open /dev/null", &error))?;
    let mut first = helper.spawn(true, &Streams::Log(null.as_fd()), None)?;
    first.begin(&spec)?;
    match first.report() {
        Ok(Some(Report::Started)) => Ok(()),
        Ok(Some(Report::Refused(refusal))) => Err(refusal),
        Ok(Some(Report::Ended(_) | Report::Touched(_)) | None) => Err(Refusal {
            operation: "keep the sandbox's first process running".into(),
            errno: libc::ESRCH,
        }),
        Err(error) => Err(io("hear from the sandbox's first process", &error)),
    }
}

impl Refusal {
    /// What to do, as far as this machine tells why it refused: what an administrator would set, where it is the sandbox
    /// that is refused and not what the step brings.
    pub fn help(&self) -> Option<String> {
        let about = |word: &str| self.operation.starts_with(word);
        let words = match self.errno {
            errno if about("ask the kernel for Landlock") => {
                let why = super::landlock::why_none(errno);
                return Some(format!(
                    "{why}; where namespaces are allowed, `--sandbox=on` needs no Landlock; `--sandbox=off` builds without \
                     a sandbox, and is recorded with each result"
                ));
            }
            libc::ENOENT if about("run ") => {
                "a step sees only the programs of its environment, and its own inputs"
            }
            libc::EACCES if about("run ") => "make the file executable",
            libc::EACCES if about("bind ") || about("find ") => "make it readable for the user who runs mlp",
            _ => return self.help_for_machine(),
        };
        Some(words.to_owned())
    }

    fn help_for_machine(&self) -> Option<String> {
        let denied = matches!(self.errno, libc::EPERM | libc::EACCES);
        let advice = if self.errno == libc::ENOSPC && setting("user/max_user_namespaces") == Some(0) {
            "user namespaces are off: an administrator can allow them with `sysctl -w user.max_user_namespaces=15000`"
        } else if denied && setting("kernel/unprivileged_userns_clone") == Some(0) {
            "only root may make user namespaces here: an administrator can allow them with `sysctl -w \
             kernel.unprivileged_userns_clone=1`"
        } else if denied && setting("kernel/apparmor_restrict_unprivileged_userns") == Some(1) {
            "AppArmor takes the rights from user namespaces here: an administrator can allow them with `sysctl -w \
             kernel.apparmor_restrict_unprivileged_userns=0`, or with a profile for mlp that says `userns,`"
        } else if denied && self.operation == "mount /proc" {
            "a part of /proc is covered here, as container runtimes do: run the container with `--security-opt \
             systempaths=unconfined`"
        } else if denied && in_container() {
            "the container's runtime forbids it: run the container with `--security-opt seccomp=unconfined` and, where \
             AppArmor is in use, `--security-opt apparmor=unconfined`"
        } else if self.errno == libc::ENOSYS {
            "this kernel is too old or is built without it: mlp's sandbox needs Linux 5.12 with user namespaces"
        } else if denied {
            "the kernel, or a container around mlp, forbids it; user namespaces must be allowed for this user"
        } else {
            return None;
        };
        Some(format!(
            "{advice}; {} `--sandbox=off` builds without a sandbox; either is recorded with each result",
            match super::landlock_version() {
                Ok(_) => "`--sandbox=landlock` is weaker, and this kernel has it;",
                Err(_) => "",
            }
        ))
    }
}

fn setting(name: &str) -> Option<i64> {
    fs::read_to_string(Path::new("/proc/sys").join(name))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Marks that the usual runtimes leave.
fn in_container() -> bool {
    Path::new("/.dockerenv").exists()
        || Path::new("/run/.containerenv").exists()
        || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_covered_proc_is_explained() {
        let refusal = Refusal {
            operation: "mount /proc".into(),
            errno: libc::EPERM,
        };
        // On a machine whose sysctls explain it already, those come first.
        assert!(refusal.help().unwrap().contains("--sandbox=off"));
    }

    #[test]
    fn what_the_step_brings_is_no_matter_for_an_administrator() {
        let help = |operation: &str| {
            Refusal {
                operation: operation.into(),
                errno: libc::EACCES,
            }
            .help()
            .unwrap()
        };
        assert_eq!(help("run ./train.sh"), "make the file executable");
        assert!(!help("bind /data").contains("--sandbox=off"));
    }

    #[test]
    fn an_error_of_another_kind_gets_no_advice_about_namespaces() {
        let refusal = Refusal {
            operation: "bind /data".into(),
            errno: libc::ENOENT,
        };
        assert_eq!(refusal.help(), None);
    }
}
