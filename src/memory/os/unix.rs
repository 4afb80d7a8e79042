//! Linux and macOS: the calls that POSIX defines.

use std::mem::MaybeUninit;

/// Reserves `len` bytes of addresses, of which the first is a multiple of `alignment`. They fault when they are touched. Both
/// numbers are whole pages. `None` if no addresses are left. [`release`] gives back the reservation.
pub(in crate::memory) fn reserve(len: usize, alignment: usize) -> Option<*mut u8> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
    // SAFETY: a new anonymous mapping at an address of the kernel's choice touches nothing that exists.
    let wide = unsafe { libc::mmap(std::ptr::null_mut(), len + alignment, libc::PROT_NONE, flags, -1, 0) };
    if wide == libc::MAP_FAILED {
        return None;
    }
    let wide: *mut u8 = wide.cast();
    let before = wide.addr().next_multiple_of(alignment) - wide.addr();
    // SAFETY: the aligned part lies within the mapping; whole pages before and behind it are given back.
    unsafe {
        let base = wide.add(before);
        unmap(wide, before);
        unmap(base.add(len), alignment - before);
        Some(base)
    }
}

/// Gives a whole reservation back, with the pages in it.
///
/// # Safety
/// [`reserve`] returned `base` for `len` bytes, and nobody uses the reservation any more.
pub(in crate::memory) unsafe fn release(base: *mut u8, len: usize) {
    // SAFETY: by the contract above.
    unsafe { unmap(base, len) };
}

/// # Safety
/// `base..base + len` are whole pages of a mapping that the caller owns and does not use any more.
unsafe fn unmap(base: *mut u8, len: usize) {
    if len > 0 {
        // SAFETY: by the contract above.
        unsafe { libc::munmap(base.cast(), len) };
    }
}

/// Makes reserved pages readable and writable; they are zero.
///
/// # Safety
/// `base..base + len` are whole pages of a mapping that the caller owns.
pub(in crate::memory) unsafe fn commit(base: *mut u8, len: usize) -> bool {
    // SAFETY: by the contract above.
    unsafe { libc::mprotect(base.cast(), len, libc::PROT_READ | libc::PROT_WRITE) == 0 }
}

/// Keeps pages out of swap (mlock). Linux does not count locks, and macOS does (`LOCKS_NEST`): the caller owns whole pages or counts
/// itself.
///
/// # Safety
/// `base..base + len` is mapped.
pub(in crate::memory) unsafe fn lock(base: *const u8, len: usize) -> bool {
    // SAFETY: by the contract above; mlock changes no contents.
    unsafe { libc::mlock(base.cast(), len) == 0 }
}

/// Undoes [`lock`].
///
/// # Safety
/// `base..base + len` is mapped.
pub(in crate::memory) unsafe fn unlock(base: *const u8, len: usize) -> bool {
    // SAFETY: by the contract above; munlock changes no contents.
    unsafe { libc::munlock(base.cast(), len) == 0 }
}

/// Makes the system call `before` before each fork, and then `in_parent` in the parent and `in_child` in the child.
pub(in crate::memory) fn at_fork(before: extern "C" fn(), in_parent: extern "C" fn(), in_child: extern "C" fn()) {
    // SAFETY: the callers' functions only take and release locks and write memory of ours, which a child of a threaded
    // process may do. They are never unloaded, see stay_loaded().
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
}

/// The signal mask of a thread, saved while signals are blocked.
#[derive(Clone, Copy)]
pub(crate) struct Signals(libc::sigset_t);

impl Signals {
    /// Blocks every signal except those that an instruction of the thread itself causes. If these were blocked, a fault would
    /// end the process without the host's handler. Returns the mask that was in force before.
    pub(crate) fn block() -> Signals {
        let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        let own = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS];
        // SAFETY: sigfillset fills `all`, which the others then read and change. With a known `how` and a set that is
        // there pthread_sigmask cannot fail, and fills `before`.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            for signal in own {
                libc::sigdelset(all.as_mut_ptr(), signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
            Signals(before.assume_init())
        }
    }

    /// Restores the mask that was in force before [`block`](Signals::block).
    pub(crate) fn restore(&self) {
        // SAFETY: the set was filled by pthread_sigmask; no room is given for the one before.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_signal_is_delivered_on_a_thread_of_the_library_and_the_starter_keeps_its_mask() {
        fn blocked() -> bool {
            let mut mask = MaybeUninit::uninit();
            // SAFETY: no mask is set, and the one in force is written to ours before it is read.
            unsafe {
                libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), mask.as_mut_ptr());
                libc::sigismember(mask.as_ptr(), libc::SIGUSR1) == 1
            }
        }
        let (tell, told) = std::sync::mpsc::channel();
        crate::thread::on_a_thread("test", move || tell.send(blocked()).expect("a listener")).expect("a thread");
        assert!(told.recv().expect("an answer"));
        assert!(!blocked());
    }
}
