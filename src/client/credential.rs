//! A credential that a configuration, options or a client keep until a call uses it.

use std::fmt;

use crate::error::{Error, Result, Status};
use crate::memory::{OwnProcess, SecretBuf};

/// An API key or a key password, bound to the process that set it. In a forked child its bytes read as zeros. Without this
/// check a child would encrypt a key file with a password of zeros.
pub(super) struct Credential {
    name: &'static str,
    secret: OwnProcess<SecretBuf>,
    is_empty: bool,
}

impl Credential {
    /// Error messages contain `name`.
    pub(super) fn new(name: &'static str, secret: SecretBuf) -> Credential {
        let is_empty = secret.is_empty();
        Credential { name, secret: OwnProcess::new(secret), is_empty }
    }

    /// Whether the caller set an empty credential.
    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// The bytes. `Status::Forked` in a child of the process that set them, unless the credential is empty.
    pub(super) fn bytes(&self) -> Result<&[u8]> {
        if self.is_empty {
            return Ok(&[]);
        }
        self.secret.get().map(|secret| &**secret).map_err(|_| {
            let advice = "was set before a fork, and its bytes stayed with the parent; set it again in the child";
            Error::new(Status::Forked, format!("the {} {advice}", self.name))
        })
    }

    /// A copy of the bytes that belongs to this process.
    pub(super) fn copied(&self) -> Result<Credential> {
        Ok(Credential::new(self.name, SecretBuf::copy_of(self.bytes()?)?))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty { "empty" } else { "given" })
    }
}
