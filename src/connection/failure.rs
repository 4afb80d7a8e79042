//! The ways in which a connection can fail. The words for people are made where the whole attempt is known.

use std::io;

use super::stage::Stage;
use crate::error::Error;

/// Why a step on the network failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The call was cancelled, or its deadline passed.
    Stopped(Error),
    /// The step's own time ran out.
    TooSlow(Stage),
    /// The name does not exist, or has no address.
    UnknownName,
    /// The name service does not say, for now.
    SilentNameService,
    /// Reading or writing failed.
    Io(io::Error),
    /// The other side closed the connection before the response.
    Closed,
    /// The other side's system acknowledges nothing any more.
    Dead,
    /// TLS was refused, by one of the two sides.
    Tls(Peer, Box<rustls::Error>),
    /// The connection ended before the other side had said a word of TLS.
    NoServerHello(Peer),
    /// The connect timeout passed before the other side had said a word of TLS.
    SilentHandshake(Peer),
    /// The trust store has no certificate: where it was looked for.
    EmptyTrustStore(String),
    /// The proxy did not connect to the server.
    Proxy(Refusal),
    /// The head of the response is too large.
    LargeHead,
    /// The other side does not speak HTTP/1.1.
    NotHttp,
    /// The response is larger than this many bytes.
    LargeBody(u64),
}

/// The other side of a TLS session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Server,
    Proxy,
}

/// A proxy that did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) what: String,
    /// Whether another attempt may find it otherwise.
    pub(crate) passing: bool,
}

/// The end of a TLS session, as an I/O error carries it.
#[derive(Debug)]
pub(super) struct SessionError(pub(super) Peer, pub(super) rustls::Error);

impl std::fmt::Display for SessionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.1.fmt(f)
    }
}

impl std::error::Error for SessionError {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.downcast::<SessionError>() {
            Ok(SessionError(peer, error)) if is_about_certificate(&error) => Failure::Tls(peer, Box::new(error)),
            Ok(error) => Failure::Io(io::Error::new(io::ErrorKind::InvalidData, error)),
            Err(error) => Failure::Io(error),
        }
    }
}

/// Whether the error of a write or a read says that the other side wants another client certificate, or one at all. In TLS 1.3 its
/// alert comes when the handshake is over for this side (RFC 8446, section 4.4.2.4).
pub(crate) fn refuses_certificate(error: &io::Error) -> bool {
    let session_error = error.get_ref().and_then(|inner| inner.downcast_ref());
    session_error.is_some_and(|SessionError(_, error)| is_about_certificate(error))
}

/// Whether it is an alert about this side's certificate.
pub(crate) fn is_about_certificate(error: &rustls::Error) -> bool {
    use rustls::AlertDescription as A;
    let rustls::Error::AlertReceived(alert) = error else { return false };
    matches!(
        alert,
        A::CertificateRequired
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
    )
}
