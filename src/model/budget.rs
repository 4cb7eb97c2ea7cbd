//! What of the machine the steps of a run may use together, and what one of them asks for. In no key.

use super::graph::Step;
use crate::base::size::Size;

/// What steps may use together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Steps at once, at least 1.
    pub jobs: usize,
    /// Processors.
    pub cpus: u32,
    /// Bytes of memory; none is no bound, where nobody knows how much there is.
    pub memory: Option<u64>,
    /// Numbers of the GPUs that steps may be given.
    pub gpus: Vec<u32>,
}

/// What a step holds of a budget while it is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Processors.
    pub cpus: u32,
    /// Bytes of memory: those that it says it needs. Of a step that says nothing nobody knows.
    pub memory: u64,
    /// GPUs.
    pub gpus: usize,
}

/// What a step asks for and no build of the budget can ever give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// The field of `resources`.
    pub field: &'static str,
    /// What is asked for.
    pub asked: String,
    /// What there is, as a clause.
    pub there: String,
}

impl Budget {
    /// What the step holds: what it asks for, and where it says nothing of processors, one for each thread that it is to
    /// have, as far as there are so many.
    pub fn need(&self, step: &Step) -> Need {
        let resources = &step.resources;
        Need {
            cpus: resources
                .cpus
                .unwrap_or_else(|| step.derivation.threads.clamp(1, self.cpus.max(1))),
            memory: resources.memory.unwrap_or(0),
            gpus: resources.gpus.unwrap_or(0) as usize,
        }
    }

    /// The first thing that `need` has more of than there is.
    pub fn lacks(&self, need: Need) -> Option<Lack> {
        let gpus = self.gpus.len();
        if need.gpus > gpus {
            Some(Lack {
                field: "gpus",
                asked: counted(need.gpus, "GPU"),
                there: there(gpus),
            })
        } else if need.cpus > self.cpus {
            Some(Lack {
                field: "cpus",
                asked: counted(need.cpus as usize, "processor"),
                there: there(self.cpus as usize),
            })
        } else {
            let memory = self.memory.filter(|memory| need.memory > *memory)?;
            Some(Lack {
                field: "memory",
                asked: format!("{} of memory", Size(need.memory)),
                there: format!("there is {}", Size(memory)),
            })
        }
    }
}

fn there(count: usize) -> String {
    match count {
        0 => "there is none".to_owned(),
        1 => "there is 1".to_owned(),
        _ => format!("there are {count}"),
    }
}

fn counted(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}
