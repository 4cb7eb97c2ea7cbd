//! Addresses at which content is to be had whose digest is in the key: they are in none. Of a `fetch` they are arguments of
//! the call, and are taken out of it here.

use crate::model::graph::Step;
use mlp_lang::spec::{Builder, Datum, DerivationSpec};
use std::collections::BTreeMap;

/// The builtin that has addresses.
const FETCH: &str = "fetch";
/// Its arguments that are addresses.
const ADDRESSES: [&str; 2] = ["url", "mirrors"];

/// Addresses, with where each stands in their order.
type Locators = BTreeMap<String, String>;

/// The addresses of a spec.
pub(super) fn of(spec: &DerivationSpec) -> Locators {
    let (true, Datum::Map(args)) = (is_fetch(spec), &spec.args) else {
        return Locators::new();
    };
    let mut found = Vec::new();
    for label in ADDRESSES {
        match args.get(label) {
            Some(Datum::Str(url)) => found.push(url.to_string()),
            Some(Datum::List(urls)) => found.extend(urls.iter().filter_map(|url| match url {
                Datum::Str(url) => Some(url.to_string()),
                _ => None,
            })),
            _ => {}
        }
    }
    let mut locators = Locators::new();
    for (position, url) in found.into_iter().enumerate() {
        locators.entry(url).or_insert(order(position));
    }
    locators
}

/// Takes the addresses out of the arguments of `builtin`.
pub(super) fn take_out(builtin: &str, args: &mut Datum) {
    if let (FETCH, Datum::Map(args)) = (builtin, args) {
        for label in ADDRESSES {
            args.remove(label);
        }
    }
}

/// Adds the addresses of a step that is the same, behind its own.
pub(super) fn join(known: &mut Locators, more: Locators) {
    for (locator, value) in more {
        known.entry(locator).or_insert(value);
    }
}

/// The addresses of a `fetch`, in the order in which they are to be asked.
pub fn addresses(step: &Step) -> Vec<String> {
    let mut found: Vec<(&String, &String)> = step.locators.iter().map(|(url, at)| (at, url)).collect();
    found.sort();
    found.into_iter().map(|(_, url)| url.clone()).collect()
}

fn is_fetch(spec: &DerivationSpec) -> bool {
    matches!(&spec.builder, Builder::Builtin(name) if name == FETCH)
}

/// A position as a text that sorts as it does.
fn order(position: usize) -> String {
    format!("{position:08}")
}
