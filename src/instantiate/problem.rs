//! What is wrong with a source or a spec, as a diagnostic at the place that names it.

use crate::model::source::{SourceProblem, SourceRequest};
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::Span;

/// A source that cannot be used.
pub(super) fn source(request: &SourceRequest, problem: &SourceProblem, span: Span) -> Diagnostic {
    let (SourceRequest::Path(name) | SourceRequest::Glob(name)) = request;
    match problem {
        SourceProblem::Missing { near } => missing(name, near, span),
        SourceProblem::Outside => Diagnostic::error("E0504", span, format!("`{name}` leaves the project"))
            .at("leaves the project")
            .help("copy it below the folder of pipeline.mlp, or link to it from there"),
        SourceProblem::NoMatch => Diagnostic::error("E0505", span, format!("no file matches `{name}`"))
            .at("matches no file")
            .note("files that a .gitignore of the project names do not count in a glob"),
        SourceProblem::InvalidGlob(reason) => {
            Diagnostic::error("E0506", span, format!("`{name}` is no glob: {reason}"))
                .help("`*` stands for any characters but `/`, `**` for any folders, `?` for one character")
        }
        SourceProblem::Unfit { path, reason } => {
            Diagnostic::error("E0503", span, format!("`{path}` {reason}"))
                .help("only regular files, folders and links that stay inside the folder can be inputs")
        }
        SourceProblem::Unreadable { path, reason } => {
            let path = if path.is_empty() { name } else { path };
            Diagnostic::error("E0503", span, format!("`{path}` cannot be read: {reason}"))
        }
    }
}

fn missing(name: &str, near: &[String], span: Span) -> Diagnostic {
    let error =
        Diagnostic::error("E0501", span, format!("there is no `{name}` in the project")).at("is not there");
    if near.is_empty() {
        return error.help("paths are relative to the file that names them; add it, or mend the path");
    }
    let near: Vec<String> = near.iter().map(|path| format!("`./{path}`")).collect();
    error.help(format!("did you mean {}?", near.join(" or ")))
}

/// A directory where `builtin` takes a file.
pub(super) fn directory(name: &str, builtin: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "E0502",
        span,
        format!("`{name}` is a directory, and `{builtin}` reads a file"),
    )
    .at("is a directory")
    .help(format!("name a file in it: `./{name}/…`"))
}
