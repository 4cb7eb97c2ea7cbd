//! A project together with the store and the machine: where graphs are made and plans are laid.

use super::environments::Surroundings;
use super::error::EngineError;
use super::graph_cache::Known;
use super::pins::{Entries, differing};
use super::project::Project;
use crate::base::digest::{Digest, Hasher};
use crate::base::processor;
use crate::instantiate::{self, Machine, instantiate, narrowed, requests};
use crate::model::datum;
use crate::model::environment::{Described, EnvironmentTable};
use crate::model::graph::Graph;
use crate::model::node::Node;
use crate::model::source::{SourceRequest, SourceTable};
use crate::plan::{Circumstances, Plan, plan};
use crate::store::{Builds, LastBuilt, Sources, Store};
use mlp_lang::diagnostic::{Diagnostic, Severity};
use mlp_lang::source::Sources as Texts;
use mlp_lang::spec::{EnvRef, Environment, Evaluation};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::path::PathBuf;
use std::sync::Arc;

/// A project, the store, and what of the machine decides bits.
#[derive(Debug)]
pub struct Workspace {
    pub(super) project: Project,
    pub(super) state: PathBuf,
    pub(super) store: Arc<Store>,
    machine: Machine,
}

/// The graph of some targets, with the project's files as they were digested.
#[derive(Debug)]
pub struct Instance {
    /// The steps that the targets demand.
    pub graph: Graph,
    /// What there is to say of its environments.
    pub warnings: Vec<Diagnostic>,
    pub(super) sources: Sources,
    /// What the project pins.
    pub(super) pins: Entries,
    /// What decided the graph besides the pipeline's text; none where something could not be read.
    pub(super) basis: Option<Basis>,
    /// Whether it is remembered: then its steps can be found, and not built.
    pub(super) recalled: bool,
}

/// What of the project and the machine decides a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Basis {
    pub(super) requests: BTreeSet<SourceRequest>,
    pub(super) environments: Vec<EnvRef>,
    /// Stands for what was found.
    pub(super) answer: Digest,
}

impl Workspace {
    /// Opens the store: `MLP_STORE`, else `mlp/store` in the user's folder of data.
    pub fn open(project: Project) -> Result<Self, EngineError> {
        let state = project.state().map_err(|cause| EngineError::State {
            path: project.root.clone(),
            cause,
        })?;
        let store = Arc::new(open_store()?);
        // A trainer that finds a GPU is a matter of its installation; this one is for processors.
        let machine = Machine {
            cpu: processor::class(),
            cuda: None,
        };
        Ok(Self {
            project,
            state,
            store,
            machine,
        })
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The folder of the runs' logs.
    pub fn runs(&self) -> PathBuf {
        self.state.join("runs")
    }

    /// The folder of pictures of examples.
    pub fn samples(&self) -> PathBuf {
        self.state.join("samples")
    }

    /// The graph of what was evaluated: digests the sources, and finds every step's key.
    /// Files that are read for it (flakes, locks) are added to `texts`, for messages about them.
    pub fn instantiate(
        &self,
        evaluation: &mut Evaluation,
        texts: &mut Texts,
    ) -> Result<Instance, EngineError> {
        let (sources, pins) = self.sources(texts).map_err(EngineError::Pipeline)?;
        let requests = requests(evaluation);
        let table = sources.digest(&requests);
        let named = instantiate::environments(evaluation);
        let named: Vec<&Environment> = named.iter().map(AsRef::as_ref).collect();
        let (environments, mut told) = self.surroundings(&sources, texts).describe(&named);
        if told.iter().any(|told| told.severity == Severity::Error) {
            return Err(EngineError::Pipeline(told));
        }
        told.extend(differing(&sources, &pins, &table));
        let graph = instantiate(evaluation, &table, &environments, &self.machine).map_err(|errors| {
            let errors = errors.into_iter().map(|error| narrowed(error, texts));
            EngineError::Pipeline(errors.collect())
        })?;
        // A cache that cannot be written costs the next run time, and nothing else.
        drop(sources.save());
        let answer = answer(&table, &environments);
        Ok(Instance {
            graph,
            sources,
            pins,
            warnings: told,
            basis: answer.map(|answer| Basis {
                requests,
                environments: named.iter().map(|env| env.kind.clone()).collect(),
                answer,
            }),
            recalled: false,
        })
    }

    /// The instance that is remembered, if the sources and the environments are what they were.
    pub(super) fn recalled(&self, known: &Known) -> Option<Instance> {
        let mut texts = Texts::default();
        let (sources, pins) = self.sources(&mut texts).ok()?;
        let requests = known.requests();
        let table = sources.digest(&requests);
        let environments = known.environments();
        let named: Vec<&Environment> = environments.iter().collect();
        let (described, mut told) = self.surroundings(&sources, &mut texts).describe(&named);
        told.extend(differing(&sources, &pins, &table));
        if !told.is_empty() {
            return None;
        }
        let basis = Basis {
            requests,
            environments: named.iter().map(|env| env.kind.clone()).collect(),
            answer: answer(&table, &described)?,
        };
        Some(Instance {
            graph: known.graph(&basis)?,
            sources,
            pins,
            warnings: told,
            basis: Some(basis),
            recalled: true,
        })
    }

    /// The environments of the steps of what was evaluated, as far as nothing is wrong with them, and what there is to say
    /// of all of them.
    pub fn environments(
        &self,
        evaluation: &Evaluation,
        texts: &mut Texts,
    ) -> (EnvironmentTable, Vec<Diagnostic>) {
        match self.sources(texts) {
            Ok((sources, _)) => {
                let named = instantiate::environments(evaluation);
                let named: Vec<&Environment> = named.iter().map(AsRef::as_ref).collect();
                self.surroundings(&sources, texts).describe(&named)
            }
            Err(told) => (EnvironmentTable::new(), told),
        }
    }

    pub(super) fn surroundings<'a>(&'a self, sources: &'a Sources, texts: &'a mut Texts) -> Surroundings<'a> {
        Surroundings {
            root: &self.project.root,
            state: &self.state,
            sources,
            texts,
            read: BTreeMap::new(),
        }
    }

    /// What is to be done, each with its reason. With `check` everything that was realised is built again.
    pub fn plan(&self, instance: &Instance, check: bool) -> Result<Plan, EngineError> {
        // Only what has to be built is asked for: where there is nothing to do, no reason is.
        let last = OnceCell::new();
        let last = &|name: &str| last.get_or_init(|| self.last_built()).get(name);
        let circumstances = Circumstances {
            snapshot: &*self.store,
            last,
            check,
        };
        Ok(plan(&instance.graph, &circumstances)?)
    }

    pub(super) fn last_built(&self) -> LastBuilt {
        LastBuilt::load(&self.state.join("last-built"))
    }

    pub(super) fn builds(&self) -> Builds {
        Builds::load(&self.state.join("builds"))
    }

    /// What an artifact of a run says, where it holds figures and is there still.
    pub fn figures(&self, kind: &str, node: &Node) -> Option<serde_json::Value> {
        let figures = matches!(kind, "Metrics" | "Value");
        figures.then(|| self.store.read_json(node).ok()).flatten()
    }
}

/// Stands for all that was found of sources and environments; none where something could not be found. It is of this very
/// program, and means nothing elsewhere.
fn answer(table: &SourceTable, environments: &EnvironmentTable) -> Option<Digest> {
    let mut answer = Answer(Hasher::new());
    for (request, content) in table {
        (request, content.as_ref().ok()?).hash(&mut answer);
    }
    for (kind, described) in environments {
        format!("{kind:?}").hash(&mut answer);
        match described {
            Described::Host(tools) => datum::to_json(tools).to_string().hash(&mut answer),
            Described::Step {
                builtin,
                args,
                inputs,
                locators,
                tools,
            } => {
                let data = (
                    datum::to_json(args).to_string(),
                    datum::to_json(tools).to_string(),
                );
                (builtin, data, inputs, locators).hash(&mut answer);
            }
        }
    }
    Some(answer.0.finish())
}

/// [`Hash`] to a digest.
struct Answer(Hasher);

impl std::hash::Hasher for Answer {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// Opens the store: `MLP_STORE`, else `mlp/store` in the user's folder of data.
pub fn open_store() -> Result<Store, EngineError> {
    Ok(Store::open(&store_root()?)?)
}

/// Where the store is.
pub(super) fn store_root() -> Result<PathBuf, EngineError> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(root) = folder("MLP_STORE") {
        return Ok(root);
    }
    let data = folder("XDG_DATA_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/share")));
    data.map(|data| data.join("mlp/store")).ok_or(EngineError::NoHome)
}
