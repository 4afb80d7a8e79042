//! A region: pages of our own, with a guard page on both sides and a header apart.
//!
//! ```text
//! | header | guard |  data ... data  | guard |
//! ^ aligned to 1 MiB
//! ```
//! The header is a page of its own so that it survives where the data is wiped by a fork, and so that it is found from
//! any address within the first megabyte: everything that is smaller than a region lives in one that small.

use std::cell::Cell;
use std::ptr::{NonNull, null};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::lock::Lock;
use super::policy::{self, Policy};
use super::system;

const ALIGNMENT: usize = 1 << 20;

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
enum Lockedness {
    Unasked,
    Locked,
    Refused,
}

/// There are no addresses or no memory for a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoMemory;

/// The first page of a region. Linked, so that a forked child finds all of them. Only ever borrowed shared: any thread
/// may ask a region what it is while another changes its lock.
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Which arena carves small blocks from it.
    pub(super) arena: u8,
    /// Inherited by a fork and zero: nothing in it may be reused.
    pub(super) dead: AtomicBool,
    data: NonNull<u8>,
    len: usize,
    /// This and the links: only touched while LIST is held.
    locked: Cell<Lockedness>,
    next: Cell<*const Header>,
    previous: Cell<*const Header>,
}

/// Bytes mapped, locked and refused, over all regions that are to be locked; regions without a protection.
pub(super) static MAPPED: AtomicU64 = AtomicU64::new(0);
pub(super) static LOCKED: AtomicU64 = AtomicU64::new(0);
pub(super) static REFUSED: AtomicU64 = AtomicU64::new(0);
pub(super) static DUMPABLE: AtomicU64 = AtomicU64::new(0);
pub(super) static INHERITED: AtomicU64 = AtomicU64::new(0);

/// Guards the list of regions, the headers' links and locks, and the counters' agreement with them.
pub(super) static LIST: Lock = Lock::new();
static FIRST: Link = Link(Cell::new(null()));

struct Link(Cell<*const Header>);
// SAFETY: only touched while LIST is held.
unsafe impl Sync for Link {}

/// Maps a region of at least `len` bytes of data, zeroed, and protects it as its kind asks.
pub(super) fn map(kind: Kind, arena: u8, len: usize) -> Result<NonNull<Header>, NoMemory> {
    let page = system::page_size();
    let len = len.checked_next_multiple_of(page).ok_or(NoMemory)?;
    let span = len.checked_add(3 * page).filter(|span| *span < isize::MAX as usize - ALIGNMENT).ok_or(NoMemory)?;
    let base = reserve_aligned(span).ok_or(NoMemory)?;
    // SAFETY: within the reservation: the header's page, a guard, then `len` bytes, then a guard.
    let data = unsafe { base.add(2 * page) };
    // SAFETY: whole pages of the mapping just made.
    if !unsafe { system::commit(base, page) && system::commit(data, len) } {
        // SAFETY: the mapping just made, which nobody has seen.
        unsafe { system::unmap(base, span) };
        return Err(NoMemory);
    }
    // SAFETY: whole pages of the mapping just made, private and anonymous.
    let (undumpable, forgotten, locked) = unsafe {
        (
            system::exclude_from_dumps(data, len),
            kind == Kind::Secret && system::wipe_on_fork(data, len),
            lock(kind, data, len),
        )
    };
    let header: *mut Header = base.cast();
    let data = NonNull::new(data).ok_or(NoMemory)?;
    // SAFETY: the header's page is committed, aligned to 1 MiB, and larger than a header.
    unsafe {
        let dead = AtomicBool::new(false);
        let (locked, next, previous) = (Cell::new(locked), Cell::new(null()), Cell::new(null()));
        header.write(Header { kind, arena, dead, data, len, locked, next, previous });
    }
    LIST.hold(|| {
        // SAFETY: LIST is held; the header is alive and in no list yet.
        unsafe { link(header) };
        count(kind, len, locked, |counter, by| counter.fetch_add(by, Ordering::Relaxed));
    });
    if !undumpable {
        DUMPABLE.fetch_add(1, Ordering::Relaxed);
    }
    if kind == Kind::Secret && !forgotten {
        INHERITED.fetch_add(1, Ordering::Relaxed);
    }
    NonNull::new(header).ok_or(NoMemory)
}

/// Gives a region back. Its data must have been wiped.
///
/// # Safety
/// `header` came from [`map`] or [`find`], and nobody uses the region any more.
pub(super) unsafe fn unmap(header: NonNull<Header>) {
    let page = system::page_size();
    // SAFETY: alive by the contract above.
    let region = unsafe { header.as_ref() };
    let len = region.len;
    LIST.hold(|| {
        // SAFETY: LIST is held; the header is alive and linked.
        unsafe { unlink(region) };
        if !region.dead.load(Ordering::Relaxed) {
            count(region.kind, len, region.locked.get(), |counter, by| counter.fetch_sub(by, Ordering::Relaxed));
        }
    });
    // SAFETY: the whole mapping, by the layout above; nobody uses it by the contract.
    unsafe { system::unmap(header.as_ptr().cast(), len + 3 * page) };
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
    LIST.hold(|| {
        if !region.dead.swap(true, Ordering::Relaxed) {
            count(region.kind, region.len, region.locked.get(), |counter, by| counter.fetch_sub(by, Ordering::Relaxed));
            // SAFETY: whole pages of a private anonymous mapping of ours, whose contents are nobody's.
            unsafe { system::discard(region.data.as_ptr(), region.len) };
        }
    });
}

/// The region that `address` is in.
///
/// # Safety
/// `address` is within the first megabyte of a region that is alive.
pub(super) unsafe fn find(address: NonNull<u8>) -> NonNull<Header> {
    // SAFETY: rounded down it stays within the region's mapping, which begins at that boundary.
    unsafe { address.byte_sub(address.addr().get() % ALIGNMENT).cast() }
}

impl Header {
    pub(super) fn data(&self) -> NonNull<u8> {
        self.data
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

/// Whether everything that is to be locked is.
pub(super) fn all_locked() -> bool {
    LIST.hold(|| LOCKED.load(Ordering::Relaxed) >= MAPPED.load(Ordering::Relaxed))
}

/// Makes the regions' locks what the policy in force asks for: locks what is not locked, or unlocks everything. Says
/// whether everything is locked then.
pub(super) fn lock_as_asked() -> bool {
    LIST.hold(|| {
        for_each(|header| {
            let off = policy::current() == Policy::Off;
            let as_asked = if off { Lockedness::Unasked } else { Lockedness::Locked };
            let dead = header.dead.load(Ordering::Relaxed);
            if dead || header.kind == Kind::Wire || header.locked.get() == as_asked {
                return;
            }
            let was = header.locked.get();
            // SAFETY: the region is alive while LIST is held.
            let is = unsafe {
                if was == Lockedness::Locked {
                    system::unlock(header.data.as_ptr(), header.len);
                }
                lock(header.kind, header.data.as_ptr(), header.len)
            };
            header.locked.set(is);
            count(header.kind, header.len, was, |counter, by| counter.fetch_sub(by, Ordering::Relaxed));
            count(header.kind, header.len, is, |counter, by| counter.fetch_add(by, Ordering::Relaxed));
        });
        LOCKED.load(Ordering::Relaxed) >= MAPPED.load(Ordering::Relaxed)
    })
}

/// In a forked child: no lock is inherited.
pub(super) fn forget_locks() {
    LIST.hold(|| {
        for counter in [&MAPPED, &LOCKED, &REFUSED] {
            counter.store(0, Ordering::Relaxed);
        }
        for_each(|header| {
            if !header.dead.load(Ordering::Relaxed) {
                let locked = Lockedness::Unasked;
                header.locked.set(locked);
                count(header.kind, header.len, locked, |counter, by| counter.fetch_add(by, Ordering::Relaxed));
            }
        });
    });
}

/// Locks a region's data, if its kind and the policy ask for it.
///
/// # Safety
/// `data..data + len` is mapped.
unsafe fn lock(kind: Kind, data: *mut u8, len: usize) -> Lockedness {
    if kind == Kind::Wire || policy::current() == Policy::Off {
        return Lockedness::Unasked;
    }
    // SAFETY: by the contract above.
    if unsafe { system::lock(data, len) } { Lockedness::Locked } else { Lockedness::Refused }
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

/// Reserves `span` bytes that begin at a multiple of ALIGNMENT.
fn reserve_aligned(span: usize) -> Option<*mut u8> {
    let wide = system::reserve(span + ALIGNMENT)?;
    let before = wide.addr().next_multiple_of(ALIGNMENT) - wide.addr();
    let span = span.next_multiple_of(system::page_size());
    // SAFETY: the aligned part lies within the reservation; what is before and behind it is whole pages of it.
    unsafe {
        let base = wide.add(before);
        system::unmap(wide, before);
        system::unmap(base.add(span), ALIGNMENT - before);
        Some(base)
    }
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
