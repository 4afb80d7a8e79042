//! The vault, for callers: the honest report, secrets of their own, locks on their own memory.

use std::ffi::c_void;
use std::ptr::NonNull;

use super::arguments::write_sized;
use super::error_handle::nomyo_error;
use super::guard::{guard_plain, guard_value};
use super::status::{NOMYO_ERR_ARGUMENT, NOMYO_ERR_INTERNAL, NOMYO_OK};
use crate::error::{Error, Result};
use crate::memory::{self, MemoryInfo, MemoryLevel};

/// Memory policy: do not lock, but wipe.
pub const NOMYO_MEMORY_OFF: i32 = 0;
/// Memory policy: lock what the system allows, and say what it refused.
pub const NOMYO_MEMORY_PREFER: i32 = 1;
/// Memory policy: refuse to work when a lock is refused.
pub const NOMYO_MEMORY_REQUIRE: i32 = 2;

/// Memory level: secrets are wiped when released; no page could be locked, or none was to be.
pub const NOMYO_MEMORY_LEVEL_WIPE_ONLY: i32 = 0;
/// Memory level: some of the library's memory is locked and kept out of core dumps, some could not be.
pub const NOMYO_MEMORY_LEVEL_PARTIAL: i32 = 1;
/// Memory level: all of the library's memory but ciphertext is locked, and all of it is kept out of core dumps.
pub const NOMYO_MEMORY_LEVEL_FULL: i32 = 2;

/// What protects secrets in this process, from what the system calls returned. A copy: nothing to free.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nomyo_memory_info {
    /// The policy in force: the strictest of the clients that are alive, NOMYO_MEMORY_PREFER when there is none.
    pub policy: i32,
    /// The level reached, one of the NOMYO_MEMORY_LEVEL_ numbers.
    pub level: i32,
    /// The system's page size in bytes.
    pub page_size: u64,
    /// RLIMIT_MEMLOCK in bytes; UINT64_MAX when there is no limit. On Windows the minimum working set, which the library raises
    /// if a lock needs more.
    pub limit: u64,
    /// Bytes mapped for the library's heap and its secrets.
    pub mapped: u64,
    /// Bytes of them that are locked.
    pub locked: u64,
    /// Bytes of them that the system refused to lock.
    pub refused: u64,
    /// 1 when all of them are excluded from core dumps. On Windows: from the dumps of Windows Error Reporting (Windows 10 1703 or
    /// newer, 512 ranges at most). A dump that another program makes contains them all the same. Always 0 on macOS, which has no
    /// such exclusion: the level there is at most NOMYO_MEMORY_LEVEL_PARTIAL.
    pub dump_excluded: i32,
    /// 1 when prompts, answers, private keys and AES keys read as zeros in a forked child. (The API key does not.) Always 1 on
    /// Windows, where no process is forked. 0 on macOS, where the system does not do it: before fork() returns in the child, the
    /// library wipes them there.
    pub fork_excluded: i32,
}

/// Reports what is in force. `size` is `sizeof *out` as the caller was compiled: an older or newer caller gets what fits
/// into its struct, and zeros behind what this library knows.
///
/// Any thread; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: `out` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_memory_info_get(out: *mut nomyo_memory_info, size: usize) -> i32 {
    if out.is_null() {
        return NOMYO_ERR_ARGUMENT;
    }
    let Some(info) = guard_value(None, || Some(MemoryInfo::get())) else { return NOMYO_ERR_INTERNAL };
    let info = nomyo_memory_info {
        policy: info.policy as i32,
        level: match info.level {
            MemoryLevel::WipeOnly => NOMYO_MEMORY_LEVEL_WIPE_ONLY,
            MemoryLevel::Partial => NOMYO_MEMORY_LEVEL_PARTIAL,
            MemoryLevel::Full => NOMYO_MEMORY_LEVEL_FULL,
        },
        page_size: info.page_size,
        limit: info.limit.unwrap_or(u64::MAX),
        mapped: info.mapped,
        locked: info.locked,
        refused: info.refused,
        dump_excluded: i32::from(info.dump_excluded),
        fork_excluded: i32::from(info.fork_excluded),
    };
    // SAFETY: the caller promises `size` writable bytes at `out`.
    unsafe { write_sized(out, size, &info) };
    NOMYO_OK
}

/// Memory for a secret of the caller's: `len` zero bytes between guard pages, excluded from core dumps, zeros in a forked
/// child, locked as the policy in force asks and the system allows. The byte behind it faults when it is touched. Aligned
/// for any type whose size divides `len`.
///
/// Any thread; blocks on nothing. Each takes at least four pages and four mappings of the process's (65 530 by default
/// on Linux). Free it with nomyo_secret_free(), and with nothing else. A length of 0 gives an address that may not be
/// touched at all.
///
/// @return the memory, or NULL: no memory (NOMYO_ERR_MEMORY), or the policy requires a lock that the system refuses
///         (NOMYO_ERR_SECURITY).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_secret_alloc(len: usize, error: *mut *mut nomyo_error) -> *mut c_void {
    let mut secret = std::ptr::null_mut();
    guard_plain(error, || {
        secret = memory::alloc_guarded(len)?.as_ptr().cast();
        Ok(())
    });
    secret
}

/// Wipes and frees the memory that nomyo_secret_alloc() or nomyo_client_private_key_pem() returned. NULL does nothing.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_secret_free(p: *mut c_void) {
    if let Some(secret) = NonNull::new(p.cast()) {
        // SAFETY: the caller promises that it came from nomyo_secret_alloc and is not used again.
        guard_value((), || unsafe { memory::free_guarded(secret) });
    }
}

/// A range that is the caller's.
fn range(p: *const c_void, len: usize) -> Result<*const u8> {
    if p.is_null() && len > 0 {
        return Err(Error::argument(format!("p is NULL but its length is {len}; pass the memory, or a length of 0")));
    }
    Ok(p.cast())
}

/// Keeps the caller's own memory out of swap: locks the pages that `len` bytes at `p` touch. Locks nest: they are counted
/// per page, and a page is unlocked with its last nomyo_unlock(). Memory locked by other means than this is not counted.
///
/// Any thread; blocks on the system reading the pages in. Unlock before you free the memory. A forked child inherits no
/// lock.
///
/// @return NOMYO_OK, NOMYO_ERR_SECURITY: the system refused (RLIMIT_MEMLOCK; on Windows the working set), and nothing more is
///         locked than before;
///         NOMYO_ERR_ARGUMENT: NULL with a length.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_lock(p: *mut c_void, len: usize, error: *mut *mut nomyo_error) -> i32 {
    // SAFETY: the caller promises that the range is mapped.
    guard_plain(error, || unsafe { memory::lock_pages(range(p, len)?, len) })
}

/// Undoes one nomyo_lock() of the same range.
///
/// Any thread; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a page of it is not locked by nomyo_lock().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_unlock(p: *mut c_void, len: usize, error: *mut *mut nomyo_error) -> i32 {
    // SAFETY: the caller promises that the range is mapped.
    guard_plain(error, || unsafe { memory::unlock_pages(range(p, len)?, len) })
}

/// Overwrites `len` bytes at `p` with zeros, in a way that no compiler leaves out. NULL does nothing.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_wipe(p: *mut c_void, len: usize) {
    if !p.is_null() && len > 0 {
        // SAFETY: the caller promises `len` writable bytes at `p`.
        memory::wipe(unsafe { std::slice::from_raw_parts_mut(p.cast::<u8>(), len) });
    }
}
