//! One build: from the lock of its key to what is registered. Runs in a thread of its own.

use super::attest::attestation;
use super::chain::{Chain, Listener};
use super::difference::difference;
use super::failure::{Attempt, ending_failure, in_short, may_be_chance, not_started, store_failure, tail};
use super::own;
use super::request::{Where, request, source_failure};
use super::resume::States;
use super::script::Scene;
use super::verify::{Verified, verify};
use super::{Build, Outcome};
use crate::base::clock;
use crate::base::digest::Digest;
use crate::base::lock::Lock;
use crate::executor::{BUILD_FOLDER, figures};
use crate::instantiate::{self, Resolution};
use crate::model::build::{BuildOutcome, Ending, Isolation};
use crate::model::derivation::Builder;
use crate::model::event::{EventKind, How, StepFailure};
use crate::model::graph::{Step, StepId};
use crate::model::node::Node;
use crate::model::record::{DIVERGED, Realisation};
use crate::store::{Bounds, Registration, Scratch, Staged, Verdict};
use mlp_protocol::message::{Failure, Message};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A step whose inputs are there.
pub(super) struct Prepared {
    pub(super) step: StepId,
    pub(super) resolution: Resolution,
    /// The resolved keys of the steps that it reads.
    pub(super) read: Vec<Digest>,
    /// The result that exists, where the step is built again to compare.
    pub(super) registered: Option<Realisation>,
    /// Numbers of the GPUs that it is given.
    pub(super) gpus: Vec<u32>,
}

/// A build that went well.
pub(super) struct Finished {
    pub(super) outcome: Outcome,
    pub(super) how: How,
    pub(super) wall_ms: u64,
    pub(super) differs: bool,
}

/// A build that did not.
pub(super) struct Failed {
    pub(super) failure: Box<StepFailure>,
    pub(super) log: Option<String>,
    pub(super) tail: Vec<String>,
    pub(super) wall_ms: u64,
}

/// Builds the step and registers what came of it; or, where a result is registered already, compares. `built` is called
/// when all that is left is to register.
pub(super) fn live(
    build: &Build<'_>,
    prepared: &Prepared,
    lock: Lock,
    built: &dyn Fn(),
) -> Result<Finished, Box<Failed>> {
    let began = Instant::now();
    let step = build.graph.step(prepared.step);
    let log = log_name(prepared.step, step);
    let life = Life {
        build,
        prepared,
        step,
        log: build.directory.join(&log),
        log_name: log,
    };
    let done = life.go(built);
    // Held until the result is visible, so that whoever waits for it finds it.
    drop(lock);
    let wall_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    match done {
        Ok((realisation, how, differs)) => {
            let outcome = Outcome {
                resolved_key: prepared.resolution.key,
                outputs: realisation.outputs,
            };
            Ok(Finished {
                outcome,
                how,
                wall_ms,
                differs,
            })
        }
        Err(failure) => {
            let log = life.log.exists().then(|| life.log_name.clone());
            Err(Box::new(Failed {
                failure,
                log,
                tail: tail(&life.log),
                wall_ms,
            }))
        }
    }
}

struct Life<'a> {
    build: &'a Build<'a>,
    prepared: &'a Prepared,
    step: &'a Step,
    log: PathBuf,
    log_name: String,
}

/// What a build gave: hashed outputs, and the facts.
struct Built {
    outputs: BTreeMap<String, Option<Node>>,
    /// The content of the outputs.
    staged: Vec<Staged>,
    outcome: BuildOutcome,
    verified: Verified,
    started: u64,
    /// The first state that was not the registered one.
    state_differs: Option<String>,
}

impl Life<'_> {
    fn go(&self, is_built: &dyn Fn()) -> Attempt<(Realisation, How, bool)> {
        let chain = self.chain()?;
        if let Some(registered) = &self.prepared.registered {
            return self.check(chain.as_ref(), registered);
        }
        if let Some(chain) = &chain {
            (self.build.events)(EventKind::ChainFound {
                step: self.step.name().to_owned(),
                epochs: chain.last(),
                of: u32::try_from(chain.keys.len().saturating_sub(1)).unwrap_or(u32::MAX),
            });
        }
        let (built, _scratch) = self.build_with_retries(chain.as_ref())?;
        is_built();
        self.register(built)
    }

    /// Builds, and again as often as the step says that it may fail by chance.
    fn build_with_retries(&self, chain: Option<&Chain>) -> Attempt<(Built, Scratch)> {
        let retries = self.step.resources.retries;
        let mut tried = 0;
        loop {
            let failure = match self.build(chain, None) {
                Ok(built) => return Ok(built),
                Err(failure) if tried == retries || !may_be_chance(&failure) => return Err(failure),
                Err(failure) => failure,
            };
            tried += 1;
            let why = in_short(&failure);
            let text = format!(
                "`{}` {why}; it is tried again ({tried} of {retries})",
                self.step.name()
            );
            (self.build.events)(EventKind::Warning { text });
        }
    }

    fn chain(&self) -> Attempt<Option<Chain>> {
        let keys = instantiate::chain_keys(&self.step.derivation, &self.prepared.resolution)
            .map_err(|error| not_started(error.to_string(), None))?;
        let chain = keys.map(|keys| Chain::look_up(self.build, keys)).transpose();
        chain.map_err(|error| store_failure(&error))
    }

    /// Builds; gives also the folder that the outputs lie in. With `compare`, states are held against those instead of being
    /// registered.
    fn build(
        &self,
        chain: Option<&Chain>,
        compare: Option<&BTreeMap<u32, Node>>,
    ) -> Attempt<(Built, Scratch)> {
        let scratch = self
            .build
            .store
            .scratch()
            .map_err(|error| store_failure(&error))?;
        match self.build_in(scratch.path(), chain, compare) {
            Ok(built) => Ok((built, scratch)),
            Err(failure) => {
                if self.build.options.keep_failed && *failure != StepFailure::Cancelled {
                    self.keep_failed(scratch.path());
                }
                Err(failure)
            }
        }
    }

    /// Keeps the folder of a failed build for who wants to look into it.
    fn keep_failed(&self, scratch: &Path) {
        let folder = scratch.join(BUILD_FOLDER);
        if !folder.exists() {
            return;
        }
        let kept = self.build.store.keep_failed(self.step.static_key, &folder);
        (self.build.events)(match kept {
            Ok(path) => EventKind::FolderKept {
                step: self.step.name().to_owned(),
                path,
            },
            Err(error) => EventKind::Warning {
                text: format!("the folder of `{}` is not kept: {error}", self.step.name()),
            },
        });
    }

    fn build_in(
        &self,
        scratch: &Path,
        chain: Option<&Chain>,
        compare: Option<&BTreeMap<u32, Node>>,
    ) -> Attempt<Built> {
        if let Some(folder) = self.log.parent() {
            fs::create_dir_all(folder).map_err(|error| {
                not_started(
                    format!("the folder of logs {} cannot be made: {error}", folder.display()),
                    None,
                )
            })?;
        }
        let place = Where {
            scratch,
            log: &self.log,
            gpus: &self.prepared.gpus,
        };
        if let Some(output) = own::output(self.step) {
            return self.own(output, scratch);
        }
        let mut made = request(self.build, self.step, &self.prepared.resolution, chain, &place)?;
        let states = States::of(self.build, self.step, &self.prepared.resolution);
        let compares = self.prepared.registered.is_some();
        if !compares {
            states.give_back(&mut made.request)?;
        }
        (self.build.events)(EventKind::StepStarted {
            step: self.step.name().to_owned(),
            resolved_key: self.prepared.resolution.key,
            log: self.log_name.clone(),
        });
        let started = clock::since_epoch().as_secs();
        let mut listener = Listener {
            events: self.build.events,
            store: self.build.store,
            step: self.step.name(),
            training: self.prepared.resolution.key,
            chain,
            registered: compare,
            trouble: None,
            differs: None,
        };
        let outcome = self
            .build
            .executor
            .build(&made.request, &mut listener, self.build.cancel);
        if let Some(trouble) = listener.trouble {
            return Err(trouble);
        }
        if !compares {
            states.keep(&outcome)?;
        }
        let folder = scratch.join(BUILD_FOLDER);
        if let Ending::Exited(status) = outcome.ending {
            let scene = Scene {
                graph: self.build.graph,
                step: self.step,
                sources: self.build.sources,
                folder: &folder,
            };
            if let Some(told) = scene.told(status, &self.log) {
                return Err(Box::new(told));
            }
        }
        if let Ending::Failed(failure) = &outcome.ending
            && failure.code == mlp_protocol::failure::DIVERGED
        {
            return self.diverged(&failure.clone(), outcome, scratch, started);
        }
        ending_failure(&outcome, &made.request.limits)?;
        for (path, node) in &made.in_place {
            self.build
                .sources
                .recheck(path, node)
                .map_err(|error| source_failure(&error))?;
        }
        let verified = verify(
            &self.step.derivation,
            &outcome.outputs,
            &made.request.inputs,
            &folder,
        )?;
        self.tell_observed(&verified);
        let (mut outputs, mut all_staged) = (BTreeMap::new(), Vec::new());
        for (name, path) in &verified.hashed {
            let staged = path
                .as_ref()
                .map(|path| self.build.store.stage(path, Bounds::default()))
                .transpose();
            let staged = staged.map_err(|error| store_failure(&error))?;
            outputs.insert(name.clone(), staged.as_ref().map(Staged::node));
            all_staged.extend(staged);
        }
        Ok(Built {
            outputs,
            staged: all_staged,
            outcome,
            verified,
            started,
            state_differs: listener.differs,
        })
    }

    /// A training that diverges does so each time: it is a result, that it has none. Who demands it is told why.
    fn diverged(
        &self,
        failure: &Failure,
        outcome: BuildOutcome,
        scratch: &Path,
        started: u64,
    ) -> Attempt<Built> {
        let why = scratch.join("diverged");
        let staged = serde_json::to_vec(failure)
            .map_err(std::io::Error::from)
            .and_then(|bytes| fs::write(&why, bytes))
            .map_err(|error| not_started(format!("{} cannot be written: {error}", why.display()), None))
            .and_then(|()| {
                let staged = self.build.store.stage(&why, Bounds::default());
                staged.map_err(|error| store_failure(&error))
            })?;
        let declared = self.step.derivation.outputs.iter();
        let hashed = declared.filter(|(_, output)| !output.observed);
        let mut outputs: BTreeMap<_, _> = hashed.map(|(name, _)| (name.to_string(), None)).collect();
        outputs.insert(DIVERGED.to_owned(), Some(staged.node()));
        (self.build.events)(EventKind::Warning {
            text: format!("`{}` diverged: {}", self.step.name(), failure.message),
        });
        Ok(Built {
            outputs,
            staged: vec![staged],
            outcome,
            verified: Verified::default(),
            started,
            state_differs: None,
        })
    }

    /// Makes the output of a step that mlp does by itself.
    fn own(&self, output: &str, scratch: &Path) -> Attempt<Built> {
        let began = Instant::now();
        let started = clock::since_epoch().as_secs();
        let into = scratch.join(output);
        let resolution = &self.prepared.resolution;
        (self.build.events)(EventKind::StepStarted {
            step: self.step.name().to_owned(),
            resolved_key: resolution.key,
            log: self.log_name.clone(),
        });
        own::make(self.build, self.step, scratch, &into, &self.log)?;
        let staged = self.build.store.stage(&into, Bounds::default());
        let staged = staged.map_err(|error| store_failure(&error))?;
        Ok(Built {
            outputs: BTreeMap::from([(output.to_owned(), Some(staged.node()))]),
            staged: vec![staged],
            outcome: BuildOutcome {
                ending: Ending::Succeeded,
                outputs: BTreeMap::new(),
                wall: began.elapsed(),
                cpu: None,
                peak_memory: None,
                isolation: Isolation::Pinned,
            },
            verified: Verified::default(),
            started,
            state_differs: None,
        })
    }

    /// Figures that a command measured: they are in no result, so they are told when they are.
    fn tell_observed(&self, verified: &Verified) {
        let is_command = matches!(self.step.derivation.builder, Builder::Command { .. });
        let all = serde_json::json!(verified.observed);
        let metrics = figures(&all);
        if is_command && !metrics.is_empty() {
            (self.build.events)(EventKind::Builder {
                step: self.step.name().to_owned(),
                message: Message::Figures {
                    done: None,
                    of: None,
                    metrics,
                },
            });
        }
    }

    fn register(&self, built: Built) -> Attempt<(Realisation, How, bool)> {
        let Prepared { resolution, read, .. } = self.prepared;
        let attestation = attestation(
            self.build,
            self.step.name(),
            resolution.key,
            read,
            built.started,
            &built.outcome,
            built.verified.observed,
        );
        let derivation = instantiate::static_bytes(self.build.graph, self.prepared.step)
            .map_err(|error| store_failure(&error.into()))?;
        let registration = Registration {
            resolved_key: resolution.key,
            static_key: self.step.static_key,
            realisation: Realisation {
                outputs: built.outputs.clone(),
            },
            dependencies: resolution.dependencies.clone(),
            staged: built.staged,
            derivation: &derivation,
            attestation,
        };
        let registered = self
            .build
            .store
            .register(registration)
            .map_err(|error| store_failure(&error))?;
        let different = match registered.verdict {
            Verdict::First | Verdict::Same => Vec::new(),
            Verdict::Differs(outputs) | Verdict::Superseded(outputs) => outputs,
        };
        let differs = self.tell_difference(
            &registered.standing,
            &built.outputs,
            different,
            built.state_differs,
        );
        let how = match registered.standing.outputs.contains_key(DIVERGED) {
            true => How::Diverged,
            false => How::Built,
        };
        Ok((registered.standing, how, differs))
    }

    /// Builds again, with a training from its very beginning, and compares. Registers nothing.
    fn check(&self, chain: Option<&Chain>, registered: &Realisation) -> Attempt<(Realisation, How, bool)> {
        let anew = chain.map(Chain::anew);
        let states = chain.map(|chain| &chain.found);
        let (built, _scratch) = self.build(anew.as_ref(), states)?;
        for staged in built.staged {
            // Where it differs, it is looked at beside the registered one.
            let placed = self.build.store.place(staged);
            placed.map_err(|error| store_failure(&error))?;
        }
        let names = registered.outputs.keys();
        let different = names.filter(|name| registered.outputs.get(*name) != built.outputs.get(*name));
        let different = different.cloned().collect();
        let differs = self.tell_difference(registered, &built.outputs, different, built.state_differs);
        Ok((registered.clone(), How::Checked, differs))
    }

    /// Tells what differs first: for a training the first state, since all that follows comes from it.
    fn tell_difference(
        &self,
        standing: &Realisation,
        built: &BTreeMap<String, Option<Node>>,
        outputs: Vec<String>,
        state: Option<String>,
    ) -> bool {
        if outputs.is_empty() && state.is_none() {
            return false;
        }
        let of_outputs = || {
            let name = outputs.first()?;
            let words = match (standing.outputs.get(name)?, built.get(name)?) {
                (Some(one), Some(other)) => difference(self.build.store, one, other).ok()??,
                (Some(_), None) => "it was left out now".to_owned(),
                (None, _) => "it was left out before".to_owned(),
            };
            Some(format!("`{name}`: {words}"))
        };
        let detail = state.or_else(of_outputs).unwrap_or_default();
        (self.build.events)(EventKind::Differs {
            step: self.step.name().to_owned(),
            outputs,
            detail,
        });
        true
    }
}

/// Where the step's log lies in the run's directory: the name as far as file names go, and the number that keeps two
/// apart.
fn log_name(id: StepId, step: &Step) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "._-=[]".contains(letter);
    let name: String = step
        .name()
        .chars()
        .map(|letter| if plain(letter) { letter } else { '_' })
        .take(100)
        .collect();
    format!("logs/{:04}-{name}.log", id.0)
}
