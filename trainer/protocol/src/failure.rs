//! The codes of [`crate::message::Failure`]: `mlp explain` prints these pages, and a program can use no other code.

/// A code, with what `mlp explain` says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code.
    pub code: &'static str,
    /// What happened, in a few words.
    pub title: &'static str,
    /// Why, and what to do.
    pub text: &'static str,
}

/// The code of a training whose loss is not finite. The same training always comes to it, so it is a result like others.
pub const DIVERGED: &str = "B0201";

/// The page of `code`.
pub fn find(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|page| page.code == code)
}

const fn page(code: &'static str, title: &'static str, text: &'static str) -> Code {
    Code { code, title, text }
}

/// Every code, sorted. B00 is about the programs themselves, B01 about data, B02 about training and evaluation, B03 about
/// arithmetic on results, B04 about files of the web and archives.
pub const CODES: &[Code] = &[
    page(
        "B0001",
        "a bug in a builder program",
        "The program panicked, or was called with arguments that it cannot read. Nothing of its outputs is kept. Please \
         report it with the log of the step.",
    ),
    page(
        "B0002",
        "a file could not be read or written",
        "The operating system refused a read of an input or a write of an output: a full disk, a directory where a file \
         belongs, or a damaged medium.",
    ),
    page(
        "B0101",
        "no such column",
        "A codec names a column, or a pattern such as `p*`, that matches none in the header, the first row of the file. \
         Names are compared as they stand, capitals and spaces included.",
    ),
    page(
        "B0102",
        "a row has more or fewer cells than the header",
        "Each row must have one cell for each name in the header. An unquoted comma in a text, or a cut-off line, is the \
         usual cause; a cell that holds a comma is written in double quotes.",
    ),
    page(
        "B0103",
        "a cell is not a number",
        "Codecs other than `data.label` with names read numbers: digits, with an optional sign, point and exponent, and \
         no thousands separators.",
    ),
    page(
        "B0104",
        "a cell is empty",
        "Missing values are never guessed. Give `data.numeric` a `missing` value, or drop the row.",
    ),
    page(
        "B0105",
        "a value is not finite",
        "NaN, infinity, or a number beyond float32's range would spoil a training without a word, so data must not hold \
         them.",
    ),
    page(
        "B0106",
        "a label is outside the declared classes",
        "With `classes = n` labels are the integers 0 to n-1; with a list of names each cell is one of them, exactly. So it is \
         with the tags of `data.tags` and the `values` of `data.category`.",
    ),
    page(
        "B0107",
        "the file has no rows",
        "The file is empty, or ends after its header.",
    ),
    page(
        "B0108",
        "another number of columns than the codec's shape",
        "`data.pixels` takes channels x height x width columns, channel by channel and row by row, in the order of the \
         file.",
    ),
    page(
        "B0109",
        "the file is not UTF-8",
        "Convert it, for instance by `iconv -f LATIN1 -t UTF-8 in.csv > out.csv`.",
    ),
    page(
        "B0110",
        "a pixel is out of range",
        "Pixels go from 0 to `max` (255 where it is left out), and are divided by it.",
    ),
    page(
        "B0111",
        "a quoted cell is malformed",
        "A cell that opens with a double quote ends with one, followed by a comma or the line's end; a quote inside it \
         is doubled.",
    ),
    page(
        "B0112",
        "a column is named twice in the header",
        "A codec that takes this column by name could mean either. Rename one.",
    ),
    page(
        "B0113",
        "shares do not make a whole",
        "The shares of `data.split` are between 0 and 1 and sum to 1.",
    ),
    page(
        "B0114",
        "a part of a split would be empty",
        "There are too few examples, or groups of them, to give each part at least one.",
    ),
    page(
        "B0115",
        "only classes can be stratified, balanced or chosen",
        "`stratify = true` keeps the proportions of the classes, so `y` must be a `data.label`; so must it be where \
         `data.balance` and `data.top_classes` choose among classes.",
    ),
    page(
        "B0116",
        "this codec cannot stand here",
        "`x` takes `pixels`, `vector`, `numeric`, `category` and `audio`; `y` takes `label`, `tags`, `numeric` and `target`.",
    ),
    page(
        "B0117",
        "a dataset is damaged",
        "A directory that should be a dataset lacks a file, or its files disagree with its `dataset.json`.",
    ),
    page(
        "B0118",
        "datasets cannot be put together",
        "Datasets that become one must have inputs of the same names and shapes, labels of the same kind, and the same \
         columns carried along. `data.resize` makes images of one height and width.",
    ),
    page(
        "B0120",
        "an image cannot be read",
        "The file is cut short, damaged, empty, or of a format other than PNG and JPEG; the message names it. Images are \
         looked at when the dataset is read, and decoded by `data.resize`, which names the example and its file.",
    ),
    page(
        "B0121",
        "no image has so many channels",
        "Images are read with 1 channel (grey), 3 (red, green, blue) or 4 (with alpha), whatever each file has: colours \
         become grey by their brightness, alpha is left out where it is not asked for.",
    ),
    page(
        "B0122",
        "class folders are not the classes that are declared",
        "`data.image_folder` takes a folder that has a folder for each class, each with at least one image. `classes` is how \
         many there are, or a list of their names.",
    ),
    page(
        "B0123",
        "a binary file of images is not whole, or of another format",
        "`data.idx` takes MNIST's format, by itself or compressed by gzip: one file of images, one of labels. `data.cifar` \
         takes the binary version of CIFAR-10 and CIFAR-100. Nothing of a file that is cut short is used.",
    ),
    page(
        "B0124",
        "files have other sizes than are declared",
        "What the pipeline says of the data (height, width, how many examples belong together) is held against the files, \
         and they say otherwise. Take the other file, or write what it holds.",
    ),
    page(
        "B0125",
        "a file of arrays cannot be read",
        "`data.arrays` reads `.npy` and `.npz` files of numpy and `.safetensors` files, told apart by their first bytes: \
         arrays of numbers, truth values or texts in C order, whose first dimension is the examples.",
    ),
    page(
        "B0126",
        "a Parquet file cannot be read",
        "The file is cut short or damaged, or a column that the pipeline reads holds what is no single number or text: \
         lists, timestamps of 96 bits, raw bytes. Columns that are not read may hold anything.",
    ),
    page(
        "B0150",
        "examples carry no such column",
        "`group` of `data.split` and `column` of `data.folds` name a column that the examples carry along: one of those that \
         `meta = [\"…\"]` named where the file was read.",
    ),
    page(
        "B0151",
        "there are fewer examples than asked for",
        "`data.take` takes `n` examples of those that there are. A smaller dataset would be another experiment than the \
         pipeline says, so it does not take fewer without a word.",
    ),
    page(
        "B0152",
        "too few classes have examples",
        "`data.top_classes` keeps the `n` classes with the most examples; a class without any is not one of them.",
    ),
    page(
        "B0154",
        "a sound cannot be read",
        "`data.audio` reads WAV files, PCM of 8, 16, 24 and 32 bits and floats, and FLAC files, at up to a million samples a \
         second. Whatever else there is can be made one: `ffmpeg -i in.mp3 out.flac`.",
    ),
    page(
        "B0155",
        "sounds that cannot be made spectrograms",
        "`data.log_mel` maps sounds [channels, samples] of a known rate: that by which `data.audio` read them, or `rate` where \
         a script made them. At its ends a sound is mirrored, so that it must be longer than half a window.",
    ),
    page(
        "B0156",
        "a file that a column names is not there",
        "The cells of the column are paths below the folder `root`, one file an example.",
    ),
    page(
        "B0201",
        "the loss is not finite",
        "The training loss became NaN or infinite. Usually the learning rate is too high; else inputs are far from zero \
         mean and unit scale (`nn.normalize()` as first layer mends that), or a custom loss takes the logarithm of zero. \
         Gradients can be clipped with `clip_grad_norm`. The same training always comes to this, so it is kept as its result: it \
         is not tried again, and where trainings are compared it ranks last.",
    ),
    page(
        "B0202",
        "data and network disagree",
        "The examples' shape is not the network's input, or their targets are not its output.",
    ),
    page(
        "B0203",
        "a loss or metric does not fit the targets",
        "`cross_entropy`, `accuracy` and `confusion_matrix` need classes, `bce_with_logits` tags or two classes; `mse`, `l1`, \
         `mae` and `rmse` need real numbers.",
    ),
    page(
        "B0204",
        "the model was trained on data that were read otherwise",
        "A model keeps the recipe by which its examples were read (columns, scaling, classes). Scores on examples read \
         by another recipe would mean nothing.",
    ),
    page(
        "B0205",
        "batch norm needs more than one value a channel",
        "In training, batch norm divides by the spread of the batch; a batch, or a shard of one, that holds a single \
         value per channel has none. Change `batch_size` so that the last batch is not left with one example.",
    ),
    page(
        "B0206",
        "the device is not available",
        "The trainer has no such device here. `device = \"cpu\"` is always there.",
    ),
    page(
        "B0207",
        "an argument of a training is out of range",
        "The message names the argument and its bounds.",
    ),
    page(
        "B0208",
        "a model or state is damaged",
        "Weights do not belong to the network that they stand beside, or a file is cut off.",
    ),
    page(
        "B0209",
        "this machine cannot compute the pinned arithmetic",
        "Results are pinned to libtorch 2.11.0 and the AVX2 instruction set, so that they are the same everywhere. The \
         machine lacks AVX2, or another libtorch was found.",
    ),
    page(
        "B0210",
        "libtorch refused an operation",
        "An operation failed inside libtorch; its own message follows. Out of memory is the usual cause: lower \
         `batch_size`.",
    ),
    page(
        "B0211",
        "weights that a training cannot start from",
        "`init` takes a model, or `nn.weights` of a safetensors file or of what `torch.save` wrote of a `state_dict`; a checkpoint \
         holds it below a path, which `at` names. Every tensor of the network has to be there, in its shape; `skip` lets layers \
         keep their first weights. Of a pickle only tensors are read and nothing is executed: a whole module, or anything else \
         that Python would have to call, is refused.",
    ),
    page(
        "B0212",
        "a parameter gets no gradient",
        "The loss does not depend on it: what a layer gives is dropped, or comes to the loss only through operations that have no \
         gradient, such as `argmax`. Take the layer out, or leave it as it is by `freeze`.",
    ),
    page(
        "B0220",
        "predictions are damaged",
        "A directory that should hold predictions lacks a file, or its files disagree with its `predictions.json`.",
    ),
    page(
        "B0301",
        "an assertion does not hold",
        "The pipeline asserts something about a result (`assert(evaluate.accuracy > 0.9, \"…\")`), and it came out \
         otherwise. The message has the values. A figure that is not finite compares as false.",
    ),
    page(
        "B0302",
        "arithmetic on results has no result",
        "Division by zero, or a number beyond the range of its type.",
    ),
    page(
        "B0303",
        "a value is not in a result",
        "A pipeline computes with a field of a result, and the file has no such field, or something that cannot be \
         computed with in its place.",
    ),
    page(
        "B0401",
        "a file of the web could not be had",
        "None of the addresses gave the file: the machine is not on the network, the server is not there or does not have \
         it, or the connection broke again and again. What was had so far is kept, and the next build goes on from there. \
         More addresses can be given by `mirrors`; once a file was had it is in the store, and the network is not asked \
         again.",
    ),
    page(
        "B0402",
        "a file of the web is another one",
        "An address gave a file whose digest is not the one in the pipeline. Nothing of it was kept. Where the file was \
         changed on purpose, and you have looked at the new one, write its digest; where it should not have changed, \
         somebody else's file has taken its place.",
    ),
    page(
        "B0411",
        "not an archive that `unpack` knows",
        "It takes tar, by itself or compressed by gzip, zstd or xz, and zip with files that are stored or deflated and not \
         encrypted. The first bytes decide, not the name. A single compressed file is no archive.",
    ),
    page(
        "B0412",
        "an archive is damaged",
        "It ends too early, or a checksum in it is wrong. Its own digest is what the pipeline or the source says, so it was \
         damaged before that was written down.",
    ),
    page(
        "B0413",
        "an archive holds what must not be unpacked",
        "A name leads out of the directory, or begins at the root; a link leads out, or something lies behind one; \
         something is in it twice; it holds a device or a pipe; a name is not UTF-8. No honest archive of data needs any \
         of that.",
    ),
    page(
        "B0414",
        "an archive comes to too much",
        "It holds more than two million files and folders, or more bytes than 16 GiB and 200 times its own size: more than \
         data compresses to, and enough to fill a disk.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_unique() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
    }
}
