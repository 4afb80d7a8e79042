//! The system calls, each with what it really returned.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of a page. Asked once.
pub(super) fn page_size() -> usize {
    static PAGE: AtomicUsize = AtomicUsize::new(0);
    match PAGE.load(Ordering::Relaxed) {
        0 => {
            // SAFETY: sysconf reads no memory of ours.
            let size = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
            PAGE.store(size, Ordering::Relaxed);
            size
        }
        size => size,
    }
}

/// `RLIMIT_MEMLOCK` in bytes; `u64::MAX` when there is no limit, 0 when it cannot be read.
pub(super) fn lock_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a live, writable rlimit for the length of the call.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) } == 0;
    if known { limit.rlim_cur } else { 0 }
}

/// Reserves `len` bytes of addresses that fault when they are touched. `None` when there are none left.
pub(super) fn reserve(len: usize) -> Option<*mut u8> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new anonymous mapping at an address of the kernel's choice touches nothing that exists.
    let base = unsafe { libc::mmap(std::ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0) };
    if base == libc::MAP_FAILED { None } else { Some(base.cast()) }
}

/// Makes reserved pages readable and writable; they are zero.
///
/// # Safety
/// `base..base + len` are whole pages of a mapping that the caller owns.
pub(super) unsafe fn commit(base: *mut u8, len: usize) -> bool {
    // SAFETY: by the contract above.
    unsafe { libc::mprotect(base.cast(), len, libc::PROT_READ | libc::PROT_WRITE) == 0 }
}

/// Gives pages back to the system.
///
/// # Safety
/// `base..base + len` are whole pages of a mapping that the caller owns and does not use any more.
pub(super) unsafe fn unmap(base: *mut u8, len: usize) {
    if len > 0 {
        // SAFETY: by the contract above.
        unsafe { libc::munmap(base.cast(), len) };
    }
}

/// Keeps pages out of swap (mlock). The count does not nest: the caller owns whole pages or counts itself.
///
/// # Safety
/// `base..base + len` is mapped.
pub(super) unsafe fn lock(base: *const u8, len: usize) -> bool {
    // SAFETY: by the contract above; mlock changes no contents.
    unsafe { libc::mlock(base.cast(), len) == 0 }
}

/// Undoes [`lock`].
///
/// # Safety
/// `base..base + len` is mapped.
pub(super) unsafe fn unlock(base: *const u8, len: usize) -> bool {
    // SAFETY: by the contract above; munlock changes no contents.
    unsafe { libc::munlock(base.cast(), len) == 0 }
}

/// Unlocks pages and gives what is in them back to the system: they read as zeros, where it does so.
///
/// # Safety
/// `base..base + len` are whole pages of a private anonymous mapping that the caller owns, with nothing of use in them.
#[cfg(feature = "capi")]
pub(super) unsafe fn discard(base: *mut u8, len: usize) {
    // SAFETY: by the contract above.
    unsafe {
        libc::munlock(base.cast(), len);
        libc::madvise(base.cast(), len, libc::MADV_DONTNEED);
    }
}

/// Keeps pages out of core dumps.
///
/// # Safety
/// `base..base + len` are whole pages of a mapping that the caller owns.
pub(super) unsafe fn exclude_from_dumps(base: *mut u8, len: usize) -> bool {
    // SAFETY: by the contract above; the advice changes no contents in this process.
    cfg!(target_os = "linux") && unsafe { libc::madvise(base.cast(), len, libc::MADV_DONTDUMP) == 0 }
}

/// Makes pages read as zeros in a forked child.
///
/// # Safety
/// `base..base + len` are whole pages of a private anonymous mapping that the caller owns.
pub(super) unsafe fn wipe_on_fork(base: *mut u8, len: usize) -> bool {
    // SAFETY: by the contract above; the advice changes no contents in this process.
    cfg!(target_os = "linux") && unsafe { libc::madvise(base.cast(), len, libc::MADV_WIPEONFORK) == 0 }
}

/// Overwrites with zeros; never optimised away. At memset's speed, which a loop of volatile writes has not.
#[cfg(target_os = "linux")]
pub fn wipe(bytes: &mut [u8]) {
    // SAFETY: the slice is ours to write, for its whole length.
    unsafe { libc::explicit_bzero(bytes.as_mut_ptr().cast(), bytes.len()) };
}

/// Overwrites with zeros; never optimised away.
#[cfg(not(target_os = "linux"))]
pub fn wipe(bytes: &mut [u8]) {
    zeroize::Zeroize::zeroize(bytes);
}
