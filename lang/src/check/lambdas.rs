//! Lambdas: functions with captures, whose parameters are of the type that is expected where none is written.

use super::{Checker, Typed, Why};
use crate::core::{FunctionCode, Node};
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, LocalId, Name, TypeId};
use crate::source::Span;
use crate::types::{Ty, TypeKind};

impl Checker<'_> {
    /// A lambda; its parameters are of the wanted function type where they are not written.
    pub(super) fn lambda(
        &mut self,
        params: &[(LocalId, Option<TypeId>)],
        body: ExprId,
        wanted: Option<(Ty, Why)>,
        span: Span,
    ) -> Typed {
        let (inputs, output) = match wanted.map(|(ty, why)| (self.types.kind(ty), why)) {
            Some((TypeKind::Fn(inputs, output), why)) if inputs.len() == params.len() => {
                (Some(inputs), Some((output, why)))
            }
            Some((TypeKind::Fn(inputs, _), _)) => {
                self.report_lambda_arity(params, inputs.len(), span);
                return self.error_node(span);
            }
            _ => (None, None),
        };
        let names = params.iter().map(|(local, _)| self.local_name(*local)).collect();
        let function = self.new_function(Name::new("λ"), names, span);
        self.open_frame(Some(function));
        let mut tys = Vec::with_capacity(params.len());
        for (index, (local, written)) in params.iter().enumerate() {
            let expected = inputs.as_ref().map(|inputs| inputs[index]);
            let ty = match (written, expected) {
                (Some(written), _) => {
                    let outer = std::mem::replace(&mut self.cx.open_records, true);
                    let ty = self.written(*written);
                    self.cx.open_records = outer;
                    ty
                }
                (None, Some(expected)) => expected,
                (None, None) => self.types.meta(),
            };
            self.bind_slot(*local);
            self.set_local(*local, ty);
            tys.push(ty);
        }
        let found = match output {
            Some((output, _)) if !self.is_open(output) => {
                let node = self.check_expr(body, output, Why::Plain);
                Typed { node, ty: output }
            }
            _ => self.synth(body),
        };
        let (mut code, captures) = self.close_frame(found.node);
        super::last_use::mark(&mut code, &self.core.functions);
        let made = &mut self.core.functions[function.0 as usize];
        made.code = FunctionCode::Body(code);
        made.captures = captures;
        let node = self.emit(Node::Closure(function), span);
        let ty = self.types.function(&tys, found.ty);
        Typed { node, ty }
    }

    fn report_lambda_arity(&mut self, params: &[(LocalId, Option<TypeId>)], wanted: usize, span: Span) {
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let head = match wanted {
            0 => "() => …".to_owned(),
            1 => "x => …".to_owned(),
            n => format!("({}) => …", ["a", "b", "c", "d", "e", "f"][..n.min(6)].join(", ")),
        };
        let error = Diagnostic::error(
            "E0201",
            span,
            format!(
                "a function of {wanted} parameter{} is expected, this one has {}",
                plural(wanted),
                params.len()
            ),
        );
        self.report(error.help(format!("write `{head}`")));
    }
}
