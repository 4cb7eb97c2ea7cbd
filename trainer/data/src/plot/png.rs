//! PNG files of eight-bit pixels: what a figure shows images by.

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use std::io::Write;

/// The file of `pixels`, row by row: of one channel or of three (grey, or red, green, blue), pixel by pixel.
pub(crate) fn encode(width: usize, height: usize, channels: usize, pixels: &[u8]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::with_capacity(13);
    for size in [width, height] {
        header.extend_from_slice(&(size as u32).to_be_bytes());
    }
    let colour = if channels == 3 { 2 } else { 0 };
    header.extend_from_slice(&[8, colour, 0, 0, 0]);
    chunk(&mut file, b"IHDR", &header);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in pixels.chunks_exact((width * channels).max(1)) {
        // Each row begins with its filter: none. Writing to memory does not fail.
        let _ = packed.write_all(&[0]).and_then(|()| packed.write_all(row));
    }
    chunk(&mut file, b"IDAT", &packed.finish().unwrap_or_default());
    chunk(&mut file, b"IEND", &[]);
    file
}

/// Channels, height and width of a PNG file, from its header.
pub(crate) fn size(file: &[u8]) -> Option<[u64; 3]> {
    let size = |at: usize| Some(u64::from(u32::from_be_bytes(*file.get(at..)?.first_chunk()?)));
    let channels = match file.get(25)? {
        0 => 1,
        4 => 2,
        6 => 4,
        _ => 3,
    };
    Some([channels, size(20)?, size(16)?])
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend_from_slice(&(data.len() as u32).to_be_bytes());
    file.extend_from_slice(kind);
    file.extend_from_slice(data);
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(data);
    file.extend_from_slice(&crc.sum().to_be_bytes());
}
