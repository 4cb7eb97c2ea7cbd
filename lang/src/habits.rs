//! What things are called elsewhere: in Python, PyTorch, Keras, scikit-learn, Lightning, DVC. Tables alone, asked on the
//! way to an error by name resolution, the checker and the parser.

/// Parameters and fields by the names that others have for them; the first that a function has is meant.
pub(crate) fn parameters(name: &str) -> &'static [&'static str] {
    match name {
        "cmd" | "command" | "args" | "run" | "shell" => &["argv"],
        "deps" | "dependencies" | "requires" | "sources" | "input" => &["inputs"],
        "outs" | "out" | "output" | "produces" | "artifacts" => &["outputs"],
        "wdir" | "workdir" | "working_directory" => &["cwd"],
        "environ" | "environment_variables" => &["vars"],
        "environment" | "conda" | "image" | "container" => &["env"],
        "timeout" | "walltime" | "max_time" => &["time"],
        "mem" | "ram" | "mem_gb" => &["memory"],
        "cpu" | "cores" | "num_cpus" => &["cpus"],
        "gpu" | "num_gpus" => &["gpus"],
        "random_state" | "random_seed" | "rng" | "manual_seed" => &["seed"],
        "criterion" | "loss_fn" | "loss_function" | "objective" => &["loss"],
        "model" | "network" | "module" | "layers" => &["net", "model", "layers"],
        "train_loader" | "train_dataloader" | "train_dataloaders" | "train_dataset" | "train_data"
        | "train_ds" | "dataset" | "data" | "train" | "training_data" => &["on", "dataset"],
        "val_loader" | "val_dataloader" | "val_dataloaders" | "valid_loader" | "val_dataset" | "val_data"
        | "val_ds" | "validation_data" | "eval_dataset" | "eval_set" | "validation" | "valid" => &["val"],
        "test_loader" | "test_dataset" | "test_data" | "test_dataloaders" => &["on"],
        "eta" | "rate" => &["lr", "p"],
        "opt" => &["optimizer"],
        "scheduler" | "lr_scheduler" => &["schedule"],
        "gradient_clip_val" | "max_grad_norm" | "clip" => &["clip_grad_norm"],
        "accumulate_grad_batches" | "gradient_accumulation_steps" => &["accumulate"],
        "transforms" | "transform" | "augmentations" => &["augment"],
        "amp" | "dtype" => &["precision"],
        "accelerator" => &["device"],
        "dropout_rate" | "drop" | "prob" => &["p", "dropout"],
        "units" => &["out_features", "hidden_size"],
        "filters" | "channels_out" => &["out_channels"],
        "kernel" | "filter_size" => &["kernel_size"],
        "strides" => &["stride"],
        "pool_size" => &["kernel_size"],
        "alpha" | "slope" => &["negative_slope"],
        "target" | "label" | "labels" | "target_column" => &["y"],
        "features" | "columns" | "cols" => &["x", "cols"],
        "axis" | "dimension" => &["dim"],
        "keepdims" => &["keepdim"],
        "stratified" => &["stratify"],
        "n_splits" | "num_folds" => &["k"],
        "num_trials" | "n_trials" | "num_samples" => &["n"],
        "space" | "param_space" => &["space", "axes"],
        _ => &[],
    }
}

/// What to do about a parameter of another library that has no equal in `function`.
pub(crate) fn argument(function: &str, name: &str) -> Option<&'static str> {
    Some(match (function, name) {
        ("sort" | "min_of" | "max_of", "key") => "sort by a part of each: `sort_by(xs, x => x.name)`",
        ("sort" | "sort_by", "reverse" | "descending") => "write `reverse(sort(xs))`",
        ("step", "params" | "parameters") => {
            "values stand among the words: `[\"python3\", ./train.py, \"--lr\", \"${lr}\"]`; the step runs again when one of them changes"
        }
        ("step", "name" | "desc" | "description") => {
            "a step is called after the name that it is bound to: leave it out"
        }
        ("step", "always_changed" | "cache" | "frozen") => {
            "leave it out: a step runs again when what it reads has changed"
        }
        ("ml.train", "callbacks") => {
            "early stopping is `early_stopping = ml.early_stopping(3)`; the best epoch is kept, and a killed training \
             goes on, without being asked to"
        }
        ("ml.train", "num_workers" | "pin_memory" | "prefetch_factor") => {
            "leave it out: how fast data is read is the trainer's affair"
        }
        ("ml.train", "shuffle") => {
            "leave it out: training examples come in a random order, drawn from `seed`"
        }
        ("ml.train", "verbose" | "logger" | "progress_bar") => {
            "leave it out: `mlp build` shows the progress, `mlp log` what was"
        }
        ("data.split", "shuffle") => "leave it out: examples are always drawn at random, from `seed`",
        ("data.split", "test_size" | "train_size") => {
            "name the shares: `data.split(dataset, { train: 0.8, test: 0.2 }, seed = 1)`"
        }
        ("data.csv", "sep" | "delimiter" | "header" | "names" | "index_col") => {
            "a table has a line of names first, and commas between its cells"
        }
        (_, "activation") if function.starts_with("nn.") => {
            "an activation is a layer of its own: `nn.linear(16), nn.relu`"
        }
        (_, "input_shape" | "input_dim" | "input_size" | "in_planes") if function.starts_with("nn.") => {
            "leave it out: the sizes of inputs are inferred from the data"
        }
        (_, "inplace") if function.starts_with("nn.") => "leave it out",
        _ => return None,
    })
}

/// What stands here for a member of a module that goes by another name elsewhere.
pub(crate) fn member(name: &str) -> Option<&'static str> {
    Some(match name {
        "Dense" => "write `nn.linear`",
        "functional" | "F" => {
            "write the layer: `nn.relu`; inside of `nn.fn`, the operation: `tensor.relu(x)`"
        }
        "Module" | "ModuleDict" => {
            "a network is a value: write `nn.sequential([…])`, in a `fn` if it has parameters"
        }
        "ModuleList" => "a list of layers is a plain list: `[nn.linear(16), nn.relu]`",
        "Input" | "InputLayer" => "leave it out: the sizes of inputs are inferred from the data",
        "Activation" => "write the layer itself: `nn.relu`",
        "GlobalAveragePooling2D" | "global_avg_pool2d" => "write `nn.adaptive_avg_pool2d(1), nn.flatten`",
        "BCELoss" | "BCE" | "bce" | "binary_cross_entropy" => {
            "write `loss.bce_with_logits`, and leave the sigmoid out of the network"
        }
        "init" => {
            "layers begin as PyTorch's do; to start from given weights write `ml.train(…, init = nn.weights(…))`"
        }
        "read_csv" | "from_csv" | "load_csv" | "CSVDataset" | "table" => {
            "write `data.csv(./table.csv, x = …, y = …)`"
        }
        "read_parquet" => "write `data.parquet(./table.parquet, x = …, y = …)`",
        "train_test_split" | "random_split" => {
            "write `data.split(dataset, { train: 0.8, test: 0.2 }, seed = 1)`"
        }
        "KFold" | "kfold" | "cross_validation" => "write `data.folds(dataset, k = 5)`",
        "DataLoader" | "loader" | "batch" | "dataloader" => {
            "give the dataset to `ml.train`, and its `batch_size` beside it"
        }
        "ImageFolder" | "images" => "write `data.image_folder`",
        "classes" | "class_label" => "write `data.label(\"column\", classes = 10)`",
        "number" | "float" | "continuous" => "write `data.numeric(\"column\")`",
        "categorical" | "one_hot" => "write `data.category(\"column\", [\"a\", \"b\"])`",
        "fit" | "Trainer" | "trainer" => "write `ml.train`",
        "test" | "validate" | "eval" => "write `ml.evaluate(model, on = …, metrics = { … })`",
        "inference" | "infer" => "write `ml.predict(model, on = …)`",
        "checkpoint" | "ModelCheckpoint" | "save" => {
            "leave it out: the best epoch is kept, `keep = \"last\"` keeps the last one"
        }
        "EarlyStopping" => "write `ml.early_stopping(3)`",
        "StepLR" => "write `schedule.step`, and give it to `ml.train`",
        "CosineAnnealingLR" | "cosine_annealing" => "write `schedule.cosine`, and give it to `ml.train`",
        "ReduceLROnPlateau" => "write `schedule.plateau`, and give it to `ml.train`",
        "OneCycleLR" => "write `schedule.one_cycle`, and give it to `ml.train`",
        "lr_scheduler" => "write `schedule.step`, `schedule.cosine` and the like, and give it to `ml.train`",
        "conda" | "mamba" => {
            "Python's packages are pinned by a lock: `env.python(./pylock.toml, python = \"3.12\")`; all else by `env.flake`"
        }
        "pip" | "venv" | "uv" | "poetry" | "requirements" | "pyproject" => {
            "write `env.python(./pylock.toml, python = \"3.12\")`: `pip lock` and `uv export --format pylock.toml` write one"
        }
        "docker" | "container" | "image" | "singularity" => {
            "write `env.flake(./flake.nix)`, or `env.python`; steps run in a sandbox of their own"
        }
        "local" | "system" | "native" | "none" => {
            "write `env.host([\"python3\"])`, with the programs that steps run"
        }
        "auc" | "auroc" | "AUROC" => "write `metrics.roc_auc(\"macro\")`",
        "acc" => "write `metrics.accuracy`",
        "mse" | "MSE" => "write `metrics.loss(loss.mse)`, or `metrics.rmse`",
        "f1_score" | "F1Score" => "write `metrics.f1(\"macro\")`",
        "loguniform" => "write `search.log_uniform`",
        "suggest_float" | "quniform" => {
            "write `search.uniform(0.0, 1.0)`, or `search.log_uniform(1e-4, 1e-1)`"
        }
        "suggest_int" | "randint" => "write `search.int(1, 10)`",
        "suggest_categorical" | "categorical_choice" => "write `search.choice([16, 32])`",
        "view" => "write `tensor.reshape(x, [-1, 10])`",
        _ => return None,
    })
}

/// What stands here for a name of Python, or of one of its libraries.
pub(crate) fn name(word: &str, member: Option<&str>) -> Option<&'static str> {
    Some(match (word, member) {
        ("os", Some("path")) | ("pathlib", _) => {
            "a path is written as it is: `./data/train.csv`, with values in it: `./\"data/${name}.csv\"`"
        }
        ("pd" | "pandas", Some("read_csv")) => "a table is read by `data.csv(./table.csv, x = …, y = …)`",
        ("list" | "tuple", _) => "a list is written `[first, second]`",
        ("dict", _) => "a record is written `{ name: value }`",
        ("set", _) => "the different elements of a list are `unique(xs)`",
        ("sorted", _) => "write `sort(xs)`",
        ("reversed", _) => "write `reverse(xs)`",
        ("reduce", _) => "write `fold(xs, 0, (sum, x) => sum + x)`",
        ("pow", _) => "powers are written `x ** n`",
        ("print", _) => "nothing runs while a pipeline is read; `mlp eval name` shows a value",
        ("isinstance" | "type", _) => {
            "types are known before anything runs; kinds of values are an `enum`, told apart by `match`"
        }
        ("open" | "json" | "yaml", _) => {
            "data is imported with its type: `import ./params.json as { lr: Float }`"
        }
        ("self" | "this" | "super", _) => {
            "there are no objects: a function takes what it needs as parameters"
        }
        ("math" | "inf", Some("inf")) | ("inf" | "nan", _) => {
            "numbers are finite; what is missing is written `null`"
        }
        ("math", Some("pi")) | ("pi", _) => "write the number: `3.141592653589793`",
        ("math", _) => "numbers have `+ - * / // % **`, `min`, `max`, `abs`, `round`, `floor` and `ceil`",
        ("random" | "time" | "datetime" | "uuid", _) => {
            "the same text always means the same steps: there is no clock, and no chance without a `seed`"
        }
        ("torch" | "np" | "numpy" | "pd" | "pandas" | "tf" | "sklearn" | "pl" | "torchvision", _) => {
            "Python runs in steps; networks are made by `std.nn`, data is read by `std.data`"
        }
        ("subprocess", _) => "a program is run by a step: `step([\"sort\", ./a.csv], …)`",
        ("os" | "sys" | "environ" | "getenv", _) => {
            "the environment is not read: declare `param name: Str`, and give it with `--set`"
        }
        ("yes" | "on", _) => "write `true`",
        ("no" | "off", _) => "write `false`",
        _ => return None,
    })
}

/// Whether `import name` is Python's.
pub(crate) fn is_python_module(name: &str) -> bool {
    [
        "argparse",
        "collections",
        "datasets",
        "datetime",
        "functools",
        "hydra",
        "itertools",
        "jax",
        "json",
        "keras",
        "lightning",
        "logging",
        "math",
        "matplotlib",
        "mlflow",
        "np",
        "numpy",
        "omegaconf",
        "os",
        "pandas",
        "pathlib",
        "pickle",
        "polars",
        "pytorch_lightning",
        "random",
        "re",
        "scipy",
        "seaborn",
        "sklearn",
        "subprocess",
        "sys",
        "tensorflow",
        "time",
        "torch",
        "torchmetrics",
        "torchvision",
        "tqdm",
        "transformers",
        "typing",
        "wandb",
        "xgboost",
        "yaml",
    ]
    .contains(&name)
}
