//! Windows Error Reporting, which writes the dumps that Windows itself makes of a process that crashed.
//!
//! Since Windows 10 1703 a process can exclude memory from them. A dump that another program makes (MiniDumpWriteDump) contains
//! the memory all the same.

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::core::{PCSTR, s, w};

/// A function of kernel32 that older systems do not have, looked up once. 0: not looked up. 1: not there.
struct Late {
    address: AtomicUsize,
    name: PCSTR,
}
// SAFETY: the name is a literal, which nobody changes.
unsafe impl Sync for Late {}

static EXCLUDE: Late = Late { address: AtomicUsize::new(0), name: s!("WerRegisterExcludedMemoryBlock") };
static INCLUDE: Late = Late { address: AtomicUsize::new(0), name: s!("WerUnregisterExcludedMemoryBlock") };

impl Late {
    fn address(&self) -> Option<*const c_void> {
        if self.address.load(Ordering::Relaxed) == 0 {
            // SAFETY: kernel32 is in each process and never unloaded; both names end in NUL.
            let found = unsafe { GetProcAddress(GetModuleHandleW(w!("kernel32.dll")), self.name) };
            self.address
                .store(found.map_or(1, |found| (found as *const c_void).expose_provenance()), Ordering::Relaxed);
        }
        match self.address.load(Ordering::Relaxed) {
            1 => None,
            address => Some(std::ptr::with_exposed_provenance(address)),
        }
    }
}

/// Keeps pages out of the dumps of Windows Error Reporting. A process can exclude 512 ranges; then the system refuses.
///
/// # Safety
/// `base..base + len` are whole pages that the caller has committed. [`forget_exclusion`] is called before they go.
pub(in crate::memory) unsafe fn exclude_from_dumps(base: *mut u8, len: usize) -> bool {
    type Exclude = unsafe extern "system" fn(*const c_void, u32) -> i32;
    let (Some(function), Ok(len)) = (EXCLUDE.address(), u32::try_from(len)) else { return false };
    // SAFETY: kernel32's function of this name has this type (werapi.h). It takes note of an address, and reads nothing.
    unsafe { std::mem::transmute::<*const c_void, Exclude>(function)(base.cast(), len) == 0 }
}

/// Takes back [`exclude_from_dumps`] before the pages at `base` are given back.
pub(in crate::memory) fn forget_exclusion(base: *mut u8) {
    type Include = unsafe extern "system" fn(*const c_void) -> i32;
    if let Some(function) = INCLUDE.address() {
        // SAFETY: as above. An address that is not excluded is an error without effect.
        unsafe { std::mem::transmute::<*const c_void, Include>(function)(base.cast()) };
    }
}
