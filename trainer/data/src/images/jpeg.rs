//! JPEG files.

use super::decode::{Image, Unreadable, check_size};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The largest side that the format has.
const MOST_SIDE: usize = 65_535;

fn options() -> DecoderOptions {
    // Strict: what is cut short is an error, and not an image that is grey from there on.
    DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(MOST_SIDE)
        .set_max_height(MOST_SIDE)
}

fn open(file: &[u8], options: DecoderOptions) -> Result<JpegDecoder<ZCursor<&[u8]>>, Unreadable> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(Unreadable::damaged)?;
    let info = decoder
        .info()
        .ok_or_else(|| Unreadable::damaged("it has no size"))?;
    check_size(u64::from(info.width), u64::from(info.height))?;
    Ok(decoder)
}

/// Whether the head of a file is that of a JPEG file.
///
/// # Errors
/// When it is not.
pub(super) fn inspect(file: &[u8]) -> Result<(), Unreadable> {
    open(file, options()).map(drop)
}

/// Decodes a file to grey where it is grey, else to red, green and blue.
///
/// # Errors
/// When it is damaged.
pub(super) fn decode(file: &[u8]) -> Result<Image, Unreadable> {
    decode_by(file, options())
}

fn decode_by(file: &[u8], options: DecoderOptions) -> Result<Image, Unreadable> {
    if !has_end(file) {
        return Err(Unreadable::damaged("it is cut short"));
    }
    let grey = open(file, options)?.input_colorspace() == Some(ColorSpace::Luma);
    let (space, channels) = if grey {
        (ColorSpace::Luma, 1)
    } else {
        (ColorSpace::RGB, 3)
    };
    let mut decoder = open(file, options.jpeg_set_out_colorspace(space))?;
    let pixels = decoder.decode().map_err(Unreadable::damaged)?;
    let info = decoder
        .info()
        .ok_or_else(|| Unreadable::damaged("it has no size"))?;
    let (height, width) = (usize::from(info.height), usize::from(info.width));
    if pixels.len() != height * width * channels {
        return Err(Unreadable::damaged(
            "it has another number of pixels than it says",
        ));
    }
    Ok(Image {
        channels,
        height,
        width,
        pixels,
    })
}

/// Whether the marker of the end stands after the beginning of the picture: the decoder is content with a little less.
fn has_end(file: &[u8]) -> bool {
    const SCAN: u8 = 0xda;
    const END: [u8; 2] = [0xff, 0xd9];
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = file.get(at..at + 4) {
        if marker == SCAN {
            return file[at..].windows(2).any(|pair| pair == END);
        }
        // Fill bytes may stand before a marker.
        at += match marker {
            0xff => 1,
            _ => 2 + usize::from(u16::from_be_bytes([high, low])),
        };
    }
    // Segments that are laid out in another way are the decoder's to judge.
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The decoder has code for vector units and code for machines without them. Results are the same everywhere only
    /// if both give the same bytes.
    #[test]
    fn vector_units_change_no_bit() {
        for file in [
            &include_bytes!("../../tests/images/photo.jpg")[..],
            include_bytes!("../../tests/images/progressive.jpg"),
            include_bytes!("../../tests/images/grey.jpg"),
            include_bytes!("../../tests/images/cmyk.jpg"),
        ] {
            let plain = options().set_use_unsafe(false);
            assert_eq!(decode_by(file, options()), decode_by(file, plain));
        }
    }
}
