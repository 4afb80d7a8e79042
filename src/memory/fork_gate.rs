//! A gate that keeps forks out of work that holds locks, because a forked child could never take those locks.
//!
//! AWS-LC guards its random generator with read-write locks and mutexes: the fork counter (`ube.c`), the list of the
//! threads' generators and each generator (`rand.c`), the seed of all of them (`tree_drbg_jitter_entropy.c`). A thread that
//! draws holds them, also for reading. A fork at that moment copies them as held, and no thread exists in the child that
//! would release them. Then the child's first draw and its first thread that ends wait forever. So do AWS-LC's ELF destructors
//! in `exit()`, in builds that have them (.cargo/config.toml leaves them out). The source is AWS-LC 5.12.0 (aws-lc-sys 0.47.0),
//! which has no handler for forks. In measurements without the gate 3 of 1000 children that drew hung, and 9 of 2000 children
//! that called `exit()` while the destructors were in the build.
//!
//! Therefore every draw passes this gate, and a fork waits until no other thread is inside. A thread that arrives during the
//! fork waits until the fork is over. The gate also covers initialisations that happen once, because a child would wait for a
//! thread that does not exist there. Work inside may allocate, because the fork takes the allocator's locks after the gate. Work
//! inside must be short, because the host's `fork()` waits for it. Long work calls [`step_aside`].

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How many threads are inside.
static INSIDE: AtomicU32 = AtomicU32::new(0);
/// How many forks are waiting or under way.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// How long a thread sleeps between two checks of a counter. Forks are rare, so a thread that leaves makes no system call to wake
/// others.
const PAUSE: Duration = Duration::from_micros(50);

thread_local! {
    /// How many times this thread has entered.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Runs `body` while no fork happens, if forks are watched. May be nested.
pub(crate) fn pass<T>(body: impl FnOnce() -> T) -> T {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get() - 1);
            if DEPTH.get() == 0 {
                INSIDE.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }
    if DEPTH.get() == 0 {
        enter();
    }
    DEPTH.set(DEPTH.get() + 1);
    let _leave = Leave;
    body()
}

/// Lets waiting forks happen now, during long work. The work must hold no lock at this point.
#[cfg(feature = "aws-lc")]
pub(crate) fn step_aside() {
    if DEPTH.get() > 0 && FORKS.load(Ordering::SeqCst) > 0 {
        INSIDE.fetch_sub(1, Ordering::SeqCst);
        enter();
    }
}

/// A thread counts itself before it looks for forks, and a fork counts itself before it looks for threads. All accesses have one
/// total order (SeqCst), so at least one of the two sees the other.
fn enter() {
    loop {
        INSIDE.fetch_add(1, Ordering::SeqCst);
        if FORKS.load(Ordering::SeqCst) == 0 {
            return;
        }
        INSIDE.fetch_sub(1, Ordering::SeqCst);
        until_zero(&FORKS);
    }
}

fn until_zero(count: &AtomicU32) {
    while count.load(Ordering::SeqCst) > 0 {
        std::thread::sleep(PAUSE);
    }
}

/// Before a fork: waits until no other thread is inside. A thread may fork while it is inside, for example in a signal handler.
/// Its fork does not wait for the thread itself, and no other fork waits for that thread.
pub(super) fn close() {
    FORKS.fetch_add(1, Ordering::SeqCst);
    INSIDE.fetch_sub(own(), Ordering::SeqCst);
    until_zero(&INSIDE);
}

/// After a fork, in the parent.
pub(super) fn open() {
    INSIDE.fetch_add(own(), Ordering::SeqCst);
    FORKS.fetch_sub(1, Ordering::SeqCst);
}

/// After a fork, in the child, where the other threads and their forks do not exist.
pub(super) fn open_in_child() {
    INSIDE.store(own(), Ordering::SeqCst);
    FORKS.store(0, Ordering::SeqCst);
}

/// 1 if this thread is inside, otherwise 0.
fn own() -> u32 {
    DEPTH.get().min(1)
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use std::process::abort;
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::channel;

    /// Forks; the child ends at once with what `child` returns.
    fn fork_and(child: impl FnOnce() -> bool) -> bool {
        // SAFETY: the child calls only functions that are safe in the child of a threaded process, and ends.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let code = if child() { 0 } else { 1 };
            // SAFETY: ends the process and nothing else.
            unsafe { libc::_exit(code) };
        }
        let mut status = -1;
        // SAFETY: `status` is writable.
        let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
        waited == pid && status == 0
    }

    #[test]
    fn a_fork_happens_only_while_no_other_thread_is_inside_or_when_it_steps_aside() {
        static BUSY: AtomicBool = AtomicBool::new(false);
        let (ended, end) = channel();
        let worker = std::thread::spawn(move || {
            while end.try_recv().is_err() {
                pass(|| {
                    pass(|| BUSY.store(true, Ordering::SeqCst));
                    std::thread::sleep(Duration::from_millis(1));
                    BUSY.store(false, Ordering::SeqCst);
                    #[cfg(feature = "aws-lc")]
                    step_aside();
                    BUSY.store(true, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(1));
                    BUSY.store(false, Ordering::SeqCst);
                });
            }
        });
        for _ in 0..50 {
            assert!(fork_and(|| !BUSY.load(Ordering::SeqCst) && pass(|| true)), "a child saw work that was under way");
        }
        ended.send(()).expect("the worker is there");
        worker.join().expect("no panic");
    }

    #[test]
    fn a_thread_may_fork_inside_and_both_processes_go_on() {
        assert!(pass(|| fork_and(|| pass(|| true))));
        assert!(std::thread::spawn(|| pass(|| DEPTH.get() == 1)).join().unwrap_or_else(|_| abort()));
    }
}
