//! The vault's refusals: there is no memory, memory cannot be locked, or keys are outside the vault.

use std::sync::atomic::Ordering;

use super::policy::{MemoryPolicy, current};
use super::region::Unmapped;
use super::{heap, os, region};
use crate::error::{Error, Result, Status};

/// `Status::Security` if the policy in force requires locks and the system refuses one, or if the policy requires locks and keys
/// are outside the vault. Calls check this when they begin.
pub(crate) fn enforce() -> Result<()> {
    if current() != MemoryPolicy::Require {
        lock_more();
        return Ok(());
    }
    if let Some(why) = keys_outside() {
        return Err(Error::new(Status::Security, format!("{why}; the memory policy requires it")));
    }
    let is_locked = region::all_locked() || region::lock_as_asked() || {
        heap::give_back();
        region::lock_as_asked()
    };
    if !is_locked {
        return Err(not_locked());
    }
    heap::forget_unlocked();
    Ok(())
}

/// [`enforce`] for a call that was given memory without a lock after it had begun. The refused locks of other calls do not
/// end it.
pub(crate) fn enforce_within() -> Result<()> {
    if heap::took_unlocked() { enforce() } else { Ok(()) }
}

/// Locks what the system refused to lock earlier, if a lock was given back since then.
pub(super) fn lock_more() {
    if current() == MemoryPolicy::Prefer && region::may_lock_more() {
        region::lock_as_asked();
    }
}

/// How often the system refused a lock that the policy requires. Code that keeps memory for later can give it back when the
/// number rises.
pub(crate) fn refusals() -> u64 {
    region::REFUSALS.load(Ordering::Relaxed)
}

/// Why private keys are not in the vault, for a person; `None` if they are.
pub(crate) fn keys_outside() -> Option<&'static str> {
    #[cfg(all(feature = "capi", feature = "aws-lc", not(nomyo_system_allocator)))]
    if super::c_heap::keys_are_outside() {
        return Some(
            "the memory for private keys is not protected: AWS-LC allocates outside the vault, because the program defines \
             OPENSSL_memory_alloc or has set AWS-LC's allocator; link libnomyo.so, or libnomyo.a as make install installs it",
        );
    }
    None
}

/// The error if there is no region for `len` bytes.
pub(super) fn refused(why: Unmapped, len: usize) -> Error {
    match why {
        Unmapped::NoMemory => no_memory(len),
        Unmapped::NotLocked => not_locked(),
    }
}

/// The error if there is no memory.
pub(super) fn no_memory(len: usize) -> Error {
    Error::new(Status::Memory, format!("no memory for a buffer of {len} bytes; free some, or send less at once"))
}

/// The error if a required lock was refused.
fn not_locked() -> Error {
    Error::new(
        Status::Security,
        format!(
            "the system refused to lock memory for secrets, and the memory policy requires it: {}",
            os::lock_limit_advice()
        ),
    )
}
