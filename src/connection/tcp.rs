//! A TCP socket that does not block.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::step::Step;
use crate::memory;

/// How long the other side's system may leave data or a question unacknowledged. A server that thinks acknowledges, and so
/// does one that is slow to read; a connection that a firewall has dropped does not. TCP_USER_TIMEOUT is no use here: it also
/// ends a connection whose other side acknowledges and does not read.
const SILENCE: Duration = Duration::from_secs(30);
/// How often a wait looks for that.
const LOOK: Duration = Duration::from_secs(2);

/// A connected socket, and how many bytes went each way.
pub(crate) struct Tcp {
    socket: Arc<TcpStream>,
    written: u64,
    received: u64,
    /// Since when something is unacknowledged, as far as the looks have seen.
    unacknowledged: Cell<Option<Instant>>,
}

impl Tcp {
    /// Around a connected socket that does not block.
    pub(super) fn new(socket: TcpStream) -> Tcp {
        Tcp { socket: Arc::new(socket), written: 0, received: 0, unacknowledged: Cell::new(None) }
    }

    pub(super) fn socket(&self) -> &Arc<TcpStream> {
        &self.socket
    }

    /// Bytes that the system has accepted.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Bytes that have arrived.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Waits until the socket is ready for `events` or has failed.
    ///
    /// # Errors
    /// The failures of [`Step::left`], and [`Failure::Dead`] if the other side's system acknowledges nothing any more.
    pub(super) fn wait(&self, events: i16, step: &Step<'_>) -> Result<(), Failure> {
        self.unacknowledged.set(None);
        while !ready(&*self.socket, events, step.wait().socket_slice(step.left()?.min(LOOK)))? {
            if self.is_dead() {
                step.left()?;
                return Err(Failure::Dead);
            }
        }
        // A socket that was shut down by a cancel is ready, too.
        step.left().map(|_| ())
    }

    /// Whether something has been unacknowledged at every look for [`SILENCE`], and no acknowledgement came meanwhile.
    fn is_dead(&self) -> bool {
        let Some((waiting, last)) = acknowledgements(&self.socket) else { return false };
        if !waiting {
            self.unacknowledged.set(None);
            return false;
        }
        let since = self.unacknowledged.get().unwrap_or_else(Instant::now);
        self.unacknowledged.set(Some(since));
        since.elapsed() >= SILENCE && last >= SILENCE
    }
}

impl Read for Tcp {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let amount = retried(|| (&*self.socket).read(buf))?;
        self.received += amount as u64;
        Ok(amount)
    }
}

impl Write for Tcp {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let amount = retried(|| (&*self.socket).write(buf))?;
        self.written += amount as u64;
        Ok(amount)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Repeats `io` while a signal handler interrupts it.
fn retried<T>(mut io: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match io() {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Waits until the socket is ready for `events` or has failed, for `most` at most; then whether it is. May return early.
pub(super) fn ready(socket: &impl AsRawFd, events: i16, most: Duration) -> io::Result<bool> {
    let mut asked = [libc::pollfd { fd: socket.as_raw_fd(), events, revents: 0 }];
    poll(&mut asked, most).map(|count| count > 0)
}

/// Whether data or a question is unacknowledged, and how long ago the last acknowledgement came. `None` where the system does
/// not tell.
fn acknowledgements(socket: &TcpStream) -> Option<(bool, Duration)> {
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

/// How many of the descriptors are ready within `most`. None, if a signal handler interrupted the wait.
pub(super) fn poll(asked: &mut [libc::pollfd], most: Duration) -> io::Result<usize> {
    let ms = i32::try_from(most.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
    let count = libc::nfds_t::try_from(asked.len()).unwrap_or(libc::nfds_t::MAX);
    let polled = memory::outside(|| {
        // SAFETY: `asked` is ours, and `count` pollfds long; poll() writes their `revents`. The caller keeps the
        // descriptors open.
        let ready = unsafe { libc::poll(asked.as_mut_ptr(), count, ms) };
        usize::try_from(ready).map_err(|_| io::Error::last_os_error())
    });
    match polled {
        Err(e) if e.kind() == ErrorKind::Interrupted => Ok(0),
        polled => polled,
    }
}
