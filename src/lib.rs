//! `mlp`: a build system for machine learning. See ARCHITECTURE.md for the house, and for which module may use which:
//! a test holds that table.

pub mod base;
pub mod cli;
pub mod engine;
pub mod environment;
pub mod executor;
pub mod explain;
pub mod fetch;
pub mod instantiate;
pub mod lsp;
pub mod model;
pub mod pin;
pub mod plan;
pub mod progress;
pub mod report;
pub mod scheduler;
pub mod store;
