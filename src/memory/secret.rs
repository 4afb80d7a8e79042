//! One secret: a byte buffer of fixed capacity that is wiped when it is dropped.

use std::fmt;
use std::ops::{Deref, DerefMut};

use zeroize::Zeroize;

use crate::error::{Error, Result, Status};

/// Bytes that nobody else may see.
///
/// The capacity is set when the buffer is made and never changes: growing would leave a copy behind. Not `Clone`;
/// `Debug` prints the length alone; dropping wipes the whole capacity.
pub(crate) struct SecretBuf {
    bytes: Vec<u8>,
}

impl SecretBuf {
    /// An empty buffer for up to `capacity` bytes. `Status::Memory` when there is no room.
    pub(crate) fn with_capacity(capacity: usize) -> Result<SecretBuf> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(capacity).map_err(|_| {
            Error::new(
                Status::Memory,
                format!("no memory for a secret of {capacity} bytes; free some, or send less at once"),
            )
        })?;
        Ok(SecretBuf { bytes })
    }

    /// `len` zero bytes, with room for `spare` more.
    pub(crate) fn zeroed(len: usize, spare: usize) -> Result<SecretBuf> {
        let mut buf = SecretBuf::with_capacity(len + spare)?;
        buf.bytes.resize(len, 0);
        Ok(buf)
    }

    /// A copy of `bytes`, and no room for more.
    pub(crate) fn copy_of(bytes: &[u8]) -> Result<SecretBuf> {
        let mut buf = SecretBuf::with_capacity(bytes.len())?;
        buf.push(bytes);
        Ok(buf)
    }

    /// Appends `more`. The caller sized the buffer: running over is a bug, and panics before it reallocates.
    pub(crate) fn push(&mut self, more: &[u8]) {
        assert!(more.len() <= self.bytes.capacity() - self.bytes.len(), "a secret outgrew its buffer");
        self.bytes.extend_from_slice(more);
    }

    /// Keeps the first `len` bytes and wipes the rest.
    pub(crate) fn truncate(&mut self, len: usize) {
        if len < self.bytes.len() {
            self.bytes[len..].zeroize();
            self.bytes.truncate(len);
        }
    }

    /// Replaces `start..end` by `with`, in place. Running over the capacity is a bug, and panics.
    pub(crate) fn splice(&mut self, start: usize, end: usize, with: &[u8]) {
        let old = self.bytes.len();
        let new = old - (end - start) + with.len();
        assert!(new <= self.bytes.capacity(), "a secret outgrew its buffer");
        if new > old {
            self.bytes.resize(new, 0);
        }
        self.bytes.copy_within(end..old, start + with.len());
        self.bytes[start..start + with.len()].copy_from_slice(with);
        self.truncate(new);
    }
}

impl Deref for SecretBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for SecretBuf {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for SecretBuf {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for SecretBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBuf({} bytes)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let error = SecretBuf::with_capacity(usize::MAX / 4).expect_err("no machine has that much");
        assert_eq!(error.status(), Status::Memory);
    }
}
