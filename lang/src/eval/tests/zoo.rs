//! The networks of the library have the parameters that their papers and torchvision's models have.

use super::project::project;
use crate::shapes::LayerRow;

/// The layers of a network over images of this shape.
fn rows(net: &str, image: [u32; 3], loss: &str, y: &str) -> std::sync::Arc<Vec<LayerRow>> {
    let [channels, height, width] = image;
    let text = format!(
        "import std.{{data, loss, ml, nn, optim}}
d = data.csv(./d.csv, x = data.pixels(\"p*\", channels = {channels}, height = {height}, width = {width}), y = {y})
fit = ml.train({net}, on = d, loss = {loss}, optimizer = optim.adam, epochs = 1, batch_size = 8, seed = 1)"
    );
    let mut project = project(&text);
    let (mut outcome, said) = project.build(&["fit"]);
    assert_eq!(project.wrong.clone() + &said, "", "{net}");
    outcome
        .layers
        .pop_first()
        .map(|(_, rows)| rows)
        .unwrap_or_default()
}

fn parameters(net: &str, image: [u32; 3], classes: u32) -> u64 {
    let y = format!("data.label(\"c\", classes = {classes})");
    let rows = rows(net, image, "loss.cross_entropy", &y);
    rows.iter().map(|row| row.parameters.unwrap()).sum()
}

#[test]
fn parameters_are_those_of_torchvision() {
    let photo = [3, 224, 224];
    assert_eq!(parameters("nn.resnet18(head = 1000)", photo, 1000), 11_689_512);
    assert_eq!(parameters("nn.resnet34(head = 1000)", photo, 1000), 21_797_672);
    assert_eq!(parameters("nn.resnet50(head = 1000)", photo, 1000), 25_557_032);
}

#[test]
fn parameters_are_those_of_the_papers() {
    let cifar = [3, 32, 32];
    assert_eq!(parameters("nn.lenet", [1, 28, 28], 10), 61_706);
    assert_eq!(parameters("nn.wide_resnet(28, 10, 10)", cifar, 10), 36_479_194);
    assert_eq!(
        parameters("nn.wide_resnet(16, 4, 10, dropout = 0.3)", cifar, 10),
        2_748_890
    );
    assert_eq!(parameters("nn.wide_resnet(40, 2, 10)", cifar, 10), 2_243_546);
    let mlp = "nn.sequential([nn.flatten, nn.mlp([128, 10])])";
    assert_eq!(parameters(mlp, [1, 28, 28], 10), 785 * 128 + 129 * 10);
}

#[test]
fn paths_are_those_of_torchvisions_state_dict() {
    let rows = rows(
        "nn.resnet50(head = 10)",
        [3, 64, 64],
        "loss.cross_entropy",
        "data.label(\"c\", classes = 10)",
    );
    let with_weights: Vec<_> = rows
        .iter()
        .filter(|row| row.parameters != Some(0))
        .map(|row| row.path.as_str())
        .collect();
    assert_eq!(with_weights.len(), 107, "modules with weights");
    let first = [
        "conv1",
        "bn1",
        "layer1.0.conv1",
        "layer1.0.bn1",
        "layer1.0.conv2",
        "layer1.0.bn2",
        "layer1.0.conv3",
        "layer1.0.bn3",
        "layer1.0.downsample.0",
        "layer1.0.downsample.1",
        "layer1.1.conv1",
    ];
    assert_eq!(with_weights[..11], first);
    assert_eq!(with_weights[106], "fc");
}
