//! The library's own threads. They receive no signals and print no panics, so that the host does not notice them.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use crate::error::Result;
use crate::memory;

/// The stack of a thread. Given explicitly, because the standard library's default reads the environment.
const STACK: usize = 2 * 1024 * 1024;

thread_local! {
    /// Whether a panic on this thread stays unprinted, because its message could hold anything.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread stays unprinted.
#[cfg(feature = "capi")]
pub(crate) fn is_quiet() -> bool {
    QUIET.get()
}

/// Sets whether a panic on this thread, and on threads that it starts, stays unprinted. Returns what it was.
#[cfg(feature = "capi")]
pub(crate) fn set_quiet(quiet: bool) -> bool {
    QUIET.replace(quiet)
}

/// The end of some work: it reports to waiting threads that the work is done.
pub(crate) type Then = Box<dyn FnOnce()>;

/// Starts `work`, which may work on secrets, on a thread as [`on_a_thread`] does. Hands `work` back if the system has no more
/// threads. `work` receives an error if there is no stack of the vault for it, and touches no secret then. It returns a closure,
/// which runs after the stack that `work` used is wiped.
pub(crate) fn start<W: FnOnce(Result<()>) -> Then + Send + 'static>(name: &str, work: W) -> Option<W> {
    let here = Arc::new(Mutex::new(Some(work)));
    let there = here.clone();
    let take = |work: &Mutex<Option<W>>| work.lock().unwrap_or_else(PoisonError::into_inner).take();
    let run = move || {
        let mut work = take(&there);
        let mut then: Option<Then> = None;
        let ready = memory::inside(|| then = work.take().map(|work| work(Ok(()))));
        if let Some(then) = then.or_else(|| work.map(|work| work(ready))) {
            then();
        }
    };
    on_a_thread(name, run).err().and_then(|_| take(&here))
}

/// Starts a thread on which no signal is delivered, because the host's handlers are written for the host's threads.
///
/// # Errors
/// The error of the system if it has no more threads.
pub fn on_a_thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let signals = memory::Signals::block();
    // A thread inherits the mask of the one that starts it.
    let quiet = QUIET.get();
    let run = move || {
        QUIET.set(quiet);
        work();
    };
    let started = thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(run);
    signals.restore();
    started.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "capi")]
    fn a_thread_prints_no_panic_if_its_starter_prints_none() {
        let outer = set_quiet(true);
        let (tell, told) = std::sync::mpsc::channel();
        let work = move |_: Result<()>| -> Then {
            let quiet = is_quiet();
            Box::new(move || tell.send(quiet).expect("a listener"))
        };
        assert!(start("test", work).is_none());
        assert!(told.recv().expect("an answer"));
        set_quiet(outer);
    }
}
