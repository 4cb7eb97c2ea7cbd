//! A server of the web on this machine, that does what it is told: also for the tests of `src/fetch`.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The path: `/a.csv`.
    pub path: String,
    /// The first byte that is wanted, where that is said.
    pub from: Option<usize>,
}

/// What is answered.
#[allow(dead_code, reason = "each of its two users needs a part")]
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A file; from where it was asked, where that was said.
    File(Vec<u8>),
    /// A file; always all of it.
    Whole(Vec<u8>),
    /// A file whose length is not said.
    Endless(Vec<u8>),
    /// A file, of which no more than so many bytes come at a time before the connection is cut.
    Cut(Vec<u8>, usize),
    /// A file, of which so many bytes come, and then nothing.
    Silent(Vec<u8>, usize),
    /// A status, with headers.
    Status(u16, &'static str),
    /// Another address.
    Moved(String),
}

/// A server, until it is dropped.
pub(crate) struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// A server that answers by `answer`, which is told what is asked, and how often something was asked before.
    pub(crate) fn start(answer: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&asked), Arc::new(answer));
        // Until the test ends: nobody waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let Some(asked) = read(&stream) else { return };
                    let before = {
                        let mut seen = seen.lock().unwrap();
                        seen.push(asked.clone());
                        seen.len() - 1
                    };
                    // Who hangs up does not want the rest.
                    let _ = write(stream, &asked, answer(&asked, before));
                });
            }
        });
        Self { address, asked }
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let mut from = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        let lower = line.to_ascii_lowercase();
        if let Some(range) = lower.strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().ok();
        }
    }
    Some(Asked { path, from })
}

fn write(mut stream: TcpStream, asked: &Asked, answer: Answer) -> std::io::Result<()> {
    let head = |stream: &mut TcpStream, status: &str, headers: &str| {
        write!(stream, "HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n")
    };
    let (file, most) = match answer {
        Answer::Status(status, headers) => {
            return head(
                &mut stream,
                &format!("{status} No"),
                &format!("{headers}Content-Length: 0\r\n"),
            );
        }
        Answer::Moved(to) => {
            return head(
                &mut stream,
                "302 Found",
                &format!("Location: {to}\r\nContent-Length: 0\r\n"),
            );
        }
        Answer::Endless(file) => {
            head(&mut stream, "200 OK", "")?;
            return stream.write_all(&file);
        }
        Answer::Whole(file) => {
            head(
                &mut stream,
                "200 OK",
                &format!("Content-Length: {}\r\n", file.len()),
            )?;
            return stream.write_all(&file);
        }
        Answer::File(file) => (file, None),
        Answer::Cut(file, most) => (file, Some((most, false))),
        Answer::Silent(file, most) => (file, Some((most, true))),
    };
    let whole = file.len();
    let rest = match asked.from {
        Some(from) if from >= whole => {
            let range = format!("Content-Range: bytes */{whole}\r\nContent-Length: 0\r\n");
            return head(&mut stream, "416 Range Not Satisfiable", &range);
        }
        Some(from) => {
            let rest = &file[from..];
            let range = format!("Content-Range: bytes {from}-{}/{whole}\r\n", whole - 1);
            let headers = format!("{range}Content-Length: {}\r\n", rest.len());
            head(&mut stream, "206 Partial Content", &headers)?;
            rest
        }
        None => {
            head(&mut stream, "200 OK", &format!("Content-Length: {whole}\r\n"))?;
            &file[..]
        }
    };
    match most {
        None => stream.write_all(rest),
        Some((most, silent)) => {
            stream.write_all(&rest[..most.min(rest.len())])?;
            stream.flush()?;
            if silent {
                std::thread::sleep(Duration::from_secs(60));
            }
            Ok(())
        }
    }
}
