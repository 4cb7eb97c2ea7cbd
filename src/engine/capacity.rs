//! What this machine can give to steps, and steps of a plan that ask for more than it ever can.

use super::workspace::Instance;
use crate::model::budget::{Budget, Lack};
use crate::model::graph::Step;
use crate::plan::Plan;
use mlp_lang::diagnostic::Diagnostic;
use mlp_lang::source::{Sources as Texts, Span};
use mlp_sandbox::memory_bound;
use std::collections::BTreeMap;
use std::fs;

/// The memory of this machine, of which steps that say what they need are started together as far as it goes.
const MEMINFO: &str = "/proc/meminfo";

/// What this machine gives to `jobs` steps at once, with `memory` bytes, or as many as there are. More jobs than
/// processors are the user's word that they can share.
pub fn capacity(jobs: usize, memory: Option<u64>) -> Budget {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Budget {
        jobs: jobs.max(1),
        cpus: u32::try_from(processors.max(jobs)).unwrap_or(u32::MAX),
        memory: memory.or_else(memory_here),
        gpus: gpus(),
    }
}

/// All memory of the machine, or what a container lets this process use of it.
fn memory_here() -> Option<u64> {
    let text = fs::read_to_string(MEMINFO).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let all = kibibytes.saturating_mul(1024);
    Some(memory_bound().map_or(all, |bound| bound.min(all)))
}

/// The numbers of NVIDIA's GPUs that have a device: `/dev/nvidia0`.
pub(super) fn gpus() -> Vec<u32> {
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut numbers: Vec<u32> = names
        .filter_map(|name| name.strip_prefix("nvidia")?.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers
}

/// The steps of `plan` that could never be started within `budget`: an error for each place that asks for too much.
pub fn too_large(instance: &Instance, plan: &Plan, budget: &Budget, texts: &Texts) -> Vec<Diagnostic> {
    let mut found: BTreeMap<Span, (Lack, &Step, usize)> = BTreeMap::new();
    for id in plan.todo() {
        let step = instance.graph.step(id);
        let Some(lack) = budget.lacks(budget.need(step)) else {
            continue;
        };
        let span = place(step, &lack, texts);
        found.entry(span).or_insert((lack, step, 0)).2 += 1;
    }
    let errors = found.into_iter();
    errors
        .map(|(span, (lack, step, count))| error(span, &lack, step, count))
        .collect()
}

/// The field of `resources` that asks for too much, as far as it is written in the call.
fn place(step: &Step, lack: &Lack, texts: &Texts) -> Span {
    let Some(span) = step.origin.arguments.get("resources").copied() else {
        return step.origin.span;
    };
    let text = texts.text(span);
    let field = format!("{}:", lack.field);
    let Some(start) = text.find(&field) else {
        return span;
    };
    let rest = &text[start..];
    let length = rest.find([',', '}', '\n']).unwrap_or(rest.len());
    let length = rest[..length].trim_end().len();
    Span {
        start: span.start + start as u32,
        end: span.start + (start + length) as u32,
        ..span
    }
}

fn error(span: Span, lack: &Lack, step: &Step, count: usize) -> Diagnostic {
    let others = match count {
        1 => String::new(),
        2 => " (and one other step)".to_owned(),
        count => format!(" (and {} other steps)", count - 1),
    };
    let message = format!(
        "`{}`{others} asks for {}, and {}",
        step.name(),
        lack.asked,
        lack.there
    );
    let help = match lack.field {
        "gpus" => {
            "build it on a machine with so many GPUs, or leave `gpus` out: it is in no key, and changes no result"
        }
        "cpus" => {
            "ask for fewer: `cpus` says what the step keeps busy, and changes no result; `--jobs N` with a larger N lets steps \
             share processors"
        }
        _ => {
            "ask for less: `memory` is what the step may hold, and changes no result; `--memory SIZE` says that steps may use \
             another amount together"
        }
    };
    Diagnostic::error("E0517", span, message)
        .at("more than there is")
        .help(help)
}
