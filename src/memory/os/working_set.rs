//! The minimum working set of a process, which limits what VirtualLock locks.

use std::io;

use windows_sys::Win32::Foundation::ERROR_WORKING_SET_QUOTA;
use windows_sys::Win32::System::Memory::{GetProcessWorkingSetSizeEx, SetProcessWorkingSetSizeEx};
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use crate::memory::mutex::Mutex;

/// The least by which the minimum is raised, so that few locks raise it.
const STEP: usize = 1 << 20;
/// Room for the pages that the system locks itself, and between the minimum and the maximum.
const ROOM: usize = 64 << 10;

/// Minimum and maximum, in bytes.
fn sizes() -> Option<(usize, usize)> {
    let (mut least, mut most, mut flags) = (0, 0, 0);
    // SAFETY: the pseudo handle of this process, and three live locals.
    let known =
        unsafe { GetProcessWorkingSetSizeEx(GetCurrentProcess(), &raw mut least, &raw mut most, &raw mut flags) };
    (known != 0).then_some((least, most))
}

/// The minimum working set in bytes; 0 if it cannot be read. A lock that needs more raises it.
pub(in crate::memory) fn lock_limit() -> u64 {
    sizes().map_or(0, |(least, _)| least as u64)
}

/// The limit on locks and the ways to raise it, as the end of an error's sentence.
pub(in crate::memory) fn lock_limit_advice() -> String {
    format!(
        "the minimum working set is {} bytes and could not be raised; grant the user SeIncreaseWorkingSetPrivilege, or raise the \
         memory limit of the process's job",
        lock_limit()
    )
}

/// Whether a lock was refused because the working set is used up.
pub(super) fn is_used_up(error: &io::Error) -> bool {
    error.raw_os_error().and_then(|code| u32::try_from(code).ok()) == Some(ERROR_WORKING_SET_QUOTA)
}

/// Raises the minimum by room for `len` bytes, and attempts `lock` again.
pub(super) fn raise_and(len: usize, lock: impl Fn() -> bool) -> bool {
    /// Two threads must not raise the same minimum.
    static RAISING: Mutex = Mutex::new();
    RAISING.hold(|| {
        // Another thread may have raised it meanwhile.
        lock() || (raise(len.saturating_add(ROOM).max(STEP)) && lock())
    })
}

fn raise(by: usize) -> bool {
    let Some((least, most)) = sizes() else { return false };
    let Some(least) = least.checked_add(by) else { return false };
    let most = most.max(least.saturating_add(ROOM));
    // SAFETY: the pseudo handle of this process; only limits change. Without flags each limit stays soft or hard as it was.
    unsafe { SetProcessWorkingSetSizeEx(GetCurrentProcess(), least, most, 0) != 0 }
}
