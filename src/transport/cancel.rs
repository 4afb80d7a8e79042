//! Cancelling a call from another thread.
//!
//! A call announces its [`Cancel`] to its own thread; the connection that it happens to use, fresh or pooled, announces
//! there what is to be shut down while it blocks. So no connection has to know of calls, and no call of connections.

use std::cell::RefCell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use ureq::unversioned::transport::ShutdownHandle;

use crate::error::{Error, Result, Status};
use crate::memory::Process;

/// Cancels the calls that it is given to. May be shared by any number of calls and threads, triggered from any thread,
/// and stays triggered. In a forked child it is only a mark: the connections are the parent's.
#[derive(Clone)]
pub struct Cancel {
    shared: Arc<Shared>,
}

struct Shared {
    /// The process whose connections these are.
    process: Process,
    triggered: AtomicBool,
    /// What blocks at the moment.
    blocked: Mutex<Vec<Weak<dyn ShutdownHandle>>>,
    /// Wakes who sleeps.
    woken: Condvar,
}

thread_local! {
    /// The call that this thread is in.
    static CURRENT: RefCell<Option<Cancel>> = const { RefCell::new(None) };
}

impl Default for Cancel {
    fn default() -> Cancel {
        Cancel::new()
    }
}

impl Cancel {
    /// Not triggered.
    pub fn new() -> Cancel {
        let (process, triggered) = (Process::this(), AtomicBool::new(false));
        Cancel { shared: Arc::new(Shared { process, triggered, blocked: Mutex::default(), woken: Condvar::new() }) }
    }

    /// Ends the calls under way that have this, and every later one that gets it, with [`Status::Cancelled`]. Does not
    /// block. A call that sends, waits or reads ends at once; one that generates keys, resolves a name or opens a
    /// connection, when that is over.
    pub fn trigger(&self) {
        self.shared.triggered.store(true, Ordering::SeqCst);
        if self.shared.process != Process::this() {
            return;
        }
        let blocked = self.blocked();
        self.shared.woken.notify_all();
        for handle in blocked.iter().filter_map(Weak::upgrade) {
            handle.shutdown();
        }
    }

    /// Whether it was triggered.
    pub fn is_triggered(&self) -> bool {
        self.shared.triggered.load(Ordering::SeqCst)
    }

    /// Runs a call that this may cancel. What it fails with on the network is put down to the cancelling.
    pub(crate) fn during<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        struct Back(Option<Cancel>);
        impl Drop for Back {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        if self.is_triggered() {
            return Err(cancelled(0));
        }
        let _back = Back(CURRENT.replace(Some(self.clone())));
        call().map_err(|e| match e.status() {
            Status::Connection | Status::Timeout | Status::Protocol if self.is_triggered() => cancelled(e.attempts()),
            _ => e,
        })
    }

    /// Returns after `wait`, or when this is triggered.
    fn sleep(&self, wait: Duration) {
        let end = Instant::now() + wait;
        let mut blocked = self.blocked();
        while !self.is_triggered() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            blocked = self.shared.woken.wait_timeout(blocked, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn blocked(&self) -> MutexGuard<'_, Vec<Weak<dyn ShutdownHandle>>> {
        self.shared.blocked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Cancel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cancel(triggered: {})", self.is_triggered())
    }
}

/// Whether this thread's call has been cancelled, for work between two steps on the network.
pub(crate) fn still_wanted() -> Result<()> {
    match current() {
        Some(cancel) if cancel.is_triggered() => Err(cancelled(0)),
        _ => Ok(()),
    }
}

/// Sleeps for `wait`, or until this thread's call is cancelled: then `Status::Cancelled`.
pub(super) fn sleep(wait: Duration) -> Result<()> {
    match in_this_process() {
        Some(cancel) => cancel.sleep(wait),
        None => std::thread::sleep(wait),
    }
    still_wanted()
}

/// Does I/O that `handle` interrupts, if this thread's call is cancelled meanwhile.
pub(super) fn interruptible<T>(
    handle: &Weak<dyn ShutdownHandle>,
    io: impl FnOnce() -> std::result::Result<T, ureq::Error>,
) -> std::result::Result<T, ureq::Error> {
    let Some(cancel) = in_this_process() else { return io() };
    // Announced first and asked then: a trigger in between is seen by one of the two.
    cancel.blocked().push(handle.clone());
    let outcome =
        if cancel.is_triggered() { Err(ureq::Error::Io(io::ErrorKind::ConnectionAborted.into())) } else { io() };
    cancel.blocked().retain(|other| !Weak::ptr_eq(other, handle));
    outcome
}

fn current() -> Option<Cancel> {
    CURRENT.with_borrow(Clone::clone)
}

/// The call's, if it can be triggered here.
fn in_this_process() -> Option<Cancel> {
    current().filter(|cancel| cancel.shared.process == Process::this())
}

fn cancelled(attempts: u32) -> Error {
    let sent = if attempts == 0 {
        "nothing was sent"
    } else {
        "if the request was out, the server may still be working on it"
    };
    Error::new(Status::Cancelled, format!("the call was cancelled; {sent}")).with_attempts(attempts)
}
