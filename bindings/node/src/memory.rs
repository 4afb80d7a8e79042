//! Buffers: locking and wiping the caller's, and memory of the vault for buffers of ours.
//!
//! Promises: what `lib/memory.js` passes in is a `Uint8Array`, of which the engine says where it lies at the moment of
//! the call; no address is kept but that of a lock, which is never read. A buffer over the vault has its memory until
//! nothing in JavaScript can reach it, and no call in flight: closing wipes and detaches, it does not unmap.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};
use std::rc::Rc;

use napi::bindgen_prelude::{ArrayBuffer, Env, FromNapiValue, ObjectFinalize, Uint8ArraySlice};
use napi::sys;
use napi_derive::napi;
use nomyo::{MemoryInfo, MemoryLevel, Result, boundary};

use crate::outcome::Outcome;

/// What each buffer over the vault costs beside its bytes: a header, two guard pages, and on average half a page.
const OVERHEAD: i64 = 16 * 1024;

/// Memory that was locked. It gives its lock back when it is released, and when it is collected.
#[napi]
pub struct PageLock {
    held: bool,
    start: *const u8,
    len: usize,
}

/// Locks the pages that `view` touches, once more each. `null` when the system refuses, and nothing is locked then.
#[napi]
pub fn lock_pages(view: Uint8ArraySlice<'_>) -> Option<PageLock> {
    let (start, len) = (view.as_ref().as_ptr(), view.as_ref().len());
    // SAFETY: the engine says that these bytes are the view's, now.
    let held = boundary::contained_plain(|| unsafe { boundary::lock_pages(start, len) }).is_ok();
    held.then_some(PageLock { held, start, len })
}

#[napi]
impl PageLock {
    /// Gives the lock back. Again, it does nothing.
    #[napi]
    pub fn release(&mut self) {
        if std::mem::take(&mut self.held) {
            // SAFETY: locked when this was made, and not given back since.
            let _ = boundary::contained_plain(|| unsafe { boundary::unlock_pages(self.start, self.len) });
        }
    }
}

impl Drop for PageLock {
    fn drop(&mut self) {
        self.release();
    }
}

/// Overwrites the bytes of `view` with zeros.
#[napi]
pub fn wipe(mut view: Uint8ArraySlice<'_>) {
    // SAFETY: the bytes are the view's, and this thread is inside this call. Who else writes them meanwhile, through shared
    // memory or a call in flight, races with a plain store, as with JavaScript's own.
    boundary::wipe(unsafe { view.as_mut() });
}

/// Memory of the vault, whoever it belongs to last.
struct Guarded(NonNull<u8>);

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: from alloc_guarded, and with the last owner nobody uses it.
        unsafe { boundary::free_guarded(self.0) };
    }
}

/// The memory of one buffer. `lib/memory.js` keeps it as long as the `ArrayBuffer`, detached or not: a call in flight
/// holds that, and may still write. The engine is the other owner: who moves the memory to another `ArrayBuffer` keeps it.
#[napi(custom_finalize)]
pub struct Secret {
    memory: Rc<Guarded>,
    len: usize,
}

/// `len` zero bytes of the vault, or `Status::Memory`, or `Status::Security` where a policy requires a lock in vain.
#[napi]
pub fn alloc_secret(env: &Env, len: i64) -> Outcome<Secret> {
    allocated(env, usize::try_from(len).unwrap_or(usize::MAX)).into()
}

/// A copy of `bytes` in memory for a buffer.
pub fn secret_of(env: &Env, bytes: &[u8]) -> Outcome<Secret> {
    let secret = allocated(env, bytes.len());
    if let Ok(secret) = &secret {
        // SAFETY: the memory is as long as `bytes`, and nobody else has it yet.
        unsafe { secret.memory.0.as_ptr().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }
    secret.into()
}

fn allocated(env: &Env, len: usize) -> Result<Secret> {
    let secret =
        boundary::contained_plain(|| Ok(Secret { memory: Rc::new(Guarded(boundary::alloc_guarded(len)?)), len }));
    if secret.is_ok() {
        // An account for the collector's sake, which a failure leaves a little wrong.
        let _ = env.adjust_external_memory(OVERHEAD);
    }
    secret
}

#[napi]
impl Secret {
    /// The memory as an `ArrayBuffer`. Called once.
    ///
    /// # Errors
    /// The engine has no buffers over memory that is not its own.
    #[napi]
    pub fn buffer<'env>(&self, env: &'env Env) -> napi::Result<ArrayBuffer<'env>> {
        let share = Rc::into_raw(Rc::clone(&self.memory)).cast_mut().cast();
        let mut buffer = null_mut();
        // SAFETY: the environment of this call; the memory is `len` bytes, and lives until `released` is called.
        let status = unsafe {
            sys::napi_create_external_arraybuffer(
                env.raw(),
                self.memory.0.as_ptr().cast(),
                self.len,
                Some(released),
                share,
                &raw mut buffer,
            )
        };
        if status == sys::Status::napi_no_external_buffers_allowed {
            // SAFETY: from into_raw above; the engine has refused it.
            drop(unsafe { Rc::<Guarded>::from_raw(share.cast()) });
            return Err(napi::Error::from_reason(
                "this runtime allows no buffers over memory that is not its own (Electron does not): lock() and zero() an \
                 ordinary buffer instead",
            ));
        }
        if status != sys::Status::napi_ok {
            return Err(napi::Error::from_reason("the engine has no room for another ArrayBuffer"));
        }
        // SAFETY: an ArrayBuffer, just made in this environment.
        unsafe { ArrayBuffer::from_napi_value(env.raw(), buffer) }
    }

    /// Wipes the memory, gives back its lock and its pages, and detaches `buffer`: every view of it has length 0 then.
    ///
    /// # Errors
    /// The engine does not detach it; it is wiped all the same.
    #[napi]
    pub fn close(&self, buffer: ArrayBuffer<'_>) -> napi::Result<()> {
        // SAFETY: alive as long as `self`; what it held is not needed any more.
        unsafe { boundary::retire_guarded(self.memory.0) };
        if buffer.is_detached()? { Ok(()) } else { buffer.detach() }
    }
}

impl ObjectFinalize for Secret {
    fn finalize(self, env: Env) -> napi::Result<()> {
        let _ = env.adjust_external_memory(-OVERHEAD);
        Ok(())
    }
}

/// The engine's share of a buffer's memory comes back, on the environment's own thread.
unsafe extern "C" fn released(_: sys::napi_env, _: *mut c_void, share: *mut c_void) {
    // SAFETY: from into_raw in `buffer`; the engine calls this once.
    drop(unsafe { Rc::<Guarded>::from_raw(share.cast()) });
}

/// What protects memory in this process.
#[napi(object)]
pub struct Protection {
    /// Why a page could not be locked just now. Absent when it could.
    pub refusal: Option<String>,
    /// Whether all of the library's own memory is locked and kept out of core dumps.
    pub full: bool,
    /// Bytes of the library's that are to be locked, and that are.
    pub mapped: i64,
    /// See `mapped`.
    pub locked: i64,
    /// `RLIMIT_MEMLOCK` in bytes. Absent when there is none.
    pub limit: Option<i64>,
    /// Whether all of the library's memory is kept out of core dumps.
    pub dump_excluded: bool,
}

/// Looks, and tries to lock a page.
#[napi]
pub fn protection() -> Protection {
    let info = MemoryInfo::get();
    let bytes = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    Protection {
        refusal: refusal(),
        full: info.level == MemoryLevel::Full,
        mapped: bytes(info.mapped),
        locked: bytes(info.locked),
        limit: info.limit.map(bytes),
        dump_excluded: info.dump_excluded,
    }
}

/// Locks a page of the system's allocator, and unlocks it: one of the vault's would be locked already. Says why not.
fn refusal() -> Option<String> {
    let page = usize::try_from(MemoryInfo::get().page_size).unwrap_or(4096);
    let Ok(layout) = Layout::from_size_align(page, page) else { return Some("no page size is known".into()) };
    // SAFETY: the layout is not empty.
    let Some(memory) = NonNull::new(unsafe { System.alloc(layout) }) else { return Some("there is no memory".into()) };
    // SAFETY: the page is ours until it is freed, with the layout that it has.
    let locked = boundary::contained_plain(|| unsafe {
        let locked = boundary::lock_pages(memory.as_ptr(), page);
        let unlocked = locked.and_then(|()| boundary::unlock_pages(memory.as_ptr(), page));
        System.dealloc(memory.as_ptr(), layout);
        unlocked
    });
    locked.err().map(|e| e.to_string())
}
