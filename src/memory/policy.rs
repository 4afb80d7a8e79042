//! How much protection is asked for, and what to do when the system refuses it.

use std::sync::atomic::{AtomicU32, Ordering};

/// What to do about locking secrets in memory. The regions are the process's, so the policy in force is the strictest
/// of the clients that are alive; [`Prefer`](MemoryPolicy::Prefer) when there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
#[non_exhaustive]
pub enum MemoryPolicy {
    /// Do not lock, but wipe.
    Off = 0,
    /// Lock what the system allows, and say what it refused.
    #[default]
    Prefer = 1,
    /// Refuse to work when a lock is refused.
    Require = 2,
}

/// How many clients that are alive ask for each policy.
pub(super) static CLIENTS: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

/// The policy in force.
pub(super) fn current() -> MemoryPolicy {
    let any = |policy: MemoryPolicy| CLIENTS[policy as usize].load(Ordering::Relaxed) > 0;
    if any(MemoryPolicy::Require) {
        MemoryPolicy::Require
    } else if !any(MemoryPolicy::Prefer) && any(MemoryPolicy::Off) {
        MemoryPolicy::Off
    } else {
        MemoryPolicy::Prefer
    }
}
