//! Columns that examples carry along (`meta`), by which they are grouped.

use crate::columns::nearest;
use crate::table::Table;
use mlp_protocol::message::{Failure, Outcome};
use std::collections::BTreeMap;

/// The group of each example, from 0 in the order in which they come: equal cells of the column `name` are one.
///
/// # Errors
/// When the examples carry no such column. `argument` is the parameter that names it.
pub(crate) fn groups(meta: Option<&str>, name: &str, argument: &str) -> Outcome<Vec<usize>> {
    let Some(text) = meta else {
        return Err(missing(name, argument, &[]));
    };
    let mut table = Table::new(text.as_bytes(), "dataset", Some("meta.csv"))?;
    let mut cells = Vec::new();
    table.next_row(&mut cells)?;
    let names: Vec<String> = cells.iter().map(|cell| table.text(cell).into_owned()).collect();
    let column = names
        .iter()
        .position(|column| column == name)
        .ok_or_else(|| missing(name, argument, &names))?;
    let mut known = BTreeMap::new();
    let mut groups = Vec::new();
    while table.next_row(&mut cells)? {
        let cell = cells.get(column).map(|cell| table.text(cell)).unwrap_or_default();
        let next = known.len();
        groups.push(*known.entry(cell).or_insert(next));
    }
    Ok(groups)
}

fn missing(name: &str, argument: &str, names: &[String]) -> Box<Failure> {
    let message = format!("the examples carry no column `{name}` along");
    let failure = Failure::new("B0150", message).argument(argument);
    let shown: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match (nearest(name, names), names) {
        (Some(near), _) => failure.help(format!("did you mean `{near}`?")),
        (None, []) => failure.help(format!(
            "let the dataset carry it: `meta = [\"{name}\"]` where the file is read"
        )),
        (None, _) => failure.help(format!(
            "they carry {}; add `\"{name}\"` to `meta` where the file is read",
            shown.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_cells_are_one_group() {
        let meta = "id,who\n1,ann\n2,\"bo, b\"\n3,ann\n4,\n";
        assert_eq!(groups(Some(meta), "who", "group").unwrap(), [0, 1, 0, 2]);
    }

    #[test]
    fn a_column_that_is_not_there_is_told_with_those_that_are() {
        let said = |meta, name| {
            let failure = groups(meta, name, "group").unwrap_err();
            assert_eq!(failure.code, "B0150");
            failure.help.unwrap()
        };
        assert_eq!(said(Some("patient\n1\n"), "pateint"), "did you mean `patient`?");
        assert_eq!(
            said(Some("id,day\n1,2\n"), "patient"),
            "they carry `id`, `day`; add `\"patient\"` to `meta` where the file is read"
        );
        assert!(said(None, "patient").contains("meta = [\"patient\"]"));
    }
}
