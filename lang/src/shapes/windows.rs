//! Convolutions and pooling: windows that slide over height and width, or along a sequence.

use super::Dim;
use super::layer::Layer;
use super::report::{Problem, argument, mismatch};
use super::transfer::{Outcome, channels_first, count, divides, needed};
use crate::spec::Datum;

/// How a window slides along each of `N` dimensions.
struct Window<const N: usize> {
    kernel: [i64; N],
    stride: [i64; N],
    padding: [i64; N],
    dilation: [i64; N],
}

impl<const N: usize> Window<N> {
    /// The sizes after it went over `sizes`; what is not known stays so.
    fn slide(&self, layer: &Layer, sizes: [Dim; N]) -> Result<[Dim; N], Box<Problem>> {
        let mut output = sizes;
        for axis in 0..N {
            let Some(size) = sizes[axis] else { continue };
            output[axis] = Some(
                self.along(axis, size)
                    .ok_or_else(|| self.too_large(layer, sizes))?,
            );
        }
        Ok(output)
    }

    fn along(&self, axis: usize, size: i64) -> Option<i64> {
        let span = self.dilation[axis]
            .checked_mul(self.kernel[axis] - 1)?
            .checked_add(1)?;
        let room = self.padding[axis]
            .checked_mul(2)?
            .checked_add(size)?
            .checked_sub(span)?;
        (room >= 0).then(|| room / self.stride[axis] + 1)
    }

    fn too_large(&self, layer: &Layer, sizes: [Dim; N]) -> Box<Problem> {
        let shown = sizes.map(|size| size.map_or("?".to_owned(), |size| size.to_string()));
        let (kernel, shown) = (
            self.kernel.map(|size| size.to_string()).join(" x "),
            shown.join(" x "),
        );
        let message = format!(
            "the window of `{}`, {kernel}, is larger than its input, {shown}",
            layer.kind
        );
        let padded = if self.padding.iter().all(|padding| *padding == 0) {
            ""
        } else {
            ", padding included"
        };
        mismatch(
            layer,
            "E0312",
            message,
            format!("does not fit into {shown}{padded}"),
        )
        .of("kernel_size")
        .help("take a smaller `kernel_size`, more `padding`, or pool less before")
    }

    /// Elements under the window.
    fn area(&self) -> u128 {
        self.kernel
            .iter()
            .fold(1, |area: u128, size| area.saturating_mul(*size as u128))
    }
}

fn window2d(layer: &Layer) -> Result<Window<2>, Box<Problem>> {
    Ok(Window {
        kernel: layer.pair("kernel_size", 1)?,
        stride: layer.pair("stride", 1)?,
        padding: layer.pair("padding", 0)?,
        dilation: layer.pair("dilation", 1)?,
    })
}

fn window1d(layer: &Layer) -> Result<Window<1>, Box<Problem>> {
    Ok(Window {
        kernel: [layer.size("kernel_size", 1)?],
        stride: [layer.size("stride", 1)?],
        padding: [layer.size("padding", 0)?],
        dilation: [layer.size("dilation", 1)?],
    })
}

fn image<'a>(layer: &Layer, input: &'a [Dim]) -> Result<&'a [Dim; 3], Box<Problem>> {
    channels_first(layer, input, "images", "height, width")
}

fn series<'a>(layer: &Layer, input: &'a [Dim]) -> Result<&'a [Dim; 2], Box<Problem>> {
    channels_first(layer, input, "sequences", "length")
}

/// What every convolution has: channels in and out, groups, a bias.
struct Channels {
    input: i64,
    output: i64,
    groups: i64,
    bias: bool,
}

impl Channels {
    fn of(layer: &Layer, input: &[Dim]) -> Result<Self, Box<Problem>> {
        let rest = ", …".repeat(input.len() - 1);
        let expected = |size| format!("[batch, {size}{rest}]");
        let channels = Self {
            output: layer.size("out_channels", 1)?,
            groups: layer.size("groups", 1)?,
            input: needed(layer, "in_channels", input[0], expected, input)?,
            bias: layer.flag("bias"),
        };
        let grouped = [
            ("the channels that come in", channels.input),
            ("`out_channels`", channels.output),
        ];
        divides(layer, "groups", channels.groups, &grouped)?;
        Ok(channels)
    }

    /// Weights and biases of a convolution with windows of `area`.
    fn parameters(&self, area: u128) -> u128 {
        let weights = area
            .saturating_mul((self.input / self.groups) as u128)
            .saturating_mul(self.output as u128);
        weights.saturating_add(if self.bias { self.output as u128 } else { 0 })
    }

    /// Each element that comes out is a sum over a window of the group's channels, and a bias.
    fn flops(&self, area: u128, output: &[Dim]) -> Option<u128> {
        let sum = area.saturating_mul(2 * (self.input / self.groups) as u128);
        Some(count(output)?.saturating_mul(sum.saturating_add(u128::from(self.bias))))
    }

    fn write(&self, outcome: Outcome) -> Outcome {
        outcome
            .int("in_channels", self.input)
            .int("out_channels", self.output)
            .int("groups", self.groups)
            .flag("bias", self.bias)
    }
}

pub(super) fn conv2d(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let image = image(layer, input)?;
    let window = window2d(layer)?;
    let channels = Channels::of(layer, input)?;
    let [height, width] = window.slide(layer, [image[1], image[2]])?;
    let output = vec![Some(channels.output), height, width];
    let (parameters, flops) = (
        channels.parameters(window.area()),
        channels.flops(window.area(), &output),
    );
    Ok(channels
        .write(Outcome::new(output, parameters, flops))
        .pair("kernel_size", window.kernel)
        .pair("stride", window.stride)
        .pair("padding", window.padding)
        .pair("dilation", window.dilation))
}

pub(super) fn conv1d(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let series = series(layer, input)?;
    let window = window1d(layer)?;
    let channels = Channels::of(layer, input)?;
    let [length] = window.slide(layer, [series[1]])?;
    let output = vec![Some(channels.output), length];
    let (parameters, flops) = (
        channels.parameters(window.area()),
        channels.flops(window.area(), &output),
    );
    Ok(channels
        .write(Outcome::new(output, parameters, flops))
        .int("kernel_size", window.kernel[0])
        .int("stride", window.stride[0])
        .int("padding", window.padding[0])
        .int("dilation", window.dilation[0]))
}

pub(super) fn conv_transpose2d(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let image = image(layer, input)?;
    let window = window2d(layer)?;
    let extra = layer.pair("output_padding", 0)?;
    if (0..2).any(|axis| extra[axis] >= window.stride[axis].max(window.dilation[axis])) {
        let label = "must be smaller than `stride` or `dilation`";
        return Err(argument(layer, "output_padding", "is too large", label));
    }
    let channels = Channels::of(layer, input)?;
    let mut output = vec![Some(channels.output)];
    for axis in 0..2 {
        let size = image[axis + 1].map(|size| {
            (size - 1) * window.stride[axis] - 2 * window.padding[axis]
                + window.dilation[axis] * (window.kernel[axis] - 1)
                + extra[axis]
                + 1
        });
        if size.is_some_and(|size| size < 1) {
            let message = "nothing is left of the output of `conv_transpose2d`";
            return Err(mismatch(layer, "E0312", message, "takes all of it away").of("padding"));
        }
        output.push(size);
    }
    // Each element that comes in goes through a window of the group's channels that come out.
    let sums = window
        .area()
        .saturating_mul(2 * (channels.output / channels.groups) as u128);
    let biases = if channels.bias { count(&output) } else { Some(0) };
    let flops = count(input)
        .zip(biases)
        .map(|(inputs, biases)| inputs.saturating_mul(sums).saturating_add(biases));
    let parameters = channels.parameters(window.area());
    Ok(channels
        .write(Outcome::new(output, parameters, flops))
        .pair("kernel_size", window.kernel)
        .pair("stride", window.stride)
        .pair("padding", window.padding)
        .pair("output_padding", extra)
        .pair("dilation", window.dilation))
}

/// The padding of pooling: PyTorch's rule.
fn pooled<const N: usize>(layer: &Layer, window: &Window<N>) -> Result<(), Box<Problem>> {
    match (0..N).any(|axis| window.padding[axis] * 2 > window.kernel[axis]) {
        true => Err(argument(
            layer,
            "padding",
            "is too large",
            "at most half of `kernel_size`",
        )),
        false => Ok(()),
    }
}

fn pool<const N: usize>(window: &Window<N>, channels: Dim, sizes: [Dim; N]) -> Outcome {
    let mut output = vec![channels];
    output.extend(sizes);
    let flops = count(&output).map(|count| count.saturating_mul(window.area()));
    Outcome::new(output, 0, flops)
}

pub(super) fn pool2d(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let image = image(layer, input)?;
    let window = window2d(layer)?;
    pooled(layer, &window)?;
    let sizes = window.slide(layer, [image[1], image[2]])?;
    Ok(pool(&window, image[0], sizes)
        .pair("kernel_size", window.kernel)
        .pair("stride", window.stride)
        .pair("padding", window.padding))
}

pub(super) fn pool1d(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let series = series(layer, input)?;
    let window = window1d(layer)?;
    pooled(layer, &window)?;
    let sizes = window.slide(layer, [series[1]])?;
    Ok(pool(&window, series[0], sizes)
        .int("kernel_size", window.kernel[0])
        .int("stride", window.stride[0])
        .int("padding", window.padding[0]))
}

pub(super) fn adaptive_pool2d(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let image = image(layer, input)?;
    let size = layer.pair("output_size", 1)?;
    let output = vec![image[0], Some(size[0]), Some(size[1])];
    Ok(Outcome::new(output, 0, count(input)).pair("output_size", size))
}

pub(super) fn adaptive_pool1d(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let series = series(layer, input)?;
    let size = layer.size("output_size", 1)?;
    Ok(Outcome::new(vec![series[0], Some(size)], 0, count(input)).int("output_size", size))
}

pub(super) fn upsample(layer: &Layer, input: &[Dim]) -> Result<Outcome, Box<Problem>> {
    let image = image(layer, input)?;
    let factor = layer.pair("scale_factor", 1)?;
    let mode = layer.choice("mode").unwrap_or_else(|| "nearest".to_owned());
    let mut output = vec![image[0]];
    output.extend((0..2).map(|axis| image[axis + 1].map(|size| size.saturating_mul(factor[axis]))));
    // A bilinear element is a weighted sum of four.
    let operations = if mode == "bilinear" { 8 } else { 0 };
    let flops = count(&output).map(|count| count.saturating_mul(operations));
    Ok(Outcome::new(output, 0, flops)
        .pair("scale_factor", factor)
        .with("mode", Datum::Str(mode.into())))
}
