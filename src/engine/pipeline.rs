//! A project's pipeline: loaded, checked, and evaluated on demand.

use super::graph_cache::{Noted, Reading};
use super::project::{PIPELINE, Project};
use super::world::ProjectWorld;
use mlp_lang::check::{Checked, check, check_needed};
use mlp_lang::diagnostic::{Diagnostic, Severity, is_worth_saying};
use mlp_lang::doc::{self, Entry};
use mlp_lang::eval::{self, Demand, Outcome, Render, Request, Target};
use mlp_lang::hir::Program;
use mlp_lang::ide;
use mlp_lang::lower::{Loaded, Made, load, load_mentioned, set};
use mlp_lang::source::{Sources, Span, World};
use mlp_lang::summary::{self, Summaries};
use std::collections::BTreeSet;
use std::mem::ManuallyDrop;

/// How targets are called where messages point into them.
const COMMAND_LINE: &str = "command line";

/// A pipeline, checked; its mistakes are in [`Pipeline::diagnostics`].
#[derive(Debug)]
pub struct Pipeline {
    sources: Sources,
    /// Never taken apart: a command has one pipeline and ends with it, and freeing 10,000 steps piece by piece takes a
    /// tenth of the time that checking them does.
    checked: ManuallyDrop<Checked>,
    /// What it was read from, if all of it could be read.
    noted: Option<Noted>,
    /// The paths that were asked for, what is not there among them.
    read: BTreeSet<String>,
    /// What names stand for; kept for [`Pipeline::written`], and never taken apart either.
    program: ManuallyDrop<Program>,
    /// Of each module what it was made of.
    made: Vec<Made>,
}

impl Pipeline {
    /// Loads and checks the pipeline of `project`, with values from outside for its params.
    pub fn load(project: &Project, settings: &[(String, String)]) -> Self {
        Self::load_knowing(project, settings, Summaries::default())
    }

    /// The same, with summaries in the place of files that are `known`.
    pub(super) fn load_knowing(project: &Project, settings: &[(String, String)], known: Summaries) -> Self {
        let world = ProjectWorld::new(&project.root);
        let world = Reading::new(&world);
        let has_summaries = !known.is_empty();
        let given: Vec<&str> = settings.iter().map(|(_, text)| text.as_str()).collect();
        let mut loaded = load_mentioned(&world, PIPELINE, known, &given);
        set_all(&mut loaded, &world, settings);
        let mut checked = check_needed(&loaded.program, &loaded.sources);
        // Messages name what else there is. With summaries nobody asks for them.
        let is_silent = loaded.diagnostics.is_empty() && checked.diagnostics.is_empty();
        if !is_silent && !has_summaries {
            loaded = load_file(&world, PIPELINE, settings);
            checked = check(&loaded.program, &loaded.sources);
        }
        let made = loaded.made_of();
        let Loaded {
            sources,
            program,
            mut diagnostics,
            ..
        } = loaded;
        diagnostics.append(&mut checked.diagnostics);
        let all: Vec<&Diagnostic> = diagnostics.iter().collect();
        let kept: Vec<bool> = all.iter().map(|found| is_worth_saying(found, &all)).collect();
        let mut kept = kept.into_iter();
        diagnostics.retain(|_| kept.next().unwrap_or(true));
        checked.diagnostics = diagnostics;
        Self {
            sources,
            checked: ManuallyDrop::new(checked),
            read: world.paths(),
            noted: world.noted(),
            program: ManuallyDrop::new(program),
            made,
        }
    }

    /// A pipeline that nothing was read of, where its graph is remembered: nothing points into its files.
    pub fn unread() -> Self {
        Self {
            sources: Sources::default(),
            checked: ManuallyDrop::default(),
            noted: None,
            read: BTreeSet::new(),
            program: ManuallyDrop::default(),
            made: Vec::new(),
        }
    }

    /// What it was read from, for [`super::remember`].
    pub fn noted(&self) -> Option<&Noted> {
        self.noted.as_ref()
    }

    /// The paths that were asked for when it was loaded, what is not there among them.
    pub fn read(&self) -> &BTreeSet<String> {
        &self.read
    }

    /// Gives its memory back: for those who load one after the other.
    pub fn take_apart(self) {
        drop(ManuallyDrop::into_inner(self.checked));
        drop(ManuallyDrop::into_inner(self.program));
    }

    /// Its files, and the targets and settings that messages point into.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The same, to add files that messages point into.
    pub fn sources_mut(&mut self) -> &mut Sources {
        &mut self.sources
    }

    /// What was found when it was loaded and checked.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.checked.diagnostics
    }

    /// Where the part at `path` of the value at `at` was written: through names, settings and functions of the project.
    pub fn written(&self, at: Span, path: &[String]) -> Span {
        ide::written(&self.program, at, path)
    }

    /// Evaluates everything.
    pub fn evaluate_all(&self) -> Outcome {
        self.evaluate(&Demand::All, Render::Nothing)
    }

    /// The same, and summarises its files.
    pub(super) fn evaluate_and_summarise(&mut self) -> (Outcome, Summaries) {
        summary::evaluate_all(&self.program, &self.sources, &mut self.checked, &self.made)
    }

    /// Whether something was asked of a file that its summary does not say.
    pub(super) fn lacks(&self) -> bool {
        self.checked.lacks
    }

    /// What it was made of, for [`super::graph_cache::Files`].
    pub(super) fn made_of(&self) -> (&Program, &Sources, &[Made]) {
        (&self.program, &self.sources, &self.made)
    }

    /// Evaluates targets that must hold something to build.
    pub fn evaluate_for_build(&mut self, targets: &[String]) -> Outcome {
        let demand = Demand::Build(self.targets(targets));
        self.evaluate(&demand, Render::Nothing)
    }

    /// Evaluates targets of any value, or without any the file's result, and renders them.
    pub fn evaluate_to_show(&mut self, targets: &[String], render: Render) -> Outcome {
        let demand = match targets {
            [] => Demand::Result,
            _ => Demand::Show(self.targets(targets)),
        };
        self.evaluate(&demand, render)
    }

    fn evaluate(&self, demand: &Demand, render: Render) -> Outcome {
        eval::evaluate(Request {
            core: &self.checked.core,
            sources: &self.sources,
            demand,
            render,
        })
    }

    fn targets(&mut self, targets: &[String]) -> Vec<Target> {
        let targets = targets.iter().map(|text| {
            let source = self.sources.add(COMMAND_LINE, text.as_str());
            Target {
                text: text.clone(),
                span: Span {
                    source,
                    start: 0,
                    end: text.len() as u32,
                },
            }
        });
        targets.collect()
    }
}

/// A file with all that it imports, and values from outside for its params; not yet checked.
pub fn load_file(world: &dyn World, path: &str, settings: &[(String, String)]) -> Loaded {
    let mut loaded = load(world, path);
    set_all(&mut loaded, world, settings);
    loaded
}

fn set_all(loaded: &mut Loaded, world: &dyn World, settings: &[(String, String)]) {
    for (name, text) in settings {
        set(loaded, world, name, text);
    }
}

/// What is documented in the project's pipeline and in the files of the project that it imports.
pub fn documentation(project: &Project) -> Vec<Entry> {
    let loaded = load(&ProjectWorld::new(&project.root), PIPELINE);
    let mut checked = check(&loaded.program, &loaded.sources);
    doc::project(&loaded.program, &loaded.sources, &mut checked.types)
}

/// Whether any is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipeline(text: &str, settings: &[(&str, &str)]) -> (tempfile::TempDir, Pipeline) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(PIPELINE), text).unwrap();
        let project = Project {
            root: folder.path().to_owned(),
        };
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, text)| ((*name).into(), (*text).into()))
            .collect();
        (folder, Pipeline::load(&project, &settings))
    }

    fn shown(text: &str, settings: &[(&str, &str)], target: &str) -> String {
        let (_folder, mut pipeline) = pipeline(text, settings);
        let outcome = pipeline.evaluate_to_show(&[target.to_owned()], Render::Json);
        let all: Vec<_> = pipeline
            .diagnostics()
            .iter()
            .chain(&outcome.diagnostics)
            .collect();
        match outcome.values.as_slice() {
            [value] if all.is_empty() => value.text.clone(),
            _ => all
                .iter()
                .map(|d| format!("{} {}", d.code, d.message))
                .collect::<Vec<_>>()
                .join("\n"),
        }
    }

    #[test]
    fn settings_take_the_place_of_defaults() {
        let text =
            "param lr: Float = 0.5\nparam name = \"a\"\nparam n: Int\nx = lr * 2\ny = \"${name}${n}\"\n";
        assert_eq!(shown(text, &[("n", "1")], "x"), "1.0");
        assert_eq!(shown(text, &[("n", "1"), ("lr", "3")], "x"), "6.0");
        assert_eq!(shown(text, &[("n", "1"), ("lr", "1"), ("lr", "2")], "x"), "4.0");
        assert_eq!(shown(text, &[("n", "2"), ("name", "b c")], "y"), "\"b c2\"");
    }

    #[test]
    fn settings_are_held_against_their_type() {
        let text = "param lr: Float = 0.5\nx = lr\n";
        assert!(shown(text, &[("lr", "\"fast\"")], "x").contains("Float"));
        assert!(shown(text, &[("rl", "1")], "x").starts_with("E0415"));
        assert!(shown(text, &[("lr", "1 +")], "x").starts_with("E01"));
    }
}
