//! What an attempt saw on its connection, noted for the thread that makes it: the agent does not tell whether a connection
//! was a used one, or whether an answer had begun when it broke.

use std::cell::Cell;

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// What this thread's attempt did on its connection, inside TLS.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Bytes given to the connection, heads included.
    pub(super) sent: u64,
    /// Bytes of the answer, heads included.
    pub(super) received: u64,
    /// Whether the connection had served a request before.
    pub(super) reused: bool,
}

thread_local! {
    static SEEN: Cell<Seen> = const { Cell::new(Seen { sent: 0, received: 0, reused: false }) };
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
        Ok(below.map(|below| Exchange { below, watched, used: false }))
    }
}

/// A watched connection.
#[derive(Debug)]
pub(super) struct Exchange<T> {
    below: T,
    watched: bool,
    /// Whether an answer was read from it.
    used: bool,
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
        SEEN.set(Seen { sent: seen.sent + amount as u64, reused: self.used, ..seen });
        self.below.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        if !self.watched {
            return self.below.await_input(timeout);
        }
        let before = self.below.buffers().input().len();
        let more = self.below.await_input(timeout)?;
        let seen = SEEN.get();
        let new = self.below.buffers().input().len().saturating_sub(before);
        SEEN.set(Seen { received: seen.received + new as u64, ..seen });
        self.used = true;
        Ok(more)
    }

    fn is_open(&mut self) -> bool {
        self.below.is_open()
    }

    fn is_tls(&self) -> bool {
        self.below.is_tls()
    }
}
