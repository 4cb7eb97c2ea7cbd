//! Layers that send what comes in through several layers, and put together what comes out.

use super::layer::Layer;
use super::pass::{Pass, Passed, below, gives, own_path};
use super::report::{Problem, argument, mismatch, shape_text};
use super::transfer::{Outcome, count};
use super::{Dim, Features, Signal};
use crate::source::Span;
use crate::spec::{ByName, Datum, Fields};
use std::collections::BTreeSet;

/// What came out of a branch, for messages and the result.
struct Branch<'l> {
    layer: &'l Layer,
    /// The last layer in it that changed the shape.
    span: Span,
    output: Vec<Dim>,
    datum: Datum,
}

impl Pass {
    /// The steps of one branch are no part of the way to the next.
    fn branch<'l>(
        &mut self,
        layer: &'l Layer,
        input: &Signal,
        path: &str,
    ) -> Result<Branch<'l>, Box<Problem>> {
        let before = self.steps.len();
        let (output, datum) = self.layer(layer, Features::One(input.clone()), path)?;
        let made = self.steps.drain(before..).rev();
        let changed = made.into_iter().find(|step| step.input != step.output);
        Ok(Branch {
            layer,
            span: changed.map_or(layer.site.span, |step| step.site.span),
            output: output.shape,
            datum,
        })
    }

    /// `layer(x) + x`, or `layer(x) + shortcut(x)`. The inner layer has the path of the residual itself, as blocks of
    /// PyTorch's networks have.
    pub(super) fn residual(&mut self, layer: &Layer, input: &Signal, path: &str) -> Passed {
        let Some(inner) = layer.child("layer") else {
            return Err(argument(layer, "layer", "is missing", "needs a layer"));
        };
        let main = self.branch(inner, input, path)?;
        let mut names = BTreeSet::new();
        let shortcut = match layer.child("shortcut") {
            Some(child) => {
                let own = own_path(path, "shortcut", child, &mut names)?;
                Some(self.branch(child, input, &own)?)
            }
            None => None,
        };
        let other = shortcut.as_ref().map_or(&input.shape, |branch| &branch.output);
        let Some(mut output) = agree(&main.output, other) else {
            return Err(match &shortcut {
                Some(shortcut) => differ(layer, "adds", &[main, fields_of(shortcut)]),
                None => without_shortcut(layer, &main, &input.shape),
            });
        };
        let mut fields = ByName::from([("layer", main.datum)]);
        if let Some(shortcut) = shortcut {
            fields.insert("shortcut", shortcut.datum);
        }
        if let Some(child) = layer.child("activation") {
            let own = own_path(path, "activation", child, &mut names)?;
            let activated = self.branch(child, &Signal::numbers(output), &own)?;
            fields.insert("activation", activated.datum);
            output = activated.output;
        }
        let sum = count(&output);
        self.joined(layer, input, path, (output, sum), fields)
    }

    /// The sum of what each layer makes of the input.
    pub(super) fn parallel(&mut self, layer: &Layer, input: &Signal, path: &str) -> Passed {
        let branches = self.each(layer, input, path)?;
        let mut sum = branches[0].output.clone();
        for branch in &branches[1..] {
            match agree(&sum, &branch.output) {
                Some(agreed) => sum = agreed,
                None => return Err(differ(layer, "adds", &branches)),
            }
        }
        let additions = count(&sum).map(|count| count.saturating_mul(branches.len() as u128 - 1));
        let fields = in_list(branches);
        self.joined(layer, input, path, (sum, additions), fields)
    }

    /// What each layer makes of the input, one after the other along a dimension.
    pub(super) fn concat(&mut self, layer: &Layer, input: &Signal, path: &str) -> Passed {
        let branches = self.each(layer, input, path)?;
        let dim = layer.int("dim").unwrap_or(1);
        let output = along(layer, dim, &branches)?;
        let mut fields = in_list(branches);
        fields.insert("dim", Datum::Int(dim));
        self.joined(layer, input, path, (output, Some(0)), fields)
    }

    /// Each named input through its own layer; what comes out stands side by side along dimension 1.
    pub(super) fn inputs(&mut self, layer: &Layer, inputs: &[(String, Signal)], path: &str) -> Passed {
        let (mut branches, mut fields) = (Vec::new(), ByName::new());
        let unknown = |name: &str| inputs.iter().all(|(own, _)| own != name);
        if let Some((name, child)) = layer.children.iter().find(|(name, _)| unknown(name)) {
            let known: Vec<_> = inputs.iter().map(|(name, _)| format!("`{name}`")).collect();
            let message = format!("the data has no input `{name}`");
            return Err(mismatch(layer, "E0322", message, "is not among the inputs")
                .and(child.site.span, format!("is for `{name}`"))
                .help(format!("it has {}", known.join(", "))));
        }
        for (name, signal) in inputs {
            let Some(child) = layer.child(name) else {
                let message = format!("no layer takes the input `{name}`");
                return Err(
                    mismatch(layer, "E0322", message, "takes the others").help(format!(
                        "add one: `{name}: …`; or leave the input out of the data"
                    )),
                );
            };
            let branch = self.branch(child, signal, &below(path, name))?;
            fields.insert(name.clone(), branch.datum.clone());
            branches.push(branch);
        }
        if branches.is_empty() {
            return Err(argument(
                layer,
                "layers",
                "is empty",
                "needs a layer for each input",
            ));
        }
        let output = along(layer, 1, &branches)?;
        let first = Signal::numbers(inputs[0].1.shape.clone());
        let fields = ByName::from([("layers", Datum::Map(fields))]);
        self.joined(layer, &first, path, (output, Some(0)), fields)
    }

    fn each<'l>(
        &mut self,
        layer: &'l Layer,
        input: &Signal,
        path: &str,
    ) -> Result<Vec<Branch<'l>>, Box<Problem>> {
        if layer.children.is_empty() {
            return Err(argument(layer, "layers", "is empty", "needs at least one layer"));
        }
        let mut names = BTreeSet::new();
        let mut branches = Vec::with_capacity(layer.children.len());
        for (index, child) in &layer.children {
            let own = own_path(path, index, child, &mut names)?;
            branches.push(self.branch(child, input, &own)?);
        }
        Ok(branches)
    }

    fn joined(
        &mut self,
        layer: &Layer,
        input: &Signal,
        path: &str,
        (output, flops): (Vec<Dim>, Option<u128>),
        fields: Fields,
    ) -> Passed {
        let outcome = Outcome {
            args: fields,
            ..Outcome::new(output.clone(), 0, flops)
        };
        let datum = self.record(layer, input.shape.clone(), outcome, path)?;
        Ok((Signal::numbers(output), datum))
    }
}

fn in_list(branches: Vec<Branch<'_>>) -> Fields {
    let layers = branches.into_iter().map(|branch| branch.datum).collect();
    ByName::from([("layers", Datum::List(layers))])
}

fn fields_of<'l>(branch: &Branch<'l>) -> Branch<'l> {
    Branch {
        output: branch.output.clone(),
        datum: Datum::Null,
        ..*branch
    }
}

/// Two shapes as one, if they may be; a size that one of them knows is known.
fn agree(a: &[Dim], b: &[Dim]) -> Option<Vec<Dim>> {
    let same = |(a, b): (&Dim, &Dim)| match (a, b) {
        (Some(a), Some(b)) if a != b => None,
        (known @ Some(_), _) | (None, known) => Some(*known),
    };
    (a.len() == b.len()).then(|| a.iter().zip(b).map(same).collect())?
}

/// The branches' shapes, put together along `dim` (the batch is dimension 0).
fn along(layer: &Layer, dim: i64, branches: &[Branch<'_>]) -> Result<Vec<Dim>, Box<Problem>> {
    let rank = branches[0].output.len();
    let Some(axis) = usize::try_from(dim - 1).ok().filter(|axis| *axis < rank) else {
        let label = match rank {
            0 => "there is no dimension but the batch".to_owned(),
            _ => format!("must be 1 to {rank}: dimension 0 is the batch"),
        };
        return Err(argument(layer, "dim", format!("is {dim}"), label));
    };
    let mut output = branches[0].output.clone();
    for branch in &branches[1..] {
        let mut other = branch.output.clone();
        let Some(size) = other.get_mut(axis) else {
            return Err(differ(layer, "puts together", branches));
        };
        let size = std::mem::replace(size, output[axis]);
        let sum = output[axis].zip(size).map(|(a, b)| a.saturating_add(b));
        match agree(&output, &other) {
            Some(agreed) => output = agreed,
            None => return Err(differ(layer, "puts together", branches)),
        }
        output[axis] = sum;
    }
    Ok(output)
}

/// Branches whose shapes cannot be put together: the first, and the first that differs.
fn differ(layer: &Layer, does: &str, branches: &[Branch<'_>]) -> Box<Problem> {
    let first = &branches[0];
    let other = branches[1..]
        .iter()
        .find(|branch| branch.output != first.output)
        .unwrap_or(first);
    let (a, b) = (shape_text(&first.output), shape_text(&other.output));
    let message = format!("shape mismatch: `{}` {does} {a} and {b}", layer.kind);
    let label = match does {
        "adds" => "the shapes must be the same",
        _ => "the shapes may differ in one dimension, `dim`, alone",
    };
    mismatch(layer, "E0320", message, label)
        .and(first.span, gives_at(first))
        .and(other.span, gives_at(other))
}

fn gives_at(branch: &Branch<'_>) -> String {
    match branch.span == branch.layer.site.span {
        true => gives(branch.layer, &branch.output),
        false => format!("gives {}", shape_text(&branch.output)),
    }
}

/// A residual that is added to its own input, and changes the shape.
fn without_shortcut(layer: &Layer, main: &Branch<'_>, input: &[Dim]) -> Box<Problem> {
    let (from, to) = (shape_text(input), shape_text(&main.output));
    let message = format!("shape mismatch: `residual` adds {to} to its input, {from}");
    let problem = mismatch(
        layer,
        "E0320",
        message,
        "without a `shortcut` the shape must stay as it is",
    )
    .and(main.span, gives_at(main));
    match projection(input, &main.output) {
        Some(projection) => problem.help(format!("give it `shortcut = {projection}`")),
        None => problem.help("give it a `shortcut` that makes the same shape of the input"),
    }
}

/// The layer of one weight a channel that makes `to` of `from`, where there is one.
fn projection(from: &[Dim], to: &[Dim]) -> Option<String> {
    match (from, to) {
        ([Some(_)], [Some(out)]) => Some(format!("nn.linear({out})")),
        ([_, Some(h), Some(w)], [Some(out), Some(oh), Some(ow)]) => {
            // A window of 1 x 1 gives ceil(size / stride).
            let stride = (1..=64).find(|stride| (h + stride - 1) / stride == *oh)?;
            if (w + stride - 1) / stride != *ow {
                return None;
            }
            let stride = if stride == 1 {
                String::new()
            } else {
                format!(", stride = {stride}")
            };
            Some(format!("nn.conv2d({out}, kernel_size = 1{stride})"))
        }
        _ => None,
    }
}
