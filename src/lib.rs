//! `mlp`: a build system for machine learning. See ARCHITECTURE.md for the house; the modules stand in the order in
//! which they may use each other, lowest first.

pub mod base;
pub mod engine;
pub mod executor;
pub mod instantiate;
pub mod model;
pub mod plan;
pub mod sandbox;
pub mod store;
