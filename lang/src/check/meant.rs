//! Calls that mean another one: arguments in Python's order, layers that are piped, a list for a function of two. Asked
//! before a call is checked, so that one mistake gives one message.

use super::Checker;
use super::signatures::FnSig;
use crate::diagnostic::Diagnostic;
use crate::hir::{Arg, Element, Expr, ExprId, Name};
use crate::source::Span;
use crate::types::{Con, Ty, TypeKind};

impl Checker<'_> {
    /// Reports a call that plainly means another one; true if it did.
    pub(super) fn means_another_call(
        &mut self,
        sig: &FnSig,
        callee: ExprId,
        args: &[Arg],
        id: ExprId,
    ) -> bool {
        let Some(first) = args
            .first()
            .filter(|first| first.label.is_none() && !first.spread)
        else {
            return false;
        };
        let value = self.expr(first.value);
        let error = match value {
            // What is piped stands before the function.
            _ if self.span(first.value).start < self.span(callee).start => {
                self.is_layer_of_none(sig).then(|| self.piped_layers(id))
            }
            Expr::Lambda { .. } => self.function_first(sig, args),
            Expr::List(_) | Expr::For { .. } if args.len() == 1 => self.of_a_list(sig, first.value),
            _ => None,
        };
        error.map(|error| self.report(error)).is_some()
    }

    /// Whether a function of the library gives a layer, and takes none.
    fn is_layer_of_none(&mut self, sig: &FnSig) -> bool {
        let is_layer = |checker: &mut Self, ty: Ty| match checker.types.kind(ty) {
            TypeKind::Con(Con::Layer, _) => true,
            TypeKind::Con(Con::List, args) => {
                matches!(checker.types.kind(args[0]), TypeKind::Con(Con::Layer, _))
            }
            _ => false,
        };
        self.program.module(sig.item.module).std
            && is_layer(self, sig.ret)
            && !sig.params.iter().any(|param| is_layer(self, param.ty))
    }

    /// `nn.flatten |> nn.linear(10)`.
    fn piped_layers(&self, id: ExprId) -> Diagnostic {
        let span = self.span(id);
        let text = self.source_text(id);
        let list = format!("nn.sequential([{}])", text.replace(" |> ", ", "));
        let error = Diagnostic::error(
            "E0122",
            span,
            "layers are not piped: they stand in a list, in their order",
        );
        if text == "…" || text.contains('\n') {
            return error.help("write `nn.sequential([first, second])`");
        }
        error
            .help(format!("write `{list}`"))
            .mend("write `nn.sequential([…])`", span, list)
    }

    /// `map(x => x * 2, xs)`: Python's order.
    fn function_first(&mut self, sig: &FnSig, args: &[Arg]) -> Option<Diagnostic> {
        let [first, second] = args else { return None };
        let plain = |arg: &Arg| arg.label.is_none() && !arg.spread;
        let [xs, f] = sig.params.as_slice() else {
            return None;
        };
        let list = matches!(self.types.kind(xs.ty), TypeKind::Con(Con::List, _));
        let function = matches!(self.types.kind(f.ty), TypeKind::Fn(..));
        let is_lambda = |expr: ExprId| matches!(self.expr(expr), Expr::Lambda { .. });
        if !list || !function || !plain(first) || !plain(second) {
            return None;
        }
        if !is_lambda(first.value) || is_lambda(second.value) {
            return None;
        }
        let (start, end) = (self.span(first.value), self.span(second.value));
        let (lambda, values) = (self.source_text(first.value), self.source_text(second.value));
        let error = Diagnostic::error("E0210", start, format!("`{}` takes the list first", sig.name));
        let whole = Span {
            end: end.end,
            ..start
        };
        let better = format!("{values}, {lambda}");
        Some(
            error
                .help(format!("write `{}({better})`", sig.name))
                .mend("swap the arguments", whole, better),
        )
    }

    /// `max([1, 2])`.
    fn of_a_list(&self, sig: &FnSig, list: ExprId) -> Option<Diagnostic> {
        let std = self.program.module(sig.item.module).std;
        if !std || !matches!(sig.name.as_str(), "min" | "max") {
            return None;
        }
        let text = self.source_text(list);
        let error = Diagnostic::error(
            "E0208",
            self.span(list),
            format!("`{}` takes two values", sig.name),
        );
        Some(
            error
                .at("this is one list")
                .help(format!("write `{}_of({text})`", sig.name)),
        )
    }

    /// What to do about an argument that another library's function has, or that belongs to a value given to this one, as
    /// `lr` to the optimizer.
    pub(super) fn argument_elsewhere(&mut self, sig: &FnSig, label: &Name) -> Option<String> {
        if !self.program.module(sig.item.module).std {
            return None;
        }
        if let Some(help) = crate::habits::argument(&sig.name, label) {
            return Some(help.to_owned());
        }
        let resources = ["cpus", "memory", "disk", "gpus", "time"];
        let own = crate::suggest::parameter(label, resources.into_iter());
        let own = resources.into_iter().find(|resource| label == resource).or(own);
        if let (Some(own), true) = (own, sig.params.iter().any(|param| param.label == "resources")) {
            return Some(format!("write `resources = {{ {own}: … }}`"));
        }
        let optimizer = sig
            .params
            .iter()
            .find(|param| matches!(self.types.kind(param.ty), TypeKind::Con(Con::Optimizer, _)))?;
        matches!(
            label.as_str(),
            "lr" | "learning_rate" | "weight_decay" | "momentum" | "betas" | "eps"
        )
        .then(|| {
            let own = if label == "learning_rate" {
                "lr"
            } else {
                label.as_str()
            };
            let function = if own == "momentum" { "sgd" } else { "adam" };
            format!(
                "the optimizer takes it: `{} = optim.{function}({own} = …)`",
                optimizer.label
            )
        })
    }

    /// `nn.relu(x)` in a traced function.
    pub(super) fn report_tensor_given(&mut self, sig: &FnSig, text: &str, span: Span) {
        let own = sig.name.rsplit('.').next().unwrap_or_default();
        let error = Diagnostic::error("E0210", span, format!("`{}` takes no tensor", sig.name));
        self.report(error.help(match operation_on_tensors(own) {
            Some(operation) => {
                format!("in a traced function write `tensor.{operation}({text})`, of `import std.tensor`")
            }
            None => {
                "operations on tensors are functions of `std.tensor`; `mlp doc tensor` lists them".to_owned()
            }
        }));
    }

    /// Looks for mistakes within an argument of which nobody knows what it is for; what only its parameter would have told
    /// is not asked.
    pub(super) fn synth_in_vain(&mut self, value: ExprId) {
        match self.expr(value) {
            Expr::Lambda { params, .. } => {
                let inputs = vec![Ty::ERROR; params.len()];
                let wanted = self.types.function(&inputs, Ty::ERROR);
                self.check_expr(value, wanted, super::Why::Plain);
            }
            Expr::List(elements) => {
                for element in elements.clone() {
                    let (Element::Item(inner) | Element::Spread(inner)) = element;
                    self.synth_in_vain(inner);
                }
            }
            _ => {
                self.synth(value);
            }
        }
    }
}

/// The operation on tensors that is called like a function of another module.
pub(super) fn operation_on_tensors(own: &str) -> Option<&str> {
    let operation = match own {
        "max" => "maximum",
        "min" => "minimum",
        own => own,
    };
    let library = crate::library::Library::standard().text("tensor")?;
    library
        .contains(&format!("\nfn {operation}("))
        .then_some(operation)
}
