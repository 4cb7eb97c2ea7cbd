//! Shapes of networks, found by evaluating the trainings that use what is looked at, and nothing else.

use super::Analysis;
use crate::diagnostic::Severity;
use crate::eval::{Bounds, Demand, Outcome, Render, Request, Target, evaluate_within};
use crate::hir::{Expr, ItemKind, ModuleId};
use crate::shapes::{LayerRow, shape_text, table};
use crate::source::{SourceId, Span};
use std::collections::{BTreeMap, BTreeSet};

/// What a hover or a hint may cost: some tens of milliseconds.
const BOUNDS: Bounds = Bounds {
    steps: 200_000,
    memory: 256 << 20,
};

/// How many trainings are evaluated for one question.
const MOST_TRAININGS: usize = 8;

/// A layer that a person wrote, with the rows that it has in the networks that it is in.
pub(super) type Layers = BTreeMap<Span, Vec<LayerRow>>;

/// The layers that are written in `range` of the entry, as the trainings that use them have them.
pub(super) fn layers(analysis: &mut Analysis, module: ModuleId, range: Span) -> Layers {
    let trainings = trainings(analysis, module, range);
    let mut layers = Layers::new();
    for rows in evaluate(analysis, range.source, trainings).layers.into_values() {
        for row in rows.iter() {
            let known = layers.entry(row.span).or_default();
            if known.iter().all(|other| other.output != row.output) {
                known.push(row.clone());
            }
        }
    }
    layers.retain(|span, _| span.source == range.source && span.start < range.end && range.start < span.end);
    layers
}

/// What is said of the network at `span`, of which `code` says the type.
pub(super) fn about(analysis: &mut Analysis, module: ModuleId, span: Span, code: &str) -> Option<String> {
    if makes_training(code) {
        let own = analysis.loaded.program.module(module);
        let at = own.items.iter().position(|item| item.name_span == span)?;
        let name = own.items[at].name.to_string();
        let outcome = evaluate(analysis, span.source, vec![name]);
        let rows = outcome.layers.into_values().next()?;
        return Some(table(&rows));
    }
    if !code.contains("Layer") {
        return None;
    }
    let layers = layers(analysis, module, span);
    // The layer itself rather than the network around it.
    let (_, rows) = layers
        .iter()
        .filter(|(layer, _)| layer.start <= span.start && span.end <= layer.end)
        .min_by_key(|(layer, _)| layer.end - layer.start)?;
    let row = rows.first()?;
    let count = |of: Option<u64>| of.map_or("?".to_owned(), |count| count.to_string());
    Some(format!(
        "gives {}, {} parameters, {} FLOPs an example",
        shapes(rows),
        count(row.parameters),
        count(row.flops)
    ))
}

/// The shapes of a layer; one that stands in several networks may have several.
pub(super) fn shapes(rows: &[LayerRow]) -> String {
    let shown: Vec<String> = rows.iter().take(3).map(|row| shape_text(&row.output)).collect();
    let more = if rows.len() > 3 { ", …" } else { "" };
    shown.join(", ") + more
}

/// All of the entry, evaluated; nothing where it did not check.
pub(super) fn evaluate_all(analysis: &Analysis, steps: u64) -> Option<Outcome> {
    if analysis
        .diagnostics()
        .any(|found| found.severity == Severity::Error)
    {
        return None;
    }
    let request = Request {
        core: &analysis.checked.core,
        sources: &analysis.loaded.sources,
        demand: &Demand::All,
        render: Render::Nothing,
    };
    let bounds = Bounds {
        steps,
        memory: usize::MAX,
    };
    let mut outcome = evaluate_within(request, bounds);
    // That the editor gave up early is no mistake of the program.
    outcome
        .diagnostics
        .retain(|diagnostic| steps >= 200_000_000 || diagnostic.code != "E0408");
    Some(outcome)
}

fn evaluate(analysis: &Analysis, source: SourceId, names: Vec<String>) -> Outcome {
    let span = Span {
        source,
        start: 0,
        end: 0,
    };
    let targets = names.into_iter().map(|text| Target { text, span }).collect();
    let request = Request {
        core: &analysis.checked.core,
        sources: &analysis.loaded.sources,
        demand: &Demand::Show(targets),
        render: Render::Nothing,
    };
    evaluate_within(request, BOUNDS)
}

/// Whether a value of this type is, or holds, what a training made.
fn makes_training(ty: &str) -> bool {
    ty.contains("Fit[") || ty.contains("Model[")
}

/// The bindings that train what is written in `range`: those of its items, and of the items that use them.
fn trainings(analysis: &mut Analysis, id: ModuleId, range: Span) -> Vec<String> {
    let module = analysis.loaded.program.module(id);
    if id.0 as usize + 1 != analysis.loaded.program.modules.len() {
        return Vec::new();
    }
    let mut users: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (expr, span) in module.exprs.iter().zip(&module.expr_spans) {
        if let Expr::Item(item) = expr
            && item.module == id
            && let Some(owner) = owner(module, *span)
        {
            users.entry(item.item).or_default().insert(owner);
        }
    }
    let touched = module.items.iter().enumerate().filter(|(_, item)| {
        let starts = item.span.start < range.end && range.start < item.span.end;
        starts && matches!(item.kind, ItemKind::Value { .. } | ItemKind::Fn(_))
    });
    let mut reached: BTreeSet<u32> = touched.map(|(index, _)| index as u32).collect();
    let mut queue: Vec<u32> = reached.iter().copied().collect();
    while let Some(item) = queue.pop() {
        for user in users.get(&item).into_iter().flatten() {
            if reached.insert(*user) {
                queue.push(*user);
            }
        }
    }
    let mut names = Vec::new();
    for item in reached {
        let at = crate::hir::ItemRef { module: id, item };
        let declared = analysis.loaded.program.item(at);
        if !matches!(declared.kind, ItemKind::Value { .. }) {
            continue;
        }
        let name = declared.name.to_string();
        if analysis
            .checked
            .types
            .item(at)
            .is_some_and(|ty| makes_training(&ty))
        {
            names.push(name);
            if names.len() == MOST_TRAININGS {
                break;
            }
        }
    }
    names
}

fn owner(module: &crate::hir::Module, span: Span) -> Option<u32> {
    let after = module.items.partition_point(|item| item.span.start <= span.start);
    let index = after.checked_sub(1)?;
    (span.end <= module.items[index].span.end).then_some(index as u32)
}
