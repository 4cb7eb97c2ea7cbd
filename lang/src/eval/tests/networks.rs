//! What is said of networks that do not fit together: through branches, user functions and the library, and by data that
//! is no image.

use super::project::messages;

/// A training of `net` on images of 16 channels, 8 x 8, in 10 classes.
fn on_images(net: &str, rest: &str) -> String {
    training(
        net,
        "loss.cross_entropy",
        IMAGES,
        "data.label(\"c\", classes = 10)",
        rest,
    )
}

const IMAGES: &str = "data.pixels(\"p*\", channels = 16, height = 8, width = 8)";

fn training(net: &str, loss: &str, x: &str, y: &str, rest: &str) -> String {
    messages(&format!(
        "import std.{{data, loss, metrics, ml, nn, optim}}
d = data.csv(./d.csv, x = {x}, y = {y})
net = {net}
fit = ml.train(net, on = d, loss = {loss}, optimizer = optim.adam, epochs = 1, batch_size = 8, seed = 1)
{rest}"
    ))
}

#[test]
fn residuals() {
    let block = "nn.sequential([
  nn.residual(nn.sequential([
    nn.conv2d(32, kernel_size = 3, stride = 2, padding = 1),
    nn.relu,
  ])),
  nn.flatten, nn.linear(10),
])";
    insta::assert_snapshot!("residual_without_shortcut", on_images(block, ""));
    let shortcut = "nn.residual(
  nn.conv2d(32, kernel_size = 3, padding = 1),
  shortcut = nn.conv2d(24, kernel_size = 1),
)";
    insta::assert_snapshot!("residual_with_shortcut", on_images(shortcut, ""));
    let flat = "nn.sequential([nn.flatten, nn.residual(nn.mlp([64, 32])), nn.linear(10)])";
    insta::assert_snapshot!("residual_of_features", on_images(flat, ""));
}

#[test]
fn branches() {
    let parallel = "nn.parallel([
  nn.conv2d(8, kernel_size = 1),
  nn.sequential([nn.conv2d(8, kernel_size = 3), nn.relu]),
])";
    insta::assert_snapshot!("parallel", on_images(parallel, ""));
    let concat = "nn.concat([
  nn.conv2d(8, kernel_size = 1),
  nn.max_pool2d(2),
])";
    insta::assert_snapshot!("concat", on_images(concat, ""));
    insta::assert_snapshot!("concat_dim", on_images("nn.concat([nn.relu], dim = 4)", ""));
    // The way to a layer does not go through the branch before.
    let second = "nn.concat([
  nn.sequential([nn.flatten, nn.linear(3)]),
  nn.sequential([nn.max_pool2d(2), nn.conv2d(8, kernel_size = 5)]),
])";
    insta::assert_snapshot!("second_branch", on_images(second, ""));
}

#[test]
fn through_functions() {
    let rest = "fn block(width: Int) = nn.residual(
  nn.conv2d(width, kernel_size = 3),
)
fn body(widths: List[Int]) = nn.sequential([block(w) for w in widths])
";
    let net = "nn.sequential([body([16, 16]), nn.flatten, nn.linear(10)])";
    insta::assert_snapshot!("through_functions", on_images(net, rest));
    let resnet = "nn.sequential([nn.flatten, nn.resnet18(head = 10)])";
    insta::assert_snapshot!("through_the_library", on_images(resnet, ""));
}

#[test]
fn windows_and_groups() {
    let said = |net: &str| on_images(net, "");
    insta::assert_snapshot!(
        "other_windows",
        [
            said("nn.conv1d(8, kernel_size = 3)"),
            said("nn.conv_transpose2d(8, kernel_size = 2, padding = 9)"),
            said("nn.conv_transpose2d(8, kernel_size = 2, stride = 2, output_padding = 2)"),
            said("nn.group_norm(5)"),
            said("nn.layer_norm(normalized_shape = 16)"),
            said("nn.lstm(8)"),
            said("nn.embedding(100, 8)"),
            said("nn.upsample(0)"),
            said("nn.upsample(2147483647)"),
            said("nn.torchscript(./net.pt, output = [0])"),
        ]
        .join("\n")
    );
}

#[test]
fn losses_and_labels() {
    let of = |loss: &str, y: &str| training("nn.sequential([nn.flatten, nn.linear(3)])", loss, IMAGES, y, "");
    let class = "data.label(\"c\", classes = 3)";
    let two = "data.label(\"c\", classes = 2)";
    let real = "data.target([\"a\", \"b\", \"c\"])";
    insta::assert_snapshot!(
        "losses_and_labels",
        [
            of("loss.mse", class),
            of("loss.cross_entropy", real),
            of("loss.bce_with_logits", class),
            of("loss.bce_with_logits", two),
            of("loss.nll", class),
            of("loss.huber", "data.target(\"a\")"),
        ]
        .join("\n")
    );
}
