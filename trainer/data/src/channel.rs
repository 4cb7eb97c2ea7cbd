//! The line to `mlp`: messages out, replies in.
//!
//! `mlp` hands over one end of a socket pair and its number in `MLP_SOCKET`. Without the variable the messages go to
//! standard output, so that a person can run a builder by hand.

#![expect(unsafe_code, reason = "taking over a descriptor that was inherited by number")]

use mlp_protocol::call::SOCKET_VARIABLE;
use mlp_protocol::message::{Message, Reply};
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::FromRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;

/// The line to `mlp`, or to standard output.
pub struct Channel {
    out: Mutex<Box<dyn Write + Send>>,
    replies: Option<Mutex<BufReader<UnixStream>>>,
}

impl Channel {
    /// Opens the line that the environment names. To be called once, by the program's frame.
    ///
    /// # Errors
    /// When `MLP_SOCKET` is not the number of an open socket.
    pub fn open() -> io::Result<Channel> {
        let Some(number) = std::env::var_os(SOCKET_VARIABLE) else {
            return Ok(Channel {
                out: Mutex::new(Box::new(io::stdout())),
                replies: None,
            });
        };
        let number = number
            .to_str()
            .and_then(|text| text.parse::<i32>().ok())
            .filter(|fd| *fd > 2);
        let number = number.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "MLP_SOCKET is no descriptor number")
        })?;
        // SAFETY: `mlp` opened this descriptor for this program alone, and nothing else here takes it.
        let socket = unsafe { UnixStream::from_raw_fd(number) };
        let replies = Some(Mutex::new(BufReader::new(socket.try_clone()?)));
        Ok(Channel {
            out: Mutex::new(Box::new(socket)),
            replies,
        })
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When nobody listens any more: the program should stop.
    pub fn send(&self, message: &Message) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        let mut out = self
            .out
            .lock()
            .map_err(|_| io::Error::other("the channel's lock is poisoned"))?;
        out.write_all(&line)?;
        out.flush()
    }

    /// Whether somebody answers: false when run by hand.
    pub fn answers(&self) -> bool {
        self.replies.is_some()
    }

    /// Waits for the next reply.
    ///
    /// # Errors
    /// When the line is closed, or what comes is no reply.
    pub fn receive(&self) -> io::Result<Reply> {
        let Some(replies) = &self.replies else {
            return Err(io::Error::new(
                io::ErrorKind::NotConnected,
                "nobody answers on standard output",
            ));
        };
        let mut line = String::new();
        let mut replies = replies
            .lock()
            .map_err(|_| io::Error::other("the channel's lock is poisoned"))?;
        if replies.read_line(&mut line)? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "mlp closed the line",
            ));
        }
        Ok(serde_json::from_str(&line)?)
    }
}
