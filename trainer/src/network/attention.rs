//! Transformer encoders over [batch, length, features], as `torch.nn.TransformerEncoder` computes them (Vaswani et al.,
//! 2017), and the encoding of positions.

use super::Mode;
use super::forward::dropped;
use super::init::{FLOAT, Fresh, scale_and_shift, weight_and_bias};
use crate::error::Outcome;
use mlp_protocol::net::{Activation, Layer, Sequence};
use tch::{Kind, Tensor};

/// Fresh weights in PyTorch's order of drawing. Every layer of the stack begins with the same ones: PyTorch copies the
/// first.
///
/// # Errors
/// When libtorch has no memory for them.
pub(super) fn fresh(layer: &Layer) -> Outcome<Fresh> {
    let Layer::TransformerEncoder {
        d_model: d,
        dim_feedforward: wide,
        num_layers,
        ..
    } = *layer
    else {
        return Ok(Fresh::default());
    };
    let out_projection = weight_and_bias(&[d, d], d, false)?;
    // `xavier_uniform_` of a weight [3 d, d]. The bias of the output projection is drawn, and then set to zero.
    let _drawn = super::init::uniform(&[d], d)?;
    let bound = 3.0_f64.sqrt() * (2.0 / (4 * d) as f64).sqrt();
    let in_projection = Tensor::f_empty([3 * d, d], FLOAT)?.f_uniform_(-bound, bound)?;
    let mut first = vec![
        ("self_attn.in_proj_weight".to_owned(), in_projection),
        (
            "self_attn.in_proj_bias".to_owned(),
            Tensor::f_zeros(3 * d, FLOAT)?,
        ),
    ];
    let mut add = |path: &str, tensors: Vec<(String, Tensor)>| {
        first.extend(
            tensors
                .into_iter()
                .map(|(name, tensor)| (format!("{path}.{name}"), tensor)),
        );
    };
    add("self_attn.out_proj", out_projection.params);
    add(
        "self_attn.out_proj",
        Fresh::params([("bias", Tensor::f_zeros(d, FLOAT)?)]).params,
    );
    add("linear1", weight_and_bias(&[wide, d], d, true)?.params);
    add("linear2", weight_and_bias(&[d, wide], wide, true)?.params);
    add("norm1", Fresh::params(scale_and_shift(d)?).params);
    add("norm2", Fresh::params(scale_and_shift(d)?).params);
    let mut params = Vec::new();
    for layer in 0..num_layers {
        for (name, tensor) in &first {
            params.push((format!("layers.{layer}.{name}"), tensor.f_detach_copy()?));
        }
    }
    Ok(Fresh {
        params,
        buffers: vec![],
    })
}

/// Tensors of one layer of the stack, in the order of [`fresh`].
const TENSORS: usize = 12;
/// Masks of one layer of the stack.
const MASKS: usize = 4;

/// A layer of the stack under way.
struct Block<'a> {
    params: &'a [Tensor],
    nhead: i64,
    dropout: f64,
    activation: Activation,
    /// The layer's place in the network, and its first mask.
    index: usize,
    part: usize,
    mode: &'a Mode<'a>,
}

/// Runs the stack, which stands at `index` of the network.
///
/// # Errors
/// When libtorch throws.
pub(super) fn forward(
    layer: &Layer,
    params: &[Tensor],
    x: &Tensor,
    index: usize,
    mode: &Mode<'_>,
) -> Outcome<Tensor> {
    let mut x = x.shallow_clone();
    let Layer::TransformerEncoder {
        nhead,
        dropout,
        activation,
        norm_first,
        output,
        ..
    } = *layer
    else {
        return Ok(x);
    };
    for (number, params) in params.chunks(TENSORS).enumerate() {
        let block = Block {
            params,
            nhead,
            dropout,
            activation,
            index,
            part: number * MASKS,
            mode,
        };
        x = if norm_first {
            let x = x.f_add(&block.attention(&block.norm(&x, 8)?)?)?;
            x.f_add(&block.network(&block.norm(&x, 10)?)?)?
        } else {
            let x = block.norm(&x.f_add(&block.attention(&x)?)?, 8)?;
            block.norm(&x.f_add(&block.network(&x)?)?, 10)?
        };
    }
    Ok(match output {
        Sequence::All => x,
        Sequence::Mean => x.f_mean_dim(1, false, None)?,
        Sequence::Last => x.f_select(1, -1)?,
    })
}

impl Block<'_> {
    fn norm(&self, x: &Tensor, at: usize) -> Outcome<Tensor> {
        let (weight, bias) = (&self.params[at], &self.params[at + 1]);
        Ok(x.f_layer_norm(weight.size(), Some(weight), Some(bias), 1e-5, false)?)
    }

    fn dropped(&self, x: Tensor, part: usize) -> Outcome<Tensor> {
        dropped(x, self.index, self.part + part, self.dropout, self.mode)
    }

    /// Scaled dot-product attention of every element to every element, `nhead` times side by side.
    fn attention(&self, x: &Tensor) -> Outcome<Tensor> {
        let (batch, length, features) = x.size3()?;
        let head = features / self.nhead;
        // The length comes first, as inside of PyTorch's: it decides the order in which gradients of weights are summed.
        let projected = x
            .f_transpose(0, 1)?
            .f_linear(&self.params[0], Some(&self.params[1]))?;
        let heads = projected
            .f_view([length, batch, 3, self.nhead, head])?
            .f_permute([2, 1, 3, 0, 4])?;
        let [query, key, value] = [
            heads.f_select(0, 0)?,
            heads.f_select(0, 1)?,
            heads.f_select(0, 2)?,
        ];
        let is_random = matches!(self.mode, Mode::Training { .. }) && self.dropout > 0.0;
        let mixed = if is_random {
            // libtorch's own attention would draw its mask from the global generator.
            let scores = query
                .f_matmul(&key.f_transpose(-2, -1)?)?
                .f_div_scalar((head as f64).sqrt())?
                .f_softmax(-1, Kind::Float)?;
            self.dropped(scores, 0)?.f_matmul(&value)?
        } else {
            Tensor::f_scaled_dot_product_attention::<Tensor>(
                &query, &key, &value, None, 0.0, false, None, false,
            )?
        };
        let joined = mixed
            .f_permute([2, 0, 1, 3])?
            .f_reshape([length * batch, features])?;
        let output = joined
            .f_linear(&self.params[2], Some(&self.params[3]))?
            .f_view([length, batch, features])?;
        self.dropped(output.f_transpose(0, 1)?, 1)
    }

    /// Two linear layers for each element.
    fn network(&self, x: &Tensor) -> Outcome<Tensor> {
        let x = x.f_linear(&self.params[4], Some(&self.params[5]))?;
        let x = match self.activation {
            Activation::Relu => x.f_relu()?,
            Activation::Gelu => x.f_gelu("none")?,
        };
        let x = self.dropped(x, 2)?;
        self.dropped(x.f_linear(&self.params[6], Some(&self.params[7]))?, 3)
    }
}

/// `x` plus sin(position / 10000^(2i/d)) at even features and the cosine at odd ones.
///
/// # Errors
/// When libtorch throws.
pub(super) fn positions(x: &Tensor) -> Outcome<Tensor> {
    let (_, length, features) = x.size3()?;
    let double = (Kind::Double, x.device());
    let position = Tensor::f_arange(length, double)?.f_unsqueeze(1)?;
    let pair = Tensor::f_arange((features + 1) / 2, double)?;
    let rate = pair
        .f_mul_scalar(-2.0 * 10000.0_f64.ln() / features as f64)?
        .f_exp()?;
    let angle = position.f_mul(&rate)?;
    let waves = Tensor::f_stack(&[angle.f_sin()?, angle.f_cos()?], 2)?.f_flatten(1, 2)?;
    Ok(x.f_add(&waves.f_narrow(1, 0, features)?.f_to_kind(x.f_kind()?)?)?)
}
