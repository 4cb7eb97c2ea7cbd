//! An image file as pixels of the channels that are asked for.
//!
//! As PIL does it: grey is `(19595 R + 38470 G + 7471 B + 2^15) / 2^16`; alpha is left out where it is not asked for, and
//! full where there is none; palettes are looked up. Of 16 bits a channel the 8 nearest are kept. How a camera was held
//! (EXIF) turns nothing, as in PIL and torchvision.

use super::{jpeg, png};
use mlp_protocol::message::{Failure, Outcome};

/// More pixels than an image has: 16 times those of the largest cameras, and what keeps a small file from filling memory.
pub(super) const MOST_PIXELS: u64 = 1 << 28;

/// Pixels, a byte a channel, row by row, the channels of a pixel side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) pixels: Vec<u8>,
}

/// Why a file is no image: words that go on after "it", and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(pub(crate) String, pub(crate) &'static str);

impl Unreadable {
    /// A file that is not whole.
    pub(super) fn damaged(why: impl std::fmt::Display) -> Self {
        Unreadable(
            format!("is damaged: {why}"),
            "open it in an image viewer; get it anew, or leave it out",
        )
    }

    /// A failure about the file that `name` names.
    pub(crate) fn of(self, name: &str) -> Box<Failure> {
        Failure::new("B0120", format!("{name} {}", self.0)).help(self.1)
    }
}

/// Refuses channels that no image is read with.
///
/// # Errors
/// When they are not 1, 3 or 4.
pub(crate) fn check_channels(channels: u32, argument: &str) -> Outcome<()> {
    if matches!(channels, 1 | 3 | 4) {
        return Ok(());
    }
    Err(
        Failure::new("B0121", format!("images of {channels} channels cannot be read"))
            .argument(argument)
            .help("write 1 (grey), 3 (red, green, blue) or 4 (with alpha)"),
    )
}

enum Format {
    Png,
    Jpeg,
}

fn format(file: &[u8]) -> Result<Format, Unreadable> {
    let other = match file {
        [0x89, b'P', b'N', b'G', ..] => return Ok(Format::Png),
        [0xff, 0xd8, ..] => return Ok(Format::Jpeg),
        [] => {
            return Err(Unreadable("is empty".to_owned(), "get it anew, or leave it out"));
        }
        [b'G', b'I', b'F', b'8', ..] => "a GIF file",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "a WebP file",
        [b'B', b'M', ..] => "a BMP file",
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => "a TIFF file",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "an AVIF or HEIC file",
        _ => "no image that is known by its first bytes",
    };
    Err(Unreadable(
        format!("is {other}, and PNG and JPEG are read"),
        "convert it, for instance by `mogrify -format png`",
    ))
}

/// Looks at the head of a file: whether it is an image that [`decode`] takes, as far as that can be told without decoding.
///
/// # Errors
/// When it is not.
pub(crate) fn inspect(file: &[u8]) -> Result<(), Unreadable> {
    match format(file)? {
        Format::Png => png::inspect(file),
        Format::Jpeg => jpeg::inspect(file),
    }
}

/// Decodes a file to an image of `channels`: 1, 3 or 4.
///
/// # Errors
/// When it is damaged or of another format.
pub(crate) fn decode(file: &[u8], channels: usize) -> Result<Image, Unreadable> {
    let image = match format(file)? {
        Format::Png => png::decode(file)?,
        Format::Jpeg => jpeg::decode(file)?,
    };
    Ok(with_channels(image, channels))
}

/// That many pixels can be held.
pub(super) fn check_size(width: u64, height: u64) -> Result<(), Unreadable> {
    if width * height <= MOST_PIXELS {
        return Ok(());
    }
    Err(Unreadable(
        format!("has {width} x {height} pixels, more than is read"),
        "make it smaller",
    ))
}

fn with_channels(image: Image, channels: usize) -> Image {
    if image.channels == channels {
        return image;
    }
    let of = |pixel: &[u8]| -> [u8; 4] {
        let (colour, alpha) = match *pixel {
            [grey] => ([grey; 3], 255),
            [grey, alpha] => ([grey; 3], alpha),
            [red, green, blue] => ([red, green, blue], 255),
            [red, green, blue, alpha, ..] => ([red, green, blue], alpha),
            [] => ([0; 3], 255),
        };
        let [red, green, blue] = colour;
        match channels {
            1 if pixel.len() > 2 => [grey(red, green, blue); 4],
            _ => [red, green, blue, alpha],
        }
    };
    let mut pixels = Vec::with_capacity(image.width * image.height * channels);
    for pixel in image.pixels.chunks_exact(image.channels) {
        pixels.extend_from_slice(&of(pixel)[..channels]);
    }
    Image {
        channels,
        pixels,
        ..image
    }
}

fn grey(red: u8, green: u8, blue: u8) -> u8 {
    let sum = 19595 * u32::from(red) + 38470 * u32::from(green) + 7471 * u32::from(blue);
    ((sum + 0x8000) >> 16) as u8
}

#[cfg(test)]
#[path = "decode_tests.rs"]
pub(in crate::images) mod tests;
