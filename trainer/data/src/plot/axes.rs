//! Axes: from figures to pixels, with ticks at round numbers.

use super::svg::{Anchor, Svg};

/// The least ratio of the largest to the smallest figure from which an axis is logarithmic.
const DECADES: f64 = 100.0;

/// An axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    /// Whether ticks are whole numbers alone.
    whole: bool,
}

impl Axis {
    /// The axis from one figure to another.
    pub(super) fn of(low: f64, high: f64) -> Axis {
        Axis {
            low,
            high,
            logarithmic: false,
            whole: false,
        }
    }

    /// The same with ticks at whole numbers alone.
    pub(super) fn whole(self) -> Axis {
        Axis { whole: true, ..self }
    }

    /// An axis on which all `figures` lie, with room at both ends.
    pub(super) fn around(figures: impl Iterator<Item = f64> + Clone) -> Axis {
        let low = figures.clone().fold(f64::INFINITY, f64::min);
        let high = figures.fold(f64::NEG_INFINITY, f64::max);
        if !(low.is_finite() && high.is_finite()) {
            return Axis::of(0.0, 1.0);
        }
        if low > 0.0 && high / low >= DECADES {
            let room = libm::pow(high / low, 0.04);
            return Axis {
                low: low / room,
                high: high * room,
                logarithmic: true,
                whole: false,
            };
        }
        let room = match high - low {
            // A single figure stands in the middle.
            0.0 => (low.abs() * 0.1).max(0.5),
            span => span * 0.04,
        };
        Axis::of(low - room, high + room)
    }

    /// Where a figure lies, from 0 to 1.
    fn place(self, figure: f64) -> f64 {
        match self.logarithmic {
            true => {
                (libm::log10(figure) - libm::log10(self.low))
                    / (libm::log10(self.high) - libm::log10(self.low))
            }
            false => (figure - self.low) / (self.high - self.low),
        }
    }

    /// Round figures on it, and how they are written.
    fn ticks(self) -> Vec<(f64, String)> {
        if self.logarithmic {
            let first = libm::ceil(libm::log10(self.low)) as i32;
            let last = libm::floor(libm::log10(self.high)) as i32;
            let step = ((last - first) / 8 + 1) as usize;
            return (first..=last)
                .step_by(step)
                .map(|exponent| (libm::pow(10.0, f64::from(exponent)), format!("1e{exponent}")))
                .collect();
        }
        let least = if self.whole { 1.0 } else { 0.0 };
        let rough = ((self.high - self.low) / 6.0).max(least);
        let exponent = libm::floor(libm::log10(rough)) as i32;
        let power = libm::pow(10.0, f64::from(exponent));
        let step = [1.0, 2.0, 5.0]
            .into_iter()
            .find(|digit| digit * power >= rough)
            .unwrap_or(10.0)
            * power;
        let decimals = usize::try_from(-libm::floor(libm::log10(step * 1.000_001)) as i64).unwrap_or(0);
        let first = libm::ceil(self.low / step) as i64;
        let last = libm::floor(self.high / step) as i64;
        (first..=last)
            .map(|index| {
                let figure = index as f64 * step;
                let figure = if index == 0 { 0.0 } else { figure };
                let large = figure.abs() >= 1e6 || (decimals > 5 && figure != 0.0);
                let text = if large {
                    format!("{figure:.1e}")
                } else {
                    format!("{figure:.decimals$}")
                };
                (figure, text)
            })
            .collect()
    }
}

/// A field with two axes.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) x: Axis,
    pub(super) y: Axis,
    /// The upper left corner.
    pub(super) at: (f64, f64),
    pub(super) size: (f64, f64),
}

impl Field {
    /// Where a point lies.
    pub(super) fn point(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (
            self.at.0 + self.x.place(x) * self.size.0,
            self.at.1 + (1.0 - self.y.place(y)) * self.size.1,
        )
    }

    /// Draws the axes, with grid, figures and what they are of.
    pub(super) fn draw(&self, svg: &mut Svg, x_label: &str, y_label: &str) {
        let ((left, top), (width, height)) = (self.at, self.size);
        let (right, bottom) = (left + width, top + height);
        for (figure, text) in self.x.ticks() {
            let x = left + self.x.place(figure) * width;
            svg.line((x, top), (x, bottom), "#e0e0e0", false);
            svg.text((x, bottom + 16.0), Anchor::Middle, &text);
        }
        for (figure, text) in self.y.ticks() {
            let y = top + (1.0 - self.y.place(figure)) * height;
            svg.line((left, y), (right, y), "#e0e0e0", false);
            svg.text((left - 6.0, y + 4.0), Anchor::End, &text);
        }
        svg.path(
            &[(left, top), (left, bottom), (right, bottom)],
            "#000000",
            1.0,
            false,
        );
        svg.text((left + width / 2.0, bottom + 34.0), Anchor::Middle, x_label);
        svg.upright((left - 48.0, top + height / 2.0), y_label);
    }
}

/// The points of a line that one sees: those that lie apart by a tenth of a pixel, without what lies on a straight way.
pub(super) fn visible(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for point in points {
        let near = |other: &(f64, f64)| (other.0 - point.0).abs() < 0.1 && (other.1 - point.1).abs() < 0.1;
        if kept.last().is_some_and(near) {
            continue;
        }
        if let [.., before, last] = kept.as_slice()
            && ((before.0 == last.0 && last.0 == point.0) || (before.1 == last.1 && last.1 == point.1))
        {
            kept.pop();
        }
        kept.push(point);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_and_lie_within() {
        assert_eq!(texts(Axis::of(0.9, 3.1).whole()), ["1", "2", "3"]);
        assert_eq!(texts(Axis::of(1.0, 10.0).whole()), ["2", "4", "6", "8", "10"]);
        assert_eq!(
            texts(Axis::of(0.0, 1.0)),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(texts(Axis::of(1.0, 10.0)), ["2", "4", "6", "8", "10"]);
        assert_eq!(
            texts(Axis::of(-0.03, 0.07)),
            ["-0.02", "0.00", "0.02", "0.04", "0.06"]
        );
        assert_eq!(
            texts(Axis::around([1e-4, 0.1].into_iter())),
            ["1e-4", "1e-3", "1e-2", "1e-1"]
        );
        assert_eq!(texts(Axis::around([2.0, 2.0].into_iter())).len(), 5);
        assert_eq!(Axis::around([f64::NAN].into_iter()), Axis::of(0.0, 1.0));
    }

    #[test]
    fn what_one_does_not_see_is_left_out() {
        let points = [
            (0.0, 0.0),
            (0.0, 0.05),
            (0.0, 1.0),
            (0.0, 2.0),
            (3.0, 2.0),
            (4.0, 2.0),
            (5.0, 3.0),
        ];
        assert_eq!(
            visible(points.into_iter()),
            [(0.0, 0.0), (0.0, 2.0), (4.0, 2.0), (5.0, 3.0)]
        );
    }
}
