//! A TCP socket that does not block.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use super::failure::Failure;
use super::os::{LOOK, acknowledgements};
use super::step::Step;
use crate::memory;

/// How long the other side's system may leave data or a question unacknowledged. A server that thinks acknowledges, and so
/// does one that is slow to read; a connection that a firewall has dropped does not. TCP_USER_TIMEOUT is no use here: it also
/// ends a connection whose other side acknowledges and does not read.
const SILENCE: Duration = Duration::from_secs(30);

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
    pub(super) fn wait(&self, events: PollFlags, step: &Step<'_>) -> Result<(), Failure> {
        self.unacknowledged.set(None);
        while !ready(&self.socket, events, step.wait().socket_slice(step.left()?.min(LOOK)))? {
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

/// Waits until the socket is ready for `events` or has failed, for `most` at most. Returns whether it is. May return early.
fn ready(socket: &TcpStream, events: PollFlags, most: Duration) -> io::Result<bool> {
    poll(&mut [PollFd::new(socket, events)], most).map(|count| count > 0)
}

/// The number of sockets that are ready within `most`. 0 if a signal handler interrupted the wait.
pub(super) fn poll(asked: &mut [PollFd<'_>], most: Duration) -> io::Result<usize> {
    // A duration that no Timespec can hold means that there is no limit.
    let most = Timespec::try_from(most).ok();
    match memory::outside(|| rustix::event::poll(asked, most.as_ref())) {
        Err(Errno::INTR) => Ok(0),
        polled => Ok(polled?),
    }
}
