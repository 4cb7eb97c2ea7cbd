//! What is wrong with a source or a spec, as a diagnostic at the place that names it.

use crate::model::source::{SourceProblem, SourceRequest};
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::{Sources as Texts, Span};

/// A source that cannot be used.
pub(super) fn source(request: &SourceRequest, problem: &SourceProblem, span: Span) -> Diagnostic {
    let (SourceRequest::Path(name) | SourceRequest::Glob(name)) = request;
    match problem {
        SourceProblem::Missing { near } => missing(name, near, span),
        SourceProblem::Unlisted { pin } => {
            let message = format!("`{name}` lies in `{pin}`, which is not here");
            Diagnostic::error("E0706", span, message)
                .at("is not here")
                .note("mlp.lock pins the directory as a whole, and this store never saw what is in it")
                .help(format!("put `{pin}` here again, from wherever the data is kept"))
        }
        SourceProblem::Outside => Diagnostic::error("E0504", span, format!("`{name}` leaves the project"))
            .at("leaves the project")
            .help("copy it below the folder of pipeline.mlp, or link to it from there"),
        SourceProblem::NoMatch => Diagnostic::error("E0505", span, format!("no file matches `{name}`"))
            .at("matches no file")
            .note("files that a .gitignore of the project names do not count in a glob")
            .help(match name.contains(['*', '?', '[']) {
                true => "patterns are seen from the folder of pipeline.mlp: `*` stands for any characters but `/`, `**` for any folders".to_owned(),
                false => format!("text is a pattern here; a file is named by its path, without quotes: `./{name}`"),
            }),
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
                .help("make it readable for you: `chmod u+r`, and `u+x` for its folders")
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

/// The same at the very word of a command that names the source, where the words stand in one list.
pub fn narrowed(mut error: Diagnostic, texts: &Texts) -> Diagnostic {
    let span = error.span();
    let text = texts.text(span);
    let Some(name) = error.message.split('`').nth(1).filter(|_| text.starts_with('[')) else {
        return error;
    };
    for word in [format!("./{name}"), format!("\"{name}\"")] {
        if let [(at, _)] = text.match_indices(&word).collect::<Vec<_>>().as_slice() {
            let start = span.start + *at as u32;
            let end = start + word.len() as u32;
            error.labels[0].span = Span { start, end, ..span };
            break;
        }
    }
    error
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
