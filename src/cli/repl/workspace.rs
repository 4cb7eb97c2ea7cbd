//! A session with the files that it reads: a project's, or those below the folder in which it was begun.

use super::super::exit::Refusal;
use super::super::place;
use crate::engine::{PIPELINE, Project, ProjectError, ProjectWorld, load_file};
use mlp_lang::check::check;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::doc::Entry;
use mlp_lang::ide::{Completion, FileEntry};
use mlp_lang::session::{Entered, Session};
use mlp_lang::shapes::LayerRow;
use mlp_lang::source::Sources;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What was found wrong, and the texts that it is in.
pub(super) type Found = (Sources, Vec<Diagnostic>);

/// A session and its files.
#[derive(Debug)]
pub(super) struct Workspace {
    world: ProjectWorld,
    /// The file that is loaded, by its path from the root.
    file: Option<String>,
    /// Values for its params.
    settings: Vec<(String, String)>,
    session: Session,
}

impl Workspace {
    /// The pipeline of the project here, or nothing where there is no project; and what is wrong with it.
    pub(super) fn open(settings: Vec<(String, String)>) -> Result<(Self, Found), Refusal> {
        match Project::find(Path::new(".")) {
            Ok(project) => Ok(Self::over(project.root, PIPELINE.to_owned(), settings)),
            Err(ProjectError::Missing(_)) if settings.is_empty() => {
                let workspace = Self {
                    world: ProjectWorld::new("."),
                    file: None,
                    settings,
                    session: Session::default(),
                };
                Ok((workspace, Found::default()))
            }
            Err(_) => Err(place::project()
                .err()
                .unwrap_or_else(|| Refusal::new("there is no project here"))),
        }
    }

    fn over(root: PathBuf, file: String, settings: Vec<(String, String)>) -> (Self, Found) {
        let world = ProjectWorld::new(root);
        let loaded = load_file(&world, &file, &settings);
        let mut found = loaded.diagnostics.clone();
        found.extend(check(&loaded.program, &loaded.sources).diagnostics);
        let sources = loaded.sources.clone();
        let workspace = Self {
            world,
            file: Some(file),
            settings,
            session: Session::new(loaded),
        };
        (workspace, (sources, found))
    }

    /// The file that is loaded.
    pub(super) fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// Begins anew with another file, which is named from the folder here.
    pub(super) fn load(&mut self, path: &str) -> Result<Found, Refusal> {
        let path = path.trim_matches('"');
        let full = Path::new(path).canonicalize();
        let full = full.map_err(|error| Refusal::new(format!("`{path}` cannot be read: {error}")))?;
        if !full.is_file() {
            return Err(Refusal::new(format!("`{path}` is no file")).hint("name a file that ends in .mlp"));
        }
        let folder = full.parent().unwrap_or(Path::new("/"));
        let root = Project::find(folder).map_or_else(|_| folder.to_owned(), |project| project.root);
        let parts = full.strip_prefix(&root).unwrap_or(&full).components();
        let parts: Option<Vec<&str>> = parts.map(|part| part.as_os_str().to_str()).collect();
        let file = parts.ok_or_else(|| Refusal::new(format!("the path of `{path}` is not UTF-8 text")))?;
        let (workspace, found) = Self::over(root, file.join("/"), Vec::new());
        *self = workspace;
        Ok(found)
    }

    /// Reads the file again, and enters again what was defined since; what now fails is told, and gone.
    pub(super) fn reload(&mut self) -> Result<Vec<Found>, Refusal> {
        let Some(file) = self.file.clone() else {
            return Err(Refusal::new("no file is loaded").hint("`:load FILE` loads one"));
        };
        let kept = self.session.kept().to_vec();
        let loaded = load_file(&self.world, &file, &self.settings);
        let mut diagnostics = loaded.diagnostics.clone();
        diagnostics.extend(check(&loaded.program, &loaded.sources).diagnostics);
        let mut found = vec![(loaded.sources.clone(), diagnostics)];
        self.session = Session::new(loaded);
        for text in kept {
            let entered = self.enter(&text);
            if entered.failed() {
                found.push((entered.sources, entered.diagnostics));
            }
        }
        Ok(found)
    }

    pub(super) fn enter(&mut self, text: &str) -> Entered {
        self.session.enter(&self.world, text)
    }

    pub(super) fn type_of(&mut self, text: &str) -> Entered {
        self.session.type_of(&self.world, text)
    }

    pub(super) fn layers(&mut self, text: &str) -> (Entered, Option<Arc<Vec<LayerRow>>>) {
        self.session.layers(&self.world, text)
    }

    pub(super) fn documentation(&self) -> Vec<Entry> {
        self.session.documentation()
    }

    pub(super) fn complete(&self, text: &str, offset: usize) -> Vec<Completion> {
        let list = |folder: &str| self.world.list(folder);
        self.session.complete(&self.world, text, offset, &list)
    }

    /// What is in a folder that is named from the folder here.
    pub(super) fn list_here(folder: &str) -> Vec<FileEntry> {
        ProjectWorld::new(".").list(folder)
    }
}
