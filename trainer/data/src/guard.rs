//! What is odd about the examples of a training, though nothing is wrong with any of them: examples to validate on that
//! are trained on too, and classes without examples. It is told and changes nothing.

use crate::dataset::Dataset;
use crate::random::mix;
use mlp_protocol::call::Call;
use mlp_protocol::data::Target;
use mlp_protocol::message::Outcome;
use std::path::Path;

/// Classes that a sentence names at most.
const NAMED: usize = 5;
/// Of a row that many places are looked at before all of it is.
const PLACES: usize = 8;
/// The bytes that are looked at in each place.
const PLACE: usize = 64;

/// What to say of the examples of a call of `ml.train`, at the paths of its inputs `on` and `val`.
///
/// # Errors
/// When a dataset is damaged.
pub fn of_call(call: &Call) -> Outcome<Vec<String>> {
    let dataset = |name: &str| {
        let path = call.inputs.get(name).map(Path::new);
        path.map(|path| Dataset::read(path, name)).transpose()
    };
    let val = dataset("val")?;
    Ok(dataset("on")?.map_or(Vec::new(), |on| of_training(&on, val.as_ref())))
}

/// What to say of a training on `on` that is validated on `val`.
fn of_training(on: &Dataset, val: Option<&Dataset>) -> Vec<String> {
    let leaked = val.and_then(|val| {
        let shared = shared(on, val);
        let all = val.schema.examples;
        (shared > 0).then(|| {
            let verb = if shared == 1 { "is" } else { "are" };
            format!(
                "{shared} of the {all} examples of `val` {verb} in `on` too, so the figures of `val` are better than those of new \
                 examples would be; take copies out before the split, or keep them in one part by `group`"
            )
        })
    });
    empty_classes(on).into_iter().chain(leaked).collect()
}

fn empty_classes(on: &Dataset) -> Option<String> {
    let Target::Class { classes, names } = &on.schema.y else {
        return None;
    };
    let mut seen = vec![false; *classes as usize];
    for class in on.classes()? {
        if let Some(seen) = usize::try_from(class).ok().and_then(|class| seen.get_mut(class)) {
            *seen = true;
        }
    }
    let empty: Vec<usize> = (0..seen.len()).filter(|class| !seen[*class]).collect();
    let name = |class: &usize| match names.as_ref().and_then(|names| names.get(*class)) {
        Some(name) => format!("`{name}`"),
        None => class.to_string(),
    };
    let shown: Vec<String> = empty.iter().take(NAMED).map(name).collect();
    let more = match empty.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let noun = if empty.len() == 1 {
        "the class"
    } else {
        "the classes"
    };
    (!empty.is_empty()).then(|| {
        format!(
            "`on` has no example of {noun} {}{more}: the model cannot learn what it never sees",
            shown.join(", ")
        )
    })
}

/// How many examples of `val` have an equal input in `on`.
fn shared(on: &Dataset, val: &Dataset) -> usize {
    let (Some(on), Some(val)) = (Rows::of(on), Rows::of(val)) else {
        return 0;
    };
    // First a few bytes of each row, then all of those that are alike in these: large rows are not read whole.
    let alike = |rows: &Rows<'_>, others: &[u64]| -> Vec<usize> {
        (0..rows.count)
            .filter(|row| others.binary_search(&rows.sketch(*row)).is_ok())
            .collect()
    };
    let sketches = |rows: &Rows<'_>| sorted((0..rows.count).map(|row| rows.sketch(row)));
    let in_on = alike(&on, &sketches(&val));
    let in_val = alike(&val, &sorted(in_on.iter().map(|row| on.sketch(*row))));
    let known = sorted(in_on.into_iter().map(|row| on.digest(row)));
    in_val
        .into_iter()
        .filter(|row| known.binary_search(&val.digest(*row)).is_ok())
        .count()
}

fn sorted(hashes: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut hashes: Vec<u64> = hashes.collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// The inputs of each example as bytes.
struct Rows<'a> {
    count: usize,
    /// The bytes of an input, and where its rows begin; the last ends where the bytes do.
    inputs: Vec<(&'a [u8], Starts)>,
}

enum Starts {
    Every(usize),
    At(Vec<u64>),
}

impl Rows<'_> {
    /// None where the examples have no bytes to be told apart by.
    fn of(dataset: &Dataset) -> Option<Rows<'_>> {
        let input = |name: &String| {
            let array = dataset.x.get(name)?;
            let starts = match dataset.offsets(name) {
                Some(offsets) => Starts::At(offsets),
                None => Starts::Every(array.row_size()),
            };
            Some((&array.bytes[..], starts))
        };
        let inputs: Vec<_> = dataset.schema.x.keys().filter_map(input).collect();
        let some = inputs.iter().any(|(bytes, _)| !bytes.is_empty());
        let count = usize::try_from(dataset.schema.examples).unwrap_or(0);
        some.then_some(Rows { count, inputs })
    }

    fn parts(&self, row: usize) -> impl Iterator<Item = &[u8]> {
        self.inputs.iter().map(move |(bytes, starts)| match starts {
            Starts::Every(size) => &bytes[row * size..(row + 1) * size],
            Starts::At(offsets) => &bytes[offsets[row] as usize..offsets[row + 1] as usize],
        })
    }

    fn digest(&self, row: usize) -> u64 {
        self.parts(row).fold(0, hash)
    }

    fn sketch(&self, row: usize) -> u64 {
        self.parts(row).fold(0, |so_far, part| {
            if part.len() <= PLACES * PLACE {
                return hash(so_far, part);
            }
            let step = (part.len() - PLACE) / (PLACES - 1);
            let places = (0..PLACES).map(|place| &part[place * step..place * step + PLACE]);
            places.fold(mix(so_far ^ part.len() as u64), hash)
        })
    }
}

/// A hash of 64 bits that goes on from another: equal bytes have equal ones, and others in practice not.
fn hash(so_far: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let start = mix(so_far ^ bytes.len() as u64);
    words
        .chain([u64::from_le_bytes(last)])
        .fold(start, |hash, word| mix(hash.rotate_left(5) ^ word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safetensors::Array;
    use crate::sample::tests::points;

    fn images(rows: &[Vec<f32>]) -> Dataset {
        let mut dataset = points(&vec![0; rows.len()]);
        let width = rows[0].len() as u64;
        dataset.x.insert(
            "x".to_owned(),
            Array::from_f32(vec![rows.len() as u64, width], &rows.concat()),
        );
        dataset
    }

    fn row(seed: u32) -> Vec<f32> {
        let mut row = vec![0.0; 1_000];
        // Where it is seldom looked at first.
        row[517] = seed as f32;
        row
    }

    #[test]
    fn equal_examples_are_counted_and_near_ones_are_not() {
        let rows = |seeds: &[u32]| images(&seeds.iter().map(|seed| row(*seed)).collect::<Vec<_>>());
        assert_eq!(shared(&rows(&[1, 2, 3, 3]), &rows(&[3, 4, 3, 1])), 3);
        assert_eq!(shared(&rows(&[1, 2, 3]), &rows(&[4, 5])), 0);
        assert_eq!(shared(&points(&[0; 4]), &points(&[0; 3])), 3);
    }

    #[test]
    fn what_is_odd_is_said() {
        let on = points(&[0, 1, 3]);
        assert_eq!(
            of_training(&on, None),
            ["`on` has no example of the class 2: the model cannot learn what it never sees"]
        );
        let warned = of_training(&points(&[0, 1, 2, 3]), Some(&points(&[0, 1])));
        assert_eq!(warned.len(), 1);
        assert!(warned[0].starts_with("2 of the 2 examples of `val` are in `on` too"));
        assert_eq!(of_training(&points(&[3, 2, 1, 0]), None), [""; 0]);
    }

    #[test]
    fn named_classes_are_named() {
        let mut on = points(&[0]);
        on.schema.y = Target::Class {
            classes: 8,
            names: Some("abcdefgh".chars().map(String::from).collect()),
        };
        let said = of_training(&on, None);
        assert!(
            said[0].contains("the classes `b`, `c`, `d`, `e`, `f` and 2 more"),
            "{said:?}"
        );
    }
}
