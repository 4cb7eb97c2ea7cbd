//! The store, and the file system below it.

use super::{Finding, Opened, shown};
use crate::base::size::Size;
use crate::engine::error::EngineError;
use crate::engine::workspace::store_root;
use crate::store::{Feature, Medium, Store};
use std::io;

/// Less is told: one training's states may be as large.
const LITTLE: u64 = 2 << 30;

/// Opens the store.
pub(super) fn open() -> Opened {
    let opened = store_root().and_then(|root| Ok(Store::open(&root)?));
    opened.map_err(|error: EngineError| {
        let finding = Finding::broken("store", error.to_string());
        Box::new(match error.help() {
            Some(help) => finding.help(help),
            None => finding,
        })
    })
}

/// What is to be said of it.
pub(super) fn examine(store: &Opened) -> Vec<Finding> {
    let store = match store {
        Ok(store) => store,
        Err(finding) => return vec![Finding::clone(finding)],
    };
    let medium = match store.medium() {
        Ok(medium) => medium,
        Err(error) => {
            let finding = Finding::broken("store", error.to_string());
            return vec![match error.help() {
                Some(help) => finding.help(help),
                None => finding.help("set MLP_STORE to a folder that this user may write"),
            }];
        }
    };
    let place = shown(store.root());
    let mut found: Vec<Finding> = vec![kind(&medium, &place), space(&medium)];
    found.extend(medium.refused.iter().map(refused));
    found
}

fn kind(medium: &Medium, place: &str) -> Finding {
    let on = medium.kind.map_or("a file system that is not known", |kind| kind);
    if medium.network {
        let says = format!("{place} is on {on}, which machines share");
        Finding::limited("store", says).help(
            "that works, and every file is dearer: a store on a disk of this machine is faster (MLP_STORE)",
        )
    } else if medium.kind == Some("tmpfs") {
        Finding::limited(
            "store",
            format!("{place} is in memory, and gone when the machine is restarted"),
        )
        .help("set MLP_STORE to a folder on a disk")
    } else {
        Finding::good("store", format!("{place}, on {on}"))
    }
}

fn space(medium: &Medium) -> Finding {
    let says = format!("{} are free", Size(medium.free));
    match medium.free < LITTLE {
        true => Finding::limited("space", says)
            .help("make room on the disk of the store, or set MLP_STORE to another"),
        false => Finding::good("space", says),
    }
}

fn refused((feature, error): &(Feature, io::Error)) -> Finding {
    let words = |what: &str| format!("{what} where the store is: {error}");
    match feature {
        Feature::Sync => Finding::broken("file system", words("files cannot be made durable")),
        Feature::Rename => Finding::broken("file system", words("files cannot be renamed")),
        Feature::HardLink => Finding::broken("file system", words("a file cannot have two names")),
        Feature::Execute => Finding::limited("file system", words("programs cannot be run")),
    }
    .help("set MLP_STORE to a folder of a disk of this machine: ext4, xfs, btrfs")
}
