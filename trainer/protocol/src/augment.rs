//! Random changes of training examples.

use serde::{Deserialize, Deserializer, Serialize};

/// A random change of each training example, drawn anew in every epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the fields are torchvision's, each documented in the standard library"
)]
pub enum Augment {
    HorizontalFlip {
        p: f64,
    },
    VerticalFlip {
        p: f64,
    },
    RandomCrop {
        #[serde(deserialize_with = "pair")]
        size: [u32; 2],
        #[serde(deserialize_with = "pair")]
        padding: [u32; 2],
    },
    Rotate {
        degrees: f64,
    },
    Scale {
        lo: f64,
        hi: f64,
    },
    Translate {
        share: f64,
    },
    ColorJitter {
        brightness: f64,
        contrast: f64,
        saturation: f64,
        hue: f64,
    },
    Cutout {
        size: u32,
    },
    /// Mixes each example and its target with another example of the training set.
    Mixup {
        alpha: f64,
    },
    TimeMask {
        max: u32,
    },
    FreqMask {
        max: u32,
    },
    GaussianNoise {
        std: f64,
    },
}

impl Augment {
    /// Whether it changes targets too.
    pub fn mixes(&self) -> bool {
        matches!(self, Self::Mixup { .. })
    }
}

/// One number for height and width, or the two.
fn pair<'de, D: Deserializer<'de>>(from: D) -> Result<[u32; 2], D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Size {
        Same(u32),
        Each([u32; 2]),
    }
    Ok(match Size::deserialize(from)? {
        Size::Same(size) => [size, size],
        Size::Each(sizes) => sizes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pair_is_one_number_or_two() {
        let read = |size| {
            let augment = json!({ "kind": "random_crop", "size": size, "padding": 2 });
            serde_json::from_value::<Augment>(augment)
        };
        let crop = |size| Augment::RandomCrop {
            size,
            padding: [2, 2],
        };
        assert_eq!(read(json!(8)).unwrap(), crop([8, 8]));
        assert_eq!(read(json!([8, 6])).unwrap(), crop([8, 6]));
        assert!(read(json!(-1)).is_err() && read(json!([8])).is_err());
    }
}
