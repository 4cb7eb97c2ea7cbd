//! What programs come to.

use super::project::{all, result};

#[test]
fn recursion() {
    assert_eq!(
        result("fn fib(n: Int) = if n < 2 then n else fib(n - 1) + fib(n - 2)\nfib(20)"),
        "6765"
    );
    let parity = "fn even(n: Int) = if n == 0 then true else odd(n - 1)
fn odd(n: Int) = if n == 0 then false else even(n - 1)
even(100)";
    assert_eq!(result(parity), "true");
    assert_eq!(result("fn f(x: Int) =\n  let y = x\n  [y]\nf(3)"), "[3]");
}

#[test]
fn numbers() {
    let cases = [
        ("1 + 2 * 3", "7"),
        ("7 // 2", "3"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("2 ** 10", "1024"),
        ("2.0 ** 0.5", "1.4142135623730951"),
        ("1 / 16", "0.0625"),
        ("xs = [1, 2.5]\nxs", "[1.0, 2.5]"),
        ("max(1, 2.5)", "2.5"),
        ("fold([{ w: 0.5 }], 0, (s, x) => s + x.w)", "0.5"),
        ("round(2.5)", "2"),
        ("int(-1.5)", "-1"),
        ("floor(-1.5)", "-2"),
        ("abs(-3)", "3"),
        ("2 * 30min", "1h"),
        ("4GiB - 1GiB", "3GiB"),
        ("float(3)", "3.0"),
        ("parse_int(\"12\") ?? 0", "12"),
        ("parse_int(\"x\") ?? 0", "0"),
    ];
    for (text, expected) in cases {
        assert_eq!(result(text), expected, "{text}");
    }
}

#[test]
fn lists() {
    let cases = [
        ("map([1, 2], x => x * 10)", "[10, 20]"),
        ("filter(range(6), n => n % 2 == 0)", "[0, 2, 4]"),
        ("[1, 2] |> map(x => x + 1) |> sum", "5"),
        ("range(5, start = 1, step = 2)", "[1, 3]"),
        ("range(0, start = 3, step = -1)", "[3, 2, 1]"),
        ("sort([3, 1, 2])", "[1, 2, 3]"),
        ("sort_by([{ a: 2 }, { a: 1 }], x => x.a)", "[{ a: 1 }, { a: 2 }]"),
        ("unique([1, 2, 1])", "[1, 2]"),
        ("unique([\"a\", \"b\", \"a\"])", "[\"a\", \"b\"]"),
        ("flatten([[1], [2, 3]])", "[1, 2, 3]"),
        ("zip([1, 2], [\"a\"])", "[{ first: 1, second: \"a\" }]"),
        ("enumerate([\"a\"])", "[{ index: 0, value: \"a\" }]"),
        ("[...[1], 2, ...[3]]", "[1, 2, 3]"),
        ("[1] + [2]", "[1, 2]"),
        ("[[i, n] for i, n in [5, 6]]", "[[0, 5], [1, 6]]"),
        (
            "[a * b for a in [1, 2] for b in [10, 20] if a * b != 20]",
            "[10, 40]",
        ),
        ("any([1, 2], x => x > 1)", "true"),
        ("all([1, 2], x => x > 1)", "false"),
        ("member([1, 2], 2)", "true"),
        ("take([1, 2, 3], 2)", "[1, 2]"),
        ("drop([1, 2, 3], 2)", "[3]"),
        ("last([1, 2]) ?? 0", "2"),
        ("min_of([3, 1])", "1"),
        ("reverse([1, 2])", "[2, 1]"),
    ];
    for (text, expected) in cases {
        assert_eq!(result(text), expected, "{text}");
    }
}

#[test]
fn records_maps_and_matches() {
    let cases = [
        ("{ ...{ a: 1, b: 2 }, b: 3, c: 4 }", "{ a: 1, b: 3, c: 4 }"),
        ("{ a: 1, b: 2 } == { b: 2, a: 1 }", "true"),
        (
            "m: Map[Int] = { \"x\": 1, \"y\": 2 }\nkeys(merge(m, { \"z\": 3 }))",
            "[\"x\", \"y\", \"z\"]",
        ),
        ("m: Map[Int] = { \"x\": 1 }\nm[\"x\"]", "1"),
        ("m: Map[Int] = { \"x\": 1 }\nget(m, \"y\") ?? 7", "7"),
        (
            "ages: Map[Int] = { \"a\": 1 }\n{ [k]: v * 2 for k, v in ages }",
            "{ \"a\": 2 }",
        ),
        (
            "match 3 { 0 => \"none\", n if n > 2 => \"many\", _ => \"some\" }",
            "\"many\"",
        ),
        (
            "enum Shape { Dot, Box(w: Int, h: Int) }\nfn area(s: Shape) = match s { Dot => 0, Box(w, h) => w * h }\narea(Box(2, 3))",
            "6",
        ),
        (
            "[1, \"a\", null, { \"b\": 2.5 }]",
            "[1, \"a\", null, { \"b\": 2.5 }]",
        ),
        (
            "to_json({ b: 1, a: [1.0, null] })",
            "\"{\\\"a\\\":[1.0,null],\\\"b\\\":1}\"",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(result(text), expected, "{text}");
    }
}

#[test]
fn strings() {
    let cases = [
        ("\"a${1 + 1}-${0.5}\"", "\"a2-0.5\""),
        ("join(split(\"a,b\", \",\"), \"-\")", "\"a-b\""),
        ("upper(trim(\"  ab \"))", "\"AB\""),
        ("replace(\"aXbX\", \"X\", \"\")", "\"ab\""),
        (
            "contains(\"abc\", \"bc\") and starts_with(\"abc\", \"a\")",
            "true",
        ),
        ("str(1e-5)", "\"1e-05\""),
        ("chars(\"aé\")", "[\"a\", \"é\"]"),
    ];
    for (text, expected) in cases {
        assert_eq!(result(text), expected, "{text}");
    }
}

#[test]
fn a_failed_binding_does_not_touch_others() {
    insta::assert_snapshot!(all("a = [1][5]\nb = 2\nc = a"), @r"
    b = 2
    E0405 index 5 is outside a list of 1 element
      pipeline.mlp:1
        a = [1][5]
                ^ only index 0 is there
    ");
}

#[test]
fn closures_keep_what_they_saw() {
    let text = "fn adder(n: Int) = (x: Int) => x + n\nmap([1, 2], adder(10))";
    assert_eq!(result(text), "[11, 12]");
    let nested = "fn f(n: Int) = map([1, 2], x => map([n], y => x + y + n))\nf(10)";
    assert_eq!(result(nested), "[[21], [22]]");
}

#[test]
fn values_that_are_shared_stay_as_they_were() {
    let text = "xs = [3, 1, 2]\nys = sort(xs)\nr = { a: 1 }\ns = { ...r, a: 2 }\n[xs, ys, [r.a, s.a]]";
    assert_eq!(result(text), "[[3, 1, 2], [1, 2, 3], [1, 2]]");
}
