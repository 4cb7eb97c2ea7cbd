//! What `mlp check` finds: everything that is wrong with a pipeline, in one go. What is remembered of earlier checks spares it
//! the files that did not change, and never says anything but that all is well.

use super::graph_cache::{self, Files, Remembered};
use super::pipeline::Pipeline;
use super::project::Project;
use crate::instantiate::{can_be_built, not_yet};
use mlp_lang::diagnostic::Diagnostic;

/// The pipeline of `project`, and all that is wrong with it.
pub fn check(project: &Project, settings: &[(String, String)]) -> (Pipeline, Vec<Diagnostic>) {
    if graph_cache::is_known_to_be_clean(project, settings) {
        return (Pipeline::unread(), Vec::new());
    }
    if let Some(known) = graph_cache::recall_files(project, settings) {
        let (pipeline, found) = go_through(project, settings, known);
        if found.as_ref().is_ok_and(Vec::is_empty) {
            return (pipeline, Vec::new());
        }
    }
    let (pipeline, found) = go_through(project, settings, Remembered::default());
    (pipeline, found.unwrap_or_default())
}

/// Something was asked of a file that its summary does not say.
struct Lacks;

/// Checks with what is `known` of files, and remembers what there was nothing to say of.
fn go_through(
    project: &Project,
    settings: &[(String, String)],
    known: Remembered,
) -> (Pipeline, Result<Vec<Diagnostic>, Lacks>) {
    let mut pipeline = Pipeline::load_knowing(project, settings, known.summaries);
    let (outcome, summaries) = pipeline.evaluate_and_summarise();
    if outcome.lacks || pipeline.lacks() {
        return (pipeline, Err(Lacks));
    }
    let mut found = pipeline.diagnostics().to_vec();
    // What did not check has been told; evaluation passes over it and tells of the rest.
    found.extend_from_slice(&outcome.diagnostics);
    found.extend(not_yet(&outcome));
    if found.is_empty()
        && let Some(noted) = pipeline.noted()
        && let Some(files) = Files::of(pipeline.made_of(), noted, known.files)
    {
        graph_cache::remember_clean(project, settings, &files.noted(noted));
        // A summary speaks of steps that nothing demanded yet.
        if can_be_built(&outcome) {
            graph_cache::remember_files(project, settings, &Remembered { files, summaries });
        }
    }
    // The process ends with the command; freeing thousands of specs one by one would only make it later.
    std::mem::forget(outcome);
    (pipeline, Ok(found))
}
