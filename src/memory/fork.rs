//! The pthread_atfork handlers, the only process-wide hook that the library sets.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::mutex::Mutex;
#[cfg(feature = "capi")]
use super::page_counts;
use super::process::{self, Process};
use super::{arena, fork_gate, idle_stacks, os, region};

/// The process whose regions are locked; 0 before the first.
static PROCESS: AtomicU64 = AtomicU64::new(0);

/// Sets the hook, once, before the first region is mapped. Returns when the hook is set, also if another thread sets it.
pub(crate) fn watch() {
    static WATCHING: AtomicBool = AtomicBool::new(false);
    static SETTING: Mutex = Mutex::new();
    if WATCHING.load(Ordering::Acquire) {
        return;
    }
    // Not while the mutex is held: the system may take locks of its own for this.
    os::stay_loaded();
    SETTING.hold(|| {
        if !WATCHING.load(Ordering::Acquire) {
            PROCESS.store(Process::this().number(), Ordering::Relaxed);
            os::at_fork(before, after_in_parent, after_in_child);
            WATCHING.store(true, Ordering::Release);
        }
    });
}

extern "C" fn before() {
    fork_gate::close();
    #[cfg(feature = "capi")]
    page_counts::acquire();
    idle_stacks::acquire();
    arena::acquire_all();
    region::CHANGING.acquire();
    region::LIST.acquire();
}

extern "C" fn after_in_parent() {
    release();
    fork_gate::open();
}

fn release() {
    region::LIST.release();
    region::CHANGING.release();
    arena::release_all();
    idle_stacks::release();
    #[cfg(feature = "capi")]
    page_counts::release();
}

extern "C" fn after_in_child() {
    process::forked();
    // SAFETY: a forked child has one thread, and `before` took all mutexes on it.
    unsafe {
        idle_stacks::forget();
        arena::forget_secrets();
    }
    release();
    fork_gate::open_in_child();
}

/// In a forked child: locks the inherited regions, because a child does not inherit locks. A child that never uses the library
/// pays nothing.
pub(crate) fn settle() {
    let here = Process::this().number();
    if PROCESS.load(Ordering::Relaxed) != here && PROCESS.swap(here, Ordering::Relaxed) != here {
        region::forget_locks();
        region::lock_as_asked();
    }
}
