//! Files as PyTorch 2.11 wrote them, by `torch.save`: `files/`.

use super::*;
use mlp_protocol::net::{Input, Layer};
use std::path::PathBuf;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/weights/files")
        .join(name)
}

fn tensors(name: &str) -> BTreeMap<String, Stored> {
    read(&file(name)).unwrap()
}

fn floats(tensor: &Stored) -> Vec<f32> {
    converted(tensor, false).unwrap().to_f32()
}

#[test]
fn a_state_dict_is_read_in_both_formats() {
    for name in ["state_dict.pth", "legacy.pth"] {
        let found = tensors(name);
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "bn.num_batches_tracked",
                "bn.part",
                "bn.turned",
                "bn.weight",
                "fc.bias",
                "fc.weight"
            ]
        );
        assert_eq!(found["fc.weight"].shape, [2, 3]);
        assert_eq!(floats(&found["fc.weight"]), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
        assert_eq!(floats(&found["fc.bias"]), [1.0, -2.0], "half precision");
        assert_eq!(floats(&found["bn.weight"]), [0.5, 3.0], "bfloat16");
        assert_eq!(found["bn.turned"].shape, [3, 2]);
        assert_eq!(floats(&found["bn.turned"]), [0.0, 0.75, 0.25, 1.0, 0.5, 1.25]);
        assert_eq!(floats(&found["bn.part"]), [4.0, 5.0], "a part of its storage");
        let count = converted(&found["bn.num_batches_tracked"], true).unwrap();
        assert_eq!(count.to_i64(), [7]);
        assert!(count.shape.is_empty());
    }
}

#[test]
fn a_checkpoint_has_its_tensors_below_their_paths() {
    let found = below(tensors("checkpoint.pth"), "state_dict").unwrap();
    assert_eq!(floats(&found["fc.bias"]), [1.0, -2.0]);
    let Err(error) = below(tensors("checkpoint.pth"), "model") else {
        panic!()
    };
    assert_eq!(error.help.as_deref(), Some("its tensors begin with `state_dict`"));
}

#[test]
fn what_is_no_tensor_is_refused_by_name() {
    let why = |name: &str| read(&file(name)).err().unwrap().message;
    assert_eq!(
        why("module.pth"),
        "the file of `init` cannot be read: it refers to `torch.nn.modules.linear.Linear`, and only tensors are read"
    );
    assert_eq!(
        why("evil.pth"),
        "the file of `init` cannot be read: it refers to `posix.system`, and only tensors are read"
    );
}

#[test]
fn every_cut_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cut.pth");
    for name in ["state_dict.pth", "legacy.pth"] {
        let whole = std::fs::read(file(name)).unwrap();
        for cut in (0..whole.len()).step_by(7) {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(read(&path).is_err(), "{name} {cut}");
        }
    }
}

/// Bytes that are changed one by one: whatever comes of it, nothing panics.
#[test]
fn damaged_files_end_in_words() {
    let whole = std::fs::read(file("legacy.pth")).unwrap();
    for at in 0..whole.len() {
        for byte in [0, b'(', b'0', b'R', 0x85, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            let _ = torch_file::read(&damaged.into());
        }
    }
}

#[test]
fn half_precision_is_widened_without_loss() {
    for (bits, value) in [
        (0x3c00, 1.0),
        (0xc000, -2.0),
        (0x7bff, 65504.0),
        (0x0001, 5.960_464_5e-8),
        (0x0400, 6.103_515_6e-5),
        (0x7c00, f32::INFINITY),
    ] {
        assert_eq!(half(bits), value);
    }
    assert!(half(0x7e00).is_nan());
    assert!(half(0x8000).is_sign_negative());
}

fn net() -> Net {
    let named = |name: &str, layer: Layer| Layer::Named {
        name: name.to_owned(),
        layer: Box::new(layer),
    };
    let fc = Layer::Linear {
        in_features: 3,
        out_features: 2,
        bias: true,
    };
    let normalize = Layer::Normalize {
        mean: None,
        std: None,
        num_features: 1,
    };
    let layers = vec![named("normalize", normalize), named("fc", fc)];
    Net {
        input: Input::One(vec![Some(3)]),
        output: vec![2],
        root: Layer::Sequential { layers },
    }
}

fn weights(at: &str, skip: &[&str]) -> Init {
    Init::Weights {
        at: at.to_owned(),
        skip: skip.iter().map(|one| (*one).to_owned()).collect(),
    }
}

#[test]
fn a_network_takes_what_is_its_own() {
    // The file lacks what a normalization learns from the data.
    let found = taken(&file("state_dict.pth"), &weights("", &[]), &net()).unwrap();
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["fc.bias", "fc.weight"]);
    assert_eq!(found["fc.bias"].to_f32(), [1.0, -2.0]);
    let found = taken(
        &file("checkpoint.pth"),
        &weights("state_dict", &["fc.bias"]),
        &net(),
    )
    .unwrap();
    assert_eq!(found.len(), 1);
}

#[test]
fn what_is_lacking_or_of_another_shape_is_said_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("weights.safetensors");
    let said = |tensors: &[(&str, Array)]| {
        let tensors = tensors
            .iter()
            .map(|(name, array)| ((*name).to_owned(), array.clone()));
        safetensors::write(&path, &tensors.collect()).unwrap();
        taken(&path, &weights("", &[]), &net()).err().unwrap().message
    };
    let (bias, weight) = (
        Array::from_f32(vec![2], &[0.0; 2]),
        Array::from_f32(vec![3, 2], &[0.0; 6]),
    );
    assert_eq!(
        said(&[("fc.bias_", bias.clone()), ("fc.weight", weight)]),
        "the weights of `init` are not the network's: they lack `fc.bias` (there is `fc.bias_`); `fc.weight` has shape \
         [3, 2], the network's [2, 3]"
    );
    assert_eq!(
        said(&[("head.bias", bias)]),
        "the weights of `init` have no tensor of the network: they have `head.bias`, the network `fc.bias`, `fc.weight`"
    );
    let ids = Array::from_i64(vec![2], &[1, 2]);
    let weight = Array::from_f32(vec![2, 3], &[0.0; 6]);
    assert_eq!(
        said(&[("fc.bias", ids), ("fc.weight", weight)]),
        "tensor `fc.bias` of `init` has elements of I64, which is not what the network has"
    );
}
