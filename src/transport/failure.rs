//! The errors of attempts that got no response, or none that can be read, in words for people.

use std::fmt::{self, Display, Formatter};

use crate::connection::{Failure, Peer, Stage, is_about_certificate};
use crate::error::{Error, Status};

/// Where something happened, as errors tell it.
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
            write!(f, " through {proxy}")?;
        }
        write!(f, ", {} attempt{plural}", self.attempt)
    }
}

const NETWORK: &str = "check the network, then try again";
const MIDDLEBOX: &str = "a middlebox may drop the large first message of a post-quantum handshake: if other programs \
                         connect, switch the post-quantum key share off with nomyo_config_set_post_quantum()";

/// The error of a failed attempt. `trust` names the trust store.
pub(super) fn of(failure: Failure, place: &Place<'_>, trust: &str) -> Error {
    let connection = |what: &str, advice: &str| Error::new(Status::Connection, format!("{what} ({place}); {advice}"));
    match failure {
        Failure::Stopped(error) => error,
        Failure::TooSlow(stage) => Error::new(Status::Timeout, too_slow(stage, place)),
        Failure::UnknownName if place.proxy.is_some() => {
            connection("the proxy's name could not be resolved", "check the proxy's URL").not_retryable()
        }
        Failure::UnknownName => {
            connection("the server's name could not be resolved", "check the base URL").not_retryable()
        }
        Failure::SilentNameService => connection(
            "a name could not be resolved, since the name service did not answer",
            "check the network and DNS",
        ),
        Failure::Dead => connection("the connection is dead: the other side's system no longer acknowledges", NETWORK),
        Failure::Io(e) => connection(&format!("the connection to the server failed: {}", e.kind()), NETWORK),
        Failure::Closed => connection("the server closed the connection before the end of its response", NETWORK),
        Failure::SilentHandshake(peer) => Error::new(
            Status::Timeout,
            format!(
                "no TLS with {} within the connect timeout: the handshake got no answer ({place}); {MIDDLEBOX}",
                name(peer)
            ),
        ),
        Failure::NoServerHello(peer) => {
            connection(&format!("no TLS with {}: the handshake got no answer", name(peer)), MIDDLEBOX)
        }
        Failure::Tls(peer, error) => tls(&error, peer, place, trust),
        Failure::EmptyTrustStore(places) => connection(
            &format!("no TLS with the server: the trust store holds no certificate; looked at {places}"),
            "install the package ca-certificates, correct SSL_CERT_FILE, or give a ca_file",
        )
        .not_retryable(),
        Failure::Proxy(refusal) => {
            let error = Error::new(Status::Connection, format!("{} ({place})", refusal.what));
            if refusal.passing { error } else { error.not_retryable() }
        }
        Failure::LargeHead => {
            Error::new(Status::Protocol, format!("the headers of the server's response are too large ({place})"))
        }
        Failure::NotHttp => Error::new(
            Status::Protocol,
            format!("the other side does not speak HTTP/1.1 ({place}); check the base URL"),
        ),
        Failure::LargeBody(limit) => Error::new(
            Status::Protocol,
            format!("the server's response is larger than {limit} bytes, and was not read to its end ({place})"),
        ),
    }
}

fn too_slow(stage: Stage, place: &Place<'_>) -> String {
    let advice = match stage {
        Stage::Resolving => "check DNS, or allow more time",
        Stage::AskingProxy => "check the proxy's URL, or allow more time",
        _ => "check the address, or allow more time",
    };
    format!("no connection within the connect timeout: the time ran out while {stage} ({place}); {advice}")
}

fn name(peer: Peer) -> &'static str {
    match peer {
        Peer::Server => "the server",
        Peer::Proxy => "the proxy",
    }
}

/// A failed handshake, in our words: those of a certificate are the choice of its maker.
fn tls(error: &rustls::Error, peer: Peer, place: &Place<'_>, trust: &str) -> Error {
    use rustls::{AlertDescription as A, CertificateError as C};
    let who = name(peer);
    if let rustls::Error::InvalidCertificate(C::Other(other)) = error
        && let Some(chain) = crate::connection::not_pinned(&*other.0)
    {
        return Error::new(
            Status::Pin,
            format!(
                "the server's certificate is not pinned: {chain} ({place}). If the operator confirms the new certificate, pin \
                 it too; otherwise somebody intercepts the connection"
            ),
        );
    }
    let check_url = if peer == Peer::Proxy { "check the proxy's URL" } else { "check the base URL" };
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
                format!("its certificate is for another name: {check_url}")
            }
            C::Revoked => "its certificate has been revoked".to_owned(),
            C::Other(other) if is_ca_as_leaf(&*other.0) => {
                "its certificate is the certificate of an authority (CA:TRUE), which cannot be a server's: make it anew with \
                 basicConstraints=CA:FALSE, or sign a server certificate with it"
                    .to_owned()
            }
            _ => format!("its certificate is not acceptable to {trust}"),
        },
        rustls::Error::AlertReceived(alert) if peer == Peer::Proxy && is_about_certificate(error) => format!(
            "it refused the handshake ({alert:?}): it may want a client certificate, which the client shows to no proxy"
        ),
        rustls::Error::AlertReceived(A::CertificateRequired) => {
            "it requires a client certificate: set one, or one with a kind of key that the server accepts".to_owned()
        }
        rustls::Error::AlertReceived(alert) if is_about_certificate(error) => format!("it refused the handshake ({alert:?}): check the client certificate, and whether one is set"),
        rustls::Error::AlertReceived(alert) => format!("it refused the handshake ({alert:?})"),
        rustls::Error::PeerIncompatible(_) => "it speaks neither TLS 1.3 nor TLS 1.2 as this client does".to_owned(),
        rustls::Error::InvalidMessage(_) => "it does not speak TLS: check the port".to_owned(),
        _ => "the handshake failed".to_owned(),
    };
    Error::new(Status::Connection, format!("no TLS with {who}: {what} ({place})")).not_retryable()
}

/// Whether a certificate was refused because an authority's certificate is used as a server's.
fn is_ca_as_leaf(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    error.downcast_ref::<webpki::Error>() == Some(&webpki::Error::CaUsedAsEndEntity)
}
