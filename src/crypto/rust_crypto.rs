//! The provider in pure Rust: payload crypto that can be read in one language, and a check of the other provider.
//!
//! The `rsa` crate carries RUSTSEC-2023-0071 (timing of private-key operations); every operation here is blinded,
//! and SECURITY.md says what that leaves. The default provider is AWS-LC.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit, inout::InOutBuf};
use getrandom::SysRng;
use getrandom::rand_core::{TryRng, UnwrapErr};
use rsa::pkcs1::UintRef;
use rsa::pkcs8::der::Decode;
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use rsa::traits::{PaddingScheme, PublicKeyParts};
use rsa::{BoxedUint, Oaep, RsaPrivateKey, RsaPublicKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{CONTENT_KEY_LEN, ContentKey, DIGEST_LEN, NONCE_LEN, TAG_LEN};
use crate::error::{Error, Result, Status};
use crate::memory::{self, OwnProcess, SecretBuf};

/// Nothing to prepare: everything it allocates is the vault's.
pub(super) fn ready() {}

/// Runs an operation that draws random bytes. They come from the system, which has no locks that a fork would copy. The gate
/// protects initialisations that happen once.
pub(crate) fn drawing<T>(body: impl FnOnce() -> T) -> T {
    memory::watch_forks();
    memory::fork_gate::pass(body)
}

/// Runs an operation on a key in a scope. Returns whether `body` succeeded. `body` writes its output through its borrows.
fn secretly(body: impl FnOnce() -> bool) -> Result<bool> {
    memory::inside(|| memory::key_scope(body))
}

/// As [`secretly`], for an operation that draws random bytes.
pub(crate) fn drawing_secretly(body: impl FnOnce() -> bool) -> Result<bool> {
    drawing(|| secretly(body))
}

/// A client's RSA pair. May be shared by any number of threads.
pub(crate) struct KeyPair {
    private: OwnProcess<Box<RsaPrivateKey>>,
    spki: Vec<u8>,
}

impl KeyPair {
    /// Generates an RSA-4096 pair with exponent 65537. Takes from a fifth of a second to several.
    pub(crate) fn generate() -> Result<KeyPair> {
        let mut private = None;
        secretly(|| {
            private = RsaPrivateKey::new(&mut UnwrapErr(SysRng), 4096).map(Box::new).ok();
            private.is_some()
        })?;
        KeyPair::new(private.ok_or_else(|| Error::internal("RSA-4096 key generation failed"))?)
    }

    /// Imports a PKCS#8 v1 private key (RFC 5208, DER), if its numbers fit each other.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<KeyPair> {
        let mut private = None;
        secretly(|| {
            private = imported(der).filter(|key| (2048..=8192).contains(&key.n().bits())).map(Box::new);
            private.is_some()
        })?;
        let unsound = || Error::new(Status::Key, "the private key is not a sound RSA key of 2048 to 8192 bits");
        KeyPair::new(private.ok_or_else(unsound)?)
    }

    /// The private half as PKCS#8 v1 (RFC 5208, DER).
    pub(crate) fn to_pkcs8(&self) -> Result<SecretBuf> {
        let private = self.private.get()?;
        let mut pkcs8 = Err(Error::internal("the private key could not be encoded"));
        secretly(|| {
            let der = private.to_pkcs8_der().ok();
            if let Some(der) = &der {
                pkcs8 = SecretBuf::copy_of(der.as_bytes());
            }
            der.is_some()
        })?;
        pkcs8
    }

    fn new(private: Box<RsaPrivateKey>) -> Result<KeyPair> {
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
        let mut key = Err(Error::decryption_failed());
        secretly(|| {
            let unwrapped = Oaep::<Sha256>::new().decrypt(Some(&mut SysRng), private, wrapped);
            key = ContentKey::from_unwrapped(&Zeroizing::new(unwrapped.unwrap_or_default()), fill_random);
            key.is_ok()
        })?;
        key
    }
}

/// The key in PKCS#8. One prime may be some bits longer than half of the modulus, which the crate's own decoder refuses.
fn imported(der: &[u8]) -> Option<RsaPrivateKey> {
    let ordinary = RsaPrivateKey::from_pkcs8_der(der).ok();
    let key = ordinary.or_else(|| {
        let info = rsa::pkcs8::PrivateKeyInfoRef::from_der(der).ok()?;
        let key = rsa::pkcs1::RsaPrivateKeyRef::from_der(info.private_key.as_bytes()).ok()?;
        let number = |value: UintRef<'_>| BoxedUint::from_be_slice_vartime(value.as_bytes());
        let primes = vec![number(key.prime1), number(key.prime2)];
        let (n, e, d) = (number(key.modulus), number(key.public_exponent), number(key.private_exponent));
        RsaPrivateKey::from_components_with_wide_primes(n, e, d, primes).ok()
    });
    key.filter(|key| key.validate().is_ok())
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
        let mut wrapped = Vec::new();
        secretly(|| {
            wrapped = Oaep::<Sha256>::new().encrypt(&mut SysRng, &self.key, key.bytes()).unwrap_or_default();
            !wrapped.is_empty()
        })?;
        if wrapped.is_empty() { Err(Error::internal("RSA-OAEP wrapping failed")) } else { Ok(wrapped) }
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
    let mut tag = None;
    secretly(|| {
        tag = gcm(key).and_then(|key| key.encrypt_inout_detached(nonce.into(), &[], buffers).ok());
        tag.is_some()
    })?;
    tag.map(Into::into).ok_or_else(failed)
}

/// Decrypts `in_out` in place. On failure what is left in it is not plaintext.
pub(crate) fn open(key: &ContentKey, nonce: &[u8; NONCE_LEN], tag: &[u8; TAG_LEN], in_out: &mut [u8]) -> Result<()> {
    let opened = secretly(|| {
        gcm(key).is_some_and(|key| key.decrypt_inout_detached(nonce.into(), &[], in_out.into(), tag.into()).is_ok())
    })?;
    if opened { Ok(()) } else { Err(Error::decryption_failed()) }
}

fn gcm(key: &ContentKey) -> Option<Aes256Gcm> {
    let key: &[u8; CONTENT_KEY_LEN] = key.bytes().try_into().ok()?;
    Some(Aes256Gcm::new(key.into()))
}

/// Fills `out` from the system's generator.
pub(super) fn fill_random(out: &mut [u8]) -> Result<()> {
    SysRng.try_fill_bytes(out).map_err(|_| Error::internal("the system's random generator failed"))
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(data: &[u8]) -> [u8; DIGEST_LEN] {
    Sha256::digest(data).into()
}
