//! A carrier of bytes to and from the other side: TCP, or TLS over another carrier.

use std::io::{Read, Write};

use rustix::event::PollFlags;

use super::failure::Failure;
use super::step::Step;
use super::tcp::Tcp;

/// A carrier. Reading, writing and flushing never block: they fail with `WouldBlock`, after which [`Carrier::wait`] polls.
pub(crate) trait Carrier: Read + Write {
    /// The socket at the bottom.
    fn tcp(&self) -> &Tcp;

    /// Whether bytes wait to be sent.
    fn has_unsent(&self) -> bool;

    /// Waits until something can be read, or written if `to_write`. May return early.
    ///
    /// # Errors
    /// The failures of [`Step::left`], [`Failure::Dead`], and the errors of poll().
    fn wait(&self, to_write: bool, step: &Step<'_>) -> Result<(), Failure> {
        let events = if to_write || self.has_unsent() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        self.tcp().wait(events, step)
    }
}
