//! RSA keys: the server's own pair and the client's public key.

use std::io;

use getrandom::SysRng;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::UnwrapErr;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, Oaep, RsaPrivateKey, RsaPublicKey};
use sha2::{Digest, Sha256};

const SERVER_BITS: usize = 4096;
const LEAST_BITS: u32 = 2048;

/// The operating system's generator, which does not fail on a machine that works.
pub(crate) type Rng = UnwrapErr<SysRng>;

/// The server's RSA pair, ready to be served.
pub(crate) struct ServerKey {
    private: RsaPrivateKey,
    /// SubjectPublicKeyInfo, as `/pki/public_key` serves it.
    pub public_pem: String,
    /// SHA-256 of the SubjectPublicKeyInfo DER, in lower-case hex.
    pub fingerprint: String,
}

impl ServerKey {
    /// A new key as PKCS#8 PEM. Takes seconds, and minutes without optimisation.
    pub fn generate_pem() -> io::Result<String> {
        let key = RsaPrivateKey::new(&mut UnwrapErr(SysRng), SERVER_BITS).map_err(io::Error::other)?;
        Ok(key.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?.to_string())
    }

    /// Reads PKCS#8 or PKCS#1.
    pub fn from_pem(pem: &str) -> io::Result<ServerKey> {
        let pem = pem.trim();
        let private = RsaPrivateKey::from_pkcs8_pem(pem)
            .or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem))
            .map_err(|_| invalid("the server key is not an RSA private key in PKCS#8 or PKCS#1 PEM"))?;
        if private.n().bits_vartime() < LEAST_BITS {
            return Err(invalid("the server key is shorter than 2048 bits"));
        }
        let public = private.to_public_key();
        let der = public.to_public_key_der().map_err(io::Error::other)?;
        Ok(ServerKey {
            public_pem: public.to_public_key_pem(LineEnding::LF).map_err(io::Error::other)?,
            fingerprint: base16ct::lower::encode_string(&Sha256::digest(der.as_bytes())),
            private,
        })
    }

    /// Unwraps an AES key, or says only that it failed.
    pub fn unwrap(&self, wrapped: &[u8]) -> Option<Vec<u8>> {
        if wrapped.len() != self.private.size() {
            return None;
        }
        self.private.decrypt_blinded(&mut UnwrapErr(SysRng), Oaep::<Sha256>::new(), wrapped).ok()
    }
}

/// A key that answers are encrypted to.
#[derive(Clone)]
pub(crate) struct ClientKey(RsaPublicKey);

impl ClientKey {
    /// Reads SubjectPublicKeyInfo PEM, with or without white space around it.
    pub fn from_pem(pem: &str) -> Result<ClientKey, &'static str> {
        let key = RsaPublicKey::from_public_key_pem(pem.trim()).map_err(|_| "is not an RSA public key in SPKI PEM")?;
        if key.n().bits_vartime() < LEAST_BITS {
            return Err("is shorter than 2048 bits");
        }
        Ok(ClientKey(key))
    }

    /// A key of `bits` bits that nobody holds: its modulus is random and nobody knows its factors.
    pub fn of_nobody(bits: usize) -> ClientKey {
        let mut modulus = random(bits / 8);
        // The smallest leading byte that keeps the length: what is wrapped to it is then in range
        // for any real key of that length, and fails by its padding and not by its size.
        modulus[0] = 0x80;
        modulus[bits / 8 - 1] |= 1;
        let modulus = BoxedUint::from_be_slice_vartime(&modulus);
        ClientKey(RsaPublicKey::new(modulus, BoxedUint::from(65537_u32)).expect("odd and of a usual length"))
    }

    pub fn bits(&self) -> usize {
        self.0.size() * 8
    }

    /// RSA-OAEP with SHA-256 and an empty label.
    pub fn wrap(&self, secret: &[u8]) -> Vec<u8> {
        self.0
            .encrypt(&mut Rng::default(), Oaep::<Sha256>::new(), secret)
            .expect("an AES key fits into 2048 bits and more")
    }
}

/// Fresh random bytes.
pub(crate) fn random(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).expect("the operating system has a random generator");
    bytes
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use percent_encoding::percent_decode_str;

    #[test]
    fn reads_the_client_key_in_every_spelling_in_circulation() {
        let headers = fixtures::json("keys/x_public_key_headers.json");
        let right = ClientKey::from_pem(&fixtures::text("keys/client_public.pem")).expect("the fixture's key");
        let mut spellings = 0;
        for (name, header) in headers.as_object().expect("an object") {
            if name == "decodes_to_pem_of" {
                continue;
            }
            let pem = percent_decode_str(header.as_str().expect("a string")).decode_utf8().expect("UTF-8");
            assert_eq!(ClientKey::from_pem(&pem).expect(name).0, right.0);
            spellings += 1;
        }
        assert_eq!(spellings, 3);
    }

    #[test]
    fn refuses_client_keys_that_are_short_or_not_public_or_not_rsa() {
        for name in ["client1024_public", "client_private", "client_public_pkcs1", "ec_private"] {
            assert!(ClientKey::from_pem(&fixtures::text(&format!("keys/{name}.pem"))).is_err(), "{name}");
        }
        assert!(ClientKey::from_pem(&fixtures::text("keys/client2048_public.pem")).is_ok());
    }

    #[test]
    fn serves_the_public_half_of_the_private_file() {
        let key = ServerKey::from_pem(&fixtures::text("keys/server_private.pem")).expect("the fixture's key");
        assert_eq!(key.public_pem, fixtures::text("keys/server_public.pem"));
        assert!(ServerKey::from_pem(&fixtures::text("keys/client_private_pkcs1.pem")).is_ok());
        assert!(ServerKey::from_pem(&fixtures::text("keys/client1024_private.pem")).is_err());
        assert!(ServerKey::from_pem(&fixtures::text("keys/ec_private.pem")).is_err());
    }

    #[test]
    fn a_key_of_nobody_has_the_length_asked_for() {
        for bits in [2048, 4096] {
            let key = ClientKey::of_nobody(bits);
            assert_eq!(key.bits(), bits);
            assert_eq!(key.wrap(&[0; 32]).len() * 8, bits);
        }
    }
}
