//! How much protection is asked for, and what to do when the system refuses it.

use std::sync::atomic::{AtomicU32, Ordering};

use super::block::not_locked;
use super::process::Process;
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
pub(crate) fn enforce() -> Result<()> {
    if current() != Policy::Require || region::all_locked() || region::lock_as_asked() {
        Ok(())
    } else {
        Err(not_locked())
    }
}

/// One client's say in the policy, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Vote {
    policy: Policy,
    process: Process,
}

impl Vote {
    pub(crate) fn new(policy: Policy) -> Vote {
        CLIENTS[policy as usize].fetch_add(1, Ordering::Relaxed);
        region::lock_as_asked();
        Vote { policy, process: Process::this() }
    }
}

impl Drop for Vote {
    fn drop(&mut self) {
        let before = current();
        CLIENTS[self.policy as usize].fetch_sub(1, Ordering::Relaxed);
        if self.process == Process::this() && current() != before {
            region::lock_as_asked();
        }
    }
}
