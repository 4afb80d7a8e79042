//! `nomyo_memory_info`: the honest report.

use super::guard::guard_value;
use super::status::{NOMYO_ERR_ARGUMENT, NOMYO_OK};
use crate::memory::{MemoryInfo, MemoryLevel};

/// Memory policy: do not lock, but wipe.
pub const NOMYO_MEMORY_OFF: i32 = 0;

/// Memory level: secrets are wiped when released; their pages may be swapped or dumped meanwhile.
pub const NOMYO_MEMORY_LEVEL_WIPE_ONLY: i32 = 0;
/// Memory level: some secrets are in locked pages, some could not be.
pub const NOMYO_MEMORY_LEVEL_PARTIAL: i32 = 1;
/// Memory level: every secret is in locked pages that are excluded from core dumps.
pub const NOMYO_MEMORY_LEVEL_FULL: i32 = 2;

/// What protects secrets in this process, from what the system calls returned. A copy: nothing to free.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nomyo_memory_info {
    /// The policy in force, NOMYO_MEMORY_OFF.
    pub policy: i32,
    /// The level reached, one of the NOMYO_MEMORY_LEVEL_ numbers.
    pub level: i32,
    /// The system's page size in bytes.
    pub page_size: u64,
    /// RLIMIT_MEMLOCK in bytes; UINT64_MAX when there is no limit.
    pub limit: u64,
    /// Bytes mapped for secrets.
    pub mapped: u64,
    /// Bytes of them that are locked.
    pub locked: u64,
    /// Bytes of them that the system refused to lock.
    pub refused: u64,
    /// 1 when all of them are excluded from core dumps.
    pub dump_excluded: i32,
    /// 1 when all of them read as zeros in a forked child.
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
    let info = guard_value(None, || Some(MemoryInfo::get()));
    let Some(info) = info else { return super::status::NOMYO_ERR_INTERNAL };
    let info = nomyo_memory_info {
        policy: NOMYO_MEMORY_OFF,
        level: match info.level {
            MemoryLevel::WipeOnly => NOMYO_MEMORY_LEVEL_WIPE_ONLY,
            MemoryLevel::Partial => NOMYO_MEMORY_LEVEL_PARTIAL,
            MemoryLevel::Full => NOMYO_MEMORY_LEVEL_FULL,
        },
        page_size: info.page_size,
        limit: info.limit,
        mapped: 0,
        locked: 0,
        refused: 0,
        dump_excluded: 0,
        fork_excluded: 0,
    };
    let known = size.min(size_of::<nomyo_memory_info>());
    // SAFETY: the caller promises `size` writable bytes at `out`; `known` is within them and within `info`.
    unsafe { std::ptr::copy_nonoverlapping((&raw const info).cast::<u8>(), out.cast(), known) };
    // SAFETY: as above; what is behind `known` is still within `size`.
    unsafe { out.cast::<u8>().add(known).write_bytes(0, size - known) };
    NOMYO_OK
}
