//! Against a server that cuts connections, falls silent, answers with errors, and gives other files.

use super::web::{Answer, Asked, Server};
use super::*;

/// Nobody falls silent by accident, on however busy a machine.
const PATIENCE: Patience = Patience {
    silence: Duration::from_secs(600),
    rounds: 3,
    pause: Duration::from_millis(1),
};

/// A file that is longer than what is read at a time.
fn file() -> Vec<u8> {
    (0..700_000_u32)
        .flat_map(|n| n.to_le_bytes())
        .take(CHUNK * 3 + 17)
        .collect()
}

struct Place {
    folder: tempfile::TempDir,
    said: Vec<String>,
    most: u64,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            said: Vec::new(),
            most: 0,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("partial")
    }

    fn fetch(&mut self, urls: &[String]) -> Result<Vec<u8>, Trouble> {
        self.patient(urls, PATIENCE)
    }

    fn patient(&mut self, urls: &[String], patience: Patience) -> Result<Vec<u8>, Trouble> {
        let wanted = Wanted {
            urls: urls.to_vec(),
            digest: Digest::of_blob(&file()),
            into: self.path(),
        };
        let (said, most) = (&mut self.said, &mut self.most);
        let mut tell = |news| match news {
            News::Said(sentence) => said.push(sentence),
            News::Had(had, _) => *most = had.max(*most),
        };
        fetch(&wanted, patience, &mut tell, &|| false)?;
        Ok(fs::read(self.path()).unwrap())
    }
}

fn asked(server: &Server) -> Vec<Option<usize>> {
    server.asked().iter().map(|asked| asked.from).collect()
}

/// What is told of a failure, without the address of the server.
fn told(trouble: Trouble, server: &Server) -> String {
    let text = match trouble {
        Trouble::NotHad(reasons) => {
            let reasons: Vec<String> = reasons.iter().map(|(url, why)| format!("{url}: {why}")).collect();
            reasons.join("; ")
        }
        other => format!("{other:?}"),
    };
    text.replace(&server.url(""), "")
}

#[test]
fn a_file_is_had_and_what_is_there_is_told() {
    let server = Server::start(|_, _| Answer::File(file()));
    let mut place = Place::new();
    assert_eq!(place.fetch(&[server.url("/a")]).unwrap(), file());
    assert_eq!(asked(&server), [None]);
    assert_eq!(place.most, file().len() as u64);
    // Had already, and only not taken away: the server is asked whether it is all.
    assert_eq!(place.fetch(&[server.url("/a")]).unwrap(), file());
    assert_eq!(asked(&server), [None, Some(file().len())]);
}

#[test]
fn a_connection_that_is_cut_is_gone_on_with() {
    let server = Server::start(|_, _| Answer::Cut(file(), CHUNK / 2 + 1));
    let mut place = Place::new();
    // More often than there are rounds without anything: each of these brings something.
    assert_eq!(place.fetch(&[server.url("/a")]).unwrap(), file());
    let from = asked(&server);
    assert_eq!(from.len(), 7, "{from:?}");
    assert!(from.is_sorted() && from[1] == Some(CHUNK / 2 + 1), "{from:?}");
}

#[test]
fn what_was_had_before_is_gone_on_with_or_had_anew() {
    let ranged = Server::start(|_, _| Answer::File(file()));
    let mut place = Place::new();
    fs::write(place.path(), &file()[..1000]).unwrap();
    assert_eq!(place.fetch(&[ranged.url("/a")]).unwrap(), file());
    assert_eq!(asked(&ranged), [Some(1000)]);
    // A server that knows no ranges.
    let whole = Server::start(|_, _| Answer::Whole(file()));
    fs::write(place.path(), &file()[..1000]).unwrap();
    assert_eq!(place.fetch(&[whole.url("/a")]).unwrap(), file());
    assert_eq!(asked(&whole), [Some(1000)]);
    // What lies there is of another file: as long, longer, and shorter.
    for strange in [10, file().len(), file().len() + 10] {
        fs::write(place.path(), vec![7; strange]).unwrap();
        assert_eq!(place.fetch(&[ranged.url("/a")]).unwrap(), file());
    }
}

#[test]
fn a_server_that_falls_silent_is_left() {
    let server = Server::start(|_, before| match before {
        0 => Answer::Silent(file(), 1000),
        _ => Answer::Silent(file(), 0),
    });
    let mut place = Place::new();
    let patience = Patience {
        silence: Duration::from_secs(1),
        ..PATIENCE
    };
    // Silent as long as anybody waits: how many rounds that takes is the machine's matter, that it ends is ours.
    let trouble = place.patient(&[server.url("/a")], patience).unwrap_err();
    let words = told(trouble, &server);
    assert!(
        words.contains("silent") || words.contains("does not answer"),
        "{words}"
    );
    assert!(server.asked().len() >= 3);
}

#[test]
fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    let server = Server::start(|asked, before| match asked.path.as_str() {
        "/busy" if before < 2 => Answer::Status([503, 429][before], ""),
        "/busy" => Answer::File(file()),
        "/down" => Answer::Status(500, ""),
        "/gone" => Answer::Status(404, ""),
        _ => Answer::Status(403, ""),
    });
    let mut place = Place::new();
    assert_eq!(place.fetch(&[server.url("/busy")]).unwrap(), file());
    fs::remove_file(place.path()).unwrap();
    let trouble = place
        .fetch(&[server.url("/gone"), server.url("/down"), server.url("/mine")])
        .unwrap_err();
    assert_eq!(
        told(trouble, &server),
        "/gone: the server answers 404 Not Found; /mine: the server answers 403 Forbidden; \
         /down: the server answers 500 Internal Server Error"
    );
    let paths: Vec<String> = server.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths[3..], ["/gone", "/down", "/mine", "/down", "/down"]);
}

#[test]
fn mirrors_are_asked_in_their_order_and_go_on_with_what_is_there() {
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/first" => Answer::Cut(file(), 1000),
        _ => Answer::File(file()),
    });
    let mut place = Place::new();
    let nobody = "http://127.0.0.1:1/a".to_owned();
    let urls = [nobody, server.url("/first"), server.url("/second")];
    assert_eq!(place.fetch(&urls).unwrap(), file());
    let expected = [("/first", None), ("/second", Some(1000))];
    let expected = expected.map(|(path, from)| Asked {
        path: path.to_owned(),
        from,
    });
    assert_eq!(server.asked(), expected);
    assert!(place.said[0].contains("nobody listens there"), "{:?}", place.said);
}

#[test]
fn another_file_is_refused_and_nothing_of_it_kept() {
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/other" => Answer::File(b"something else".to_vec()),
        "/endless" => Answer::Endless(file()),
        _ => Answer::File(file()),
    });
    let mut place = Place::new();
    let trouble = place.fetch(&[server.url("/other")]).unwrap_err();
    let got = Digest::of_blob(b"something else");
    assert!(matches!(trouble, Trouble::Other { got: said, .. } if said == got));
    assert!(!place.path().exists());
    // Another address may have the right one; one that does not say its length, too.
    let both = [server.url("/other"), server.url("/endless")];
    assert_eq!(place.fetch(&both).unwrap(), file());
}

#[test]
fn redirects_are_followed_and_circles_are_not() {
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/old" => Answer::Moved("/new".to_owned()),
        "/circle" => Answer::Moved("/circle".to_owned()),
        _ => Answer::File(file()),
    });
    let mut place = Place::new();
    assert_eq!(place.fetch(&[server.url("/old")]).unwrap(), file());
    fs::remove_file(place.path()).unwrap();
    let trouble = place.fetch(&[server.url("/circle")]).unwrap_err();
    let words = told(trouble, &server);
    assert!(words.contains("without end"), "{words}");
}

#[test]
fn a_file_of_this_machine_is_copied() {
    let mut place = Place::new();
    let here = place.folder.path().join("a b.csv");
    fs::write(&here, file()).unwrap();
    let url = format!("file://{}", here.display()).replace(' ', "%20");
    assert_eq!(place.fetch(&[url]).unwrap(), file());
    let trouble = place.fetch(&["file:///nowhere/x".to_owned()]).unwrap_err();
    assert!(matches!(trouble, Trouble::NotHad(reasons) if reasons[0].1 == "there is no such file"));
}

#[test]
fn who_gives_up_need_not_wait_for_the_server() {
    let server = Server::start(|_, _| Answer::Silent(file(), 1000));
    let place = Place::new();
    let wanted = Wanted {
        urls: vec![server.url("/a")],
        digest: Digest::of_blob(&file()),
        into: place.path(),
    };
    let patience = Patience {
        silence: Duration::from_secs(3600),
        ..PATIENCE
    };
    let stop = || fs::metadata(place.path()).is_ok_and(|there| there.len() == 1000);
    let trouble = fetch(&wanted, patience, &mut |_| {}, &stop).unwrap_err();
    assert!(matches!(trouble, Trouble::Stopped));
    // What was had stays, for the next time.
    assert_eq!(fs::read(place.path()).unwrap(), file()[..1000]);
}
