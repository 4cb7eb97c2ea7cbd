//! States of a training: what goes on from the end of an epoch with the same bits.
//!
//! A state is `weights.safetensors`, `optimizer.safetensors`, with a running mean of the weights `ema.safetensors`, and
//! `control.json`: the figures of every epoch up to it, and what a plateau has seen. It is made under another name, synced, renamed to `epoch-N`, announced, and never touched again. At most two are under
//! way: announced, and not yet acknowledged.

use crate::error::Outcome;
use crate::history::TrainRow;
use crate::learner::Learner;
use crate::model;
use mlp_data::channel::Channel;
use mlp_data::{files, safetensors};
use mlp_protocol::call::ChainIo;
use mlp_protocol::message::{Failure, Message, Reply};
use mlp_protocol::schedule::Watched;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The version of the format.
const FORMAT: u32 = 1;
/// States that may be announced and not yet acknowledged.
const UNDER_WAY: usize = 2;

/// `control.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Control {
    format: u32,
    /// The training figures of each epoch, from the first to the state's.
    epochs: Vec<TrainRow>,
    /// What the plateau's rule has seen, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plateau: Option<Watched>,
}

/// What a training has come to besides tensors.
#[derive(Clone)]
pub(crate) struct Past {
    /// The figures of the epochs so far.
    pub(crate) rows: Vec<TrainRow>,
    /// What the plateau's rule has seen, where there is one.
    pub(crate) plateau: Option<Watched>,
}

/// Keeps the states of a training.
pub(crate) struct States<'a> {
    io: Option<&'a ChainIo>,
    channel: &'a Channel,
    under_way: usize,
}

impl<'a> States<'a> {
    /// The states of `io`; none are kept without it.
    pub(crate) fn new(io: Option<&'a ChainIo>, channel: &'a Channel) -> States<'a> {
        States {
            io,
            channel,
            under_way: 0,
        }
    }

    /// The directory of the state after `epoch`, where there is one.
    pub(crate) fn find(&self, epoch: u32) -> Option<&'a str> {
        self.io?.have.get(&epoch).map(String::as_str)
    }

    /// The last epoch, up to `bound`, whose state is there.
    pub(crate) fn last(&self, bound: u32) -> Option<u32> {
        self.io?
            .have
            .range(1..=bound)
            .next_back()
            .map(|(epoch, _)| *epoch)
    }

    /// Takes the learner to the state after `epoch`; gives what came to it.
    ///
    /// # Errors
    /// When the state is damaged.
    pub(crate) fn load(&self, epoch: u32, learner: &mut Learner) -> Outcome<Past> {
        let Some(path) = self.find(epoch).map(Path::new) else {
            return Err(Failure::new("B0208", format!("there is no state of epoch {epoch}")).into());
        };
        let control = files::read(&path.join("control.json"), "control.json")?;
        let control: Control = serde_json::from_slice(&control).map_err(|error| {
            Failure::new(
                "B0208",
                format!("control.json of epoch {epoch} cannot be read: {error}"),
            )
        })?;
        if control.format != FORMAT || control.epochs.len() != epoch as usize {
            return Err(Failure::new("B0208", format!("control.json is not of epoch {epoch}")).into());
        }
        let read = |name: &str| safetensors::read(&path.join(name), name, "B0208");
        model::load_weights(&learner.network, &learner.leaves, &read("weights.safetensors")?)?;
        learner.optimizer.load(&read("optimizer.safetensors")?)?;
        if let Some(ema) = &mut learner.ema {
            ema.load(&read("ema.safetensors")?, &learner.network.param_names)?;
        }
        Ok(Past {
            rows: control.epochs,
            plateau: control.plateau,
        })
    }

    /// Keeps the state after the last epoch of `past`.
    ///
    /// # Errors
    /// When it cannot be written, or `mlp` is gone.
    pub(crate) fn keep(&mut self, learner: &Learner, past: &Past) -> Outcome<()> {
        let (Some(io), Some(row)) = (self.io, past.rows.last()) else {
            return Ok(());
        };
        while self.under_way >= UNDER_WAY {
            self.await_reply()?;
        }
        let name = format!("epoch-{}", row.epoch);
        self.write(Path::new(&io.new), &name, learner, past)?;
        let message = Message::State {
            epoch: row.epoch,
            name,
        };
        self.channel.send(&message).map_err(|error| gone(&error))?;
        self.under_way += usize::from(self.channel.answers());
        Ok(())
    }

    /// Waits until every state is acknowledged.
    ///
    /// # Errors
    /// When `mlp` is gone.
    pub(crate) fn settle(&mut self) -> Outcome<()> {
        while self.under_way > 0 {
            self.await_reply()?;
        }
        Ok(())
    }

    fn await_reply(&mut self) -> Outcome<()> {
        let Reply::StateStored { .. } = self.channel.receive().map_err(|error| gone(&error))?;
        self.under_way -= 1;
        Ok(())
    }

    fn write(&self, new: &Path, name: &str, learner: &Learner, past: &Past) -> Outcome<()> {
        let partial: PathBuf = new.join(format!(".{name}.partial"));
        files::create_dir(&partial)?;
        let names = &learner.network.param_names;
        let weights = model::weights(&learner.network, &learner.leaves)?;
        let control = Control {
            format: FORMAT,
            epochs: past.rows.clone(),
            plateau: past.plateau.clone(),
        };
        let optimizer = safetensors::encode(&learner.optimizer.state()?);
        let mut content = vec![
            ("weights.safetensors", safetensors::encode(&weights)),
            ("optimizer.safetensors", optimizer),
            ("control.json", files::json(&control)),
        ];
        if let Some(ema) = &learner.ema {
            content.push(("ema.safetensors", safetensors::encode(&ema.state(names)?)));
        }
        for (file, content) in content {
            files::write_durably(&partial.join(file), &content)?;
        }
        let whole = new.join(name);
        #[expect(
            clippy::disallowed_methods,
            reason = "a state is synced, renamed, synced, as the protocol says"
        )]
        let placed = sync(&partial)
            .and_then(|()| fs::rename(&partial, &whole))
            .and_then(|()| sync(new));
        Ok(placed.map_err(|error| files::cannot_write(&whole, &error))?)
    }
}

fn sync(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

fn gone(error: &std::io::Error) -> crate::error::Error {
    Failure::new("B0002", format!("mlp does not answer: {error}")).into()
}
