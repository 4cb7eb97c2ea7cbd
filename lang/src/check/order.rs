//! The order of checking: the strongly connected components of the references between items, each after those that it
//! refers to. Nothing here recurses: a chain of a hundred thousand bindings is ordinary.

use crate::hir::{
    Body, Clause, Element, Entry, Expr, ExprId, Item, ItemKind, ItemRef, Module, ModuleId, Pat, PatId,
    Program, StrPart, TypeExpr, TypeId, Yield,
};

/// A reference from an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) item: ItemRef,
    /// Inside a lambda: followed only when it is called.
    pub(super) lazy: bool,
}

/// Items that refer to one another, in the order of the program.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) items: Vec<ItemRef>,
    /// Whether there is a cycle (a single item may refer to itself).
    pub(super) cyclic: bool,
}

/// The components of a module, dependencies first. Other modules never refer back to it: imports make no circle.
pub(super) fn components(program: &Program, id: ModuleId) -> Vec<Component> {
    let module = program.module(id);
    let edges = module
        .items
        .iter()
        .map(|item| inside(id, &references(module, item)));
    of_edges(id, &edges.collect::<Vec<_>>())
}

/// The components of a module of whose items the references inside of it are known.
pub(super) fn of_edges(id: ModuleId, edges: &[Vec<u32>]) -> Vec<Component> {
    let item = |node: &u32| ItemRef {
        module: id,
        item: *node,
    };
    connected(edges)
        .into_iter()
        .map(|nodes| Component {
            cyclic: nodes.len() > 1 || edges[nodes[0] as usize].contains(&nodes[0]),
            items: nodes.iter().map(item).collect(),
        })
        .collect()
}

/// The items of the module itself, each once.
fn inside(id: ModuleId, references: &[Reference]) -> Vec<u32> {
    let own = references.iter().filter(|reference| reference.item.module == id);
    let mut to: Vec<u32> = own.map(|reference| reference.item.item).collect();
    to.sort_unstable();
    to.dedup();
    to
}

/// What of a program has to be checked for it to be built.
pub(super) struct Needed {
    /// By module and item.
    pub(super) items: Vec<Vec<bool>>,
    /// By module and item, where it is needed: its references inside of the module.
    pub(super) edges: Vec<Vec<Vec<u32>>>,
}

/// All items of a person's files, and of the library what these, and the values that are given to their params, lead to.
pub(super) fn needed(program: &Program) -> Needed {
    let of_each = |module: &Module| vec![Vec::new(); module.items.len()];
    let mut needed = Needed {
        items: Vec::new(),
        edges: program.modules.iter().map(of_each).collect(),
    };
    let mut queue: Vec<ItemRef> = Vec::new();
    for (index, module) in program.modules.iter().enumerate() {
        needed.items.push(vec![!module.std; module.items.len()]);
        if !module.std {
            let id = ModuleId(index as u32);
            queue.extend((0..module.items.len() as u32).map(|item| ItemRef { module: id, item }));
        }
    }
    let files = program.modules.iter().filter(|module| !module.std);
    let given = program.settings.iter().map(|setting| &setting.module);
    for module in files.chain(given) {
        if let Some(result) = &module.result {
            let mut walk = Walk::new(module);
            walk.body(result);
            walk.run();
            needed.reach(&walk.found, &mut queue);
        }
    }
    while let Some(item) = queue.pop() {
        let found = references(program.module(item.module), program.item(item));
        needed.edges[item.module.0 as usize][item.item as usize] = inside(item.module, &found);
        needed.reach(&found, &mut queue);
    }
    needed
}

impl Needed {
    /// Notes what was not known to be needed, also in `queue`.
    fn reach(&mut self, found: &[Reference], queue: &mut Vec<ItemRef>) {
        for Reference { item, .. } in found {
            let items = self.items.get_mut(item.module.0 as usize);
            let known = items.and_then(|items| items.get_mut(item.item as usize));
            if let Some(known) = known.filter(|known| !**known) {
                *known = true;
                queue.push(*item);
            }
        }
    }
}

/// Tarjan's algorithm with its own stack. Components come out after all that they point to; each is sorted.
pub(super) fn connected(edges: &[Vec<u32>]) -> Vec<Vec<u32>> {
    const NEW: u32 = u32::MAX;
    let mut order = vec![NEW; edges.len()];
    let mut low = vec![0_u32; edges.len()];
    let mut open = vec![false; edges.len()];
    let (mut stack, mut made, mut next) = (Vec::new(), Vec::new(), 0);
    for root in 0..edges.len() as u32 {
        if order[root as usize] != NEW {
            continue;
        }
        let mut path: Vec<(u32, usize)> = vec![(root, 0)];
        while let Some((node, edge)) = path.last_mut() {
            let at = *node as usize;
            if *edge == 0 && order[at] == NEW {
                order[at] = next;
                low[at] = next;
                next += 1;
                open[at] = true;
                stack.push(*node);
            }
            if let Some(to) = edges[at].get(*edge) {
                *edge += 1;
                if order[*to as usize] == NEW {
                    path.push((*to, 0));
                } else if open[*to as usize] {
                    low[at] = low[at].min(order[*to as usize]);
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                low[*parent as usize] = low[*parent as usize].min(low[at]);
            }
            if low[at] == order[at] {
                made.push(close(&mut stack, &mut open, at as u32));
            }
        }
    }
    made
}

fn close(stack: &mut Vec<u32>, open: &mut [bool], root: u32) -> Vec<u32> {
    let mut component = Vec::new();
    while let Some(node) = stack.pop() {
        open[node as usize] = false;
        component.push(node);
        if node == root {
            break;
        }
    }
    component.sort_unstable();
    component
}

/// All references of an item, in no particular order.
pub(super) fn references(module: &Module, item: &Item) -> Vec<Reference> {
    let mut walk = Walk::new(module);
    match &item.kind {
        ItemKind::Value { ty, body } => {
            walk.types.extend(ty.map(|ty| (ty, false)));
            walk.body(body);
        }
        ItemKind::Param { ty, default } => {
            walk.types.extend(ty.map(|ty| (ty, false)));
            default.iter().for_each(|body| walk.body(body));
        }
        ItemKind::Fn(function) => {
            for param in &function.params {
                walk.types.push((param.ty, true));
                walk.exprs.extend(param.default.map(|expr| (expr, true)));
            }
            walk.types.extend(function.ret.map(|ty| (ty, true)));
            walk.exprs.extend(function.body.map(|expr| (expr, true)));
        }
        ItemKind::Type { ty, .. } => walk.types.push((*ty, true)),
        ItemKind::Enum { variants, .. } => {
            for field in variants.iter().flat_map(|variant| &variant.fields) {
                walk.types.push((field.ty, true));
                field.default.iter().for_each(|body| walk.body(body));
            }
        }
    }
    walk.run();
    walk.found
}

/// The locals below `limit` that an expression reads, each once.
pub(super) fn locals_read(module: &Module, expr: ExprId, limit: u32) -> Vec<u32> {
    let mut walk = Walk::new(module);
    walk.exprs.push((expr, false));
    walk.run();
    walk.locals.retain(|local| *local < limit);
    walk.locals.sort_unstable();
    walk.locals.dedup();
    walk.locals
}

struct Walk<'m> {
    module: &'m Module,
    exprs: Vec<(ExprId, bool)>,
    types: Vec<(TypeId, bool)>,
    pats: Vec<PatId>,
    found: Vec<Reference>,
    locals: Vec<u32>,
}

impl<'m> Walk<'m> {
    fn new(module: &'m Module) -> Self {
        Self {
            module,
            exprs: Vec::new(),
            types: Vec::new(),
            pats: Vec::new(),
            found: Vec::new(),
            locals: Vec::new(),
        }
    }

    fn body(&mut self, body: &Body) {
        self.exprs.push((body.expr, false));
    }

    fn run(&mut self) {
        loop {
            if let Some((expr, lazy)) = self.exprs.pop() {
                self.expr(&self.module.exprs[expr.0 as usize], lazy);
            } else if let Some((ty, lazy)) = self.types.pop() {
                self.written(&self.module.types[ty.0 as usize], lazy);
            } else if let Some(pat) = self.pats.pop() {
                self.pat(&self.module.pats[pat.0 as usize]);
            } else {
                return;
            }
        }
    }

    fn item(&mut self, item: ItemRef, lazy: bool) {
        self.found.push(Reference { item, lazy });
    }

    fn parts(&mut self, parts: &[StrPart], lazy: bool) {
        for part in parts {
            if let StrPart::Interpolation(expr) = part {
                self.exprs.push((*expr, lazy));
            }
        }
    }

    fn expr(&mut self, expr: &'m Expr, lazy: bool) {
        let mut add = |id: ExprId| self.exprs.push((id, lazy));
        match expr {
            Expr::Error
            | Expr::Null
            | Expr::Bool(_)
            | Expr::Int(_)
            | Expr::Float(_)
            | Expr::Duration(_)
            | Expr::Bytes(_) => {}
            Expr::Str(parts) | Expr::Path(parts) => self.parts(parts, lazy),
            Expr::Local(local) => self.locals.push(local.0),
            Expr::Item(item) => self.item(*item, lazy),
            Expr::Variant { of, .. } => of.iter().for_each(|item| self.item(*item, lazy)),
            Expr::Constructor { targs, .. } => self.types.extend(targs.iter().map(|ty| (*ty, lazy))),
            Expr::Field { base, .. } => add(*base),
            Expr::Index { base, index } => [*base, *index].into_iter().for_each(add),
            Expr::Call { callee, targs, args } => {
                add(*callee);
                args.iter().for_each(|arg| add(arg.value));
                self.types.extend(targs.iter().map(|ty| (*ty, lazy)));
            }
            Expr::Neg(operand) | Expr::Not(operand) => add(*operand),
            Expr::Binary { left, right, .. } => [*left, *right].into_iter().for_each(add),
            Expr::If {
                condition,
                then,
                otherwise,
            } => [*condition, *then, *otherwise].into_iter().for_each(add),
            Expr::Match { scrutinee, arms } => {
                add(*scrutinee);
                for arm in arms {
                    arm.guard.into_iter().for_each(&mut add);
                    add(arm.body);
                }
                self.pats
                    .extend(arms.iter().flat_map(|arm| arm.pats.iter().copied()));
            }
            Expr::Let { ty, value, body, .. } => {
                [*value, *body].into_iter().for_each(add);
                self.types.extend(ty.map(|ty| (ty, lazy)));
            }
            Expr::Lambda { params, body } => {
                self.exprs.push((*body, true));
                self.types
                    .extend(params.iter().filter_map(|(_, ty)| ty.map(|ty| (ty, true))));
            }
            Expr::List(elements) => elements.iter().for_each(|element| match element {
                Element::Item(id) | Element::Spread(id) => add(*id),
            }),
            Expr::Record(entries) => entries.iter().for_each(|entry| match entry {
                Entry::Field { value, .. } | Entry::Spread(value) => add(*value),
                Entry::Computed { key, value } => [*key, *value].into_iter().for_each(&mut add),
            }),
            Expr::For { yields, clauses } => {
                match yields {
                    Yield::Element(id) => add(*id),
                    Yield::Entry(key, value) => [*key, *value].into_iter().for_each(&mut add),
                }
                for clause in clauses {
                    match clause {
                        Clause::For { source, .. } => add(*source),
                        Clause::If(condition) => add(*condition),
                    }
                }
            }
            Expr::ImportData { ty, .. } => self.types.push((*ty, lazy)),
        }
    }

    fn written(&mut self, ty: &'m TypeExpr, lazy: bool) {
        match ty {
            TypeExpr::Error | TypeExpr::Param(_) => {}
            TypeExpr::Builtin { args, .. } => {
                self.types.extend(args.iter().map(|arg| (*arg, lazy)));
            }
            TypeExpr::Item { item, args } => {
                self.item(*item, lazy);
                self.types.extend(args.iter().map(|arg| (*arg, lazy)));
            }
            TypeExpr::Optional(inner) => self.types.push((*inner, lazy)),
            TypeExpr::Fn { params, ret } => {
                self.types.extend(params.iter().map(|param| (*param, lazy)));
                self.types.push((*ret, lazy));
            }
            TypeExpr::Typeof(expr) => self.exprs.push((*expr, lazy)),
            TypeExpr::Record { fields, .. } => {
                for field in fields {
                    self.types.push((field.ty, lazy));
                    self.exprs
                        .extend(field.default.iter().map(|body| (body.expr, true)));
                }
            }
        }
    }

    fn pat(&mut self, pat: &'m Pat) {
        match pat {
            Pat::Error
            | Pat::Wildcard
            | Pat::Bind(_)
            | Pat::Null
            | Pat::Bool(_)
            | Pat::Int(_)
            | Pat::Str(_) => {}
            Pat::Record { fields, .. } => self.pats.extend(fields.iter().map(|(_, _, pat)| *pat)),
            Pat::Variant { of, args, .. } => {
                of.iter().for_each(|item| self.item(*item, true));
                self.pats.extend(args.iter().map(|(_, pat)| *pat));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::connected;

    #[test]
    fn components_come_after_what_they_point_to() {
        let edges = [vec![1], vec![2, 3], vec![1], vec![]];
        assert_eq!(connected(&edges), [vec![3], vec![1, 2], vec![0]]);
    }

    #[test]
    fn a_long_chain_does_not_recurse() {
        let edges: Vec<Vec<u32>> = (0..200_000_u32)
            .map(|n| if n == 0 { vec![] } else { vec![n - 1] })
            .collect();
        assert_eq!(connected(&edges).len(), 200_000);
    }
}
