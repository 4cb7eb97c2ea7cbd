//! The arguments of a call by label, read as what they must be; errors point at the argument that the person wrote.

use crate::core::FunctionId;
use crate::eval::blame::Place;
use crate::eval::machine::{Failed, Machine};
use crate::eval::names::EMPTY;
use crate::eval::value::Value;
use crate::hir::Name;
use crate::shapes::snake;
use crate::source::Span;
use crate::spec::{Input, Resources};
use smol_str::SmolStr;

/// The arguments of a call.
pub(super) struct Given {
    params: Vec<Name>,
    values: Vec<Value>,
    pub(super) place: Place,
}

impl Given {
    /// Takes the arguments of `function` off the stack.
    pub(super) fn take(machine: &mut Machine<'_>, function: FunctionId, place: Place) -> Self {
        let params = machine.core.functions[function.0 as usize].params.clone();
        let below = machine.stack.len().saturating_sub(params.len());
        Self {
            values: machine.stack.split_off(below),
            params,
            place,
        }
    }

    pub(super) fn get(&self, label: &str) -> Value {
        let index = self.params.iter().position(|param| param == label);
        index
            .and_then(|index| self.values.get(index))
            .cloned()
            .unwrap_or(Value::Null)
    }

    /// The same arguments with `value`, called `label`, in the place of the argument `from`.
    pub(super) fn instead(&self, from: &str, label: &str, value: Value) -> Self {
        let mut given = Self {
            params: self.params.clone(),
            values: self.values.clone(),
            place: self.place,
        };
        if let Some(index) = given.params.iter().position(|param| param == from) {
            given.params[index] = label.into();
            given.values[index] = value;
        }
        given
    }

    /// Where the argument stands, or the call where it is a default.
    pub(super) fn span(&self, machine: &Machine<'_>, label: &str) -> Span {
        machine.argument_span(self.place, label)
    }

    /// An argument whose value is out of range.
    pub(super) fn wrong(
        &self,
        machine: &mut Machine<'_>,
        label: &str,
        message: impl Into<String>,
        at: impl Into<String>,
    ) -> Failed {
        let error = machine.argument_error(self.place, label, "E0412", message).at(at);
        machine.fail(error)
    }

    /// A count from `least` up to what the builders can take; `None` is null.
    pub(super) fn count(
        &self,
        machine: &mut Machine<'_>,
        label: &str,
        least: i64,
    ) -> Result<Option<i64>, Failed> {
        match self.get(label) {
            Value::Null => Ok(None),
            Value::Int(count) if (least..=i64::from(u32::MAX)).contains(&count) => Ok(Some(count)),
            Value::Int(count) => {
                let bound = if count < least {
                    format!("must be {least} or more")
                } else {
                    format!("must be at most {}", u32::MAX)
                };
                Err(self.wrong(machine, label, format!("`{label}` is {count}"), bound))
            }
            other => Err(machine.unexpected(self.place, "an integer", &other)),
        }
    }

    /// The name of an enum's variant in snake case: what JSON has for it.
    pub(super) fn choice(&self, machine: &mut Machine<'_>, label: &str) -> Result<SmolStr, Failed> {
        match self.get(label) {
            Value::Variant(variant) if variant.shape == EMPTY => {
                Ok(snake(machine.names.text(variant.name)).into())
            }
            Value::Str(text) => Ok(text.as_str().into()),
            other => Err(machine.unexpected(self.place, "one of an enum's variants", &other)),
        }
    }

    /// A file or artifact as an input.
    pub(super) fn input(&self, machine: &mut Machine<'_>, label: &str) -> Result<Input, Failed> {
        let value = self.get(label);
        let Some(source) = machine.source_of(&value) else {
            return Err(machine.unexpected(self.place, "a file or artifact", &value));
        };
        Ok(Input {
            source,
            span: self.span(machine, label),
        })
    }

    /// The argument `resources`.
    pub(super) fn resources(&self, machine: &mut Machine<'_>) -> Result<Resources, Failed> {
        let mut resources = Resources::default();
        let Value::Record(record) = self.get("resources") else {
            return Ok(resources);
        };
        let fields = machine.names.fields(record.shape).to_vec();
        for (field, value) in fields.into_iter().zip(record.cells()) {
            let amount = match value {
                Value::Null => continue,
                Value::Int(amount) | Value::Bytes(amount) | Value::Duration(amount) => *amount,
                other => return Err(machine.unexpected(self.place, "an amount", other)),
            };
            let name = machine.names.text(field).to_owned();
            let least = if name == "gpus" { 0 } else { 1 };
            let Some(amount) = u64::try_from(amount).ok().filter(|amount| *amount >= least) else {
                let shown = machine.display(value);
                return Err(self.wrong(
                    machine,
                    "resources",
                    format!("`{name}` is {shown}"),
                    format!("`{name}` must be {least} or more"),
                ));
            };
            match name.as_str() {
                "cpus" => resources.cpus = u32::try_from(amount).ok(),
                "gpus" => resources.gpus = u32::try_from(amount).ok(),
                "memory" => resources.memory = Some(amount),
                "disk" => resources.disk = Some(amount),
                _ => resources.time = Some(amount),
            }
        }
        Ok(resources)
    }
}
