//! What an attempt saw on its connection, noted for the thread that makes it: the agent does not tell whether a connection
//! was a used one, or whether an answer had begun when it broke.

use std::cell::Cell;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// A connection that was used less than this ago was not closed for being idle: what breaks it then is an answer.
const IDLE: Duration = Duration::from_secs(1);

/// What this thread's attempt did on its connection, inside TLS.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Bytes given to the connection, heads included.
    pub(super) sent: u64,
    /// Bytes of the answer, heads included.
    pub(super) received: u64,
    /// Whether the connection had served a request before.
    pub(super) reused: bool,
    /// Whether it had been idle since then for long enough to have been closed for it.
    pub(super) idle: bool,
}

thread_local! {
    static SEEN: Cell<Seen> = const { Cell::new(Seen { sent: 0, received: 0, reused: false, idle: false }) };
}

impl Seen {
    /// Begins an attempt: nothing was seen yet.
    pub(super) fn begin() {
        SEEN.set(Seen::default());
    }

    /// What was seen since then.
    pub(super) fn so_far() -> Seen {
        SEEN.get()
    }
}

/// Puts an [`Exchange`] around what the connectors before made.
#[derive(Debug)]
pub(super) struct Watching {
    /// Whether connections are made by way of a proxy that is asked to CONNECT: the one to the proxy is not watched.
    pub(super) by_connect: bool,
}

impl<In: Transport> Connector<In> for Watching {
    type Out = Exchange<In>;

    fn connect(&self, details: &ConnectionDetails<'_>, below: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let watched = !self.by_connect || details.config.proxy().is_some();
        Ok(below.map(|below| Exchange { below, watched, used: None }))
    }
}

/// A watched connection.
#[derive(Debug)]
pub(super) struct Exchange<T> {
    below: T,
    watched: bool,
    /// When an answer was last read from it.
    used: Option<Instant>,
}

impl<T: Transport> Transport for Exchange<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.below.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if !self.watched {
            return self.below.transmit_output(amount, timeout);
        }
        let seen = SEEN.get();
        let sent = seen.sent + amount as u64;
        SEEN.set(match self.used {
            Some(last) if seen.sent == 0 => Seen { sent, reused: true, idle: last.elapsed() >= IDLE, ..seen },
            _ => Seen { sent, ..seen },
        });
        self.below.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        if !self.watched {
            return self.below.await_input(timeout);
        }
        if self.below.buffers().input_append_buf().is_empty() {
            // All of it is the head of an answer. Reading on would look as if the connection had ended.
            let head = self.below.buffers().input().len();
            return Err(ureq::Error::LargeResponseHeader(head, head));
        }
        let before = self.below.buffers().input().len();
        let more = self.below.await_input(timeout)?;
        let seen = SEEN.get();
        let new = self.below.buffers().input().len().saturating_sub(before);
        SEEN.set(Seen { received: seen.received + new as u64, ..seen });
        self.used = Some(Instant::now());
        Ok(more)
    }

    fn is_open(&mut self) -> bool {
        self.below.is_open()
    }

    fn is_tls(&self) -> bool {
        self.below.is_tls()
    }
}
