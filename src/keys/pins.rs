//! Which keys of the server are accepted: those that were pinned, when any were.

use super::ServerKey;
use crate::crypto::Fingerprint;
use crate::error::{Error, Result, Status};

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
                "the server's key is not the pinned one: it is {}, pinned is {}. If the operator confirms the new \
                 key, pin it too; otherwise somebody sits between this client and the server",
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
