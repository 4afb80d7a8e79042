//! Bytes of an answer that JavaScript sees where they lie: in the vault.
//!
//! A view is a block of its own, since JavaScript may write to it, and what an answer lies in must not change. JavaScript
//! has it as an external ArrayBuffer, whose finalizer is a use of the block, and a [`NativeBlock`], which `lib/` keeps as
//! long as the ArrayBuffer: whoever is the last frees it, in whatever order buffer and environment end. Closing the answer
//! wipes the block, and `lib/` detaches the ArrayBuffer, which ends the engine's use; a call in flight, such as a write to
//! a file, still has the address, and the ArrayBuffer. Should its contents have been moved to another one
//! (`ArrayBuffer.prototype.transfer`), they read as zeros. Node marks external buffers as not transferable, so that no
//! other thread ever sees the block.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;

use napi::bindgen_prelude::{ArrayBuffer, FromNapiValue};
use napi::{Env, sys};
use napi_derive::napi;
use nomyo::boundary::wipe;

/// Bytes that JavaScript may read and write at any time, so that nobody here ever has a reference to them.
pub struct Block {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: bytes in the heap, which any thread may free.
unsafe impl Send for Block {}
// SAFETY: what a shared reference offers is `wipe`, whose caller sees to it that nobody else is at the bytes.
unsafe impl Sync for Block {}

/// Keeps a block, also when the engine has given it up.
#[napi]
pub struct NativeBlock {
    _block: Arc<Block>,
}

impl From<Arc<Block>> for NativeBlock {
    fn from(block: Arc<Block>) -> NativeBlock {
        NativeBlock { _block: block }
    }
}

/// Why there is no view.
pub enum NoView {
    Memory,
    /// The runtime has no external buffers: Electron, and what else keeps V8 in a sandbox.
    Runtime,
    Other(napi::Error),
}

impl Block {
    /// A copy of `bytes`, or `None` when there is no memory for it.
    fn copy_of(bytes: &[u8]) -> Option<Block> {
        let mut copy = Vec::new();
        copy.try_reserve_exact(bytes.len()).ok()?;
        copy.extend_from_slice(bytes);
        let boxed = Box::into_raw(copy.into_boxed_slice());
        Some(Block { start: NonNull::new(boxed.cast())?, len: bytes.len() })
    }

    /// Overwrites the bytes. On the thread of the environment, so that no JavaScript runs meanwhile that has them.
    pub fn wipe(&self) {
        // SAFETY: allocated in `copy_of` and freed in `drop`; JavaScript, which is all that has the bytes, is waiting.
        wipe(unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) });
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let bytes = std::ptr::slice_from_raw_parts_mut(self.start.as_ptr(), self.len);
        // SAFETY: the box that `copy_of` gave up; the last use of it ends here. The vault wipes what is freed.
        drop(unsafe { Box::from_raw(bytes) });
    }
}

/// An ArrayBuffer over a copy of `bytes` (not empty) in the vault, and the copy.
pub fn view<'env>(env: &'env Env, bytes: &[u8]) -> Result<(ArrayBuffer<'env>, Arc<Block>), NoView> {
    let block = Arc::new(Block::copy_of(bytes).ok_or(NoView::Memory)?);
    let theirs = Arc::into_raw(Arc::clone(&block)).cast_mut().cast::<c_void>();
    let mut made = std::ptr::null_mut();
    // SAFETY: the block lives until `release` has run, which Node calls once, when nothing of the buffer is left.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env.raw(),
            block.start.as_ptr().cast(),
            block.len,
            Some(release),
            theirs,
            &raw mut made,
        )
    };
    match status {
        // SAFETY: the environment's, and an ArrayBuffer.
        sys::Status::napi_ok => match unsafe { ArrayBuffer::from_napi_value(env.raw(), made) } {
            Ok(buffer) => Ok((buffer, block)),
            Err(error) => Err(NoView::Other(error)),
        },
        sys::Status::napi_no_external_buffers_allowed => {
            // SAFETY: taken from `into_raw` above; Node refuses before it takes it.
            drop(unsafe { Arc::from_raw(theirs.cast::<Block>()) });
            Err(NoView::Runtime)
        }
        // Whether Node has called `release` is not known; if it has not, the block stays.
        other => Err(NoView::Other(napi::Error::from_status(other.into()))),
    }
}

/// Called by Node, with what `view` gave it.
unsafe extern "C" fn release(_env: sys::napi_env, _data: *mut c_void, block: *mut c_void) {
    // SAFETY: from `into_raw` in `view`, and Node calls this once.
    drop(unsafe { Arc::from_raw(block.cast::<Block>()) });
}
