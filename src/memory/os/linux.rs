//! Linux.

#[cfg(feature = "capi")]
use std::io;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

pub(in crate::memory) use super::proc::flags_at;
#[cfg(debug_assertions)]
pub(crate) use super::proc::{began_with, variable_at_start};

/// Whether a page that is locked twice must be unlocked twice.
#[cfg(feature = "capi")]
pub(in crate::memory) const LOCKS_NEST: bool = false;

/// Bytes of a page. Asked once.
pub(in crate::memory) fn page_size() -> usize {
    static PAGE: AtomicUsize = AtomicUsize::new(0);
    match PAGE.load(Ordering::Relaxed) {
        0 => {
            // SAFETY: sysconf reads no memory of ours.
            let system = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
            let size = if has_large_pages() { system.max(64 * 1024) } else { system };
            PAGE.store(size, Ordering::Relaxed);
            size
        }
        size => size,
    }
}

/// Whether the vault uses pages of 64 KiB on a system with smaller ones. Kernels for arm64 may have pages of 64 KiB. In a debug
/// build NOMYO_TEST_64K_PAGES asks for them.
#[cfg(debug_assertions)]
fn has_large_pages() -> bool {
    began_with(b"NOMYO_TEST_64K_PAGES")
}

/// Whether the vault uses pages of 64 KiB on a system with smaller ones.
#[cfg(not(debug_assertions))]
fn has_large_pages() -> bool {
    false
}

/// `RLIMIT_MEMLOCK` in bytes; `u64::MAX` if there is no limit, 0 if it cannot be read.
pub(in crate::memory) fn lock_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a live, writable rlimit for the length of the call.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) } == 0;
    if known { limit.rlim_cur } else { 0 }
}

/// The limit on locks and the ways to raise it, as the end of an error's sentence.
pub(in crate::memory) fn lock_limit_advice() -> String {
    format!(
        "RLIMIT_MEMLOCK is {} bytes; raise it (ulimit -l, LimitMEMLOCK= in systemd, --ulimit memlock= in containers) or grant \
         CAP_IPC_LOCK",
        lock_limit()
    )
}

/// Asks for huge pages where the range holds whole ones. The system may give small pages instead.
///
/// # Safety
/// `base..base + len` are whole pages of a mapping that the caller owns.
pub(in crate::memory) unsafe fn prefer_huge_pages(base: *mut u8, len: usize) {
    // SAFETY: by the contract above; the advice changes no contents.
    unsafe { libc::madvise(base.cast(), len, libc::MADV_HUGEPAGE) };
}

/// Brings in the pages of `bytes`, which are all about to be written: one system call instead of a page fault for each page. A
/// kernel older than Linux 5.14 refuses, and the page faults happen.
pub(in crate::memory) fn populate(bytes: &mut [u8]) {
    let before = bytes.as_ptr().align_offset(page_size());
    if let Some(from) = bytes.get_mut(before..) {
        let len = from.len() / page_size() * page_size();
        // SAFETY: whole pages of the slice, which is ours to write; the advice changes no contents.
        unsafe { libc::madvise(from.as_mut_ptr().cast(), len, libc::MADV_POPULATE_WRITE) };
    }
}

/// Whether pages may be locked although `lock` failed with `error`. A page that cannot be read in is locked all the same, and
/// then refused: with ENOMEM (PROT_NONE) or EAGAIN (no memory).
#[cfg(feature = "capi")]
pub(in crate::memory) fn may_be_locked_after(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOMEM | libc::EAGAIN))
}

/// Unlocks pages and gives their contents back to the system. Then the pages read as zeros.
///
/// # Safety
/// `base..base + len` are whole pages of a private anonymous mapping that the caller owns, with nothing of use in them.
#[cfg(feature = "capi")]
pub(in crate::memory) unsafe fn discard(base: *mut u8, len: usize) {
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
pub(in crate::memory) unsafe fn exclude_from_dumps(base: *mut u8, len: usize) -> bool {
    static KEPT: Advice = Advice::new(b"dd");
    // SAFETY: by the contract above; the advice changes no contents in this process.
    unsafe { libc::madvise(base.cast(), len, libc::MADV_DONTDUMP) == 0 && KEPT.is_kept(base) }
}

/// Takes back [`exclude_from_dumps`] before the pages at `base` are given back. The kernel does that with the pages.
pub(in crate::memory) fn forget_exclusion(_: *mut u8) {}

/// Makes pages read as zeros in a forked child.
///
/// # Safety
/// `base..base + len` are whole pages of a private anonymous mapping that the caller owns.
pub(in crate::memory) unsafe fn wipe_on_fork(base: *mut u8, len: usize) -> bool {
    static KEPT: Advice = Advice::new(b"wf");
    // SAFETY: by the contract above; the advice changes no contents in this process.
    unsafe { libc::madvise(base.cast(), len, libc::MADV_WIPEONFORK) == 0 && KEPT.is_kept(base) }
}

/// Whether madvise() has an effect. An emulator may answer 0 to any advice and do nothing. Therefore the kernel's flags of the
/// first page with this advice are checked. If the kernel shows no flags, the answer of madvise() is trusted.
struct Advice {
    flag: &'static [u8],
    /// 0: not checked yet.
    outcome: AtomicU32,
}

impl Advice {
    const KEPT: u32 = 1;
    const IGNORED: u32 = 2;

    const fn new(flag: &'static [u8]) -> Advice {
        Advice { flag, outcome: AtomicU32::new(0) }
    }

    fn is_kept(&self, page: *const u8) -> bool {
        if self.outcome.load(Ordering::Relaxed) == 0 {
            let ignored = flags_at(page.addr(), [self.flag]) == Some([false]);
            self.outcome.store(if ignored { Advice::IGNORED } else { Advice::KEPT }, Ordering::Relaxed);
        }
        self.outcome.load(Ordering::Relaxed) == Advice::KEPT
    }
}

/// Overwrites with zeros; never optimised away. As fast as memset, unlike a loop of volatile writes. ThreadSanitizer intercepts
/// memset, and would report a race for each wipe, because it does not see the vault's locks.
pub fn wipe(bytes: &mut [u8]) {
    // SAFETY: the slice is ours to write, for its whole length.
    unsafe { libc::explicit_bzero(bytes.as_mut_ptr().cast(), bytes.len()) };
}

/// Sleeps while `word` is `value`; returns at a [`wake_one`], or for no reason.
pub(in crate::memory) fn wait_while(word: &AtomicU32, value: u32) {
    let (op, nothing) = (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG, std::ptr::null::<libc::timespec>());
    // SAFETY: `word` is a live, aligned 32-bit word for the length of the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), op, value, nothing) };
}

/// Wakes a thread that sleeps in [`wait_while`] on `word`.
pub(in crate::memory) fn wake_one(word: &AtomicU32) {
    // SAFETY: `word` is a live, aligned 32-bit word for the length of the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1) };
}

/// Keeps the library loaded until the process ends, because destructors of its threads may run late. The linker's -z nodelete
/// (build.rs) does that here.
pub(in crate::memory) fn stay_loaded() {}
