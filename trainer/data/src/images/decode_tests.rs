//! Tests of decoding: PNG files made here, and JPEG files of `tests/images`.

use super::*;
use ::png::{BitDepth, ColorType, Encoder};

pub(in crate::images) const PHOTO: &[u8] = include_bytes!("../../tests/images/photo.jpg");
const PROGRESSIVE: &[u8] = include_bytes!("../../tests/images/progressive.jpg");
const GREY: &[u8] = include_bytes!("../../tests/images/grey.jpg");
const CMYK: &[u8] = include_bytes!("../../tests/images/cmyk.jpg");
const TURNED: &[u8] = include_bytes!("../../tests/images/turned.jpg");

/// A PNG file of `width` pixels a row.
pub(in crate::images) fn png(width: u32, color: ColorType, depth: BitDepth, pixels: &[u8]) -> Vec<u8> {
    let samples = pixels.len() * 8 / depth as usize / color.samples();
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, samples as u32 / width);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == ColorType::Indexed {
        encoder.set_palette(vec![255, 0, 0, 0, 0, 255]);
        encoder.set_trns(vec![255, 9]);
    }
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    file
}

#[track_caller]
fn pixels(file: &[u8], channels: usize) -> Vec<u8> {
    decode(file, channels).unwrap().pixels
}

#[test]
fn every_kind_of_png_becomes_the_channels_asked_for() {
    let grey = png(2, ColorType::Grayscale, BitDepth::Eight, &[0, 200]);
    assert_eq!(pixels(&grey, 1), [0, 200]);
    assert_eq!(pixels(&grey, 3), [0, 0, 0, 200, 200, 200]);
    assert_eq!(pixels(&grey, 4), [0, 0, 0, 255, 200, 200, 200, 255]);
    let rgb = png(2, ColorType::Rgb, BitDepth::Eight, &[255, 0, 0, 10, 20, 30]);
    assert_eq!(pixels(&rgb, 3), [255, 0, 0, 10, 20, 30]);
    // As Pillow's `convert("L")`.
    assert_eq!(pixels(&rgb, 1), [76, 18]);
    let rgba = png(1, ColorType::Rgba, BitDepth::Eight, &[1, 2, 3, 4]);
    assert_eq!(pixels(&rgba, 4), [1, 2, 3, 4]);
    assert_eq!(pixels(&rgba, 3), [1, 2, 3]);
    let grey_alpha = png(1, ColorType::GrayscaleAlpha, BitDepth::Eight, &[7, 100]);
    assert_eq!(pixels(&grey_alpha, 1), [7]);
    assert_eq!(pixels(&grey_alpha, 4), [7, 7, 7, 100]);
    let sixteen = png(
        2,
        ColorType::Grayscale,
        BitDepth::Sixteen,
        &[0x80, 0x80, 0x12, 0xff],
    );
    assert_eq!(pixels(&sixteen, 1), [0x80, 0x13]);
    let palette = png(2, ColorType::Indexed, BitDepth::Eight, &[1, 0]);
    assert_eq!(pixels(&palette, 3), [0, 0, 255, 255, 0, 0]);
    assert_eq!(pixels(&palette, 4), [0, 0, 255, 9, 255, 0, 0, 255]);
    let bits = png(8, ColorType::Grayscale, BitDepth::One, &[0b1010_0000]);
    assert_eq!(pixels(&bits, 1), [255, 0, 255, 0, 0, 0, 0, 0]);
}

/// Whether two images look alike: each sample within `most`.
fn alike(a: &[u8], b: &[u8], most: u8) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= most)
}

#[test]
fn every_kind_of_jpeg_is_the_picture() {
    let photo = decode(PHOTO, 3).unwrap();
    assert_eq!((photo.width, photo.height), (41, 27));
    // What Pillow's libjpeg gives for three of the pixels.
    for (x, y, expected) in [
        (0, 0, [135, 0, 217]),
        (20, 13, [35, 124, 128]),
        (40, 26, [251, 241, 30]),
    ] {
        let at = (y * 41 + x) * 3;
        assert!(
            alike(&photo.pixels[at..at + 3], &expected, 4),
            "{:?}",
            &photo.pixels[at..at + 3]
        );
    }
    assert_eq!(pixels(PROGRESSIVE, 3), photo.pixels);
    // What the camera says of how it was held turns nothing.
    assert_eq!(decode(TURNED, 3).unwrap(), photo);
    assert!(alike(&pixels(GREY, 1), &pixels(PHOTO, 1), 20));
    assert!(alike(&pixels(CMYK, 3), &photo.pixels, 40));
    assert_eq!(pixels(GREY, 3).len(), 41 * 27 * 3);
}

#[test]
fn what_is_no_image_is_told_by_its_kind() {
    let said = |file: &[u8]| decode(file, 3).unwrap_err().0;
    assert_eq!(said(b""), "is empty");
    assert_eq!(
        said(b"RIFF....WEBPVP8 "),
        "is a WebP file, and PNG and JPEG are read"
    );
    assert_eq!(said(b"GIF89a"), "is a GIF file, and PNG and JPEG are read");
    assert!(said(b"hello").contains("no image that is known"));
    assert_eq!(inspect(b"hello"), Err(decode(b"hello", 3).unwrap_err()));
}

#[test]
fn every_cut_is_refused_and_no_damage_panics() {
    let noise: Vec<u8> = (0..300_u32).map(|at| (at * at * 7 % 251) as u8).collect();
    let drawn = png(10, ColorType::Rgb, BitDepth::Eight, &noise);
    for file in [&drawn[..], PHOTO, PROGRESSIVE, GREY, CMYK] {
        inspect(file).unwrap();
        // The last bytes say that the file ends, and nothing of the picture.
        let whole = file.len() - if file == drawn { 12 } else { 2 };
        for cut in 0..file.len() {
            let decoded = decode(&file[..cut], 3);
            assert!(decoded.is_err() || cut >= whole, "{cut} of {}", file.len());
        }
        for at in 0..file.len() {
            let mut damaged = file.to_vec();
            damaged[at] ^= [0x01, 0x80, 0xff][at % 3];
            let _ = decode(&damaged, 3);
        }
    }
}
