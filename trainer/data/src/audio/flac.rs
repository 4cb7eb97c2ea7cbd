//! FLAC files.

use super::{Sound, check_rate, mixed};
use claxon::FlacReader;

/// The first frames of a file, as many as `needed` says of its rate.
///
/// # Errors
/// When the file is cut off or damaged.
pub(super) fn decode(bytes: &[u8], needed: impl Fn(u32) -> usize) -> Result<Sound, String> {
    let mut reader = FlacReader::new(bytes).map_err(|error| damaged(&error))?;
    let info = reader.streaminfo();
    let rate = check_rate(info.sample_rate)?;
    let needed = needed(rate);
    let full = f64::from(1_u32 << (info.bits_per_sample.clamp(1, 32) - 1));
    let mut samples = Vec::new();
    let mut blocks = reader.blocks();
    let mut buffer = Vec::new();
    while samples.len() < needed {
        let block = match blocks.read_next_or_eof(buffer) {
            Ok(Some(block)) => block,
            Ok(None) if info.samples.is_some_and(|all| (samples.len() as u64) < all) => {
                return Err("ends before its samples do: it is cut off".to_owned());
            }
            Ok(None) => break,
            Err(error) => return Err(damaged(&error)),
        };
        let left = needed - samples.len();
        for at in 0..block.duration().min(u32::try_from(left).unwrap_or(u32::MAX)) {
            let channels = (0..block.channels()).map(|channel| f64::from(block.sample(channel, at)) / full);
            samples.push(mixed(channels));
        }
        buffer = block.into_buffer();
    }
    Ok(Sound { rate, samples })
}

fn damaged(error: &claxon::Error) -> String {
    match error {
        claxon::Error::IoError(_) => "ends before its samples do: it is cut off".to_owned(),
        other => format!("is a damaged FLAC file: {other}"),
    }
}
