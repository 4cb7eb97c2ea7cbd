//! Whether a flake.lock belongs to a flake.nix and pins all of it; each disagreement a diagnostic with both places and
//! the command that mends it. Talks to the language's diagnostics.

use super::follow::Walk;
use super::{Edge, FlakeLock, LockNode, json};
use crate::environment::codes;
use crate::environment::flake_nix::{Flake, FlakeInput, Target};
use crate::environment::flake_ref::FlakeRef;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::{Sources, Span};
use std::collections::BTreeMap;

const LOCK: &str = "write the lock anew: `mlp env lock`";

/// Mistakes of one lock that are told.
const MOST_TOLD: usize = 50;

/// What there is to say where a flake has no flake.lock beside it. Nothing, where it has no inputs: then there is nothing
/// to lock.
pub fn missing(flake: &Flake) -> Option<Diagnostic> {
    let (name, input) = flake.inputs.iter().next()?;
    let error = Diagnostic::error(codes::MISSING_LOCK, input.name, "this flake has no flake.lock");
    let error = error.at(format!("nothing says which content `{name}` stands for"));
    Some(error.help("write it with `mlp env lock`, and commit it: `git add flake.lock`"))
}

/// Everything that is wrong between a flake and its lock. Without an error among it, each input of the flake leads to a
/// node, and each node that is reached is pinned.
pub fn check(sources: &Sources, flake: &Flake, lock: &FlakeLock) -> Vec<Diagnostic> {
    let mut check = Check {
        sources,
        lock,
        diagnostics: Vec::new(),
    };
    check.edges();
    check.inputs(&lock.root, &flake.inputs, &[]);
    check.additional(flake);
    check.pinned(flake);
    // Nobody reads more, and each place has to be looked for.
    check.diagnostics.truncate(MOST_TOLD);
    check.diagnostics
}

struct Check<'a> {
    sources: &'a Sources,
    lock: &'a FlakeLock,
    diagnostics: Vec<Diagnostic>,
}

impl Check<'_> {
    fn place(&self, path: &[&str]) -> Span {
        let found = json::place(&self.sources.get(self.lock.source).text, path);
        let place = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Span {
            source: self.lock.source,
            start: place(found.start),
            end: place(found.end),
        }
    }

    fn edges(&mut self) {
        for (node, input, why) in self.lock.broken().into_iter().take(MOST_TOLD) {
            let span = self.place(&["nodes", node, "inputs", input]);
            let message = format!("input `{input}` of `{node}` leads nowhere in flake.lock");
            let error = Diagnostic::error(codes::BROKEN_FOLLOWS, span, message).at(why.to_string());
            self.diagnostics.push(
                error.help("mend the `follows` in flake.nix, then write the lock anew: `mlp env lock`"),
            );
        }
    }

    /// Inputs of the flake at the root, or overrides of the inputs of the node `node`.
    fn inputs(&mut self, node: &str, inputs: &BTreeMap<String, FlakeInput>, way: &[&str]) {
        let Some(locked) = self.lock.nodes.get(node) else {
            return;
        };
        for (name, input) in inputs {
            if self.diagnostics.len() >= MOST_TOLD {
                return;
            }
            let way = [way, &[name.as_str()]].concat();
            let shown = way.join("/");
            let Some(edge) = locked.inputs.get(name) else {
                self.absent(&shown, input, way.len() > 1);
                continue;
            };
            self.input(node, name, &shown, input, edge);
            if let (Edge::Node(next), false) = (edge, input.overrides.is_empty()) {
                self.inputs(next, &input.overrides, &way);
            }
        }
    }

    fn absent(&mut self, shown: &str, input: &FlakeInput, is_override: bool) {
        let diagnostic = if is_override {
            // As in Nix: what is overridden need not exist.
            let message = format!("`{shown}` is overridden, and there is no such input");
            Diagnostic::warning(codes::STALE_LOCK, input.name, message)
                .help("take the override away; or, if the input is new, write the lock anew: `mlp env lock`")
        } else {
            let message = format!("flake.lock does not know the input `{shown}`");
            Diagnostic::error(codes::STALE_LOCK, input.name, message)
                .at("this is not locked")
                .note("the lock is older than this input, or of another flake")
                .help(LOCK)
        };
        self.diagnostics.push(diagnostic);
    }

    fn input(&mut self, node: &str, name: &str, shown: &str, input: &FlakeInput, edge: &Edge) {
        let named = FlakeRef::named(name);
        let wanted = match &input.target {
            Target::Unknown => return,
            Target::Unsaid if node != self.lock.root => return,
            Target::Unsaid => Wanted::Reference(&named),
            Target::Reference(reference) => Wanted::Reference(reference),
            Target::Follows(way) => Wanted::Follows(way),
        };
        let stale = match (&wanted, edge) {
            (Wanted::Follows(way), Edge::Follows(locked)) => *way != locked,
            (Wanted::Follows(_), Edge::Node(_)) | (Wanted::Reference(_), Edge::Follows(_)) => true,
            (Wanted::Reference(reference), Edge::Node(target)) => match self.lock.nodes.get(target) {
                Some(LockNode {
                    original: Some(original),
                    ..
                }) => !reference.agrees(original),
                // The flake itself is no input that a reference could name; an edge to nowhere has been said.
                Some(_) => true,
                None => false,
            },
        };
        let place = match edge {
            Edge::Node(target) if self.lock.nodes.contains_key(target) => {
                self.place(&["nodes", target, "original"])
            }
            _ => self.place(&["nodes", node, "inputs", name]),
        };
        if stale {
            let message = format!("flake.lock was written for another `{shown}`");
            let error =
                Diagnostic::error(codes::STALE_LOCK, input.span, message).at(format!("this is {wanted}"));
            let error = error.label(place, format!("and this {}", self.described(edge)));
            self.diagnostics.push(error.help(LOCK));
            return;
        }
        if let Edge::Node(target) = edge
            && self
                .lock
                .nodes
                .get(target)
                .is_some_and(|target| target.flake != input.flake)
            && matches!(input.target, Target::Reference(_) | Target::Unsaid)
        {
            let what = |flake| {
                if flake {
                    "a flake"
                } else {
                    "a plain tree (`flake = false`)"
                }
            };
            let message = format!("flake.lock has locked `{shown}` as {}", what(!input.flake));
            let error = Diagnostic::error(codes::STALE_LOCK, input.name, message);
            let error = error
                .at(format!("this is {}", what(input.flake)))
                .label(place, "locked here");
            self.diagnostics
                .push(error.help(format!("lock it again: `mlp env update {shown}`")));
        }
    }

    fn described(&self, edge: &Edge) -> String {
        match edge {
            Edge::Follows(way) => Wanted::Follows(way).to_string(),
            Edge::Node(target) => match self
                .lock
                .nodes
                .get(target)
                .and_then(|node| node.original.as_ref())
            {
                Some(original) => format!("`{original}`"),
                None => "the flake itself".to_owned(),
            },
        }
    }

    /// Inputs that only the lock has.
    fn additional(&mut self, flake: &Flake) {
        let Some(root) = self.lock.nodes.get(&self.lock.root) else {
            return;
        };
        if !flake.complete {
            return;
        }
        for name in root
            .inputs
            .keys()
            .filter(|name| !flake.inputs.contains_key(*name))
            .take(MOST_TOLD)
        {
            let span = self.place(&["nodes", &self.lock.root, "inputs", name]);
            let message = format!("flake.lock has an input `{name}`, and flake.nix does not");
            self.diagnostics
                .push(Diagnostic::error(codes::STALE_LOCK, span, message).help(LOCK));
        }
    }

    /// Every node that is reached has the hash of its content, and can be had elsewhere.
    fn pinned(&mut self, flake: &Flake) {
        let mut walk = Walk::of(self.lock);
        let mut direct: BTreeMap<&str, (&String, &FlakeInput)> = BTreeMap::new();
        for (name, input) in &flake.inputs {
            if let Ok(target) = walk.target(&self.lock.root, name) {
                direct.entry(target).or_insert((name, input));
            }
        }
        for reached in self.lock.reachable() {
            if self.diagnostics.len() >= MOST_TOLD {
                return;
            }
            let Some(locked) = &reached.node.locked else {
                continue;
            };
            let name = reached.name;
            let direct = direct.get(name).copied();
            if locked.nar_hash.is_none() && !locked.reference.is_relative() {
                let message = format!("`{name}` is not pinned: the lock has no hash of its content");
                let error = Diagnostic::error(codes::UNLOCKED_INPUT, self.place(&["nodes", name]), message)
                    .at("no `narHash`");
                let error = match direct {
                    Some((_, input)) => error.label(input.span, "the input"),
                    None => error,
                };
                let error = error.note("a git tree with changes that are not committed is locked like that");
                let again = match direct {
                    Some((input, _)) => format!("lock it again: `mlp env update {input}`"),
                    // An input of an input has no name of its own here.
                    None => "lock all of it again: `mlp env update`".to_owned(),
                };
                self.diagnostics.push(error.help(again));
            }
            if locked.reference.is_machine_local() {
                let (span, place) = match direct {
                    Some((_, input)) => (input.span, Some(self.place(&["nodes", name]))),
                    None => (self.place(&["nodes", name]), None),
                };
                let message = format!("only this machine has `{name}`");
                let warning = Diagnostic::warning(codes::MACHINE_LOCAL_INPUT, span, message);
                let warning = warning.at(format!("`{}`", locked.reference));
                let warning = match place {
                    Some(place) => warning.label(place, "locked here"),
                    None => warning,
                };
                self.diagnostics.push(
                    warning.help("move it into this flake (`path:./…`), or to a place that others can reach"),
                );
            }
        }
    }
}

/// What flake.nix says an input is.
enum Wanted<'a> {
    Reference(&'a FlakeRef),
    Follows(&'a [String]),
}

impl std::fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Reference(reference) => write!(f, "`{reference}`"),
            Self::Follows([]) => write!(f, "the flake itself"),
            Self::Follows(way) => write!(f, "whatever `{}` is", way.join("/")),
        }
    }
}
