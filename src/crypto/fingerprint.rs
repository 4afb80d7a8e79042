//! The fingerprint of a public key, as pins name it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{DIGEST_LEN, sha256};

/// SHA-256 of a SubjectPublicKeyInfo (DER), as in RFC 7469; shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; DIGEST_LEN]);

impl Fingerprint {
    pub(crate) fn of(spki: &[u8]) -> Fingerprint {
        Fingerprint(sha256(spki))
    }

    /// Reads 64 hexadecimal digits, or `sha256/` and base64 (standard alphabet, padded).
    pub(crate) fn parse(text: &str) -> Option<Fingerprint> {
        let bytes = match text.strip_prefix("sha256/") {
            Some(base64) => STANDARD.decode(base64).ok()?,
            None => from_hex(text)?,
        };
        bytes.try_into().ok().map(Fingerprint)
    }

    /// `sha256/` and base64.
    pub(crate) fn as_pin(self) -> String {
        format!("sha256/{}", STANDARD.encode(self.0))
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

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn hexadecimal_of_either_case_and_base64_name_the_same_key() {
        let of_abc = Fingerprint::of(b"abc");
        assert_eq!(Fingerprint::parse(HEX), Some(of_abc));
        assert_eq!(Fingerprint::parse(&HEX.to_uppercase()), Some(of_abc));
        assert_eq!(Fingerprint::parse("sha256/ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), Some(of_abc));
        assert_eq!(of_abc.to_string(), HEX);
        assert_eq!(of_abc.as_pin(), "sha256/ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }
}
