//! Streams that are compressed: which of them are known, and how they are read.

use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;
use std::io::{self, BufRead, Read};

/// The most memory in KiB that an xz may want: its preset -9 wants 64 MiB.
const XZ_MEMORY: u32 = 512 << 10;

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
    Xz,
}

impl Compression {
    /// What begins with these bytes.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        let known: [(&[u8], Self); 3] = [
            (b"\x1f\x8b", Self::Gzip),
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
            (b"\xfd7zXZ\x00", Self::Xz),
        ];
        let mut known = known.into_iter();
        known.find_map(|(magic, compression)| start.starts_with(magic).then_some(compression))
    }

    /// Its program.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
        }
    }
}

/// What a stream holds.
pub(super) fn decoder<'r>(
    compression: Compression,
    stream: impl BufRead + 'r,
) -> io::Result<Box<dyn Read + 'r>> {
    Ok(match compression {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(stream)),
        Compression::Zstd => Box::new(Zstd::new(stream)?),
        Compression::Xz => Box::new(XzReader::new_mem_limit(stream, true, XZ_MEMORY)),
    })
}

/// A stream of zstd: frame after frame.
struct Zstd<R: BufRead> {
    frame: Option<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>,
}

impl<R: BufRead> Zstd<R> {
    fn new(stream: R) -> io::Result<Self> {
        let frame = StreamingDecoder::new(stream).map_err(io::Error::other)?;
        Ok(Self { frame: Some(frame) })
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(frame) = &mut self.frame {
            let read = frame.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            if let Some(frame) = self.frame.take() {
                let mut stream = frame.into_inner();
                if !stream.fill_buf()?.is_empty() {
                    self.frame = Some(StreamingDecoder::new(stream).map_err(io::Error::other)?);
                }
            }
        }
        Ok(0)
    }
}
