//! Every allocation of the library: wiped when it is freed, in regions of our own.

#[cfg(feature = "capi")]
use std::alloc::GlobalAlloc;
use std::alloc::Layout;
use std::cell::Cell;
use std::ptr::NonNull;
#[cfg(feature = "capi")]
use std::ptr::null_mut;

use super::region::{self, Header, Kind, NO_ARENA, Unlockable, Unmapped};
use super::{arena, fork, idle_stacks, os};

/// Blocks of this size and more get a region of their own.
const BIG: usize = 64 * 1024;

/// A block of `layout`. Big ones are zeroed, small ones hold anything. Refused if the policy requires a lock that the system
/// refuses.
pub(super) fn allocate(kind: Kind, layout: Layout) -> Result<NonNull<u8>, Unmapped> {
    with_all_room(|| allocate_from(kind, layout, Unlockable::Refuse))
}

/// The same for an allocation that cannot fail: a lock that is required and refused is noted, for [`took_unlocked`].
#[cfg(feature = "capi")]
pub(super) fn allocate_unfailingly(kind: Kind, layout: Layout) -> Result<NonNull<u8>, Unmapped> {
    match allocate(kind, layout) {
        Err(Unmapped::NotLocked) => {
            UNLOCKED.set(true);
            allocate_from(kind, layout, Unlockable::Use)
        }
        other => other,
    }
}

/// A region for one owner.
pub(super) fn region_of_its_own(kind: Kind, len: usize) -> Result<NonNull<Header>, Unmapped> {
    fork::watch();
    with_all_room(|| region::map(kind, NO_ARENA, len, Unlockable::Refuse))
}

fn allocate_from(kind: Kind, layout: Layout, unlockable: Unlockable) -> Result<NonNull<u8>, Unmapped> {
    fork::watch();
    if layout.align() > os::page_size() {
        return Err(Unmapped::NoMemory);
    }
    if layout.size() >= BIG {
        let header = region::map(kind, NO_ARENA, layout.size(), unlockable)?;
        // SAFETY: just mapped.
        return Ok(unsafe { header.as_ref() }.data());
    }
    let kind = if kind == Kind::Wire { Kind::Heap } else { kind };
    arena::allocate(kind, layout, unlockable)
}

/// Attempts it again with what is kept and not in use, if a lock is refused.
fn with_all_room<T>(attempt: impl Fn() -> Result<T, Unmapped>) -> Result<T, Unmapped> {
    attempt().or_else(|why| {
        if why == Unmapped::NotLocked {
            give_back();
            return attempt();
        }
        Err(why)
    })
}

/// Gives back memory that is kept and not in use.
pub(super) fn give_back() {
    while let Some(stack) = idle_stacks::take() {
        // SAFETY: wiped when it was kept, and nobody else has it.
        unsafe { region::unmap(stack) };
    }
    arena::trim();
}

/// Whether this thread was given memory without a lock that is required. [`forget_unlocked`] forgets it.
pub(super) fn took_unlocked() -> bool {
    UNLOCKED.get()
}

/// Everything is locked again.
pub(super) fn forget_unlocked() {
    UNLOCKED.set(false);
}

/// A block of `layout`, zero bytes.
pub(super) fn allocate_zeroed(kind: Kind, layout: Layout) -> Result<NonNull<u8>, Unmapped> {
    Ok(zeroed(allocate(kind, layout)?, layout))
}

fn zeroed(block: NonNull<u8>, layout: Layout) -> NonNull<u8> {
    if layout.size() < BIG {
        // SAFETY: just allocated, `layout.size()` bytes long.
        unsafe { block.write_bytes(0, layout.size()) };
    }
    block
}

/// Wipes a block and takes it back.
///
/// # Safety
/// `block` came from [`allocate`] with this layout, and nobody uses it any more.
pub(super) unsafe fn release(block: NonNull<u8>, layout: Layout) {
    // SAFETY: `layout.size()` bytes at `block` are ours by the contract above.
    os::wipe(unsafe { std::slice::from_raw_parts_mut(block.as_ptr(), layout.size()) });
    if layout.size() >= BIG {
        // SAFETY: a big block begins its region, which is nobody's any more.
        unsafe { region::unmap(region::find(block)) };
    } else {
        // SAFETY: by the contract above.
        unsafe { arena::release(block, layout) };
    }
}

thread_local! {
    /// Where this thread's allocations go.
    static SCOPE: Cell<Kind> = const { Cell::new(Kind::Heap) };
    /// Whether this thread was given memory without a lock that is required.
    static UNLOCKED: Cell<bool> = const { Cell::new(false) };
}

/// Where this thread's allocations go.
#[cfg(feature = "capi")]
pub(super) fn scope() -> Kind {
    SCOPE.get()
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
#[cfg(feature = "capi")]
#[derive(Debug)]
pub(crate) struct Vault;

#[cfg(feature = "capi")]
// SAFETY: blocks come from regions that are ours alone, with the size and alignment asked for, and stay until released.
unsafe impl GlobalAlloc for Vault {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocate_unfailingly(scope(), layout).map_or(null_mut(), NonNull::as_ptr)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        allocate_unfailingly(scope(), layout).map_or(null_mut(), |block| zeroed(block, layout).as_ptr())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(block) = NonNull::new(block) {
            // SAFETY: the caller promises that the block came from this allocator with this layout.
            unsafe { release(block, layout) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("a layout")
    }

    /// The largest block that is tried, how often threads take turns, and which bytes are looked at: an interpreter takes its time.
    const LARGEST: usize = if cfg!(miri) { BIG + 5000 } else { 3_000_000 };
    const ROUNDS: usize = if cfg!(miri) { 4 } else { 500 };
    const STEP: usize = if cfg!(miri) { 997 } else { 1 };

    #[test]
    fn blocks_of_every_size_are_aligned_and_do_not_overlap() {
        let mut blocks = Vec::new();
        for size in [1, 7, 16, 100, 4095, 4096, 5000, BIG - 1, BIG, BIG + 1, LARGEST] {
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
                let mut looked_at = bytes.iter().step_by(STEP).chain(bytes.last());
                assert!(looked_at.all(|&byte| usize::from(byte) == i % 251), "block {i} was overwritten");
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
    #[cfg(all(feature = "capi", not(nomyo_system_allocator)))]
    fn a_key_scope_sends_rusts_allocations_to_the_secrets() {
        let (inside, outside) = (key_scope(|| Box::new([7_u8; 100])), Box::new([7_u8; 100]));
        // SAFETY: live small blocks of the global allocator, which is the vault.
        let kind_of = |block: &[u8; 100]| unsafe { region::find(NonNull::from(block).cast()).as_ref() }.kind;
        assert_eq!((kind_of(&inside), kind_of(&outside)), (Kind::Secret, Kind::Heap));
    }

    #[test]
    fn sixteen_threads_allocate_and_free_each_others_blocks() {
        let (send, receive) = std::sync::mpsc::channel::<(usize, usize)>();
        let receive = std::sync::Mutex::new(receive);
        std::thread::scope(|scope| {
            for thread in 0..16_usize {
                let (send, receive) = (send.clone(), &receive);
                scope.spawn(move || {
                    for i in 0..ROUNDS {
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
            assert_eq!(allocate(Kind::Heap, layout(size, 16)), Err(Unmapped::NoMemory));
        }
        assert_eq!(allocate(Kind::Heap, layout(16, 1 << 20)), Err(Unmapped::NoMemory));
    }
}
