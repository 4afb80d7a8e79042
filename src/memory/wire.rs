//! What goes on the wire: ciphertext and its packages. Not secret, so not locked; kept out of dumps and wiped all the
//! same.

use std::fmt;
use std::io::{self, Read};
use std::ops::Deref;

use super::block::Block;
use super::region::Kind;
use crate::error::Result;

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

    /// Reads to the end. `first` is how much is expected; the buffer grows when there is more.
    pub(crate) fn read_to_end(mut from: impl Read, first: usize) -> Result<io::Result<WireBuf>> {
        let mut buf = WireBuf::with_capacity(first.saturating_add(1))?;
        loop {
            let capacity = buf.block.bytes().len();
            if buf.len == capacity {
                let mut larger = WireBuf::with_capacity(capacity.saturating_mul(2))?;
                larger.push(&buf);
                buf = larger;
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

    #[test]
    fn reading_grows_past_what_was_expected() {
        let data: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        for first in [0, 10, 300_000, 1_000_000] {
            let read = WireBuf::read_to_end(&data[..], first).expect("memory").expect("no error");
            assert!(*read == *data);
        }
    }
}
