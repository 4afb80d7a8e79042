//! Bytes to and from the other side: over TCP, over TLS, or over TLS within TLS, when a proxy is spoken to by TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use super::carrier::Carrier;
use super::failure::Failure;
use super::step::Step;
use super::tcp::Tcp;
use super::tls::Tls;

/// An open connection. Reading and writing never block: they fail with `WouldBlock`, after which [`Channel::wait`] polls.
pub(crate) enum Channel {
    Tcp(Tcp),
    Tls(Box<Tls<Channel>>),
}

impl Channel {
    /// For tests that speak without TLS.
    #[cfg(test)]
    pub(crate) fn over_tcp(socket: TcpStream) -> Channel {
        Channel::Tcp(Tcp::new(socket))
    }

    /// The socket at the bottom.
    pub(crate) fn socket(&self) -> &Arc<TcpStream> {
        self.tcp().socket()
    }

    /// Bytes that the system has accepted for sending, TLS included.
    pub(crate) fn written(&self) -> u64 {
        self.tcp().written()
    }

    /// Whether an idle connection is as it should be: open, and with nothing said that nobody asked for.
    pub(crate) fn is_quiet(&mut self) -> bool {
        matches!(self.read(&mut [0]), Err(e) if e.kind() == ErrorKind::WouldBlock) && !self.has_unsent()
    }
}

impl Carrier for Channel {
    fn tcp(&self) -> &Tcp {
        match self {
            Channel::Tcp(tcp) => tcp,
            Channel::Tls(tls) => tls.tcp(),
        }
    }

    fn has_unsent(&self) -> bool {
        match self {
            Channel::Tcp(_) => false,
            Channel::Tls(tls) => tls.has_unsent(),
        }
    }
}

impl Read for Channel {
    /// 0 bytes are the end of the connection. A TLS connection that ends without a goodbye is `UnexpectedEof`.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Channel::Tcp(tcp) => tcp.read(buf),
            Channel::Tls(tls) => tls.read(buf),
        }
    }
}

impl Write for Channel {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Channel::Tcp(tcp) => tcp.write(buf),
            Channel::Tls(tls) => tls.write(buf),
        }
    }

    /// Hands to the system what waits to be sent; `WouldBlock` if the system does not take all of it.
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Channel::Tcp(tcp) => tcp.flush(),
            Channel::Tls(tls) => tls.flush(),
        }
    }
}

/// A channel whose reads and writes wait, within a step.
pub(super) struct Waiting<'a, 'b> {
    pub(super) channel: &'a mut Channel,
    pub(super) step: &'a Step<'b>,
}

impl Waiting<'_, '_> {
    /// Reads some bytes; 0 are the end of the connection.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> Result<usize, Failure> {
        loop {
            match self.channel.read(buf) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.channel.wait(false, self.step)?,
                outcome => {
                    self.step.left()?;
                    return Ok(outcome?);
                }
            }
        }
    }

    /// Fills `buf`; an end before that is [`Failure::Closed`].
    pub(super) fn read_exact(&mut self, buf: &mut [u8]) -> Result<(), Failure> {
        let mut at = 0;
        while at < buf.len() {
            match self.read(&mut buf[at..])? {
                0 => return Err(Failure::Closed),
                amount => at += amount,
            }
        }
        Ok(())
    }

    /// Sends all of `bytes`.
    pub(super) fn write_all(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        loop {
            let outcome = if bytes.is_empty() { self.channel.flush().map(|()| 0) } else { self.channel.write(bytes) };
            match outcome {
                Ok(0) if bytes.is_empty() => return Ok(()),
                Ok(amount) => bytes = &bytes[amount..],
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.channel.wait(true, self.step)?,
                Err(e) => {
                    self.step.left()?;
                    return Err(e.into());
                }
            }
        }
    }
}
