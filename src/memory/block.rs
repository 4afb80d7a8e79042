//! An owned block of the vault: what buffers are made of.

use std::alloc::Layout;
use std::ptr::NonNull;

use super::heap;
use super::region::{Kind, NoMemory};
use super::{policy, system};
use crate::error::{Error, Result, Status};

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
        let data = heap::allocate_zeroed(kind, layout).map_err(|NoMemory| no_memory(len))?;
        let block = Block { data, len };
        if kind == Kind::Secret {
            policy::enforce()?;
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

/// The error of memory that is not there.
pub(super) fn no_memory(len: usize) -> Error {
    Error::new(Status::Memory, format!("no memory for a buffer of {len} bytes; free some, or send less at once"))
}

/// The error of a lock that is required and was refused.
pub(super) fn not_locked() -> Error {
    let limit = system::lock_limit();
    Error::new(
        Status::Security,
        format!(
            "the system refused to lock memory for secrets, and the memory policy requires it: RLIMIT_MEMLOCK is {limit} \
             bytes; raise it (ulimit -l, LimitMEMLOCK= in systemd, --ulimit memlock= in containers) or grant CAP_IPC_LOCK"
        ),
    )
}
