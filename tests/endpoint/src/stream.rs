//! One accepted socket, plain or under TLS, and the three ways to end it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

/// The bytes of one client.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Stream {
    /// The TLS handshake happens with the first read.
    pub fn new(tcp: TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<Stream> {
        // Small responses must not wait for an acknowledgement (Nagle).
        tcp.set_nodelay(true)?;
        match tls {
            None => Ok(Stream::Plain(tcp)),
            Some(config) => {
                let session = ServerConnection::new(config).map_err(io::Error::other)?;
                Ok(Stream::Tls(Box::new(StreamOwned::new(session, tcp))))
            }
        }
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => tls.get_ref(),
        }
    }

    /// Ends in order: TLS `close_notify`, then FIN. The peer may be gone already, so failures mean
    /// nothing here.
    pub fn close(mut self) {
        if let Stream::Tls(tls) = &mut self {
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
        let _ = self.tcp().shutdown(Shutdown::Write);
    }

    /// Ends with a TCP RST, as a crashed peer or a middlebox does.
    pub fn reset(self) {
        reset(self.tcp());
    }
}

/// Makes the socket answer with RST when it is closed, which happens when its last owner drops it.
pub(crate) fn reset(tcp: &TcpStream) {
    // A socket that cannot linger is already gone, which is as good.
    let _ = SockRef::from(tcp).set_linger(Some(Duration::ZERO));
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(tcp) => tcp.read(buffer),
            Stream::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(tcp) => tcp.write(bytes),
            Stream::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(tcp) => tcp.flush(),
            Stream::Tls(tls) => tls.flush(),
        }
    }
}
