//! What the agent reports, in the library's words.

use std::fmt::{self, Display, Formatter};

use super::Deadline;
use super::resolve::Unanswered;
use super::socks::Refusal;
use crate::error::{Error, Status};

/// Where something happened, as errors say it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) url: &'a str,
    /// The proxy in between, if there is one, without its credentials.
    pub(super) proxy: Option<&'a str>,
    /// Which attempt it was, from 1.
    pub(super) attempt: u32,
}

impl Display for Place<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plural = if self.attempt == 1 { "" } else { "s" };
        write!(f, "{}", self.url)?;
        if let Some(proxy) = self.proxy {
            write!(f, " by way of {proxy}")?;
        }
        write!(f, ", {} attempt{plural}", self.attempt)
    }
}

/// The error of an attempt that got no answer, or none that can be read. `trust` names the trust store.
pub(super) fn of(error: &ureq::Error, place: &Place<'_>, trust: &str, deadline: Deadline) -> Error {
    use ureq::Error as E;
    let connection = |what: &str, advice: &str| Error::new(Status::Connection, format!("{what} ({place}); {advice}"));
    const NETWORK: &str = "check the network, then try again";
    match error {
        E::Timeout(ureq::Timeout::Connect) => Error::new(
            Status::Timeout,
            format!("no connection within the connect timeout ({place}); check the address, or allow more time"),
        ),
        E::Timeout(_) => deadline.passed(place),
        E::HostNotFound if place.proxy.is_some() => {
            connection("the proxy's name could not be resolved", "check the proxy's URL").not_retryable()
        }
        E::HostNotFound => connection("the server's name could not be resolved", "check the base URL").not_retryable(),
        E::Other(e) if e.is::<Unanswered>() => connection(
            "a name could not be resolved, since the name service did not answer",
            "check the network and DNS",
        ),
        E::ConnectProxyFailed(reason) => by_proxy(reason, place),
        E::Other(e) => match e.downcast_ref::<Refusal>() {
            Some(refusal) => {
                let error = Error::new(Status::Connection, format!("{} ({place})", refusal.what));
                if refusal.passing { error } else { error.not_retryable() }
            }
            None => connection("the call to the server failed", NETWORK),
        },
        E::ConnectionFailed => connection("no connection to the server", NETWORK),
        E::Rustls(e) => tls(e, place, trust),
        E::Tls(_) => connection("TLS could not be set up", "check the base URL and the CA file"),
        E::Io(e) => match e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(e) => tls(e, place, trust),
            None => connection(&format!("the connection to the server failed: {}", e.kind()), NETWORK),
        },
        E::LargeResponseHeader(..) => {
            Error::new(Status::Protocol, format!("the headers of the server's answer are too large ({place})"))
        }
        E::Protocol(_) | E::Http(_) | E::BodyStalled => {
            Error::new(Status::Protocol, format!("what answers does not speak HTTP/1.1 ({place}); check the base URL"))
        }
        _ => connection("the call to the server failed", NETWORK),
    }
}

/// The error of a proxy that did not connect. The agent says only in words what its answer was.
fn by_proxy(reason: &str, place: &Place<'_>) -> Error {
    let error = |what: &str| Error::new(Status::Connection, format!("{what} ({place})"));
    let answer = reason.rsplit(['/', ' ']).next().and_then(|status| status.parse().ok());
    match answer {
        Some(407) => {
            error("the proxy wants a user name and a password, or does not accept these: give them in its URL")
                .not_retryable()
        }
        Some(status @ 500..=599) => {
            error(&format!("the proxy could not connect to the server, HTTP {status}: try again later"))
        }
        Some(status) => {
            error(&format!("the proxy does not connect to the server, HTTP {status}: ask who runs it")).not_retryable()
        }
        None => error("the proxy did not answer: check the proxy's URL"),
    }
}

/// The error of an answer that is larger than `limit` bytes.
pub(super) fn too_large(limit: u64, place: &Place<'_>, advice: &str) -> Error {
    Error::new(
        Status::Protocol,
        format!("the server's answer is larger than {limit} bytes, and was not read to its end ({place}); {advice}"),
    )
}

/// A failed handshake, in our words: a certificate's own are whatever its maker chose.
fn tls(error: &rustls::Error, place: &Place<'_>, trust: &str) -> Error {
    use rustls::CertificateError as C;
    let what = match error {
        rustls::Error::InvalidCertificate(why) => match why {
            C::UnknownIssuer => format!(
                "its certificate is signed by no authority in {trust}: if that is meant to be, give the authority's \
                 certificate as ca_file"
            ),
            C::Expired | C::ExpiredContext { .. } => {
                "its certificate has expired: renew it, or set the clock".to_owned()
            }
            C::NotValidYet | C::NotValidYetContext { .. } => {
                "its certificate is not valid yet: check the clock".to_owned()
            }
            C::NotValidForName | C::NotValidForNameContext { .. } => {
                "its certificate is for another name: check the base URL".to_owned()
            }
            C::Revoked => "its certificate has been revoked".to_owned(),
            _ => format!("its certificate is not acceptable to {trust}"),
        },
        rustls::Error::AlertReceived(alert) => format!("it refused the handshake ({alert:?})"),
        rustls::Error::PeerIncompatible(_) => "it speaks neither TLS 1.3 nor TLS 1.2 as this client does".to_owned(),
        rustls::Error::InvalidMessage(_) => "what answers there does not speak TLS: check the port".to_owned(),
        _ => "the handshake failed".to_owned(),
    };
    Error::new(Status::Connection, format!("no TLS with the server: {what} ({place})")).not_retryable()
}
