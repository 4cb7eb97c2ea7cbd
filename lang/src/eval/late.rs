//! Late values: what is known only after a build, and what is computed from it.
//!
//! What is computed stays a formula until something asks for its value: a target, or an input of a step. Then it becomes
//! one `calc` derivation, with all formulas below it that nobody asked for.

use super::arithmetic::sign;
use super::blame::Place;
use super::machine::{Failed, Machine};
use super::render;
use super::value::{LateId, Value};
use crate::hir::BinaryOp;
use crate::spec::{
    ArtifactKind, Builder, ByName, Datum, DerivationSpec, Fields, Input, InputSource, LateValue, Origin,
    OutputSpec, Resources, SpecId,
};
use std::collections::BTreeMap;

/// Parts of a formula in one derivation. A larger one refers to the values of smaller ones, so that formulas that share
/// parts, or grow in a `fold`, stay as small as the pipeline's text.
const LARGEST: usize = 64;
/// What to do where a late value cannot stand.
pub(crate) const TOO_LATE: &str = "decide where it is known: inside of `use` each candidate's values are, inside of a `step` every result is";
/// Parts of a list that a message shows.
const SHOWN: usize = 3;

/// A late value.
#[derive(Clone, Debug)]
pub(crate) enum Late {
    /// It is in an output.
    At(LateValue),
    /// It is computed.
    Formula(Formula),
}

/// What computes a late value.
#[derive(Clone, Debug)]
pub(crate) struct Formula {
    pub(super) operation: Operation,
    /// How many parts it has, with those of the formulas in it.
    size: usize,
    origin: Origin,
    /// The derivation, once something asked for the value.
    made: Option<SpecId>,
}

/// An operation, as `mlp_protocol::calc` has it.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// The term itself.
    Same(Term),
    Unary(&'static str, Term),
    Binary(BinaryOp, Term, Term),
    Statistic(&'static str, Vec<Term>),
    Assert(Term, String),
    List(Vec<Term>),
    Record(Vec<(String, Term)>),
}

/// An operand.
#[derive(Clone, Debug)]
pub(crate) enum Term {
    Known(Datum),
    Late(LateId),
    Of(Box<Operation>),
}

/// The inputs of a derivation that computes: each by the number of its first use, so that no name enters a key.
#[derive(Debug, Default)]
pub(crate) struct Inputs(BTreeMap<InputSource, usize>);

impl Inputs {
    fn name(&mut self, source: &InputSource) -> String {
        let next = self.0.len();
        self.0.entry(source.clone()).or_insert(next).to_string()
    }

    /// As a spec has them.
    pub(crate) fn at(self, origin: &Origin) -> ByName<Input> {
        let span = origin.span;
        let inputs = self.0.into_iter();
        inputs
            .map(|(source, number)| (number.to_string(), Input { source, span }))
            .collect()
    }
}

impl Machine<'_> {
    /// A value as an operand: a late one, or a number, truth value, text or null.
    pub(crate) fn term(&self, value: &Value) -> Option<Term> {
        Some(match value {
            Value::Null => Term::Known(Datum::Null),
            Value::Late(id) => Term::Late(*id),
            Value::Int(value) => Term::Known(Datum::Int(*value)),
            Value::Float(value) => Term::Known(Datum::Float(*value)),
            Value::Bool(value) => Term::Known(Datum::Bool(*value)),
            Value::Str(text) => Term::Known(Datum::Str(text.as_str().into())),
            _ => return None,
        })
    }

    /// Operands of which at least one is late.
    pub(crate) fn terms(&mut self, values: &[Value], place: Place) -> Result<Vec<Term>, Failed> {
        let mut terms = Vec::with_capacity(values.len());
        for value in values {
            match self.term(value) {
                Some(term) => terms.push(term),
                None => return Err(self.unexpected(place, "a number", value)),
            }
        }
        Ok(terms)
    }

    /// `left op right`, one of which is late.
    pub(crate) fn operate_late(
        &mut self,
        op: BinaryOp,
        left: &Value,
        right: &Value,
        place: Place,
    ) -> Result<Value, Failed> {
        match (self.term(left), self.term(right)) {
            (Some(left), Some(right)) => Ok(self.formula(Operation::Binary(op, left, right), place)),
            _ => {
                let late = if matches!(left, Value::Late(_)) {
                    left
                } else {
                    right
                };
                Err(self.too_late(place, "a value that is known now", late))
            }
        }
    }

    /// The late value that `operation` gives.
    pub(crate) fn formula(&mut self, operation: Operation, place: Place) -> Value {
        let mut size = 1;
        for id in operands(&operation) {
            let below = self.size(id);
            if below > LARGEST {
                self.late_value(id);
                size += 1;
            } else {
                size += below;
            }
        }
        let origin = self.origin(place);
        self.artifacts.add_late(Late::Formula(Formula {
            operation,
            size,
            origin,
            made: None,
        }))
    }

    fn size(&self, id: LateId) -> usize {
        match self.artifacts.late(id) {
            Late::Formula(Formula { made: None, size, .. }) => *size,
            Late::Formula(_) | Late::At(_) => 1,
        }
    }

    /// Where a spec that is made at `place` was written.
    pub(crate) fn origin(&self, place: Place) -> Origin {
        let blame = self.blame(place);
        Origin {
            span: blame.span,
            arguments: blame.arguments,
        }
    }

    /// Where the build will have the value. Makes the derivation of a formula.
    pub(crate) fn late_value(&mut self, id: LateId) -> LateValue {
        let formula = match self.artifacts.late(id) {
            Late::At(value) => return value.clone(),
            Late::Formula(formula) => formula.clone(),
        };
        let spec = formula.made.unwrap_or_else(|| {
            let output = value_output(ArtifactKind::Value, Datum::Null);
            self.calc(&formula.operation, formula.origin, output)
        });
        if let Late::Formula(own) = self.artifacts.late_mut(id) {
            own.made = Some(spec);
        }
        LateValue {
            source: value_of(spec),
            path: Vec::new(),
        }
    }

    /// A derivation that computes `operation`.
    pub(crate) fn calc(&mut self, operation: &Operation, origin: Origin, output: OutputSpec) -> SpecId {
        let mut inputs = Inputs::default();
        let value = self.encode_operation(operation, &mut inputs);
        let args = ByName::from([("value", value)]);
        self.computed("calc", args, inputs, origin, output)
    }

    /// A derivation of small arithmetic.
    pub(crate) fn computed(
        &mut self,
        builtin: &str,
        args: Fields,
        inputs: Inputs,
        origin: Origin,
        output: OutputSpec,
    ) -> SpecId {
        let spec = DerivationSpec {
            name: String::new(),
            inputs: inputs.at(&origin),
            origin,
            resources: Resources::default(),
            builder: Builder::Builtin(builtin.into()),
            args: Datum::Map(args),
            env: None,
            vars: ByName::new(),
            cwd: None,
            outputs: ByName::from([(VALUE.to_owned(), output)]),
        };
        self.specs.add(spec)
    }

    /// An operand as a derivation's argument.
    pub(crate) fn encode(&mut self, term: &Term, inputs: &mut Inputs) -> Datum {
        let id = match term {
            Term::Known(datum @ (Datum::Bool(_) | Datum::Int(_) | Datum::Float(_) | Datum::Str(_))) => {
                return datum.clone();
            }
            Term::Known(datum) => return variant("constant", [("value", datum.clone())]),
            Term::Of(operation) => return self.encode_operation(operation, inputs),
            Term::Late(id) => *id,
        };
        match self.artifacts.late(id) {
            Late::Formula(formula) if formula.made.is_none() => {
                let operation = formula.operation.clone();
                self.encode_operation(&operation, inputs)
            }
            _ => {
                let value = self.late_value(id);
                encode_input(&value, inputs)
            }
        }
    }

    fn encode_operation(&mut self, operation: &Operation, inputs: &mut Inputs) -> Datum {
        let text = |text: &str| Datum::Str(text.into());
        match operation {
            Operation::Same(term) => self.encode(term, inputs),
            Operation::Unary(op, of) => {
                let of = self.encode(of, inputs);
                variant("unary", [("op", text(op)), ("of", of)])
            }
            Operation::Binary(op, left, right) => {
                let (left, right) = (self.encode(left, inputs), self.encode(right, inputs));
                variant(
                    "binary",
                    [("op", text(name(*op))), ("left", left), ("right", right)],
                )
            }
            Operation::Statistic(op, over) => {
                let over = over.iter().map(|term| self.encode(term, inputs)).collect();
                variant("statistic", [("op", text(op)), ("over", Datum::List(over))])
            }
            Operation::Assert(condition, message) => {
                let condition = self.encode(condition, inputs);
                variant("assert", [("condition", condition), ("message", text(message))])
            }
            Operation::List(items) => {
                let items = items.iter().map(|term| self.encode(term, inputs)).collect();
                variant("list", [("items", Datum::List(items))])
            }
            Operation::Record(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, term)| (name.clone(), self.encode(term, inputs)))
                    .collect();
                variant("record", [("fields", Datum::Map(fields))])
            }
        }
    }

    /// A field of a late record.
    pub(crate) fn late_field(&mut self, id: LateId, name: &str) -> Value {
        let mut value = self.late_value(id);
        value.path.push(name.to_owned());
        self.artifacts.add_late(Late::At(value))
    }

    /// A late value stands where the evaluation needs one.
    #[cold]
    pub(crate) fn too_late(&mut self, place: Place, wanted: &str, found: &Value) -> Failed {
        let error = self
            .error(
                place,
                "E0417",
                format!("{wanted} is needed here, and this is known only after the build"),
            )
            .at(match found {
                Value::Late(id) => format!("this is `{}`", self.late_text(*id)),
                _ => "known only after the build".to_owned(),
            })
            .help(TOO_LATE);
        self.fail(error)
    }

    /// What people call a late value: `evaluate.accuracy`, `mean([a.auc, b.auc])`.
    pub(crate) fn late_text(&self, id: LateId) -> String {
        match self.artifacts.late(id) {
            Late::At(value) => self.late_name(value),
            Late::Formula(Formula { made: Some(spec), .. }) if !self.specs.get(*spec).name.is_empty() => {
                self.specs.get(*spec).name.clone()
            }
            Late::Formula(formula) => self.operation_text(&formula.operation),
        }
    }

    fn late_name(&self, value: &LateValue) -> String {
        // The one late value that a training gives as a field of its own.
        if let InputSource::Output { spec, output } = &value.source
            && (output.as_str(), value.path.join(".").as_str()) == ("best", "epoch")
        {
            return format!("{}.best_epoch", self.specs.get(*spec).name);
        }
        let mut name = self.artifact_name(&value.source);
        for field in &value.path {
            name += &format!(".{field}");
        }
        name
    }

    fn operation_text(&self, operation: &Operation) -> String {
        match operation {
            Operation::Same(term) => self.term_text(term),
            Operation::Unary("neg", of) => format!("-{}", self.operand_text(of)),
            Operation::Unary("not", of) => format!("not {}", self.operand_text(of)),
            Operation::Unary(op, of) => format!("{op}({})", self.term_text(of)),
            Operation::Binary(op, left, right) => {
                format!(
                    "{} {} {}",
                    self.operand_text(left),
                    sign(*op),
                    self.operand_text(right)
                )
            }
            Operation::Statistic(op, over) => format!("{op}([{}])", self.terms_text(over)),
            Operation::Assert(condition, _) => self.term_text(condition),
            Operation::List(items) => format!("[{}]", self.terms_text(items)),
            Operation::Record(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
                format!("{{ {} }}", fields.join(", "))
            }
        }
    }

    fn terms_text(&self, terms: &[Term]) -> String {
        let mut parts: Vec<_> = terms
            .iter()
            .take(SHOWN)
            .map(|term| self.term_text(term))
            .collect();
        if terms.len() > SHOWN {
            parts.push("…".to_owned());
        }
        parts.join(", ")
    }

    fn term_text(&self, term: &Term) -> String {
        match term {
            Term::Late(id) => self.late_text(*id),
            Term::Of(operation) => self.operation_text(operation),
            Term::Known(datum) => scalar_text(datum).unwrap_or_else(|| "…".to_owned()),
        }
    }

    /// In parentheses where it has an operator.
    fn operand_text(&self, term: &Term) -> String {
        let text = self.term_text(term);
        let operator = match term {
            Term::Late(id) => matches!(
                self.artifacts.late(*id),
                Late::Formula(Formula {
                    operation: Operation::Binary(..),
                    made: None,
                    ..
                })
            ),
            _ => false,
        };
        if operator { format!("({text})") } else { text }
    }
}

/// The one output of a derivation of small arithmetic.
const VALUE: &str = "value";

/// What such a derivation gives.
pub(crate) fn value_of(spec: SpecId) -> InputSource {
    InputSource::Output {
        spec,
        output: VALUE.into(),
    }
}

/// That output's declaration.
pub(crate) fn value_output(kind: ArtifactKind, schema: Datum) -> OutputSpec {
    OutputSpec {
        kind,
        path: None,
        schema,
        optional: false,
        observed: false,
    }
}

/// A list of values of inputs, as one of a derivation's arguments.
pub(crate) fn encode_list(values: &[LateValue], inputs: &mut Inputs) -> Datum {
    let items = values.iter().map(|value| encode_input(value, inputs)).collect();
    variant("list", [("items", Datum::List(items))])
}

/// A value of an input, as a derivation's argument.
pub(crate) fn encode_input(value: &LateValue, inputs: &mut Inputs) -> Datum {
    let path = value.path.iter().map(|part| Datum::Str(part.into())).collect();
    let name = Datum::Str(inputs.name(&value.source).into());
    variant("input", [("name", name), ("path", Datum::List(path))])
}

fn variant<const N: usize>(kind: &str, fields: [(&str, Datum); N]) -> Datum {
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Datum::Variant(kind.into(), ByName::from(fields))
}

/// The late values that an operation reads.
fn operands(operation: &Operation) -> Vec<LateId> {
    let terms: Vec<&Term> = match operation {
        Operation::Same(of) | Operation::Unary(_, of) | Operation::Assert(of, _) => vec![of],
        Operation::Binary(_, left, right) => vec![left, right],
        Operation::Statistic(_, over) | Operation::List(over) => over.iter().collect(),
        Operation::Record(fields) => fields.iter().map(|(_, term)| term).collect(),
    };
    let mut found = Vec::new();
    for term in terms {
        match term {
            Term::Known(_) => {}
            Term::Late(id) => found.push(*id),
            Term::Of(operation) => found.extend(operands(operation)),
        }
    }
    found
}

/// The value of a derivation that only holds a constant.
pub(crate) fn constant_text(spec: &DerivationSpec) -> Option<String> {
    match (&spec.builder, &spec.args) {
        (Builder::Builtin(name), Datum::Map(args)) if name == "calc" => scalar_text(args.get("value")?),
        _ => None,
    }
}

fn scalar_text(datum: &Datum) -> Option<String> {
    Some(match datum {
        Datum::Float(value) => render::float(*value),
        Datum::Int(value) => value.to_string(),
        Datum::Bool(value) => value.to_string(),
        Datum::Str(text) => format!("{text:?}"),
        _ => return None,
    })
}

/// The operator's name in a derivation.
fn name(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "add",
        BinaryOp::Sub => "sub",
        BinaryOp::Mul => "mul",
        BinaryOp::Div => "div",
        BinaryOp::FloorDiv => "floor_div",
        BinaryOp::Mod => "mod",
        BinaryOp::Pow => "pow",
        BinaryOp::Eq => "eq",
        BinaryOp::Ne => "ne",
        BinaryOp::Lt => "lt",
        BinaryOp::Le => "le",
        BinaryOp::Gt => "gt",
        BinaryOp::Ge => "ge",
        BinaryOp::And => "and",
        BinaryOp::Or => "or",
        BinaryOp::Coalesce => "coalesce",
    }
}
