//! PNG files.

use super::decode::{Image, MOST_PIXELS, Unreadable, check_size};
use png::{BitDepth, Decoder, Limits, Reader, Transformations};
use std::io::Cursor;

fn open(file: &[u8]) -> Result<Reader<Cursor<&[u8]>>, Unreadable> {
    let limits = Limits {
        bytes: 8 * MOST_PIXELS as usize,
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), limits);
    // Palettes looked up, bits made bytes.
    decoder.set_transformations(Transformations::EXPAND);
    let reader = decoder.read_info().map_err(Unreadable::damaged)?;
    let (width, height) = reader.info().size();
    check_size(u64::from(width), u64::from(height))?;
    Ok(reader)
}

/// Whether the head of a file is that of a PNG file.
///
/// # Errors
/// When it is not.
pub(super) fn inspect(file: &[u8]) -> Result<(), Unreadable> {
    open(file).map(drop)
}

/// Decodes a file, with the channels that it has.
///
/// # Errors
/// When it is damaged.
pub(super) fn decode(file: &[u8]) -> Result<Image, Unreadable> {
    let mut reader = open(file)?;
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| Unreadable::damaged("its size is out of range"))?;
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(Unreadable::damaged)?;
    pixels.truncate(frame.buffer_size());
    if frame.bit_depth == BitDepth::Sixteen {
        let (samples, _) = pixels.as_chunks::<2>();
        pixels = samples
            .iter()
            .map(|sample| eight(u16::from_be_bytes(*sample)))
            .collect();
    }
    Ok(Image {
        channels: frame.color_type.samples(),
        height: frame.height as usize,
        width: frame.width as usize,
        pixels,
    })
}

/// The nearest of 256 to one of 65536 steps.
fn eight(sample: u16) -> u8 {
    ((u32::from(sample) * 255 + 32_895) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_rounded_to_the_nearest_eight() {
        for sample in 0..=u16::MAX {
            let exact = (f64::from(sample) * 255.0 / 65535.0).round();
            assert_eq!(f64::from(eight(sample)), exact, "{sample}");
        }
    }
}
