//! Traced functions: run once on symbolic tensors, each operation on which becomes a node of the machine's table. What
//! the function gives back is the graph of the nodes that it depends on ([`crate::tensor::Graph`]).

use super::blame::Place;
use super::machine::{Failed, Machine};
use super::names::Symbol;
use super::value::{TensorId, Value, grow, shrink};
use crate::core::FunctionId;
use crate::hir::BinaryOp;
use crate::shapes::Site;
use crate::spec::Datum;
use crate::tensor::{Arg, Graph, Node};
use std::collections::BTreeMap;

/// The operations of all traced functions. A node stands after those that it takes.
#[derive(Debug, Default)]
pub(crate) struct Tensors {
    nodes: Vec<Operation>,
    /// What each traced function calls its inputs.
    traces: Vec<Vec<String>>,
    /// Where the calls of the traced functions that are running stand among the machine's.
    running: Vec<usize>,
}

#[derive(Debug)]
enum Operation {
    Input {
        trace: u32,
        index: u32,
    },
    Call {
        op: Symbol,
        /// By parameter, without those that are null.
        args: Box<[(Symbol, Value)]>,
        /// Where it was written, in the machine's table of origins.
        origin: u32,
    },
}

/// More operations, with the lists that they take, than anybody means.
const MOST_OPERATIONS: usize = 50_000;
/// About what a node takes, with its origin.
const NODE_BYTES: usize = 160;

impl Tensors {
    fn add(&mut self, operation: Operation) -> Value {
        grow(NODE_BYTES);
        self.nodes.push(operation);
        Value::Tensor(TensorId((self.nodes.len() - 1) as u32))
    }

    fn get(&self, id: TensorId) -> &Operation {
        &self.nodes[id.0 as usize]
    }
}

impl Drop for Tensors {
    fn drop(&mut self) {
        shrink(self.nodes.len() * NODE_BYTES);
    }
}

impl Machine<'_> {
    /// Runs a function of `count` tensors on symbolic ones: the tensor that it gives, which depends on them alone.
    pub(crate) fn trace(&mut self, function: &Value, count: u32, place: Place) -> Result<Value, Failed> {
        let trace = self.tensors.traces.len() as u32;
        let params = self.param_names(function, count);
        self.tensors.traces.push(params);
        for index in 0..count {
            let input = self.tensors.add(Operation::Input { trace, index });
            self.stack.push(input);
        }
        self.tensors.running.push(self.calls.len());
        let result = self.call_value(function, count as usize, place);
        self.tensors.running.pop();
        match result? {
            Value::Tensor(result) => {
                self.own_inputs(result, trace, place)?;
                Ok(Value::Tensor(result))
            }
            other => {
                let shown = self.display(&other);
                let error = self
                    .argument_error(
                        place,
                        "f",
                        "E0337",
                        format!("the function gives {shown}, whatever it is given"),
                    )
                    .at("does not use what it is given")
                    .help("compute with its parameters: what it does with them is what is kept");
                Err(self.fail(error))
            }
        }
    }

    fn param_names(&self, function: &Value, count: u32) -> Vec<String> {
        let id = match function {
            Value::Function(id) => *id,
            Value::Closure(closure) => closure.function,
            _ => return Vec::new(),
        };
        let params = &self.core.functions[id.0 as usize].params;
        params
            .iter()
            .take(count as usize)
            .map(|param| param.to_string())
            .collect()
    }

    /// Whether a tensor comes from inputs of the function `trace` and of no other.
    fn own_inputs(&mut self, result: TensorId, trace: u32, place: Place) -> Result<(), Failed> {
        let Some(order) = self.order(result) else {
            let error = self
                .argument_error(
                    place,
                    "f",
                    "E0338",
                    format!("the function does more than {MOST_OPERATIONS} operations"),
                )
                .at("is run once, and each operation is kept")
                .help("work on whole tensors: an operation on all elements is one");
            return Err(self.fail(error));
        };
        let mut used = false;
        for id in order {
            if let Operation::Input { trace: own, index } = *self.tensors.get(id) {
                if own != trace {
                    return Err(self.strayed(own, index, place));
                }
                used = true;
            }
        }
        if used {
            return Ok(());
        }
        let error = self
            .argument_error(
                place,
                "f",
                "E0337",
                "the function gives the same number whatever it is given",
            )
            .at("does not use what it is given")
            .help("compute with its parameters: what it does with them is what is kept");
        Err(self.fail(error))
    }

    fn strayed(&mut self, trace: u32, index: u32, place: Place) -> Failed {
        let names = &self.tensors.traces[trace as usize];
        let name = names.get(index as usize).map_or("x", String::as_str);
        let error = self
            .argument_error(
                place,
                "f",
                "E0337",
                format!("`{name}` is a tensor of another traced function"),
            )
            .at(format!("uses `{name}`, which it is not given"))
            .help("a traced function computes with its own parameters, and with numbers");
        self.fail(error)
    }

    /// A call of a function of the library's module `tensor`: its arguments are the last of the stack.
    pub(crate) fn tensor_call(&mut self, function: FunctionId, op: Symbol, place: Place) -> Value {
        let params = &self.core.functions[function.0 as usize].params;
        let below = self.stack.len() - params.len();
        let values = self.stack.split_off(below);
        let mut args = Vec::with_capacity(values.len());
        for (param, value) in params.iter().zip(values) {
            if !matches!(value, Value::Null) {
                args.push((self.names.symbol(param), value));
            }
        }
        self.operation(op, args, place)
    }

    /// `left op right`, of which one is a tensor at least.
    pub(crate) fn tensor_operate(
        &mut self,
        op: BinaryOp,
        left: Value,
        right: Value,
        place: Place,
    ) -> Result<Value, Failed> {
        let name = match op {
            BinaryOp::Add => "add",
            BinaryOp::Sub => "sub",
            BinaryOp::Mul => "mul",
            BinaryOp::Div => "div",
            BinaryOp::Pow => "pow",
            BinaryOp::Eq => "eq",
            BinaryOp::Ne => "ne",
            BinaryOp::Lt => "lt",
            BinaryOp::Le => "le",
            BinaryOp::Gt => "gt",
            BinaryOp::Ge => "ge",
            _ => return Err(self.unexpected(place, "a number", &left)),
        };
        let (op, x, y) = (
            self.names.symbol(name),
            self.names.symbol("x"),
            self.names.symbol("y"),
        );
        Ok(self.operation(op, vec![(x, left), (y, right)], place))
    }

    /// `-x`.
    pub(crate) fn tensor_negate(&mut self, value: Value, place: Place) -> Value {
        let (op, x) = (self.names.symbol("neg"), self.names.symbol("x"));
        self.operation(op, vec![(x, value)], place)
    }

    fn operation(&mut self, op: Symbol, args: Vec<(Symbol, Value)>, place: Place) -> Value {
        // That a traced lambda is called where it is written helps nobody.
        let mut calls = self.calls.clone();
        for index in self.tensors.running.iter().rev() {
            let function = calls.get(*index).map(|call| call.function);
            if function.is_some_and(|function| self.core.functions[function.0 as usize].name == "λ") {
                calls.remove(*index);
            }
        }
        let origin = self.origins.note(place, &calls, &self.codes);
        let args = args.into_boxed_slice();
        self.tensors.add(Operation::Call { op, args, origin })
    }

    /// What a tensor depends on and itself at the end, each after what it takes: an order that its meaning alone decides.
    /// `None` where that is more than anybody means.
    fn order(&self, result: TensorId) -> Option<Vec<TensorId>> {
        let mut order = Vec::new();
        let mut met = 0;
        let mut done = vec![false; result.0 as usize + 1];
        // A node, and whether what it takes was gone through.
        let mut left = vec![(result, false)];
        while let Some((id, ready)) = left.pop() {
            if done[id.0 as usize] {
                continue;
            }
            if ready {
                done[id.0 as usize] = true;
                order.push(id);
                continue;
            }
            left.push((id, true));
            if let Operation::Call { args, .. } = self.tensors.get(id) {
                met += 1 + args.iter().map(|(_, value)| width(value)).sum::<usize>();
                if met > MOST_OPERATIONS {
                    return None;
                }
                let taken = args
                    .iter()
                    .rev()
                    .flat_map(|(_, value)| tensors(value).into_iter().rev());
                left.extend(taken.map(|taken| (taken, false)));
            }
        }
        Some(order)
    }

    /// The graph of a tensor that [`Machine::trace`] gave.
    pub(crate) fn graph(&self, result: TensorId, place: Place) -> Graph {
        let mut graph = Graph {
            params: Vec::new(),
            nodes: Vec::new(),
        };
        let mut numbers = BTreeMap::new();
        let mut known = BTreeMap::new();
        // `trace` saw to its length.
        for id in self.order(result).unwrap_or_default() {
            if let Operation::Input { trace, .. } = *self.tensors.get(id) {
                graph.params.clone_from(&self.tensors.traces[trace as usize]);
            }
            let node = self.graph_node(id, &numbers, place);
            // Floats have no order; their shortest digits that read back tell them apart.
            let key = format!("{} {:?}", node.op, node.args);
            let number = *known.entry(key).or_insert_with(|| {
                graph.nodes.push(node);
                graph.nodes.len() - 1
            });
            numbers.insert(id, number);
        }
        graph
    }

    fn graph_node(&self, id: TensorId, numbers: &BTreeMap<TensorId, usize>, place: Place) -> Node {
        match self.tensors.get(id) {
            Operation::Input { index, .. } => {
                let index = Arg::Given(Datum::Int(i64::from(*index)));
                Node {
                    op: "input".to_owned(),
                    args: BTreeMap::from([("index".to_owned(), index)]),
                    site: self.site_of(0, place),
                }
            }
            Operation::Call { op, args, origin } => Node {
                op: self.names.text(*op).to_owned(),
                args: args
                    .iter()
                    .map(|(name, value)| (self.names.text(*name).to_owned(), arg(value, numbers)))
                    .collect(),
                site: self.site_of(*origin, place),
            },
        }
    }

    /// Where an origin is; `place` where that is not known.
    pub(crate) fn site_of(&self, origin: u32, place: Place) -> Site {
        let blame = self.blame_origin(origin).unwrap_or_else(|| self.blame(place));
        Site {
            span: blame.span,
            arguments: blame.arguments,
            notes: blame.notes,
        }
    }
}

/// How many values a list is.
fn width(value: &Value) -> usize {
    match value {
        Value::List(list) => list.items().len(),
        _ => 0,
    }
}

/// The tensors in an argument.
fn tensors(value: &Value) -> Vec<TensorId> {
    match value {
        Value::Tensor(id) => vec![*id],
        Value::List(list) => list.items().iter().flat_map(tensors).collect(),
        _ => Vec::new(),
    }
}

fn arg(value: &Value, numbers: &BTreeMap<TensorId, usize>) -> Arg {
    match value {
        // What a node takes stands before it.
        Value::Tensor(id) => Arg::Node(numbers.get(id).copied().unwrap_or(0)),
        Value::List(list) => Arg::List(list.items().iter().map(|item| arg(item, numbers)).collect()),
        Value::Bool(value) => Arg::Given(Datum::Bool(*value)),
        Value::Int(value) => Arg::Given(Datum::Int(*value)),
        Value::Float(value) => Arg::Given(Datum::Float(*value)),
        _ => Arg::Given(Datum::Null),
    }
}
