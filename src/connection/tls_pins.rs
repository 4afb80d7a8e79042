//! Which certificates of the server are accepted, if any were pinned.

use std::fmt;

use crate::crypto::Fingerprint;
use crate::error::{Error, Result};

/// The pinned certificates, by their public keys (RFC 7469, section 2.4). Without pins every verified chain is accepted.
#[derive(Clone, Debug, Default)]
pub(crate) struct TlsPins(Vec<Fingerprint>);

impl TlsPins {
    /// Adds a pin. `Status::Argument` for a text that is no fingerprint.
    pub(crate) fn add(&mut self, text: &str) -> Result<()> {
        let pin = Fingerprint::parse(text).ok_or_else(|| {
            Error::argument(
                "a TLS pin is the SHA-256 of a certificate's SubjectPublicKeyInfo: 64 hexadecimal digits, or sha256/ and its \
                 base64; nomyo_client_tls_chain() shows the ones of the server that is configured",
            )
        })?;
        self.0.push(pin);
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of `chain` is pinned, or nothing is.
    pub(super) fn accept(&self, chain: &[Fingerprint]) -> bool {
        self.0.is_empty() || chain.iter().any(|found| self.0.contains(found))
    }
}

impl fmt::Display for TlsPins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pins: Vec<_> = self.0.iter().map(|pin| pin.as_pin()).collect();
        f.write_str(&pins.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    #[test]
    fn one_pinned_certificate_of_the_chain_is_enough() {
        let chain = [b"leaf", b"root"].map(|spki| Fingerprint::of(spki));
        let mut pins = TlsPins::default();
        assert!(pins.accept(&chain));
        pins.add(&Fingerprint::of(b"other").as_pin()).expect("a pin");
        assert!(!pins.accept(&chain) && !pins.accept(&[]));
        pins.add(&Fingerprint::of(b"root").to_string()).expect("a pin");
        assert!(pins.accept(&chain));
        assert_eq!(pins.add("sha1/AAAA").expect_err("no fingerprint").status(), Status::Argument);
    }
}
