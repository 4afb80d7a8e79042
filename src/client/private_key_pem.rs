//! The text of a private key, for its owner.

use std::fmt;
use std::ops::Deref;

use crate::memory::SecretBuf;

/// A private key in PEM, in the vault. Wiped when it is dropped; `Debug` shows the length alone.
pub struct PrivateKeyPem(SecretBuf);

impl PrivateKeyPem {
    pub(super) fn new(text: SecretBuf) -> PrivateKeyPem {
        PrivateKeyPem(text)
    }
}

/// The text, in ASCII.
impl Deref for PrivateKeyPem {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PrivateKeyPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKeyPem({} bytes)", self.len())
    }
}
