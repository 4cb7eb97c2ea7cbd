//! The pass on trees built by hand; messages are tested on whole pipelines.

use super::{Dim, Features, Input, Layer, Network, Signal, Site, infer, table};
use crate::source::{SourceId, Span};
use crate::spec::{ByName, Datum, Fields};

fn span(at: u32) -> Span {
    Span {
        source: SourceId(0),
        start: at,
        end: at + 1,
    }
}

fn layer(kind: &str, args: &[(&str, Datum)]) -> Layer {
    let args: Fields = args
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let arguments = args.keys().map(|name| (name.clone(), span(1))).collect();
    Layer {
        kind: kind.into(),
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

fn sizes(shape: &[i64]) -> Vec<Dim> {
    shape.iter().copied().map(Some).collect()
}

fn pair(height: i64, width: i64) -> Datum {
    Datum::List(vec![int(height), int(width)])
}

fn within(kind: &str, args: &[(&str, Datum)], children: Vec<Layer>) -> Layer {
    let children = children.into_iter().enumerate();
    Layer {
        children: children
            .map(|(index, child)| (index.to_string(), child))
            .collect(),
        ..layer(kind, args)
    }
}

fn named(name: &str, child: Layer) -> Layer {
    Layer {
        children: vec![("layer".to_owned(), child)],
        ..layer("named", &[("name", Datum::Str(name.into()))])
    }
}

fn run(shape: &[Dim], root: &Layer) -> Result<Network, String> {
    fed(&Features::One(Signal::numbers(shape.to_vec())), root)
}

fn fed(features: &Features, root: &Layer) -> Result<Network, String> {
    let input = Input {
        features: features.clone(),
        span: span(9),
    };
    infer(root, &input).map_err(|error| format!("{} {}", error.code, error.message))
}

fn image(root: &Layer) -> Result<Vec<Dim>, String> {
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
    assert_eq!(conv(&[]), Ok(sizes(&[6, 30, 26])));
    assert_eq!(conv(&[("padding", int(1))]), Ok(sizes(&[6, 32, 28])));
    assert_eq!(conv(&[("stride", pair(2, 3))]), Ok(sizes(&[6, 15, 9])));
    assert_eq!(
        conv(&[("dilation", int(2)), ("padding", pair(1, 2))]),
        Ok(sizes(&[6, 30, 28]))
    );
    assert_eq!(conv(&[("groups", int(3))]), Ok(sizes(&[6, 30, 26])));
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
    assert_eq!(image(&layer("flatten", &[])), Ok(sizes(&[2688])));
    assert_eq!(
        image(&layer("flatten", &[("start_dim", int(2))])),
        Ok(sizes(&[3, 896]))
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
            named(
                "head",
                layer(
                    "linear",
                    &[("out_features", int(10)), ("bias", Datum::Bool(true))],
                ),
            ),
        ],
    );
    let network = run(&[Some(1), Some(8), Some(8)], &root).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(network.output, [Some(10)]);
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
    let seven = Features::One(Signal::numbers(sizes(&[7])));
    assert_eq!(linear(&[("in_features", int(7))]), Ok((seven, sizes(&[2]))));
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
    let called = |name: &str| named(name, layer("relu", &[]));
    let twice = within("sequential", &[], vec![called("a"), called("a")]);
    let said = run(&[Some(7)], &twice).map(|network| network.output);
    assert_eq!(
        said,
        Err("E0316 `name` of `named` is \"a\" for two layers that stand side by side".to_owned())
    );
    let said = run(&[Some(7)], &called("a.b")).map(|network| network.output);
    assert_eq!(said, Err("E0316 `name` of `named` is \"a.b\"".to_owned()));
}

/// The last layer's output and parameters, over numbers or token ids.
fn last(features: &Features, root: &Layer) -> Result<(Vec<Dim>, u64), String> {
    let network = fed(features, root)?;
    let parameters = network.rows.iter().map(|row| row.parameters.unwrap_or(0)).sum();
    Ok((network.output, parameters))
}

fn numbers(shape: &[i64]) -> Features {
    Features::One(Signal::numbers(sizes(shape)))
}

fn flag(value: bool) -> Datum {
    Datum::Bool(value)
}

fn choice(name: &str) -> Datum {
    Datum::Variant(name.into(), ByName::new())
}

/// The examples of PyTorch's documentation.
#[test]
fn windows_are_pytorchs() {
    let of = |shape: &[i64], kind: &str, args: &[(&str, Datum)]| {
        let mut all = vec![("bias", flag(true))];
        all.extend(args.iter().cloned());
        last(&numbers(shape), &layer(kind, &all))
    };
    let conv = [
        ("out_channels", int(33)),
        ("kernel_size", pair(3, 5)),
        ("stride", pair(2, 1)),
        ("padding", pair(4, 2)),
    ];
    let mut dilated = conv.to_vec();
    dilated.push(("dilation", pair(3, 1)));
    assert_eq!(
        of(&[16, 50, 100], "conv2d", &dilated),
        Ok((sizes(&[33, 26, 100]), 7953))
    );
    assert_eq!(
        of(&[16, 50, 100], "conv_transpose2d", &conv),
        Ok((sizes(&[33, 93, 100]), 7953))
    );
    let conv = [
        ("out_channels", int(33)),
        ("kernel_size", int(3)),
        ("stride", int(2)),
    ];
    assert_eq!(of(&[16, 50], "conv1d", &conv), Ok((sizes(&[33, 24]), 1617)));
    let pool = [("kernel_size", pair(3, 2)), ("stride", pair(2, 1))];
    assert_eq!(
        of(&[16, 50, 32], "max_pool2d", &pool),
        Ok((sizes(&[16, 24, 31]), 0))
    );
    let pool = [("kernel_size", int(3)), ("stride", int(2))];
    assert_eq!(of(&[16, 50], "avg_pool1d", &pool), Ok((sizes(&[16, 24]), 0)));
    let size = [("output_size", pair(5, 7))];
    assert_eq!(
        of(&[64, 8, 9], "adaptive_avg_pool2d", &size),
        Ok((sizes(&[64, 5, 7]), 0))
    );
    let twice = [("scale_factor", int(2))];
    assert_eq!(of(&[1, 2, 3], "upsample", &twice), Ok((sizes(&[1, 4, 6]), 0)));
    let double = [
        ("out_channels", int(8)),
        ("kernel_size", int(2)),
        ("stride", int(2)),
    ];
    assert_eq!(
        of(&[16, 7, 7], "conv_transpose2d", &double),
        Ok((sizes(&[8, 14, 14]), 520))
    );
}

#[test]
fn sequences_are_pytorchs() {
    let of = |kind: &str, args: &[(&str, Datum)]| last(&numbers(&[5, 10]), &layer(kind, args));
    let two = [("hidden_size", int(20)), ("num_layers", int(2))];
    assert_eq!(of("lstm", &two), Ok((sizes(&[5, 20]), 5920)));
    let both = [
        ("hidden_size", int(20)),
        ("num_layers", int(2)),
        ("bidirectional", flag(true)),
        ("output", choice("Last")),
    ];
    assert_eq!(of("lstm", &both), Ok((sizes(&[40]), 15_040)));
    let mean = [("hidden_size", int(20)), ("output", choice("Mean"))];
    assert_eq!(of("gru", &mean), Ok((sizes(&[20]), 1920)));
    let wrong = [("hidden_size", int(20)), ("input_size", int(9))];
    assert_eq!(
        of("gru", &wrong),
        Err("E0310 shape mismatch: `input_size` is 9, but 10 come in".to_owned())
    );
    let encoder = |model: i64, heads: i64| {
        let args = [
            ("d_model", int(model)),
            ("nhead", int(heads)),
            ("num_layers", int(6)),
            ("dim_feedforward", int(2048)),
        ];
        last(&numbers(&[7, 512]), &layer("transformer_encoder", &args))
    };
    assert_eq!(encoder(512, 8), Ok((sizes(&[7, 512]), 6 * 3_152_384)));
    assert_eq!(
        encoder(256, 8),
        Err("E0310 shape mismatch: `d_model` is 256, but 512 features come in".to_owned())
    );
    assert_eq!(
        encoder(512, 7),
        Err("E0313 `nhead` is 7, which does not divide `d_model`, 512".to_owned())
    );
}

#[test]
fn token_ids_go_through_an_embedding() {
    let ids = || {
        Features::One(Signal {
            shape: sizes(&[12]),
            ids: true,
        })
    };
    let embedding = || {
        layer(
            "embedding",
            &[("num_embeddings", int(1000)), ("embedding_dim", int(16))],
        )
    };
    assert_eq!(last(&ids(), &embedding()), Ok((sizes(&[12, 16]), 16_000)));
    let text = within(
        "sequential",
        &[],
        vec![
            embedding(),
            layer("positional_encoding", &[]),
            layer("layer_norm", &[]),
        ],
    );
    assert_eq!(last(&ids(), &text), Ok((sizes(&[12, 16]), 16_032)));
    assert_eq!(
        last(&ids(), &layer("relu", &[])),
        Err("E0311 `relu` works on numbers, and token ids come in".to_owned())
    );
    assert_eq!(
        last(&numbers(&[12]), &embedding()),
        Err("E0311 `embedding` takes token ids, and numbers come in: [batch, 12]".to_owned())
    );
}

#[test]
fn what_is_not_known_stays_so_until_a_layer_fixes_it() {
    let linear = || layer("linear", &[("out_features", int(10)), ("bias", flag(true))]);
    let conv = || {
        layer(
            "conv2d",
            &[
                ("out_channels", int(8)),
                ("kernel_size", int(3)),
                ("bias", flag(true)),
            ],
        )
    };
    let pooled = within(
        "sequential",
        &[],
        vec![
            conv(),
            layer("adaptive_avg_pool2d", &[("output_size", int(1))]),
            layer("flatten", &[]),
            linear(),
        ],
    );
    let network = run(&[Some(3), None, None], &pooled).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(network.output, sizes(&[10]));
    insta::assert_snapshot!(table(&network.rows), @r"
    layer  kind                 output            parameters  FLOPs
    0      conv2d               [batch, 8, ?, ?]         224      ?
    1      adaptive_avg_pool2d  [batch, 8, 1, 1]           0      ?
    2      flatten              [batch, 8]                 0      0
    3      linear               [batch, 10]               90    170
           total                                         314      ?
    ");
    let flat = within("sequential", &[], vec![conv(), layer("flatten", &[]), linear()]);
    assert_eq!(
        run(&[Some(3), None, None], &flat).map(|network| network.output),
        Err("E0315 the size of the input of `linear` is not known".to_owned())
    );
}

#[test]
fn named_inputs_are_put_side_by_side() {
    let data = Features::Named(vec![
        ("image".to_owned(), Signal::numbers(sizes(&[1, 8, 8]))),
        ("age".to_owned(), Signal::numbers(sizes(&[1]))),
    ]);
    let linear = |out| layer("linear", &[("out_features", int(out)), ("bias", flag(true))]);
    let inputs = |children: Vec<(&str, Layer)>| Layer {
        children: children
            .into_iter()
            .map(|(name, child)| (name.to_owned(), child))
            .collect(),
        ..layer("inputs", &[])
    };
    let said = |root: &Layer| last(&data, root);
    let both = inputs(vec![("age", linear(4)), ("image", layer("flatten", &[]))]);
    let net = within("sequential", &[], vec![both, linear(2)]);
    assert_eq!(said(&net), Ok((sizes(&[2]), 8 + 138)));
    assert_eq!(
        said(&inputs(vec![("image", layer("flatten", &[]))])),
        Err("E0322 no layer takes the input `age`".to_owned())
    );
    assert_eq!(
        said(&inputs(vec![("size", linear(4))])),
        Err("E0322 the data has no input `size`".to_owned())
    );
    assert_eq!(
        said(&linear(2)),
        Err(
            "E0322 `linear` takes one input, and the data has 2: { image: [batch, 1, 8, 8], age: [batch, 1] }"
                .to_owned()
        )
    );
    let image = said(&inputs(vec![("age", linear(4)), ("image", layer("relu", &[]))]));
    let message = "E0320 shape mismatch: `inputs` puts together [batch, 1, 8, 8] and [batch, 4]";
    assert_eq!(image, Err(message.to_owned()));
}

#[test]
fn residuals_have_the_paths_of_pytorchs_blocks() {
    let conv = |out: i64| {
        layer(
            "conv2d",
            &[
                ("out_channels", int(out)),
                ("kernel_size", int(1)),
                ("bias", flag(false)),
            ],
        )
    };
    let residual = Layer {
        children: vec![
            (
                "layer".to_owned(),
                within("sequential", &[], vec![named("conv1", conv(4))]),
            ),
            ("shortcut".to_owned(), conv(4)),
            ("activation".to_owned(), layer("relu", &[])),
        ],
        ..layer("residual", &[])
    };
    let network = run(&sizes(&[2, 8, 8]), &within("sequential", &[], vec![residual]));
    let network = network.unwrap_or_else(|error| panic!("{error}"));
    insta::assert_snapshot!(table(&network.rows), @r"
    layer         kind      output            parameters  FLOPs
    0.conv1       conv2d    [batch, 4, 8, 8]           8   1024
    0.shortcut    conv2d    [batch, 4, 8, 8]           8   1024
    0.activation  relu      [batch, 4, 8, 8]           0    256
    0             residual  [batch, 4, 8, 8]           0    256
                  total                               16   2560
    ");
}
