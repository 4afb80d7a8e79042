//! Arenas: small blocks carved from regions by dlmalloc, several arenas so that threads rarely wait for each other.

use std::cell::{Cell, UnsafeCell};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

use dlmalloc::{Allocator, Dlmalloc};

use super::lock::Lock;
use super::region::{self, Kind, NoMemory};
use super::system;

/// Arenas of each kind. Measured with 16 threads (benches/RESULTS.md): more gain nothing on few cores, and each keeps a
/// region locked.
const PER_KIND: usize = 4;

static HEAPS: [Arena; PER_KIND] =
    [Arena::new(Kind::Heap, 0), Arena::new(Kind::Heap, 1), Arena::new(Kind::Heap, 2), Arena::new(Kind::Heap, 3)];
static SECRETS: [Arena; PER_KIND] = [
    Arena::new(Kind::Secret, 0),
    Arena::new(Kind::Secret, 1),
    Arena::new(Kind::Secret, 2),
    Arena::new(Kind::Secret, 3),
];

/// The marks of regions that no arena owns.
pub(super) const NO_ARENA: u8 = u8::MAX;

struct Arena {
    lock: Lock,
    inner: UnsafeCell<Inner>,
}

// SAFETY: `inner` is only touched while `lock` is held, or in a forked child that has one thread.
unsafe impl Sync for Arena {}

struct Inner {
    blocks: Dlmalloc<Source>,
    /// Blocks handed out and not yet back.
    live: usize,
}

/// Where an arena's regions come from.
struct Source {
    kind: Kind,
    arena: u8,
    regions: Cell<usize>,
}

// SAFETY: `alloc` returns fresh zeroed pages that nobody else has; `free` gives them back whole; the rest refuses.
unsafe impl Allocator for Source {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        match region::map(self.kind, self.arena, size) {
            Ok(header) => {
                self.regions.set(self.regions.get() + 1);
                // SAFETY: just mapped.
                let header = unsafe { header.as_ref() };
                (header.data().as_ptr(), header.len(), 0)
            }
            Err(NoMemory) => (null_mut(), 0, 0),
        }
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, data: *mut u8, _: usize) -> bool {
        let Some(data) = NonNull::new(data) else { return false };
        self.regions.set(self.regions.get() - 1);
        // SAFETY: dlmalloc gives back what `alloc` gave it: the data of a region, unused now; blocks were wiped.
        unsafe { region::unmap(region::find(data)) };
        true
    }

    fn can_release_part(&self, _: u32) -> bool {
        true
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        system::page_size()
    }
}

impl Inner {
    const fn new(kind: Kind, arena: u8) -> Inner {
        let source = Source { kind, arena, regions: Cell::new(0) };
        Inner { blocks: Dlmalloc::new_with_allocator(source), live: 0 }
    }
}

impl Arena {
    const fn new(kind: Kind, index: u8) -> Arena {
        Arena { lock: Lock::new(), inner: UnsafeCell::new(Inner::new(kind, index)) }
    }

    fn with<T>(&self, body: impl FnOnce(&mut Inner) -> T) -> T {
        // SAFETY: the lock is held, so this is the only reference.
        self.lock.hold(|| body(unsafe { &mut *self.inner.get() }))
    }

    fn allocate(&self, size: usize, align: usize) -> Result<NonNull<u8>, NoMemory> {
        self.with(|inner| {
            // SAFETY: size and alignment are those of a valid layout; dlmalloc is only used under the arena's lock.
            let block = NonNull::new(unsafe { inner.blocks.malloc(size, align) });
            inner.live += usize::from(block.is_some());
            block.ok_or(NoMemory)
        })
    }
}

/// A block of `size` bytes, less than a region's, from an arena of `kind`: the thread's own, or any that has room when
/// the system has none. Its contents are unspecified.
pub(super) fn allocate(kind: Kind, size: usize, align: usize) -> Result<NonNull<u8>, NoMemory> {
    let mine = shard();
    of(kind)[mine].allocate(size, align).or_else(|NoMemory| {
        let mut others = of(kind).iter().enumerate().filter(|(index, _)| *index != mine);
        others.find_map(|(_, arena)| arena.allocate(size, align).ok()).ok_or(NoMemory)
    })
}

/// Takes a block back. It must have been wiped.
///
/// # Safety
/// `block` came from [`allocate`] with this size and alignment, and nobody uses it any more.
pub(super) unsafe fn release(block: NonNull<u8>, size: usize, align: usize) {
    // SAFETY: a small block lies within the first megabyte of its region, which is alive as long as the block.
    let (kind, arena, dead) = unsafe {
        let header = region::find(block).as_ref();
        (header.kind, header.arena, header.dead.load(Ordering::Relaxed))
    };
    if dead {
        return;
    }
    of(kind)[usize::from(arena)].with(|inner| {
        // SAFETY: by the contract above; the arena is the one that the block's region names.
        unsafe { inner.blocks.free(block.as_ptr(), size, align) };
        inner.live -= 1;
        if inner.live == 0 && inner.blocks.allocator().regions.get() > 1 {
            let used = std::mem::replace(inner, Inner::new(kind, arena));
            // SAFETY: no block is live: nobody can reach into the regions any more.
            unsafe { used.blocks.destroy() };
        }
    });
}

fn of(kind: Kind) -> &'static [Arena; PER_KIND] {
    if kind == Kind::Secret { &SECRETS } else { &HEAPS }
}

/// The calling thread's arena, given out in turn.
fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    MINE.with(|mine| {
        if mine.get() == usize::MAX {
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed) % PER_KIND);
        }
        mine.get()
    })
}

/// Before a fork: no thread may be inside an arena while the memory is copied.
pub(super) fn acquire_all() {
    for arena in HEAPS.iter().chain(&SECRETS) {
        arena.lock.acquire();
    }
}

/// After a fork, on both sides.
pub(super) fn release_all() {
    for arena in HEAPS.iter().chain(&SECRETS) {
        arena.lock.release();
    }
}

/// In a forked child, before anything else: what dlmalloc knew of secrets reads as zeros now. The arenas begin anew, and
/// the regions that were theirs stay mapped and are never used again.
///
/// # Safety
/// The calling thread is the only one, and holds all locks.
pub(super) unsafe fn forget_secrets() {
    for (index, arena) in (0..).zip(&SECRETS) {
        // SAFETY: by the contract above; the old value is overwritten, not dropped: its metadata is gone.
        unsafe { arena.inner.get().write(Inner::new(Kind::Secret, index)) };
    }
    region::for_each(|header| {
        if header.kind == Kind::Secret {
            header.dead.store(true, Ordering::Relaxed);
            if region::INHERITED.load(Ordering::Relaxed) > 0 {
                // Some system call was refused: then by hand.
                // SAFETY: the region is alive and this child's alone.
                system::wipe(unsafe { std::slice::from_raw_parts_mut(header.data().as_ptr(), header.len()) });
            }
        }
    });
}
