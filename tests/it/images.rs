//! A folder of images, from files to a score.

use crate::project::Project;
use png::{ColorType, Encoder};

const PIPELINE: &str = r#"import std.{data, loss, metrics, ml, nn, optim}

photos = data.image_folder(./photos, classes = ["dark", "light"], channels = 1)
small = data.resize(photos, 4, 4)
parts = data.split(small, { train: 0.5, test: 0.5 }, seed = 1, stratify = true)

fit = ml.train(
  nn.sequential([nn.flatten, nn.linear(2)]), on = parts.train, loss = loss.cross_entropy,
  optimizer = optim.adam(lr = 0.1), epochs = 10, batch_size = 8, seed = 1,
)
evaluate = ml.evaluate(fit.model, on = parts.test, metrics = { accuracy: metrics.accuracy })
"#;

/// A grey image of one value.
fn grey(width: u32, height: u32, value: u8) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Grayscale);
    let pixels = vec![value; (width * height) as usize];
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    file
}

/// Images of two classes and many sizes.
fn project() -> Project {
    Project::small();
    let project = Project::new(PIPELINE);
    for number in 0..16_u8 {
        for (class, value) in [("dark", number), ("light", 255 - number)] {
            let path = project.root().join(format!("photos/{class}/{number:02}.png"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let (width, height) = (3 + u32::from(number), 20 - u32::from(number));
            std::fs::write(path, grey(width, height, value)).unwrap();
        }
    }
    project
}

#[test]
fn a_folder_of_images_is_learned() {
    let project = project();
    let report = project.build(&["evaluate"]);
    assert_eq!(report.0["artifacts"][0]["value"]["accuracy"], 1.0);
    assert_eq!(project.build(&["evaluate"]).built(), [""; 0]);
    // An image more changes what is read of the folder, and all that follows.
    std::fs::write(project.root().join("photos/dark/more.png"), grey(9, 9, 3)).unwrap();
    let report = project.build(&["evaluate"]);
    assert!(
        report.built().contains(&"photos".to_owned()),
        "{:?}",
        report.built()
    );
}

#[test]
fn an_image_that_is_cut_short_is_told_by_its_name() {
    let project = project();
    let whole = grey(40, 40, 7);
    let path = project.root().join("photos/dark/07.png");
    std::fs::write(path, &whole[..whole.len() - 20]).unwrap();
    insta::assert_snapshot!(project.shown(&["build", "small"]));
}

#[test]
fn a_class_without_a_folder_is_told_at_the_declaration() {
    let project = project();
    project.edit("pipeline.mlp", "\"light\"", "\"bright\"");
    insta::assert_snapshot!(project.shown(&["build", "small"]));
}

/// The files of an IDX data set: `count` images of 28 x 28 pixels, and their labels.
fn write_idx(project: &Project, part: &str, count: u8) {
    let write = |name: &str, content: Vec<u8>| {
        let path = project.root().join(format!("data/{part}-{name}-ubyte.gz"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    let head = |sizes: &[u8]| {
        let mut head = vec![0, 0, 8, sizes.len() as u8];
        sizes.iter().for_each(|size| head.extend([0, 0, 0, *size]));
        head
    };
    let pixels = (0..count).flat_map(|image| (0..28 * 28).map(move |at: u32| (at as u8).wrapping_mul(image)));
    write(
        "images-idx3",
        head(&[count, 28, 28]).into_iter().chain(pixels).collect(),
    );
    let labels = (0..count).map(|image| image % 10);
    write("labels-idx1", head(&[count]).into_iter().chain(labels).collect());
}

#[test]
fn the_example_on_fashion_mnist_trains_on_a_few_images() {
    Project::small();
    let example =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fashion-mnist/pipeline.mlp");
    let project = Project::new(&std::fs::read_to_string(example).unwrap());
    write_idx(&project, "train", 40);
    write_idx(&project, "t10k", 20);
    let report = project.build(&["evaluate", "--set", "epochs=1"]);
    let value = &report.0["artifacts"][0]["value"];
    assert!(value["accuracy"].as_f64().is_some(), "{value}");
    assert_eq!(value["confusion"].as_array().unwrap().len(), 10);
}
