//! The thread that finds what is wrong in whole projects, evaluation included, while requests are answered.
//!
//! *Invariants*: at most one check runs; the newest demand replaces those that wait; what was found of a state that is
//! no longer the newest is thrown away, so that no stale mistake is shown.

use super::answers::Answers;
use super::capabilities::Client;
use super::overlay::{Buffers, Overlay};
use crate::engine::{PIPELINE, not_yet};
use lsp_types::{Diagnostic, Uri};
use mlp_lang::ide::Analysis;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// Calls and rounds of loops that a check may take: as many as `mlp check` allows.
const STEPS: u64 = 200_000_000;
/// The language's limits are measured against 8 MiB.
const STACK: usize = 16 << 20;

/// The mistakes of each file, by the text of its address.
type Found = BTreeMap<String, (Uri, Vec<Diagnostic>)>;

/// The analyses of the last check, by root and file.
type Analyses = BTreeMap<(PathBuf, String), Analysis>;

struct Demand {
    number: u64,
    projects: BTreeMap<PathBuf, Buffers>,
}

/// The thread, as the server sees it.
pub(super) struct Checker {
    newest: Arc<AtomicU64>,
    demands: Sender<Demand>,
}

impl Checker {
    /// Starts the thread; `publish` is told of the mistakes of each file that has, or no longer has, some.
    pub(super) fn start(
        client: Client,
        publish: impl Fn(Uri, Vec<Diagnostic>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let newest = Arc::new(AtomicU64::new(0));
        let (demands, received) = channel();
        let watched = newest.clone();
        std::thread::Builder::new()
            .name("diagnostics".to_owned())
            .stack_size(STACK)
            .spawn(move || run(&received, &watched, client, &publish))?;
        Ok(Self { newest, demands })
    }

    /// The projects look like this now.
    pub(super) fn demand(&self, projects: BTreeMap<PathBuf, Buffers>) {
        let number = self.newest.fetch_add(1, Ordering::Relaxed) + 1;
        // Where the thread is gone nothing is published; requests are answered all the same.
        drop(self.demands.send(Demand { number, projects }));
    }
}

impl Drop for Checker {
    /// What still runs is for nobody. It is not waited for: a check may take long.
    fn drop(&mut self) {
        self.newest.store(u64::MAX, Ordering::Relaxed);
    }
}

fn run(
    received: &Receiver<Demand>,
    newest: &AtomicU64,
    client: Client,
    publish: &impl Fn(Uri, Vec<Diagnostic>),
) {
    let mut shown = Found::new();
    let mut known = Analyses::new();
    while let Ok(mut demand) = received.recv() {
        while let Ok(later) = received.try_recv() {
            demand = later;
        }
        let current = || newest.load(Ordering::Relaxed) == demand.number;
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            check(&demand.projects, client, &current, &mut known)
        }));
        match found {
            Ok(Some(found)) => show(&mut shown, found, publish),
            Ok(None) => {}
            // A check that failed said so on stderr; the next keystroke starts another, from nothing.
            Err(_) => known.clear(),
        }
    }
}

fn show(shown: &mut Found, found: Found, publish: &impl Fn(Uri, Vec<Diagnostic>)) {
    for (address, (uri, diagnostics)) in &found {
        if shown.get(address).is_none_or(|(_, known)| known != diagnostics) {
            publish(uri.clone(), diagnostics.clone());
        }
    }
    for (address, (uri, _)) in &*shown {
        if !found.contains_key(address) {
            publish(uri.clone(), Vec::new());
        }
    }
    *shown = found;
}

/// What evaluating all of a program finds wrong, and what of it cannot be built yet: what `mlp check` says besides.
pub(super) fn evaluated(analysis: &Analysis, steps: u64) -> Vec<mlp_lang::diagnostic::Diagnostic> {
    let Some(outcome) = analysis.evaluated(steps) else {
        return Vec::new();
    };
    let not_yet = not_yet(&outcome);
    outcome.diagnostics.into_iter().chain(not_yet).collect()
}

/// What is wrong in all projects; none where something newer is asked. Goes on from what is `known`.
fn check(
    projects: &BTreeMap<PathBuf, Buffers>,
    client: Client,
    current: &dyn Fn() -> bool,
    known: &mut Analyses,
) -> Option<Found> {
    let mut found = Found::new();
    let mut done = BTreeSet::new();
    for (root, buffers) in projects {
        let mut covered = Vec::new();
        let pipeline = buffers.contains_key(PIPELINE) || root.join(PIPELINE).exists();
        let first = pipeline.then(|| PIPELINE.to_owned());
        for entry in first.into_iter().chain(buffers.keys().cloned()) {
            // A file that another imports was checked with it.
            if covered.contains(&entry) || !entry.ends_with(".mlp") {
                continue;
            }
            if !current() {
                return None;
            }
            let (place, world) = ((root.clone(), entry), Overlay::new(root, buffers.clone()));
            let analysis = match known.remove(&place) {
                Some(before) => before.again(&world, &place.1),
                None => Analysis::new(&world, &place.1),
            };
            done.insert(place.clone());
            let analysis = &*known.entry(place).or_insert(analysis);
            if !current() {
                return None;
            }
            let evaluated = evaluated(analysis, STEPS);
            let mut answers = Answers::new(analysis, root, client);
            for diagnostic in analysis.diagnostics().chain(&evaluated) {
                if let Some(uri) = answers.uri(diagnostic.span().source) {
                    let known = found.entry(uri.as_str().to_owned()).or_insert((uri, Vec::new()));
                    let (_, known) = known;
                    for shown in answers.at_each_place(diagnostic) {
                        if !known.contains(&shown) {
                            known.push(shown);
                        }
                    }
                }
            }
            covered.extend(
                analysis
                    .sources()
                    .iter()
                    .map(|(_, source)| source.path.to_string()),
            );
        }
    }
    known.retain(|place, _| done.contains(place));
    current().then_some(found)
}
