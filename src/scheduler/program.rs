//! The builder programs of builtins: where they lie, and what they need to be visible.

use super::failure::not_started;
use crate::model::event::StepFailure;
use mlp_protocol::builtin::{self, Program};
use mlp_sandbox::Closures;
use std::path::{Path, PathBuf};

/// The builder programs of this installation.
#[derive(Debug, Default)]
pub struct Programs {
    folders: Vec<PathBuf>,
    closures: Closures,
}

impl Programs {
    /// Those in `libexec`, where it is given, else beside the running program, or in `../libexec/mlp` from it.
    pub fn find(libexec: Option<&Path>) -> Self {
        let beside = || {
            let program = std::env::current_exe().ok()?.canonicalize().ok()?;
            let folder = program.parent()?;
            Some(vec![folder.to_owned(), folder.parent()?.join("libexec/mlp")])
        };
        let folders = match libexec {
            Some(folder) => vec![folder.to_owned()],
            None => beside().unwrap_or_default(),
        };
        Self {
            folders,
            closures: Closures::default(),
        }
    }

    /// The program that builds `name`, and its closure.
    pub fn of(&self, name: &str) -> Result<(PathBuf, Vec<PathBuf>), Box<StepFailure>> {
        let builtin = builtin::find(name).ok_or_else(|| {
            not_started(
                format!("this version of mlp has no builder for `{name}`"),
                Some("the pipeline was written for another version of mlp"),
            )
        })?;
        let (file, help) = match builtin.program {
            Program::Data => (
                "mlp-data",
                "install it beside `mlp`, or set MLP_LIBEXEC to the folder where it lies",
            ),
            Program::Own => {
                return Err(not_started(
                    format!("mlp itself does `{name}`, outside of the sandbox"),
                    None,
                ));
            }
            Program::Trainer => (
                "mlp-trainer",
                "`cargo xtask libtorch` and `cargo build --release -p mlp-trainer` make it; install it beside `mlp`, or \
                 set MLP_LIBEXEC to the folder where it lies",
            ),
        };
        let found = self
            .folders
            .iter()
            .map(|folder| folder.join(file))
            .find(|path| path.is_file());
        let program = found.ok_or_else(|| {
            let folders: Vec<String> = self
                .folders
                .iter()
                .map(|folder| format!("`{}`", folder.display()))
                .collect();
            not_started(
                format!(
                    "the program {file}, which builds `{name}`, is not in {}",
                    folders.join(" or ")
                ),
                Some(help),
            )
        })?;
        let program = program.canonicalize().map_err(|error| {
            not_started(
                format!("the program {} cannot be found: {error}", program.display()),
                Some(help),
            )
        })?;
        let closure = self
            .closures
            .of(&program)
            .map_err(|error| not_started(error.to_string(), Some(help)))?;
        Ok((program, closure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::StepFailure;

    #[test]
    fn a_program_that_is_missing_is_named_with_what_to_do() {
        let programs = Programs::find(Some(Path::new("/nowhere")));
        let StepFailure::NotStarted { reason, help } = *programs.of("ml.train").unwrap_err() else {
            panic!("it was found");
        };
        assert_eq!(
            reason,
            "the program mlp-trainer, which builds `ml.train`, is not in `/nowhere`"
        );
        assert!(help.unwrap().contains("cargo xtask libtorch"));
    }

    #[test]
    fn a_builtin_of_another_version_is_said() {
        let failure = Programs::default().of("ml.dream").unwrap_err();
        assert!(matches!(*failure, StepFailure::NotStarted { reason, .. } if reason.contains("`ml.dream`")));
    }
}
