use super::*;
use crate::diagnostic::Diagnostic;
use crate::hir::{DataNode, DataValue, Expr, ItemKind};
use crate::library::Library;
use crate::source::Sources;

/// Each diagnostic as `path code line:column message | help`.
fn render(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let span = diagnostic.span();
    let source = sources.get(span.source);
    let before = &source.text[..span.start as usize];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    let help = diagnostic.help.as_deref().unwrap_or("");
    format!(
        "{} {} {line}:{column} {} | {help}",
        source.path, diagnostic.code, diagnostic.message
    )
}

fn rendered(loaded: &Loaded) -> Vec<String> {
    loaded
        .diagnostics
        .iter()
        .map(|d| render(&loaded.sources, d))
        .collect()
}

/// Loads the first of the files.
fn errors(files: &[(&str, &str)]) -> Vec<String> {
    rendered(&load(&Files::new(files.iter().copied()), files[0].0))
}

#[test]
fn the_library_loads() {
    let imports: String = Library::standard()
        .names()
        .map(|name| format!("import std.{name} as m_{name}\n"))
        .collect();
    let loaded = load_text(&imports);
    let errors: Vec<String> = loaded
        .diagnostics
        .iter()
        .filter(|d| d.code != "E0270")
        .map(|d| render(&loaded.sources, d))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn files_import_files() {
    let files = [
        (
            "main.mlp",
            "import ./nets/cnn.mlp\nimport ./shared.mlp as s\nx: s.Width = cnn.wide(s.width)\ny = cnn.Kind.Big",
        ),
        (
            "nets/cnn.mlp",
            "import ../shared.mlp\nenum Kind { Small, Big }\nfn wide(n: Int) = n * shared.width",
        ),
        ("shared.mlp", "type Width = Int\nwidth = 3"),
    ];
    assert_eq!(errors(&files), Vec::<String>::new());
    let loaded = load(&Files::new(files), "main.mlp");
    let names: Vec<&str> = loaded
        .program
        .modules
        .iter()
        .map(|module| module.name.as_str())
        .collect();
    assert_eq!(names, ["prelude", "shared", "cnn", "main"]);
}

#[test]
fn circles_are_shown() {
    let files = [
        ("a.mlp", "import ./b.mlp\nx = b.y"),
        ("b.mlp", "import ./c.mlp\ny = c.z"),
        ("c.mlp", "import ./b.mlp\nz = b.y"),
    ];
    assert_eq!(
        errors(&files),
        [
            "c.mlp E0010 1:8 files import each other: b.mlp → c.mlp → b.mlp | move what both need to a file that imports neither"
        ]
    );
    assert!(errors(&[("a.mlp", "import ./a.mlp\nx = a.x")])[0].contains("a.mlp → a.mlp"));
}

#[test]
fn a_long_way_of_imports() {
    let mut files = Files::default();
    for n in 0..3_000 {
        files.insert(
            &format!("m{n}.mlp"),
            format!("import ./m{}.mlp\nx = m{}.x", n + 1, n + 1).as_bytes(),
        );
    }
    files.insert("m3000.mlp", b"x = 1");
    let loaded = load(&files, "m0.mlp");
    assert_eq!(rendered(&loaded), Vec::<String>::new());
    assert_eq!(loaded.program.modules.len(), 3_002);
}

#[test]
fn files_that_cannot_be_read() {
    let mut files = Files::new([
        (
            "main.mlp",
            "import ./lib.mlp\nimport ./libs.mlp\nimport ./dir.mlp\nimport ../out.mlp\nimport ./bad.mlp\nimport ./a-b.mlp\nimport ./x.py\nx = lib.a",
        ),
        ("liab.mlp", ""),
        ("dir.mlp/x", ""),
    ]);
    files.insert("bad.mlp", b"x = 1\ny = \xff\n");
    assert_eq!(
        rendered(&load(&files, "main.mlp")),
        [
            "main.mlp E0001 1:8 there is no file `lib.mlp` | did you mean `liab.mlp`?",
            "main.mlp E0001 2:8 there is no file `libs.mlp` | did you mean `liab.mlp`?",
            "main.mlp E0002 3:8 `dir.mlp` is a directory, and a file is needed | name a file in it",
            "main.mlp E0003 4:8 `../out.mlp` is outside of the project | move the file into the project",
            "main.mlp E0005 5:8 `bad.mlp` is not UTF-8 text | save it as UTF-8",
            "main.mlp E0012 6:8 `a-b` is no name for a module | write `import ./a-b.mlp as lib`, with a name of your own",
            "main.mlp E0012 7:8 Python is not imported | run the script in a step: `step([\"python\", ./script.py], …)`",
        ]
    );
    assert_eq!(
        errors(&[("main.mlp", "import ./a.mlp"), ("b.mlp", "")])[0],
        "main.mlp E0001 1:8 there is no file `a.mlp` | did you mean `b.mlp`?"
    );
    assert_eq!(rendered(&load(&Files::default(), "none.mlp")).len(), 1);
}

#[test]
fn a_byte_order_mark_is_dropped() {
    let mut files = Files::default();
    files.insert("main.mlp", b"\xef\xbb\xbfx = 1\r\ny = x\r\n");
    assert_eq!(rendered(&load(&files, "main.mlp")), Vec::<String>::new());
}

/// A data file's content as JSON with places, and what is wrong with it.
fn data(path: &str, text: &str) -> String {
    let main = format!("x = import ./{path} as Json");
    let loaded = load(
        &Files::new([("main.mlp", main.as_str()), (path, text)]),
        "main.mlp",
    );
    if !loaded.diagnostics.is_empty() {
        return rendered(&loaded).join("\n");
    }
    let module = loaded.program.modules.last().unwrap();
    let ItemKind::Value { body, .. } = &module.items[0].kind else {
        panic!("a value");
    };
    let Expr::ImportData { data: Some(file), .. } = &module.exprs[body.expr.0 as usize] else {
        panic!("an import of data");
    };
    show(&file.value, &loaded.sources)
}

fn show(node: &DataNode, sources: &Sources) -> String {
    let text = sources.text(node.span);
    match &node.value {
        DataValue::Null => "null".to_owned(),
        DataValue::Bool(value) => value.to_string(),
        DataValue::Int(value) => format!("{value}<{text}>"),
        DataValue::Float(value) => format!("{value:?}<{text}>"),
        DataValue::Str(value) => format!("{value:?}"),
        DataValue::List(nodes) => {
            let nodes: Vec<String> = nodes.iter().map(|node| show(node, sources)).collect();
            format!("[{}]", nodes.join(", "))
        }
        DataValue::Map(entries) => {
            let entry = |(key, span, value): &(Name, _, DataNode)| {
                format!("{key}<{}>: {}", sources.text(*span), show(value, sources))
            };
            let entries: Vec<String> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

#[test]
fn json() {
    assert_eq!(
        data(
            "a.json",
            "{\"b\": [1, -2.5e1, \"${x}\\n\"], \"a\": {}, \"c\": null}"
        ),
        "{b<\"b\">: [1<1>, -25.0<-2.5e1>, \"${x}\\n\"], a<\"a\">: {}, c<\"c\">: null}"
    );
    for (text, expected) in [
        (
            "{\"a\": 1,}",
            "a.json E0013 1:8 JSON has no comma after the last element | remove it",
        ),
        (
            "[1 2]",
            "a.json E0013 1:4 this is no JSON: expected `,` or `]`, found `2` | ",
        ),
        (
            "{a: 1}",
            "a.json E0013 1:2 this is no JSON: expected a key in quotation marks, found `a` | ",
        ),
        (
            "// a",
            "a.json E0013 1:1 JSON has no comments | remove it, or make it a `.yaml` or `.toml` file",
        ),
        (
            "",
            "a.json E0013 1:1 this is no JSON: expected a value, found the end of the file | the file is empty; an empty record is `{}`",
        ),
        (
            "1 2",
            "a.json E0013 1:3 this is no JSON: expected the end of the file, found `2` | ",
        ),
        (
            "{\"a\": 1, \"a\": 2}",
            "a.json E0016 1:10 the key `a` is written twice | remove one of them",
        ),
        (
            "9223372036854775808",
            "a.json E0017 1:1 `9223372036854775808` is out of range | ",
        ),
        (
            "{\"a",
            "a.json E0013 1:2 the string is not closed | write `\"` at its end; text of several lines stands between `\"\"\"`",
        ),
        (
            "30min",
            "a.json E0013 1:1 this is no JSON: expected a value, found `30min` | ",
        ),
        (
            "\"\\q\"",
            "a.json E0013 1:2 `\\q` is no character | for a backslash write `\\\\`; the folders of a path are divided by `/`",
        ),
    ] {
        assert_eq!(data("a.json", text), expected);
    }
    assert!(data("a.json", &"[".repeat(300)).contains("E0017 1:257"));
}

#[test]
fn yaml() {
    assert_eq!(
        data(
            "a.yaml",
            "split: 0.2\nseed: 3\ntrain:\n  lr: 1e-3\n  trees: [1, 0x1F, ~]\n  name: \"a b\"\n  on: yes\n  é: 'it'\n"
        ),
        "{split<split>: 0.2<0.2>, seed<seed>: 3<3>, train<train>: {lr<lr>: 0.001<1e-3>, trees<trees>: [1<1>, 31<0x1F>, null], \
         name<name>: \"a b\", on<on>: \"yes\", é<é>: \"it\"}}"
    );
    assert_eq!(
        data("a.yml", "base: &b { lr: 1, n: 2 }\nfit:\n  <<: *b\n  n: 3\n"),
        "{base<base>: {lr<lr>: 1<1>, n<n>: 2<2>}, fit<fit>: {n<n>: 3<3>, lr<lr>: 1<1>}}"
    );
    assert_eq!(data("a.yaml", ""), "null");
    assert_eq!(
        data("a.yaml", "a: !!str 1\nb: |\n  x\n  y\n"),
        "{a<a>: \"1\", b<b>: \"x\\ny\\n\"}"
    );
    for (text, expected) in [
        ("a: 1\na: 2\n", "E0016 2:1 the key `a` is written twice"),
        ("a: [1, 2\n", "E0014"),
        ("a: 1\n---\nb: 2\n", "E0014 2:1 this file holds several documents"),
        ("a: .nan\n", "E0017 1:4 `.nan` is out of range"),
        ("a:\n\tb: 1\n", "YAML is indented by spaces, never by tabs"),
        ("a: !mine 1\n", "E0014 1:"),
    ] {
        let found = data("a.yaml", text);
        assert!(found.contains(expected), "{text}: {found}");
    }
    let mut bomb = String::from("a0: &a0 [1]\n");
    for n in 1..30 {
        bomb += &format!("a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}]\n", n - 1);
    }
    assert!(data("a.yaml", &bomb).contains("stands for more than 1000000 values"));
    assert!(data("a.yaml", &"[".repeat(300)).contains("E00"));
}

#[test]
fn toml() {
    assert_eq!(
        data(
            "a.toml",
            "split = 0.2\nb = [1, true]\n[train]\nlr = 1e-3\nday = 2020-01-02\n[train.deep]\nname = 'x'\n"
        ),
        "{split<split>: 0.2<0.2>, b<b>: [1<1>, true], train<train>: {lr<lr>: 0.001<1e-3>, day<day>: \"2020-01-02\", \
         deep<deep>: {name<name>: \"x\"}}}"
    );
    for (text, expected) in [
        ("a = ", "E0015 1:"),
        ("a = 1\na = 2\n", "E0016 2:1"),
        ("a = inf\n", "E0017 1:5 `inf` is out of range"),
        ("a = 9223372036854775808\n", "E0017"),
    ] {
        let found = data("a.toml", text);
        assert!(found.contains(expected), "{text}: {found}");
    }
}

#[test]
fn settings() {
    let files = Files::new([("main.mlp", "param lr: Float = 0.1\nx = lr")]);
    let found = |name: &str, text: &str| {
        let mut loaded = load(&files, "main.mlp");
        set(&mut loaded, &files, name, text);
        let value = loaded.program.settings.first().map(|setting| {
            let body = setting.module.result.as_ref().unwrap();
            format!("{:?}", setting.module.exprs[body.expr.0 as usize])
        });
        (value, rendered(&loaded))
    };
    assert_eq!(
        found("lr", "3e-4"),
        (Some("Float(0.0003)".to_owned()), Vec::new())
    );
    assert_eq!(
        found("lr", "3e-4 5").1,
        ["--set lr E0115 1:6 expected the end of the value, found `5` | "]
    );
    assert_eq!(found("lr", "").1.len(), 1);
    assert_eq!(found("x", "1").1.len(), 1);
    assert_eq!(
        found("l", "1").1,
        ["--set l E0415 1:1 there is no param `l` | did you mean `lr`?"]
    );
}

#[test]
fn strings_lose_their_indentation() {
    let loaded = load_text("x = \"\"\"\n    a\\n\n      2 ${1}\n\n    b\n    \"\"\"");
    assert_eq!(rendered(&loaded), Vec::<String>::new());
    let module = loaded.program.modules.last().unwrap();
    let parts = module.exprs.iter().find_map(|expr| match expr {
        Expr::Str(parts) => Some(format!("{parts:?}")),
        _ => None,
    });
    assert_eq!(
        parts.as_deref(),
        Some("[Text(\"a\\n\\n  2 \"), Interpolation(ExprId(0)), Text(\"\\n\\nb\")]")
    );
}

#[test]
fn deep_and_long_programs_lower() {
    for text in [
        format!("x = 1{}", " + 1".repeat(100_000)),
        format!("fn f(x: Int) = x\ny = 1{}", " |> f".repeat(100_000)),
        format!("x = (\n  {}a)", "let a = 1\n  ".repeat(100_000)),
        format!("x = {}1{}", "(".repeat(255), ")".repeat(255)),
    ] {
        let loaded = load_text(&text);
        assert!(
            loaded.diagnostics.iter().all(|d| d.code == "E0271"),
            "{:?}",
            loaded.diagnostics.first()
        );
    }
}
