//! Tests against what Pillow 13 gives, by the CRC-32 of its bytes.

use super::*;
use flate2::Crc;

/// The same formula as in Python, where the digests were made.
fn pattern(width: usize, height: usize, channels: usize) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            pixels.extend(
                (0..channels)
                    .map(|k| ((x * x * 3 + y * 7 * (k + 1) + (x * y) % 13 * 11 + k * 40) % 256) as u8),
            );
        }
    }
    pixels
}

fn resized(channels: usize, from: (usize, usize), to: (usize, usize), mode: Resizing) -> Vec<u8> {
    let (rows, columns) = (Side::new(from.1, to.1, mode), Side::new(from.0, to.0, mode));
    let pixels = pattern(from.0, from.1, channels);
    match channels {
        1 => bytes::<1>(&pixels, from.0, &rows, &columns),
        _ => bytes::<3>(&pixels, from.0, &rows, &columns),
    }
}

const MODES: [Resizing; 3] = [Resizing::Nearest, Resizing::Bilinear, Resizing::Bicubic];

/// Channels, width and height before and after, and digests by mode.
type Case = (usize, (usize, usize), (usize, usize), [u32; 3]);

const PILLOW: &[Case] = &[
    (1, (37, 23), (16, 16), [0x6cf54476, 0x11a2f19e, 0xcb6f88d7]),
    (1, (37, 23), (37, 9), [0x965c5b3c, 0x14342ce3, 0x149e8c98]),
    (1, (37, 23), (50, 61), [0x42b43528, 0xf197c9bc, 0x3bef378a]),
    (1, (37, 23), (1, 1), [0x140e363f, 0x8bb1d29a, 0x8bb1d29a]),
    (1, (37, 23), (7, 23), [0x9089ba42, 0x37026132, 0xf90fcab1]),
    (1, (5, 4), (16, 16), [0x706e62d9, 0x7e7dc861, 0x0f6da7be]),
    (1, (5, 4), (37, 9), [0xc93e82d1, 0x0a9b0323, 0xb41871af]),
    (1, (5, 4), (50, 61), [0x331a9bcb, 0xa091a341, 0x9d805d3f]),
    (1, (5, 4), (1, 1), [0x4dbd0b28, 0x8a6aa39c, 0x8a6aa39c]),
    (1, (5, 4), (7, 23), [0xac19c40f, 0x7860ba0e, 0x251d48b7]),
    (3, (37, 23), (16, 16), [0x8447f914, 0x39d19115, 0x8d9d0f0d]),
    (3, (37, 23), (37, 9), [0x921bc722, 0xec6d8598, 0xafa95d57]),
    (3, (37, 23), (50, 61), [0xc82340cc, 0x31d19e06, 0x3fd91aba]),
    (3, (37, 23), (1, 1), [0xc321fda3, 0xe7b5ae3f, 0xe7b5ae3f]),
    (3, (37, 23), (7, 23), [0x7496f7f9, 0xc031ebaf, 0x7355f8a2]),
    (3, (5, 4), (16, 16), [0x560a9238, 0xeceae6de, 0x400ce69d]),
    (3, (5, 4), (37, 9), [0x12478c7d, 0x7408a7fb, 0x55754dc6]),
    (3, (5, 4), (50, 61), [0xf2f6002c, 0x6834c022, 0x356c1095]),
    (3, (5, 4), (1, 1), [0x2db3cc3a, 0xfaf8b0bd, 0x7aead046]),
    (3, (5, 4), (7, 23), [0x9c7b4a1b, 0x5c87493a, 0x6e6ed79b]),
];

#[test]
fn bytes_are_those_of_pillow() {
    assert_eq!(
        resized(3, (5, 4), (2, 2), Resizing::Bilinear),
        [18, 63, 108, 58, 103, 136, 46, 102, 153, 120, 142, 118]
    );
    for (channels, from, to, expected) in PILLOW {
        for (mode, expected) in MODES.into_iter().zip(expected) {
            let mut crc = Crc::new();
            crc.update(&resized(*channels, *from, *to, mode));
            assert_eq!(crc.sum(), *expected, "{channels} {from:?} {to:?} {mode:?}");
        }
    }
}

#[test]
fn numbers_come_to_what_bytes_come_to_but_for_rounding() {
    let from = (37, 23);
    for mode in [Resizing::Nearest, Resizing::Bilinear] {
        let (rows, columns) = (Side::new(from.1, 16, mode), Side::new(from.0, 11, mode));
        let pixels = pattern(from.0, from.1, 1);
        let exact: Vec<f32> = pixels.iter().map(|pixel| f32::from(*pixel)).collect();
        let numbers = numbers(&exact, from.0, &rows, &columns);
        let bytes = bytes::<1>(&pixels, from.0, &rows, &columns);
        assert_eq!(numbers.len(), bytes.len());
        for (number, byte) in numbers.iter().zip(bytes) {
            assert!((number - f32::from(byte)).abs() <= 1.01, "{number} {byte}");
        }
    }
}

#[test]
fn an_image_of_the_size_stays_as_it_is() {
    for mode in MODES {
        assert_eq!(resized(3, (5, 4), (5, 4), mode), pattern(5, 4, 3));
    }
}
