//! The layers of a network that is typed at a prompt.

use super::{BOUNDS, Entered, Session, Tried, is_wrong};
use crate::diagnostic::Diagnostic;
use crate::eval::{Demand, Render, Request, layers_within};
use crate::shapes::LayerRow;
use crate::source::{SourceId, Span, World};
use crate::spec::InputSource;
use crate::syntax::{SyntaxKind as K, parse};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Session {
    /// The layers of a model, of a training, or of a layer that is fed a shape: `fit.model`, `cnn(32), [1, 28, 28]`.
    /// None where something was said.
    pub fn layers(&mut self, world: &dyn World, text: &str) -> (Entered, Option<Arc<Vec<LayerRow>>>) {
        self.count += 1;
        let (network, shape) = split(text);
        let mut tried = self.tried(world, &self.path(), network);
        if is_wrong(&tried.diagnostics) {
            return (tried.into_entered(Vec::new(), None), None);
        }
        let mut ty = tried.checked.types.result(tried.entry()).unwrap_or_default();
        if ty.ends_with("-> Layer") {
            // As where a layer is expected: `nn.relu` is `nn.relu()`.
            tried = self.tried(world, &self.path(), &format!("{}()", network.trim_end()));
            ty = tried.checked.types.result(tried.entry()).unwrap_or_default();
            if is_wrong(&tried.diagnostics) {
                return (tried.into_entered(Vec::new(), None), None);
            }
        }
        let is_layer = ty == "Layer";
        let rows = match shape {
            None if is_layer => {
                tried.refuse(
                    "E0315",
                    "a layer alone has no shape yet",
                    "give it the shape of an example behind a comma: `:shape cnn(32), [1, 28, 28]`",
                );
                None
            }
            None => tried.trained(&ty),
            Some(shape) if is_layer => self
                .sizes(world, shape, &mut tried)
                .and_then(|sizes| tried.fed(&sizes)),
            Some(_) => {
                tried.refuse(
                    "E0201",
                    &format!("this is a `{ty}`, and only a layer is fed a shape"),
                    "leave the shape out",
                );
                None
            }
        };
        (tried.into_entered(Vec::new(), None), rows)
    }

    /// The numbers of a list. What is wrong with them becomes what is wrong with `tried`.
    fn sizes(&self, world: &dyn World, text: &str, tried: &mut Tried) -> Option<Vec<i64>> {
        let mut list = self.tried(world, &self.path(), text);
        let mut outcome = list.evaluate(&Demand::Result, Render::Text);
        list.told(&mut outcome);
        let numbers = outcome.values.first().and_then(|value| {
            let inner = value.text.strip_prefix('[')?.strip_suffix(']')?;
            let parts = inner.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>()
        });
        if numbers.as_ref().is_some_and(|sizes| !sizes.is_empty()) {
            return numbers;
        }
        *tried = list;
        if tried.diagnostics.is_empty() {
            tried.refuse(
                "E0201",
                "a shape is a list of whole numbers",
                "write the sizes of one example, without the batch: `[1, 28, 28]`",
            );
        }
        None
    }
}

impl Tried {
    fn refuse(&mut self, code: &'static str, message: &str, help: &str) {
        let text = &self.loaded.sources.get(SourceId(self.first)).text;
        let span = Span {
            source: SourceId(self.first),
            start: 0,
            end: text.trim_end().len() as u32,
        };
        self.diagnostics
            .push(Diagnostic::error(code, span, message).help(help));
    }

    /// The layers of the one network that was trained for the value.
    fn trained(&mut self, ty: &str) -> Option<Arc<Vec<LayerRow>>> {
        let mut outcome = self.evaluate(&Demand::Result, Render::Nothing);
        self.told(&mut outcome);
        if outcome.values.is_empty() {
            self.told_again();
            return None;
        }
        let sources = outcome.evaluation.targets.iter().map(|target| &target.source);
        let specs: BTreeSet<_> = sources
            .filter_map(|source| match source {
                InputSource::Output { spec, .. } => Some(*spec),
                _ => None,
            })
            .collect();
        let mut networks = specs.iter().filter_map(|spec| outcome.layers.remove(spec));
        match (networks.next(), networks.next()) {
            (Some(rows), None) => return Some(rows),
            (Some(_), Some(_)) => self.refuse("E0201", "several networks are in this", "name one of them"),
            (None, _) => self.refuse(
                "E0201",
                &format!("this is a `{ty}`, and no network"),
                "a layer, a model or what `ml.train` gives has shapes",
            ),
        }
        None
    }

    /// The layers, fed examples of a shape.
    fn fed(&mut self, sizes: &[i64]) -> Option<Arc<Vec<LayerRow>>> {
        let request = Request {
            core: &self.checked.core,
            sources: &self.loaded.sources,
            demand: &Demand::Result,
            render: Render::Nothing,
        };
        let module = self.loaded.program.module(self.entry());
        let span = module
            .result
            .as_ref()
            .map(|body| module.expr_spans[body.expr.0 as usize])?;
        match layers_within(request, BOUNDS, sizes, span) {
            Ok(rows) => Some(rows),
            Err(found) => {
                self.diagnostics.extend(found);
                self.told_again();
                None
            }
        }
    }
}

/// The network, and the shape behind the last comma that stands in no bracket.
fn split(text: &str) -> (&str, Option<&str>) {
    let parsed = parse(SourceId(0), Arc::from(text));
    let mut depth = 0usize;
    let mut comma = None;
    for token in parsed.tree.tokens() {
        match token.kind() {
            K::LParen | K::LBracket | K::LBrace => depth += 1,
            K::RParen | K::RBracket | K::RBrace => depth = depth.saturating_sub(1),
            K::Comma if depth == 0 => comma = Some(token.span().start as usize),
            _ => {}
        }
    }
    match comma {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}
