//! What is said when an evaluation fails, as people see it.

use super::project::{messages, project};

#[test]
fn arithmetic() {
    insta::assert_snapshot!(messages("param n: Int = 0\nx = 7 // n\ny = 9223372036854775807 + n + 1\nz = 1e308 * 10.0"), @r"
    E0403 `7 // 0` divides by zero
      pipeline.mlp:2
        x = 7 // n
            ^^^^^^ the right side is 0 here
      help: test for zero before dividing: `if n == 0 then … else …`

    E0402 `9223372036854775807 + 1` is outside the integers
      pipeline.mlp:3
        y = 9223372036854775807 + n + 1
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^ above 2^63 - 1 or below -2^63
      help: compute with Float where numbers get large: `float(n)`

    E0404 `1e+308 * 10.0` is not a finite number
      pipeline.mlp:4
        z = 1e308 * 10.0
            ^^^^^^^^^^^^ too large for a Float, or not a real number
    ");
}

#[test]
fn lists_and_maps() {
    insta::assert_snapshot!(messages("xs = [1, 2]\na = xs[2]\nm: Map[Int] = { \"alpha\": 1 }\nb = m[\"alhpa\"]\nc = min_of(filter(xs, x => x > 5))"), @r#"
    E0405 index 2 is outside a list of 2 elements
      pipeline.mlp:2
        a = xs[2]
               ^ may be 0 to 1

    E0406 the map has no key "alhpa"
      pipeline.mlp:4
        b = m["alhpa"]
              ^^^^^^^ this key
      help: did you mean "alpha"? `get(map, key)` gives null where a key is missing

    E0412 an empty list has no smallest element
      pipeline.mlp:5
        c = min_of(filter(xs, x => x > 5))
                   ^^^^^^^^^^^^^^^^^^^^^^ is empty here
      help: test `len(xs) == 0` before
    "#);
}

#[test]
fn the_users_frame_is_blamed() {
    insta::assert_snapshot!(messages("fn mean(xs: List[Float]) = sum(xs) / float(len(xs))\nfn report(xs: List[Float]) = { mean: mean(xs) }\nx = report([])"), @r"
    E0412 an empty list has no sum
      pipeline.mlp:1
        fn mean(xs: List[Float]) = sum(xs) / float(len(xs))
                                       ^^ is empty here
      note: in `mean`, called at pipeline.mlp:2:38
      note: in `report`, called at pipeline.mlp:3:5
      help: `fold(xs, 0, (s, x) => s + x)` begins with a number
    ");
}

#[test]
fn a_cycle_through_functions() {
    insta::assert_snapshot!(messages("fn f(n: Int) -> Int = a + n\na = f(1)"), @r"
    E0401 cycle: a → a
      pipeline.mlp:2
        a = f(1)
        ^ needs its own value
      help: let one of them not use the others
    ");
}

#[test]
fn a_param_without_a_value() {
    insta::assert_snapshot!(messages("param epochs: Int\nx = epochs + 1"), @r"
    E0413 param `epochs` has no value
      pipeline.mlp:1
        param epochs: Int
              ^^^^^^ has no default
      help: give one with `--set epochs=…`, or write a default
    ");
}

#[test]
fn a_tree_of_a_million_nodes() {
    let text = "enum Tree { Leaf, Node(Tree) }\ntree = fold(range(1000000), Leaf, (t, n) => Node(t))";
    insta::assert_snapshot!(messages(text), @r"
    E0410 data nested deeper than 1,000
      pipeline.mlp:2
        tree = fold(range(1000000), Leaf, (t, n) => Node(t))
                                                    ^^^^^^^ one more level is added here
      note: in a lambda, called at pipeline.mlp:2:8
      help: use a list whose elements stand side by side
    ");
}

#[test]
fn a_path_out_of_the_project() {
    insta::assert_snapshot!(messages("x = ../secret.csv"), @r"
    E0411 the path `../secret.csv` leaves the project
      pipeline.mlp:1
        x = ../secret.csv
            ^^^^^^^^^^^^^ outside the folder of the project
      help: put the file into the project, or a symbolic link to it
    ");
}

#[test]
fn unknown_targets() {
    let mut project = project(
        "import std.{data}\nparam lr: Float = 0.1\ndigits = data.csv(./d.csv, x = data.vector([\"a\", \"b\"]), y = data.label(\"c\", classes = 3))\nparts = data.split(digits, { train: 0.5, test: 0.5 }, seed = 1)\nfn f(n: Int) = n",
    );
    let said: Vec<_> = ["digit", "parts.tset", "lr", "f", "parts..train"]
        .iter()
        .map(|target| project.build(&[target]).1)
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    E0414 there is no target `digit`
      the command line:1
        digit
        ^^^^^
      note: the targets are `digits` and `parts`
      help: did you mean `digits`?

    E0414 `parts` has no field `tset`
      the command line:1
        parts.tset
        ^^^^^^^^^^
      note: it has `train` and `test`
      help: did you mean `test`?

    E0421 `lr` holds nothing to build
      the command line:1
        lr
        ^^ is a Float
      help: `mlp eval lr` shows its value

    E0421 `f` holds nothing to build
      the command line:1
        f
        ^ is a function
      help: bind a call of it, and build that: `it = f(…)`

    E0414 `parts..train` is no target
      the command line:1
        parts..train
        ^^^^^^^^^^^^
      help: a target is a binding, or a part of one: `evaluate`, `fit.model`, `sweep[0].fit`
    ");
}

#[test]
fn no_way_down_ends_the_stack() {
    let ways = [
        "fn f(n: Int) -> Int = 1 + f(n + 1)\nx = f(0)",
        "fn f(n: Int) -> List[Int] = flatten(map([n], i => f(i + 1)))\nx = f(0)",
        "fn f(n: Int) -> List[Int] = flatten([f(i + 1) for i in [n] for j in [n] for k in [n] if true])\nx = f(0)",
        "fn f(n: Int) -> Int = fold([n], 0, (s, i) => f(i) + s)\nx = f(0)",
        "fn f(n: Int) -> List[Int] = sort_by(filter([n], i => len(f(i)) > 0), i => len(f(i)))\nx = f(0)",
        "fn f(n: Int) -> Str = \"a${{ b: [f(n)] }.b[0]}\"\nx = f(0)",
        "fn f(n: Int) -> Int = match { a: n } { { a } if f(a) > 0 => 1, _ => -f(n) }\nx = f(0)",
        "fn f(n: Int) -> Map[Int] = { [k]: v + 1 for k, v in f(n) }\nx = f(0)",
        "fn f(n: Int) -> { a: Int } = { ...f(n), a: f(n).a }\nx = f(0)",
    ];
    // The main thread's stack on Linux: what the limit is made for.
    let run = move || ways.map(messages).to_vec();
    let said = std::thread::Builder::new()
        .stack_size(8 << 20)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
    for (way, said) in ways.iter().zip(said) {
        assert!(said.starts_with("E0407 calls nested too deep"), "{way}\n{said}");
    }
}

#[test]
fn values_that_only_a_build_knows() {
    let text = super::pipelines::DIGITS.to_owned()
        + "best = max_by([16, 32], w => evaluate.accuracy)\nwidth = best.use(w => w)\nnet = cnn(width)\n\
           again = ml.train(net, on = parts.train, loss = loss.cross_entropy, optimizer = optim.adam, epochs = 1, batch_size = 64, seed = 1)\n\
           wide = if width > 16 then 1 else 2\nkind = match width { 16 => 1, _ => 2 }\nsaid = str(width)\nfirst = [1, 2][width]\n";
    insta::assert_snapshot!(messages(&text), @r"
    E0417 `out_channels` of `conv2d` is needed now, and it is known only after the build
      pipeline.mlp:11
          nn.conv2d(width, kernel_size = 3, padding = 1), nn.relu, nn.max_pool2d(2),
                    ^^^^^ known only after the build
      note: in `cnn`, called at pipeline.mlp:26:7
      help: decide where it is known: inside of `use` each candidate's values are, inside of a `step` every result is

    E0417 true or false is needed here, and this is known only after the build
      pipeline.mlp:28
        wide = if width > 16 then 1 else 2
                  ^^^^^^^^^^ this is `one of [16, 32] > 16`
      help: decide where it is known: inside of `use` each candidate's values are, inside of a `step` every result is

    E0417 what a `match` looks at is needed here, and this is known only after the build
      pipeline.mlp:29
        kind = match width { 16 => 1, _ => 2 }
               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is `one of [16, 32]`
      help: decide where it is known: inside of `use` each candidate's values are, inside of a `step` every result is

    E0417 a text cannot hold what is known only after the build
      pipeline.mlp:30
        said = str(width)
                   ^^^^^ this is a late value
      help: hand it to a step as an argument

    E0417 an index of a list is needed here, and this is known only after the build
      pipeline.mlp:31
        first = [1, 2][width]
                       ^^^^^ this is `one of [16, 32]`
      help: decide where it is known: inside of `use` each candidate's values are, inside of a `step` every result is
    ");
}

#[test]
fn a_training_without_validation() {
    let text = super::pipelines::DIGITS
        .replace("on = parts.train, val = parts.val,", "on = parts.train,")
        .replace("metrics = scores, epochs", "epochs")
        + "loss_of_nothing = fit.val.loss\n";
    let mut project = project(&text);
    let built: Vec<_> = ["fit", "fit.val", "loss_of_nothing"]
        .iter()
        .map(|target| {
            let (outcome, said) = project.build(&[target]);
            let labels: Vec<_> = outcome
                .evaluation
                .targets
                .iter()
                .map(|target| target.label.clone())
                .collect();
            format!("{target} [{}]\n{said}", labels.join(", "))
        })
        .collect();
    insta::assert_snapshot!(built.join("\n"), @r"
    fit [fit.model, fit.last, fit.history, fit.best_epoch]

    fit.val []
    E0418 this training has no validation
      the command line:1
        fit.val
        ^^^^^^^
      help: give `ml.train` a `val`, a dataset that it does not train on

    loss_of_nothing []
    E0418 this training has no validation
      pipeline.mlp:24
        loss_of_nothing = fit.val.loss
                          ^^^^^^^^^^^^ is not there
      help: give `ml.train` a `val`, a dataset that it does not train on
    ");
}

#[test]
fn data_of_another_shape() {
    let text = super::pipelines::DIGITS.to_owned()
        + "param side: Int = 4\nsmall = data.csv(./small.csv, x = data.pixels(\"p*\", channels = 1, height = side, width = side), y = data.label(\"digit\", classes = 10))\nwrong = ml.evaluate(fit.model, on = small, metrics = scores)\n";
    insta::assert_snapshot!(messages(&text), @r#"
    E0317 `on` gives [batch, 1, 4, 4], the network takes [batch, 1, 8, 8]
      pipeline.mlp:26
        wrong = ml.evaluate(fit.model, on = small, metrics = scores)
                                            ^^^^^ data of another shape
      pipeline.mlp:25
        small = data.csv(./small.csv, x = data.pixels("p*", channels = 1, height = side, width = side), y = data.label("digit", classes = 10))
                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ declared here
      pipeline.mlp:18
        fit = ml.train(
              ^^^^^^^^^ the model is trained here
      help: measure on data like that which the network was trained on; images are made alike by `data.resize`
    "#);
}

#[test]
fn shared_parts_take_no_time_without_end() {
    // Trees of 2^60 leaves that are 60 records in memory.
    let text = "enum Tree { Leaf(Int), Node(Tree, Tree) }
fn tree(x: Int) = fold(range(60), Leaf(x), (t, n) => Node(t, t))
same = tree(1) == tree(1)
other = tree(1) == tree(2)
text = str(tree(1))
doubled = fold(range(60), \"ab\", (s, n) => s + s)
inside = fold(range(60), \"ab\", (s, n) => \"${s}${s}\")";
    insta::assert_snapshot!(super::project::all(text), @r#"
    tree = <fn tree>
    same = true
    other = false
    E0409 the pipeline's values need more than 64 MiB
      pipeline.mlp:5
        text = str(tree(1))
               ^^^^^^^^^^^^ this would take it above the limit
      help: data belongs in files that steps read; the pipeline only names them

    E0409 the pipeline's values need more than 64 MiB
      pipeline.mlp:6
        doubled = fold(range(60), "ab", (s, n) => s + s)
                                                  ^^^^^ this would take it above the limit
      note: in a lambda, called at pipeline.mlp:6:11
      help: data belongs in files that steps read; the pipeline only names them

    E0409 the pipeline's values need more than 64 MiB
      pipeline.mlp:7
        inside = fold(range(60), "ab", (s, n) => "${s}${s}")
                                                    ^ this would take it above the limit
      note: in a lambda, called at pipeline.mlp:7:10
      help: data belongs in files that steps read; the pipeline only names them
    "#);
    let text = super::pipelines::DIGITS.to_owned()
        + "huge = ml.train(fold(range(60), nn.sequential([nn.relu]), (l, n) => nn.sequential([l, l])), on = parts.train, loss = loss.cross_entropy, optimizer = optim.adam, epochs = 1, batch_size = 1, seed = 1)\n";
    insta::assert_snapshot!(messages(&text), @r"
    E0316 the network has more than 100000 layers
      pipeline.mlp:24
        huge = ml.train(fold(range(60), nn.sequential([nn.relu]), (l, n) => nn.sequential([l, l])), on = parts.train, loss = loss.cross_entropy, optimizer = optim.adam, epochs = 1, batch_size = 1, seed = 1)
                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a layer counts as often as it stands in it
    ");
}

#[test]
fn lists_are_counted_while_they_grow() {
    let ways = [
        "x = [i for i in range(100000) for j in range(100000)]",
        "xs = range(100000)\nx = flatten(map(range(1000), i => xs))",
        "x = fold(range(60), [1], (xs, i) => [...xs, ...xs])",
        "x = fold(range(60), [1], (xs, i) => xs + xs)",
        "x = { [\"${i}-${j}\"]: i for i in range(1000) for j in range(10000) }",
    ];
    for way in ways {
        let said = messages(way);
        assert!(
            said.starts_with("E0409") || said.starts_with("E0408"),
            "{way}\n{said}"
        );
    }
}
