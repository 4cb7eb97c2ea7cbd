//! The pass on trees built by hand; messages are tested on whole pipelines.

use super::{Dim, Input, Layer, Network, Site, infer, table};
use crate::source::{SourceId, Span};
use crate::spec::Datum;
use std::collections::BTreeMap;

fn span(at: u32) -> Span {
    Span {
        source: SourceId(0),
        start: at,
        end: at + 1,
    }
}

fn layer(kind: &str, args: &[(&str, Datum)]) -> Layer {
    let args: BTreeMap<_, _> = args
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let arguments = args.keys().map(|name| (name.clone(), span(1))).collect();
    Layer {
        kind: kind.to_owned(),
        args,
        children: Vec::new(),
        graph: None,
        site: Site {
            span: span(0),
            arguments,
            notes: Vec::new(),
        },
    }
}

fn int(value: i64) -> Datum {
    Datum::Int(value)
}

fn pair(height: i64, width: i64) -> Datum {
    Datum::List(vec![int(height), int(width)])
}

fn within(kind: &str, args: &[(&str, Datum)], children: Vec<Layer>) -> Layer {
    Layer {
        children,
        ..layer(kind, args)
    }
}

fn run(shape: &[Dim], root: &Layer) -> Result<Network, String> {
    let input = Input {
        shape: shape.to_vec(),
        span: span(9),
    };
    infer(root, &input).map_err(|error| format!("{} {}", error.code, error.message))
}

fn image(root: &Layer) -> Result<Vec<i64>, String> {
    run(&[Some(3), Some(32), Some(28)], root).map(|network| network.output)
}

#[test]
fn convolutions_slide_as_in_pytorch() {
    let conv = |extra: &[(&str, Datum)]| {
        let mut args = vec![
            ("out_channels", int(6)),
            ("kernel_size", int(3)),
            ("bias", Datum::Bool(true)),
        ];
        args.extend(extra.iter().cloned());
        image(&layer("conv2d", &args))
    };
    assert_eq!(conv(&[]), Ok(vec![6, 30, 26]));
    assert_eq!(conv(&[("padding", int(1))]), Ok(vec![6, 32, 28]));
    assert_eq!(conv(&[("stride", pair(2, 3))]), Ok(vec![6, 15, 9]));
    assert_eq!(
        conv(&[("dilation", int(2)), ("padding", pair(1, 2))]),
        Ok(vec![6, 30, 28])
    );
    assert_eq!(conv(&[("groups", int(3))]), Ok(vec![6, 30, 26]));
    assert_eq!(
        conv(&[("groups", int(2))]),
        Err("E0313 `groups` is 2, which does not divide the channels that come in, 3".to_owned())
    );
    assert_eq!(
        conv(&[("dilation", int(16))]),
        Err("E0312 the window of `conv2d`, 3 x 3, is larger than its input, 32 x 28".to_owned())
    );
    assert_eq!(
        conv(&[("stride", int(0))]),
        Err("E0316 `stride` of `conv2d` is 0".to_owned())
    );
    assert_eq!(
        conv(&[("padding", Datum::List(vec![int(1)]))]),
        Err("E0316 `padding` of `conv2d` is a list of 1".to_owned())
    );
}

#[test]
fn flatten_merges_from_its_start() {
    assert_eq!(image(&layer("flatten", &[])), Ok(vec![2688]));
    assert_eq!(
        image(&layer("flatten", &[("start_dim", int(2))])),
        Ok(vec![3, 896])
    );
    assert_eq!(
        image(&layer("flatten", &[("start_dim", int(0))])),
        Err("E0316 `start_dim` of `flatten` is 0".to_owned())
    );
}

#[test]
fn a_network_has_a_table() {
    let root = within(
        "sequential",
        &[],
        vec![
            layer(
                "conv2d",
                &[
                    ("out_channels", int(8)),
                    ("kernel_size", int(3)),
                    ("bias", Datum::Bool(true)),
                    ("padding", int(1)),
                ],
            ),
            layer(
                "batch_norm",
                &[("eps", Datum::Float(1e-5)), ("momentum", Datum::Float(0.1))],
            ),
            layer("relu", &[]),
            layer(
                "max_pool2d",
                &[("kernel_size", int(2)), ("stride", int(2)), ("padding", int(0))],
            ),
            layer("flatten", &[]),
            within(
                "named",
                &[("name", Datum::Str("head".to_owned()))],
                vec![layer(
                    "linear",
                    &[("out_features", int(10)), ("bias", Datum::Bool(true))],
                )],
            ),
        ],
    );
    let network = run(&[Some(1), Some(8), Some(8)], &root).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(network.output, [10]);
    insta::assert_snapshot!(table(&network.rows), @r"
    layer  kind        output            parameters  FLOPs
    0      conv2d      [batch, 8, 8, 8]          80   9728
    1      batch_norm  [batch, 8, 8, 8]          16   2048
    2      relu        [batch, 8, 8, 8]           0    512
    3      max_pool2d  [batch, 8, 4, 4]           0    512
    4      flatten     [batch, 128]               0      0
    head   linear      [batch, 10]             1290   2570
           total                               1386  15370
    ");
}

#[test]
fn a_size_that_is_not_known_may_be_said_by_the_first_layer() {
    let linear = |args: &[(&str, Datum)]| {
        let mut all = vec![("out_features", int(2)), ("bias", Datum::Bool(true))];
        all.extend(args.iter().cloned());
        run(&[None], &layer("linear", &all)).map(|network| (network.input, network.output))
    };
    assert_eq!(linear(&[("in_features", int(7))]), Ok((vec![7], vec![2])));
    assert_eq!(
        linear(&[]),
        Err("E0315 the size of the input of `linear` is not known".to_owned())
    );
}

#[test]
fn sizes_that_overflow_are_refused() {
    let huge = layer(
        "linear",
        &[("out_features", int(i64::MAX)), ("bias", Datum::Bool(true))],
    );
    assert_eq!(
        run(&[Some(7)], &huge).map(|network| network.output),
        Err("E0316 `out_features` of `linear` is 9223372036854775807".to_owned())
    );
}

#[test]
fn names_of_layers_are_told_apart() {
    let named = |name: &str| {
        within(
            "named",
            &[("name", Datum::Str(name.to_owned()))],
            vec![layer("relu", &[])],
        )
    };
    let twice = within("sequential", &[], vec![named("a"), named("a")]);
    let said = run(&[Some(7)], &twice).map(|network| network.output);
    assert_eq!(
        said,
        Err("E0316 `name` of `named` is \"a\" for two layers of one sequential".to_owned())
    );
    let said = run(&[Some(7)], &named("a.b")).map(|network| network.output);
    assert_eq!(said, Err("E0316 `name` of `named` is \"a.b\"".to_owned()));
}
