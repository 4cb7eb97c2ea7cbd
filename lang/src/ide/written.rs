//! Where a value was written: from an expression, along the way to a part of what it comes to, through names, fields,
//! calls of the project's functions and settings. Needs a program whose names are resolved, and nothing more.

use crate::hir::{
    Arg, Element, Entry, Expr, ExprId, FnItem, ItemKind, ItemRef, LocalId, Module, ModuleId, Pat, Program,
};
use crate::source::Span;

/// Names, fields and calls that a value is followed through.
const MOST_STEPS: u32 = 64;

/// Where the part at `path` (labels, names of fields, positions) of the value that is written at `at` was written, as far
/// as it can be told without evaluating anything. Never in the library: what it makes is said to be written where it is
/// called.
pub fn written(program: &Program, at: Span, path: &[String]) -> Span {
    let Some(place) = find(program, at) else { return at };
    let mut search = Search {
        program,
        best: at,
        steps: 0,
    };
    let mut place = search.simple(place);
    for part in path {
        let Some(inner) = search.part(&place, part) else {
            break;
        };
        place = search.simple(inner);
    }
    search.best
}

/// The expression that is written at `at`.
fn find(program: &Program, at: Span) -> Option<Place> {
    let count = program.modules.len() + program.settings.len();
    let mut modules = (0..count as u32).map(ModuleId);
    let module = modules.find(|id| program.module(*id).source == at.source)?;
    let spans = &program.module(module).expr_spans;
    let expr = spans.iter().position(|span| *span == at)?;
    Some(Place {
        module,
        expr: ExprId(expr as u32),
        calls: Vec::new(),
    })
}

/// An expression, and the calls in the bodies of whose functions it stands, the innermost last.
#[derive(Clone)]
struct Place {
    module: ModuleId,
    expr: ExprId,
    calls: Vec<(ModuleId, ExprId)>,
}

struct Search<'p> {
    program: &'p Program,
    best: Span,
    steps: u32,
}

impl<'p> Search<'p> {
    fn module(&self, place: &Place) -> &'p Module {
        self.program.module(place.module)
    }

    fn expr(&self, place: &Place) -> &'p Expr {
        &self.module(place).exprs[place.expr.0 as usize]
    }

    fn span(&self, place: &Place) -> Span {
        self.module(place).expr_spans[place.expr.0 as usize]
    }

    /// The expression that `place` is the value of.
    fn simple(&mut self, mut place: Place) -> Place {
        loop {
            if !self.module(&place).std {
                self.best = self.span(&place);
            }
            self.steps += 1;
            let next = match self.steps < MOST_STEPS {
                true => self.next(&place),
                false => None,
            };
            match next {
                Some(next) => place = next,
                None => return place,
            }
        }
    }

    fn next(&mut self, place: &Place) -> Option<Place> {
        match self.expr(place) {
            Expr::Local(local) => self.local(place, *local),
            Expr::Item(item) => self.item(*item),
            Expr::Let { body, .. } => Some(place.at(*body)),
            Expr::Field { base, name, .. } => {
                let before = self.best;
                let base = self.simple(place.at(*base));
                let found = self.part(&base, name);
                if found.is_none() {
                    self.best = before;
                }
                found
            }
            Expr::Call { callee, .. } => {
                let (item, function) = self.function(place, *callee)?;
                let body = function.body?;
                if self.program.module(item.module).std {
                    return None;
                }
                let mut calls = place.calls.clone();
                calls.push((place.module, place.expr));
                Some(Place {
                    module: item.module,
                    expr: body,
                    calls,
                })
            }
            _ => None,
        }
    }

    /// What a value or a param stands for.
    fn item(&self, item: ItemRef) -> Option<Place> {
        let (module, expr) = match self.program.setting(item) {
            Some((id, module)) => (id, module.result.as_ref()?.expr),
            None => match &self.program.item(item).kind {
                ItemKind::Value { body, .. } => (item.module, body.expr),
                ItemKind::Param { default, .. } => (item.module, default.as_ref()?.expr),
                _ => return None,
            },
        };
        if self.program.module(module).std {
            return None;
        }
        Some(Place {
            module,
            expr,
            calls: Vec::new(),
        })
    }

    /// What a `let` or an argument gave to a local.
    fn local(&self, place: &Place, local: LocalId) -> Option<Place> {
        let (module, span) = (self.module(place), self.span(place));
        let bound = module.exprs.iter().zip(&module.expr_spans);
        let value = bound
            .filter(|(_, own)| own.start <= span.start && span.end <= own.end)
            .find_map(|(expr, _)| match expr {
                Expr::Let { pat, value, .. } => {
                    let binds = matches!(&module.pats[pat.0 as usize], Pat::Bind(own) if *own == local);
                    binds.then_some(*value)
                }
                _ => None,
            });
        if let Some(value) = value {
            return Some(place.at(value));
        }
        let mut calls = place.calls.clone();
        let (module, call) = calls.pop()?;
        let call = Place {
            module,
            expr: call,
            calls,
        };
        let Expr::Call { callee, args, .. } = self.expr(&call) else {
            return None;
        };
        let (_, function) = self.function(&call, *callee)?;
        let param = function.params.get(local.0 as usize)?;
        argument(function, args, &param.label).map(|value| call.at(value))
    }

    /// The function that a call is of, if it is called by its name.
    fn function(&self, place: &Place, callee: ExprId) -> Option<(ItemRef, &'p FnItem)> {
        let Expr::Item(item) = &self.module(place).exprs[callee.0 as usize] else {
            return None;
        };
        match &self.program.item(*item).kind {
            ItemKind::Fn(function) => Some((*item, function)),
            _ => None,
        }
    }

    /// The field, element or argument `name` of what is written at `place`.
    fn part(&mut self, place: &Place, name: &str) -> Option<Place> {
        match self.expr(place) {
            Expr::Record(entries) => {
                let own = entries.iter().find_map(|entry| match entry {
                    Entry::Field { name: own, value, .. } if own == name => Some(*value),
                    _ => None,
                });
                if let Some(value) = own {
                    return Some(place.at(value));
                }
                let spread = entries.iter().rev().find_map(|entry| match entry {
                    Entry::Spread(record) => Some(*record),
                    _ => None,
                })?;
                let before = self.best;
                let record = self.simple(place.at(spread));
                let found = self.part(&record, name);
                if found.is_none() {
                    self.best = before;
                }
                found
            }
            Expr::List(elements) => {
                let plain = elements.iter().all(|element| matches!(element, Element::Item(_)));
                match elements.get(name.parse::<usize>().ok().filter(|_| plain)?)? {
                    Element::Item(value) => Some(place.at(*value)),
                    Element::Spread(_) => None,
                }
            }
            Expr::Call { callee, args, .. } => {
                let (_, function) = self.function(place, *callee)?;
                argument(function, args, name).map(|value| place.at(value))
            }
            _ => None,
        }
    }
}

impl Place {
    fn at(&self, expr: ExprId) -> Self {
        Self { expr, ..self.clone() }
    }
}

/// What a call gives to the parameter `label`, where it is written.
fn argument(function: &FnItem, args: &[Arg], label: &str) -> Option<ExprId> {
    let labelled = args
        .iter()
        .find(|arg| matches!(&arg.label, Some((own, _)) if own == label));
    let positional = || {
        let place = function.params.iter().position(|param| param.label == label)?;
        let mut positional = args.iter().filter(|arg| arg.label.is_none() && !arg.spread);
        positional.nth(place)
    };
    labelled.or_else(positional).map(|arg| arg.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::{load, set};
    use crate::source::{ReadError, World};
    use std::sync::Arc;

    struct Files(&'static [(&'static str, &'static str)]);

    impl World for Files {
        fn read(&self, path: &str) -> Result<Arc<[u8]>, ReadError> {
            let found = self.0.iter().find(|(own, _)| *own == path);
            found
                .map(|(_, text)| text.as_bytes().into())
                .ok_or(ReadError::Outside)
        }
    }

    const FILES: Files = Files(&[
        (
            "pipeline.mlp",
            "import std.{loss, ml, nn, optim}\n\
             import ./settings.mlp as common\n\
             param lr: Float = 0.01\n\
             fn adam(rate: Float, decay: Float) = optim.adam(lr = rate, weight_decay = decay)\n\
             config = { rate: lr, ...common.rest }\n\
             one = [optim.sgd(lr)]\n\
             two = [adam(config.rate, decay = config.decay)]\n",
        ),
        ("settings.mlp", "rest = { decay: 0.5, other: 1 }\n"),
    ]);

    /// The text, and its file, at which the argument of the optimizer in `list` is found.
    fn found(list: &str, argument: &str, settings: &[(&str, &str)]) -> String {
        let mut loaded = load(&FILES, "pipeline.mlp");
        for (name, text) in settings {
            set(&mut loaded, &FILES, name, text);
        }
        let (source, text) = loaded
            .sources
            .iter()
            .find(|(_, source)| source.path == "pipeline.mlp")
            .map(|(id, source)| (id, source.text.clone()))
            .unwrap();
        let start = text.find(list).unwrap() + list.len();
        let end = start + text[start..].find(']').unwrap();
        let at = Span {
            source,
            start: start as u32,
            end: end as u32,
        };
        let span = written(&loaded.program, at, &[argument.to_owned()]);
        format!(
            "{}: {}",
            loaded.sources.get(span.source).path,
            loaded.sources.text(span)
        )
    }

    #[test]
    fn values_are_followed_to_where_a_person_wrote_them() {
        assert_eq!(found("one = [", "lr", &[]), "pipeline.mlp: 0.01");
        assert_eq!(found("two = [", "lr", &[]), "pipeline.mlp: 0.01");
        assert_eq!(found("two = [", "weight_decay", &[]), "settings.mlp: 0.5");
        assert_eq!(found("two = [", "lr", &[("lr", "0.3")]), "--set lr: 0.3");
        // What is left out is said where it could stand.
        assert_eq!(found("one = [", "momentum", &[]), "pipeline.mlp: optim.sgd(lr)");
    }
}
