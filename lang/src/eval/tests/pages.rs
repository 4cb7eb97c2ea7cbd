//! The pages of the errors of shapes and evaluation: the wrong example of each gives its code and no other, the right
//! one nothing. What an example does not say itself is that of [`REST`].

use super::project::{Project, project};
use crate::codes::codes;
use crate::eval::{Demand, Render};

/// Bindings around the examples.
const REST: &[(&str, &str)] = &[
    (
        "digits",
        "data.csv(./digits.csv, x = data.pixels(\"p*\", channels = 1, height = 28, width = 28), y = data.label(\"digit\", classes = 10))",
    ),
    (
        "parts",
        "data.split(digits, { train: 0.7, val: 0.1, test: 0.2 }, seed = 1)",
    ),
    ("scores", "{ accuracy: metrics.accuracy }"),
    ("net", "nn.sequential([nn.flatten, nn.linear(10)])"),
    (
        "fit",
        "ml.train(net, on = parts.train, val = parts.val, loss = loss.cross_entropy, optimizer = optim.adam, metrics = scores, epochs = 1, batch_size = 32, seed = 1)",
    ),
    (
        "evaluate",
        "ml.evaluate(fit.model, on = parts.test, metrics = scores)",
    ),
];

fn whole(example: &str) -> Project {
    let env = if example.contains("env.") { "env, " } else { "" };
    let mut text =
        format!("import std.{{augment, data, {env}loss, metrics, ml, nn, optim, tensor}}\n{example}\n");
    for (name, value) in REST {
        if !example.lines().any(|line| line.starts_with(&format!("{name} ="))) {
            text += &format!("{name} = {value}\n");
        }
    }
    project(&text)
}

fn reported(example: &str) -> Vec<String> {
    let project = whole(example);
    let before = project
        .wrong
        .lines()
        .filter(|line| line.starts_with('E'))
        .map(|line| line[..5].to_owned());
    let outcome = project.evaluate(&Demand::All, Render::Nothing);
    let mut codes: Vec<_> = before
        .chain(outcome.diagnostics.iter().map(|error| error.code.to_owned()))
        .collect();
    codes.dedup();
    codes
}

fn example<'p>(page: &'p str, head: &str) -> Option<&'p str> {
    let fence = page.split_once(head)?.1.strip_prefix("```mlp\n")?;
    Some(fence.split_once("\n```")?.0)
}

#[test]
fn examples_hold() {
    // Calls that nest too deep are among them, and threads of tests are smaller than the main one.
    std::thread::Builder::new()
        .stack_size(8 << 20)
        .spawn(hold)
        .unwrap()
        .join()
        .unwrap();
}

fn hold() {
    let mut failed = Vec::new();
    let ours = |code: &str| code.starts_with("E03") || code.starts_with("E04") && !code.ends_with("01");
    let mut count = 0;
    for code in codes().filter(|code| ours(code.code)) {
        let Some(wrong) = example(code.page, "Wrong:\n") else {
            continue;
        };
        let right = example(code.page, "Right:\n").unwrap_or_default();
        count += 1;
        let (wrong, right) = (reported(wrong), reported(right));
        if wrong != [code.code] || !right.is_empty() {
            failed.push(format!(
                "{}: wrong gives {wrong:?}, right gives {right:?}",
                code.code
            ));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(count > 25, "{count} examples");
}
