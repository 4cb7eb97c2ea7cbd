//! `mlp`: a build system for machine learning. See ARCHITECTURE.md for the house; the modules stand in the order in
//! which they may use each other, lowest first.

pub mod base;
pub mod engine;
pub mod model;
pub mod store;
