//! Which keys of the server are accepted: those that were pinned, when any were.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ServerKey;
use crate::crypto::{self, DIGEST_LEN};
use crate::error::{Error, Result, Status};

/// SHA-256 of a SubjectPublicKeyInfo (DER), as in RFC 7469; shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; DIGEST_LEN]);

impl Fingerprint {
    pub(super) fn of(spki: &[u8]) -> Fingerprint {
        Fingerprint(crypto::sha256(spki))
    }

    /// Reads 64 hexadecimal digits, or `sha256/` and base64 (standard alphabet, padded).
    pub(super) fn parse(text: &str) -> Option<Fingerprint> {
        let bytes = match text.strip_prefix("sha256/") {
            Some(base64) => STANDARD.decode(base64).ok()?,
            None => from_hex(text)?,
        };
        bytes.try_into().ok().map(Fingerprint)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect())?
}

/// The pinned keys; none means that any key is accepted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pins(Vec<Fingerprint>);

impl Pins {
    /// Adds one. `Status::Argument` for what is not a fingerprint.
    pub(crate) fn add(&mut self, text: &str) -> Result<()> {
        let pin = Fingerprint::parse(text).ok_or_else(|| {
            Error::argument(
                "a server key pin is the SHA-256 of the key's SubjectPublicKeyInfo: 64 hexadecimal digits, or sha256/ and \
                 its base64; nomyo_client_server_key() shows the one of the server that is configured",
            )
        })?;
        self.0.push(pin);
        Ok(())
    }

    /// `Status::Pin` when there are pins and `key` is none of them.
    pub(crate) fn check(&self, key: &ServerKey) -> Result<()> {
        if self.0.is_empty() || self.0.contains(&key.fingerprint()) {
            return Ok(());
        }
        let pinned: Vec<_> = self.0.iter().map(Fingerprint::to_string).collect();
        Err(Error::new(
            Status::Pin,
            format!(
                "the server's key is not the pinned one: it is {}, pinned is {}; nothing was sent. If the operator \
                 confirms the new key, pin it too; otherwise somebody sits between this client and the server",
                key.fingerprint(),
                pinned.join(" or ")
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn key() -> ServerKey {
        let path = format!("{}/tests/fixtures/protocol/keys/server_public.pem", env!("CARGO_MANIFEST_DIR"));
        ServerKey::from_pem(&std::fs::read(path).expect("a fixture")).expect("a good key")
    }

    #[test]
    fn hexadecimal_of_either_case_and_base64_name_the_same_key() {
        let of_abc = Fingerprint(crypto::sha256(b"abc"));
        assert_eq!(Fingerprint::parse(HEX), Some(of_abc));
        assert_eq!(Fingerprint::parse(&HEX.to_uppercase()), Some(of_abc));
        assert_eq!(Fingerprint::parse("sha256/ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), Some(of_abc));
        assert_eq!(of_abc.to_string(), HEX);
    }

    #[test]
    fn what_is_not_a_fingerprint_is_refused() {
        let long = format!("{HEX}00");
        let base64_without_padding = "sha256/ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0";
        for text in ["", "sha256/", &HEX[1..], &long, &HEX.replace('b', "g"), base64_without_padding, "sha1/AAAA"] {
            assert_eq!(Pins::default().add(text).expect_err(text).status(), Status::Argument);
        }
    }

    #[test]
    fn with_pins_only_the_pinned_keys_pass_and_the_error_shows_both() {
        let (mut pins, key) = (Pins::default(), key());
        assert!(pins.check(&key).is_ok());
        pins.add(HEX).expect("a pin");
        let error = pins.check(&key).expect_err("another key");
        assert_eq!(error.status(), Status::Pin);
        assert!(error.message().contains(HEX) && error.message().contains(&key.fingerprint().to_string()), "{error}");
        pins.add(&key.fingerprint().to_string()).expect("a pin");
        assert!(pins.check(&key).is_ok());
    }
}
