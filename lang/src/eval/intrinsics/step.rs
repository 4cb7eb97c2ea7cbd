//! `step` and `glob`: programs of the user's as specs.

use super::Table;
use super::given::Given;
use super::outputs::declared;
use crate::core::FunctionId;
use crate::eval::artifact::Artifact;
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::{ArgPiece, Long, Pieces, Value};
use crate::spec::{
    Builder, ByName, Command, Datum, DerivationSpec, EnvRef, Environment, Input, InputSource, Origin, Piece,
};
use std::rc::Rc;
use std::sync::Arc;

pub(super) const TABLE: Table = &[("step", 10, step), ("glob", 1, glob)];

type Answer = Result<Value, Failed>;

/// More than anybody means: a step that has to be tried so often does not work.
const MOST_RETRIES: i64 = 100;

fn step(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    let (argv, vars) = (argv(machine, &given)?, vars(machine, &given)?);
    let inputs = inputs(machine, &given)?;
    let env = environment(machine, &given)?;
    let cwd = cwd(machine, &given)?;
    let outputs = declared(machine, &given, cwd.as_deref())?;
    let stdin = match given.get("stdin") {
        Value::Null => None,
        _ => Some(given.input(machine, "stdin")?),
    };
    let mut resources = given.resources(machine)?;
    resources.retries = retries(machine, &given)?;
    let threads = given.count(machine, "threads", 1)?.unwrap_or(1);
    let (span, mut arguments) = machine.user_call(place);
    arguments.extend(
        outputs
            .iter()
            .map(|output| (format!("outputs.{}", output.name), output.span)),
    );
    let spec = DerivationSpec {
        name: String::new(),
        origin: Origin { span, arguments },
        resources,
        builder: Builder::Command(Command {
            argv,
            stdin,
            threads: u32::try_from(threads).unwrap_or(u32::MAX),
        }),
        args: Datum::Map(ByName::new()),
        env: Some(Arc::new(env)),
        vars,
        cwd,
        inputs,
        outputs: outputs
            .iter()
            .map(|output| (output.name.clone(), output.spec.clone()))
            .collect(),
    };
    let spec = machine.specs.add(spec);
    let rows = outputs
        .iter()
        .flat_map(|output| output.rows.iter().cloned())
        .collect::<Vec<_>>();
    if !rows.is_empty() {
        machine.artifacts.layers.insert(spec, Arc::new(rows));
    }
    let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
    let shape = machine.names.shape_of(&names);
    let cells = outputs
        .iter()
        .map(|output| {
            machine.artifacts.add(Artifact {
                source: InputSource::Output {
                    spec,
                    output: output.name.as_str().into(),
                },
                kind: output.spec.kind,
                about: output.about.clone(),
            })
        })
        .collect();
    machine.record(shape, cells, place)
}

fn glob(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Answer {
    let given = Given::take(machine, function, place);
    match given.get("pattern") {
        Value::Str(pattern) => Ok(Value::Pieces(Rc::new(Pieces(vec![ArgPiece::Glob(Long::new(
            from_root(pattern.as_str()),
        ))])))),
        other => Err(machine.unexpected(place, "a pattern", &other)),
    }
}

/// Patterns are read from the project's root; `./` says so, and nothing else.
fn from_root(pattern: &str) -> &str {
    pattern.strip_prefix("./").unwrap_or(pattern)
}

fn argv(machine: &mut Machine<'_>, given: &Given) -> Result<Vec<Vec<Piece>>, Failed> {
    let Value::List(list) = given.get("argv") else {
        return Err(machine.unexpected(given.place, "a list of arguments", &given.get("argv")));
    };
    if list.items().is_empty() {
        let message = "a step needs a program to run";
        return Err(given.wrong(machine, "argv", message, "name it: `[\"python\", ./train.py]`"));
    }
    let arguments = list.items().iter();
    arguments
        .map(|argument| pieces(machine, given, argument))
        .collect()
}

fn vars(machine: &mut Machine<'_>, given: &Given) -> Result<ByName<Vec<Piece>>, Failed> {
    let mut vars = ByName::new();
    for (name, value) in entries(machine, given, "vars")? {
        if name.is_empty() || name.contains(['=', '\0']) {
            let message = format!("`{name}` cannot be the name of a variable");
            return Err(given.wrong(machine, "vars", message, "names hold neither `=` nor NUL"));
        }
        vars.insert(name, pieces(machine, given, &value)?);
    }
    Ok(vars)
}

fn entries(machine: &mut Machine<'_>, given: &Given, label: &str) -> Result<Vec<(String, Value)>, Failed> {
    match given.get(label) {
        Value::Map(map) => Ok(map
            .entries()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.clone()))
            .collect()),
        other => Err(machine.unexpected(given.place, "a map", &other)),
    }
}

fn pieces(machine: &mut Machine<'_>, given: &Given, value: &Value) -> Result<Vec<Piece>, Failed> {
    let Value::Pieces(pieces) = value else {
        return Err(machine.unexpected(given.place, "an argument", value));
    };
    let pieces = pieces.0.iter();
    pieces.map(|piece| self::piece(machine, given, piece)).collect()
}

fn piece(machine: &mut Machine<'_>, given: &Given, piece: &ArgPiece) -> Result<Piece, Failed> {
    Ok(match piece {
        ArgPiece::Text(text) => Piece::Text(text.into()),
        ArgPiece::Path(path) => Piece::Input(InputSource::Source(path.as_str().to_owned())),
        ArgPiece::Glob(pattern) => Piece::Input(InputSource::Glob(pattern.as_str().to_owned())),
        ArgPiece::Late(late) => {
            let made = machine.specs.mark();
            let value = machine.late_value(*late);
            machine.specs.name(made, ".argument");
            Piece::Late(Box::new(value))
        }
        ArgPiece::Artifact(id) => {
            if let Some(why) = machine.artifacts.absent(*id) {
                return Err(machine.absent(why, given.place));
            }
            Piece::Input(machine.artifacts.source(*id).clone())
        }
    })
}

fn inputs(machine: &mut Machine<'_>, given: &Given) -> Result<ByName<Input>, Failed> {
    let mut inputs = ByName::new();
    for (name, value) in entries(machine, given, "inputs")? {
        let source = match pieces(machine, given, &value)?.as_slice() {
            [Piece::Input(source)] => source.clone(),
            [Piece::Text(pattern)] => InputSource::Glob(from_root(pattern).to_owned()),
            _ => {
                let message = format!("the input `{name}` is no file");
                let at = "an input is a path, a glob or an artifact; give values in `argv` or `vars`";
                return Err(given.wrong(machine, "inputs", message, at));
            }
        };
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
            let message = format!("`{name}` cannot be the name of an input");
            return Err(given.wrong(
                machine,
                "inputs",
                message,
                "it becomes a file name: `inputs/NAME`",
            ));
        }
        let span = given.span(machine, "inputs");
        inputs.insert(name, Input { source, span });
    }
    Ok(inputs)
}

fn environment(machine: &mut Machine<'_>, given: &Given) -> Result<Environment, Failed> {
    let variant = machine.description(&given.get("env"), given.place)?;
    let text = |name: &str| match variant.field(&machine.names, name) {
        Some(Value::Str(text)) => text.as_str().to_owned(),
        Some(Value::Path(path)) => path.as_str().to_owned(),
        _ => String::new(),
    };
    let kind = match machine.names.text(variant.name) {
        "flake" => EnvRef::Flake {
            file: text("file"),
            shell: text("shell"),
        },
        "python" => EnvRef::Python {
            lock: text("lock"),
            python: text("python"),
        },
        _ => EnvRef::Host {
            tools: match variant.field(&machine.names, "tools") {
                Some(Value::List(tools)) => tools
                    .items()
                    .iter()
                    .filter_map(|tool| match tool {
                        Value::Str(tool) => Some(tool.as_str().to_owned()),
                        _ => None,
                    })
                    .collect(),
                _ => Vec::new(),
            },
        },
    };
    let site = machine.site(&variant, given.place);
    Ok(Environment {
        kind,
        origin: Origin {
            span: site.span,
            arguments: site.arguments,
        },
    })
}

fn cwd(machine: &mut Machine<'_>, given: &Given) -> Result<Option<String>, Failed> {
    match given.get("cwd") {
        Value::Null => Ok(None),
        Value::Str(cwd) => match super::outputs::below(None, cwd.as_str()) {
            Some(path) if path.is_empty() => Ok(None),
            Some(path) => Ok(Some(path)),
            None => {
                let message = format!("`cwd` is \"{}\"", cwd.as_str());
                Err(given.wrong(
                    machine,
                    "cwd",
                    message,
                    "must be a folder below the step's own, such as `\"src\"`",
                ))
            }
        },
        other => Err(machine.unexpected(given.place, "a folder", &other)),
    }
}

fn retries(machine: &mut Machine<'_>, given: &Given) -> Result<u32, Failed> {
    match given.count(machine, "retries", 0)? {
        Some(retries) if retries > MOST_RETRIES => {
            let message = format!("`retries` is {retries}");
            Err(given.wrong(
                machine,
                "retries",
                message,
                format!("must be at most {MOST_RETRIES}"),
            ))
        }
        retries => Ok(u32::try_from(retries.unwrap_or(0)).unwrap_or(0)),
    }
}
