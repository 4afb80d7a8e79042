//! The vault as AWS-LC sees it: malloc, realloc and free.

use std::alloc::Layout;
use std::ffi::{c_char, c_int, c_void};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};

use super::heap::{allocate_unfailingly, release, scope};
use super::region;

/// Whether AWS-LC allocates outside the vault. A host that defines AWS-LC's hooks, or sets its allocator first, causes that.
static OUTSIDE: AtomicBool = AtomicBool::new(false);

/// Checks AWS-LC's allocator: `block` is a block that AWS-LC has just allocated.
pub(crate) fn judge_c_allocator(block: *const c_void) {
    let start = block.addr();
    OUTSIDE.store(!block.is_null() && !region::touches(start, start + 1), Ordering::Relaxed);
}

/// Whether AWS-LC's memory, with the keys in it, is outside the vault.
pub(crate) fn keys_are_outside() -> bool {
    OUTSIDE.load(Ordering::Relaxed)
}

/// Bytes before a block that C allocates: its size, and what keeps it aligned.
const PREFIX: usize = 16;

fn c_layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(PREFIX)?, PREFIX).ok()
}

/// `malloc` for AWS-LC.
pub(crate) extern "C" fn c_malloc(size: usize, _: *const c_char, _: c_int) -> *mut c_void {
    let Some(block) = c_layout(size).and_then(|layout| allocate_unfailingly(scope(), layout).ok()) else {
        return null_mut();
    };
    // SAFETY: the block is PREFIX bytes longer than `size`, and aligned for a usize.
    unsafe {
        block.cast::<usize>().write(size);
        block.add(PREFIX).as_ptr().cast()
    }
}

/// `free` for AWS-LC.
pub(crate) unsafe extern "C" fn c_free(block: *mut c_void, _: *const c_char, _: c_int) {
    let Some(block) = NonNull::new(block.cast::<u8>()) else { return };
    // SAFETY: AWS-LC frees only blocks from c_malloc, and the size stands before each block.
    unsafe {
        let block = block.sub(PREFIX);
        if let Some(layout) = c_layout(block.cast::<usize>().read()) {
            release(block, layout);
        }
    }
}

/// The size of a block.
///
/// # Safety
/// `block` came from [`c_malloc`] and is alive.
pub(super) unsafe fn c_size(block: *mut c_void) -> usize {
    // SAFETY: by the contract above, the size stands before the block.
    unsafe { block.cast::<u8>().sub(PREFIX).cast::<usize>().read() }
}

/// `realloc` for AWS-LC: never in place, so that the old block is wiped.
pub(crate) unsafe extern "C" fn c_realloc(
    old: *mut c_void,
    size: usize,
    file: *const c_char,
    line: c_int,
) -> *mut c_void {
    let new = c_malloc(size, file, line);
    if new.is_null() || old.is_null() {
        return new;
    }
    // SAFETY: `old` came from c_malloc, its size stands before it; the blocks do not overlap.
    unsafe {
        std::ptr::copy_nonoverlapping(old.cast::<u8>(), new.cast::<u8>(), c_size(old).min(size));
        c_free(old, file, line);
    }
    new
}

#[cfg(test)]
mod tests {
    use super::super::heap::key_scope;
    use super::super::region::{self, Kind};
    use super::*;

    #[test]
    fn a_reallocated_block_keeps_its_contents_and_leaves_none_behind() {
        let old = c_malloc(100, std::ptr::null(), 0);
        // SAFETY: just allocated, 100 bytes; then grown; then freed once.
        unsafe {
            old.cast::<u8>().write_bytes(0x5a, 100);
            let new = c_realloc(old, 100_000, std::ptr::null(), 0).cast::<u8>();
            assert!(std::slice::from_raw_parts(new, 100).iter().all(|&byte| byte == 0x5a));
            c_free(new.cast(), std::ptr::null(), 0);
            c_free(null_mut(), std::ptr::null(), 0);
        }
    }

    #[test]
    fn a_key_scope_sends_cs_allocations_to_the_secrets() {
        let block = key_scope(|| c_malloc(10, std::ptr::null(), 0));
        let inside = NonNull::new(block.cast::<u8>()).expect("memory");
        // SAFETY: a live small block; from c_malloc, freed once.
        unsafe {
            assert_eq!(region::find(inside).as_ref().kind, Kind::Secret);
            c_free(block, std::ptr::null(), 0);
        }
    }

    #[test]
    fn sizes_beyond_any_machine_are_refused() {
        assert!(c_malloc(usize::MAX, std::ptr::null(), 0).is_null());
        assert!(c_malloc(usize::MAX - 16, std::ptr::null(), 0).is_null());
    }
}
