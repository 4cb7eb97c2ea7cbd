//! Files of the web, had by their digest: resumed where they were cut off, tried again, from one address after the other.
//! What comes is written to a place that outlives the process, so that the next try goes on from there; what has another
//! digest is removed. Talks to the network and the file system. Runs outside of the sandbox, and knows no URL but those that
//! it is given.

mod http;
mod local;
#[cfg(test)]
#[path = "../../tests/it/web.rs"]
mod web;

use crate::base::digest::{Digest, Hasher};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Addresses that may have it, in the order in which they are asked; at least one.
    pub urls: Vec<String>,
    /// The digest that it must have.
    pub digest: Digest,
    /// Where it is written, and goes on from: a file of ours alone.
    pub into: PathBuf,
}

/// How long is waited, and how often is tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a name, a connection, an answer, the next byte.
    pub silence: Duration,
    /// Rounds over all addresses that bring nothing.
    pub rounds: u32,
    /// Before the second round; twice as long before each one after it.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(30),
            rounds: 4,
            pause: Duration::from_secs(1),
        }
    }
}

/// What is told meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// How many bytes are there, of how many if that is known.
    Had(u64, Option<u64>),
    /// A sentence for the log.
    Said(String),
}

/// Why a file was not had.
#[derive(Debug)]
pub enum Trouble {
    /// An address gave something else, and no other gave what is wanted.
    Other {
        /// The address.
        url: String,
        /// What it gave.
        got: Digest,
    },
    /// No address gave it: each with the reason.
    NotHad(Vec<(String, String)>),
    /// It could not be written.
    Disk(PathBuf, io::Error),
    /// It was not wanted any more.
    Stopped,
}

/// What one address came to.
enum Attempt {
    /// It never will give it: why.
    Refused(String),
    /// It may give it later: why.
    Broken(String),
    /// It could not be written.
    Disk(io::Error),
    /// Nobody wants it any more.
    Stopped,
}

/// How often is asked whether it is still wanted.
const OFTEN: Duration = Duration::from_millis(50);
/// How often is told how much is there.
const TOLD: Duration = Duration::from_millis(200);
/// Bytes that are read at a time.
const CHUNK: usize = 256 << 10;
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(60);

/// Gets a file; it lies at [`Wanted::into`] then, with the digest that it must have. `tell` is told what happens, `stop` says
/// that it is not wanted any more: what was had until then stays, for the next time.
pub fn fetch(
    wanted: &Wanted,
    patience: Patience,
    tell: &mut dyn FnMut(News),
    stop: &dyn Fn() -> bool,
) -> Result<(), Trouble> {
    let (news, heard) = mpsc::channel();
    let (done, ended) = mpsc::channel();
    let stopped = Arc::new(AtomicBool::new(false));
    let job = Job {
        wanted: wanted.clone(),
        patience,
        news,
        stopped: Arc::clone(&stopped),
    };
    // A thread of its own: one that waits for a server cannot be woken, and must not keep anybody who gives up.
    std::thread::spawn(move || done.send(job.run()));
    loop {
        match ended.recv_timeout(OFTEN) {
            Ok(ending) => {
                heard.try_iter().for_each(&mut *tell);
                return ending;
            }
            Err(RecvTimeoutError::Timeout) => heard.try_iter().for_each(&mut *tell),
            Err(RecvTimeoutError::Disconnected) => {
                let why = "the thread that fetched it ended".to_owned();
                return Err(Trouble::NotHad(vec![(wanted.urls.join(", "), why)]));
            }
        }
        if stop() {
            stopped.store(true, Ordering::Relaxed);
            return Err(Trouble::Stopped);
        }
    }
}

/// A file that is being fetched.
struct Job {
    wanted: Wanted,
    patience: Patience,
    news: Sender<News>,
    stopped: Arc<AtomicBool>,
}

impl Job {
    fn run(&self) -> Result<(), Trouble> {
        let agent = http::agent(self.patience.silence);
        let disk = |error| Trouble::Disk(self.wanted.into.clone(), error);
        // Addresses that may still give it, and what the others came to.
        let mut urls: Vec<&String> = self.wanted.urls.iter().collect();
        let mut reasons: Vec<(String, String)> = Vec::new();
        let mut other: Option<(String, Digest)> = None;
        let (mut rounds, mut pause) = (0, self.patience.pause);
        while rounds < self.patience.rounds && !urls.is_empty() {
            if rounds > 0 {
                self.say(format!("all is tried again in {} s", pause.as_secs_f64()));
                self.wait(pause)?;
                pause = (pause * 2).min(LONGEST);
            }
            let before = self.had();
            reasons.retain(|(url, _)| !urls.contains(&url));
            let mut left = Vec::new();
            for url in urls {
                match self.from(&agent, url) {
                    Ok(Some(got)) => {
                        self.say(format!("{url} gives another file, with the digest {got}"));
                        other = other.or(Some((url.clone(), got)));
                    }
                    Ok(None) => return Ok(()),
                    Err(Attempt::Refused(why)) => {
                        self.say(format!("{url}: {why}"));
                        reasons.push((url.clone(), why));
                    }
                    Err(Attempt::Broken(why)) => {
                        self.say(format!("{url}: {why}"));
                        reasons.push((url.clone(), why));
                        left.push(url);
                    }
                    Err(Attempt::Disk(error)) => return Err(disk(error)),
                    Err(Attempt::Stopped) => return Err(Trouble::Stopped),
                }
            }
            urls = left;
            rounds += 1;
            if self.had() > before {
                (rounds, pause) = (1, self.patience.pause);
            }
        }
        Err(match other {
            Some((url, got)) => Trouble::Other { url, got },
            None => Trouble::NotHad(reasons),
        })
    }

    /// Tries an address: nothing where it gave what is wanted, and the digest where it gave something else.
    fn from(&self, agent: &ureq::Agent, url: &str) -> Result<Option<Digest>, Attempt> {
        let resumed = self.had() > 0;
        match url.strip_prefix("file://") {
            Some(path) => local::copy(self, path)?,
            None => http::get(self, agent, url)?,
        }
        let got = digest(&self.wanted.into).map_err(Attempt::Disk)?;
        if got == self.wanted.digest {
            return Ok(None);
        }
        fs::remove_file(&self.wanted.into).map_err(Attempt::Disk)?;
        if resumed {
            // What was there before may have been of another file, or of an older one.
            self.say(format!(
                "{url} does not go on with what was there; it is had anew"
            ));
            return self.from(agent, url);
        }
        Ok(Some(got))
    }

    /// Bytes that are there.
    fn had(&self) -> u64 {
        fs::metadata(&self.wanted.into).map_or(0, |metadata| metadata.len())
    }

    /// Writes what comes behind the first `had` bytes. `whole` is how many there are in the end, if that is known.
    fn write(&self, content: &mut dyn Read, had: u64, whole: Option<u64>) -> Result<(), Attempt> {
        let file = File::options().create(true).append(true).open(&self.wanted.into);
        let mut file = file.map_err(Attempt::Disk)?;
        file.set_len(had).map_err(Attempt::Disk)?;
        let mut chunk = vec![0; CHUNK];
        let (mut had, mut told) = (had, Instant::now());
        loop {
            if self.stopped.load(Ordering::Relaxed) {
                return Err(Attempt::Stopped);
            }
            let read = match content.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Attempt::Broken(format!("{}, after {had} bytes", words(&error)))),
                Ok(read) => read,
            };
            io::Write::write_all(&mut file, &chunk[..read]).map_err(Attempt::Disk)?;
            had += read as u64;
            if read == 0 || told.elapsed() >= TOLD {
                told = Instant::now();
                self.tell(News::Had(had, whole));
            }
            if read == 0 {
                return match whole {
                    Some(whole) if had != whole => {
                        let why = format!("the connection ended after {had} of {whole} bytes");
                        Err(Attempt::Broken(why))
                    }
                    _ => Ok(()),
                };
            }
        }
    }

    fn wait(&self, pause: Duration) -> Result<(), Trouble> {
        let began = Instant::now();
        while began.elapsed() < pause {
            if self.stopped.load(Ordering::Relaxed) {
                return Err(Trouble::Stopped);
            }
            std::thread::sleep(OFTEN.min(pause));
        }
        Ok(())
    }

    fn say(&self, sentence: String) {
        self.tell(News::Said(sentence));
    }

    /// Who does not listen any more is told in vain.
    fn tell(&self, news: News) {
        let _ = self.news.send(news);
    }
}

/// What went wrong with a connection, in words.
fn words(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    if let Some(ureq::Error::Timeout(_)) = inner {
        return "the server fell silent".to_owned();
    }
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "the server fell silent".to_owned(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            "the connection was cut".to_owned()
        }
        io::ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
        _ => error.to_string(),
    }
}

fn digest(path: &Path) -> io::Result<Digest> {
    let mut file = File::open(path)?;
    let mut hasher = Hasher::new();
    let mut chunk = vec![0; 4 << 20];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(read) => hasher.update(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
