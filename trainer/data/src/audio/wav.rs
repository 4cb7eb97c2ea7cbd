//! WAV files: PCM of 8, 16, 24 and 32 bits, and floats of 32 and 64.

use super::{Sound, check_rate, mixed};

/// The size that writers leave who do not know it: what they write to is a pipe.
const UNKNOWN: u32 = u32::MAX;

/// What stands in the chunk `fmt `.
struct Format {
    sample: Sample,
    channels: usize,
    rate: u32,
}

/// How a sample is written.
#[derive(Clone, Copy)]
enum Sample {
    U8,
    I16,
    I24,
    I32,
    F32,
    F64,
}

impl Sample {
    fn size(self) -> usize {
        match self {
            Sample::U8 => 1,
            Sample::I16 => 2,
            Sample::I24 => 3,
            Sample::I32 | Sample::F32 => 4,
            Sample::F64 => 8,
        }
    }

    /// The sample in `bytes`, as many as it has, from -1 to 1.
    fn value(self, bytes: &[u8]) -> f64 {
        match (self, bytes) {
            (Sample::U8, [a]) => (f64::from(*a) - 128.0) / 128.0,
            (Sample::I16, [a, b]) => f64::from(i16::from_le_bytes([*a, *b])) / 32_768.0,
            (Sample::I24, [a, b, c]) => f64::from(i32::from_le_bytes([0, *a, *b, *c])) / 2_147_483_648.0,
            (Sample::I32, [a, b, c, d]) => f64::from(i32::from_le_bytes([*a, *b, *c, *d])) / 2_147_483_648.0,
            (Sample::F32, [a, b, c, d]) => f64::from(f32::from_le_bytes([*a, *b, *c, *d])),
            (Sample::F64, [a, b, c, d, e, f, g, h]) => f64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
            // Callers cut by `size`.
            _ => 0.0,
        }
    }
}

/// The first frames of a file, as many as `needed` says of its rate.
///
/// # Errors
/// When the file is cut off, or in a form that is not read.
pub(super) fn decode(bytes: &[u8], needed: impl Fn(u32) -> usize) -> Result<Sound, String> {
    let mut format = None;
    let mut rest = &bytes[12..];
    while let Some((chunk, after)) = rest.split_at_checked(8) {
        let size = u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]);
        match &chunk[..4] {
            b"fmt " => {
                let body = after.get(..size as usize).ok_or_else(cut_off)?;
                format = Some(read_format(body)?);
            }
            b"data" => {
                let format = format.ok_or("has its samples before it says what they are")?;
                return samples(&format, after, size, needed);
            }
            _ => {}
        }
        // Chunks are padded to whole words.
        let size = size as usize + size as usize % 2;
        rest = after.get(size..).ok_or_else(cut_off)?;
    }
    Err(cut_off())
}

fn cut_off() -> String {
    "ends before its samples do: it is cut off".to_owned()
}

fn read_format(body: &[u8]) -> Result<Format, String> {
    let Some(([t0, t1, c0, c1, r0, r1, r2, r3, _, _, _, _, _, _, b0, b1], more)) =
        body.split_first_chunk::<16>()
    else {
        return Err("does not say what its samples are".to_owned());
    };
    let tag = match (u16::from_le_bytes([*t0, *t1]), more) {
        // The extensible form has the kind in the first bytes of a longer name.
        (0xfffe, [_, _, _, _, _, _, _, _, kind0, kind1, ..]) => u16::from_le_bytes([*kind0, *kind1]),
        (tag, _) => tag,
    };
    let bits = u16::from_le_bytes([*b0, *b1]);
    let sample = match (tag, bits) {
        (1, 8) => Sample::U8,
        (1, 16) => Sample::I16,
        (1, 24) => Sample::I24,
        (1, 32) => Sample::I32,
        (3, 32) => Sample::F32,
        (3, 64) => Sample::F64,
        (1 | 3, bits) => return Err(format!("has samples of {bits} bits, which are not read")),
        (tag, _) => {
            return Err(format!(
                "is compressed (WAV format {tag}): PCM and floats alone are read"
            ));
        }
    };
    let channels = u16::from_le_bytes([*c0, *c1]);
    if channels == 0 {
        return Err("says that it has no channels".to_owned());
    }
    Ok(Format {
        sample,
        channels: usize::from(channels),
        rate: check_rate(u32::from_le_bytes([*r0, *r1, *r2, *r3]))?,
    })
}

fn samples(format: &Format, data: &[u8], size: u32, needed: impl Fn(u32) -> usize) -> Result<Sound, String> {
    let frame = format.sample.size() * format.channels;
    let all = match size {
        UNKNOWN => data.len() / frame,
        size => size as usize / frame,
    };
    let kept = all.min(needed(format.rate));
    let kept = data.get(..kept * frame).ok_or_else(cut_off)?;
    if size != UNKNOWN && data.len() < size as usize {
        return Err(cut_off());
    }
    let mut samples = Vec::with_capacity(kept.len() / frame);
    for frame in kept.chunks_exact(frame) {
        let channels = frame.chunks_exact(format.sample.size());
        let sample = mixed(channels.map(|bytes| format.sample.value(bytes)));
        if !sample.is_finite() {
            return Err(format!(
                "holds a sample that is not finite, at {} s",
                samples.len() as f64 / f64::from(format.rate)
            ));
        }
        samples.push(sample);
    }
    Ok(Sound {
        rate: format.rate,
        samples,
    })
}
