//! A region: pages of our own, with a guard page on both sides and a header apart.
//!
//! ```text
//! | header | guard |  data ... data  | guard |
//! ^ aligned to 1 MiB
//! ```
//! The header has a page of its own, because it must survive a fork that wipes the data. The rest of that page belongs to the
//! owner of the region. The header is found from any address within the region's first megabyte. Small blocks only ever live in
//! regions smaller than 1 MiB.

mod locks;
#[cfg(all(test, target_os = "linux", not(miri)))]
mod tests;

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::ptr::{NonNull, null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

pub(super) use self::locks::{all_locked, forget_locks, lock_as_asked, may_lock_more};
use super::mutex::Mutex;
use super::os;
use super::policy::{self, MemoryPolicy};

const ALIGNMENT: usize = 1 << 20;

/// Bytes of data from which on a region asks for huge pages. One page fault then brings 2 MiB instead of 4 KiB.
const HUGE: usize = 4 << 20;

/// The mark of a region that no arena owns.
pub(super) const NO_ARENA: u8 = u8::MAX;

/// What a region is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Everything the library allocates: locked, and inherited by a fork, because live state of std and of the crypto
    /// provider is in it.
    Heap,
    /// Secrets proper: locked, and zeros in a forked child.
    Secret,
    /// What goes on the wire: not locked.
    Wire,
}

/// Whether a region is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Lockedness {
    Unasked,
    Locked,
    Refused,
}

/// Why there is no region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unmapped {
    /// There are no addresses or no memory.
    NoMemory,
    /// The policy requires a lock, and the system refuses it.
    NotLocked,
}
use Unmapped::{NoMemory, NotLocked};

/// Whether a region is used if the policy requires its lock and the system refuses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unlockable {
    /// There is no such region.
    Refuse,
    /// The region is used all the same: the allocation cannot fail.
    Use,
}

/// The first page of a region. Linked, so that a forked child finds all of them. Only ever borrowed shared: any thread
/// may ask a region what it is while another changes its lock.
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Which arena carves small blocks from it.
    pub(super) arena: u8,
    /// Inherited by a fork and zero: nothing in it may be reused.
    dead: AtomicBool,
    data: NonNull<u8>,
    len: usize,
    /// A [`Lockedness`], only written while LIST is held.
    locked: AtomicU8,
    /// This and what follows: only touched while LIST is held. Whether somebody changes the lock at the moment.
    busy: Cell<bool>,
    /// The last pass of [`lock_as_asked`] that came here.
    pass: Cell<u64>,
    next: Cell<*const Header>,
    previous: Cell<*const Header>,
}

/// Bytes of a header page that are free for the owner of the region, behind the header.
pub(super) const ROOM: usize = 4096 - HEADER;
const HEADER: usize = 256;
const _: () = assert!(size_of::<Header>() <= HEADER);

/// The free bytes of a region's header page.
pub(super) fn room(header: NonNull<Header>) -> NonNull<u8> {
    // SAFETY: within the header's page, which is committed and no smaller than 4096 bytes.
    unsafe { header.byte_add(HEADER).cast() }
}

/// The region whose header page has this room.
///
/// # Safety
/// `room` came from [`room`], and the region is alive while the header is used.
pub(super) unsafe fn of_room<'a>(room: NonNull<u8>) -> &'a Header {
    // SAFETY: the header begins the page that the room is in, and is alive by the contract above.
    unsafe { room.byte_sub(HEADER).cast::<Header>().as_ref() }
}

/// Bytes mapped, locked and refused, over all regions that are to be locked; regions without a protection.
pub(super) static MAPPED: AtomicU64 = AtomicU64::new(0);
pub(super) static LOCKED: AtomicU64 = AtomicU64::new(0);
pub(super) static REFUSED: AtomicU64 = AtomicU64::new(0);
pub(super) static DUMPABLE: AtomicU64 = AtomicU64::new(0);
pub(super) static INHERITED: AtomicU64 = AtomicU64::new(0);

/// How often a lock that the policy requires was refused.
pub(super) static REFUSALS: AtomicU64 = AtomicU64::new(0);

/// Whether a lock was given back since somebody last asked.
static LOCK_GIVEN_BACK: AtomicBool = AtomicBool::new(false);

/// Guards the list of regions, the headers' links and locks, and the counters' agreement with them.
pub(super) static LIST: Mutex = Mutex::new();
/// Held while locks of regions in the list are changed, also across the system calls. Taken before LIST.
pub(super) static CHANGING: Mutex = Mutex::new();
static FIRST: Link = Link(Cell::new(null()));

struct Link(Cell<*const Header>);
// SAFETY: only touched while LIST is held.
unsafe impl Sync for Link {}

/// A region that is laid out but unused. It is neither locked nor counted.
struct Spare(Cell<*mut Header>);
// SAFETY: only touched while LIST is held.
unsafe impl Sync for Spare {}

/// One spare for the heap and one for secrets. They serve allocations that cannot report a failure if the system has no more
/// mappings.
static SPARES: [Spare; 2] = [const { Spare(Cell::new(null_mut())) }; 2];

/// Bytes of a spare, enough for the largest pool.
const SPARE: usize = 128 * 1024;

fn spare_for(kind: Kind) -> &'static Spare {
    &SPARES[usize::from(kind == Kind::Secret)]
}

/// Maps the spares if they are missing.
pub(super) fn keep_spares() -> Result<(), Unmapped> {
    for kind in [Kind::Heap, Kind::Secret] {
        if LIST.hold(|| spare_for(kind).0.get().is_null()) {
            let new = lay_out(kind, NO_ARENA, SPARE)?;
            let unused = LIST.hold(|| spare_for(kind).0.replace(new.as_ptr()));
            if !unused.is_null() {
                // SAFETY: another thread laid this spare out at the same time, and nobody uses it.
                unsafe { os::release(unused.cast(), SPARE + 3 * os::page_size()) };
            }
        }
    }
    Ok(())
}

/// Takes the spare of a kind, for `arena`.
pub(super) fn map_spare(kind: Kind, arena: u8, unlockable: Unlockable) -> Result<NonNull<Header>, Unmapped> {
    let spare = LIST.hold(|| spare_for(kind).0.replace(null_mut()));
    let header = NonNull::new(spare).ok_or(NoMemory)?;
    // SAFETY: laid out, and nobody else's.
    unsafe { (*spare).arena = arena };
    begin(header, unlockable)
}

/// Maps a region of at least `len` bytes of data, zeroed, and protects it as its kind asks.
pub(super) fn map(kind: Kind, arena: u8, len: usize, unlockable: Unlockable) -> Result<NonNull<Header>, Unmapped> {
    begin(lay_out(kind, arena, len)?, unlockable)
}

/// Maps a region.
fn lay_out(kind: Kind, arena: u8, len: usize) -> Result<NonNull<Header>, Unmapped> {
    let page = os::page_size();
    let len = len.checked_next_multiple_of(page).ok_or(NoMemory)?;
    let span = len.checked_add(3 * page).filter(|span| *span < isize::MAX as usize - ALIGNMENT).ok_or(NoMemory)?;
    let base = os::reserve(span, ALIGNMENT).ok_or(NoMemory)?;
    base.expose_provenance();
    // SAFETY: within the reservation: the header's page, a guard, then `len` bytes, then a guard.
    let data = unsafe { base.add(2 * page) };
    if len >= HUGE {
        // SAFETY: whole pages of the mapping just made.
        unsafe { os::prefer_huge_pages(data, len) };
    }
    // SAFETY: whole pages of the mapping just made.
    if !unsafe { os::commit(base, page) && os::commit(data, len) } {
        // SAFETY: the mapping just made, which nobody has seen.
        unsafe { os::release(base, span) };
        return Err(NoMemory);
    }
    let header: *mut Header = base.cast();
    let data = NonNull::new(data).ok_or(NoMemory)?;
    // SAFETY: the header's page is committed, aligned to 1 MiB, and larger than a header.
    unsafe {
        header.write(Header {
            kind,
            arena,
            dead: AtomicBool::new(false),
            data,
            len,
            locked: AtomicU8::new(Lockedness::Unasked as u8),
            busy: Cell::new(false),
            pass: Cell::new(0),
            next: Cell::new(null()),
            previous: Cell::new(null()),
        });
    }
    NonNull::new(header).ok_or(NoMemory)
}

/// Locks a region that was laid out and keeps it from dumps and forks, as its kind asks, and counts it.
fn begin(header: NonNull<Header>, unlockable: Unlockable) -> Result<NonNull<Header>, Unmapped> {
    // SAFETY: laid out, and alive until it is unmapped.
    let region = unsafe { header.as_ref() };
    let (data, len) = (region.data.as_ptr(), region.len);
    // SAFETY: whole pages of a private anonymous mapping, in which nothing is yet.
    let locked = unsafe { lock(region.kind, data, len) };
    if locked == Lockedness::Refused && unlockable == Unlockable::Refuse && policy::current() == MemoryPolicy::Require {
        // SAFETY: the whole mapping, which nobody else has seen.
        unsafe { os::release(header.as_ptr().cast(), len + 3 * os::page_size()) };
        REFUSALS.fetch_add(1, Ordering::Relaxed);
        return Err(NotLocked);
    }
    // SAFETY: as for the lock.
    let (undumpable, forgotten) =
        unsafe { (os::exclude_from_dumps(data, len), region.kind == Kind::Secret && os::wipe_on_fork(data, len)) };
    if !undumpable {
        DUMPABLE.fetch_add(1, Ordering::Relaxed);
    }
    if region.kind == Kind::Secret && !forgotten {
        INHERITED.fetch_add(1, Ordering::Relaxed);
    }
    LIST.hold(|| {
        region.set_locked(locked);
        // SAFETY: LIST is held; the header is alive and in no list yet.
        unsafe { link(header.as_ptr()) };
        count(region.kind, region.len, locked, |counter, by| counter.fetch_add(by, Ordering::Relaxed));
    });
    Ok(header)
}

/// Gives a region back. Its data must have been wiped.
///
/// # Safety
/// `header` came from [`map`] or [`find`], and nobody uses the region any more.
pub(super) unsafe fn unmap(header: NonNull<Header>) {
    let page = os::page_size();
    // SAFETY: alive by the contract above.
    let region = unsafe { header.as_ref() };
    let len = region.len;
    hold_when_idle(region, || {
        // SAFETY: LIST is held; the header is alive and linked.
        unsafe { unlink(region) };
        if !region.is_dead() {
            count(region.kind, len, region.locked(), |counter, by| counter.fetch_sub(by, Ordering::Relaxed));
        }
    });
    let was_locked = region.locked() == Lockedness::Locked;
    os::forget_exclusion(region.data.as_ptr());
    // SAFETY: the whole mapping, by the layout above; nobody uses it by the contract.
    unsafe { os::release(header.as_ptr().cast(), len + 3 * page) };
    if was_locked {
        LOCK_GIVEN_BACK.store(true, Ordering::Relaxed);
    }
}

/// Runs `body` with LIST held, at a moment when nobody changes the region's lock.
fn hold_when_idle(region: &Header, body: impl Fn()) {
    while !LIST.hold(|| {
        let is_idle = !region.busy.get();
        if is_idle {
            body();
        }
        is_idle
    }) {
        CHANGING.hold(|| ());
    }
}

/// Gives back the lock and the pages of a region, but not its addresses: they read as zeros, and can be written. Its data
/// must have been wiped.
///
/// # Safety
/// `header` came from [`find`], and nobody relies on what is in the region any more.
#[cfg(feature = "capi")]
pub(super) unsafe fn retire(header: NonNull<Header>) {
    // SAFETY: alive by the contract above.
    let region = unsafe { header.as_ref() };
    hold_when_idle(region, || {
        if !region.dead.swap(true, Ordering::Relaxed) {
            count(region.kind, region.len, region.locked(), |counter, by| counter.fetch_sub(by, Ordering::Relaxed));
            // SAFETY: whole pages of a private anonymous mapping of ours, whose contents are nobody's.
            unsafe { os::discard(region.data.as_ptr(), region.len) };
        }
    });
}

/// The region that `address` is in.
///
/// # Safety
/// `address` is within the first megabyte of a region that is alive.
pub(super) unsafe fn find(address: NonNull<u8>) -> NonNull<Header> {
    // The address may come from a pointer that is good for its block alone; the mapping's provenance was exposed.
    let header = address.addr().get() / ALIGNMENT * ALIGNMENT;
    NonNull::with_exposed_provenance(NonZeroUsize::new(header).unwrap_or(NonZeroUsize::MIN))
}

impl Header {
    /// Whether it was inherited by a fork, and zero: nothing in it may be reused.
    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Marks it as inherited and zero.
    pub(super) fn die(&self) {
        self.dead.store(true, Ordering::Relaxed);
    }

    pub(super) fn data(&self) -> NonNull<u8> {
        self.data
    }

    fn locked(&self) -> Lockedness {
        const ALL: [Lockedness; 3] = [Lockedness::Unasked, Lockedness::Locked, Lockedness::Refused];
        ALL[usize::from(self.locked.load(Ordering::Relaxed))]
    }

    /// LIST must be held.
    fn set_locked(&self, locked: Lockedness) {
        self.locked.store(locked as u8, Ordering::Relaxed);
    }

    /// Whether the policy requires a lock that the system refused.
    pub(super) fn lacks_its_lock(&self) -> bool {
        self.locked() == Lockedness::Refused && policy::current() == MemoryPolicy::Require
    }

    /// Whether the system refused to lock it.
    pub(super) fn is_refused(&self) -> bool {
        self.locked() == Lockedness::Refused
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }
}

/// Calls `body` with every region. LIST must be held by the caller, or there is one thread only (after a fork).
pub(super) fn for_each(mut body: impl FnMut(&Header)) {
    let mut at = FIRST.0.get();
    // SAFETY: linked headers are alive until they are unlinked, which needs LIST.
    while let Some(header) = unsafe { at.as_ref() } {
        at = header.next.get();
        body(header);
    }
}

/// Whether any region has data in `start..end`.
#[cfg(feature = "capi")]
pub(super) fn touches(start: usize, end: usize) -> bool {
    let mut found = false;
    LIST.hold(|| {
        for_each(|header| {
            let data = header.data.addr().get();
            found |= data < end && start < data + header.len;
        });
    });
    found
}

/// Whether some region of secrets is inherited by a fork.
pub(super) fn is_inherited() -> bool {
    INHERITED.load(Ordering::Relaxed) > 0
}

/// Locks a region's data, if its kind and the policy ask for it.
///
/// # Safety
/// `data..data + len` is mapped.
unsafe fn lock(kind: Kind, data: *mut u8, len: usize) -> Lockedness {
    if kind == Kind::Wire || policy::current() == MemoryPolicy::Off {
        return Lockedness::Unasked;
    }
    // SAFETY: by the contract above.
    if unsafe { os::lock(data, len) } { Lockedness::Locked } else { Lockedness::Refused }
}

fn count(kind: Kind, len: usize, locked: Lockedness, add: impl Fn(&AtomicU64, u64) -> u64) {
    if kind != Kind::Wire {
        add(&MAPPED, len as u64);
    }
    match locked {
        Lockedness::Unasked => 0,
        Lockedness::Locked => add(&LOCKED, len as u64),
        Lockedness::Refused => add(&REFUSED, len as u64),
    };
}

/// # Safety
/// LIST is held; `header` is alive and in no list.
unsafe fn link(header: *const Header) {
    let first = FIRST.0.get();
    // SAFETY: by the contract above; the first of the list is alive, if there is one.
    unsafe {
        (*header).next.set(first);
        if let Some(second) = first.as_ref() {
            second.previous.set(header);
        }
    }
    FIRST.0.set(header);
}

/// # Safety
/// LIST is held; `header` is alive and linked.
unsafe fn unlink(header: &Header) {
    let (previous, next) = (header.previous.get(), header.next.get());
    // SAFETY: by the contract above; linked neighbours are alive.
    unsafe {
        match previous.as_ref() {
            Some(before) => before.next.set(next),
            None => FIRST.0.set(next),
        }
        if let Some(after) = next.as_ref() {
            after.previous.set(previous);
        }
    }
}
