//! Programs made at random, along the grammar and the types: bytes at random rarely get past the parser. Most of what is
//! made here checks and evaluates; a part in four hundred is of another type than it should be.

use std::fmt::Write;

/// Throws of dice, all of them from one seed (splitmix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `0..sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        (self.next() % sides.max(1) as u64) as usize
    }

    /// Whether it comes up: once in `n` throws.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.roll(n) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

/// The types that expressions are made of.
#[derive(Clone, Debug, PartialEq)]
enum Ty {
    Int,
    Float,
    Str,
    Bool,
    Json,
    Layer,
    Color,
    List(Box<Ty>),
    Map(Box<Ty>),
    Optional(Box<Ty>),
    Record(Vec<(String, Ty)>),
}

/// A whole file.
pub fn program(seed: u64) -> String {
    let mut writer = Writer::new(Dice::new(seed));
    writer.file()
}

/// An expression of some type, without names of a file.
pub fn expression(dice: &mut Dice) -> String {
    let mut writer = Writer::new(dice.clone());
    dice.next();
    let ty = writer.ty(2);
    writer.expr(&ty, 3)
}

/// An item, as it may stand anywhere in a file.
pub fn item(dice: &mut Dice) -> String {
    let mut writer = Writer::new(dice.clone());
    dice.next();
    writer.item(dice.roll(1000))
}

struct Writer {
    dice: Dice,
    /// Names that are in sight, with their types.
    scope: Vec<(String, Ty)>,
    /// Functions with the types of their parameters; the second of them has a default.
    functions: Vec<(String, Vec<Ty>, Ty)>,
    fresh: usize,
}

impl Writer {
    fn new(dice: Dice) -> Self {
        Self {
            dice,
            scope: Vec::new(),
            functions: Vec::new(),
            fresh: 0,
        }
    }

    fn file(&mut self) -> String {
        let mut text = String::new();
        text += "import std.{data, loss, ml, nn, optim}\n";
        text += "enum Color { Red, Grey(level: Int = 3), Mix(Float, Float) }\n";
        for index in 0..2 + self.dice.roll(6) {
            text += &self.item(index);
            text += *self.dice.pick(&["\n", "\n", "\n\n", "  # end\n", "\r\n"]);
        }
        if self.dice.once_in(3) {
            let ty = self.ty(2);
            text += &self.expr(&ty, 3);
            text.push('\n');
        }
        text
    }

    fn item(&mut self, index: usize) -> String {
        match self.dice.roll(8) {
            0 | 1 => self.function(index),
            2 => {
                let ty = self.plain_ty(1);
                let (written, value) = (self.written(&ty), self.expr(&ty, 1));
                self.scope.push((format!("p{index}"), ty));
                format!("param p{index}: {written} = {value}")
            }
            3 if index < 1000 => self.training(index),
            _ => {
                let ty = if self.dice.once_in(9) {
                    Ty::Json
                } else {
                    self.ty(2)
                };
                let value = match ty {
                    Ty::Json => self.literal(&ty),
                    _ => self.expr(&ty, 4),
                };
                let annotation = match ty == Ty::Json || self.dice.once_in(3) {
                    true => format!(": {}", self.written(&ty)),
                    false => String::new(),
                };
                let doc = if self.dice.once_in(9) {
                    "## Said of it.\n"
                } else {
                    ""
                };
                self.scope.push((format!("v{index}"), ty));
                format!("{doc}v{index}{annotation} = {value}")
            }
        }
    }

    fn function(&mut self, index: usize) -> String {
        let params = [self.plain_ty(2), self.plain_ty(1)];
        let ret = self.ty(2);
        let name = format!("f{index}");
        let default = self.expr(&params[1], 1);
        let outer = self.scope.len();
        self.scope.push(("a".to_owned(), params[0].clone()));
        self.scope.push(("b".to_owned(), params[1].clone()));
        let mut text = format!(
            "fn {name}(a: {}, b: {} = {default})",
            self.written(&params[0]),
            self.written(&params[1])
        );
        if self.dice.once_in(2) {
            let _ = write!(text, " -> {}", self.written(&ret));
        }
        text += " =";
        for n in 0..self.dice.roll(3) {
            let ty = self.ty(1);
            let _ = write!(text, "\n  let l{n} = {}", self.expr(&ty, 2));
            self.scope.push((format!("l{n}"), ty));
        }
        let _ = write!(text, "\n  {}", self.expr(&ret, 3));
        self.scope.truncate(outer);
        self.functions.push((name, params.to_vec(), ret));
        text
    }

    fn training(&mut self, index: usize) -> String {
        let net = self.expr(&Ty::Layer, 3);
        let vector = self.dice.once_in(2);
        let x = match vector {
            true => "data.vector([\"a\", \"b\"])".to_owned(),
            false => format!(
                "data.pixels(\"p*\", channels = {}, height = 8, width = {})",
                self.dice.roll(4),
                self.dice.roll(20)
            ),
        };
        format!(
            "d{index} = data.csv(./d.csv, x = {x}, y = data.label(\"y\", classes = {}))\n\
             t{index} = ml.train(nn.sequential([{net}, nn.flatten, nn.linear(3)]), on = d{index}, \
             loss = loss.cross_entropy, optimizer = optim.adam(), epochs = {}, batch_size = 8, seed = 1)",
            2 + self.dice.roll(3),
            self.dice.roll(3),
        )
    }

    fn ty(&mut self, depth: usize) -> Ty {
        match self.dice.roll(12) {
            0 => Ty::Layer,
            1 => Ty::Color,
            _ => self.plain_ty(depth),
        }
    }

    fn plain_ty(&mut self, depth: usize) -> Ty {
        if depth == 0 || self.dice.once_in(2) {
            let flat = [Ty::Int, Ty::Int, Ty::Float, Ty::Str, Ty::Bool];
            return self.dice.pick(&flat).clone();
        }
        let inner = self.plain_ty(depth - 1);
        match self.dice.roll(5) {
            0 => Ty::Map(inner.into()),
            1 => Ty::Optional(inner.into()),
            2 | 3 => Ty::List(inner.into()),
            _ => {
                let other = self.plain_ty(depth - 1);
                let names: &[[&str; 2]] = &[["x", "y"], ["lr", "n"], ["if", "x"]];
                let [a, b] = *self.dice.pick(names);
                Ty::Record(vec![(a.to_owned(), inner), (b.to_owned(), other)])
            }
        }
    }

    fn written(&mut self, ty: &Ty) -> String {
        match ty {
            Ty::Int => "Int".to_owned(),
            Ty::Float => "Float".to_owned(),
            Ty::Str => "Str".to_owned(),
            Ty::Bool => "Bool".to_owned(),
            Ty::Json => "Json".to_owned(),
            Ty::Layer => "Layer".to_owned(),
            Ty::Color => "Color".to_owned(),
            Ty::List(inner) => format!("List[{}]", self.written(inner)),
            Ty::Map(inner) => format!("Map[{}]", self.written(inner)),
            Ty::Optional(inner) => format!("{}?", self.written(inner)),
            Ty::Record(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, ty)| format!("{name}: {}", self.written(ty)))
                    .collect();
                format!("{{ {} }}", fields.join(", "))
            }
        }
    }

    fn name(&mut self) -> String {
        self.fresh += 1;
        format!("n{}", self.fresh)
    }

    /// What may stand between two tokens inside of brackets.
    fn gap(&mut self) -> &'static str {
        let gaps = ["", "", "", "", " ", "\n  ", "\n\n", " # c\n", "\r\n\t"];
        gaps[self.dice.roll(gaps.len())]
    }

    fn list(&mut self, open: &str, parts: &[String], close: &str) -> String {
        let mut text = open.to_owned();
        for (index, part) in parts.iter().enumerate() {
            text += self.gap();
            text += part;
            text += self.gap();
            if index + 1 < parts.len() || self.dice.once_in(5) {
                text.push(',');
            }
        }
        text + self.gap() + close
    }

    /// An expression of the type; what is around it may be of any precedence.
    fn expr(&mut self, ty: &Ty, depth: usize) -> String {
        if self.dice.once_in(400) {
            let other = self.ty(1);
            return self.atom(&other);
        }
        if depth == 0 || self.dice.once_in(4) {
            return self.atom(ty);
        }
        match self.dice.roll(7) {
            0 => self.choice(ty, depth - 1),
            1 => self.called(ty, depth - 1),
            2 => {
                let (yes, no) = (self.expr(ty, depth - 1), self.expr(ty, depth - 1));
                format!("(if {} then {yes} else {no})", self.expr(&Ty::Bool, depth - 1))
            }
            3 => {
                let optional = Ty::Optional(ty.clone().into());
                let optional = self.expr(&optional, depth - 1);
                format!("({optional} ?? {})", self.expr(ty, depth - 1))
            }
            _ => self.made(ty, depth - 1),
        }
    }

    /// A `match` that gives the type.
    fn choice(&mut self, ty: &Ty, depth: usize) -> String {
        let (one, other) = (self.expr(ty, depth), self.expr(ty, depth));
        match self.dice.roll(3) {
            0 => {
                let of = self.expr(&Ty::Int, depth);
                format!("(match {of} {{ 0 | 1 => {one}, n if n > 3 => {other}, _ => {one} }})")
            }
            1 => {
                let of = self.expr(&Ty::Color, depth);
                format!(
                    "(match {of} {{ Red => {one}, Grey(level) if level < 2 => {other}, Grey(_) | Mix(_, _) => {one} }})"
                )
            }
            _ => {
                let of = self.expr(&Ty::List(Ty::Str.into()), depth);
                format!("(match first({of}) {{ null => {one}, \"a\" => {other}, _ => {one} }})")
            }
        }
    }

    /// A call of a function of the file, or a field of a record.
    fn called(&mut self, ty: &Ty, depth: usize) -> String {
        let fitting: Vec<_> = self
            .functions
            .iter()
            .filter(|function| function.2 == *ty)
            .cloned()
            .collect();
        if let Some((name, params, _)) = fitting.first() {
            let first = self.expr(&params[0], depth);
            return match self.dice.roll(3) {
                0 => format!("{name}({first})"),
                1 => format!("({first} |> {name})"),
                _ => {
                    let second = self.expr(&params[1], depth);
                    self.list(&format!("{name}("), &[first, format!("b = {second}")], ")")
                }
            };
        }
        let record = Ty::Record(vec![("x".to_owned(), ty.clone()), ("y".to_owned(), Ty::Int)]);
        match self.dice.roll(3) {
            0 => format!(
                "{}[{}]",
                self.expr(&Ty::List(ty.clone().into()), depth),
                self.expr(&Ty::Int, 0)
            ),
            1 => format!("{}[\"k\"]", self.expr(&Ty::Map(ty.clone().into()), depth)),
            _ => format!("{}.x", self.expr(&record, depth)),
        }
    }

    fn atom(&mut self, ty: &Ty) -> String {
        let known: Vec<String> = self
            .scope
            .iter()
            .filter(|(_, of)| of == ty)
            .map(|(name, _)| name.clone())
            .collect();
        if !known.is_empty() && !self.dice.once_in(3) {
            return self.dice.pick(&known).clone();
        }
        self.literal(ty)
    }

    fn literal(&mut self, ty: &Ty) -> String {
        let from: &[&str] = match ty {
            Ty::Int => &[
                "0",
                "1",
                "2",
                "7",
                "-3",
                "1_000",
                "9223372036854775807",
                "-9223372036854775808",
            ],
            Ty::Float => &["0.5", "1e-3", "-2.0", "1e300", "0.1", "5e-324", "3"],
            Ty::Str => &[
                "\"a\"",
                "\"\"",
                "\"ä\\n\\u{1F600}\"",
                "\"x,y\"",
                "\"$5 {}\"",
                "\"12\"",
            ],
            Ty::Bool => &["true", "false"],
            Ty::Json => &[
                "null",
                "{ a: [1, null, \"x\"] }",
                "[]",
                "{ \"k\": { b: 1.5 } }",
                "[[1], {}]",
            ],
            Ty::Layer => &[
                "nn.relu",
                "nn.flatten()",
                "nn.linear(4)",
                "nn.dropout(p = 0.1)",
                "nn.batch_norm()",
            ],
            Ty::Color => &["Red", "Grey()", "Grey(level = 1)", "Mix(0.5, 1)", "Color.Red"],
            Ty::List(inner) => {
                let parts: Vec<String> = (0..self.dice.roll(4)).map(|_| self.atom(inner)).collect();
                return self.list("[", &parts, "]");
            }
            Ty::Map(inner) => {
                let value = self.atom(inner);
                return format!("{{ \"k\": {value}, \"b c\": {} }}", self.atom(inner));
            }
            Ty::Optional(inner) => {
                return match self.dice.once_in(2) {
                    true => "null".to_owned(),
                    false => self.atom(inner),
                };
            }
            Ty::Record(fields) => {
                let parts: Vec<String> = fields
                    .iter()
                    .map(|(name, ty)| format!("{name}: {}", self.atom(ty)))
                    .collect();
                return self.list("{", &parts, "}");
            }
        };
        (*self.dice.pick(from)).to_owned()
    }

    /// An expression that makes a value of the type out of others.
    fn made(&mut self, ty: &Ty, depth: usize) -> String {
        match ty {
            Ty::Int => self.int(depth),
            Ty::Float => self.float(depth),
            Ty::Str => self.text(depth),
            Ty::Bool => self.truth(depth),
            Ty::Layer => self.layer(depth),
            Ty::List(inner) => self.sequence(inner, depth),
            Ty::Map(inner) => {
                let (xs, name) = (self.expr(&Ty::List(Ty::Str.into()), depth), self.name());
                self.scope.push((name.clone(), Ty::Str));
                let value = self.expr(inner, depth);
                self.scope.pop();
                format!("{{ [{name}]: {value} for {name} in {xs} if {name} != \"a\" }}")
            }
            Ty::Optional(inner) => match self.dice.once_in(2) {
                true => format!("first({})", self.expr(&Ty::List(inner.clone()), depth)),
                false => self.expr(inner, depth),
            },
            Ty::Record(fields) => {
                let (first, rest) = fields.split_first().expect("records have fields");
                let mut parts = vec![format!("...{}", self.expr(ty, depth))];
                let replaced = if self.dice.once_in(2) { first } else { &rest[0] };
                parts.push(format!("{}: {}", replaced.0, self.expr(&replaced.1, depth)));
                self.list("{", &parts, "}")
            }
            Ty::Color => format!(
                "Mix({}, {})",
                self.expr(&Ty::Float, depth),
                self.expr(&Ty::Float, depth)
            ),
            Ty::Json => self.literal(ty),
        }
    }

    fn int(&mut self, depth: usize) -> String {
        let op = *self.dice.pick(&["+", "-", "*", "//", "%", "**"]);
        let (a, b) = (self.expr(&Ty::Int, depth), self.expr(&Ty::Int, depth));
        match self.dice.roll(5) {
            0 => format!("len({})", self.expr(&Ty::List(Ty::Str.into()), depth)),
            1 => format!(
                "fold({}, {a}, (s, x) => s {op} x)",
                self.expr(&Ty::List(Ty::Int.into()), depth)
            ),
            2 => format!("max({a}, {b})"),
            3 => format!("(-{a})"),
            _ => format!("({a} {op} {b})"),
        }
    }

    fn float(&mut self, depth: usize) -> String {
        let op = *self.dice.pick(&["+", "-", "*", "/", "**"]);
        let (a, b) = (self.expr(&Ty::Float, depth), self.expr(&Ty::Float, depth));
        match self.dice.roll(4) {
            0 => format!("float({})", self.expr(&Ty::Int, depth)),
            1 => format!("sum({})", self.expr(&Ty::List(Ty::Float.into()), depth)),
            _ => format!("({a} {op} {b})"),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        let (a, n) = (self.expr(&Ty::Str, depth), self.expr(&Ty::Int, depth.min(1)));
        match self.dice.roll(5) {
            0 => format!("str({})", self.expr(&Ty::Float, depth)),
            1 => format!("join({}, {a})", self.expr(&Ty::List(Ty::Str.into()), depth)),
            2 if !n.contains(['\n', '"']) => format!("\"<${{{n}}}>\""),
            3 => format!("replace({a}, \"a\", \"b\")"),
            _ => format!("({a} + \"-\")"),
        }
    }

    fn truth(&mut self, depth: usize) -> String {
        let op = *self.dice.pick(&["==", "!=", "<", "<=", ">", ">="]);
        match self.dice.roll(4) {
            0 => format!(
                "({} {op} {})",
                self.expr(&Ty::Int, depth),
                self.expr(&Ty::Int, depth)
            ),
            1 => format!(
                "({} and {})",
                self.expr(&Ty::Bool, depth),
                self.expr(&Ty::Bool, depth)
            ),
            2 => {
                let ty = self.plain_ty(1);
                format!("({} == {})", self.expr(&ty, depth), self.expr(&ty, depth))
            }
            _ => format!(
                "(not {} or {})",
                self.expr(&Ty::Bool, depth),
                self.expr(&Ty::Bool, depth)
            ),
        }
    }

    fn layer(&mut self, depth: usize) -> String {
        let n = self.dice.roll(9);
        match self.dice.roll(4) {
            0 => format!(
                "nn.conv2d({n}, kernel_size = {}, padding = {})",
                self.dice.roll(5),
                self.dice.roll(3)
            ),
            1 => format!("nn.max_pool2d({n}, stride = {})", 1 + self.dice.roll(3)),
            2 => format!("nn.named(\"head{n}\", {})", self.expr(&Ty::Layer, depth)),
            _ => {
                let parts: Vec<String> = (0..1 + self.dice.roll(4))
                    .map(|_| self.expr(&Ty::Layer, depth))
                    .collect();
                self.list("nn.sequential([", &parts, "])")
            }
        }
    }

    fn sequence(&mut self, inner: &Ty, depth: usize) -> String {
        let of = self.plain_ty(1);
        let (xs, name) = (self.expr(&Ty::List(of.clone().into()), depth), self.name());
        let same = self.expr(&Ty::List(inner.clone().into()), depth);
        match self.dice.roll(6) {
            0 => format!("reverse({same})"),
            1 => format!("[...{same}, {}]", self.expr(inner, depth)),
            2 => format!("({same} |> take({}))", self.expr(&Ty::Int, 1)),
            roll => {
                self.scope.push((name.clone(), of));
                let body = self.expr(inner, depth);
                self.scope.pop();
                match roll {
                    3 => format!("map({xs}, {name} => {body})"),
                    _ => format!("[{body} for {name} in {xs}]"),
                }
            }
        }
    }
}
