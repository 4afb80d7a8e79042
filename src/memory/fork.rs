//! What a fork must not break: the one process-wide hook that the library sets.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::process::{self, Process};

#[cfg(feature = "capi")]
use super::pages;
use super::{arena, region};

/// The process whose regions are locked; 0 before the first.
static PROCESS: AtomicU64 = AtomicU64::new(0);

/// Sets the hook, once, before the first region is mapped.
pub(super) fn watch() {
    static WATCHING: AtomicBool = AtomicBool::new(false);
    if WATCHING.load(Ordering::Relaxed) || WATCHING.swap(true, Ordering::Relaxed) {
        return;
    }
    PROCESS.store(Process::this().number(), Ordering::Relaxed);
    // SAFETY: the three functions only take and release locks and write our own memory, which is allowed in a child
    // of a threaded process; they are never unloaded (-z nodelete).
    unsafe { libc::pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child)) };
}

extern "C" fn before() {
    #[cfg(feature = "capi")]
    pages::acquire();
    arena::acquire_all();
    region::LIST.acquire();
}

extern "C" fn after_in_parent() {
    region::LIST.release();
    arena::release_all();
    #[cfg(feature = "capi")]
    pages::release();
}

extern "C" fn after_in_child() {
    process::forked();
    // SAFETY: a forked child has one thread, and `before` took all locks on it.
    unsafe { arena::forget_secrets() };
    after_in_parent();
}

/// In a forked child: locks what it inherited, since locks are not. A child that never uses the library pays nothing.
pub(crate) fn settle() {
    let here = Process::this().number();
    if PROCESS.load(Ordering::Relaxed) != here && PROCESS.swap(here, Ordering::Relaxed) != here {
        region::forget_locks();
        region::lock_as_asked();
    }
}
