//! The provider over AWS-LC. The default.

use std::sync::Once;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use aws_lc_rs::{digest, rand};

pub(crate) use super::aws_lc_draw::drawing;
use super::aws_lc_generate;
use super::{ContentKey, DIGEST_LEN, NONCE_LEN, TAG_LEN};
use crate::error::{Error, Result, Status};
use crate::memory::{self, OwnProcess, SecretBuf};

/// Gives AWS-LC the vault's allocator, before its first allocation.
pub(super) fn ready() {
    static READY: Once = Once::new();
    if READY.is_completed() {
        return;
    }
    let prepare = || {
        #[cfg(all(feature = "capi", not(nomyo_system_allocator)))]
        {
            if !memory::bind_c_names() {
                let (malloc, realloc, free) = (memory::c_malloc, memory::c_realloc, memory::c_free);
                // SAFETY: the three functions keep the contract of malloc, realloc and free, and are never unloaded.
                unsafe { aws_lc_sys::CRYPTO_set_mem_functions(Some(malloc), Some(realloc), Some(free)) };
            }
            // Both ways may fail. One allocated block shows whether AWS-LC allocates in the vault.
            // SAFETY: one block is allocated and freed.
            unsafe {
                let block = aws_lc_sys::OPENSSL_malloc(16);
                memory::judge_c_allocator(block);
                aws_lc_sys::OPENSSL_free(block);
            }
        }
        aws_lc_rs::init();
    };
    // Inside the gate. Otherwise a child that is forked during the initialisation would wait forever.
    memory::fork_gate::pass(|| READY.call_once(prepare));
}

/// Runs an operation on a key in a scope. Returns whether `body` succeeded. `body` writes its output through its borrows.
fn secretly(body: impl FnOnce() -> bool) -> Result<bool> {
    // AWS-LC creates this thread's generator on first use. A forked child needs the generator, so it must not be allocated in
    // the secret arenas, which read as zeros in the child.
    let _ = drawing(|| rand::fill(&mut [0]));
    memory::inside(|| memory::key_scope(body))
}

/// As [`secretly`], for an operation that draws random bytes.
pub(crate) fn drawing_secretly(body: impl FnOnce() -> bool) -> Result<bool> {
    drawing(|| secretly(body))
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
        let (mut pkcs8, mut len) = (SecretBuf::zeroed(aws_lc_generate::ROOM, 0)?, None);
        drawing_secretly(|| {
            len = (&mut *pkcs8).try_into().ok().and_then(aws_lc_generate::rsa_4096);
            len.is_some()
        })?;
        KeyPair::from_pkcs8(&pkcs8[..len.ok_or_else(|| Error::internal("RSA-4096 key generation failed"))?])
    }

    /// Imports a PKCS#8 v1 private key (RFC 5208, DER), if its numbers fit each other.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<KeyPair> {
        let mut key = None;
        drawing_secretly(|| {
            key = PrivateDecryptingKey::from_pkcs8(der).ok();
            key.is_some()
        })?;
        let unsound = || Error::new(Status::Key, "the private key is not a sound RSA key of 2048 to 8192 bits");
        KeyPair::new(key.ok_or_else(unsound)?)
    }

    fn new(key: PrivateDecryptingKey) -> Result<KeyPair> {
        let spki: PublicKeyX509Der =
            key.public_key().as_der().map_err(|_| Error::internal("the public key could not be encoded"))?;
        let spki = spki.as_ref().to_vec();
        let mut oaep = None;
        secretly(|| {
            oaep = OaepPrivateDecryptingKey::new(key.clone()).ok();
            oaep.is_some()
        })?;
        let oaep = oaep.ok_or_else(|| Error::internal("the pair cannot do OAEP"))?;
        Ok(KeyPair { private: OwnProcess::new(Private { oaep, key }), spki })
    }

    /// The private half as PKCS#8 v1 (RFC 5208, DER).
    pub(crate) fn to_pkcs8(&self) -> Result<SecretBuf> {
        let private = self.private.get()?;
        let mut pkcs8 = Err(Error::internal("the private key could not be encoded"));
        secretly(|| {
            let der: Option<Pkcs8V1Der<'_>> = private.key.as_der().ok();
            if let Some(der) = &der {
                pkcs8 = SecretBuf::copy_of(der.as_ref());
            }
            der.is_some()
        })?;
        pkcs8
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
        let mut len = 0;
        drawing_secretly(|| {
            let unwrapped = private.decrypt(&OAEP_SHA256_MGF1SHA256, wrapped, &mut out, None);
            len = unwrapped.map_or(0, |key| key.len());
            len > 0
        })?;
        ContentKey::from_unwrapped(&out[..len], fill_random)
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
        let mut len = 0;
        drawing_secretly(|| {
            let encrypted = self.key.encrypt(&OAEP_SHA256_MGF1SHA256, key.bytes(), &mut wrapped, None);
            len = encrypted.map_or(0, |wrapped| wrapped.len());
            len > 0
        })?;
        wrapped.truncate(len);
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
    let mut tag = [0; TAG_LEN];
    let sealed = secretly(|| {
        gcm(key).is_some_and(|key| {
            let nonce = Nonce::from(nonce);
            key.seal_out_of_place_scatter(nonce, Aad::empty(), plaintext, ciphertext, &[], &mut tag).is_ok()
        })
    })?;
    if sealed { Ok(tag) } else { Err(Error::internal("AES-256-GCM sealing failed")) }
}

/// Decrypts `in_out` in place. On failure what is left in it is not plaintext.
pub(crate) fn open(key: &ContentKey, nonce: &[u8; NONCE_LEN], tag: &[u8; TAG_LEN], in_out: &mut [u8]) -> Result<()> {
    let opened = secretly(|| {
        let nonce = Nonce::from(nonce);
        gcm(key).is_some_and(|key| key.open_in_place_separate_tag(nonce, Aad::empty(), tag, in_out).is_ok())
    })?;
    if opened { Ok(()) } else { Err(Error::decryption_failed()) }
}

fn gcm(key: &ContentKey) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key.bytes()).map(LessSafeKey::new).ok()
}

/// Fills `out` from the provider's generator.
pub(super) fn fill_random(out: &mut [u8]) -> Result<()> {
    drawing(|| rand::fill(out)).map_err(|_| Error::internal("the system's random generator failed"))
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(data: &[u8]) -> [u8; DIGEST_LEN] {
    ready();
    let mut out = [0; DIGEST_LEN];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}
