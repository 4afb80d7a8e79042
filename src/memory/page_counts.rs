//! The number of locks on each page of the caller's memory.

use std::cell::UnsafeCell;
use std::collections::BTreeMap;

use super::mutex::Mutex;
use super::process::Process;

/// The number of locks on each page.
pub(super) static COUNTS: Counts = Counts(Mutex::new(), UnsafeCell::new((None, BTreeMap::new())));

/// The counts, and the process to which they belong, because a forked child inherits no lock.
pub(super) struct Counts(Mutex, UnsafeCell<(Option<Process>, BTreeMap<usize, usize>)>);
// SAFETY: the counts are only touched while the mutex is held.
unsafe impl Sync for Counts {}

impl Counts {
    /// Runs `body` with exclusive access to the counts.
    pub(super) fn with<T>(&self, body: impl FnOnce(&mut BTreeMap<usize, usize>) -> T) -> T {
        self.0.hold(|| {
            // SAFETY: the mutex is held, so this is the only reference.
            let (process, counts) = unsafe { &mut *self.1.get() };
            if *process != Some(Process::this()) {
                *process = Some(Process::this());
                counts.clear();
            }
            body(counts)
        })
    }
}

/// Before a fork.
pub(super) fn acquire() {
    COUNTS.0.acquire();
}

/// After a fork, on both sides.
pub(super) fn release() {
    COUNTS.0.release();
}
