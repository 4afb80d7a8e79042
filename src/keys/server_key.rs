//! The server's public key: read from PEM, and refused unless it is RSA and strong.

use once_cell::sync::OnceCell;
use pem_rfc7468::LineEnding;
use pkcs1::RsaPublicKey;
use pkcs1::der::Decode;

use super::Fingerprint;
use super::spki;
use crate::crypto::PublicKey;
use crate::error::{Error, Result, Status};

/// The smallest modulus that a prompt is sealed for, in bits.
const MIN_BITS: usize = 3072;
const MIN_EXPONENT: u64 = 65_537;

/// A server's key that may be sealed for.
pub(crate) struct ServerKey {
    pub(crate) public: PublicKey,
    spki: Vec<u8>,
    fingerprint: Fingerprint,
    /// Set once the key is among the known servers, where there is a file of them.
    admitted: OnceCell<()>,
}

impl ServerKey {
    /// Reads SPKI (`PUBLIC KEY`) or PKCS#1 (`RSA PUBLIC KEY`) PEM; white space around it and CRLF are accepted.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<ServerKey> {
        let spki = spki::from_pem(pem).map_err(unusable)?;
        check(&spki)?;
        let (public, fingerprint) = (PublicKey::from_spki(&spki)?, Fingerprint::of(&spki));
        Ok(ServerKey { public, spki, fingerprint, admitted: OnceCell::new() })
    }

    /// What a pin of this key is.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Runs `admit`, until it has succeeded once.
    pub(super) fn admit_once(&self, admit: impl FnOnce() -> Result<()>) -> Result<()> {
        self.admitted.get_or_try_init(admit).copied()
    }

    /// The SubjectPublicKeyInfo as PEM.
    pub(crate) fn pem(&self) -> Result<String> {
        pem_rfc7468::encode_string("PUBLIC KEY", LineEnding::LF, &self.spki)
            .map_err(|_| Error::internal("the server's key could not be written as PEM"))
    }
}

/// Whether the key is RSA, of 3072 bits or more, with an odd modulus and an odd exponent of 65537 or more.
fn check(spki: &[u8]) -> Result<()> {
    let key = spki::rsa_key(spki).map_err(unusable)?;
    let key = RsaPublicKey::<pkcs1::der::asn1::UintRef<'_>>::from_der(key)
        .map_err(|_| unusable("its RSA numbers are broken"))?;
    let modulus = key.modulus.as_bytes();
    let bits = spki::bits(modulus);
    if bits < MIN_BITS {
        return Err(unusable(&format!("it has {bits} bits, and less than {MIN_BITS} are not safe to seal for")));
    }
    let exponent = key.public_exponent.as_bytes();
    let large = exponent.len() > 8 || exponent.iter().fold(0, |e, &b| e << 8 | u64::from(b)) >= MIN_EXPONENT;
    if !large || exponent.last().is_none_or(|byte| byte % 2 == 0) || modulus.last().is_none_or(|b| b % 2 == 0) {
        return Err(unusable("its modulus or its public exponent is not sound"));
    }
    Ok(())
}

fn unusable(why: &str) -> Error {
    Error::new(
        Status::Protocol,
        format!(
            "the server's public key cannot be used: {why}; nothing was sent; check that what gave it is a NOMYO endpoint"
        ),
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
        assert!(refused(serde_json::to_string(&pem).expect("JSON").as_bytes()).contains("not PEM"));
        assert!(refused(&pem.as_bytes()[..400]).contains("not PEM"));
    }

    #[test]
    fn an_unsound_exponent_or_modulus_is_refused() {
        let weakened = |modulus_end: u8, exponent: &[u8]| {
            let mut modulus = [0xd5; 512];
            modulus[511] = modulus_end;
            let key = RsaPublicKey {
                modulus: pkcs1::der::asn1::UintRef::new(&modulus).expect("a number"),
                public_exponent: pkcs1::der::asn1::UintRef::new(exponent).expect("a number"),
            };
            let der = key.to_der().expect("DER");
            let pem = pem_rfc7468::encode_string("RSA PUBLIC KEY", pem_rfc7468::LineEnding::LF, &der).expect("PEM");
            refused(pem.as_bytes())
        };
        assert!(weakened(0xd5, &[3]).contains("not sound"));
        assert!(weakened(0xd5, &[1, 0, 0]).contains("not sound"));
        assert!(weakened(0xd4, &[1, 0, 1]).contains("not sound"));
    }
}
