//! Sound files as numbers: decoded, mixed down to one channel, brought to one rate, and cut or filled to one length.
//!
//! All arithmetic is written out here, in one order and in float64 where it is more than a division, so that the samples
//! are the same bits on every machine.

mod flac;
mod resample;
mod wav;

/// The most samples a second that a file may have.
const MOST_RATE: u32 = 1_000_000;

/// What a file holds, mixed down.
#[derive(Debug, PartialEq)]
struct Sound {
    rate: u32,
    samples: Vec<f32>,
}

/// The sound of a WAV or FLAC file as `samples` samples at `rate`: what is longer is cut, what is shorter followed by
/// silence. Of a long file no more is decoded than is kept. An error is words about the file that go on after its name.
///
/// # Errors
/// When it is neither, damaged, or in a form that is not read.
pub(crate) fn read(bytes: &[u8], rate: u32, samples: usize) -> Result<Vec<f32>, String> {
    let sound = decode(bytes, |of| resample::needed(of, rate, samples))?;
    let mut fitting = resample::resample(&sound.samples, sound.rate, rate, samples);
    fitting.resize(samples, 0.0);
    Ok(fitting)
}

/// The rate of a sound file, and how many samples it has.
///
/// # Errors
/// As [`read`] has.
pub(crate) fn describe(bytes: &[u8]) -> Result<(u32, usize), String> {
    let sound = decode(bytes, |_| usize::MAX)?;
    Ok((sound.rate, sound.samples.len()))
}

fn decode(bytes: &[u8], needed: impl Fn(u32) -> usize) -> Result<Sound, String> {
    match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => wav::decode(bytes, needed),
        [b'f', b'L', b'a', b'C', ..] => flac::decode(bytes, needed),
        [] => Err("is empty".to_owned()),
        _ => Err(format!("is neither WAV nor FLAC{}", what_else(bytes))),
    }
}

/// What a file seems to be.
fn what_else(bytes: &[u8]) -> &'static str {
    match bytes {
        [b'I', b'D', b'3', ..] | [0xff, 0xe0..=0xff, ..] => ", but looks like MP3",
        [b'O', b'g', b'g', b'S', ..] => ", but looks like Ogg",
        [b'R', b'F', b'6', b'4', ..] => ", but looks like RF64, a WAV of more than 4 GiB",
        [b'F', b'O', b'R', b'M', ..] => ", but looks like AIFF",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => ", but looks like MP4",
        _ => "",
    }
}

/// A rate that can be worked with.
fn check_rate(rate: u32) -> Result<u32, String> {
    if (1..=MOST_RATE).contains(&rate) {
        Ok(rate)
    } else {
        Err(format!("says that it has {rate} samples a second"))
    }
}

/// Takes the samples of a frame, one of each channel, as one sample.
fn mixed(channels: impl ExactSizeIterator<Item = f64>) -> f32 {
    let count = channels.len() as f64;
    (channels.sum::<f64>() / count) as f32
}

#[cfg(test)]
pub(crate) mod tests;
