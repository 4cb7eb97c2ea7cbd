//! Where pixels come from: mirrors, crops, turns, scales and moves, as torchvision has them. What comes from outside is 0,
//! and between pixels the nearest one is taken, which is torchvision's default.

use super::Image;
use super::draw::Draws;

/// The place that stands for none.
const OUTSIDE: u32 = u32::MAX;

/// From a place of the result, by its distance from the middle, to where it comes from: `[[a, b, c], [d, e, f]]` gives
/// `(a x + b y + c, d x + e y + f)`.
pub(super) type Inverse = [[f64; 3]; 2];

/// A turn by `degrees`, counter-clockwise.
pub(super) fn rotation(degrees: f64) -> Inverse {
    let angle = degrees.to_radians();
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    [[cos, -sin, 0.0], [sin, cos, 0.0]]
}

/// An enlargement by `factor`, which is above 0.
pub(super) fn scaling(factor: f64) -> Inverse {
    [[1.0 / factor, 0.0, 0.0], [0.0, 1.0 / factor, 0.0]]
}

impl Image<'_> {
    pub(super) fn mirror_columns(&mut self) {
        let width = self.width.max(1);
        self.pixels.chunks_exact_mut(width).for_each(<[f32]>::reverse);
    }

    pub(super) fn mirror_rows(&mut self) {
        let (height, width) = (self.height, self.width);
        for plane in self.planes() {
            for row in 0..height / 2 {
                let (upper, lower) = plane.split_at_mut((height - 1 - row) * width);
                upper[row * width..(row + 1) * width].swap_with_slice(&mut lower[..width]);
            }
        }
    }

    /// A window of the image's own size, out of the image with `padding` rows and columns of 0 at each side.
    pub(super) fn crop(&mut self, padding: [u32; 2], draws: &mut Draws) {
        let [above, left] = padding.map(|padding| padding as usize);
        let top = draws.below(2 * above + 1) as isize - above as isize;
        let left = draws.below(2 * left + 1) as isize - left as isize;
        self.shift(top, left);
    }

    /// torchvision's `RandomAffine(translate = (share, share))`: whole pixels, at most this share of the size.
    pub(super) fn translate(&mut self, share: f64, draws: &mut Draws) {
        let mut distance = |size: usize| {
            let most = share * size as f64;
            nearest(draws.within(-most, most)) as isize
        };
        let right = distance(self.width);
        let down = distance(self.height);
        self.shift(-down, -right);
    }

    /// Row i comes from row `i + top`, column j from column `j + left`.
    fn shift(&mut self, top: isize, left: isize) {
        if (top, left) == (0, 0) {
            return;
        }
        let (height, width) = (self.height, self.width);
        let mut before = std::mem::take(&mut self.scratch.pixels);
        // The columns that come from inside.
        let start = left.min(0).unsigned_abs().min(width);
        let end = width.saturating_sub(left.max(0).unsigned_abs()).max(start);
        for plane in self.planes() {
            before.clear();
            before.extend_from_slice(plane);
            for (index, row) in plane.chunks_exact_mut(width).enumerate() {
                let Some(from) = index.checked_add_signed(top).filter(|from| *from < height) else {
                    row.fill(0.0);
                    continue;
                };
                row[..start].fill(0.0);
                row[end..].fill(0.0);
                if end > start {
                    let first = from * width + start.saturating_add_signed(left);
                    row[start..end].copy_from_slice(&before[first..first + end - start]);
                }
            }
        }
        self.scratch.pixels = before;
    }

    /// Takes each pixel from where `inverse` says, about the middle.
    pub(super) fn warp(&mut self, inverse: &Inverse) {
        let (height, width) = (self.height, self.width);
        let mut places = std::mem::take(&mut self.scratch.places);
        places.clear();
        let middle = |size: usize| (size as f64 - 1.0) / 2.0;
        let (cx, cy) = (middle(width), middle(height));
        let [[a, b, c], [d, e, f]] = *inverse;
        for row in 0..height {
            let y = row as f64 - cy;
            for column in 0..width {
                let x = column as f64 - cx;
                let from_x = nearest(a * x + b * y + c + cx);
                let from_y = nearest(d * x + e * y + f + cy);
                let inside =
                    from_x >= 0.0 && from_y >= 0.0 && from_x < width as f64 && from_y < height as f64;
                let place = from_y * width as f64 + from_x;
                places.push(if inside { place as u32 } else { OUTSIDE });
            }
        }
        let mut before = std::mem::take(&mut self.scratch.pixels);
        for plane in self.planes() {
            before.clear();
            before.extend_from_slice(plane);
            for (pixel, place) in plane.iter_mut().zip(&places) {
                *pixel = before.get(*place as usize).copied().unwrap_or(0.0);
            }
        }
        (self.scratch.pixels, self.scratch.places) = (before, places);
    }
}

/// The nearest whole number, the even one of two: adding 1.5 * 2^52 leaves no bits for a fraction.
fn nearest(x: f64) -> f64 {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    (x + ROUND) - ROUND
}

#[cfg(test)]
mod tests {
    use super::super::Scratch;
    use super::*;

    /// An image of one channel, changed.
    fn changed<const N: usize>(
        height: usize,
        pixels: [f32; N],
        change: impl FnOnce(&mut Image<'_>),
    ) -> [f32; N] {
        let mut pixels = pixels;
        change(&mut Image {
            width: N / height,
            height,
            channels: 1,
            pixels: &mut pixels,
            scratch: &mut Scratch::default(),
        });
        pixels
    }

    #[test]
    fn mirrors() {
        let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(
            changed(2, image, |image| image.mirror_columns()),
            [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]
        );
        assert_eq!(
            changed(3, image, |image| image.mirror_rows()),
            [5.0, 6.0, 3.0, 4.0, 1.0, 2.0]
        );
    }

    #[test]
    fn shifts_bring_in_zeros() {
        let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let shifted = |top, left| changed(2, image, |image| image.shift(top, left));
        assert_eq!(shifted(0, 1), [2.0, 3.0, 0.0, 5.0, 6.0, 0.0]);
        assert_eq!(shifted(-1, 0), [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
        assert_eq!(shifted(1, -2), [0.0, 0.0, 4.0, 0.0, 0.0, 0.0]);
        assert_eq!(shifted(0, 3), [0.0; 6]);
        assert_eq!(shifted(0, -7), [0.0; 6]);
        assert_eq!(shifted(9, 0), [0.0; 6]);
    }

    #[test]
    fn a_quarter_turn_is_torchvisions() {
        // torchvision.transforms.functional.rotate([[1, 2, 3], [4, 5, 6], [7, 8, 9]], 90): counter-clockwise.
        let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        let turned = |degrees| changed(3, image, |image| image.warp(&rotation(degrees)));
        assert_eq!(turned(90.0), [3.0, 6.0, 9.0, 2.0, 5.0, 8.0, 1.0, 4.0, 7.0]);
        assert_eq!(turned(180.0), [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
        assert_eq!(turned(0.0), image);
        // By 45 degrees the corners of the result lie at the distance 1.41 of the middle's rows and columns: 1 by rounding.
        assert_eq!(turned(45.0), [2.0, 3.0, 6.0, 1.0, 5.0, 9.0, 4.0, 7.0, 8.0]);
    }

    #[test]
    fn scaling_is_about_the_middle() {
        let image: [f32; 16] = std::array::from_fn(|at| at as f32 + 1.0);
        // Twice as large: the four in the middle.
        let large = changed(4, image, |image| image.warp(&scaling(2.0)));
        assert_eq!(large[..8], [6.0, 6.0, 7.0, 7.0, 6.0, 6.0, 7.0, 7.0]);
        // Half as large: places 0.5 and 2.5 are halfway, and go to 0 and 2.
        let small = changed(4, image, |image| image.warp(&scaling(0.5)));
        let inside = [[5, 6], [9, 10]].map(|row| row.map(|at| small[at]));
        assert_eq!(inside, [[1.0, 3.0], [9.0, 11.0]]);
        assert_eq!(small.iter().filter(|pixel| **pixel == 0.0).count(), 12);
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let found = [0.5, 1.5, -0.5, -1.5, 2.4, -2.6].map(nearest);
        assert_eq!(found, [0.0, 2.0, 0.0, -2.0, 2.0, -3.0]);
    }
}
