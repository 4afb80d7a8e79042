//! The server's public key: read from PEM, and refused unless it is RSA and strong.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};

use pem_rfc7468::LineEnding;
use pkcs1::RsaPublicKey;
use pkcs1::der::Decode;

use super::spki::{self, Beside};
use crate::crypto::{Fingerprint, PublicKey};
use crate::error::{Error, Result, Status};

/// The smallest modulus that a prompt is sealed for, in bits.
const MIN_BITS: usize = 3072;
/// The largest that both crypto providers take.
const MAX_BITS: usize = 8192;
const EXPONENTS: RangeInclusive<u64> = 65_537..=(1 << 33) - 1;

/// A server's key that may be sealed for.
pub(crate) struct ServerKey {
    pub(crate) public: PublicKey,
    spki: Vec<u8>,
    fingerprint: Fingerprint,
    /// Set once the key is among the known servers, where there is a file of them.
    admitted: AtomicBool,
}

impl ServerKey {
    /// Reads SPKI (`PUBLIC KEY`) or PKCS#1 (`RSA PUBLIC KEY`) PEM of any layout, without a private key beside it.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<ServerKey> {
        let spki = spki::from_pem(pem, Beside::PrivateIsRefused).map_err(|why| unusable(&why))?;
        check(&spki)?;
        let (public, fingerprint) = (PublicKey::from_spki(&spki)?, Fingerprint::of(&spki));
        Ok(ServerKey { public, spki, fingerprint, admitted: AtomicBool::new(false) })
    }

    /// What a pin of this key is.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Runs `admit`, until it has succeeded once. Threads that come before that run it side by side: no thread waits for
    /// another here.
    pub(super) fn admit_once(&self, admit: impl FnOnce() -> Result<()>) -> Result<()> {
        if !self.admitted.load(Ordering::Relaxed) {
            admit()?;
            self.admitted.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The SubjectPublicKeyInfo as PEM.
    pub(crate) fn pem(&self) -> Result<String> {
        pem_rfc7468::encode_string("PUBLIC KEY", LineEnding::LF, &self.spki)
            .map_err(|_| Error::internal("the server's key could not be written as PEM"))
    }
}

/// Whether the key is RSA, of 3072 to 8192 bits, with an odd modulus and an odd exponent from 65537 to 2^33-1.
fn check(spki: &[u8]) -> Result<()> {
    let key = spki::rsa_key(spki).map_err(unusable)?;
    let key = RsaPublicKey::<pkcs1::der::asn1::UintRef<'_>>::from_der(key)
        .map_err(|_| unusable("its RSA numbers are broken"))?;
    let modulus = key.modulus.as_bytes();
    let bits = spki::bits(modulus);
    if bits < MIN_BITS {
        return Err(unusable(&format!("it has {bits} bits, and less than {MIN_BITS} are not safe to seal for")));
    }
    if bits > MAX_BITS {
        return Err(unusable(&format!("it has {bits} bits, and more than {MAX_BITS} are not supported")));
    }
    if modulus.last().is_none_or(|byte| byte % 2 == 0) {
        return Err(unusable("its modulus is even, and so is not one of RSA"));
    }
    let exponent = key.public_exponent.as_bytes();
    let number = (exponent.len() <= 8).then(|| exponent.iter().fold(0, |e, &byte| e << 8 | u64::from(byte)));
    if number.is_none_or(|e| e % 2 == 0 || !EXPONENTS.contains(&e)) {
        return Err(unusable("its public exponent is not an odd number from 65537 to 2^33-1"));
    }
    Ok(())
}

fn unusable(why: &str) -> Error {
    Error::new(
        Status::Protocol,
        format!("the server's public key cannot be used: {why}; check that what gave it is a NOMYO endpoint"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use pkcs1::der::Encode;

    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/tests/fixtures/protocol/keys/{name}", env!("CARGO_MANIFEST_DIR"))).expect("a fixture")
    }

    fn refused(pem: &[u8]) -> String {
        let error = ServerKey::from_pem(pem).err().expect("a key to refuse");
        assert_eq!(error.status(), Status::Protocol);
        error.message().to_owned()
    }

    #[test]
    fn spki_and_pkcs1_are_read_with_crlf_and_white_space_around() {
        let pem = fixture("server_public.pem");
        assert!(ServerKey::from_pem(&pem).is_ok());
        assert!(ServerKey::from_pem(&fixture("client_public_pkcs1.pem")).is_ok());
        let crlf = String::from_utf8(pem.clone()).expect("ASCII").replace('\n', "\r\n");
        assert!(ServerKey::from_pem(crlf.as_bytes()).is_ok());
        assert!(ServerKey::from_pem(&[b"\n \t", &pem[..], b"\r\n  "].concat()).is_ok());
    }

    #[test]
    fn what_is_not_a_strong_rsa_public_key_is_refused_with_the_reason() {
        assert!(refused(&fixture("client1024_public.pem")).contains("1024 bits"));
        assert!(refused(&fixture("client2048_public.pem")).contains("2048 bits"));
        assert!(refused(&fixture("server_private.pem")).contains("private key"));
        assert!(refused(b"").contains("not PEM"));
        assert!(refused(b"<html>").contains("not PEM"));
        let pem = String::from_utf8(fixture("server_public.pem")).expect("ASCII");
        assert!(refused(serde_json::to_string(&pem).expect("JSON").as_bytes()).contains("backslash"));
        assert!(refused(&pem.as_bytes()[..400]).contains("no END line"));
    }

    #[test]
    fn a_private_key_beside_the_public_one_is_refused_and_so_are_two_public_ones() {
        let (public, private) = (fixture("server_public.pem"), fixture("server_private.pem"));
        assert!(refused(&[&public[..], &private].concat()).contains("holds a private key"));
        assert!(refused(&[&private[..], &public].concat()).contains("holds a private key"));
        assert!(refused(&[&public[..], &fixture("other_public.pem")].concat()).contains("several public keys"));
        let certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(ServerKey::from_pem(&[&certificate[..], &public].concat()).is_ok());
        assert!(refused(certificate).contains("openssl x509"));
    }

    #[test]
    fn an_unsound_exponent_or_modulus_is_refused() {
        let pem = |modulus: &[u8], exponent: &[u8]| {
            let key = RsaPublicKey {
                modulus: pkcs1::der::asn1::UintRef::new(modulus).expect("a number"),
                public_exponent: pkcs1::der::asn1::UintRef::new(exponent).expect("a number"),
            };
            let der = key.to_der().expect("DER");
            pem_rfc7468::encode_string("RSA PUBLIC KEY", pem_rfc7468::LineEnding::LF, &der).expect("PEM")
        };
        let refused = |modulus: &[u8], exponent: &[u8]| refused(pem(modulus, exponent).as_bytes());
        let modulus = [0xd5; 512];
        for exponent in [&[3][..], &[1, 0, 0], &[2, 0, 0, 0, 1], &[1, 0, 0, 0, 0, 0, 0, 0, 1]] {
            assert!(refused(&modulus, exponent).contains("public exponent"), "{exponent:?}");
        }
        for exponent in [&[1, 0, 1][..], &[1, 0, 3], &[1, 0xff, 0xff, 0xff, 0xff]] {
            assert!(ServerKey::from_pem(pem(&modulus, exponent).as_bytes()).is_ok(), "{exponent:?}");
        }
        assert!(refused(&[&modulus[..511], &[0xd4]].concat(), &[1, 0, 1]).contains("even"));
        assert!(refused(&[0xd5; 1025], &[1, 0, 1]).contains("8200 bits"));
        assert!(ServerKey::from_pem(pem(&[0xd5; 1024], &[1, 0, 1]).as_bytes()).is_ok());
        assert!(ServerKey::from_pem(pem(&[&[1][..], &[0xd5; 384]].concat(), &[1, 0, 1]).as_bytes()).is_ok());
    }
}
