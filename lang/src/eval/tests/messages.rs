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
      note: did you mean "alpha"?
      help: `get(map, key)` gives null where a key is missing

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
        ^^^^^ did you mean `digits`?
      note: targets: digits, parts

    E0414 `parts` has no field `tset`
      the command line:1
        parts.tset
        ^^^^^^^^^^ did you mean `test`?
      note: it has train, test

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
