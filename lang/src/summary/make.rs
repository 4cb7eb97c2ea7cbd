//! Making summaries of what was checked and evaluated.

use super::{Item, Summaries, Summary, Tables, Type, Value};
use crate::check::Checked;
use crate::core::GlobalId;
use crate::eval::{self, Demand, Outcome, Render, Request};
use crate::hir::{ItemKind, ItemRef, ModuleId, Program};
use crate::lower::Made;
use crate::source::Sources;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Values of a program that are remembered, at the most: what is larger takes longer to read than to make.
const MOST: usize = 200_000;

/// Evaluates all bindings of the entry, and summarises the other files of a program of which nothing was said yet.
/// `made`: of each module what it was made of.
pub fn evaluate_all(
    program: &Program,
    sources: &Sources,
    checked: &mut Checked,
    made: &[Made],
) -> (Outcome, Summaries) {
    let mut making = Making::default();
    let drafts = making.drafts(program, sources, checked, made);
    let wanted = drafts.iter().flat_map(|(_, draft)| &draft.items);
    let wanted: Vec<GlobalId> = wanted.filter_map(|item| item.global).collect();
    let request = Request {
        core: &checked.core,
        sources,
        demand: &Demand::All,
        render: Render::Nothing,
    };
    let (outcome, values) = eval::evaluate_and_summarise(request, program.spent, &wanted, &mut making);
    let mut values = values.into_iter();
    for (path, draft) in drafts {
        let mut summary = Summary {
            variants: draft.variants,
            items: Vec::with_capacity(draft.items.len()),
        };
        for item in draft.items {
            let value = match item.global {
                Some(_) => values.next().flatten(),
                None => item.known,
            };
            summary.items.push(Item(item.name, item.ty, value));
        }
        making.made.insert(&path, summary);
    }
    making.made.spent = program.spent.and(outcome.spent);
    (outcome, making.made)
}

/// A module whose values are still to come.
struct Draft {
    variants: Vec<String>,
    items: Vec<DraftItem>,
}

struct DraftItem {
    name: String,
    ty: u32,
    /// What has its value; nothing where the module is from a summary itself.
    global: Option<GlobalId>,
    /// Its value in that summary.
    known: Option<u32>,
}

/// Summaries that are being made.
#[derive(Debug, Default)]
pub(crate) struct Making {
    made: Summaries,
    /// Positions in the tables. Looked up, never iterated.
    types: FxHashMap<Type, u32>,
    values: FxHashMap<Value, u32>,
    /// Where types and values of the summaries before came to stand.
    types_before: FxHashMap<u32, u32>,
    values_before: FxHashMap<u32, u32>,
}

impl Making {
    /// The position of a type whose parts are there.
    pub(crate) fn ty(&mut self, ty: Type) -> u32 {
        position(&mut self.types, &mut self.made.tables.types, ty)
    }

    /// The position of a value whose parts are there; none where there are too many.
    pub(crate) fn value(&mut self, value: Value) -> Option<u32> {
        let is_full = self.made.tables.values.len() >= MOST;
        (!is_full).then(|| position(&mut self.values, &mut self.made.tables.values, value))
    }

    /// What is known before the evaluation of each file but the entry.
    fn drafts(
        &mut self,
        program: &Program,
        sources: &Sources,
        checked: &mut Checked,
        made: &[Made],
    ) -> Vec<(String, Draft)> {
        let variants = variants(program, made);
        let entry = program.modules.len().saturating_sub(1);
        let mut drafts = Vec::new();
        for (index, module) in program.modules.iter().enumerate().take(entry) {
            if module.std {
                continue;
            }
            let items = match &module.summary {
                Some(summary) => self.again(&program.tables, summary),
                None => self.items(program, checked, ModuleId(index as u32)),
            };
            if let Some(items) = items {
                let variants = variants[index].iter().map(|name| (*name).to_owned()).collect();
                let path = sources.get(module.source).path.to_string();
                drafts.push((path, Draft { variants, items }));
            }
        }
        drafts
    }

    /// The items of a module; none where one of them is no plain value.
    fn items(&mut self, program: &Program, checked: &mut Checked, id: ModuleId) -> Option<Vec<DraftItem>> {
        let module = program.module(id);
        let is_value = |kind: &ItemKind| matches!(kind, ItemKind::Value { .. } | ItemKind::Param { .. });
        if !module.items.iter().all(|item| is_value(&item.kind)) {
            return None;
        }
        let items = module.items.iter().enumerate().map(|(index, item)| {
            let at = ItemRef {
                module: id,
                item: index as u32,
            };
            Some(DraftItem {
                name: item.name.to_string(),
                ty: checked.summarise(at, self)?,
                global: Some(checked.global(at)?),
                known: None,
            })
        });
        items.collect()
    }

    /// The items of a module that is from a summary itself.
    fn again(&mut self, tables: &Tables, summary: &Summary) -> Option<Vec<DraftItem>> {
        let items = summary.items.iter().map(|Item(name, ty, value)| {
            Some(DraftItem {
                name: name.clone(),
                ty: self.ty_again(tables, *ty)?,
                global: None,
                known: value.and_then(|value| self.value_again(tables, value)),
            })
        });
        items.collect()
    }

    fn ty_again(&mut self, tables: &Tables, at: u32) -> Option<u32> {
        if let Some(known) = self.types_before.get(&at) {
            return Some(*known);
        }
        let mut ty = tables.types.get(at as usize)?.clone();
        for part in ty.parts_mut() {
            // Only what stands before it, so that this comes to an end.
            *part = (*part < at).then(|| self.ty_again(tables, *part))??;
        }
        let position = self.ty(ty);
        self.types_before.insert(at, position);
        Some(position)
    }

    fn value_again(&mut self, tables: &Tables, at: u32) -> Option<u32> {
        if let Some(known) = self.values_before.get(&at) {
            return Some(*known);
        }
        let mut value = tables.values.get(at as usize)?.clone();
        for part in value.parts_mut() {
            *part = (*part < at).then(|| self.value_again(tables, *part))??;
        }
        let position = self.value(value)?;
        self.values_before.insert(at, position);
        Some(position)
    }
}

fn position<T: Clone + Eq + std::hash::Hash>(
    known: &mut FxHashMap<T, u32>,
    table: &mut Vec<T>,
    new: T,
) -> u32 {
    if let Some(position) = known.get(&new) {
        return *position;
    }
    let position = table.len() as u32;
    table.push(new.clone());
    known.insert(new, position);
    position
}

impl Type {
    fn parts_mut(&mut self) -> Vec<&mut u32> {
        match self {
            Self::Unknown | Self::Shape(..) => Vec::new(),
            Self::Con(_, args) => args.iter_mut().collect(),
            Self::Record { fields, label, .. } => {
                let args = label.iter_mut().flat_map(|(_, args)| args);
                fields.iter_mut().map(|(_, ty)| ty).chain(args).collect()
            }
            Self::Optional(inner) => vec![inner],
        }
    }
}

impl Value {
    fn parts_mut(&mut self) -> Vec<&mut u32> {
        match self {
            Self::List(items, _) => items.iter_mut().collect(),
            Self::Record(fields) | Self::Map(fields) => fields.iter_mut().map(|(_, value)| value).collect(),
            _ => Vec::new(),
        }
    }
}

/// Of each module the variants of its own enums, and of those of all modules that it leads to.
fn variants<'p>(program: &'p Program, made: &[Made]) -> Vec<BTreeSet<&'p str>> {
    let mut all: Vec<BTreeSet<&str>> = Vec::with_capacity(program.modules.len());
    for (module, made) in program.modules.iter().zip(made) {
        let mut own: BTreeSet<&str> = module.variants().collect();
        for import in &made.imports {
            own.extend(all.get(import.0 as usize).into_iter().flatten());
        }
        all.push(own);
    }
    all
}
