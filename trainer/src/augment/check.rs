//! Whether augmentations fit the data. The language says it better, and earlier; a call may be written by hand.

use mlp_protocol::augment::Augment;
use mlp_protocol::data::{Schema, Target};
use mlp_protocol::message::{Failure, Outcome};
use mlp_protocol::train::Loss;

/// Checks the augmentations of a training.
///
/// # Errors
/// When one does not fit the examples or the loss, or a number of it is out of range.
pub(crate) fn check(augment: &[Augment], loss: &Loss, on: &Schema) -> Outcome<()> {
    let wrong =
        |message: String, help: &str| Err(Failure::new("B0207", message).argument("augment").help(help));
    let shape = match on.x.get("x").filter(|_| on.x.len() == 1) {
        _ if augment.is_empty() => return Ok(()),
        Some(shape) => shape,
        None => {
            return wrong(
                "augmentation is of a single input".to_string(),
                "leave `augment` out",
            );
        }
    };
    for step in augment {
        if let Some(message) = misfit(step, shape, loss, &on.y) {
            return wrong(message, "leave it out, or take one that fits");
        }
        let (name, holds) = bounds(step);
        if !holds {
            return wrong(format!("`{name}` is out of range"), "see `mlp doc augment`");
        }
    }
    Ok(())
}

fn misfit(step: &Augment, shape: &[Option<u64>], loss: &Loss, y: &Target) -> Option<String> {
    match (step, shape) {
        (Augment::GaussianNoise { .. }, _) => None,
        (Augment::Mixup { .. }, _) => match (loss, y) {
            (Loss::CrossEntropy { .. }, Target::Class { .. })
            | (Loss::BceWithLogits { .. }, Target::Tags { .. }) => None,
            _ => {
                let fits = "`loss.cross_entropy` of classes and `loss.bce_with_logits` of tags";
                Some(format!("mixed targets are for {fits}"))
            }
        },
        (Augment::RandomCrop { size, .. }, [_, height, width]) => {
            let found = [*height, *width].map(Option::unwrap_or_default);
            (size.map(u64::from) != found).then(|| {
                format!("a crop of {size:?} of images of {found:?}: the network takes images of one size")
            })
        }
        (_, [_, _, _]) => None,
        (_, shape) => Some(format!(
            "images are changed, and examples have the shape {shape:?}"
        )),
    }
}

/// A number of an augmentation, and whether it is in its range.
fn bounds(step: &Augment) -> (&'static str, bool) {
    match *step {
        Augment::HorizontalFlip { p } | Augment::VerticalFlip { p } => ("p", (0.0..=1.0).contains(&p)),
        Augment::Scale { lo, hi } => ("lo", lo > 0.0 && lo <= hi),
        Augment::Translate { share } => ("share", (0.0..=1.0).contains(&share)),
        Augment::ColorJitter {
            brightness,
            contrast,
            saturation,
            ..
        } if brightness.min(contrast).min(saturation) < 0.0 => ("brightness", false),
        Augment::ColorJitter { hue, .. } => ("hue", (0.0..=0.5).contains(&hue)),
        Augment::Mixup { alpha } => ("alpha", alpha > 0.0),
        Augment::GaussianNoise { std } => ("std", std >= 0.0),
        Augment::RandomCrop { .. }
        | Augment::Rotate { .. }
        | Augment::Cutout { .. }
        | Augment::TimeMask { .. }
        | Augment::FreqMask { .. } => ("size", true),
    }
}
