//! Types as people write them. What inference has left open prints as `_`, a number that is Int or Float as `number`.

use super::{DimTy, RecordType, Ty, TypeKind, Types};

/// Longer types are cut: nobody reads on.
const LONGEST: usize = 2_000;

impl Types {
    /// `ty` as it would be written.
    pub fn print(&mut self, ty: Ty) -> String {
        let mut text = String::new();
        self.write(ty, &mut text);
        text
    }

    fn write(&mut self, ty: Ty, out: &mut String) {
        if out.len() > LONGEST {
            if !out.ends_with('…') {
                out.push('…');
            }
            return;
        }
        match self.kind(ty) {
            TypeKind::Error | TypeKind::Unknown => out.push('_'),
            TypeKind::Meta(_) => out.push_str(if self.is_number_meta(ty) { "number" } else { "_" }),
            TypeKind::Rigid(_, name) => out.push_str(&name),
            TypeKind::Con(con, args) => {
                out.push_str(con.name());
                self.write_args(&args, out);
            }
            TypeKind::Enum(_, name, args) => {
                out.push_str(&name);
                self.write_args(&args, out);
            }
            TypeKind::Fieldwise(family, args) => {
                out.push_str(family.name());
                self.write_args(&args, out);
            }
            TypeKind::Shape(name, dims) => {
                out.push_str(name);
                let dims: Vec<String> = dims.iter().map(print_dim).collect();
                out.push_str(&format!("({})", dims.join(", ")));
            }
            TypeKind::Optional(inner) => {
                let function = matches!(self.kind(inner), TypeKind::Fn(..));
                out.push_str(if function { "(" } else { "" });
                self.write(inner, out);
                out.push_str(if function { ")?" } else { "?" });
            }
            TypeKind::Fn(params, ret) => {
                out.push('(');
                self.write_list(&params, out);
                out.push_str(") -> ");
                self.write(ret, out);
            }
            TypeKind::Record(record) => self.write_record(&record, out),
        }
    }

    fn write_args(&mut self, args: &[Ty], out: &mut String) {
        if !args.is_empty() {
            out.push('[');
            self.write_list(args, out);
            out.push(']');
        }
    }

    fn write_list(&mut self, tys: &[Ty], out: &mut String) {
        for (index, ty) in tys.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { ", " });
            self.write(*ty, out);
        }
    }

    fn write_record(&mut self, record: &RecordType, out: &mut String) {
        if let Some((name, args)) = &record.label {
            out.push_str(name);
            self.write_args(args, out);
            return;
        }
        if record.fields.is_empty() {
            out.push_str(if record.open { "{ .. }" } else { "{}" });
            return;
        }
        out.push_str("{ ");
        for (index, field) in record.fields.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { ", " });
            write_label(&field.name, out);
            out.push_str(": ");
            self.write(field.ty, out);
        }
        out.push_str(if record.open { ", .. }" } else { " }" });
    }
}

fn print_dim(dim: &DimTy) -> String {
    match dim {
        DimTy::Known(size) => size.to_string(),
        DimTy::Param(name) => name.to_string(),
        DimTy::Unknown => "_".to_owned(),
    }
}

/// A field's name, quoted where it is no label.
fn write_label(name: &str, out: &mut String) {
    let plain = name.chars().all(|c| c == '_' || c.is_alphanumeric())
        && name.chars().next().is_some_and(|c| !c.is_ascii_digit());
    if plain {
        out.push_str(name);
    } else {
        out.push_str(&format!("{name:?}"));
    }
}
