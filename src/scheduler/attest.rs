//! How a realisation came about: what is kept of a build besides its outputs.

use super::Build;
use crate::base::digest::Digest;
use crate::model::build::BuildOutcome;
use crate::model::record::Attestation;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

/// The attestation of a build of `step`, whose inputs' steps have the resolved keys `read`.
pub(super) fn attestation(
    build: &Build<'_>,
    step: &str,
    resolved_key: Digest,
    read: &[Digest],
    started: u64,
    outcome: &BuildOutcome,
    observed: BTreeMap<String, Value>,
) -> Attestation {
    let milliseconds =
        |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let inputs = read
        .iter()
        .filter_map(|key| build.store.attested(*key).ok().flatten())
        .map(|known| known.effective);
    Attestation {
        resolved_key,
        isolation: outcome.isolation,
        effective: inputs
            .chain([outcome.isolation])
            .min()
            .unwrap_or(outcome.isolation),
        run: build.run.to_owned(),
        step: step.to_owned(),
        started,
        wall_ms: milliseconds(outcome.wall),
        cpu_ms: outcome.cpu.map(milliseconds),
        peak_memory: outcome.peak_memory,
        machine: machine().to_owned(),
        observed,
        differs: None,
    }
}

/// The processor's name and the kernel's version.
fn machine() -> &'static str {
    static MACHINE: OnceLock<String> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let name = processor
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let name = name.map_or(std::env::consts::ARCH, |(_, name)| name.trim());
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        format!("{name}, Linux {}", kernel.trim())
    })
}
