//! What goes on the wire: ciphertext and its packages. Not secret, so not locked; kept out of dumps and wiped all the
//! same.

use std::fmt;
use std::io::{self, Read};
use std::ops::Deref;

use super::block::Block;
use super::os;
use super::region::Kind;
use super::scope::deliver_signals;
use crate::error::Result;

/// The first allocation of a buffer that is read into. It is also the least that is worth growing from.
const FIRST: usize = 64 * 1024;

/// A byte buffer for packages.
pub(crate) struct WireBuf {
    block: Block,
    len: usize,
}

impl WireBuf {
    /// An empty buffer with room for `capacity` bytes. `Status::Memory` when there is none.
    pub(crate) fn with_capacity(capacity: usize) -> Result<WireBuf> {
        Ok(WireBuf { block: Block::zeroed(Kind::Wire, capacity)?, len: 0 })
    }

    /// As [`with_capacity`](WireBuf::with_capacity), for a buffer that will be filled to the end.
    pub(crate) fn to_fill(capacity: usize) -> Result<WireBuf> {
        let mut buf = WireBuf::with_capacity(capacity)?;
        os::populate(buf.block.bytes_mut());
        Ok(buf)
    }

    /// Appends `more`. The caller sized the buffer: running over is a bug, and panics.
    pub(crate) fn push(&mut self, more: &[u8]) {
        self.append(more.len()).copy_from_slice(more);
    }

    /// Appends `len` zero bytes and hands them out to be filled.
    pub(crate) fn append(&mut self, len: usize) -> &mut [u8] {
        let start = self.len;
        self.len += len;
        &mut self.block.bytes_mut()[start..start + len]
    }

    /// Reads to the end. `first` is how many bytes the peer announced, and may be a lie. Therefore no allocation is
    /// larger than 64 KiB or twice the bytes that have arrived; the announcement can only make allocations smaller.
    pub(crate) fn read_to_end(mut from: impl Read, first: usize) -> Result<io::Result<WireBuf>> {
        // One byte more, so that the read that finds the end needs no larger buffer.
        let whole = first.saturating_add(1);
        let mut buf = WireBuf::with_capacity(whole.min(FIRST))?;
        loop {
            let capacity = buf.block.bytes().len();
            if buf.len == capacity {
                let most = FIRST.max(capacity.saturating_mul(2));
                let fits = whole > capacity && whole < most;
                let mut larger = WireBuf::with_capacity(if fits { whole } else { most })?;
                deliver_signals();
                larger.push(&buf);
                deliver_signals();
                buf = larger;
                deliver_signals();
            }
            match from.read(&mut buf.block.bytes_mut()[buf.len..]) {
                Ok(0) => return Ok(Ok(buf)),
                Ok(n) => buf.len += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Ok(Err(e)),
            }
        }
    }
}

impl Deref for WireBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.block.bytes()[..self.len]
    }
}

impl fmt::Debug for WireBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireBuf({} bytes)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Yields `left` bytes, at most `step` at once, and notes the largest buffer that it was given.
    struct Peer {
        left: usize,
        step: usize,
        arrived: usize,
        largest: usize,
    }

    impl Read for &mut Peer {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let capacity = self.arrived + buf.len();
            assert!(capacity <= FIRST.max(2 * self.arrived), "{capacity} bytes after {} arrived", self.arrived);
            self.largest = self.largest.max(capacity);
            let n = self.left.min(self.step).min(buf.len());
            self.left -= n;
            self.arrived += n;
            Ok(n)
        }
    }

    #[test]
    #[cfg(all(target_os = "linux", not(miri)))]
    fn the_pages_of_a_buffer_to_fill_are_there_at_once() {
        // The vault's pages may be larger than the kernel's (NOMYO_TEST_64K_PAGES).
        let len = 50 * os::page_size();
        // SAFETY: sysconf reads no memory of ours.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).expect("a size");
        let present = |buf: &WireBuf| {
            let bytes = &buf.block.bytes()[..len];
            let mut pages = vec![0_u8; len / page];
            // SAFETY: the block begins a page and is mapped; there is a byte of room for each of its pages.
            assert_eq!(unsafe { libc::mincore(bytes.as_ptr().cast_mut().cast(), len, pages.as_mut_ptr()) }, 0);
            pages.iter().filter(|page| **page & 1 == 1).count()
        };
        let mut buf = WireBuf::with_capacity(len).expect("memory");
        let at = buf.append(page).as_mut_ptr();
        // SAFETY: a whole page of the buffer; the advice changes no contents.
        if unsafe { libc::madvise(at.cast(), page, libc::MADV_POPULATE_WRITE) } != 0 {
            return; // a kernel older than Linux 5.14
        }
        assert_eq!(present(&WireBuf::to_fill(len).expect("memory")), len / page);
        assert_eq!(present(&WireBuf::with_capacity(len).expect("memory")), 0);
    }

    #[test]
    fn no_more_than_twice_the_bytes_that_arrived_is_allocated_whatever_is_announced() {
        for first in [0, 10, 1 << 16, 5_000_000, 2 << 30, usize::MAX] {
            for (left, step) in [(0, 1), (10, 1), (10, 100), (5_000_000, 1 << 20), (5_000_000, 1000)] {
                let mut peer = Peer { left, step, arrived: 0, largest: 0 };
                let read = WireBuf::read_to_end(&mut peer, first).expect("memory").expect("no error");
                assert_eq!((read.len(), peer.left), (left, 0));
            }
        }
    }

    #[test]
    fn a_true_announcement_ends_in_a_buffer_of_that_size() {
        for first in [10, 70_000, 5_000_000] {
            let mut peer = Peer { left: first, step: 1 << 20, arrived: 0, largest: 0 };
            WireBuf::read_to_end(&mut peer, first).expect("memory").expect("no error");
            assert_eq!(peer.largest, first + 1);
        }
    }

    #[test]
    fn reading_grows_past_what_was_expected() {
        let data: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        for first in [0, 10, 300_000, 1_000_000] {
            let read = WireBuf::read_to_end(&data[..], first).expect("memory").expect("no error");
            assert!(*read == *data);
        }
    }
}
