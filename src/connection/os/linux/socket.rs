//! Sockets.

use std::io;
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::Duration;

/// The longest wait for a socket. Then [`acknowledgements`] are looked at. A shutdown() by another thread ends the wait earlier.
pub(in crate::connection) const LOOK: Duration = Duration::from_secs(2);

/// Whether connect() failed only because the connection is not there yet.
pub(in crate::connection) fn is_under_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
}

/// Whether data or a question is unacknowledged, and how long ago the last acknowledgement came. `None` if the system does not
/// report it.
pub(in crate::connection) fn acknowledgements(socket: &TcpStream) -> Option<(bool, Duration)> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut len = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).ok()?;
    // SAFETY: the kernel writes at most `len` bytes to `info`, which is that large; the socket is open.
    let status = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, info.as_mut_ptr().cast(), &raw mut len)
    };
    if status != 0 {
        return None;
    }
    // SAFETY: a struct of numbers alone, zeroed where the kernel wrote nothing.
    let info = unsafe { info.assume_init() };
    let waiting = info.tcpi_unacked > 0 || info.tcpi_probes > 0;
    Some((waiting, Duration::from_millis(info.tcpi_last_ack_recv.into())))
}
