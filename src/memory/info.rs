//! The honest report: what protection is in force in this process.

/// How well secrets are protected in memory, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
#[non_exhaustive]
pub enum MemoryLevel {
    /// Secrets are wiped when they are released; pages may be swapped or dumped meanwhile.
    WipeOnly = 0,
    /// Some secrets are in locked pages, some could not be.
    Partial = 1,
    /// Every secret is in locked pages that are excluded from core dumps.
    Full = 2,
}

/// What is in force, in bytes where a size is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryInfo {
    /// The level that is reached.
    pub level: MemoryLevel,
    /// The system's page size in bytes.
    pub page_size: u64,
    /// `RLIMIT_MEMLOCK` in bytes; `u64::MAX` when there is no limit.
    pub limit: u64,
}

impl MemoryInfo {
    /// Asks the system. Does not block; any thread may call it.
    pub fn get() -> MemoryInfo {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `limit` is a live, writable rlimit for the length of the call.
        let known = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) } == 0;
        // SAFETY: sysconf reads no memory of ours.
        let page_size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        MemoryInfo {
            level: MemoryLevel::WipeOnly,
            page_size: u64::try_from(page_size).unwrap_or(0),
            limit: if known { limit.rlim_cur } else { 0 },
        }
    }
}
