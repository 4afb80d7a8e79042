//! Cancelling a call from another thread.
//!
//! A call announces its [`Cancel`] to its own thread; the connection that it happens to use, fresh or pooled, announces
//! there the socket that is to be shut down while it blocks. So no connection has to know of calls, and no call of
//! connections. What waits for something else (a name, a connection, its turn) asks now and then, or is woken.

use std::cell::RefCell;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

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
    /// The connections that block at the moment.
    blocked: Mutex<Vec<Weak<TcpStream>>>,
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
    /// block. A call that generates keys ends when that is over; any other, whatever it waits for, at once or within a
    /// twentieth of a second.
    pub fn trigger(&self) {
        self.shared.triggered.store(true, Ordering::SeqCst);
        if self.shared.process != Process::this() {
            return;
        }
        let blocked = self.blocked();
        self.shared.woken.notify_all();
        for socket in blocked.iter().filter_map(Weak::upgrade) {
            // An error means that it is closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Whether it was triggered.
    pub fn is_triggered(&self) -> bool {
        self.shared.triggered.load(Ordering::SeqCst)
    }

    /// Runs a call that this may cancel. What it fails with on the network, or by an answer that it may not have read to its
    /// end, is put down to the cancelling.
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
            _ if e.http_status().is_some_and(|status| status != 200) && self.is_triggered() => cancelled(e.attempts()),
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

    fn blocked(&self) -> MutexGuard<'_, Vec<Weak<TcpStream>>> {
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

/// Does I/O on `socket` that ends when this thread's call is cancelled meanwhile.
pub(super) fn interruptible<T>(
    socket: &Arc<TcpStream>,
    io: impl FnOnce() -> std::result::Result<T, ureq::Error>,
) -> std::result::Result<T, ureq::Error> {
    let Some(cancel) = in_this_process() else { return io() };
    // Announced first and asked then: a trigger in between is seen by one of the two.
    let announced = Arc::downgrade(socket);
    cancel.blocked().push(announced.clone());
    let outcome = if cancel.is_triggered() { Err(interrupted()) } else { io() };
    cancel.blocked().retain(|other| !Weak::ptr_eq(other, &announced));
    // A socket that is shut down reads as one that the server closed, which ends some answers.
    if cancel.is_triggered() { Err(interrupted()) } else { outcome }
}

/// What a step on the network fails with when its call is cancelled. It is not read as the end of an answer.
pub(super) fn interrupted() -> ureq::Error {
    ureq::Error::Other("cancelled".into())
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
