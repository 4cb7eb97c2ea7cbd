//! The table of built-in types: what lowering may take for a type of the language, and how many arguments each takes.

/// A built-in type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "each is the type of that name; the table says what it is"
)]
pub enum Con {
    Int,
    Float,
    Bool,
    Str,
    Json,
    Arg,
    Path,
    Duration,
    Bytes,
    List,
    Map,
    Late,
    Pick,
    Output,
    Dataset,
    Model,
    Metrics,
    Validation,
    Predictions,
    Plot,
    File,
    Dir,
    State,
    History,
    Layer,
    Loss,
    Metric,
    Optimizer,
    Schedule,
    Codec,
    Augment,
    Env,
    Init,
    Dist,
    Tensor,
    Pair,
    Columns,
    Classes,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct BuiltinType {
    /// The name.
    pub name: &'static str,
    /// Which it is; none for the fieldwise ones.
    pub con: Option<Con>,
    /// How many type arguments it takes.
    pub arity: usize,
    /// What it is, for hovers.
    pub doc: &'static str,
}

const fn row(name: &'static str, con: Con, arity: usize, doc: &'static str) -> BuiltinType {
    BuiltinType {
        name,
        con: Some(con),
        arity,
        doc,
    }
}

const fn fieldwise(name: &'static str, arity: usize, doc: &'static str) -> BuiltinType {
    BuiltinType {
        name,
        con: None,
        arity,
        doc,
    }
}

/// All built-in types but the shapes, sorted by name.
pub const BUILTIN_TYPES: &[BuiltinType] = &[
    row(
        "Arg",
        Con::Arg,
        0,
        "An argument of a command: text, a path, an artifact or a late value.",
    ),
    row(
        "Augment",
        Con::Augment,
        0,
        "A random change of training examples.",
    ),
    row("Bool", Con::Bool, 0, "`true` or `false`."),
    row("Bytes", Con::Bytes, 0, "A size: `4GiB`."),
    row(
        "Classes",
        Con::Classes,
        0,
        "How many classes there are, or a list of their names.",
    ),
    row(
        "Codec",
        Con::Codec,
        1,
        "How columns become a tensor of the shape that it names.",
    ),
    row(
        "Columns",
        Con::Columns,
        0,
        "The name of a column, a name with `*`, or a list of names.",
    ),
    row(
        "Dataset",
        Con::Dataset,
        2,
        "Examples: the shape of an input and of a target.",
    ),
    row("Dir", Con::Dir, 0, "A directory, of the project or built."),
    row("Dist", Con::Dist, 1, "What a search draws values from."),
    fieldwise("Dists", 1, "The record with a `Dist` of each field."),
    row("Duration", Con::Duration, 0, "A time: `30min`."),
    fieldwise(
        "Each",
        3,
        "The record with the third argument for each field of the first, whose fields are of the second.",
    ),
    row("Env", Con::Env, 0, "The pinned tools of a step."),
    row("File", Con::File, 0, "A file, of the project or built."),
    row("Float", Con::Float, 0, "A number with a point: 64 bits."),
    row(
        "History",
        Con::History,
        0,
        "The figures of each epoch of a training.",
    ),
    row("Init", Con::Init, 0, "The weights that a training starts from."),
    row("Int", Con::Int, 0, "A whole number: 64 bits."),
    row("Json", Con::Json, 0, "Any JSON value; `decode[T]` opens it."),
    row("Late", Con::Late, 1, "A value known only after a build."),
    row(
        "Layer",
        Con::Layer,
        0,
        "A layer of a network, or a whole network.",
    ),
    row("List", Con::List, 1, "Values of one type in order."),
    fieldwise("Lists", 1, "The record with a `List` of each field."),
    row("Loss", Con::Loss, 0, "What a training makes small."),
    row("Map", Con::Map, 1, "Values of one type by key."),
    row(
        "Metric",
        Con::Metric,
        1,
        "A figure that is measured on a dataset.",
    ),
    row(
        "Metrics",
        Con::Metrics,
        1,
        "Measured figures; each is known after the build.",
    ),
    fieldwise("MetricsOf", 1, "The record with a `Metric` of each field."),
    row(
        "Model",
        Con::Model,
        2,
        "A trained network, for inputs and targets of two shapes.",
    ),
    row("Optimizer", Con::Optimizer, 0, "How a training changes weights."),
    row("Output", Con::Output, 1, "What a step is declared to write."),
    fieldwise("Outputs", 1, "The record with an `Output` of each field."),
    row(
        "Pair",
        Con::Pair,
        0,
        "A size for height and width: one number for both, or a list of two.",
    ),
    row("Path", Con::Path, 0, "A path of the project: `./data.csv`."),
    row(
        "Pick",
        Con::Pick,
        1,
        "One of several values, chosen by the build.",
    ),
    row("Plot", Con::Plot, 0, "A figure."),
    row(
        "Predictions",
        Con::Predictions,
        0,
        "What a model says of each example.",
    ),
    row("Schedule", Con::Schedule, 0, "How the learning rate moves."),
    fieldwise(
        "Shares",
        2,
        "The record of shares whose parts are the record of the first argument's fields.",
    ),
    row("State", Con::State, 0, "A training's state after an epoch."),
    row("Str", Con::Str, 0, "Text."),
    fieldwise(
        "Summaries",
        1,
        "The record with the mean, standard deviation and count of each numeric field.",
    ),
    row(
        "Tensor",
        Con::Tensor,
        0,
        "A symbolic tensor in a traced function.",
    ),
    row(
        "Validation",
        Con::Validation,
        1,
        "The validation figures of the epoch that was kept, and its `loss`.",
    ),
];

/// A shape of examples.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The name.
    pub name: &'static str,
    /// What its dimensions are called, in order.
    pub dims: &'static [&'static str],
}

/// All shapes, sorted by name.
pub const SHAPES: &[Shape] = &[
    Shape {
        name: "Class",
        dims: &["classes"],
    },
    Shape {
        name: "Image",
        dims: &["channels", "height", "width"],
    },
    Shape {
        name: "Real",
        dims: &["size"],
    },
    Shape {
        name: "Tags",
        dims: &["classes"],
    },
    Shape {
        name: "Text",
        dims: &["length"],
    },
    Shape {
        name: "Vector",
        dims: &["size"],
    },
    Shape {
        name: "Wave",
        dims: &["channels", "samples"],
    },
];

impl Con {
    /// The name, as it is written.
    pub fn name(self) -> &'static str {
        // Every `Con` has a row; a test holds that.
        BUILTIN_TYPES
            .iter()
            .find(|row| row.con == Some(self))
            .map_or("?", |row| row.name)
    }

    /// Whether a value of it is made by a build, and so is known only by what it will be.
    pub fn is_artifact(self) -> bool {
        matches!(
            self,
            Self::Dataset
                | Self::Model
                | Self::Metrics
                | Self::Validation
                | Self::Predictions
                | Self::Plot
                | Self::File
                | Self::Dir
                | Self::State
                | Self::History
        )
    }

    /// Whether it is a nominal description, which a function of defaults only is taken for.
    pub fn is_description(self) -> bool {
        matches!(
            self,
            Self::Layer
                | Self::Loss
                | Self::Metric
                | Self::Optimizer
                | Self::Schedule
                | Self::Codec
                | Self::Augment
                | Self::Env
                | Self::Init
                | Self::Dist
        )
    }
}
