//! A mutex that the allocator may hold across a fork: it allocates nothing, and the child may release it.

use std::sync::atomic::{AtomicU32, Ordering};

use super::os;

const FREE: u32 = 0;
const HELD: u32 = 1;
const HELD_AND_WAITED_FOR: u32 = 2;

/// A futex mutex of three states (Drepper, "Futexes are tricky"). It has no owner, so any thread may release it while it is
/// held.
pub(super) struct Mutex {
    state: AtomicU32,
}

impl Mutex {
    pub(super) const fn new() -> Mutex {
        Mutex { state: AtomicU32::new(FREE) }
    }

    /// Waits until the mutex is this thread's, and holds it while `body` runs.
    pub(super) fn hold<T>(&self, body: impl FnOnce() -> T) -> T {
        struct Release<'a>(&'a Mutex);
        impl Drop for Release<'_> {
            fn drop(&mut self) {
                self.0.release();
            }
        }
        self.acquire();
        let _release = Release(self);
        body()
    }

    /// Takes the mutex; pair it with [`release`](Mutex::release).
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
            os::wait_while(&self.state, HELD_AND_WAITED_FOR);
        }
    }

    /// Whether some thread has it at the moment.
    pub(super) fn is_held(&self) -> bool {
        self.state.load(Ordering::Relaxed) != FREE
    }

    /// Lets go of a mutex that is held.
    pub(super) fn release(&self) {
        if self.state.swap(FREE, Ordering::Release) == HELD_AND_WAITED_FOR {
            os::wake_one(&self.state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::UnsafeCell;

    struct Counter(Mutex, UnsafeCell<u64>);
    // SAFETY: the counter is only touched while the mutex is held.
    unsafe impl Sync for Counter {}

    #[test]
    fn sixteen_threads_count_without_losing_one() {
        const ROUNDS: u64 = if cfg!(miri) { 20 } else { 10_000 };
        let counter = Counter(Mutex::new(), UnsafeCell::new(0));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                let counter = &counter;
                scope.spawn(move || {
                    for _ in 0..ROUNDS {
                        // SAFETY: the mutex is held.
                        counter.0.hold(|| unsafe { *counter.1.get() += 1 });
                    }
                });
            }
        });
        assert_eq!(counter.1.into_inner(), 16 * ROUNDS);
    }
}
