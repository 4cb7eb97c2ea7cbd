//! flake.nix, as far as it can be read without running Nix: what it is, and its inputs. Nix itself demands that inputs
//! are written out, so that what cannot be read here is an error there too. Talks to the language's sources and
//! diagnostics.

mod files;
mod tree;

pub use files::{Reads, reads};

use super::codes;
use super::flake_ref::{Attribute, FlakeRef};
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::{SourceId, Sources, Span};
use std::collections::BTreeMap;
use std::ops::Range;
use tree::{Set, Value, ValueKind};

/// What a flake.nix says.
#[derive(Clone, Debug)]
pub struct Flake {
    /// Its source.
    pub source: SourceId,
    /// Its description.
    pub description: Option<String>,
    /// Its inputs by name, with those that only the parameters of `outputs` name.
    pub inputs: BTreeMap<String, FlakeInput>,
    /// Whether these are all of its inputs: nothing that was written could not be read.
    pub complete: bool,
}

/// An input, or an override of an input's input.
#[derive(Clone, Debug)]
pub struct FlakeInput {
    /// Where its name stands.
    pub name: Span,
    /// What it is.
    pub target: Target,
    /// Where that is written; the name, where it is not.
    pub span: Span,
    /// Whether it is a flake; otherwise it is a plain tree.
    pub flake: bool,
    /// Its own inputs that are given here, by name.
    pub overrides: BTreeMap<String, FlakeInput>,
}

/// What an input is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A reference.
    Reference(FlakeRef),
    /// Another input, by the way to it from this flake; the empty way is this flake itself.
    Follows(Vec<String>),
    /// Nothing is said: a registry is asked for the input's name; an override leaves it as it is.
    Unsaid,
    /// It could not be read; a diagnostic says why.
    Unknown,
}

/// Reads the flake.nix that is `source`. There is no flake where the text is not Nix or not a flake; where a single input
/// cannot be read, the others still stand.
pub fn read(sources: &Sources, source: SourceId) -> (Option<Flake>, Vec<Diagnostic>) {
    let mut reader = Reader {
        source,
        diagnostics: Vec::new(),
    };
    let flake = reader.flake(&sources.get(source).text);
    (flake, reader.diagnostics)
}

struct Reader {
    source: SourceId,
    diagnostics: Vec<Diagnostic>,
}

impl Reader {
    fn span(&self, range: &Range<usize>) -> Span {
        let place = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Span {
            source: self.source,
            start: place(range.start),
            end: place(range.end),
        }
    }

    fn error(&self, code: &'static str, range: &Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, self.span(range), message)
    }

    fn flake(&mut self, text: &str) -> Option<Flake> {
        let value = match tree::read(text) {
            Ok(value) => value,
            Err(errors) => {
                // Errors after the first tend to follow from it.
                let first = errors.first()?;
                let error = self.error(
                    codes::FLAKE_SYNTAX,
                    &first.range,
                    "this flake.nix cannot be read as Nix",
                );
                self.diagnostics.push(error.at(first.why.clone()));
                return None;
            }
        };
        let ValueKind::Set(top) = value.kind else {
            let error = self.error(
                codes::NOT_A_FLAKE,
                &(value.range.start..value.range.start),
                "a flake is an attribute set",
            );
            let help = "write `{ inputs = …; outputs = …; }` without `let`, `with` or a function around it, as Nix demands";
            self.diagnostics.push(error.help(help));
            return None;
        };
        self.oddities(&top, "a flake's attribute");
        if !top.attributes.contains_key("outputs") && top.computed.is_empty() {
            let error = self.error(
                codes::NOT_A_FLAKE,
                &(value.range.start..value.range.start),
                "this flake has no `outputs`",
            );
            self.diagnostics
                .push(error.help("add `outputs = { self, … }: { devShells.x86_64-linux.default = …; };`"));
            return None;
        }
        let description = top
            .attributes
            .get("description")
            .and_then(|(_, value)| match &value.kind {
                ValueKind::Text(text) => Some(text.clone()),
                _ => None,
            });
        let mut inputs = match top.attributes.get("inputs") {
            Some((_, value)) => self.inputs(value),
            None => BTreeMap::new(),
        };
        if let Some((
            _,
            Value {
                kind: ValueKind::Function(parameters),
                ..
            },
        )) = top.attributes.get("outputs")
        {
            self.implied(parameters, &mut inputs);
        }
        let complete = !self.diagnostics.iter().any(|d| d.code == codes::COMPUTED_INPUT);
        Some(Flake {
            source: self.source,
            description,
            inputs,
            complete,
        })
    }

    /// Inputs that only the parameters of `outputs` name.
    fn implied(&self, parameters: &[(String, Range<usize>)], inputs: &mut BTreeMap<String, FlakeInput>) {
        for (name, range) in parameters.iter().filter(|(name, _)| name != "self") {
            let span = self.span(range);
            let input = FlakeInput {
                name: span,
                target: Target::Unsaid,
                span,
                flake: true,
                overrides: BTreeMap::new(),
            };
            inputs.entry(name.clone()).or_insert(input);
        }
    }

    /// Says what is computed or said twice in a set.
    fn oddities(&mut self, set: &Set, what: &str) {
        for range in &set.computed {
            self.computed(range, &format!("the name of {what} is computed"));
        }
        for (name, range) in &set.twice {
            let error = self.error(codes::FLAKE_SYNTAX, range, format!("`{name}` is defined twice"));
            let error = match set.attributes.get(name) {
                Some((first, _)) => error.at("again here").label(self.span(first), "first here"),
                None => error,
            };
            self.diagnostics.push(error);
        }
    }

    fn computed(&mut self, range: &Range<usize>, message: &str) {
        let error = self
            .error(codes::COMPUTED_INPUT, range, message)
            .at("only an evaluation could say what this is");
        let help = "write inputs as plain sets and strings: Nix demands it too, since it locks them before it evaluates";
        self.diagnostics.push(error.help(help));
    }

    fn inputs(&mut self, value: &Value) -> BTreeMap<String, FlakeInput> {
        let ValueKind::Set(set) = &value.kind else {
            self.computed(&value.range, "the inputs are computed");
            return BTreeMap::new();
        };
        self.oddities(set, "an input");
        let inputs = set.attributes.iter();
        inputs
            .map(|(name, (place, value))| (name.clone(), self.input(name, place, value)))
            .collect()
    }

    fn input(&mut self, name: &str, place: &Range<usize>, value: &Value) -> FlakeInput {
        let name_span = self.span(place);
        let mut input = FlakeInput {
            name: name_span,
            target: Target::Unknown,
            span: name_span,
            flake: true,
            overrides: BTreeMap::new(),
        };
        let ValueKind::Set(set) = &value.kind else {
            input.span = self.span(&value.range);
            match &value.kind {
                ValueKind::Text(_) | ValueKind::Path(_) => {
                    let error = self.error(
                        codes::NOT_A_FLAKE,
                        &value.range,
                        format!("input `{name}` is not a set"),
                    );
                    let place = self.span(&(place.end..place.end));
                    self.diagnostics
                        .push(error.mend(format!("write `{name}.url = …`"), place, ".url"));
                }
                _ => self.computed(&value.range, &format!("input `{name}` is computed")),
            }
            return input;
        };
        self.oddities(set, &format!("an attribute of input `{name}`"));
        if let Some((_, nested)) = set.attributes.get("inputs") {
            input.overrides = self.inputs(nested);
        }
        if let Some((_, flake)) = set.attributes.get("flake") {
            match flake.kind {
                ValueKind::Bool(flake) => input.flake = flake,
                _ => self.computed(&flake.range, &format!("whether `{name}` is a flake is computed")),
            }
        }
        if !set.computed.is_empty() {
            return input;
        }
        let (span, target) = match set.attributes.get("follows") {
            Some((_, value)) => (Some(value.range.clone()), self.follows(name, value)),
            None => self.reference(name, place, set),
        };
        input.span = span.map_or(name_span, |range| self.span(&range));
        input.target = target;
        input
    }

    fn follows(&mut self, name: &str, value: &Value) -> Target {
        let ValueKind::Text(way) = &value.kind else {
            self.computed(&value.range, &format!("what `{name}` follows is computed"));
            return Target::Unknown;
        };
        Target::Follows(
            way.split('/')
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    /// The reference of an input: a URL, or attributes with a `type`.
    fn reference(&mut self, name: &str, place: &Range<usize>, set: &Set) -> (Option<Range<usize>>, Target) {
        let mut attributes = BTreeMap::new();
        let mut whole: Option<Range<usize>> = None;
        for (key, (_, value)) in &set.attributes {
            if matches!(key.as_str(), "flake" | "inputs") {
                continue;
            }
            let attribute = match &value.kind {
                ValueKind::Text(text) => Attribute::Text(text.clone()),
                ValueKind::Path(path) => Attribute::Text(path.clone()),
                ValueKind::Int(number) => Attribute::Int(*number),
                ValueKind::Bool(truth) => Attribute::Bool(*truth),
                ValueKind::Set(_) | ValueKind::Function(_) | ValueKind::Unknown => {
                    self.computed(&value.range, &format!("`{key}` of input `{name}` is computed"));
                    return (Some(value.range.clone()), Target::Unknown);
                }
            };
            whole = Some(match whole {
                Some(old) => old.start.min(value.range.start)..old.end.max(value.range.end),
                None => value.range.clone(),
            });
            attributes.insert(key.clone(), attribute);
        }
        let Some(range) = whole else {
            return (None, Target::Unsaid);
        };
        let reference = match attributes.get("url") {
            _ if attributes.contains_key("type") => FlakeRef::from_attributes(&attributes),
            Some(Attribute::Text(url)) if attributes.len() == 1 => FlakeRef::parse(url),
            _ => {
                let odd = attributes
                    .keys()
                    .find(|key| *key != "url")
                    .map_or("url", String::as_str);
                let message =
                    format!("input `{name}` has `{odd}`, and no `type` that would give it a meaning");
                let error = self.error(codes::INVALID_REFERENCE, place, message);
                self.diagnostics.push(
                    error.help("write `url = \"…\"` alone, or `type` with the attributes of that type"),
                );
                return (Some(range), Target::Unknown);
            }
        };
        match reference {
            Ok(reference) => (Some(range), Target::Reference(reference)),
            Err(why) => {
                let error = self.error(
                    codes::INVALID_REFERENCE,
                    &range,
                    format!("input `{name}` has no valid reference"),
                );
                let help =
                    "such as `github:NixOS/nixpkgs/nixos-24.05`, `git+https://…?ref=main`, `path:./tools`";
                self.diagnostics.push(error.at(why.to_string()).help(help));
                (Some(range), Target::Unknown)
            }
        }
    }
}

#[cfg(test)]
mod tests;
