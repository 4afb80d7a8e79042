//! macOS. Built, not run: nobody has run this file on a Mac yet. tests/cross/macos/README.md lists each assumption with its source.

#[cfg(feature = "capi")]
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[cfg(debug_assertions)]
pub(crate) use super::macos_environment::{began_with, variable_at_start};
pub(in crate::memory) use super::macos_wait::{wait_while, wake_one};

/// Whether a page that is locked twice must be unlocked twice. mlock(2) of macOS counts.
#[cfg(feature = "capi")]
pub(in crate::memory) const LOCKS_NEST: bool = true;

/// Bytes of a page: 16 KiB on Apple silicon, 4 KiB on Intel and under Rosetta. Asked once.
pub(in crate::memory) fn page_size() -> usize {
    static PAGE: AtomicUsize = AtomicUsize::new(0);
    match PAGE.load(Ordering::Relaxed) {
        0 => {
            // SAFETY: sysconf reads no memory of ours.
            let size = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(16 * 1024);
            PAGE.store(size, Ordering::Relaxed);
            size
        }
        size => size,
    }
}

/// `RLIMIT_MEMLOCK` in bytes; `u64::MAX` if there is no limit, 0 if it cannot be read. The sysctls `vm.user_wire_limit` and
/// `vm.global_user_wire_limit` limit locks, too.
pub(in crate::memory) fn lock_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a live, writable rlimit for the length of the call.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) } == 0;
    match (known, limit.rlim_cur) {
        (false, _) => 0,
        (true, libc::RLIM_INFINITY) => u64::MAX,
        (true, limit) => limit,
    }
}

/// The limit on locks and the ways to raise it, as the end of an error's sentence.
pub(in crate::memory) fn lock_limit_advice() -> String {
    let limit = match lock_limit() {
        u64::MAX => "unlimited".to_owned(),
        bytes => format!("{bytes} bytes"),
    };
    format!(
        "RLIMIT_MEMLOCK is {limit}; raise it (ulimit -l), or raise the system's limits for each process and for all of them (sysctl \
         vm.user_wire_limit and vm.global_user_wire_limit)"
    )
}

/// Does nothing: macOS has no advice for huge pages.
///
/// # Safety
/// None is needed.
pub(in crate::memory) unsafe fn prefer_huge_pages(_: *mut u8, _: usize) {}

/// Does nothing: page faults bring in the pages.
pub(in crate::memory) fn populate(_: &mut [u8]) {}

/// Whether pages may be locked although `lock` failed with an error: they are not, because the kernel unlocks what it had locked.
#[cfg(feature = "capi")]
pub(in crate::memory) fn may_be_locked_after(_: &io::Error) -> bool {
    false
}

/// Unlocks pages and lets the system take them back when it needs memory. The caller has wiped them. Therefore they read as zeros
/// before that and after it.
///
/// # Safety
/// `base..base + len` are whole pages of a private anonymous mapping that the caller owns, with nothing of use in them.
#[cfg(feature = "capi")]
pub(in crate::memory) unsafe fn discard(base: *mut u8, len: usize) {
    // SAFETY: by the contract above.
    unsafe {
        libc::munlock(base.cast(), len);
        libc::madvise(base.cast(), len, libc::MADV_FREE);
    }
}

/// False: macOS has no documented call that keeps pages out of core dumps. Therefore the level of protection stays partial.
///
/// # Safety
/// None is needed.
pub(in crate::memory) unsafe fn exclude_from_dumps(_: *mut u8, _: usize) -> bool {
    false
}

/// Does nothing: there is no exclusion.
pub(in crate::memory) fn forget_exclusion(_: *mut u8) {}

/// False: the kernel does not make pages read as zeros in a forked child. The handler for forks wipes them in the child.
///
/// minherit(VM_INHERIT_NONE) would unmap the pages in the child. An answer that the child reads or frees would then end it, and a
/// new mapping of the child could take the addresses.
///
/// # Safety
/// None is needed.
pub(in crate::memory) unsafe fn wipe_on_fork(_: *mut u8, _: usize) -> bool {
    false
}

/// Overwrites with zeros; never optimised away.
pub fn wipe(bytes: &mut [u8]) {
    // SAFETY: the slice is ours to write, for its whole length, and no slice is longer than memset_s() allows (RSIZE_MAX).
    unsafe { libc::memset_s(bytes.as_mut_ptr().cast(), bytes.len(), 0, bytes.len()) };
}

/// Keeps the library loaded until the process ends, because destructors of its threads may run late. The linker of macOS has no
/// -z nodelete. Therefore the library holds a reference to itself, which it never gives back. If the system refuses, the library
/// can be unloaded as any other.
pub(in crate::memory) fn stay_loaded() {
    static KEPT: AtomicBool = AtomicBool::new(false);
    if KEPT.load(Ordering::Relaxed) {
        return;
    }
    let here = stay_loaded as fn() as *const libc::c_void;
    let mut image = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    // SAFETY: `image` is writable. If dladdr() succeeds, the path is a string of the loader's, which is there as long as the image.
    // With RTLD_NOLOAD nothing is loaded, and no initialiser runs.
    unsafe {
        if libc::dladdr(here, &raw mut image) != 0 && !image.dli_fname.is_null() {
            libc::dlopen(image.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        }
    }
    KEPT.store(true, Ordering::Relaxed);
}
