//! Edits, one after the other, of a project's files: what is found by going on from the analysis before is what is found
//! from nothing, to the last number.

use super::*;
use crate::lower::Files;
use proptest::prelude::*;
use proptest::sample::Index;

const ENTRY: &str = "pipeline.mlp";

/// A project in which files import one another, and one a data file.
const FILES: [(&str, &str); 6] = [
    (
        "pipeline.mlp",
        "import ./left.mlp\nimport ./right.mlp\nimport std.{nn}\n\nparam n: Int = 3\n\na = left.twice(n)\nb = right.size + a\nc = nn.sequential([nn.linear(b), nn.relu])\nd = [right.Kind.Big, Small]\n",
    ),
    (
        "left.mlp",
        "import ./base.mlp\n\nfn twice(x: Int) = base.times(x, 2)\nfn wrap[T](x: T, label: Str = \"l\") = { x, label }\nvalue = wrap(base.one).x\nrest = map([1, 2], y => y + value)\n",
    ),
    (
        "right.mlp",
        "import ./base.mlp\nimport ./data.mlp\n\nenum Kind { Small, Big }\ntype Row = { id: Int, name: Str = \"none\" }\nrow: Row = { id: base.one }\nsize = data.settings.size\n",
    ),
    (
        "base.mlp",
        "fn times(x: Int, by: Int = 1) = x * by\none = times(1)\nhalf = one / 2\n",
    ),
    (
        "data.mlp",
        "settings = import ./settings.json as { size: Int, lr?: Float }\n",
    ),
    ("settings.json", "{ \"size\": 7 }"),
];

/// What is typed: bits that break, bits that mend, imports, declarations.
const BITS: &[&str] = &[
    "",
    " ",
    "\n",
    "x",
    "1",
    "2.5",
    "\"s\"",
    "(",
    ")",
    "{ a: 1 }",
    "= ",
    "# note\n",
    "\nimport ./base.mlp\n",
    "\nimport ./left.mlp\n",
    "\nimport ./missing.mlp\n",
    "\nimport std.{data}\n",
    "\nextra = 1 + one\n",
    "\nfn one(y: Str) = y\n",
    "\nenum Other { Small, Tiny }\n",
    "\nuse = left.value + base.one\n",
    "import ./settings.json as { size: Str }",
    "null",
    "\"size\"",
];

/// An edit: the file, a range of it by its start and length, what takes its place.
type Edit = (Index, Index, usize, Index);

fn edit() -> impl Strategy<Value = Edit> {
    (any::<Index>(), any::<Index>(), 0usize..12, any::<Index>())
}

fn apply(texts: &mut [(String, Option<String>)], (file, at, length, bit): Edit) {
    let file = file.index(texts.len());
    let text = &mut texts[file].1;
    let Some(old) = text else {
        *text = Some(FILES[file].1.to_owned());
        return;
    };
    // Now and then a file goes, or is what it was at first.
    match at.index(40) {
        0 if file > 0 => *text = None,
        1..4 => FILES[file].1.clone_into(old),
        _ => {
            let start = at.index(old.len() + 1);
            let end = (start + length).min(old.len());
            old.replace_range(start..end, BITS[bit.index(BITS.len())]);
        }
    }
}

fn world(texts: &[(String, Option<String>)]) -> Files {
    let there = texts
        .iter()
        .filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)));
    Files::new(there)
}

/// All that can be read from an analysis.
fn all(analysis: &mut Analysis) -> String {
    let diagnostics: Vec<_> = analysis.diagnostics().cloned().collect();
    let Analysis { loaded, checked } = analysis;
    let mut types = String::new();
    for (index, module) in loaded.program.modules.iter().enumerate() {
        let id = ModuleId(index as u32);
        for expr in 0..module.exprs.len() as u32 {
            let ty = checked.types.expr(id, crate::hir::ExprId(expr));
            types += &format!("{ty:?} ");
        }
        for item in 0..module.items.len() as u32 {
            let at = crate::hir::ItemRef { module: id, item };
            types += &format!(
                "{:?} {:?}\n",
                checked.types.item(at),
                checked.types.local(at, crate::hir::LocalId(0))
            );
        }
    }
    let Loaded { sources, program, .. } = loaded;
    format!(
        "{diagnostics:#?}\n{sources:?}\n{program:?}\n{:#?}\n{types}",
        checked.core
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn going_on_from_before_finds_what_is_found_from_nothing(edits in prop::collection::vec(edit(), 1..16)) {
        let mut texts = FILES.map(|(path, text)| (path.to_owned(), Some(text.to_owned())));
        let mut analysis = Analysis::new(&world(&texts), ENTRY);
        for edit in edits {
            apply(&mut texts, edit);
            let world = world(&texts);
            analysis = analysis.again(&world, ENTRY);
            let (found, expected) = (all(&mut analysis), all(&mut Analysis::new(&world, ENTRY)));
            let differs = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
            prop_assert!(found == expected, "{differs:?}\n{texts:#?}");
        }
    }
}

#[test]
fn a_file_that_comes_back_changes_what_is_said_of_its_name() {
    let mut texts = FILES.map(|(path, text)| (path.to_owned(), Some(text.to_owned())));
    texts[0].1 = Some("a = left.twice(3)\n".to_owned());
    texts[1].1 = None;
    let before = Analysis::new(&world(&texts), ENTRY);
    texts[1].1 = Some(FILES[1].1.to_owned());
    let mut after = before.again(&world(&texts), ENTRY);
    assert_eq!(all(&mut after), all(&mut Analysis::new(&world(&texts), ENTRY)));
}

#[test]
fn what_is_typed_into_the_entry_costs_it_alone() {
    let mut texts = FILES.map(|(path, text)| (path.to_owned(), Some(text.to_owned())));
    let before = Analysis::new(&world(&texts), ENTRY);
    let modules = before.loaded.program.modules.len();
    texts[0].1.as_mut().unwrap().push_str("\ne = left.value\n");
    let after = before.again(&world(&texts), ENTRY);
    assert_eq!(after.loaded.kept(), modules - 1);
    // A file in the middle: those behind it in the order of imports.
    texts[2].1.as_mut().unwrap().push_str("\nmore = 1\n");
    let after = after.again(&world(&texts), ENTRY);
    assert!((1..modules - 1).contains(&after.loaded.kept()));
    // A data file.
    texts[5].1 = Some("{ \"size\": 8 }".to_owned());
    let kept = after.loaded.kept();
    let after = after.again(&world(&texts), ENTRY);
    assert!(after.loaded.kept() < kept);
}
