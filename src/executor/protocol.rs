//! mlp's end of the builder's socket: JSON lines of bounded length, read as they come: messages of the protocol, or what a
//! command tells.

use super::events::Events;
use crate::model::build::Channel;
use mlp_protocol::message::{Message, Reply};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// The longest line that a builder may write: far more than any message has, far less than would hurt.
const LONGEST: usize = 1 << 20;

/// The socket and what was read of the next line.
#[derive(Debug)]
pub(super) struct Line {
    socket: UnixStream,
    /// Where they are a command's: what was told before.
    events: Option<Events>,
    partial: Vec<u8>,
    open: bool,
}

impl Line {
    /// Over `socket`, which is made non-blocking for reading what is there.
    pub(super) fn new(socket: UnixStream, channel: Channel) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            events: (channel == Channel::Events).then(Events::default),
            partial: Vec::new(),
            open: true,
        })
    }

    /// To be waited for, as long as the builder holds its end.
    pub(super) fn readable(&self) -> Option<BorrowedFd<'_>> {
        self.open.then(|| self.socket.as_fd())
    }

    /// The messages that are there. An error is words about what the builder did wrong.
    pub(super) fn messages(&mut self) -> Result<Vec<Message>, String> {
        let mut messages = Vec::new();
        let mut chunk = [0; 16 * 1024];
        while self.open {
            match self.socket.read(&mut chunk) {
                Ok(0) => self.open = false,
                Ok(length) => self.take(&chunk[..length], &mut messages)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The builder died with words of ours unread: all that it said itself was read before.
                Err(_) => self.open = false,
            }
        }
        Ok(messages)
    }

    fn take(&mut self, bytes: &[u8], messages: &mut Vec<Message>) -> Result<(), String> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            match &mut self.events {
                Some(events) => messages.extend(events.read(&self.partial)),
                None => messages.push(parse(&self.partial)?),
            }
            self.partial.clear();
        }
        self.partial.extend_from_slice(rest);
        if self.partial.len() > LONGEST {
            return Err(format!("a message is longer than {LONGEST} bytes"));
        }
        Ok(())
    }

    /// Answers. A builder that is gone does not hear it.
    pub(super) fn reply(&mut self, reply: &Reply) -> io::Result<()> {
        let mut line = serde_json::to_vec(reply)?;
        line.push(b'\n');
        // Replies are shorter than any socket's buffer and at most two are under way.
        match self.socket.write_all(&line) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done,
        }
    }
}

fn parse(line: &[u8]) -> Result<Message, String> {
    serde_json::from_slice(line).map_err(|error| {
        let text: String = String::from_utf8_lossy(line).chars().take(120).collect();
        format!("`{text}` is no message: {error}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_however_they_are_cut() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut line = Line::new(ours, Channel::Protocol).unwrap();
        theirs.write_all(b"{\"type\":\"warning\",\"te").unwrap();
        assert_eq!(line.messages(), Ok(vec![]));
        theirs
            .write_all(b"xt\":\"a\"}\n{\"type\":\"warning\",\"text\":\"b\"}\n")
            .unwrap();
        drop(theirs);
        let text = |text: &str| Message::Warning { text: text.into() };
        assert_eq!(line.messages(), Ok(vec![text("a"), text("b")]));
        assert!(line.readable().is_none());
    }

    #[test]
    fn what_is_no_message_is_said() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut line = Line::new(ours, Channel::Protocol).unwrap();
        theirs.write_all(b"hello\n").unwrap();
        assert!(line.messages().unwrap_err().starts_with("`hello` is no message"));
    }

    #[test]
    fn an_endless_line_is_refused() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut line = Line::new(ours, Channel::Protocol).unwrap();
        let writer = std::thread::spawn(move || {
            let _ = theirs.write_all(&vec![b'x'; LONGEST + 100_000]);
        });
        let mut said = Ok(vec![]);
        while said == Ok(vec![]) && line.readable().is_some() {
            said = line.messages();
        }
        drop(line);
        writer.join().unwrap();
        assert!(said.unwrap_err().contains("longer than"));
    }
}
