//! `http` and `https`: a request that goes on from what is there, and what its answer means.

use super::{Attempt, Job, words};
use std::time::Duration;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use ureq::http::{HeaderMap, StatusCode};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Error};

/// Names a file of certificates that are trusted in the place of those that come with mlp: where a proxy opens connections.
const CERTIFICATES: &str = "SSL_CERT_FILE";

/// Who asks. Proxies are those of `HTTPS_PROXY` and `HTTP_PROXY`.
pub(super) fn agent(silence: Duration) -> Agent {
    let mut tls = TlsConfig::builder();
    if let Some(roots) = certificates() {
        tls = tls.root_certs(roots);
    }
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("mlp/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(silence))
        .timeout_connect(Some(silence))
        .timeout_recv_response(Some(silence))
        .timeout_per_read(Some(silence))
        .tls_config(tls.build());
    config.build().into()
}

fn certificates() -> Option<RootCerts> {
    let pem = std::fs::read(std::env::var_os(CERTIFICATES)?).ok()?;
    let found: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    (!found.is_empty()).then(|| RootCerts::new_with_certs(&found))
}

/// Gets what `url` has, behind what is there.
pub(super) fn get(job: &Job, agent: &Agent, url: &str) -> Result<(), Attempt> {
    let had = job.had();
    // As it lies there: what is compressed on the way cannot be gone on with.
    let mut request = agent.get(url).header("Accept-Encoding", "identity");
    if had > 0 {
        request = request.header("Range", format!("bytes={had}-"));
    }
    let mut answer = request.call().map_err(|error| failed(&error))?;
    let length = number(answer.headers().get(CONTENT_LENGTH));
    let range = Range::of(answer.headers());
    match (answer.status(), range) {
        (StatusCode::OK, _) => job.write(&mut answer.body_mut().as_reader(), 0, length),
        (
            StatusCode::PARTIAL_CONTENT,
            Some(Range {
                from: Some(from),
                whole,
            }),
        ) if from == had => {
            let whole = whole.or_else(|| Some(had + length?));
            job.write(&mut answer.body_mut().as_reader(), had, whole)
        }
        // All of it is there already.
        (StatusCode::RANGE_NOT_SATISFIABLE, Some(Range { whole, .. })) if whole == Some(had) => Ok(()),
        (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, _) if had > 0 => {
            // It cannot be gone on with there: anew.
            std::fs::remove_file(&job.wanted.into).map_err(Attempt::Disk)?;
            get(job, agent, url)
        }
        (status, _) => Err(refusal(status)),
    }
}

/// What an answer without a file means.
fn refusal(status: StatusCode) -> Attempt {
    let why = format!("the server answers {status}");
    let later = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    match status.is_server_error() || later.contains(&status) {
        true => Attempt::Broken(why),
        false => Attempt::Refused(why),
    }
}

/// A request that got no answer.
fn failed(error: &Error) -> Attempt {
    match error {
        Error::Io(error) => Attempt::Broken(words(error)),
        Error::Timeout(_) => Attempt::Broken("the server does not answer".to_owned()),
        Error::HostNotFound => Attempt::Broken("no machine of this name is found".to_owned()),
        Error::ConnectionFailed => Attempt::Broken("it cannot be connected to".to_owned()),
        Error::TooManyRedirects | Error::RedirectFailed => {
            Attempt::Refused("it leads from one address to the next without end".to_owned())
        }
        Error::BadUri(_) | Error::Http(_) => Attempt::Refused("this is no address".to_owned()),
        error => Attempt::Broken(error.to_string()),
    }
}

/// `Content-Range: bytes 10-19/20`, or `bytes */20`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    from: Option<u64>,
    whole: Option<u64>,
}

impl Range {
    fn of(headers: &HeaderMap) -> Option<Self> {
        Self::parse(headers.get(CONTENT_RANGE)?.to_str().ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let (range, whole) = text.strip_prefix("bytes ")?.split_once('/')?;
        Some(Self {
            from: range
                .split_once('-')
                .and_then(|(from, _)| from.trim().parse().ok()),
            whole: whole.trim().parse().ok(),
        })
    }
}

fn number(value: Option<&ureq::http::HeaderValue>) -> Option<u64> {
    value?.to_str().ok()?.trim().parse().ok()
}

#[test]
fn ranges_are_read() {
    let range = |from, whole| Some(Range { from, whole });
    assert_eq!(Range::parse("bytes 10-19/20"), range(Some(10), Some(20)));
    assert_eq!(Range::parse("bytes 10-19/*"), range(Some(10), None));
    assert_eq!(Range::parse("bytes */20"), range(None, Some(20)));
    assert_eq!(
        (Range::parse("lines 1-2/3"), Range::parse("bytes x")),
        (None, None)
    );
}
