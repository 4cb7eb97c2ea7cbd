//! Dropout's masks, drawn for a place in the training: epoch, batch, shard, layer. No generator has a state that threads
//! could race for, validation could disturb, or a checkpoint would have to keep.

use crate::error::Outcome;
use mlp_data::random::Random;
use tch::Tensor;

/// The masks of one shard of one batch.
pub(crate) struct Masks {
    stream: Random,
}

impl Masks {
    /// The masks of shard `shard` of batch `batch` (both from 0) of `epoch`.
    pub(crate) fn new(seed: i64, epoch: u32, batch: u64, shard: usize) -> Masks {
        let stream = Random::new(seed, "dropout")
            .child(u64::from(epoch))
            .child(batch)
            .child(shard as u64);
        Masks { stream }
    }

    /// The mask `part` (from 0) of the layer at `index` of the network: 0 with probability `p`, else 1/(1-p).
    ///
    /// # Errors
    /// When libtorch has no memory for it.
    pub(crate) fn mask(&self, index: usize, part: usize, p: f64, shape: &[i64]) -> Outcome<Tensor> {
        let count = shape.iter().product::<i64>() as usize;
        let mut stream = self.stream.child(index as u64);
        if part > 0 {
            stream = stream.child(part as u64);
        }
        // Two elements a draw: 32 bits each are compared with p in units of 2^-32.
        let threshold = (p * f64::from(u32::MAX)) as u32;
        let keep = if p < 1.0 { (1.0 / (1.0 - p)) as f32 } else { 0.0 };
        let value = |bits: u32| if bits < threshold { 0.0 } else { keep };
        let mut mask = Vec::with_capacity(count + 1);
        while mask.len() < count {
            let bits = stream.bits();
            mask.push(value(bits as u32));
            mask.push(value((bits >> 32) as u32));
        }
        mask.truncate(count);
        Ok(Tensor::f_from_slice(&mask)?.f_view(shape)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_p_is_dropped_and_the_rest_scaled() {
        let mask = Masks::new(1, 1, 0, 0).mask(0, 0, 0.25, &[100, 101]).unwrap();
        let values: Vec<f32> = Vec::try_from(mask.view(-1)).unwrap();
        let dropped = values.iter().filter(|value| **value == 0.0).count();
        assert!((2300..2750).contains(&dropped), "{dropped}");
        assert!(values.iter().all(|value| *value == 0.0 || *value == 4.0 / 3.0));
    }

    #[test]
    fn each_place_has_its_own_mask() {
        let mask = |masks: Masks, layer, part| {
            Vec::<f32>::try_from(masks.mask(layer, part, 0.5, &[64]).unwrap()).unwrap()
        };
        let masks = [
            mask(Masks::new(1, 1, 0, 0), 0, 0),
            mask(Masks::new(2, 1, 0, 0), 0, 0),
            mask(Masks::new(1, 2, 0, 0), 0, 0),
            mask(Masks::new(1, 1, 1, 0), 0, 0),
            mask(Masks::new(1, 1, 0, 1), 0, 0),
            mask(Masks::new(1, 1, 0, 0), 1, 0),
            mask(Masks::new(1, 1, 0, 0), 1, 1),
        ];
        for (index, one) in masks.iter().enumerate() {
            assert!(masks[..index].iter().all(|other| other != one), "{index}");
        }
        assert_eq!(masks[0], mask(Masks::new(1, 1, 0, 0), 0, 0));
    }
}
