//! Sockets. The crate socket2 sets SO_NOSIGPIPE on each, because macOS has no MSG_NOSIGNAL.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

/// The longest wait for a socket. A shutdown() by another thread ends the wait earlier.
pub(in crate::connection) const LOOK: Duration = Duration::from_secs(2);

/// Whether connect() failed only because the connection is not there yet.
pub(in crate::connection) fn is_under_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
}

/// macOS does not report when the last acknowledgement came (TCP_CONNECTION_INFO). It ends a connection itself, when the questions
/// of the keepalive or the repetitions of data stay unanswered.
pub(in crate::connection) fn acknowledgements(_: &TcpStream) -> Option<(bool, Duration)> {
    None
}
