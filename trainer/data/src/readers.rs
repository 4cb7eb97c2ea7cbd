//! What every reader of rows shares: the codecs of `x` and `y`, fed row by row, and the columns carried along.

use crate::codec::{Folders, Reader, check_role};
use crate::columns::Header;
use crate::dataset::{Dataset, FORMAT};
use crate::table::write_row;
use crate::value::Row;
use mlp_protocol::data::{CsvArgs, Features, Schema};
use mlp_protocol::message::{Failure, Outcome};
use std::collections::BTreeMap;

/// Codecs with their columns found, and what they read so far.
pub(crate) struct Readers {
    x: BTreeMap<String, Reader>,
    y: Reader,
    meta: Meta,
    /// Rows taken.
    pub(crate) examples: u64,
}

impl Readers {
    /// Finds the columns that `args` names.
    ///
    /// # Errors
    /// When one is missing, or a codec stands where it cannot.
    pub(crate) fn new(args: &CsvArgs, header: &Header, folders: &Folders) -> Outcome<Readers> {
        let reader = |codec, argument: &str| {
            check_role(codec, false, argument)?;
            Reader::new(codec, header, folders, argument)
        };
        let x = match &args.x {
            Features::One(codec) => BTreeMap::from([("x".to_string(), reader(codec, "x")?)]),
            Features::Named(codecs) => codecs
                .iter()
                .map(|(name, codec)| Ok((name.clone(), reader(codec, &format!("x.{name}"))?)))
                .collect::<Outcome<_>>()?,
        };
        check_role(&args.y, true, "y")?;
        Ok(Readers {
            x,
            y: Reader::new(&args.y, header, folders, "y")?,
            meta: Meta::new(&args.meta, header)?,
            examples: 0,
        })
    }

    /// The cells that are looked at, in no order.
    pub(crate) fn cells(&self) -> impl Iterator<Item = usize> {
        let readers = self.x.values().chain([&self.y]);
        readers
            .flat_map(Reader::cells)
            .chain(self.meta.columns.iter().copied())
    }

    /// Takes a row.
    ///
    /// # Errors
    /// When a cell is not what a codec reads.
    pub(crate) fn take(&mut self, row: &impl Row, header: &Header) -> Outcome<()> {
        for reader in self.x.values_mut().chain([&mut self.y]) {
            reader.take(row, header)?;
        }
        self.meta.take(row);
        self.examples += 1;
        Ok(())
    }

    /// The dataset of all rows.
    ///
    /// # Errors
    /// When there is no room for it.
    pub(crate) fn finish(self, args: &CsvArgs) -> Outcome<Dataset> {
        let sizes = |(name, reader): (&String, &Reader)| (name.clone(), reader.sizes().clone());
        let schema = Schema {
            format: FORMAT,
            examples: self.examples,
            x: self.x.iter().map(sizes).collect(),
            y: self.y.target(),
            // What a model must agree with. Columns that are only carried along do not matter to it.
            recipe: serde_json::json!({ "x": args.x, "y": args.y }),
        };
        let (mut x, mut targets) = (BTreeMap::new(), BTreeMap::new());
        for (name, reader) in self.x {
            reader.finish(&name, self.examples, &mut x)?;
        }
        self.y.finish("y", self.examples, &mut targets)?;
        let y = targets
            .remove("y")
            .ok_or_else(|| Failure::new("B0001", "the target's codec gave no array"))?;
        Ok(Dataset {
            schema,
            x,
            y,
            meta: self.meta.text,
        })
    }
}

/// The columns carried along.
struct Meta {
    columns: Vec<usize>,
    text: Option<String>,
}

impl Meta {
    fn new(names: &[String], header: &Header) -> Outcome<Meta> {
        let columns = names
            .iter()
            .map(|name| header.one(name, "meta"))
            .collect::<Outcome<Vec<usize>>>()?;
        let mut meta = Meta { columns, text: None };
        if !names.is_empty() {
            let mut text = String::new();
            write_row(&mut text, names.iter().map(|name| name.as_str().into()));
            meta.text = Some(text);
        }
        Ok(meta)
    }

    fn take(&mut self, row: &impl Row) {
        if let Some(text) = &mut self.text {
            let cells = self.columns.iter();
            write_row(text, cells.map(|column| row.value(*column).into_text()));
        }
    }
}
