//! Idle stacks, kept for the next call.

use std::cell::UnsafeCell;
use std::ptr::NonNull;

use super::mutex::Mutex;
use super::region::Header;

/// How many are kept.
const KEPT: usize = 8;

type Places = [Option<NonNull<Header>>; KEPT];

static IDLE: Idle = Idle(Mutex::new(), UnsafeCell::new([None; KEPT]));

struct Idle(Mutex, UnsafeCell<Places>);
// SAFETY: the places are only touched while the mutex is held, or in a forked child that has one thread.
unsafe impl Sync for Idle {}

impl Idle {
    fn with<T>(&self, body: impl FnOnce(&mut Places) -> T) -> T {
        // SAFETY: the mutex is held, so this is the only reference.
        self.0.hold(|| body(unsafe { &mut *self.1.get() }))
    }
}

/// A stack that was kept.
pub(super) fn take() -> Option<NonNull<Header>> {
    IDLE.with(|places| places.iter_mut().find_map(Option::take))
}

/// Keeps a stack, which has been wiped. Returns false if enough stacks are kept.
pub(super) fn keep(stack: NonNull<Header>) -> bool {
    IDLE.with(|places| places.iter_mut().find(|place| place.is_none()).map(|place| *place = Some(stack))).is_some()
}

/// Before a fork.
pub(super) fn acquire() {
    IDLE.0.acquire();
}

/// After a fork, on both sides.
pub(super) fn release() {
    IDLE.0.release();
}

/// In a forked child: the regions are never used again.
///
/// # Safety
/// The calling thread is the only one, and holds the mutex.
pub(super) unsafe fn forget() {
    // SAFETY: by the contract above.
    unsafe { *IDLE.1.get() = [None; KEPT] };
}
