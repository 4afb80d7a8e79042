//! How much protection is asked for, and what to do when the system refuses it.

use std::sync::atomic::{AtomicU32, Ordering};

use super::block::not_locked;
use super::region;
use crate::error::Result;

/// What to do about locking secrets in memory. The regions are the process's, so the policy in force is the strictest
/// of the clients that are alive; [`Prefer`](Policy::Prefer) when there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
#[non_exhaustive]
pub enum Policy {
    /// Do not lock, but wipe.
    Off = 0,
    /// Lock what the system allows, and say what it refused.
    #[default]
    Prefer = 1,
    /// Refuse to work when a lock is refused.
    Require = 2,
}

static CLIENTS: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];

/// The policy in force.
pub(super) fn current() -> Policy {
    let any = |policy: Policy| CLIENTS[policy as usize].load(Ordering::Relaxed) > 0;
    if any(Policy::Require) {
        Policy::Require
    } else if !any(Policy::Prefer) && any(Policy::Off) {
        Policy::Off
    } else {
        Policy::Prefer
    }
}

/// `Status::Security` when the policy in force requires locks and the system refuses one. Checked where an error can be
/// returned: an allocation of Rust's own that failed would end the process.
pub(super) fn enforce() -> Result<()> {
    if current() == Policy::Require { locked() } else { Ok(()) }
}

/// Whether everything is locked; what is not is tried again.
fn locked() -> Result<()> {
    let all = || region::LOCKED.load(Ordering::Relaxed) >= region::MAPPED.load(Ordering::Relaxed);
    if !all() {
        region::lock_as_asked();
    }
    if all() { Ok(()) } else { Err(not_locked()) }
}

/// One client's say in the policy, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Vote(Policy);

impl Vote {
    pub(crate) fn new(policy: Policy) -> Vote {
        CLIENTS[policy as usize].fetch_add(1, Ordering::Relaxed);
        region::lock_as_asked();
        Vote(policy)
    }

    /// Whether this client may go on: `Status::Security` when it requires locks and the system refuses one.
    pub(crate) fn satisfied(&self) -> Result<()> {
        if self.0 == Policy::Require { locked() } else { Ok(()) }
    }
}

impl Drop for Vote {
    fn drop(&mut self) {
        CLIENTS[self.0 as usize].fetch_sub(1, Ordering::Relaxed);
    }
}
