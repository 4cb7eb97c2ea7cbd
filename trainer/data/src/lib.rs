//! Datasets: codecs, splits, the disk format; arithmetic on results; and the frame that both builder programs run in.
//!
//! The program `mlp-data` builds the `data.*` derivations with it; `mlp-trainer` reads datasets and safetensors, draws
//! from the same random numbers and speaks to `mlp` through it. It never links libtorch, so that a data step starts in
//! a millisecond.

pub mod arrays;
mod audio;
pub mod bytes;
pub mod calc;
mod carried;
pub mod channel;
pub mod choose;
pub mod cifar;
mod codec;
mod columns;
pub mod concat;
pub mod csv;
pub mod dataset;
mod deal;
pub mod declared;
pub mod examples;
pub mod files;
pub mod folds;
mod gaussian;
pub mod guard;
mod gzip;
pub mod idx;
pub mod images;
pub mod infer;
pub mod log_mel;
mod named;
pub mod parquet;
pub mod plot;
pub mod predictions;
pub mod program;
pub mod propose;
pub mod random;
mod readers;
pub mod safetensors;
pub mod sample;
pub mod selection;
mod space;
pub mod split;
mod spool;
mod table;
pub mod unpack;
mod value;
pub mod weights;
