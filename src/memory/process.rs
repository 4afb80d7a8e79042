//! What must not be dropped in a forked child.

use std::mem::ManuallyDrop;
use std::ops::Deref;

/// A value that is dropped only in the process that made it.
///
/// In a forked child its secrets read as zeros, so that its own destructor would trip over them, or it shares a
/// connection with the parent that a polite goodbye would break. There it is left as it is.
pub(crate) struct OwnProcess<T> {
    value: ManuallyDrop<T>,
    process: u32,
}

impl<T> OwnProcess<T> {
    pub(crate) fn new(value: T) -> OwnProcess<T> {
        OwnProcess { value: ManuallyDrop::new(value), process: std::process::id() }
    }
}

impl<T> Deref for OwnProcess<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Drop for OwnProcess<T> {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            // SAFETY: dropped once, here, and not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.value) };
        }
    }
}
