//! Stopping: every socket is closed, every pause ends, and the end of every connection can be
//! awaited.
//!
//! Blocking threads cannot be interrupted; what they block on can. Reads end because their socket
//! is shut down, and nobody sleeps except in [`Shutdown::pause`].

use std::collections::HashMap;
use std::io;
use std::net::{self, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// The one place that knows whether the server is stopping and which sockets are open.
#[derive(Default)]
pub(crate) struct Shutdown {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stopping: bool,
    next: u64,
    open: HashMap<u64, TcpStream>,
}

/// A registered socket; unregistered when dropped.
pub(crate) struct Registration<'a> {
    shutdown: &'a Shutdown,
    id: u64,
}

impl Shutdown {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds this lock")
    }

    pub fn is_stopping(&self) -> bool {
        self.state().stopping
    }

    /// Takes note of a socket, so that [`stop`](Self::stop) can close it. Fails when the server is
    /// stopping already.
    pub fn register(&self, tcp: &TcpStream) -> io::Result<Registration<'_>> {
        let copy = tcp.try_clone()?;
        let mut state = self.state();
        if state.stopping {
            return Err(stopping());
        }
        let id = state.next;
        state.next += 1;
        state.open.insert(id, copy);
        Ok(Registration { shutdown: self, id })
    }

    /// Waits for `length`, or fails at once when the server stops.
    pub fn pause(&self, length: Duration) -> io::Result<()> {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.state(), length, |state| !state.stopping)
            .expect("nothing panics while it holds this lock");
        if state.stopping { Err(stopping()) } else { Ok(()) }
    }

    /// Ends all reads, writes and pauses.
    pub fn stop(&self) {
        let mut state = self.state();
        state.stopping = true;
        for tcp in state.open.values() {
            // Failing means that the peer has already closed it.
            let _ = tcp.shutdown(net::Shutdown::Both);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until no connection is left, but not longer than `patience`: an upstream server may
    /// hold one.
    pub fn wait_until_idle(&self, patience: Duration) {
        let (_state, _timed_out) = self
            .changed
            .wait_timeout_while(self.state(), patience, |state| !state.open.is_empty())
            .expect("nothing panics while it holds this lock");
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.shutdown.state().open.remove(&self.id);
        self.shutdown.changed.notify_all();
    }
}

fn stopping() -> io::Error {
    io::Error::other("the endpoint is stopping")
}
