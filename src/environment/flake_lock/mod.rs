//! flake.lock, schema version 7: nodes, what they were asked as, what they were locked to, and which are whose inputs.
//! Talks to the language's sources and diagnostics.

mod agree;
mod follow;
mod json;

pub use agree::{check, missing};
pub use follow::{Broken, Reached};

use super::codes;
use super::flake_ref::{Attribute, FlakeRef};
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::{SourceId, Sources, Span};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The version that is read: every Nix since 2.4 writes it.
const VERSION: u64 = 7;

/// A lock as it is written: its edges may still lead nowhere, see [`FlakeLock::target`].
#[derive(Clone, Debug)]
pub struct FlakeLock {
    /// Its source.
    pub source: SourceId,
    /// The name of the node that is the flake itself.
    pub root: String,
    /// Nodes by name. The root is among them.
    pub nodes: BTreeMap<String, LockNode>,
}

/// A node of a lock.
#[derive(Clone, Debug)]
pub struct LockNode {
    /// Its inputs by name.
    pub inputs: BTreeMap<String, Edge>,
    /// What was asked for; nothing at the root.
    pub original: Option<FlakeRef>,
    /// What that was locked to; nothing at the root.
    pub locked: Option<Locked>,
    /// Whether it is a flake; otherwise it is a plain tree.
    pub flake: bool,
}

/// What an input of a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The node of this name.
    Node(String),
    /// The input at the end of this way from the root; the empty way is the root.
    Follows(Vec<String>),
}

/// What a reference was locked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// The exact reference.
    pub reference: FlakeRef,
    /// The hash of the tree: `sha256-…`.
    pub nar_hash: Option<String>,
}

/// Bytes above which a text is taken for no lock. Large ones of real flakes have a few hundred kilobytes.
const LARGEST: usize = 8 << 20;

/// Reads the flake.lock that is `source`.
pub fn read(sources: &Sources, source: SourceId) -> Result<FlakeLock, Box<Diagnostic>> {
    let text = &sources.get(source).text;
    let reader = Reader { source, text };
    if text.len() > LARGEST {
        return reader.error(
            &[],
            format!("this flake.lock has more than {} MiB", LARGEST >> 20),
        );
    }
    let value: Value = serde_json::from_str(text).map_err(|error| Box::new(reader.no_json(&error)))?;
    reader.lock(&value)
}

struct Reader<'a> {
    source: SourceId,
    text: &'a str,
}

type Read<T> = Result<T, Box<Diagnostic>>;

const AGAIN: &str =
    "flake.lock is written by Nix: restore it from version control, or write it anew: `mlp env lock`";

impl Reader<'_> {
    fn span(&self, path: &[&str]) -> Span {
        let place = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        let found = json::place(self.text, path);
        Span {
            source: self.source,
            start: place(found.start),
            end: place(found.end),
        }
    }

    fn error<T>(&self, path: &[&str], message: impl Into<String>) -> Read<T> {
        Err(Box::new(
            Diagnostic::error(codes::INVALID_LOCK, self.span(path), message).help(AGAIN),
        ))
    }

    fn no_json(&self, error: &serde_json::Error) -> Diagnostic {
        let before: usize = self
            .text
            .split_inclusive('\n')
            .take(error.line().saturating_sub(1))
            .map(str::len)
            .sum();
        let mut at = (before + error.column().saturating_sub(1)).min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let span = Span {
            source: self.source,
            start: at,
            end: at,
        };
        let conflict = self.text.lines().any(|line| line.starts_with("<<<<<<< "));
        let why = if conflict {
            "a merge conflict is left in it".to_owned()
        } else {
            error.to_string()
        };
        Diagnostic::error(codes::INVALID_LOCK, span, "this flake.lock is not JSON")
            .at(why)
            .help(AGAIN)
    }

    fn lock(&self, value: &Value) -> Read<FlakeLock> {
        let Value::Object(top) = value else {
            return self.error(&[], "a lock is a JSON object");
        };
        match top.get("version").map(Value::as_u64) {
            Some(Some(VERSION)) => {}
            Some(Some(version)) => {
                let message =
                    format!("flake.lock has version {version}, and version {VERSION} is what is understood");
                let error = Diagnostic::error(codes::LOCK_VERSION, self.span(&["version"]), message);
                return Err(Box::new(
                    error.help("write it anew: `mlp env lock`, with Nix 2.4 or later"),
                ));
            }
            _ => return self.error(&["version"], "`version` is missing, or not a number"),
        }
        let Some(Value::String(root)) = top.get("root") else {
            return self.error(&["root"], "`root` is missing, or not the name of a node");
        };
        let Some(Value::Object(nodes)) = top.get("nodes") else {
            return self.error(&["nodes"], "`nodes` is missing, or not an object");
        };
        if !nodes.contains_key(root) {
            return self.error(&["root"], format!("the root, `{root}`, is not among the nodes"));
        }
        let nodes = nodes
            .iter()
            .map(|(name, node)| Ok((name.clone(), self.node(name, node, name == root)?)));
        Ok(FlakeLock {
            source: self.source,
            root: root.clone(),
            nodes: nodes.collect::<Read<_>>()?,
        })
    }

    fn node(&self, name: &str, node: &Value, root: bool) -> Read<LockNode> {
        let path = ["nodes", name];
        let Value::Object(node) = node else {
            return self.error(&path, format!("node `{name}` is not an object"));
        };
        let inputs = match node.get("inputs") {
            None => BTreeMap::new(),
            Some(Value::Object(inputs)) => {
                let inputs = inputs
                    .iter()
                    .map(|(input, edge)| Ok((input.clone(), self.edge(name, input, edge)?)));
                inputs.collect::<Read<_>>()?
            }
            Some(_) => {
                return self.error(
                    &["nodes", name, "inputs"],
                    format!("the inputs of `{name}` are not an object"),
                );
            }
        };
        let flake = match node.get("flake") {
            None => true,
            Some(Value::Bool(flake)) => *flake,
            Some(_) => {
                return self.error(
                    &["nodes", name, "flake"],
                    format!("`flake` of `{name}` is not true or false"),
                );
            }
        };
        let reference = |key: &str| -> Read<Option<(FlakeRef, Option<String>)>> {
            match node.get(key) {
                None => Ok(None),
                Some(Value::Object(attributes)) => self.reference(name, key, attributes).map(Some),
                Some(_) => self.error(
                    &["nodes", name, key],
                    format!("`{key}` of `{name}` is not an object"),
                ),
            }
        };
        let (original, locked) = (reference("original")?, reference("locked")?);
        if !root && (original.is_none() || locked.is_none()) {
            let key = if original.is_none() { "original" } else { "locked" };
            return self.error(&path, format!("node `{name}` has no `{key}`"));
        }
        Ok(LockNode {
            inputs,
            original: original.map(|(reference, _)| reference),
            locked: locked.map(|(reference, nar_hash)| Locked { reference, nar_hash }),
            flake,
        })
    }

    fn edge(&self, node: &str, input: &str, edge: &Value) -> Read<Edge> {
        let way = |parts: &Vec<Value>| {
            parts
                .iter()
                .map(|part| part.as_str().map(str::to_owned))
                .collect()
        };
        match edge {
            Value::String(name) => return Ok(Edge::Node(name.clone())),
            Value::Array(parts) => {
                if let Some(way) = way(parts) {
                    return Ok(Edge::Follows(way));
                }
            }
            _ => {}
        }
        let message = format!("input `{input}` of `{node}` is neither a node's name nor a list of names");
        self.error(&["nodes", node, "inputs", input], message)
    }

    fn reference(
        &self,
        node: &str,
        key: &str,
        attributes: &Map<String, Value>,
    ) -> Read<(FlakeRef, Option<String>)> {
        let mut read = BTreeMap::new();
        for (name, value) in attributes {
            let attribute = match value {
                Value::String(text) => Some(Attribute::Text(text.clone())),
                Value::Bool(truth) => Some(Attribute::Bool(*truth)),
                // Nix writes its attributes as strings, whole numbers and truth values; newer ones add lists of keys.
                Value::Number(number) => number.as_u64().map(Attribute::Int),
                Value::Array(_) => Some(Attribute::Text(value.to_string())),
                Value::Null | Value::Object(_) => None,
            };
            let Some(attribute) = attribute else {
                let path = ["nodes", node, key, name];
                return self.error(
                    &path,
                    format!("`{name}` of `{node}` is no attribute of a reference"),
                );
            };
            read.insert(name.clone(), attribute);
        }
        let nar_hash = match read.get("narHash") {
            None => None,
            Some(Attribute::Text(hash)) if is_nar_hash(hash) => Some(hash.clone()),
            Some(_) => {
                let path = ["nodes", node, key, "narHash"];
                return self.error(
                    &path,
                    format!("`narHash` of `{node}` is not `sha256-` with 44 letters of base 64"),
                );
            }
        };
        match FlakeRef::from_attributes(&read) {
            Ok(reference) => Ok((reference, nar_hash)),
            Err(why) => self.error(
                &["nodes", node, key],
                format!("`{key}` of `{node}` is no reference: {why}"),
            ),
        }
    }
}

/// Whether it is a SHA-256 as Nix writes one in a lock.
fn is_nar_hash(text: &str) -> bool {
    let Some(digits) = text
        .strip_prefix("sha256-")
        .and_then(|digits| digits.strip_suffix('='))
    else {
        return false;
    };
    digits.len() == 43
        && digits
            .bytes()
            .all(|digit| digit.is_ascii_alphanumeric() || b"+/".contains(&digit))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wild_tests;
