//! Sockets.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

/// The longest wait for a socket. It is not documented that a shutdown() by another thread ends a WSAPoll. A cancelled call must
/// end within a tenth of a second.
pub(in crate::connection) const LOOK: Duration = Duration::from_millis(50);

/// Whether connect() failed only because the connection is not there yet.
pub(in crate::connection) fn is_under_way(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Windows does not report when the last acknowledgement came. It ends a connection itself: data that is not acknowledged after
/// five attempts, a question after ten.
pub(in crate::connection) fn acknowledgements(_: &TcpStream) -> Option<(bool, Duration)> {
    None
}
