//! What a training starts from and leaves alone: `init`, `freeze`, and the paths of layers that they name.

use super::given::Given;
use crate::diagnostic::Diagnostic;
use crate::eval::machine::{Failed, Machine};
use crate::eval::value::Value;
use crate::shapes::LayerRow;
use crate::source::Span;
use crate::spec::{ByName, Datum, Fields, Input};
use crate::suggest;

type Args = Fields;

/// The argument `init`: an input, and for `nn.weights` what of the file is taken.
pub(super) fn init(
    machine: &mut Machine<'_>,
    given: &Given,
    args: &mut Args,
    inputs: &mut ByName<Input>,
) -> Result<(), Failed> {
    let value = given.get("init");
    let span = given.span(machine, "init");
    let (file, datum) = match &value {
        Value::Null => return Ok(()),
        Value::Variant(weights) => {
            let file = weights
                .field(&machine.names, "file")
                .cloned()
                .unwrap_or(Value::Null);
            let mut fields = Args::new();
            for name in ["at", "skip"] {
                let value = weights
                    .field(&machine.names, name)
                    .cloned()
                    .unwrap_or(Value::Null);
                fields.insert(name.to_owned(), machine.datum(&value, given.place)?);
            }
            (file, Datum::Variant("weights".into(), fields))
        }
        model => (model.clone(), Datum::Variant("model".into(), Args::new())),
    };
    let Some(source) = machine.source_of(&file) else {
        return Err(machine.unexpected(given.place, "weights or a model", &value));
    };
    inputs.insert("init", Input { source, span });
    args.insert("init", datum);
    Ok(())
}

/// The argument `ema`: a decay.
pub(super) fn ema(machine: &mut Machine<'_>, given: &Given, args: &mut Args) -> Result<(), Failed> {
    match given.get("ema") {
        Value::Float(decay) if decay > 0.0 && decay < 1.0 => {
            args.insert("ema", Datum::Float(decay));
            Ok(())
        }
        Value::Null => Ok(()),
        other => {
            let message = format!("`ema` is {}", machine.display(&other));
            Err(given.wrong(machine, "ema", message, "must be above 0 and below 1"))
        }
    }
}

/// The argument `freeze`: each pattern must match a layer.
pub(super) fn freeze(
    machine: &mut Machine<'_>,
    given: &Given,
    rows: &[LayerRow],
    args: &mut Args,
) -> Result<(), Failed> {
    let datum = machine.datum(&given.get("freeze"), given.place)?;
    let Datum::List(patterns) = &datum else {
        return Ok(());
    };
    for pattern in patterns {
        let Datum::Str(pattern) = pattern else { continue };
        if let Some(error) = unmatched(pattern, rows, given.span(machine, "freeze")) {
            return Err(machine.fail(error));
        }
    }
    if patterns.is_empty() {
        return Ok(());
    }
    let frozen = |row: &LayerRow| {
        let named = |pattern: &Datum| matches!(pattern, Datum::Str(pattern) if matches(pattern, &row.path));
        patterns.iter().any(named)
    };
    let mut trained = rows.iter().filter(|row| row.parameters != Some(0));
    if trained.all(frozen) {
        let message = "`freeze` names every layer that has parameters, so nothing is left to train";
        return Err(given.wrong(machine, "freeze", message, "leave a layer out of it"));
    }
    args.insert("freeze", datum);
    Ok(())
}

/// The error of a pattern that no layer's path matches.
pub(super) fn unmatched(pattern: &str, rows: &[LayerRow], span: Span) -> Option<Diagnostic> {
    if rows.iter().any(|row| matches(pattern, &row.path)) {
        return None;
    }
    let message = format!("no layer has a path that matches \"{pattern}\"");
    let error = Diagnostic::error("E0323", span, message).at("matches nothing");
    let near = suggest::near(pattern, rows.iter().map(|row| row.path.as_str()));
    Some(match near.first() {
        Some(near) => error.help(format!("did you mean \"{near}\"?")),
        None => error.help("`mlp show` lists the paths; `*` stands for any parts of a path"),
    })
}

/// Whether `pattern` names the layer at `path`, or one that it is in: part by part, where `*` is one part or
/// several.
fn matches(pattern: &str, path: &str) -> bool {
    let first = |path| str::split_once(path, '.').map_or((path, None), |(part, rest)| (part, Some(rest)));
    let ((wanted, more), (part, below)) = (first(pattern), first(path));
    let goes_on = |pattern: Option<&str>| match (pattern, below) {
        (None, _) => true,
        (Some(pattern), Some(below)) => matches(pattern, below),
        (Some(_), None) => false,
    };
    match wanted {
        "*" => goes_on(more) || goes_on(Some(pattern)),
        wanted => wanted == part && goes_on(more),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_names_a_layer_and_all_in_it() {
        assert!(matches("layer1", "layer1"));
        assert!(matches("layer1", "layer1.0.conv1"));
        assert!(matches("*.0", "layer1.0.conv1"));
        assert!(matches("layer1.*.bn1", "layer1.1.bn1"));
        assert!(matches("*.bn1", "layer1.1.bn1"));
        assert!(matches("*.bn1.weight", "layer1.1.bn1.weight"));
        assert!(!matches("*.bn1", "bn1"));
        assert!(!matches("*.bn1", "layer1.bn2"));
        assert!(!matches("layer", "layer1"));
        assert!(!matches("layer1.0", "layer1"));
        assert!(!matches("bn1", "layer1.0.bn1"));
    }
}
