//! What goes wrong inside the trainer: a failure with its code, or an exception of libtorch's.

use mlp_protocol::message::Failure;
use tch::TchError;

/// The trainer's error.
#[derive(Debug)]
pub(crate) enum Error {
    /// What the user is told.
    Failure(Box<Failure>),
    /// libtorch's own words.
    Torch(String),
}

/// What the trainer's functions return.
pub(crate) type Outcome<T> = Result<T, Error>;

impl From<Box<Failure>> for Error {
    fn from(failure: Box<Failure>) -> Error {
        Error::Failure(failure)
    }
}

impl From<TchError> for Error {
    fn from(error: TchError) -> Error {
        Error::Torch(error.to_string())
    }
}

impl From<Error> for Box<Failure> {
    fn from(error: Error) -> Box<Failure> {
        let text = match error {
            Error::Failure(failure) => return failure,
            Error::Torch(text) => text,
        };
        // After the first line libtorch prints its own stack.
        let line = text
            .trim_start_matches("Internal torch error: ")
            .lines()
            .next()
            .unwrap_or_default();
        let failure = Failure::new("B0210", format!("libtorch: {line}"));
        if text.contains("memory") {
            failure.argument("batch_size").help(
                "lower `batch_size`; `mlp show` says what each layer keeps of an example for the way back",
            )
        } else {
            failure
        }
    }
}
