//! Random changes of training examples, in plain Rust on the numbers of one example.
//!
//! What is drawn for an example depends on the seed, the epoch, the example and the place of the change in the list, and
//! on nothing else: not on the batch that the example is in, the shard, or the thread that works on it.

mod check;
mod color;
mod draw;
mod geometry;
mod mask;

pub(crate) use check::check;
use draw::Draws;
use mlp_data::random::Random;
use mlp_protocol::augment::Augment;

/// The changes of one epoch.
#[derive(Clone, Debug)]
pub(crate) struct Augmenter {
    steps: Vec<Augment>,
    stream: Random,
    /// Channels, height and width of an example; what is no image is one row.
    shape: [usize; 3],
}

/// Numbers of one example, channel by channel and row by row.
struct Image<'a> {
    pixels: &'a mut [f32],
    channels: usize,
    height: usize,
    width: usize,
    /// Memory to work in, kept from example to example.
    scratch: &'a mut Scratch,
}

/// Memory that a thread works in.
#[derive(Default)]
pub(crate) struct Scratch {
    pixels: Vec<f32>,
    places: Vec<u32>,
}

/// An example that another one is mixed with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Partner {
    /// Its row.
    pub(crate) row: usize,
    /// The share of the example itself; the partner has the rest.
    pub(crate) share: f32,
}

impl Partner {
    /// Mixes the numbers of the partner, `other`, into those of an example.
    pub(crate) fn mix(&self, numbers: &mut [f32], other: &[f32]) {
        for (number, other) in numbers.iter_mut().zip(other) {
            *number = self.share * *number + (1.0 - self.share) * other;
        }
    }
}

impl Augmenter {
    /// The changes `steps` of examples of `shape`, in `epoch` of a training with `seed`.
    pub(crate) fn new(steps: &[Augment], shape: &[i64], seed: i64, epoch: u32) -> Augmenter {
        let sizes: Vec<usize> = shape.iter().map(|size| *size as usize).collect();
        let shape = match sizes[..] {
            [channels, height, width] => [channels, height, width],
            _ => [1, 1, sizes.iter().product()],
        };
        let stream = Random::new(seed, "augment").child(u64::from(epoch));
        Augmenter {
            steps: steps.to_vec(),
            stream,
            shape,
        }
    }

    /// How many changes there are.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// The last change among the first `end` that mixes examples, if there is any.
    pub(crate) fn last_mix(&self, end: usize) -> Option<usize> {
        self.steps[..end].iter().rposition(Augment::mixes)
    }

    /// With which of `count` examples the change at `place` mixes the example `row`.
    pub(crate) fn partner(&self, place: usize, row: usize, count: usize) -> Partner {
        let mut draws = self.draws(place, row);
        let alpha = match self.steps[place] {
            Augment::Mixup { alpha } => alpha,
            _ => return Partner { row, share: 1.0 },
        };
        Partner {
            row: draws.below(count),
            share: draws.beta(alpha) as f32,
        }
    }

    /// Makes the changes from `start` to `end`, of which none mixes, to the numbers of the example `row`.
    pub(crate) fn apply(
        &self,
        (start, end): (usize, usize),
        row: usize,
        pixels: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let [channels, height, width] = self.shape;
        let mut image = Image {
            pixels,
            channels,
            height,
            width,
            scratch,
        };
        for place in start..end {
            let draws = self.draws(place, row);
            image.change(&self.steps[place], draws);
        }
    }

    fn draws(&self, place: usize, row: usize) -> Draws {
        Draws::new(self.stream.child(row as u64).child(place as u64))
    }
}

impl Image<'_> {
    fn change(&mut self, step: &Augment, mut draws: Draws) {
        match *step {
            Augment::HorizontalFlip { p } if draws.unit() < p => self.mirror_columns(),
            Augment::VerticalFlip { p } if draws.unit() < p => self.mirror_rows(),
            // Mixing is done where other examples are at hand.
            Augment::HorizontalFlip { .. } | Augment::VerticalFlip { .. } | Augment::Mixup { .. } => {}
            Augment::RandomCrop { padding, .. } => self.crop(padding, &mut draws),
            Augment::Rotate { degrees } => {
                let degrees = draws.within(-degrees, degrees);
                self.warp(&geometry::rotation(degrees));
            }
            Augment::Scale { lo, hi } => self.warp(&geometry::scaling(draws.within(lo, hi))),
            Augment::Translate { share } => self.translate(share, &mut draws),
            Augment::ColorJitter {
                brightness,
                contrast,
                saturation,
                hue,
            } => color::Jitter::draw([brightness, contrast, saturation], hue, &mut draws).apply(self),
            Augment::Cutout { size } => self.cut_out(size as usize, &mut draws),
            Augment::TimeMask { max } => self.mask_columns(max as usize, &mut draws),
            Augment::FreqMask { max } => self.mask_rows(max as usize, &mut draws),
            Augment::GaussianNoise { std } => draws.add_noise(std as f32, self.pixels),
        }
    }

    /// The planes of the channels.
    fn planes(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.pixels.chunks_exact_mut((self.height * self.width).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(steps: &[Augment], shape: &[i64], row: usize, epoch: u32) -> Vec<f32> {
        let count = shape.iter().product::<i64>() as u16;
        let mut pixels: Vec<f32> = (0..count).map(|at| f32::from(at) / f32::from(count)).collect();
        let augmenter = Augmenter::new(steps, shape, 1, epoch);
        augmenter.apply((0, steps.len()), row, &mut pixels, &mut Scratch::default());
        pixels
    }

    #[test]
    fn draws_depend_on_epoch_example_and_place() {
        let noise = Augment::GaussianNoise { std: 1.0 };
        let none = Augment::HorizontalFlip { p: 0.0 };
        let one = |row, epoch| changed(std::slice::from_ref(&noise), &[4], row, epoch);
        assert_eq!(one(3, 1), one(3, 1));
        assert!(one(3, 1) != one(4, 1) && one(3, 1) != one(3, 2));
        assert_ne!(one(3, 1), changed(&[none, noise.clone()], &[4], 3, 1));
        // What comes after changes nothing of what was drawn before.
        let flip = Augment::HorizontalFlip { p: 1.0 };
        let mut turned = changed(&[noise.clone(), flip], &[4], 3, 1);
        turned.reverse();
        assert_eq!(one(3, 1), turned);
    }

    #[test]
    fn partners_are_of_the_whole_set() {
        let augmenter = Augmenter::new(&[Augment::Mixup { alpha: 1.0 }], &[4], 1, 1);
        let partners: Vec<Partner> = (0..2000).map(|row| augmenter.partner(0, row, 5)).collect();
        for row in 0..5 {
            let count = partners.iter().filter(|partner| partner.row == row).count();
            assert!((320..480).contains(&count), "{row}: {count}");
        }
        assert_eq!(augmenter.last_mix(1), Some(0));
        assert_eq!(augmenter.last_mix(0), None);
    }
}
