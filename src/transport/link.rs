//! A connection that requests go over, one after the other, and what has been read from it ahead.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use crate::connection::{Carrier, Channel, Failure, Step, refuses_certificate};
use crate::memory::deliver_signals;

/// The largest head of a response, interim ones included, in bytes.
pub(super) const MAX_HEAD: usize = 64 * 1024;
/// How much is read at once, in bytes: a record of TLS.
const READ: usize = 16 * 1024;

/// A connection.
pub(super) struct Link {
    channel: Channel,
    /// Bytes that have arrived and are not used yet.
    input: Vec<u8>,
    /// When its last response ended; `None` before the first.
    idle_since: Option<Instant>,
}

impl Link {
    pub(super) fn new(channel: Channel) -> Link {
        Link { channel, input: Vec::new(), idle_since: None }
    }

    /// Whether it has served a request before.
    pub(super) fn is_reused(&self) -> bool {
        self.idle_since.is_some()
    }

    /// Bytes that the system has accepted for sending so far.
    pub(super) fn written(&self) -> u64 {
        self.channel.written()
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Marks the end of a response. Bytes behind it were asked for by nobody: then the connection is of no further use.
    pub(super) fn rests(mut self) -> Option<Link> {
        if !self.input.is_empty() {
            return None;
        }
        self.input = Vec::new();
        self.idle_since = Some(Instant::now());
        Some(self)
    }

    /// Whether it may serve another request: not idle for longer than `most`, open, and silent.
    pub(super) fn is_fresh(&mut self, most: Duration) -> bool {
        self.idle_since.is_some_and(|since| since.elapsed() < most) && self.channel.is_quiet()
    }

    /// What has arrived and is not used yet.
    pub(super) fn input(&self) -> &[u8] {
        &self.input
    }

    /// Drops the first `amount` bytes of the input.
    pub(super) fn consume(&mut self, amount: usize) {
        self.input.drain(..amount);
    }

    /// Sends `parts`, one behind the other. Stops early, with true, as soon as `answered` says of the input that a response
    /// has begun: a server that refuses a request need not read it to its end.
    pub(super) fn send(
        &mut self,
        parts: &[&[u8]],
        answered: impl Fn(&mut Link) -> bool,
        step: &Step<'_>,
    ) -> Result<bool, Failure> {
        for part in parts {
            let mut rest = *part;
            while !rest.is_empty() {
                match self.channel.write(rest) {
                    Ok(amount) => {
                        rest = &rest[amount..];
                        deliver_signals();
                    }
                    Err(e) => {
                        if self.stopped_by(e, &answered, step)? {
                            return Ok(true);
                        }
                    }
                }
            }
        }
        loop {
            match self.channel.flush() {
                Ok(()) => return Ok(false),
                Err(e) => {
                    if self.stopped_by(e, &answered, step)? {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// After a write that failed with `error`: true if a response has begun, false if the write may be repeated.
    fn stopped_by(
        &mut self,
        error: std::io::Error,
        answered: &impl Fn(&mut Link) -> bool,
        step: &Step<'_>,
    ) -> Result<bool, Failure> {
        step.left()?;
        let more = self.take_in();
        if answered(self) {
            return Ok(true);
        }
        if self.input.len() > MAX_HEAD {
            return Err(Failure::LargeHead);
        }
        if error.kind() != ErrorKind::WouldBlock {
            // The other side may have closed after an alert, which says more than the write that failed.
            return Err(more.err().filter(refuses_certificate).unwrap_or(error).into());
        }
        match more {
            // It has closed its side without a word.
            Ok(0) => Err(Failure::Closed),
            Ok(_) => Ok(false),
            Err(e) if e.kind() == ErrorKind::WouldBlock => self.channel.wait(true, step).map(|()| false),
            Err(e) => Err(e.into()),
        }
    }

    /// Waits for more input; false at the end of the connection.
    pub(super) fn receive(&mut self, step: &Step<'_>) -> Result<bool, Failure> {
        loop {
            match self.take_in() {
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.channel.wait(false, step)?,
                // TLS that ends without a goodbye: the length of the response tells whether something is missing.
                Err(e) if e.kind() == ErrorKind::UnexpectedEof => return step.left().map(|_| false),
                outcome => {
                    // A socket that a cancel has shut down looks like one that the server has closed.
                    step.left()?;
                    deliver_signals();
                    return Ok(outcome? > 0);
                }
            }
        }
    }

    /// Reads what has arrived, once.
    fn take_in(&mut self) -> std::io::Result<usize> {
        let start = self.input.len();
        self.input.resize(start + READ, 0);
        let outcome = self.channel.read(&mut self.input[start..]);
        self.input.truncate(start + *outcome.as_ref().unwrap_or(&0));
        outcome
    }
}
