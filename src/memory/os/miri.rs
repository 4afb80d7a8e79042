//! Miri, which interprets the unit tests of the vault and has no system calls for memory. Pages come from the interpreter's
//! allocator. Locks and advice report that they were refused.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU32, Ordering};

/// Alignment of reservations, which is more than that of a page.
const ALIGNMENT: usize = 1 << 20;

pub(in crate::memory) fn page_size() -> usize {
    4096
}

pub(in crate::memory) fn lock_limit() -> u64 {
    0
}

/// Aligned to a megabyte, so that nothing of it is ever given back alone.
pub(in crate::memory) fn reserve(len: usize) -> Option<*mut u8> {
    // The interpreter ends if its own allocator has no memory.
    let layout = Layout::from_size_align(len, ALIGNMENT).ok().filter(|layout| layout.size() < 1 << 30)?;
    // SAFETY: the callers reserve at least three pages.
    let base = unsafe { System.alloc_zeroed(layout) };
    (!base.is_null()).then_some(base)
}

pub(in crate::memory) unsafe fn commit(_: *mut u8, _: usize) -> bool {
    true
}

pub(in crate::memory) unsafe fn prefer_huge_pages(_: *mut u8, _: usize) {}

pub(in crate::memory) fn populate(_: &mut [u8]) {}

/// Does nothing, because the vault gives back parts of a reservation, and the interpreter takes back only whole ones.
pub(in crate::memory) unsafe fn unmap(_: *mut u8, _: usize) {}

pub(in crate::memory) unsafe fn lock(_: *const u8, _: usize) -> bool {
    false
}

pub(in crate::memory) unsafe fn unlock(_: *const u8, _: usize) -> bool {
    false
}

#[cfg(feature = "capi")]
pub(in crate::memory) unsafe fn discard(_: *mut u8, _: usize) {}

pub(in crate::memory) unsafe fn exclude_from_dumps(_: *mut u8, _: usize) -> bool {
    false
}

pub(in crate::memory) unsafe fn wipe_on_fork(_: *mut u8, _: usize) -> bool {
    false
}

/// Overwrites with zeros.
pub fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
}

pub(in crate::memory) fn wait_while(word: &AtomicU32, value: u32) {
    if word.load(Ordering::Relaxed) == value {
        std::thread::yield_now();
    }
}

pub(in crate::memory) fn wake_one(_: &AtomicU32) {}

pub(in crate::memory) fn at_fork(_: extern "C" fn(), _: extern "C" fn(), _: extern "C" fn()) {}

#[derive(Clone, Copy)]
pub(crate) struct Signals;

impl Signals {
    pub(crate) fn block() -> Signals {
        Signals
    }

    pub(crate) fn restore(&self) {}
}
