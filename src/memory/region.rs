//! A region: pages of our own, with a guard page on both sides and a header apart.
//!
//! ```text
//! | header | guard |  data ... data  | guard |
//! ^ aligned to 1 MiB
//! ```
//! The header is a page of its own so that it survives where the data is wiped by a fork, and so that it is found from
//! any address within the first megabyte: everything that is smaller than a region lives in one that small.

use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Why there is no region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No addresses or no memory.
    Memory,
    /// The policy requires a lock, and the system refused it.
    Lock,
}

/// The first page of a region. Linked, so that a forked child finds all of them.
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Which arena carves small blocks from it.
    pub(super) arena: u8,
    /// Inherited by a fork and zero: nothing in it may be reused.
    pub(super) dead: bool,
    locked: Lockedness,
    data: NonNull<u8>,
    len: usize,
    next: *mut Header,
    previous: *mut Header,
}

/// Bytes mapped, locked and refused, over all regions that are to be locked; regions without a protection.
pub(super) static MAPPED: AtomicU64 = AtomicU64::new(0);
pub(super) static LOCKED: AtomicU64 = AtomicU64::new(0);
pub(super) static REFUSED: AtomicU64 = AtomicU64::new(0);
pub(super) static DUMPABLE: AtomicU64 = AtomicU64::new(0);
pub(super) static INHERITED: AtomicU64 = AtomicU64::new(0);

/// Guards the list of regions and the headers' links.
pub(super) static LIST: Lock = Lock::new();
static FIRST: Link = Link(std::cell::UnsafeCell::new(null_mut()));

struct Link(std::cell::UnsafeCell<*mut Header>);
// SAFETY: only touched while LIST is held.
unsafe impl Sync for Link {}

/// Maps a region of at least `len` bytes of data, zeroed, and protects it as its kind asks.
pub(super) fn map(kind: Kind, arena: u8, len: usize) -> Result<NonNull<Header>, Refusal> {
    let page = system::page_size();
    let len = len.checked_next_multiple_of(page).ok_or(Refusal::Memory)?;
    let span =
        len.checked_add(3 * page).filter(|span| *span < isize::MAX as usize - ALIGNMENT).ok_or(Refusal::Memory)?;
    let base = reserve_aligned(span).ok_or(Refusal::Memory)?;
    // SAFETY: within the reservation: the header's page, a guard, then `len` bytes, then a guard.
    let data = unsafe { base.add(2 * page) };
    // SAFETY: whole pages of the mapping just made.
    if !unsafe { system::commit(base, page) && system::commit(data, len) } {
        // SAFETY: the mapping just made, which nobody has seen.
        unsafe { system::unmap(base, span) };
        return Err(Refusal::Memory);
    }
    // SAFETY: whole pages of the mapping just made, private and anonymous.
    let (undumpable, forgotten, locked) = unsafe {
        (
            system::exclude_from_dumps(data, len),
            kind == Kind::Secret && system::wipe_on_fork(data, len),
            lock(kind, data, len),
        )
    };
    if kind == Kind::Secret && locked == Lockedness::Refused && policy::current() == Policy::Require {
        // SAFETY: the mapping just made, which nobody has seen.
        unsafe { system::unmap(base, span) };
        return Err(Refusal::Lock);
    }
    let header: *mut Header = base.cast();
    let data = NonNull::new(data).ok_or(Refusal::Memory)?;
    // SAFETY: the header's page is committed, aligned to 1 MiB, and larger than a header.
    unsafe {
        header.write(Header { kind, arena, dead: false, locked, data, len, next: null_mut(), previous: null_mut() });
    }
    LIST.hold(|| {
        // SAFETY: LIST is held; the header is alive and in no list yet.
        unsafe { link(header) };
    });
    count(kind, len, locked, |counter, by| counter.fetch_add(by, Ordering::Relaxed));
    if !undumpable {
        DUMPABLE.fetch_add(1, Ordering::Relaxed);
    }
    if kind == Kind::Secret && !forgotten {
        INHERITED.fetch_add(1, Ordering::Relaxed);
    }
    NonNull::new(header).ok_or(Refusal::Memory)
}

/// Gives a region back. Its data must have been wiped.
///
/// # Safety
/// `header` came from [`map`] or [`find`], and nobody uses the region any more.
pub(super) unsafe fn unmap(header: NonNull<Header>) {
    let page = system::page_size();
    // SAFETY: alive by the contract above.
    let (kind, len, locked, dead) = unsafe {
        let h = header.as_ref();
        (h.kind, h.len, h.locked, h.dead)
    };
    LIST.hold(|| {
        // SAFETY: LIST is held; the header is alive and linked.
        unsafe { unlink(header.as_ptr()) };
    });
    if !dead {
        count(kind, len, locked, |counter, by| counter.fetch_sub(by, Ordering::Relaxed));
    }
    // SAFETY: the whole mapping, by the layout above; nobody uses it by the contract.
    unsafe { system::unmap(header.as_ptr().cast(), len + 3 * page) };
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
pub(super) fn for_each(mut body: impl FnMut(&mut Header)) {
    // SAFETY: LIST is held or nobody else runs, by the contract above.
    let mut at = unsafe { *FIRST.0.get() };
    // SAFETY: linked headers are alive until they are unlinked, which needs LIST.
    while let Some(header) = unsafe { at.as_mut() } {
        at = header.next;
        body(header);
    }
}

/// Whether any region has data in `start..end`.
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

/// Makes the regions' locks what the policy in force asks for: locks what is not locked, or unlocks everything.
pub(super) fn lock_as_asked() {
    LIST.hold(|| {
        for_each(|header| {
            let off = policy::current() == Policy::Off;
            let as_asked = if off { Lockedness::Unasked } else { Lockedness::Locked };
            if header.dead || header.kind == Kind::Wire || header.locked == as_asked {
                return;
            }
            count(header.kind, header.len, header.locked, |counter, by| counter.fetch_sub(by, Ordering::Relaxed));
            // SAFETY: the region is alive while LIST is held.
            unsafe {
                if header.locked == Lockedness::Locked {
                    system::unlock(header.data.as_ptr(), header.len);
                }
                header.locked = lock(header.kind, header.data.as_ptr(), header.len);
            }
            count(header.kind, header.len, header.locked, |counter, by| counter.fetch_add(by, Ordering::Relaxed));
        });
    });
}

/// In a forked child: no lock is inherited.
pub(super) fn forget_locks() {
    for counter in [&MAPPED, &LOCKED, &REFUSED] {
        counter.store(0, Ordering::Relaxed);
    }
    LIST.hold(|| {
        for_each(|header| {
            if !header.dead {
                header.locked = Lockedness::Unasked;
                count(header.kind, header.len, header.locked, |counter, by| counter.fetch_add(by, Ordering::Relaxed));
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
unsafe fn link(header: *mut Header) {
    // SAFETY: by the contract above.
    unsafe {
        let first = FIRST.0.get();
        (*header).next = *first;
        if let Some(second) = (*first).as_mut() {
            second.previous = header;
        }
        *first = header;
    }
}

/// # Safety
/// LIST is held; `header` is alive and linked.
unsafe fn unlink(header: *mut Header) {
    // SAFETY: by the contract above; linked neighbours are alive.
    unsafe {
        let (previous, next) = ((*header).previous, (*header).next);
        match previous.as_mut() {
            Some(before) => before.next = next,
            None => *FIRST.0.get() = next,
        }
        if let Some(after) = next.as_mut() {
            after.previous = previous;
        }
    }
}
