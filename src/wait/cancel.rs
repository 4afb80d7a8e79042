//! Cancelling a call from another thread.
//!
//! A call that blocks on a socket announces the socket to its [`Cancel`], which shuts the socket down. A call that waits
//! for anything else is woken, or looks every few milliseconds.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::{SLICE, waited};
use crate::memory::{self, OwnProcess};

/// Cancels the calls that it is given to. Any number of calls and threads may share it, and any thread may trigger it. It
/// stays triggered. In a forked child the parent's calls are out of reach: there it only marks the calls of the child.
#[derive(Clone)]
pub struct Cancel {
    shared: Arc<Shared>,
}

struct Shared {
    triggered: AtomicBool,
    /// The sockets that calls block on at the moment. A forked child must not use them: the lock may have been held at the fork.
    blocked: OwnProcess<Mutex<Vec<Weak<TcpStream>>>>,
    /// Wakes the calls that sleep.
    woken: Condvar,
}

impl Default for Cancel {
    fn default() -> Cancel {
        Cancel::new()
    }
}

impl Cancel {
    /// Not triggered.
    pub fn new() -> Cancel {
        let (triggered, blocked) = (AtomicBool::new(false), OwnProcess::new(Mutex::default()));
        Cancel { shared: Arc::new(Shared { triggered, blocked, woken: Condvar::new() }) }
    }

    /// Ends the calls that have this with [`Status::Cancelled`](crate::Status::Cancelled), and every later call that gets
    /// it. Does not block. A call ends at most a tenth of a second later, whatever it waits for.
    pub fn trigger(&self) {
        self.shared.triggered.store(true, Ordering::SeqCst);
        let Some(blocked) = self.blocked() else { return };
        self.shared.woken.notify_all();
        for socket in blocked.iter().filter_map(Weak::upgrade) {
            // An error means that the socket is closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Whether it was triggered.
    pub fn is_triggered(&self) -> bool {
        self.shared.triggered.load(Ordering::SeqCst)
    }

    /// Whether a trigger ends waits for sockets. In a forked child of the process that made this it does not.
    pub(super) fn reaches_sockets(&self) -> bool {
        self.shared.blocked.get().is_ok()
    }

    /// Returns after `time`, or when this is triggered.
    pub(super) fn sleep(&self, time: Duration) {
        let Some(mut blocked) = self.blocked() else {
            return memory::outside(|| std::thread::sleep(time.min(SLICE)));
        };
        let end = Instant::now() + time;
        while !self.is_triggered() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            blocked = waited(&self.shared.woken, blocked, left);
        }
    }

    /// Runs `io` on `socket`, which is shut down if this is triggered meanwhile.
    pub(super) fn shutting_down<T>(&self, socket: &Arc<TcpStream>, io: impl FnOnce() -> T) -> T {
        let announced = Arc::downgrade(socket);
        let Some(mut blocked) = self.blocked() else { return io() };
        blocked.push(announced.clone());
        drop(blocked);
        // The order matters: a trigger before the announcement is seen here, and one after it finds the socket.
        if self.is_triggered() {
            let _ = socket.shutdown(Shutdown::Both);
        }
        let outcome = io();
        if let Some(mut blocked) = self.blocked() {
            blocked.retain(|other| !Weak::ptr_eq(other, &announced));
        }
        outcome
    }

    /// `None` in a forked child of the process that made this.
    fn blocked(&self) -> Option<MutexGuard<'_, Vec<Weak<TcpStream>>>> {
        Some(self.shared.blocked.get().ok()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Cancel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cancel(triggered: {})", self.is_triggered())
    }
}
