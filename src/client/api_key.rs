//! The check of an API key, before it is used in an Authorization header.

use super::credential::Credential;
use crate::error::{Error, Result};
use crate::memory::SecretBuf;

const MAX_LEN: usize = 8192;

/// Checks `key` and copies it into the vault. Empty means that none is sent.
pub(super) fn checked(key: &[u8]) -> Result<Credential> {
    if key.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Err(Error::argument("the API key contains a line break; strip it (a file read whole ends in one)"));
    }
    if !key.iter().all(u8::is_ascii_graphic) {
        return Err(Error::argument("the API key may contain visible ASCII characters only, no spaces; check it"));
    }
    if key.len() > MAX_LEN {
        return Err(Error::argument(format!("the API key is longer than {MAX_LEN} bytes; check it")));
    }
    Ok(Credential::new("API key", SecretBuf::copy_of(key)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_the_header_is_refused_and_not_repeated() {
        for key in ["a\r\nX-Evil: 1", "a\n", "a b", " a", "a\0", "clé", "\u{7f}", &"x".repeat(8193)] {
            let error = checked(key.as_bytes()).expect_err("a bad key");
            assert!(!error.message().contains("Evil"));
        }
        let good = checked(b"NOMYO_AI_E2EE_INFERENCE").expect("a good key");
        assert_eq!(good.bytes().expect("its own process"), b"NOMYO_AI_E2EE_INFERENCE");
        assert!(checked(b"").expect("none").is_empty());
    }
}
