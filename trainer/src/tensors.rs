//! Between libtorch's tensors and the arrays of safetensors files.

use crate::error::Outcome;
use mlp_data::safetensors::{Array, Dtype};
use mlp_protocol::message::Failure;
use tch::{Kind, Tensor};

/// Copies a tensor out.
///
/// # Errors
/// When it is of a type that files do not hold.
pub(crate) fn to_array(tensor: &Tensor) -> Outcome<Array> {
    let dtype = match tensor.f_kind()? {
        Kind::Float => Dtype::F32,
        Kind::Double => Dtype::F64,
        Kind::Int64 => Dtype::I64,
        other => return Err(Failure::new("B0208", format!("a tensor of {other:?} cannot be kept")).into()),
    };
    let tensor = tensor.f_detach()?.f_contiguous()?;
    let mut bytes = vec![0; tensor.numel() * dtype.size()];
    tensor.f_copy_data_u8(&mut bytes, tensor.numel())?;
    Ok(Array {
        dtype,
        shape: tensor.size().into_iter().map(i64::cast_unsigned).collect(),
        bytes: bytes.into(),
    })
}

/// Makes a tensor.
///
/// # Errors
/// When libtorch has no memory for it.
pub(crate) fn from_array(array: &Array) -> Outcome<Tensor> {
    Ok(Tensor::f_from_data_size(
        &array.bytes,
        &shape(array),
        kind(array),
    )?)
}

fn kind(array: &Array) -> Kind {
    match array.dtype {
        Dtype::F32 => Kind::Float,
        Dtype::F64 => Kind::Double,
        Dtype::I64 => Kind::Int64,
        Dtype::U8 => Kind::Uint8,
    }
}

fn shape(array: &Array) -> Vec<i64> {
    array.shape.iter().map(|size| size.cast_signed()).collect()
}
