//! Artifacts and late values: what a value says about files that a build has yet to make.

use super::blame::Place;
use super::late::{Late, constant_text};
use super::machine::{Failed, Machine};
use super::names::Symbol;
use super::value::{ArtifactId, LateId, Value};
use crate::shapes::{Features, Labels, LayerRow, Network};
use crate::source::Span;
use crate::spec::{ArtifactKind, Datum, InputSource, LateValue, SpecId};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// The artifacts and late values that values refer to.
#[derive(Debug, Default)]
pub(crate) struct Artifacts {
    artifacts: Vec<Artifact>,
    lates: Vec<Late>,
    /// Whether plain data that differs between candidates stands somewhere as a late value.
    pub(crate) late_data: bool,
    /// Whether something was asked that is not remembered.
    asked: Cell<bool>,
    /// The layers of each training's network.
    pub(crate) layers: BTreeMap<SpecId, Arc<Vec<LayerRow>>>,
}

/// A file or directory that a build makes.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    pub(crate) source: InputSource,
    pub(crate) kind: ArtifactKind,
    pub(crate) about: About,
}

/// What is known about an artifact before it is built.
#[derive(Clone, Debug)]
pub(crate) enum About {
    Nothing,
    Dataset(Rc<DatasetInfo>),
    Model(Rc<ModelInfo>),
    /// Predictions: the labels that they are held against, where those were declared, and the shape of an output.
    Predictions(Labels, Span, Option<Vec<i64>>),
    /// It is not remembered.
    Forgotten,
    /// It is not made by this call; the text says what would make it.
    Absent(&'static str),
}

/// What a dataset declares.
#[derive(Clone, Debug)]
pub(crate) struct DatasetInfo {
    pub(crate) x: Features,
    pub(crate) y: Labels,
    /// Where the codec of `x` was written.
    pub(crate) x_span: Span,
    /// Where the codec of `y` was written.
    pub(crate) y_span: Span,
}

/// What a model is.
#[derive(Clone, Debug)]
pub(crate) struct ModelInfo {
    pub(crate) network: Rc<Network>,
    pub(crate) labels: Labels,
    /// Where it was trained.
    pub(crate) span: Span,
}

impl Artifacts {
    pub(crate) fn add(&mut self, artifact: Artifact) -> Value {
        self.artifacts.push(artifact);
        Value::Artifact(ArtifactId((self.artifacts.len() - 1) as u32))
    }

    /// The artifact with all that is known about it.
    pub(crate) fn get(&self, id: ArtifactId) -> &Artifact {
        let artifact = &self.artifacts[id.0 as usize];
        if matches!(artifact.about, About::Forgotten) {
            self.asked.set(true);
        }
        artifact
    }

    /// What the build will have it from.
    pub(crate) fn source(&self, id: ArtifactId) -> &InputSource {
        &self.artifacts[id.0 as usize].source
    }

    pub(crate) fn kind(&self, id: ArtifactId) -> ArtifactKind {
        self.artifacts[id.0 as usize].kind
    }

    /// What would make it, where its call does not.
    pub(crate) fn absent(&self, id: ArtifactId) -> Option<&'static str> {
        match self.artifacts[id.0 as usize].about {
            About::Absent(why) => Some(why),
            _ => None,
        }
    }

    /// Whether something was asked of an artifact that is not remembered.
    pub(crate) fn lacks(&self) -> bool {
        self.asked.get()
    }

    pub(crate) fn add_late(&mut self, late: Late) -> Value {
        Value::Late(self.late_id(late))
    }

    pub(crate) fn late_id(&mut self, late: Late) -> LateId {
        self.lates.push(late);
        LateId((self.lates.len() - 1) as u32)
    }

    pub(crate) fn late(&self, id: LateId) -> &Late {
        &self.lates[id.0 as usize]
    }

    pub(crate) fn late_mut(&mut self, id: LateId) -> &mut Late {
        &mut self.lates[id.0 as usize]
    }
}

impl Machine<'_> {
    /// `evaluate.accuracy`: a value in an artifact.
    pub(crate) fn artifact_field(
        &mut self,
        id: ArtifactId,
        name: Symbol,
        place: Place,
    ) -> Result<Value, Failed> {
        if let Some(why) = self.artifacts.absent(id) {
            return Err(self.absent(why, place));
        }
        let source = self.artifacts.source(id).clone();
        Ok(self.artifacts.add_late(Late::At(LateValue {
            source,
            path: vec![self.names.text(name).to_owned()],
        })))
    }

    /// Reports the use of an artifact that its call does not make.
    pub(crate) fn absent(&mut self, why: &'static str, place: Place) -> Failed {
        let error = self
            .error(place, "E0418", "this training has no validation")
            .at("is not there")
            .help(why);
        self.fail(error)
    }

    /// What the file of metrics at `source` holds; of a choice, what each candidate's holds.
    pub(crate) fn schema(&self, source: &InputSource) -> Option<&Datum> {
        match source {
            InputSource::Output { spec, output } => {
                let output = self.specs.get(*spec).outputs.get(output)?;
                Some(&output.schema)
            }
            InputSource::Chosen { candidates, .. } => self.schema(candidates.first()?),
            InputSource::Source(_) | InputSource::Glob(_) => None,
        }
    }

    /// How people know an artifact: `<Model fit.model>`.
    pub(crate) fn artifact_name(&self, source: &InputSource) -> String {
        match source {
            InputSource::Source(path) | InputSource::Glob(path) => path.clone(),
            InputSource::Output { spec, output } => {
                let spec = self.specs.get(*spec);
                if let Some(constant) = constant_text(spec) {
                    return constant;
                }
                match spec.outputs.values().filter(|output| !output.observed).count() {
                    1 => spec.name.clone(),
                    _ => format!("{}.{output}", spec.name),
                }
            }
            InputSource::Chosen { candidates, .. } => {
                let mut names: Vec<_> = candidates
                    .iter()
                    .take(3)
                    .map(|one| self.artifact_name(one))
                    .collect();
                if candidates.len() > 3 {
                    names.push("…".to_owned());
                }
                format!("one of [{}]", names.join(", "))
            }
        }
    }
}
