//! Windows.

#[cfg(debug_assertions)]
use std::ffi::OsString;
use std::io;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use windows_sys::Win32::System::LibraryLoader::{
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
};
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, MEMORY_BASIC_INFORMATION, PAGE_NOACCESS, PAGE_READWRITE,
    VirtualAlloc, VirtualFree, VirtualLock, VirtualQuery, VirtualUnlock,
};
use windows_sys::Win32::System::SystemInformation::{GetSystemInfo, SYSTEM_INFO};
use windows_sys::Win32::System::Threading::{INFINITE, WaitOnAddress, WakeByAddressSingle};

pub(in crate::memory) use super::error_reports::{exclude_from_dumps, forget_exclusion};
use super::working_set;
pub(in crate::memory) use super::working_set::{lock_limit, lock_limit_advice};

/// Whether a page that is locked twice must be unlocked twice.
#[cfg(feature = "capi")]
pub(in crate::memory) const LOCKS_NEST: bool = false;

/// Bytes of a page. Asked once.
pub(in crate::memory) fn page_size() -> usize {
    static PAGE: AtomicUsize = AtomicUsize::new(0);
    match PAGE.load(Ordering::Relaxed) {
        0 => {
            let mut info = SYSTEM_INFO::default();
            // SAFETY: `info` is a live, writable SYSTEM_INFO for the length of the call.
            unsafe { GetSystemInfo(&raw mut info) };
            let size = info.dwPageSize as usize;
            PAGE.store(size, Ordering::Relaxed);
            size
        }
        size => size,
    }
}

/// Reserves `len` bytes of addresses, of which the first is a multiple of `alignment`. They fault when they are touched. Both
/// numbers are whole pages. `None` if no addresses are left. [`release`] gives back the reservation.
///
/// Windows gives back a reservation as a whole only. Therefore the addresses before and behind the aligned part stay reserved,
/// without memory.
pub(in crate::memory) fn reserve(len: usize, alignment: usize) -> Option<*mut u8> {
    // SAFETY: a new reservation at an address of the system's choice touches nothing that exists.
    let wide: *mut u8 = unsafe { VirtualAlloc(null(), len + alignment, MEM_RESERVE, PAGE_NOACCESS) }.cast();
    if wide.is_null() {
        return None;
    }
    // SAFETY: the aligned part lies within the reservation, which is longer by `alignment`.
    Some(unsafe { wide.add(wide.addr().next_multiple_of(alignment) - wide.addr()) })
}

/// Gives a whole reservation back, with the pages in it.
///
/// # Safety
/// [`reserve`] returned `base` for `len` bytes, and nobody uses the reservation any more.
pub(in crate::memory) unsafe fn release(base: *mut u8, _: usize) {
    let mut about = MEMORY_BASIC_INFORMATION::default();
    // SAFETY: `about` is live and writable. The reservation that contains `base` is the caller's by the contract above.
    unsafe {
        if VirtualQuery(base.cast(), &raw mut about, size_of::<MEMORY_BASIC_INFORMATION>()) != 0 {
            VirtualFree(about.AllocationBase, 0, MEM_RELEASE);
        }
    }
}

/// Makes reserved pages readable and writable; they are zero.
///
/// # Safety
/// `base..base + len` are whole pages of a reservation that the caller owns.
pub(in crate::memory) unsafe fn commit(base: *mut u8, len: usize) -> bool {
    // SAFETY: by the contract above.
    unsafe { !VirtualAlloc(base.cast(), len, MEM_COMMIT, PAGE_READWRITE).is_null() }
}

/// Does nothing: large pages need a privilege that users do not have.
///
/// # Safety
/// None is needed.
pub(in crate::memory) unsafe fn prefer_huge_pages(_: *mut u8, _: usize) {}

/// Does nothing: page faults bring in the pages.
pub(in crate::memory) fn populate(_: &mut [u8]) {}

/// Keeps pages in memory (VirtualLock). The count does not nest: the caller owns whole pages or counts itself. The limit is the
/// minimum working set of the process, which is raised if it is used up.
///
/// # Safety
/// `base..base + len` is mapped.
pub(in crate::memory) unsafe fn lock(base: *const u8, len: usize) -> bool {
    // SAFETY: by the contract above; a lock changes no contents.
    let attempt = || unsafe { VirtualLock(base.cast(), len) != 0 };
    attempt() || (working_set::is_used_up(&io::Error::last_os_error()) && working_set::raise_and(len, attempt))
}

/// Whether pages may be locked although [`lock`] failed with an error: they are not.
#[cfg(feature = "capi")]
pub(in crate::memory) fn may_be_locked_after(_: &io::Error) -> bool {
    false
}

/// Undoes [`lock`].
///
/// # Safety
/// `base..base + len` is mapped.
pub(in crate::memory) unsafe fn unlock(base: *const u8, len: usize) -> bool {
    // SAFETY: by the contract above; unlocking changes no contents.
    unsafe { VirtualUnlock(base.cast(), len) != 0 }
}

/// Unlocks pages and gives their contents back to the system. Then the pages read as zeros. If the system has no memory for
/// that, they fault.
///
/// # Safety
/// `base..base + len` are whole pages that the caller has committed, with nothing of use in them.
#[cfg(feature = "capi")]
pub(in crate::memory) unsafe fn discard(base: *mut u8, len: usize) {
    // SAFETY: by the contract above.
    unsafe {
        VirtualUnlock(base.cast(), len);
        VirtualFree(base.cast(), len, MEM_DECOMMIT);
        commit(base, len);
    }
}

/// Makes pages read as zeros in a forked child: Windows has no fork, so no child inherits them.
///
/// # Safety
/// None is needed.
pub(in crate::memory) unsafe fn wipe_on_fork(_: *mut u8, _: usize) -> bool {
    true
}

/// Overwrites with zeros; never optimised away.
pub fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    // SAFETY: no instruction. The compiler must assume that memory behind the pointer is read, and keeps the zeros therefore.
    unsafe { std::arch::asm!("/* {0} */", in(reg) bytes.as_mut_ptr(), options(nostack, preserves_flags)) };
}

/// Sleeps while `word` is `value`; returns at a [`wake_one`], or for no reason.
pub(in crate::memory) fn wait_while(word: &AtomicU32, value: u32) {
    // SAFETY: both addresses are live and 4 bytes long for the length of the call.
    unsafe { WaitOnAddress(word.as_ptr().cast(), (&raw const value).cast(), size_of::<u32>(), INFINITE) };
}

/// Wakes a thread that sleeps in [`wait_while`] on `word`.
pub(in crate::memory) fn wake_one(word: &AtomicU32) {
    // SAFETY: the address only names the sleepers.
    unsafe { WakeByAddressSingle(word.as_ptr().cast()) };
}

/// Does nothing: Windows has no fork.
pub(in crate::memory) fn at_fork(_: extern "C" fn(), _: extern "C" fn(), _: extern "C" fn()) {}

/// Keeps the library loaded until the process ends: threads that outlive a FreeLibrary() would run destructors in code that is
/// not there. If the system refuses, the library can be unloaded as any other.
pub(in crate::memory) fn stay_loaded() {
    static PINNED: AtomicBool = AtomicBool::new(false);
    if PINNED.load(Ordering::Relaxed) {
        return;
    }
    let (mut module, here) = (null_mut(), stay_loaded as fn());
    let flags = GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
    // SAFETY: with this flag the name is an address in the module; `module` is writable.
    unsafe { GetModuleHandleExW(flags, here as *const u16, &raw mut module) };
    PINNED.store(true, Ordering::Relaxed);
}

/// Nothing: Windows delivers no signals on threads that run. Ctrl-C runs its handler on a thread of its own.
#[derive(Clone, Copy)]
pub(crate) struct Signals;

impl Signals {
    pub(crate) fn block() -> Signals {
        Signals
    }

    pub(crate) fn restore(&self) {}
}

/// Whether a variable is in the environment. The system guards its environment by a lock.
#[cfg(debug_assertions)]
pub(crate) fn began_with(variable: &[u8]) -> bool {
    std::str::from_utf8(variable).is_ok_and(|variable| variable_at_start(variable).is_some())
}

/// The value of a variable in the environment.
#[cfg(debug_assertions)]
pub(crate) fn variable_at_start(variable: &str) -> Option<OsString> {
    std::env::var_os(variable)
}
