//! Between libtorch's tensors and the arrays of safetensors files.

#![expect(unsafe_code, reason = "a tensor over memory that libtorch does not own")]

use crate::error::Outcome;
use mlp_data::safetensors::{Array, Dtype};
use mlp_protocol::message::Failure;
use tch::{Device, Kind, Tensor};

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

/// A tensor over an array's own memory, which may be a file's: it holds as long as that does.
pub(crate) struct View {
    tensor: Tensor,
    array: Array,
}

impl View {
    /// A view of `array`.
    ///
    /// # Errors
    /// When libtorch has no memory for it.
    pub(crate) fn of(array: Array) -> Outcome<View> {
        let start = array.bytes.as_ptr();
        let tensor = if start.align_offset(array.dtype.size()) == 0 && !array.bytes.is_empty() {
            let shape = shape(&array);
            let mut strides = vec![1; shape.len()];
            for at in (1..shape.len()).rev() {
                strides[at - 1] = strides[at] * shape[at];
            }
            // SAFETY: the array has as many bytes as its shape says, stays where it is as long as the view does, and
            // nobody writes to the tensor, which this module never gives away but for reading.
            unsafe { Tensor::f_from_blob(start, &shape, &strides, kind(&array), Device::Cpu)? }
        } else {
            from_array(&array)?
        };
        Ok(View { tensor, array })
    }

    /// The tensor, for reading.
    pub(crate) fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    /// Another view of the same memory, for another thread.
    pub(crate) fn handle(&self) -> View {
        View {
            tensor: self.tensor.shallow_clone(),
            array: self.array.clone(),
        }
    }
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
