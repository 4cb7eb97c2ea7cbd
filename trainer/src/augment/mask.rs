//! Parts of an example that are set to 0: squares, stretches of time, bands of frequencies.

use super::Image;
use super::draw::Draws;

impl Image<'_> {
    /// A square about a middle anywhere in the image; what of it lies outside is left away.
    pub(super) fn cut_out(&mut self, size: usize, draws: &mut Draws) {
        let mut span = |length: usize| {
            let middle = draws.below(length);
            let start = middle as isize - (size / 2) as isize;
            let end = start.saturating_add_unsigned(size).max(0).unsigned_abs();
            (start.max(0).unsigned_abs(), end.min(length))
        };
        let (top, bottom) = span(self.height);
        let (left, right) = span(self.width);
        let width = self.width;
        for plane in self.planes() {
            for row in plane.chunks_exact_mut(width).take(bottom).skip(top) {
                row[left..right].fill(0.0);
            }
        }
    }

    /// A stretch of at most `max` columns.
    pub(super) fn mask_columns(&mut self, max: usize, draws: &mut Draws) {
        let (start, end) = stretch(self.width, max, draws);
        let width = self.width.max(1);
        for row in self.pixels.chunks_exact_mut(width) {
            row[start..end].fill(0.0);
        }
    }

    /// A band of at most `max` rows.
    pub(super) fn mask_rows(&mut self, max: usize, draws: &mut Draws) {
        let (start, end) = stretch(self.height, max, draws);
        let width = self.width;
        for plane in self.planes() {
            plane[start * width..end * width].fill(0.0);
        }
    }
}

/// SpecAugment's: a length from 0 to `max`, then a place where it fits.
fn stretch(size: usize, max: usize, draws: &mut Draws) -> (usize, usize) {
    let length = draws.below(max.min(size) + 1);
    let start = draws.below(size - length + 1);
    (start, start + length)
}

#[cfg(test)]
mod tests {
    use super::super::Scratch;
    use super::*;
    use mlp_data::random::Random;

    /// What is left of an image of ones, [2, 5, 6], for several draws.
    fn masked(change: impl Fn(&mut Image<'_>, &mut Draws)) -> Vec<Vec<f32>> {
        let stream = Random::new(1, "test");
        let one = |index| {
            let mut pixels = vec![1.0; 60];
            let mut image = Image {
                pixels: &mut pixels,
                channels: 2,
                height: 5,
                width: 6,
                scratch: &mut Scratch::default(),
            };
            change(&mut image, &mut Draws::new(stream.child(index)));
            assert_eq!(pixels[..30], pixels[30..], "each channel alike");
            pixels.truncate(30);
            pixels
        };
        (0..200).map(one).collect()
    }

    fn zeros(image: &[f32]) -> usize {
        image.iter().filter(|pixel| **pixel == 0.0).count()
    }

    #[test]
    fn squares_are_cut_off_at_the_edge() {
        let images = masked(|image, draws| image.cut_out(3, draws));
        let counts: Vec<usize> = images.iter().map(|image| zeros(image)).collect();
        // In the middle 3 x 3, at an edge 2 x 3, in a corner 2 x 2.
        assert!(counts.iter().all(|count| [4, 6, 9].contains(count)), "{counts:?}");
        assert!([4, 6, 9].iter().all(|count| counts.contains(count)));
        let all = masked(|image, draws| image.cut_out(20, draws));
        assert!(all.iter().all(|image| zeros(image) == 30));
    }

    #[test]
    fn stretches_are_of_every_length_up_to_the_largest() {
        for image in masked(|image, draws| image.mask_columns(2, draws)) {
            assert!(image.chunks(6).all(|row| row == &image[..6]));
            assert!(zeros(&image[..6]) <= 2);
        }
        let bands = masked(|image, draws| image.mask_rows(99, draws));
        let mut lengths: Vec<usize> = bands.iter().map(|image| zeros(image)).collect();
        lengths.sort_unstable();
        lengths.dedup();
        assert_eq!(lengths, [0, 6, 12, 18, 24, 30]);
    }
}
