//! `data.log_mel`: sounds as images of the energy in bands of frequencies.

mod fft;
mod spectrum;

use crate::channel::Channel;
use crate::dataset::Dataset;
use crate::program;
use crate::safetensors::{Array, Dtype};
use crate::spool::Spool;
use mlp_protocol::call::Call;
use mlp_protocol::data_ops::LogMelArgs;
use mlp_protocol::message::{Failure, Message, Outcome};
use rayon::prelude::*;
use serde_json::{Value, json};
use spectrum::Spectrum;
use std::collections::BTreeMap;
use std::path::Path;

/// Sounds that are mapped at a time: as many as keep every core busy, and few enough for memory.
const AT_ONCE: usize = 64;

/// Builds `data.log_mel`.
///
/// # Errors
/// When the examples are no sounds of a known rate, or shorter than a window.
pub fn build(call: &Call, channel: &Channel) -> Outcome<()> {
    let args: LogMelArgs = program::arguments(call)?;
    let dataset = Dataset::read(Path::new(program::input(call, "dataset")?), "dataset")?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(call.workers.max(1) as usize)
        .build()
        .map_err(|error| Failure::new("B0002", format!("threads cannot be started: {error}")))?;
    let (mapped, warning) = pool.install(|| log_mel(dataset, &args))?;
    if let Some(text) = warning {
        channel
            .send(&Message::Warning { text })
            .map_err(|error| Failure::new("B0002", format!("mlp does not listen: {error}")))?;
    }
    match call.outputs.get("dataset") {
        Some(path) => mapped.write(Path::new(path)),
        None => Ok(()),
    }
}

/// The dataset of images, and what is odd about them.
fn log_mel(mut dataset: Dataset, args: &LogMelArgs) -> Outcome<(Dataset, Option<String>)> {
    let sounds = dataset.x.get("x").filter(|array| array.dtype == Dtype::F32);
    let Some((sounds, &[examples, channels, samples])) =
        sounds.map(|array| (array, &array.shape[..])).and_then(three)
    else {
        return Err(Failure::new("B0155", "the examples are no sounds")
            .argument("dataset")
            .help("sounds are numbers of the shape [channels, samples], as `data.audio` reads them"));
    };
    let rate = rate(args, &dataset.schema.recipe)?;
    if samples <= u64::from(args.n_fft) / 2 {
        let message = format!(
            "a window of {} samples reaches beyond both ends of a sound of {samples}",
            args.n_fft
        );
        return Err(Failure::new("B0155", message)
            .argument("n_fft")
            .help(format!("`n_fft` must be below {}", samples * 2)));
    }
    let spectrum = Spectrum::new(rate, args.n_fft as usize, args.hop as usize, args.n_mels as usize);
    let frames = spectrum.frames(samples as usize) as u64;
    let mut images = Spool::default();
    let sound_bytes = samples as usize * Dtype::F32.size();
    if sound_bytes > 0 {
        for some in sounds.bytes.chunks(sound_bytes * AT_ONCE) {
            let mapped: Vec<Vec<u8>> = some
                .par_chunks(sound_bytes)
                .map(|sound| image(&spectrum, sound))
                .collect();
            mapped.iter().try_for_each(|image| images.put(image))?;
        }
    }
    let shape = vec![channels, u64::from(args.n_mels), frames];
    let array = Array {
        dtype: Dtype::F32,
        shape: std::iter::once(examples).chain(shape.iter().copied()).collect(),
        bytes: images.finish()?,
    };
    dataset.x = BTreeMap::from([("x".to_owned(), array)]);
    dataset.schema.x = BTreeMap::from([("x".to_owned(), shape.into_iter().map(Some).collect())]);
    dataset.schema.recipe = json!({ "of": dataset.schema.recipe, "log_mel": args, "rate": rate });
    Ok((dataset, odd(&spectrum, args)))
}

fn three<T>((array, shape): (T, &[u64])) -> Option<(T, &[u64; 3])> {
    shape.try_into().ok().map(|shape| (array, shape))
}

fn image(spectrum: &Spectrum, sound: &[u8]) -> Vec<u8> {
    let samples: Vec<f32> = sound
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect();
    let image = spectrum.of(&samples);
    image.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// How many samples a second the sounds have: as the call says, or as they were read.
fn rate(args: &LogMelArgs, recipe: &Value) -> Outcome<u32> {
    let mut recipe = recipe;
    while let Some(of) = recipe.get("of") {
        recipe = of;
    }
    let read = recipe["x"]["rate"]
        .as_u64()
        .and_then(|rate| u32::try_from(rate).ok());
    match (args.rate, read) {
        (Some(rate), Some(read)) if rate != read => {
            let message = format!("`rate` is {rate}, and the sounds were read at {read}");
            Err(Failure::new("B0155", message)
                .argument("rate")
                .help("leave `rate` out: it is for sounds that a script made"))
        }
        (Some(rate), _) | (None, Some(rate)) if rate > 1 => Ok(rate),
        _ => Err(
            Failure::new("B0155", "nothing says how many samples a second the sounds have")
                .argument("rate")
                .help("write it: `rate = 16000`"),
        ),
    }
}

/// Bands without a frequency, which say the same of every sound.
fn odd(spectrum: &Spectrum, args: &LogMelArgs) -> Option<String> {
    let empty = spectrum.empty_bands();
    let first = empty.first()?;
    Some(format!(
        "{} of the {} bands, the first of them {first}, hold no frequency of a window of {} samples: a larger `n_fft` or fewer \
         `n_mels` would fill them",
        empty.len(),
        args.n_mels,
        args.n_fft
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::tests::points;

    fn sounds(recipe: Value) -> Dataset {
        let mut dataset = points(&[0, 1, 2]);
        let samples: Vec<f32> = (0..3 * 200).map(|at| (at % 17) as f32 / 17.0).collect();
        dataset.x = BTreeMap::from([("x".to_owned(), Array::from_f32(vec![3, 1, 200], &samples))]);
        dataset.schema.x = BTreeMap::from([("x".to_owned(), vec![Some(1), Some(200)])]);
        dataset.schema.recipe = recipe;
        dataset
    }

    fn args(n_fft: u32, rate: Option<u32>) -> LogMelArgs {
        LogMelArgs {
            n_fft,
            hop: 20,
            n_mels: 4,
            rate,
        }
    }

    #[test]
    fn sounds_become_images_one_by_one() {
        let read = json!({ "of": { "x": { "kind": "audio", "rate": 8000 } } });
        let dataset = sounds(read.clone());
        let alone = dataset.select(&[1]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        alone.write(dir.path()).unwrap();
        let alone = Dataset::read(dir.path(), "alone").unwrap();
        let (all, warning) = log_mel(dataset, &args(64, None)).unwrap();
        assert_eq!(all.x["x"].shape, [3, 1, 4, 11]);
        assert_eq!(all.schema.x["x"], [Some(1), Some(4), Some(11)]);
        assert_eq!(all.schema.recipe["of"], read);
        assert!(warning.is_none());
        let (one, _) = log_mel(alone, &args(64, None)).unwrap();
        assert_eq!(one.x["x"].to_f32(), all.x["x"].to_f32()[44..88]);
    }

    #[test]
    fn what_cannot_be_mapped_is_told() {
        let refused = |dataset: Dataset, args: LogMelArgs| {
            let failure = log_mel(dataset, &args).err().unwrap();
            assert_eq!(failure.code, "B0155");
            failure.argument.unwrap()
        };
        assert_eq!(refused(points(&[0]), args(64, Some(8000))), "dataset");
        assert_eq!(refused(sounds(Value::Null), args(64, None)), "rate");
        assert_eq!(refused(sounds(Value::Null), args(400, Some(8000))), "n_fft");
        assert!(log_mel(sounds(Value::Null), &args(398, Some(8000))).is_ok());
        let read = json!({ "x": { "kind": "audio", "rate": 8000 } });
        assert_eq!(refused(sounds(read), args(64, Some(44100))), "rate");
    }

    #[test]
    fn empty_bands_are_told() {
        let narrow = LogMelArgs {
            n_mels: 60,
            ..args(64, Some(16_000))
        };
        let (_, warning) = log_mel(sounds(Value::Null), &narrow).unwrap();
        assert!(warning.unwrap().contains("of the 60 bands"));
    }
}
