//! The locks of the regions in the list: changed when the policy changes, and asked for again when there is room.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::os;
use super::super::policy::{self, MemoryPolicy};
use super::{
    CHANGING, Header, Kind, LIST, LOCK_GIVEN_BACK, LOCKED, Lockedness, MAPPED, REFUSED, count, for_each, lock,
};

/// Whether everything that is to be locked is.
pub(in crate::memory) fn all_locked() -> bool {
    LIST.hold(|| LOCKED.load(Ordering::Relaxed) >= MAPPED.load(Ordering::Relaxed))
}

/// Whether locks were refused, and one was given back since this last said yes.
pub(in crate::memory) fn may_lock_more() -> bool {
    REFUSED.load(Ordering::Relaxed) > 0 && LOCK_GIVEN_BACK.swap(false, Ordering::Relaxed)
}

/// Makes the regions' locks what the policy in force asks for: locks what is not locked, or unlocks everything. Says
/// whether everything is locked then. LIST is not held across the system calls, so that others may map regions meanwhile.
pub(in crate::memory) fn lock_as_asked() -> bool {
    static PASSES: AtomicU64 = AtomicU64::new(0);
    CHANGING.hold(|| {
        let pass = PASSES.fetch_add(1, Ordering::Relaxed) + 1;
        while let Some(header) = LIST.hold(|| unchanged(pass)) {
            // SAFETY: a busy region stays alive.
            let region = unsafe { header.as_ref() };
            let (data, was) = (region.data.as_ptr(), region.locked());
            // SAFETY: the region is alive, and only this pass changes locks.
            let is = unsafe {
                if was == Lockedness::Locked {
                    os::unlock(data, region.len);
                }
                lock(region.kind, data, region.len)
            };
            LIST.hold(|| {
                region.set_locked(is);
                region.busy.set(false);
                count(region.kind, region.len, was, |counter, by| counter.fetch_sub(by, Ordering::Relaxed));
                count(region.kind, region.len, is, |counter, by| counter.fetch_add(by, Ordering::Relaxed));
            });
        }
    });
    all_locked()
}

/// A region whose lock is not as the policy asks and that this pass has not met. It is busy from now on. LIST must be held.
fn unchanged(pass: u64) -> Option<NonNull<Header>> {
    let as_asked = if policy::current() == MemoryPolicy::Off { Lockedness::Unasked } else { Lockedness::Locked };
    let mut found = None;
    for_each(|header| {
        let is_right = header.is_dead() || header.kind == Kind::Wire || header.locked() == as_asked;
        if found.is_none() && !is_right && header.pass.get() < pass {
            header.pass.set(pass);
            header.busy.set(true);
            found = Some(NonNull::from(header));
        }
    });
    found
}

/// In a forked child: no lock is inherited.
pub(in crate::memory) fn forget_locks() {
    LIST.hold(|| {
        for counter in [&MAPPED, &LOCKED, &REFUSED] {
            counter.store(0, Ordering::Relaxed);
        }
        for_each(|header| {
            if !header.is_dead() {
                header.set_locked(Lockedness::Unasked);
                count(header.kind, header.len, Lockedness::Unasked, |counter, by| {
                    counter.fetch_add(by, Ordering::Relaxed)
                });
            }
        });
    });
}
