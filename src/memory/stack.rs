//! The vault's own stacks: locked, kept out of dumps, between guard pages, zeros in a forked child, and wiped after each use.

use std::ptr::NonNull;

use corosensei::stack::StackPointer;
use corosensei::stack::valgrind::ValgrindStackRegistration;

use super::idle_stacks;
use super::refusal::{enforce, lock_more, refused};
use super::region::{self, Header, Kind};
use super::{fork, heap, os, valgrind};
use crate::error::Result;

/// Bytes of a stack: about twice the depth that the C programs chat, small_stack, keys_in_memory, attestation and sealed reached
/// on x86_64. That was 43 584 bytes with AWS-LC and optimisation, 91 136 without optimisation, and 131 520 in pure Rust without
/// optimisation. Tests of `crypto` and `keys` check their operations.
pub(crate) const SIZE: usize = match (cfg!(feature = "aws-lc"), cfg!(debug_assertions)) {
    (true, false) => 96 * 1024,
    (true, true) => 192 * 1024,
    (false, _) => 256 * 1024,
};

/// A stack in use. Wiped when it is dropped.
pub(super) struct Stack {
    region: NonNull<Header>,
    _known_to_valgrind: ValgrindStackRegistration,
}

impl Stack {
    /// A stack of zeros.
    ///
    /// # Errors
    /// `Status::Memory` if there is no memory. `Status::Security` if the policy requires a lock and the system refuses it.
    pub(super) fn take() -> Result<Stack> {
        fork::watch();
        // Some allocations of a call cannot report a failure. The call begins only if the spares can serve them.
        region::keep_spares().map_err(|why| refused(why, SIZE))?;
        let region = match idle_stacks::take() {
            Some(region) => region,
            None => heap::region_of_its_own(Kind::Secret, SIZE).map_err(|why| refused(why, SIZE))?,
        };
        enforce().inspect_err(|_| {
            // SAFETY: zero, and nobody else's. A stack that cannot be locked is not kept.
            unsafe { region::unmap(region) };
        })?;
        // SAFETY: mapped, and in use by nobody else.
        let data = unsafe { region.as_ref() }.data();
        Ok(Stack { region, _known_to_valgrind: ValgrindStackRegistration::new(data.as_ptr(), SIZE) })
    }
}

// SAFETY: a region has a guard page on both sides, and SIZE bytes between.
unsafe impl corosensei::stack::Stack for Stack {
    fn base(&self) -> StackPointer {
        // SAFETY: the region is this stack's as long as it lives.
        unsafe { self.region.as_ref() }.data().addr().saturating_add(SIZE)
    }

    fn limit(&self) -> StackPointer {
        // SAFETY: as above; the page before the data is the guard.
        let data = unsafe { self.region.as_ref() }.data().addr().get();
        StackPointer::new(data - os::page_size()).unwrap_or(StackPointer::MIN)
    }

    /// The limits of the stack in the thread's environment block. All pages are there from the beginning, so that no guard page
    /// moves, and no room is kept for a handler of stack overflows: an overflow ends the process.
    #[cfg(windows)]
    fn teb_fields(&self) -> corosensei::stack::StackTebFields {
        corosensei::stack::StackTebFields {
            StackBase: self.base().get(),
            StackLimit: self.limit().get() + os::page_size(),
            DeallocationStack: self.limit().get(),
            GuaranteedStackBytes: 0,
        }
    }

    /// The limits do not change.
    #[cfg(windows)]
    fn update_teb_fields(&mut self, _: usize, _: usize) {}
}

impl Drop for Stack {
    fn drop(&mut self) {
        #[cfg(all(test, not(miri)))]
        tests::note(self);
        // SAFETY: the region is this stack's as long as it lives.
        let data = unsafe { self.region.as_ref() }.data().as_ptr();
        valgrind::allow_writing(data, SIZE);
        // SAFETY: SIZE bytes of the region, and nobody runs on it any more.
        os::wipe(unsafe { std::slice::from_raw_parts_mut(data, SIZE) });
        // A stack that could not be locked is not kept, because the next one may be.
        // SAFETY: as above.
        if unsafe { self.region.as_ref() }.is_refused() || !idle_stacks::keep(self.region) {
            // SAFETY: wiped, and nobody else has it.
            unsafe { region::unmap(self.region) };
        }
        lock_more();
    }
}

#[cfg(all(test, not(miri)))]
pub(crate) mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// How deep operations of this thread reached into stacks of the vault, in bytes, while that is measured.
        static DEEPEST: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Notes how deep a stack was used.
    pub(super) fn note(stack: &Stack) {
        let Some(deepest) = DEEPEST.get() else { return };
        // SAFETY: the region is the stack's as long as it lives, and SIZE bytes long.
        let bytes = unsafe { std::slice::from_raw_parts(stack.region.as_ref().data().as_ptr(), SIZE) };
        let depth = SIZE - bytes.iter().position(|&byte| byte != 0).unwrap_or(SIZE);
        DEEPEST.set(Some(deepest.max(depth)));
    }

    /// How deep `body` reaches into stacks of the vault, in bytes.
    pub(crate) fn depth_of(body: impl FnOnce()) -> usize {
        DEEPEST.set(Some(0));
        body();
        DEEPEST.take().unwrap_or_default()
    }

    #[test]
    fn a_stack_is_wiped_and_used_again() {
        let address = |stack: &Stack| stack.region;
        let first = Stack::take().expect("memory");
        // SAFETY: this stack is nobody else's.
        unsafe { address(&first).as_ref().data().write(7) };
        drop(first);
        let many: Vec<Stack> = (0..20).map(|_| Stack::take().expect("memory")).collect();
        for stack in &many {
            // SAFETY: as above.
            assert_eq!(unsafe { address(stack).as_ref().data().read() }, 0);
        }
    }
}
