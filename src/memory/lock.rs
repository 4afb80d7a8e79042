//! A lock that the allocator may hold across a fork: it allocates nothing, and can be let go by the child.

use std::sync::atomic::{AtomicU32, Ordering};

const FREE: u32 = 0;
const HELD: u32 = 1;
const HELD_AND_WAITED_FOR: u32 = 2;

/// A futex mutex of three states (Drepper, "Futexes are tricky"), without an owner: whoever knows that it is held may
/// release it.
pub(super) struct Lock {
    state: AtomicU32,
}

impl Lock {
    pub(super) const fn new() -> Lock {
        Lock { state: AtomicU32::new(FREE) }
    }

    /// Waits until the lock is this thread's, and holds it while `body` runs.
    pub(super) fn hold<T>(&self, body: impl FnOnce() -> T) -> T {
        struct Release<'a>(&'a Lock);
        impl Drop for Release<'_> {
            fn drop(&mut self) {
                self.0.release();
            }
        }
        self.acquire();
        let _release = Release(self);
        body()
    }

    /// Takes the lock; pair it with [`release`](Lock::release).
    pub(super) fn acquire(&self) {
        if self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            return;
        }
        for _ in 0..100 {
            std::hint::spin_loop();
            if self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                return;
            }
        }
        while self.state.swap(HELD_AND_WAITED_FOR, Ordering::Acquire) != FREE {
            wait(&self.state);
        }
    }

    /// Lets go of a lock that is held.
    pub(super) fn release(&self) {
        if self.state.swap(FREE, Ordering::Release) == HELD_AND_WAITED_FOR {
            wake_one(&self.state);
        }
    }
}

#[cfg(target_os = "linux")]
fn wait(state: &AtomicU32) {
    let (op, nothing) = (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG, std::ptr::null::<libc::timespec>());
    // SAFETY: `state` is a live, aligned 32-bit word for the length of the call.
    unsafe { libc::syscall(libc::SYS_futex, state.as_ptr(), op, HELD_AND_WAITED_FOR, nothing) };
}

#[cfg(target_os = "linux")]
fn wake_one(state: &AtomicU32) {
    // SAFETY: `state` is a live, aligned 32-bit word for the length of the call.
    unsafe { libc::syscall(libc::SYS_futex, state.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1) };
}

#[cfg(not(target_os = "linux"))]
fn wait(_: &AtomicU32) {
    std::thread::yield_now();
}

#[cfg(not(target_os = "linux"))]
fn wake_one(_: &AtomicU32) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::UnsafeCell;

    struct Counter(Lock, UnsafeCell<u64>);
    // SAFETY: the counter is only touched while the lock is held.
    unsafe impl Sync for Counter {}

    #[test]
    fn sixteen_threads_count_without_losing_one() {
        let counter = Counter(Lock::new(), UnsafeCell::new(0));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                let counter = &counter;
                scope.spawn(move || {
                    for _ in 0..10_000 {
                        // SAFETY: the lock is held.
                        counter.0.hold(|| unsafe { *counter.1.get() += 1 });
                    }
                });
            }
        });
        assert_eq!(counter.1.into_inner(), 160_000);
    }
}
