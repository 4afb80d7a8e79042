//! An owned block of the vault: what buffers are made of.

use std::alloc::Layout;
use std::ptr::NonNull;

use super::heap;
use super::refusal::{enforce_within, no_memory, refused};
use super::region::Kind;
use crate::error::Result;

const ALIGNMENT: usize = 16;

/// Initialised bytes, wiped when dropped.
pub(super) struct Block {
    data: NonNull<u8>,
    len: usize,
}

// SAFETY: the bytes are this block's alone, wherever it goes.
unsafe impl Send for Block {}
// SAFETY: shared, it only gives out shared slices.
unsafe impl Sync for Block {}

impl Block {
    /// `len` zero bytes. Secret ones are refused, before anything is in them, when the policy requires a lock in vain.
    pub(super) fn zeroed(kind: Kind, len: usize) -> Result<Block> {
        if len == 0 {
            return Ok(Block { data: NonNull::dangling(), len });
        }
        let layout = layout(len).ok_or_else(|| no_memory(len))?;
        let data = heap::allocate_zeroed(kind, layout).map_err(|why| refused(why, len))?;
        let block = Block { data, len };
        if kind == Kind::Secret {
            enforce_within()?;
        }
        Ok(block)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: `len` initialised bytes that live as long as the block; for 0 a dangling pointer is allowed.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len) }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.data.as_ptr(), self.len) }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(layout) = layout(self.len).filter(|layout| layout.size() > 0) {
            // SAFETY: allocated with this layout; the block is going.
            unsafe { heap::release(self.data, layout) };
        }
    }
}

fn layout(len: usize) -> Option<Layout> {
    Layout::from_size_align(len, ALIGNMENT).ok()
}
