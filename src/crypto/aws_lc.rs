//! The provider over AWS-LC. The default.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use aws_lc_rs::{digest, rand};

use super::{ContentKey, DIGEST_LEN, NONCE_LEN, TAG_LEN};
use crate::error::{Error, Result, Status};
use crate::memory::{self, OwnProcess, SecretBuf};

/// Gives AWS-LC the vault's allocator, before its first allocation.
pub(super) fn ready() {
    #[cfg(all(feature = "capi", not(nomyo_system_allocator)))]
    {
        static READY: std::sync::Once = std::sync::Once::new();
        READY.call_once(|| {
            let (malloc, realloc, free) = (memory::c_malloc, memory::c_realloc, memory::c_free);
            // SAFETY: the three functions keep the contract of malloc, realloc and free, and are never unloaded.
            unsafe { aws_lc_sys::CRYPTO_set_mem_functions(Some(malloc), Some(realloc), Some(free)) };
        });
    }
}

/// Runs an operation that has a key in its hands.
fn secretly<T>(body: impl FnOnce() -> T) -> T {
    ready();
    // AWS-LC makes this thread's generator and error queue on first use, and a forked child needs both: not as zeros.
    let _ = rand::fill(&mut [0]);
    // SAFETY: empties the calling thread's error queue, and makes it if there is none.
    unsafe { aws_lc_sys::ERR_clear_error() };
    memory::scrubbed(|| memory::key_scope(body))
}

/// A client's RSA pair. May be shared by any number of threads.
pub(crate) struct KeyPair {
    private: OwnProcess<Private>,
    spki: Vec<u8>,
}

/// One private key (counted, not copied) for decrypting and for writing it out.
struct Private {
    oaep: OaepPrivateDecryptingKey,
    key: PrivateDecryptingKey,
}

impl KeyPair {
    /// Generates an RSA-4096 pair with exponent 65537. Takes from a tenth of a second to several.
    pub(crate) fn generate() -> Result<KeyPair> {
        let key = secretly(|| PrivateDecryptingKey::generate(KeySize::Rsa4096))
            .map_err(|_| Error::internal("RSA-4096 key generation failed"))?;
        KeyPair::new(key)
    }

    /// Imports a PKCS#8 v1 private key (RFC 5208, DER), if its numbers fit each other.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<KeyPair> {
        let key = secretly(|| PrivateDecryptingKey::from_pkcs8(der))
            .map_err(|_| Error::new(Status::Key, "the private key is not a sound RSA key of 2048 to 8192 bits"))?;
        KeyPair::new(key)
    }

    fn new(key: PrivateDecryptingKey) -> Result<KeyPair> {
        let spki: PublicKeyX509Der =
            key.public_key().as_der().map_err(|_| Error::internal("the public key could not be encoded"))?;
        let spki = spki.as_ref().to_vec();
        let oaep = secretly(|| OaepPrivateDecryptingKey::new(key.clone()))
            .map_err(|_| Error::internal("the pair cannot do OAEP"))?;
        Ok(KeyPair { private: OwnProcess::new(Private { oaep, key }), spki })
    }

    /// The private half as PKCS#8 v1 (RFC 5208, DER).
    pub(crate) fn to_pkcs8(&self) -> Result<SecretBuf> {
        let private = self.private.get()?;
        secretly(|| {
            let der: Pkcs8V1Der<'_> =
                private.key.as_der().map_err(|_| Error::internal("the private key could not be encoded"))?;
            SecretBuf::copy_of(der.as_ref())
        })
    }

    /// The public half as SubjectPublicKeyInfo (RFC 5280, DER).
    pub(crate) fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Bytes of the modulus, and so of everything wrapped for this pair.
    pub(crate) fn modulus_len(&self) -> Result<usize> {
        Ok(self.private.get()?.oaep.key_size_bytes())
    }

    /// Unwraps a content key; a random one when `wrapped` was not made for this pair.
    pub(crate) fn unwrap_key(&self, wrapped: &[u8]) -> Result<ContentKey> {
        let private = &self.private.get()?.oaep;
        let mut out = SecretBuf::zeroed(private.min_output_size(), 0)?;
        let unwrapped =
            secretly(|| private.decrypt(&OAEP_SHA256_MGF1SHA256, wrapped, &mut out, None)).unwrap_or_default();
        ContentKey::from_unwrapped(unwrapped, fill_random)
    }
}

/// A server's RSA public key. May be shared by any number of threads.
pub(crate) struct PublicKey {
    key: OaepPublicEncryptingKey,
}

impl PublicKey {
    /// Imports a SubjectPublicKeyInfo (RFC 5280, DER).
    pub(crate) fn from_spki(der: &[u8]) -> Result<PublicKey> {
        ready();
        PublicEncryptingKey::from_der(der)
            .ok()
            .and_then(|key| OaepPublicEncryptingKey::new(key).ok())
            .map(|key| PublicKey { key })
            .ok_or_else(|| Error::new(Status::Protocol, "the server's key is not a usable RSA public key"))
    }

    /// Wraps a content key.
    pub(crate) fn wrap_key(&self, key: &ContentKey) -> Result<Vec<u8>> {
        let mut wrapped = vec![0; self.key.ciphertext_size()];
        let len = secretly(|| self.key.encrypt(&OAEP_SHA256_MGF1SHA256, key.bytes(), &mut wrapped, None))
            .map_err(|_| Error::internal("RSA-OAEP wrapping failed"))?
            .len();
        wrapped.truncate(len);
        Ok(wrapped)
    }
}

/// Encrypts `plaintext` into `ciphertext`, which has the same length and shares no memory with it.
pub(crate) fn seal(
    key: &ContentKey,
    nonce: &[u8; NONCE_LEN],
    plaintext: &[u8],
    ciphertext: &mut [u8],
) -> Result<[u8; TAG_LEN]> {
    let mut tag = [0; TAG_LEN];
    secretly(|| {
        gcm(key)?
            .seal_out_of_place_scatter(Nonce::from(nonce), Aad::empty(), plaintext, ciphertext, &[], &mut tag)
            .map_err(|_| Error::internal("AES-256-GCM sealing failed"))
    })?;
    Ok(tag)
}

/// Decrypts `in_out` in place. On failure what is left in it is not plaintext.
pub(crate) fn open(key: &ContentKey, nonce: &[u8; NONCE_LEN], tag: &[u8; TAG_LEN], in_out: &mut [u8]) -> Result<()> {
    secretly(|| {
        gcm(key)?
            .open_in_place_separate_tag(Nonce::from(nonce), Aad::empty(), tag, in_out)
            .map(|_| ())
            .map_err(|_| Error::decryption_failed())
    })
}

fn gcm(key: &ContentKey) -> Result<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key.bytes())
        .map(LessSafeKey::new)
        .map_err(|_| Error::internal("AES-256-GCM refused a 32-byte key"))
}

/// Fills `out` from the provider's generator.
pub(super) fn fill_random(out: &mut [u8]) -> Result<()> {
    ready();
    rand::fill(out).map_err(|_| Error::internal("the system's random generator failed"))
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(data: &[u8]) -> [u8; DIGEST_LEN] {
    ready();
    let mut out = [0; DIGEST_LEN];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}
