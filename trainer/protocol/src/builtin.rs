//! The builtins: their names, the program that builds each, and what their bits depend on.

/// The program that builds a builtin derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `mlp-data`: pure Rust.
    Data,
    /// `mlp-trainer`: libtorch.
    Trainer,
    /// `mlp` itself, outside of the sandbox: the network is there.
    Own,
}

/// A builtin derivation kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// The name as it stands in derivations.
    pub name: &'static str,
    /// The semantic version: raised whenever the same inputs give other bits.
    pub version: u32,
    /// Who builds it.
    pub program: Program,
}

/// Every builtin, sorted by name.
pub const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "calc",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "choose",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.arrays",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.balance",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.cifar",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.concat",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.csv",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.folds",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.idx",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.image_folder",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.log_mel",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.parquet",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.resize",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.split",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.take",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "data.top_classes",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "fetch",
        version: 1,
        program: Program::Own,
    },
    Builtin {
        name: "ml.evaluate",
        version: 1,
        program: Program::Trainer,
    },
    Builtin {
        name: "ml.predict",
        version: 1,
        program: Program::Trainer,
    },
    Builtin {
        name: "ml.score",
        version: 1,
        program: Program::Trainer,
    },
    Builtin {
        name: "ml.train",
        version: 1,
        program: Program::Trainer,
    },
    Builtin {
        name: "plot.confusion",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "plot.curves",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "plot.images",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "plot.roc",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "plot.scatter",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "propose",
        version: 1,
        program: Program::Data,
    },
    Builtin {
        name: "unpack",
        version: 1,
        program: Program::Data,
    },
];

/// The builtin called `name`.
pub fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// Whether an input of a builtin must be a file, not a directory.
pub fn wants_file(builtin: &str, input: &str) -> bool {
    matches!(
        (builtin, input),
        ("data.csv" | "data.parquet", "file")
            | ("data.arrays" | "data.idx" | "data.cifar", _)
            | ("unpack", "archive")
    )
}

/// Whether a builtin computes with figures of others. To it those of a training that diverged are not finite; whatever else
/// reads such a training has nothing to read.
pub fn computes_with_figures(builtin: &str) -> bool {
    matches!(builtin, "calc" | "choose" | "plot.scatter" | "propose")
}

/// What decides the bits of libtorch's arithmetic, hashed into every derivation that the trainer builds. The trainer
/// refuses to run on any other libtorch.
pub const NUMERICS: &str = "torch 2.11.0, avx2";

/// The version of libtorch that [`NUMERICS`] stands for.
pub const TORCH_VERSION: &str = "2.11.0";

/// The environment variables that the trainer must be started with, since libtorch and its libraries read them once, as
/// they load: one instruction set on every machine, and no spinning threads.
pub const NUMERICS_ENVIRONMENT: &[(&str, &str)] = &[
    ("ATEN_CPU_CAPABILITY", "avx2"),
    ("MKL_CBWR", "AVX2"),
    ("OMP_NUM_THREADS", "1"),
    ("OMP_WAIT_POLICY", "passive"),
    ("ONEDNN_MAX_CPU_ISA", "AVX2"),
];
