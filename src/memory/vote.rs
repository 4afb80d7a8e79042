//! Each client's vote on the policy.

use std::sync::atomic::Ordering;

use super::policy::{CLIENTS, MemoryPolicy, current};
use super::process::Process;
use super::region;

/// One client's vote on the policy. It counts as long as the client lives.
#[derive(Debug)]
pub(crate) struct Vote {
    policy: MemoryPolicy,
    process: Process,
}

impl Vote {
    pub(crate) fn new(policy: MemoryPolicy) -> Vote {
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
