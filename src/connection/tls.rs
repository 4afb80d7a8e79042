//! TLS over a carrier.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection};

use super::carrier::Carrier;
use super::failure::{Failure, Peer, SessionError};
use super::stage::Stage;
use super::step::Step;
use super::tcp::Tcp;

/// The most plaintext that is encrypted ahead of what the system accepts, in bytes.
const AHEAD: usize = 128 * 1024;

/// A TLS session, and the carrier below it.
pub(crate) struct Tls<C> {
    session: ClientConnection,
    peer: Peer,
    below: C,
}

impl<C: Carrier> Tls<C> {
    /// Shakes hands with `peer`, whose certificate must be for `host`.
    pub(super) fn over(
        below: C,
        config: Arc<ClientConfig>,
        host: &str,
        peer: Peer,
        step: &Step<'_>,
    ) -> Result<Tls<C>, Failure> {
        step.enters(Stage::SettingUpTls);
        let refused = |error| Failure::Tls(peer, Box::new(error));
        let mut session = ClientConnection::new(config, server_name(host, peer)?).map_err(refused)?;
        session.set_buffer_limit(Some(AHEAD));
        let received = below.tcp().received();
        let mut tls = Tls { session, peer, below };
        while tls.session.is_handshaking() || tls.session.wants_write() {
            match tls.shake_hands() {
                Ok(()) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    let to_write = tls.session.wants_write();
                    tls.below.wait(to_write, step).map_err(|failure| match failure {
                        Failure::TooSlow(_) if tls.below.tcp().received() == received => Failure::SilentHandshake(peer),
                        failure => failure,
                    })?;
                }
                Err(e) => {
                    step.left()?;
                    // A server that refuses sends an alert and closes: a write can fail before the alert is read.
                    let alert = if session_error(&e).is_none() { tls.receive().err() } else { None };
                    return Err(match session_error(alert.as_ref().unwrap_or(&e)) {
                        // An error of a session below this one is that of a proxy.
                        Some(SessionError(peer, error)) => Failure::Tls(*peer, Box::new(error.clone())),
                        None if tls.below.tcp().received() == received => Failure::NoServerHello(peer),
                        None => e.into(),
                    });
                }
            }
        }
        Ok(tls)
    }

    /// One step of the handshake.
    fn shake_hands(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.below)?;
        }
        self.below.flush()?;
        if self.session.is_handshaking() { self.receive() } else { Ok(()) }
    }

    /// Takes in what has arrived. A fatal alert goes out before a refusal.
    fn receive(&mut self) -> io::Result<()> {
        if self.session.read_tls(&mut self.below)? == 0 && self.session.is_handshaking() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        match self.session.process_new_packets() {
            Ok(_) => Ok(()),
            Err(error) => {
                let _ = self.session.write_tls(&mut self.below).and_then(|_| self.below.flush());
                Err(io::Error::new(ErrorKind::InvalidData, SessionError(self.peer, error)))
            }
        }
    }

    pub(super) fn tcp(&self) -> &Tcp {
        self.below.tcp()
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.session.wants_write() || self.below.has_unsent()
    }

    /// The chain that the other side presented.
    pub(super) fn presented(&self) -> &[CertificateDer<'static>] {
        self.session.peer_certificates().unwrap_or_default()
    }
}

impl<C: Carrier> Read for Tls<C> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(buf) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.receive()?,
                outcome => return outcome,
            }
        }
    }
}

impl<C: Carrier> Write for Tls<C> {
    /// Encrypts; what does not fit is `WouldBlock`. [`flush`](Tls::flush) sends.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        loop {
            match self.session.writer().write(buf)? {
                0 if !buf.is_empty() => self.flush()?,
                amount => return Ok(amount),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.below)?;
        }
        self.below.flush()
    }
}

/// The end of a TLS session that an I/O error stands for, if it does.
fn session_error(error: &io::Error) -> Option<&SessionError> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// The name that a certificate must be for: a host, or an address, in brackets or not.
pub(super) fn server_name(host: &str, peer: Peer) -> Result<ServerName<'static>, Failure> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    ServerName::try_from(bare.to_owned()).map_err(|_| {
        let wrong_name = rustls::CertificateError::NotValidForName;
        Failure::Tls(peer, Box::new(rustls::Error::InvalidCertificate(wrong_name)))
    })
}
