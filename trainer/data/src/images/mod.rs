//! Images: PNG and JPEG files decoded, and made of one size.
//!
//! The same file gives the same bytes on every machine: decoders and resampling compute with integers alone.

mod decode;
pub mod folder;
mod jpeg;
mod png;
mod resample;
pub mod resize;

pub(crate) use decode::{Image, check_channels, decode, inspect};
