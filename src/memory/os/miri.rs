//! Miri, which interprets the unit tests of the vault and has no system calls for memory. Pages come from the interpreter's
//! allocator. Locks and advice report that they were refused.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU32, Ordering};

#[cfg(feature = "capi")]
pub(in crate::memory) const LOCKS_NEST: bool = false;

pub(in crate::memory) fn page_size() -> usize {
    4096
}

pub(in crate::memory) fn lock_limit() -> u64 {
    0
}

pub(in crate::memory) fn lock_limit_advice() -> String {
    "the interpreter locks no memory".to_owned()
}

pub(in crate::memory) fn reserve(len: usize, alignment: usize) -> Option<*mut u8> {
    // The interpreter ends if its own allocator has no memory.
    let layout = Layout::from_size_align(len, alignment).ok().filter(|layout| layout.size() < 1 << 30)?;
    // SAFETY: the callers reserve at least three pages.
    let base = unsafe { System.alloc_zeroed(layout) };
    (!base.is_null()).then_some(base)
}

/// Does nothing: the alignment of the reservation, without which the allocator takes nothing back, is not known here.
pub(in crate::memory) unsafe fn release(_: *mut u8, _: usize) {}

pub(in crate::memory) unsafe fn commit(_: *mut u8, _: usize) -> bool {
    true
}

pub(in crate::memory) unsafe fn prefer_huge_pages(_: *mut u8, _: usize) {}

pub(in crate::memory) fn populate(_: &mut [u8]) {}

pub(in crate::memory) unsafe fn lock(_: *const u8, _: usize) -> bool {
    false
}

#[cfg(feature = "capi")]
pub(in crate::memory) fn may_be_locked_after(_: &std::io::Error) -> bool {
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

pub(in crate::memory) fn forget_exclusion(_: *mut u8) {}

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

pub(in crate::memory) fn stay_loaded() {}

#[derive(Clone, Copy)]
pub(crate) struct Signals;

impl Signals {
    pub(crate) fn block() -> Signals {
        Signals
    }

    pub(crate) fn restore(&self) {}
}
