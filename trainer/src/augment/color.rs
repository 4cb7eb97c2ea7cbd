//! torchvision's `ColorJitter`: brightness, contrast, saturation and hue, in an order that is drawn too.

use super::Image;
use super::draw::Draws;

/// The weights of red, green and blue in a pixel's grey.
const GREY: [f32; 3] = [0.2989, 0.587, 0.114];

/// What was drawn for one image. What changes nothing is none.
#[derive(Debug, PartialEq)]
pub(super) struct Jitter {
    order: [usize; 4],
    brightness: Option<f32>,
    contrast: Option<f32>,
    saturation: Option<f32>,
    hue: Option<f32>,
}

impl Jitter {
    /// Factors from `1 - x` (but not below 0) to `1 + x` for each x of `by`, and an angle of at most `hue` turns.
    pub(super) fn draw(by: [f64; 3], hue: f64, draws: &mut Draws) -> Jitter {
        let order = draws.shuffled();
        let mut factor = |x: f64| {
            let drawn = draws.within((1.0 - x).max(0.0), 1.0 + x) as f32;
            (x > 0.0).then_some(drawn)
        };
        let [brightness, contrast, saturation] = by.map(&mut factor);
        let turn = draws.within(-hue, hue) as f32;
        Jitter {
            order,
            brightness,
            contrast,
            saturation,
            hue: (hue > 0.0).then_some(turn),
        }
    }

    pub(super) fn apply(&self, image: &mut Image<'_>) {
        for change in self.order {
            match change {
                0 => image.brighten(self.brightness),
                1 => image.contrast(self.contrast),
                2 => image.saturate(self.saturation),
                _ => image.turn_hue(self.hue),
            }
        }
    }
}

impl Image<'_> {
    fn brighten(&mut self, factor: Option<f32>) {
        let Some(factor) = factor else { return };
        for pixel in self.pixels.iter_mut() {
            *pixel = blend(*pixel, 0.0, factor);
        }
    }

    /// Away from the mean of the image's grey, or towards it.
    fn contrast(&mut self, factor: Option<f32>) {
        let Some(factor) = factor else { return };
        let count = self.pixels.len().max(1) as f64;
        let mean = match self.colors() {
            Some([red, green, blue]) => {
                let greys = red.iter().zip(green.iter()).zip(blue.iter());
                let sum: f64 = greys.map(|((r, g), b)| f64::from(grey([*r, *g, *b]))).sum();
                sum / (count / 3.0)
            }
            None => self.pixels.iter().map(|pixel| f64::from(*pixel)).sum::<f64>() / count,
        };
        for pixel in self.pixels.iter_mut() {
            *pixel = blend(*pixel, mean as f32, factor);
        }
    }

    /// Away from each pixel's grey, or towards it. Without colours there is nothing to do.
    fn saturate(&mut self, factor: Option<f32>) {
        let Some(factor) = factor else { return };
        self.each_color(|color| {
            let grey = grey(color);
            color.map(|part| blend(part, grey, factor))
        });
    }

    fn turn_hue(&mut self, turn: Option<f32>) {
        let Some(turn) = turn else { return };
        self.each_color(|color| {
            let [hue, saturation, value] = hsv(color);
            let turned = hue + turn;
            rgb([turned - turned.floor(), saturation, value])
        });
    }

    fn each_color(&mut self, change: impl Fn([f32; 3]) -> [f32; 3]) {
        let Some([red, green, blue]) = self.colors() else {
            return;
        };
        for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
            [*r, *g, *b] = change([*r, *g, *b]);
        }
    }

    /// The planes of red, green and blue, where these are the channels.
    fn colors(&mut self) -> Option<[&mut [f32]; 3]> {
        if self.channels != 3 {
            return None;
        }
        let plane = self.height * self.width;
        let (red, rest) = self.pixels.split_at_mut(plane);
        let (green, blue) = rest.split_at_mut(plane);
        Some([red, green, blue])
    }
}

fn blend(one: f32, other: f32, share: f32) -> f32 {
    (share * one + (1.0 - share) * other).clamp(0.0, 1.0)
}

fn grey(color: [f32; 3]) -> f32 {
    GREY[0] * color[0] + GREY[1] * color[1] + GREY[2] * color[2]
}

fn hsv([r, g, b]: [f32; 3]) -> [f32; 3] {
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let range = most - least;
    if range == 0.0 {
        return [0.0, 0.0, most];
    }
    let from = |part: f32| (most - part) / range;
    let sector = if most == r {
        from(b) - from(g)
    } else if most == g {
        2.0 + from(r) - from(b)
    } else {
        4.0 + from(g) - from(r)
    };
    let hue = sector / 6.0;
    [hue - hue.floor(), range / most, most]
}

fn rgb([hue, saturation, value]: [f32; 3]) -> [f32; 3] {
    let place = hue * 6.0;
    let sector = place.floor();
    let rest = place - sector;
    let part = |share: f32| (value * (1.0 - saturation * share)).clamp(0.0, 1.0);
    let (p, q, t) = (part(1.0), part(rest), part(1.0 - rest));
    match sector as i32 {
        1 => [q, value, p],
        2 => [p, value, t],
        3 => [p, q, value],
        4 => [t, p, value],
        5 => [value, p, q],
        // 0, and 6, to which a hue just below 1 may round.
        _ => [value, t, p],
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scratch;
    use super::*;
    use mlp_data::random::Random;

    const NONE: Jitter = Jitter {
        order: [0, 1, 2, 3],
        brightness: None,
        contrast: None,
        saturation: None,
        hue: None,
    };

    /// An image of two pixels, channel by channel, changed.
    fn changed<const N: usize>(pixels: [f32; N], jitter: &Jitter) -> [f32; N] {
        let mut pixels = pixels;
        jitter.apply(&mut Image {
            channels: N / 2,
            height: 1,
            width: 2,
            pixels: &mut pixels,
            scratch: &mut Scratch::default(),
        });
        pixels
    }

    #[track_caller]
    fn near(found: &[f32], expected: &[f32]) {
        let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close && found.len() == expected.len(), "{found:?} {expected:?}");
    }

    #[test]
    fn each_is_torchvisions() {
        // Pixels (0.2, 0.6, 0.4) and (1.0, 0.5, 0.1).
        let image = [0.2, 1.0, 0.6, 0.5, 0.4, 0.1];
        let brighter = Jitter {
            brightness: Some(1.5),
            ..NONE
        };
        near(&changed(image, &brighter), &[0.3, 1.0, 0.9, 0.75, 0.6, 0.15]);
        // Greys 0.45758 and 0.6038, mean 0.53069.
        let flat = Jitter {
            contrast: Some(0.5),
            ..NONE
        };
        near(
            &changed(image, &flat),
            &[0.365_345, 0.765_345, 0.565_345, 0.515_345, 0.465_345, 0.315_345],
        );
        let grey = Jitter {
            saturation: Some(0.0),
            ..NONE
        };
        near(
            &changed(image, &grey),
            &[0.457_58, 0.6038, 0.457_58, 0.6038, 0.457_58, 0.6038],
        );
        // A third of a turn: red's part goes to green, green's to blue, blue's to red.
        let turned = Jitter {
            hue: Some(1.0 / 3.0),
            ..NONE
        };
        near(&changed(image, &turned), &[0.4, 0.1, 0.2, 1.0, 0.6, 0.5]);
    }

    #[test]
    fn grey_images_have_no_colours() {
        let all = Jitter {
            brightness: Some(2.0),
            contrast: Some(0.5),
            saturation: Some(0.0),
            hue: Some(0.3),
            ..NONE
        };
        near(&changed([0.1, 0.3], &all), &[0.3, 0.5]);
    }

    #[test]
    fn hues_come_back() {
        for color in [
            [0.1, 0.7, 0.3],
            [0.9, 0.2, 0.2],
            [0.0, 0.0, 1.0],
            [0.5, 0.5, 0.5],
            [0.0; 3],
        ] {
            near(&rgb(hsv(color)), &color);
        }
    }

    #[test]
    fn draws_are_within_their_bounds() {
        let stream = Random::new(1, "test");
        for index in 0..100 {
            let jitter = Jitter::draw([0.2, 2.0, 0.0], 0.1, &mut Draws::new(stream.child(index)));
            assert!((0.8..1.2).contains(&jitter.brightness.unwrap()));
            assert!((0.0..3.0).contains(&jitter.contrast.unwrap()));
            assert!((-0.1..0.1).contains(&jitter.hue.unwrap()));
            assert_eq!(jitter.saturation, None);
        }
    }
}
