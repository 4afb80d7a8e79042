//! The password of a key file.

use crate::error::{Error, Result};
use crate::memory::SecretBuf;

const MIN_CHARACTERS: usize = 8;
/// The most that OpenSSL, and with it the Python SDK, reads.
const MAX_LEN: usize = 1023;

/// A password, or none. Any bytes, used as they are: no Unicode normalisation, as in OpenSSL and the SDKs.
#[derive(Debug)]
pub(crate) struct Password(SecretBuf);

impl Password {
    /// A copy of `bytes`, in the vault; empty for none.
    pub(crate) fn new(bytes: &[u8]) -> Result<Password> {
        SecretBuf::copy_of(bytes).map(Password)
    }

    /// None.
    #[cfg(test)]
    pub(crate) fn none() -> Password {
        Password::new(b"").expect("nothing needs no memory")
    }

    pub(crate) fn is_given(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// `Status::Argument` with a sentence when there is one.
    pub(crate) fn check_is_none(&self, why: &str) -> Result<()> {
        if self.is_given() { Err(Error::argument(why)) } else { Ok(()) }
    }

    /// Whether a file may be written with it: `Status::Argument` if it is shorter than 8 characters, longer than the
    /// SDKs read, or has a NUL byte. No password at all is the caller's choice.
    pub(super) fn check_for_writing(&self) -> Result<()> {
        let characters = std::str::from_utf8(&self.0).map_or(self.0.len(), |text| text.chars().count());
        if self.is_given() && characters < MIN_CHARACTERS {
            return Err(Error::argument(format!(
                "a key password has {MIN_CHARACTERS} characters at least; nothing was written: choose a longer one"
            )));
        }
        if self.0.contains(&0) {
            return Err(Error::argument(
                "a key password with a NUL byte is one password with and without NUL bytes at its end, because HMAC pads with \
                 them; nothing was written: choose another",
            ));
        }
        if self.0.len() > MAX_LEN {
            return Err(Error::argument(format!(
                "a key password has {MAX_LEN} bytes at most; nothing was written: choose a shorter one"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_overlong_passwords_are_refused_for_writing_and_never_shown() {
        let check = |text: &str| Password::new(text.as_bytes()).expect("memory").check_for_writing();
        for bad in ["1234567", "pässwör", &"x".repeat(1024), "12345678\0", "1234\x005678", "\x0012345678"] {
            assert!(!check(bad).expect_err(bad).message().contains(bad));
        }
        for good in ["", "12345678", "pässwörd", &"x".repeat(1023)] {
            assert!(check(good).is_ok());
        }
        assert_eq!(format!("{:?}", Password::new(b"hunter22").expect("memory")), "Password(SecretBuf(8 bytes))");
    }
}
