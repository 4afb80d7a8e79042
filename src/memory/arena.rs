//! Arenas: small blocks carved from regions, several arenas so that threads rarely wait for each other.
//!
//! Each region of an arena is a pool of its own (TLSF: Masmano and others, ECRTS 2004). The pool's bookkeeping is in the region's
//! header page. An arena keeps one pool with no block in use, because a block that comes and goes would map a pool each time.
//! An arena's lock is never held across a system call.

use std::alloc::Layout;
use std::cell::{Cell, UnsafeCell};
use std::ptr::{NonNull, null_mut};

use rlsf::Tlsf;

use super::mutex::Mutex;
use super::os;
use super::region::{self, Header, Kind, Unlockable, Unmapped};

/// Arenas of each kind. A thread moves to the next arena if another thread holds its own. Thus a process without contention
/// needs one arena of each kind.
const PER_KIND: u8 = 4;

static HEAPS: [Arena; PER_KIND as usize] = [const { Arena::new() }; PER_KIND as usize];
static SECRETS: [Arena; PER_KIND as usize] = [const { Arena::new() }; PER_KIND as usize];

/// Bytes of a pool, and bytes of a pool for a block that is larger than half of `POOL`.
const POOL: usize = 64 * 1024;
const LARGE_POOL: usize = 128 * 1024;

struct Arena {
    mutex: Mutex,
    /// The pools, linked.
    first: UnsafeCell<*mut Pool>,
}

// SAFETY: the pools are only touched while the mutex is held, or in a forked child that has one thread.
unsafe impl Sync for Arena {}

/// The bookkeeping of a region, in its header page.
struct Pool {
    blocks: Tlsf<'static, u16, u8, 13, 8>,
    /// Blocks handed out and not yet back.
    live: usize,
    next: *mut Pool,
}

const _: () = assert!(size_of::<Pool>() <= region::ROOM);

impl Arena {
    const fn new() -> Arena {
        Arena { mutex: Mutex::new(), first: UnsafeCell::new(null_mut()) }
    }

    /// A block of one of the existing pools.
    fn allocate(&self, layout: Layout, unlockable: Unlockable) -> Option<NonNull<u8>> {
        // SAFETY: the mutex is held.
        self.mutex.hold(|| unsafe { self.carve(layout, unlockable) })
    }

    /// # Safety
    /// The mutex is held.
    unsafe fn carve(&self, layout: Layout, unlockable: Unlockable) -> Option<NonNull<u8>> {
        // SAFETY: pools in the list are alive, and so are their regions; the mutex guards them.
        unsafe {
            let mut at = *self.first.get();
            while !at.is_null() {
                let is_usable = unlockable == Unlockable::Use || !region_of(at).lacks_its_lock();
                if let Some(block) = is_usable.then(|| (*at).blocks.allocate(layout)).flatten() {
                    (*at).live += 1;
                    return Some(block);
                }
                at = (*at).next;
            }
            None
        }
    }

    /// A block of a new pool. `map` maps the pool while the mutex is free.
    fn allocate_more(
        &self,
        layout: Layout,
        unlockable: Unlockable,
        map: impl FnOnce(usize) -> Result<NonNull<Header>, Unmapped>,
    ) -> Result<NonNull<u8>, Unmapped> {
        let large = layout.size().max(layout.align()) > POOL / 2;
        let header = map(if large { LARGE_POOL } else { POOL })?;
        let pool = pool_of(header);
        // SAFETY: the header page has room for a pool, and the region's data is nobody's yet.
        unsafe {
            let region = header.as_ref();
            pool.write(Pool { blocks: Tlsf::new(), live: 0, next: null_mut() });
            (*pool).blocks.insert_free_block_ptr(NonNull::slice_from_raw_parts(region.data(), region.len()));
        }
        // SAFETY: the mutex is held; the pool is alive, and becomes the first of the list.
        self.mutex.hold(|| unsafe {
            (*pool).next = *self.first.get();
            *self.first.get() = pool;
            self.carve(layout, unlockable).ok_or(Unmapped::NoMemory)
        })
    }

    /// # Safety
    /// The mutex is held, and `pool` is in the list.
    unsafe fn unlink(&self, pool: *mut Pool) {
        // SAFETY: by the contract above; pools in the list are alive.
        unsafe {
            let mut link = self.first.get();
            while *link != pool {
                link = &raw mut (**link).next;
            }
            *link = (*pool).next;
        }
    }

    /// Whether a pool other than `pool` has no block in use.
    ///
    /// # Safety
    /// The mutex is held.
    unsafe fn has_another_empty(&self, pool: *mut Pool) -> bool {
        // SAFETY: pools in the list are alive, and the mutex guards them.
        unsafe {
            let mut at = *self.first.get();
            while !at.is_null() && (at == pool || (*at).live > 0) {
                at = (*at).next;
            }
            !at.is_null()
        }
    }

    /// Gives back the pools in which no block is in use.
    fn trim(&self) {
        // SAFETY: the mutex is held; an unlinked pool is nobody's, and its blocks were wiped.
        while let Some(empty) = self.mutex.hold(|| unsafe {
            let mut at = *self.first.get();
            while !at.is_null() && (*at).live > 0 {
                at = (*at).next;
            }
            NonNull::new(at).inspect(|pool| self.unlink(pool.as_ptr()))
        }) {
            // SAFETY: as above.
            unsafe { region::unmap(region::find(empty.cast())) };
        }
    }
}

/// The region of a pool.
///
/// # Safety
/// The pool is alive as long as the header is used.
unsafe fn region_of<'a>(pool: *mut Pool) -> &'a Header {
    // SAFETY: a pool of a region is in the room of its header, and is not null.
    unsafe { region::of_room(NonNull::new_unchecked(pool.cast())) }
}

/// The pool of a region.
fn pool_of(header: NonNull<Header>) -> *mut Pool {
    region::room(header).cast().as_ptr()
}

/// A block that is smaller than a region, from an arena of `kind`: the thread's own arena, or any arena with room if the system
/// has no memory or refuses a lock. The contents are unspecified.
pub(super) fn allocate(kind: Kind, layout: Layout, unlockable: Unlockable) -> Result<NonNull<u8>, Unmapped> {
    let (mine, index) = own(kind);
    if let Some(block) = mine.allocate(layout, Unlockable::Refuse) {
        return Ok(block);
    }
    let more = |unlockable| mine.allocate_more(layout, unlockable, |len| region::map(kind, index, len, unlockable));
    more(Unlockable::Refuse).or_else(|why| {
        let elsewhere = of(kind).iter().find_map(|arena| arena.allocate(layout, Unlockable::Refuse));
        match (elsewhere, why, unlockable) {
            (Some(block), ..) => Ok(block),
            (None, Unmapped::NoMemory, _) => {
                mine.allocate_more(layout, unlockable, |_| region::map_spare(kind, index, unlockable))
            }
            (None, Unmapped::NotLocked, Unlockable::Refuse) => Err(why),
            (None, Unmapped::NotLocked, Unlockable::Use) => {
                mine.allocate(layout, unlockable).map_or_else(|| more(unlockable), Ok)
            }
        }
    })
}

/// Takes a block back. It must have been wiped.
///
/// # Safety
/// `block` came from [`allocate`] with this layout, and nobody uses it any more.
pub(super) unsafe fn release(block: NonNull<u8>, layout: Layout) {
    // SAFETY: a small block lies within the first megabyte of its region, which is alive as long as the block.
    let header = unsafe { region::find(block) };
    // SAFETY: as above.
    let (kind, index, dead) = unsafe {
        let header = header.as_ref();
        (header.kind, header.arena, header.is_dead())
    };
    if dead {
        return;
    }
    let (arena, pool) = (&of(kind)[usize::from(index)], pool_of(header));
    let block = NonNull::with_exposed_provenance(block.addr());
    // SAFETY: the mutex is held; by the contract above the block is one of this pool, with this alignment.
    let is_surplus = arena.mutex.hold(|| unsafe {
        (*pool).blocks.deallocate(block, layout.align());
        (*pool).live -= 1;
        let is_surplus = (*pool).live == 0 && arena.has_another_empty(pool);
        if is_surplus {
            arena.unlink(pool);
        }
        is_surplus
    });
    if is_surplus {
        // SAFETY: no block of it is in use, so nobody can reach into the region any more.
        unsafe { region::unmap(header) };
    }
}

fn of(kind: Kind) -> &'static [Arena; PER_KIND as usize] {
    if kind == Kind::Secret { &SECRETS } else { &HEAPS }
}

/// The calling thread's arena and its index. If another thread holds that arena at the moment, the thread moves to the next.
fn own(kind: Kind) -> (&'static Arena, u8) {
    thread_local! {
        static MINE: Cell<u8> = const { Cell::new(0) };
    }
    let arenas = of(kind);
    if arenas[usize::from(MINE.get())].mutex.is_held() {
        MINE.set((MINE.get() + 1) % PER_KIND);
    }
    (&arenas[usize::from(MINE.get())], MINE.get())
}

/// Gives back all pools in which no block is in use.
pub(super) fn trim() {
    for arena in HEAPS.iter().chain(&SECRETS) {
        arena.trim();
    }
}

/// Before a fork: no thread may be inside an arena while the memory is copied.
pub(super) fn acquire_all() {
    for arena in HEAPS.iter().chain(&SECRETS) {
        arena.mutex.acquire();
    }
}

/// After a fork, on both sides.
pub(super) fn release_all() {
    for arena in HEAPS.iter().chain(&SECRETS) {
        arena.mutex.release();
    }
}

/// In a forked child, before anything else: the regions of secrets read as zeros now. The arenas of secrets start again without
/// regions. The inherited regions stay mapped and are never used again.
///
/// # Safety
/// The calling thread is the only one, and holds all mutexes.
pub(super) unsafe fn forget_secrets() {
    for arena in &SECRETS {
        // SAFETY: by the contract above.
        unsafe { *arena.first.get() = null_mut() };
    }
    region::for_each(|header| {
        if header.kind == Kind::Secret {
            header.die();
            if region::is_inherited() {
                // The system refused MADV_WIPEONFORK or ignored it, so the region is wiped here.
                // SAFETY: the region is alive and this child's alone.
                os::wipe(unsafe { std::slice::from_raw_parts_mut(header.data().as_ptr(), header.len()) });
            }
        }
    });
}
