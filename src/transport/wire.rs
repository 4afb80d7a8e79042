//! A TCP connection, as the agent uses it: never blocks longer than it may, and not at all once its call is cancelled.
//!
//! What the agent hands over piece by piece (the head of a request and its body, the end of a handshake and the request
//! after it) waits until an answer is awaited or the buffer is full, so that a small request is one packet.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use super::cancel::interruptible;
use super::limit::Limit;

/// A connection. Its socket does not block; who waits for it polls.
pub(super) struct Wire {
    socket: Arc<TcpStream>,
    buffers: Held,
}

/// The buffers of a connection, and how much at the front of the output is not sent yet.
struct Held {
    buffers: LazyBuffers,
    waiting: usize,
}

impl Wire {
    /// Around a connected socket that does not block.
    pub(super) fn new(socket: TcpStream, input: usize, output: usize) -> Wire {
        Wire { socket: Arc::new(socket), buffers: Held { buffers: LazyBuffers::new(input, output), waiting: 0 } }
    }

    fn send_waiting(&mut self, limit: Limit) -> Result<(), ureq::Error> {
        let amount = std::mem::take(&mut self.buffers.waiting);
        if amount == 0 {
            return Ok(());
        }
        let (socket, output) = (&self.socket, &self.buffers.buffers.output()[..amount]);
        interruptible(socket, || {
            let mut rest = output;
            while !rest.is_empty() {
                match when_ready(socket, libc::POLLOUT, limit, |mut socket| socket.write(rest))? {
                    0 => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                    sent => rest = &rest[sent..],
                }
            }
            Ok(())
        })
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.buffers.waiting += amount;
        if self.buffers.output().is_empty() { self.send_waiting(Limit::of(timeout)) } else { Ok(()) }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let limit = Limit::of(timeout);
        self.send_waiting(limit)?;
        let (socket, input) = (&self.socket, self.buffers.input_append_buf());
        let amount =
            interruptible(socket, || when_ready(socket, libc::POLLIN, limit, |mut socket| socket.read(input)))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// An idle connection has nothing to say: what can be read is its end, or what nobody asked for.
    fn is_open(&mut self) -> bool {
        self.buffers.waiting == 0 && matches!(self.socket.peek(&mut [0]), Err(e) if e.kind() == ErrorKind::WouldBlock)
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl Buffers for Held {
    fn output(&mut self) -> &mut [u8] {
        &mut self.buffers.output()[self.waiting..]
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        let (tmp, output) = self.buffers.tmp_and_output();
        (tmp, &mut output[self.waiting..])
    }

    fn input(&self) -> &[u8] {
        self.buffers.input()
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.buffers.input_append_buf()
    }

    fn input_appended(&mut self, amount: usize) {
        self.buffers.input_appended(amount);
    }

    fn input_consume(&mut self, amount: usize) {
        self.buffers.input_consume(amount);
    }

    fn can_use_input(&self) -> bool {
        self.buffers.can_use_input()
    }
}

/// Does `io` as soon as the socket is ready for it, within the limit.
fn when_ready<T>(
    socket: &TcpStream,
    events: i16,
    limit: Limit,
    mut io: impl FnMut(&TcpStream) -> io::Result<T>,
) -> Result<T, ureq::Error> {
    loop {
        match io(socket) {
            Err(e) if e.kind() == ErrorKind::WouldBlock => while !ready(socket, events, limit.left()?)? {},
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            outcome => return Ok(outcome?),
        }
    }
}

/// Waits until the socket is ready for `events` or has failed, for `most` at most; then whether it is. May return early.
pub(super) fn ready(socket: &impl AsRawFd, events: i16, most: std::time::Duration) -> io::Result<bool> {
    let ms = i32::try_from(most.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
    let mut asked = libc::pollfd { fd: socket.as_raw_fd(), events, revents: 0 };
    // SAFETY: it is given one pollfd, which is ours, and a descriptor that the borrowed socket keeps open.
    match unsafe { libc::poll(&raw mut asked, 1, ms) } {
        -1 => match io::Error::last_os_error() {
            e if e.kind() == ErrorKind::Interrupted => Ok(false),
            e => Err(e),
        },
        count => Ok(count > 0),
    }
}
