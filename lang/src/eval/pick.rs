//! Choices that the build makes. What is built on one is evaluated for every candidate, and put together to what the
//! chosen one's will be.

use super::artifact::{About, Artifact};
use super::blame::Place;
use super::compare::equal;
use super::late::{Late, Operation, Term, value_of, value_output};
use super::machine::{Failed, Machine};
use super::render;
use super::value::{Entries, LateId, List, MAX_DEPTH, Record, Value, Variant, grow, shrink};
use crate::hir::BinaryOp;
use crate::shapes;
use crate::spec::{ArtifactKind, Datum, InputSource, LateValue};
use std::rc::Rc;

/// A choice.
#[derive(Debug)]
pub(crate) struct Pick {
    pub(crate) candidates: Vec<Value>,
    /// What each candidate is called: `lr=0.01, width=32`.
    labels: Vec<String>,
    /// Where the build will have the position of the chosen one.
    index: LateValue,
    depth: u16,
}

impl Pick {
    /// A choice; `None` where it would be nested too deep.
    pub(crate) fn new(candidates: Vec<Value>, labels: Vec<String>, index: LateValue) -> Option<Rc<Self>> {
        let deepest = candidates.iter().map(Value::depth).max().unwrap_or(0);
        let depth = deepest.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)?;
        grow(candidates.len() * 40);
        Some(Rc::new(Self {
            candidates,
            labels,
            index,
            depth,
        }))
    }

    /// What a build of the choice itself gives: the derivation that chooses.
    pub(crate) fn source(&self) -> &InputSource {
        &self.index.source
    }

    pub(crate) fn depth(&self) -> u16 {
        self.depth
    }
}

impl Drop for Pick {
    fn drop(&mut self) {
        shrink(self.candidates.len() * 40);
    }
}

impl Machine<'_> {
    /// `pick.value`.
    pub(crate) fn pick_value(&mut self, pick: &Pick, place: Place) -> Result<Value, Failed> {
        self.combine(pick, &pick.candidates, place)
    }

    /// `pick.use(f)`: `f` of every candidate, checked like any other code; the first one that fails is named.
    pub(crate) fn use_pick(&mut self, pick: &Pick, f: &Value, place: Place) -> Result<Value, Failed> {
        let mut results = Vec::with_capacity(pick.candidates.len());
        for (candidate, label) in pick.candidates.iter().zip(&pick.labels) {
            let (made, told) = (self.specs.mark(), self.diagnostics.len());
            let result = self.apply(f, [candidate.clone()], place);
            self.specs.name(made, &format!("[{label}]"));
            if result.is_err() {
                for diagnostic in &mut self.diagnostics[told..] {
                    diagnostic.notes.push(format!("for the candidate {label}"));
                }
            }
            results.push(result?);
            // What is said of each candidate alike is said once.
            let (before, new) = self.diagnostics.split_at(told);
            let new: Vec<_> = new.iter().filter(|new| !before.contains(new)).cloned().collect();
            self.diagnostics.truncate(told);
            self.diagnostics.extend(new);
        }
        self.combine(pick, &results, place)
    }

    /// What the chosen one of `values`, one for each candidate, will be: artifacts become a choice of artifacts, records
    /// and lists go part by part, what is the same stays, and data that differs is late.
    fn combine(&mut self, pick: &Pick, values: &[Value], place: Place) -> Result<Value, Failed> {
        let Some(first) = values.first() else {
            return Err(self.unexpected(place, "a candidate", &Value::Null));
        };
        if values.iter().all(|value| equal(&self.names, value, first)) {
            return Ok(first.clone());
        }
        if let Some(combined) = self.combine_parts(pick, values, place) {
            return combined;
        }
        if values.iter().all(is_file) {
            return self.choose_artifact(pick, values, place);
        }
        let inner = values.iter().map(|value| match value {
            Value::Pick(inner) => Some(Rc::clone(inner)),
            _ => None,
        });
        if let Some(inner) = inner.collect::<Option<Vec<_>>>() {
            return self.choose_pick(pick, &inner, place);
        }
        if let Value::Function(function) = first
            && values
                .iter()
                .all(|value| matches!(value, Value::Function(other) if other == function))
        {
            return Ok(first.clone());
        }
        let mut terms = Vec::with_capacity(values.len());
        for value in values {
            terms.push(match self.term(value) {
                Some(term) => term,
                None if is_data(value) => Term::Known(self.datum(value, place)?),
                None => return Err(self.no_choice(pick, values, place)),
            });
        }
        self.artifacts.late_data = true;
        Ok(self.choose_late(pick, &terms, place))
    }

    /// Records, lists, maps and variants with the same parts; none for anything else.
    fn combine_parts(
        &mut self,
        pick: &Pick,
        values: &[Value],
        place: Place,
    ) -> Option<Result<Value, Failed>> {
        match values.first()? {
            Value::Record(first) => {
                let rows = rows(values, |value| match value {
                    Value::Record(record) if record.shape == first.shape => Some(record.cells()),
                    _ => None,
                })?;
                let cells = self.combine_each(pick, &rows, place);
                Some(cells.and_then(|cells| match Record::new(first.shape, cells) {
                    Some(record) => Ok(Value::Record(record)),
                    None => Err(self.too_deep(place)),
                }))
            }
            Value::Variant(first) => {
                let rows = rows(values, |value| match value {
                    Value::Variant(own) if own.name == first.name && own.shape == first.shape => {
                        Some(own.cells())
                    }
                    _ => None,
                })?;
                let cells = self.combine_each(pick, &rows, place);
                Some(cells.and_then(|cells| {
                    match Variant::new(first.name, first.shape, cells, first.origin) {
                        Some(variant) => Ok(Value::Variant(variant)),
                        None => Err(self.too_deep(place)),
                    }
                }))
            }
            Value::List(first) => {
                let rows = rows(values, |value| match value {
                    Value::List(list) if list.items().len() == first.items().len() => Some(list.items()),
                    _ => None,
                })?;
                let items = self.combine_each(pick, &rows, place);
                Some(items.and_then(|items| self.labelled(items, first, place)))
            }
            Value::Map(first) => {
                let mut rows = Vec::with_capacity(values.len());
                for value in values {
                    let Value::Map(map) = value else { return None };
                    let same = map.entries().len() == first.entries().len();
                    let cells: Option<Vec<Value>> = first
                        .entries()
                        .keys()
                        .map(|key| map.entries().get(key).cloned())
                        .collect();
                    rows.push(cells.filter(|_| same)?);
                }
                let rows: Vec<&[Value]> = rows.iter().map(Vec::as_slice).collect();
                let cells = self.combine_each(pick, &rows, place);
                Some(cells.and_then(|cells| {
                    let entries: Entries = first.entries().keys().cloned().zip(cells).collect();
                    self.map(entries, place)
                }))
            }
            _ => None,
        }
    }

    /// A list whose elements are called as those of `like`.
    fn labelled(&mut self, items: Vec<Value>, like: &List, place: Place) -> Result<Value, Failed> {
        let mut list = self.list(items, place)?;
        if let Value::List(own) = &mut list
            && let Some(own) = Rc::get_mut(own)
        {
            own.labels.clone_from(&like.labels);
        }
        Ok(list)
    }

    fn combine_each(&mut self, pick: &Pick, rows: &[&[Value]], place: Place) -> Result<Vec<Value>, Failed> {
        let count = rows.first().map_or(0, |row| row.len());
        let mut combined = Vec::with_capacity(count);
        for at in 0..count {
            self.step(place)?;
            let column: Vec<Value> = rows.iter().map(|row| row[at].clone()).collect();
            combined.push(self.combine(pick, &column, place)?);
        }
        Ok(combined)
    }

    fn choose_artifact(&mut self, pick: &Pick, values: &[Value], place: Place) -> Result<Value, Failed> {
        let mut artifacts = Vec::with_capacity(values.len());
        for value in values {
            artifacts.push(match value {
                Value::Artifact(id) => self.artifacts.get(*id).clone(),
                Value::Path(path) => Artifact {
                    source: InputSource::Source(path.as_str().to_owned()),
                    kind: ArtifactKind::File,
                    about: About::Nothing,
                },
                other => return Err(self.unexpected(place, "an artifact", other)),
            });
        }
        let Some(first) = artifacts.first().cloned() else {
            return Err(self.unexpected(place, "a candidate", &Value::Null));
        };
        if !artifacts.iter().all(|artifact| alike(&first, artifact)) {
            return Err(self.no_choice(pick, values, place));
        }
        let sources = artifacts.into_iter().map(|artifact| artifact.source).collect();
        Ok(self.artifacts.add(Artifact {
            source: choose_source(pick, sources),
            ..first
        }))
    }

    /// A choice among choices is one among all their candidates: the chosen one's position is behind those of the choices
    /// before its own.
    fn choose_pick(&mut self, pick: &Pick, inner: &[Rc<Pick>], place: Place) -> Result<Value, Failed> {
        if let [first, rest @ ..] = inner
            && rest.iter().all(|other| Rc::ptr_eq(first, other))
        {
            return Ok(Value::Pick(Rc::clone(first)));
        }
        let (mut candidates, mut labels) = (Vec::new(), Vec::new());
        let mut positions = Vec::with_capacity(inner.len());
        for (own, label) in inner.iter().zip(&pick.labels) {
            let index = self.artifacts.late_id(Late::At(own.index.clone()));
            let before = Term::Known(Datum::Int(candidates.len() as i64));
            positions.push(Term::Of(Box::new(Operation::Binary(
                BinaryOp::Add,
                before,
                Term::Late(index),
            ))));
            self.reserve(
                (candidates.len() + own.candidates.len()).saturating_mul(40),
                place,
            )?;
            candidates.extend_from_slice(&own.candidates);
            labels.extend(own.labels.iter().map(|inner| format!("{label}, {inner}")));
        }
        let made = self.specs.mark();
        let chosen = self.choose_late(pick, &positions, place);
        let Value::Late(chosen) = chosen else {
            return Err(self.unexpected(place, "a late value", &chosen));
        };
        let index = self.own_late(chosen, place);
        self.specs.name(made, ".position");
        match Pick::new(candidates, labels, index) {
            Some(pick) => Ok(Value::Pick(pick)),
            None => Err(self.too_deep(place)),
        }
    }

    fn choose_late(&mut self, pick: &Pick, terms: &[Term], place: Place) -> Value {
        let mut lates: Vec<LateValue> = Vec::with_capacity(terms.len());
        for (term, label) in terms.iter().zip(&pick.labels) {
            let made = self.specs.mark();
            lates.push(self.term_value(term, place));
            self.specs.name(made, &format!("[{label}]"));
        }
        let lates = self.one_path(lates, &pick.labels, place);
        let path = lates.first().map(|late| late.path.clone()).unwrap_or_default();
        let sources = lates.into_iter().map(|late| late.source).collect();
        let source = choose_source(pick, sources);
        self.artifacts.add_late(Late::At(LateValue { source, path }))
    }

    /// Late values that lie in the same way in their outputs: where one lies in a field and another is computed, all are
    /// made values of their own.
    pub(crate) fn one_path(
        &mut self,
        lates: Vec<LateValue>,
        labels: &[String],
        place: Place,
    ) -> Vec<LateValue> {
        if lates.windows(2).all(|pair| pair[0].path == pair[1].path) {
            return lates;
        }
        let mut whole = Vec::with_capacity(lates.len());
        for (late, label) in lates.into_iter().zip(labels) {
            let made = self.specs.mark();
            let term = Term::Late(self.artifacts.late_id(Late::At(late)));
            whole.push(self.own_value(term, place));
            self.specs.name(made, &format!("[{label}]"));
        }
        whole
    }

    /// Where the build will have the value of a term.
    pub(crate) fn term_value(&mut self, term: &Term, place: Place) -> LateValue {
        match term {
            Term::Late(id) => self.late_value(*id),
            term => self.own_value(term.clone(), place),
        }
    }

    /// A late value as an output of its own.
    pub(crate) fn own_late(&mut self, late: LateId, place: Place) -> LateValue {
        self.own_value(Term::Late(late), place)
    }

    /// The value of a term as an output of its own.
    fn own_value(&mut self, term: Term, place: Place) -> LateValue {
        let origin = self.origin(place);
        let output = value_output(ArtifactKind::Value, Datum::Null);
        let spec = self.calc(&Operation::Same(term), origin, output);
        LateValue {
            source: value_of(spec),
            path: Vec::new(),
        }
    }

    /// Reports values of which one cannot stand for another.
    #[cold]
    fn no_choice(&mut self, pick: &Pick, values: &[Value], place: Place) -> Failed {
        let forms: Vec<String> = values.iter().map(|value| self.form(value)).collect();
        let odd = forms.iter().position(|form| *form != forms[0]).unwrap_or(0);
        let labelled = |at: usize| format!("the candidate {} gives {}", pick.labels[at], forms[at]);
        let error = self
            .error(
                place,
                "E0431",
                "the candidates give values that cannot stand for each other",
            )
            .note(labelled(0));
        let error = if odd > 0 { error.note(labelled(odd)) } else { error };
        let help =
            "give the same kinds of results, with the same fields and as many elements, for every candidate";
        self.fail(error.help(help))
    }

    /// What values must agree in to stand for each other, in words.
    fn form(&self, value: &Value) -> String {
        match value {
            Value::List(list) => format!("a list of {}", list.items().len()),
            Value::Record(record) => {
                let names: Vec<_> = self
                    .fields(record.shape, record.cells())
                    .map(|(name, _)| name)
                    .collect();
                format!("a record of {}", names.join(", "))
            }
            Value::Artifact(id) => {
                let artifact = self.artifacts.get(*id);
                let kind = artifact.kind;
                match &artifact.about {
                    About::Nothing | About::Forgotten | About::Predictions(..) => format!("a {kind:?}"),
                    About::Dataset(info) => format!("a {kind:?} of {}", shapes::features_text(&info.x)),
                    About::Model(info) => {
                        format!("a {kind:?} of {}", shapes::features_text(&info.network.input))
                    }
                    About::Absent(_) => "nothing".to_owned(),
                }
            }
            value => format!("a {}", value.kind()),
        }
    }

    /// What a candidate is called: its short fields, or its position.
    pub(crate) fn candidate_label(&self, position: usize, value: &Value) -> String {
        let brief = |value: &Value| match value {
            Value::Float(value) => Some(brief_float(*value)),
            value => render::plain(&self.names, value),
        };
        let label = match value {
            Value::Record(record) => {
                let parts: Vec<_> = self
                    .fields(record.shape, record.cells())
                    .filter_map(|(name, value)| Some(format!("{name}={}", brief(value)?)))
                    .collect();
                parts.join(", ")
            }
            value => brief(value).unwrap_or_default(),
        };
        if label.is_empty() {
            position.to_string()
        } else {
            label
        }
    }
}

/// A float with its first digits: `0.003162`.
fn brief_float(value: f64) -> String {
    let exact = render::float(value);
    if exact.len() <= 7 {
        return exact;
    }
    let rounded = format!("{value:.3e}").parse().unwrap_or(value);
    render::float(rounded)
}

/// The parts of each value, where each has such.
fn rows<'v>(
    values: &'v [Value],
    parts: impl Fn(&'v Value) -> Option<&'v [Value]>,
) -> Option<Vec<&'v [Value]>> {
    values.iter().map(parts).collect()
}

fn is_file(value: &Value) -> bool {
    matches!(value, Value::Artifact(_) | Value::Path(_))
}

/// Whether a value is data throughout.
fn is_data(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Duration(_) => true,
        Value::Bytes(_) | Value::Str(_) => true,
        Value::List(list) => list.items().iter().all(is_data),
        Value::Record(record) => record.cells().iter().all(is_data),
        Value::Map(map) => map.entries().values().all(is_data),
        Value::Variant(variant) => variant.cells().iter().all(is_data),
        _ => false,
    }
}

/// Whether what may be done with one artifact may be done with the other.
fn alike(a: &Artifact, b: &Artifact) -> bool {
    a.kind == b.kind
        && match (&a.about, &b.about) {
            (About::Nothing, About::Nothing) => true,
            (About::Dataset(a), About::Dataset(b)) => a.x == b.x && a.y == b.y,
            (About::Model(a), About::Model(b)) => a.network.input == b.network.input && a.labels == b.labels,
            (About::Predictions(a, _, one), About::Predictions(b, _, other)) => a == b && one == other,
            (About::Absent(a), About::Absent(b)) => a == b,
            _ => false,
        }
}

/// The chosen one of `sources`; itself where there is but one.
fn choose_source(pick: &Pick, sources: Vec<InputSource>) -> InputSource {
    match sources.as_slice() {
        [first, rest @ ..] if rest.iter().all(|source| source == first) => first.clone(),
        _ => InputSource::Chosen {
            index: Box::new(pick.index.clone()),
            candidates: sources,
        },
    }
}
