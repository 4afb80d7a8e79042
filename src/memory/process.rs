//! Which process this is, and what must not be touched in a forked child.

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result, Status};

/// How many forks lie between this process and the first that loaded the library. A pid alone is not enough: it is used
/// again, and a child in a namespace of its own may have its parent's.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// A process, told apart from its forks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process(u64);

impl Process {
    pub(crate) fn this() -> Process {
        Process(u64::from(GENERATION.load(Ordering::Relaxed)) << 32 | u64::from(std::process::id()))
    }

    pub(super) fn number(self) -> u64 {
        self.0
    }
}

/// In a forked child, before anything else.
pub(super) fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// A value that is used and dropped only in the process that made it.
///
/// In a forked child its secrets read as zeros, so that its own methods and its destructor would trip over them, or it
/// shares a connection with the parent that a polite goodbye would break. There it is left as it is.
pub(crate) struct OwnProcess<T> {
    value: ManuallyDrop<T>,
    process: Process,
}

impl<T> OwnProcess<T> {
    pub(crate) fn new(value: T) -> OwnProcess<T> {
        OwnProcess { value: ManuallyDrop::new(value), process: Process::this() }
    }

    /// The value, or `Status::Forked`.
    pub(crate) fn get(&self) -> Result<&T> {
        if self.process == Process::this() { Ok(&self.value) } else { Err(forked_error()) }
    }
}

impl<T> Drop for OwnProcess<T> {
    fn drop(&mut self) {
        if self.process == Process::this() {
            // SAFETY: dropped once, here, and not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.value) };
        }
    }
}

fn forked_error() -> Error {
    Error::new(
        Status::Forked,
        "this was made before a fork, and its keys stayed with the parent; make a new one in the child",
    )
}
