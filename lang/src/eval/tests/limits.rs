//! Every program ends: limits, cycles, demand.

use super::build::{Nodes, Program};
use crate::core::{FunctionCode, FunctionId, Node};
use crate::hir::BinaryOp;

fn fib(program: &mut Program) -> FunctionId {
    let mut nodes = Nodes::default();
    let own = FunctionId(0);
    let (n, two) = (nodes.local(0), nodes.int(2));
    let condition = nodes.binary(BinaryOp::Lt, n, two);
    let then = nodes.local(0);
    let mut below = |by: i64| {
        let (n, by) = (nodes.local(0), nodes.int(by));
        let n = nodes.binary(BinaryOp::Sub, n, by);
        nodes.call(own, vec![n])
    };
    let (one, other) = (below(1), below(2));
    let otherwise = nodes.binary(BinaryOp::Add, one, other);
    nodes.add(Node::If {
        condition,
        then,
        otherwise,
    });
    program.function("fib", &["n"], FunctionCode::Body(nodes.body(1)))
}

#[test]
fn functions_call_themselves() {
    let mut program = Program::default();
    let fib = fib(&mut program);
    let mut nodes = Nodes::default();
    let n = nodes.int(25);
    nodes.call(fib, vec![n]);
    program.binding("x", nodes.body(0));
    assert_eq!(program.text(), "x = 75025");
}

#[test]
fn endless_recursion_is_an_error_and_no_crash() {
    let mut program = Program::default();
    let mut nodes = Nodes::default();
    let (n, one) = (nodes.local(0), nodes.int(1));
    let next = nodes.binary(BinaryOp::Add, n, one);
    let rest = nodes.call(FunctionId(0), vec![next]);
    let one = nodes.int(1);
    nodes.binary(BinaryOp::Add, one, rest);
    let endless = program.function("endless", &["n"], FunctionCode::Body(nodes.body(1)));
    let mut nodes = Nodes::default();
    let n = nodes.int(0);
    nodes.call(endless, vec![n]);
    program.binding("x", nodes.body(0));
    // The main thread's stack on Linux: what the limit is made for.
    let run = std::thread::Builder::new()
        .stack_size(8 << 20)
        .spawn(move || program.text())
        .unwrap();
    assert_eq!(run.join().unwrap(), "E0407 calls nested too deep");
}

#[test]
fn a_range_that_memory_cannot_hold_is_refused_before_it_is_made() {
    let mut program = Program::default();
    let range = program.intrinsic("prelude.range", &["stop", "start", "step"]);
    let mut nodes = Nodes::default();
    let args = [1_000_000_000_000, 0, 1].map(|n| nodes.int(n));
    nodes.call(range, args.to_vec());
    program.binding("x", nodes.body(0));
    assert_eq!(
        program.text(),
        "E0409 the pipeline's values need more than 64 MiB"
    );
}

#[test]
fn data_nested_deeper_than_1000_is_an_error() {
    let mut program = Program::default();
    let range = program.intrinsic("prelude.range", &["stop", "start", "step"]);
    let fold = program.intrinsic("prelude.fold", &["xs", "init", "f"]);
    let mut nodes = Nodes::default();
    let tree = nodes.last(0);
    nodes.add(Node::List(vec![crate::core::Element::Item(tree)]));
    let wrap = program.lambda(&["tree", "_"], nodes.body(2), Vec::new());
    let mut nodes = Nodes::default();
    let args = [1_000_000, 0, 1].map(|n| nodes.int(n));
    let numbers = nodes.call(range, args.to_vec());
    let zero = nodes.int(0);
    let wrap = nodes.add(Node::Closure(wrap));
    nodes.call(fold, vec![numbers, zero, wrap]);
    program.binding("x", nodes.body(0));
    assert_eq!(program.text(), "E0410 data nested deeper than 1,000");
}

#[test]
fn a_cycle_is_shown_and_other_bindings_stand() {
    let mut program = Program::default();
    let global = |id: u32| {
        let mut nodes = Nodes::default();
        nodes.add(Node::Global(crate::core::GlobalId(id)));
        nodes.body(0)
    };
    program.binding("a", global(1));
    program.binding("b", global(0));
    let mut nodes = Nodes::default();
    nodes.int(2);
    program.binding("c", nodes.body(0));
    assert_eq!(program.text(), "c = 2\nE0401 cycle: a → b → a");
}

#[test]
fn integers_do_not_wrap() {
    let mut program = Program::default();
    let mut nodes = Nodes::default();
    let (max, one) = (nodes.int(i64::MAX), nodes.int(1));
    nodes.binary(BinaryOp::Add, max, one);
    program.binding("x", nodes.body(0));
    assert_eq!(
        program.text(),
        "E0402 `9223372036854775807 + 1` is outside the integers"
    );
}

#[test]
fn a_fold_appends_in_place() {
    let mut program = Program::default();
    let range = program.intrinsic("prelude.range", &["stop", "start", "step"]);
    let fold = program.intrinsic("prelude.fold", &["xs", "init", "f"]);
    let len = program.intrinsic("prelude.len", &["xs"]);
    let mut nodes = Nodes::default();
    let (all, item) = (nodes.last(0), nodes.last(1));
    use crate::core::Element::{Item, Spread};
    nodes.add(Node::List(vec![Spread(all), Item(item)]));
    let push = program.lambda(&["all", "item"], nodes.body(2), Vec::new());
    let mut nodes = Nodes::default();
    let args = [20_000, 0, 1].map(|n| nodes.int(n));
    let numbers = nodes.call(range, args.to_vec());
    let empty = nodes.add(Node::List(Vec::new()));
    let push = nodes.add(Node::Closure(push));
    let all = nodes.call(fold, vec![numbers, empty, push]);
    nodes.call(len, vec![all]);
    program.binding("x", nodes.body(0));
    assert_eq!(program.text(), "x = 20000");
}
