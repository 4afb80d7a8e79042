//! The provider in pure Rust: payload crypto that can be read in one language, and a check of the other provider.
//!
//! The `rsa` crate carries RUSTSEC-2023-0071 (timing of private-key operations); every operation here is blinded,
//! and SECURITY.md says what that leaves. The default provider is AWS-LC.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit, inout::InOutBuf};
use getrandom::SysRng;
use getrandom::rand_core::{TryRng, UnwrapErr};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use rsa::traits::{PaddingScheme, PublicKeyParts};
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{CONTENT_KEY_LEN, ContentKey, DIGEST_LEN, NONCE_LEN, TAG_LEN};
use crate::error::{Error, Result, Status};
use crate::memory::{self, OwnProcess, SecretBuf};

/// Nothing to prepare: everything it allocates is the vault's.
pub(super) fn ready() {}

/// Runs an operation that has a key in its hands.
fn secretly<T>(body: impl FnOnce() -> T) -> T {
    memory::scrubbed(|| memory::key_scope(body))
}

/// A client's RSA pair. May be shared by any number of threads.
pub(crate) struct KeyPair {
    private: OwnProcess<RsaPrivateKey>,
    spki: Vec<u8>,
}

impl KeyPair {
    /// Generates an RSA-4096 pair with exponent 65537. Takes from a fifth of a second to several.
    pub(crate) fn generate() -> Result<KeyPair> {
        let private = secretly(|| RsaPrivateKey::new(&mut UnwrapErr(SysRng), 4096))
            .map_err(|_| Error::internal("RSA-4096 key generation failed"))?;
        KeyPair::new(private)
    }

    /// Imports a PKCS#8 v1 private key (RFC 5208, DER), if its numbers fit each other.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<KeyPair> {
        let private = secretly(|| RsaPrivateKey::from_pkcs8_der(der).ok().filter(|key| key.validate().is_ok()))
            .filter(|key| (2048..=8192).contains(&key.n().bits()))
            .ok_or_else(|| Error::new(Status::Key, "the private key is not a sound RSA key of 2048 to 8192 bits"))?;
        KeyPair::new(private)
    }

    /// The private half as PKCS#8 v1 (RFC 5208, DER).
    pub(crate) fn to_pkcs8(&self) -> Result<SecretBuf> {
        let private = self.private.get()?;
        secretly(|| {
            let der = private.to_pkcs8_der().map_err(|_| Error::internal("the private key could not be encoded"))?;
            SecretBuf::copy_of(der.as_bytes())
        })
    }

    fn new(private: RsaPrivateKey) -> Result<KeyPair> {
        let spki = private
            .to_public_key()
            .to_public_key_der()
            .map_err(|_| Error::internal("the public key could not be encoded"))?
            .into_vec();
        Ok(KeyPair { private: OwnProcess::new(private), spki })
    }

    /// The public half as SubjectPublicKeyInfo (RFC 5280, DER).
    pub(crate) fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Bytes of the modulus, and so of everything wrapped for this pair.
    pub(crate) fn modulus_len(&self) -> Result<usize> {
        Ok(self.private.get()?.size())
    }

    /// Unwraps a content key; a random one when `wrapped` was not made for this pair.
    pub(crate) fn unwrap_key(&self, wrapped: &[u8]) -> Result<ContentKey> {
        let private = self.private.get()?;
        secretly(|| {
            let unwrapped = Oaep::<Sha256>::new().decrypt(Some(&mut SysRng), private, wrapped);
            ContentKey::from_unwrapped(&Zeroizing::new(unwrapped.unwrap_or_default()), fill_random)
        })
    }
}

/// A server's RSA public key. May be shared by any number of threads.
pub(crate) struct PublicKey {
    key: RsaPublicKey,
}

impl PublicKey {
    /// Imports a SubjectPublicKeyInfo (RFC 5280, DER).
    pub(crate) fn from_spki(der: &[u8]) -> Result<PublicKey> {
        RsaPublicKey::from_public_key_der(der)
            .map(|key| PublicKey { key })
            .map_err(|_| Error::new(Status::Protocol, "the server's key is not a usable RSA public key"))
    }

    /// Wraps a content key.
    pub(crate) fn wrap_key(&self, key: &ContentKey) -> Result<Vec<u8>> {
        secretly(|| Oaep::<Sha256>::new().encrypt(&mut SysRng, &self.key, key.bytes()))
            .map_err(|_| Error::internal("RSA-OAEP wrapping failed"))
    }
}

/// Encrypts `plaintext` into `ciphertext`, which has the same length and shares no memory with it.
pub(crate) fn seal(
    key: &ContentKey,
    nonce: &[u8; NONCE_LEN],
    plaintext: &[u8],
    ciphertext: &mut [u8],
) -> Result<[u8; TAG_LEN]> {
    let failed = || Error::internal("AES-256-GCM sealing failed");
    let buffers = InOutBuf::new(plaintext, ciphertext).map_err(|_| failed())?;
    secretly(|| gcm(key)?.encrypt_inout_detached(nonce.into(), &[], buffers).map(Into::into).map_err(|_| failed()))
}

/// Decrypts `in_out` in place. On failure what is left in it is not plaintext.
pub(crate) fn open(key: &ContentKey, nonce: &[u8; NONCE_LEN], tag: &[u8; TAG_LEN], in_out: &mut [u8]) -> Result<()> {
    secretly(|| {
        gcm(key)?
            .decrypt_inout_detached(nonce.into(), &[], in_out.into(), tag.into())
            .map_err(|_| Error::decryption_failed())
    })
}

fn gcm(key: &ContentKey) -> Result<Aes256Gcm> {
    let key: &[u8; CONTENT_KEY_LEN] =
        key.bytes().try_into().map_err(|_| Error::internal("a content key of the wrong size"))?;
    Ok(Aes256Gcm::new(key.into()))
}

/// Fills `out` from the system's generator.
pub(super) fn fill_random(out: &mut [u8]) -> Result<()> {
    SysRng.try_fill_bytes(out).map_err(|_| Error::internal("the system's random generator failed"))
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(data: &[u8]) -> [u8; DIGEST_LEN] {
    Sha256::digest(data).into()
}
