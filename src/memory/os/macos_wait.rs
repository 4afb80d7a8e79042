//! Waiting for a word of memory: os_sync_wait_on_address() of macOS 14.4 and newer, short sleeps on older systems.

use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

/// The length of a sleep where there is nothing to wait on. Only mutexes wait. They are held for less than this, but for those
/// that are held while pages are locked.
const PAUSE: Duration = Duration::from_micros(50);

type Wait = unsafe extern "C" fn(address: *mut c_void, value: u64, size: usize, flags: u32) -> c_int;
type Wake = unsafe extern "C" fn(address: *mut c_void, size: usize, flags: u32) -> c_int;

/// A function of libSystem that older systems do not have, looked up once. 0: not looked up. 1: not there.
struct Late {
    address: AtomicUsize,
    name: &'static CStr,
}

static WAIT: Late = Late { address: AtomicUsize::new(0), name: c"os_sync_wait_on_address" };
static WAKE: Late = Late { address: AtomicUsize::new(0), name: c"os_sync_wake_by_address_any" };

impl Late {
    fn address(&self) -> Option<*const c_void> {
        if self.address.load(Ordering::Relaxed) == 0 {
            // SAFETY: the name ends in NUL. libSystem is in each process and never unloaded.
            let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, self.name.as_ptr()) };
            let address = if found.is_null() { 1 } else { found.expose_provenance() };
            self.address.store(address, Ordering::Relaxed);
        }
        match self.address.load(Ordering::Relaxed) {
            1 => None,
            address => Some(std::ptr::with_exposed_provenance(address)),
        }
    }
}

/// Sleeps while `word` is `value`; returns at a [`wake_one`], or for no reason.
pub(in crate::memory) fn wait_while(word: &AtomicU32, value: u32) {
    match WAIT.address() {
        // SAFETY: libSystem's function of this name has this type (os/os_sync_wait_on_address.h). `word` is a live, aligned word of
        // this size for the length of the call.
        Some(function) => unsafe {
            std::mem::transmute::<*const c_void, Wait>(function)(
                word.as_ptr().cast(),
                value.into(),
                size_of::<u32>(),
                0,
            );
        },
        None => std::thread::sleep(PAUSE),
    }
}

/// Wakes a thread that sleeps in [`wait_while`] on `word`.
pub(in crate::memory) fn wake_one(word: &AtomicU32) {
    if let Some(function) = WAKE.address() {
        // SAFETY: as above. The address only names the sleepers.
        unsafe { std::mem::transmute::<*const c_void, Wake>(function)(word.as_ptr().cast(), size_of::<u32>(), 0) };
    }
}
