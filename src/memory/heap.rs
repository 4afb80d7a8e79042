//! Every allocation of the library: wiped when it is freed, in regions of our own.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::ptr::{NonNull, null_mut};

use super::region::{self, Kind, Refusal};
use super::{arena, fork, system};

/// Blocks of this size and more get a region of their own.
const BIG: usize = 64 * 1024;

/// A block of `layout`. Big ones are zeroed, small ones hold anything.
pub(super) fn allocate(kind: Kind, layout: Layout) -> Result<NonNull<u8>, Refusal> {
    fork::watch();
    if layout.align() > system::page_size() {
        return Err(Refusal::Memory);
    }
    if layout.size() >= BIG {
        let header = region::map(kind, arena::NO_ARENA, layout.size())?;
        // SAFETY: just mapped.
        return Ok(unsafe { header.as_ref() }.data());
    }
    let kind = if kind == Kind::Wire { Kind::Heap } else { kind };
    arena::allocate(kind, layout.size(), layout.align())
}

/// A block of `layout`, zero bytes.
pub(super) fn allocate_zeroed(kind: Kind, layout: Layout) -> Result<NonNull<u8>, Refusal> {
    let block = allocate(kind, layout)?;
    if layout.size() < BIG {
        // SAFETY: just allocated, `layout.size()` bytes long.
        unsafe { block.write_bytes(0, layout.size()) };
    }
    Ok(block)
}

/// Wipes a block and takes it back.
///
/// # Safety
/// `block` came from [`allocate`] with this layout, and nobody uses it any more.
pub(super) unsafe fn release(block: NonNull<u8>, layout: Layout) {
    // SAFETY: `layout.size()` bytes at `block` are ours by the contract above.
    system::wipe(unsafe { std::slice::from_raw_parts_mut(block.as_ptr(), layout.size()) });
    if layout.size() >= BIG {
        // SAFETY: a big block begins its region, which is nobody's any more.
        unsafe { region::unmap(region::find(block)) };
    } else {
        // SAFETY: by the contract above.
        unsafe { arena::release(block, layout.size(), layout.align()) };
    }
}

thread_local! {
    /// Where this thread's allocations go.
    static SCOPE: Cell<Kind> = const { Cell::new(Kind::Heap) };
}

/// Runs `body`; what it allocates, in Rust or in AWS-LC, goes to the secret arenas. For private-key operations.
pub(crate) fn key_scope<T>(body: impl FnOnce() -> T) -> T {
    struct Back(Kind);
    impl Drop for Back {
        fn drop(&mut self) {
            SCOPE.set(self.0);
        }
    }
    let _back = Back(SCOPE.replace(Kind::Secret));
    body()
}

/// The library's global allocator.
#[derive(Debug)]
pub(crate) struct Vault;

// SAFETY: blocks come from regions that are ours alone, with the size and alignment asked for, and stay until released.
unsafe impl GlobalAlloc for Vault {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocate(SCOPE.get(), layout).map_or(null_mut(), NonNull::as_ptr)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        allocate_zeroed(SCOPE.get(), layout).map_or(null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(block) = NonNull::new(block) {
            // SAFETY: the caller promises that the block came from this allocator with this layout.
            unsafe { release(block, layout) };
        }
    }
}

/// Bytes before a block that C allocates: its size, and what keeps it aligned.
const PREFIX: usize = 16;

fn c_layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(PREFIX)?, PREFIX).ok()
}

/// `malloc` for AWS-LC.
pub(crate) extern "C" fn c_malloc(size: usize, _: *const c_char, _: c_int) -> *mut c_void {
    let Some(block) = c_layout(size).and_then(|layout| allocate(SCOPE.get(), layout).ok()) else { return null_mut() };
    // SAFETY: the block is PREFIX bytes longer than `size`, and aligned for a usize.
    unsafe {
        block.cast::<usize>().write(size);
        block.add(PREFIX).as_ptr().cast()
    }
}

/// `free` for AWS-LC.
pub(crate) unsafe extern "C" fn c_free(block: *mut c_void, _: *const c_char, _: c_int) {
    let Some(block) = NonNull::new(block.cast::<u8>()) else { return };
    // SAFETY: AWS-LC gives back what c_malloc gave it: its size stands before it.
    unsafe {
        let block = block.sub(PREFIX);
        if let Some(layout) = c_layout(block.cast::<usize>().read()) {
            release(block, layout);
        }
    }
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
        let known = old.cast::<u8>().sub(PREFIX).cast::<usize>().read();
        std::ptr::copy_nonoverlapping(old.cast::<u8>(), new.cast::<u8>(), known.min(size));
        c_free(old, file, line);
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("a layout")
    }

    fn kind_of(block: NonNull<u8>) -> Kind {
        // SAFETY: a live block, small or the beginning of its region.
        unsafe { region::find(block).as_ref() }.kind
    }

    #[test]
    fn blocks_of_every_size_are_aligned_and_do_not_overlap() {
        let mut blocks = Vec::new();
        for size in [1, 7, 16, 100, 4095, 4096, 5000, BIG - 1, BIG, BIG + 1, 3_000_000] {
            for align in [1, 8, 16, 64, 4096] {
                for kind in [Kind::Heap, Kind::Secret, Kind::Wire] {
                    let block = allocate(kind, layout(size, align)).expect("memory");
                    assert_eq!(block.addr().get() % align, 0);
                    // SAFETY: just allocated, `size` bytes long.
                    unsafe { block.write_bytes(u8::try_from(blocks.len() % 251).expect("small"), size) };
                    blocks.push((block, size, align));
                }
            }
        }
        for (i, (block, size, align)) in blocks.into_iter().enumerate() {
            // SAFETY: allocated above with this layout, and filled.
            unsafe {
                let bytes = std::slice::from_raw_parts(block.as_ptr(), size);
                assert!(bytes.iter().all(|&byte| usize::from(byte) == i % 251), "block {i} was overwritten");
                release(block, layout(size, align));
            }
        }
    }

    #[test]
    fn a_freed_block_holds_nothing_of_what_was_in_it() {
        let neighbour = allocate(Kind::Secret, layout(64, 16)).expect("memory");
        let block = allocate(Kind::Secret, layout(1000, 16)).expect("memory");
        // SAFETY: just allocated; the neighbour keeps its arena's region mapped while the freed bytes are read.
        unsafe {
            block.write_bytes(0xa5, 1000);
            release(block, layout(1000, 16));
            let left = (0..1000).filter(|i| block.add(*i).read_volatile() == 0xa5).count();
            assert!(left < 8, "{left} bytes are left");
            release(neighbour, layout(64, 16));
        }
    }

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
    fn a_key_scope_sends_rusts_and_cs_allocations_to_the_secrets() {
        let (inside, from_c) = key_scope(|| (Box::new([7_u8; 100]), c_malloc(10, std::ptr::null(), 0)));
        let outside = Box::new([7_u8; 100]);
        if cfg!(feature = "capi") {
            assert_eq!(kind_of(NonNull::from(&*inside).cast()), Kind::Secret);
            assert_eq!(kind_of(NonNull::from(&*outside).cast()), Kind::Heap);
        }
        assert_eq!(kind_of(NonNull::new(from_c.cast()).expect("memory")), Kind::Secret);
        // SAFETY: from c_malloc, freed once.
        unsafe { c_free(from_c, std::ptr::null(), 0) };
    }

    #[test]
    fn sixteen_threads_allocate_and_free_each_others_blocks() {
        let (send, receive) = std::sync::mpsc::channel::<(usize, usize)>();
        let receive = std::sync::Mutex::new(receive);
        std::thread::scope(|scope| {
            for thread in 0..16_usize {
                let (send, receive) = (send.clone(), &receive);
                scope.spawn(move || {
                    for i in 0..500_usize {
                        let size = 1 + (thread * 7919 + i * 104_729) % 70_000;
                        let block = allocate(Kind::Secret, layout(size, 16)).expect("memory");
                        // SAFETY: just allocated, `size` bytes long.
                        unsafe { block.write_bytes(0x11, size) };
                        send.send((block.as_ptr().expose_provenance(), size)).expect("a receiver");
                        let (other, size) = receive.lock().expect("no panic").recv().expect("as many as were sent");
                        let other = NonNull::new(std::ptr::with_exposed_provenance_mut::<u8>(other)).expect("a block");
                        // SAFETY: some thread's block, handed over with its size; released once.
                        unsafe {
                            assert_eq!(other.add(size - 1).read(), 0x11);
                            release(other, layout(size, 16));
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn sizes_beyond_any_machine_are_refused() {
        for size in [1 << 47, isize::MAX.unsigned_abs() - 15] {
            assert_eq!(allocate(Kind::Heap, layout(size, 16)), Err(Refusal::Memory));
        }
        assert!(c_malloc(usize::MAX, std::ptr::null(), 0).is_null());
        assert_eq!(allocate(Kind::Heap, layout(16, 1 << 20)), Err(Refusal::Memory));
    }
}
