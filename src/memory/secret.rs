//! One secret: a byte buffer of fixed capacity that is wiped when it is dropped.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::block::Block;
use super::os;
use super::region::Kind;
use crate::error::Result;

/// Bytes that nobody else may see.
///
/// The capacity is set when the buffer is made and never changes: growing would leave a copy behind. Not `Clone`;
/// `Debug` prints the length alone; dropping wipes the whole capacity. Reads as zeros in a forked child.
pub(crate) struct SecretBuf {
    block: Block,
    len: usize,
}

impl SecretBuf {
    /// An empty buffer for up to `capacity` bytes. `Status::Memory` when there is no room, `Status::Security` when it
    /// cannot be locked and must be.
    pub(crate) fn with_capacity(capacity: usize) -> Result<SecretBuf> {
        Ok(SecretBuf { block: Block::zeroed(Kind::Secret, capacity)?, len: 0 })
    }

    /// `len` zero bytes, with room for `spare` more.
    pub(crate) fn zeroed(len: usize, spare: usize) -> Result<SecretBuf> {
        Ok(SecretBuf { block: Block::zeroed(Kind::Secret, len.saturating_add(spare))?, len })
    }

    /// A copy of `bytes`, and no room for more.
    pub(crate) fn copy_of(bytes: &[u8]) -> Result<SecretBuf> {
        let mut buf = SecretBuf::with_capacity(bytes.len())?;
        buf.push(bytes);
        Ok(buf)
    }

    /// Appends `more`. The caller sized the buffer: running over is a bug, and panics.
    pub(crate) fn push(&mut self, more: &[u8]) {
        let end = self.len + more.len();
        self.whole(end)[end - more.len()..end].copy_from_slice(more);
        self.len = end;
    }

    /// Keeps the first `len` bytes and wipes the rest.
    pub(crate) fn truncate(&mut self, len: usize) {
        if len < self.len {
            os::wipe(&mut self[len..]);
            self.len = len;
        }
    }

    /// Replaces `start..end` by `with`, in place. Running over the capacity is a bug, and panics.
    pub(crate) fn splice(&mut self, start: usize, end: usize, with: &[u8]) {
        let old = self.len;
        let new = old - (end - start) + with.len();
        let bytes = self.whole(new.max(old));
        bytes.copy_within(end..old, start + with.len());
        bytes[start..start + with.len()].copy_from_slice(with);
        self.len = new.max(old);
        self.truncate(new);
    }

    /// All bytes up to the capacity, of which `needed` are about to be used.
    fn whole(&mut self, needed: usize) -> &mut [u8] {
        assert!(needed <= self.block.bytes().len(), "a secret outgrew its buffer");
        self.block.bytes_mut()
    }
}

impl Deref for SecretBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.block.bytes()[..self.len]
    }
}

impl DerefMut for SecretBuf {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.block.bytes_mut()[..self.len]
    }
}

impl fmt::Debug for SecretBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBuf({} bytes)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    #[test]
    fn debug_shows_the_length_and_nothing_else() {
        let secret = SecretBuf::copy_of(b"hunter2").expect("seven bytes");
        assert_eq!(format!("{secret:?}"), "SecretBuf(7 bytes)");
    }

    #[test]
    #[should_panic(expected = "outgrew")]
    fn pushing_past_the_capacity_panics_instead_of_leaving_a_copy() {
        let mut secret = SecretBuf::copy_of(b"full").expect("four bytes");
        secret.push(b"!");
    }

    #[test]
    fn splice_shrinks_grows_and_keeps_the_rest() {
        let mut secret = SecretBuf::with_capacity(16).expect("sixteen bytes");
        secret.push(b"head-BODY-tail");
        secret.splice(5, 9, b"b");
        assert_eq!(&*secret, b"head-b-tail");
        secret.splice(5, 6, b"longer");
        assert_eq!(&*secret, b"head-longer-tail");
    }

    #[test]
    fn a_secret_too_large_for_any_machine_is_a_status_not_an_abort() {
        for capacity in [usize::MAX / 4, isize::MAX.unsigned_abs(), usize::MAX] {
            let error = SecretBuf::with_capacity(capacity).expect_err("no machine has that much");
            assert_eq!(error.status(), Status::Memory);
        }
    }
}
