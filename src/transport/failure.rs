//! What the agent reports, in the library's words.

use super::Deadline;
use crate::error::{Error, Status};

/// The error of a call to `url` that got no answer, or none that can be read. `trust` names the trust store.
pub(super) fn of(error: &ureq::Error, url: &str, trust: &str, deadline: Deadline) -> Error {
    use ureq::Error as E;
    let connection = |what: &str, advice: &str| Error::new(Status::Connection, format!("{what} ({url}); {advice}"));
    const NETWORK: &str = "check the network, then try again";
    match error {
        E::Timeout(ureq::Timeout::Connect) => Error::new(
            Status::Timeout,
            format!("no connection within the connect timeout ({url}); check the address, or allow more time"),
        ),
        E::Timeout(_) => deadline.passed(),
        E::HostNotFound => connection("the server's name could not be resolved", "check the base URL and DNS"),
        E::ConnectionFailed => connection("no connection to the server", NETWORK),
        E::Rustls(e) => tls(&e.to_string(), url, trust),
        E::Tls(what) => tls(what, url, trust),
        E::Io(e) => match e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(e) => tls(&e.to_string(), url, trust),
            None => connection(&format!("the connection to the server failed: {}", e.kind()), NETWORK),
        },
        E::BodyExceedsLimit(limit) => Error::new(
            Status::Protocol,
            format!("the server's answer is larger than {limit} bytes ({url}); it was not read to its end"),
        ),
        E::LargeResponseHeader(..) => {
            Error::new(Status::Protocol, format!("the headers of the server's answer are too large ({url})"))
        }
        E::Protocol(_) | E::Http(_) | E::BodyStalled => {
            Error::new(Status::Protocol, format!("what answers at {url} does not speak HTTP/1.1; check the base URL"))
        }
        _ => connection("the call to the server failed", NETWORK),
    }
}

fn tls(what: &str, url: &str, trust: &str) -> Error {
    Error::new(
        Status::Connection,
        format!(
            "TLS with the server failed: {what} ({url}; checked against {trust}); if the server uses a private CA, \
             give its certificate as ca_file"
        ),
    )
    .not_retryable()
}
