//! The five operations of the envelope: generate a pair, wrap a key, unwrap a key, seal, open; and what key files and
//! pins need beside them: a pair's private half as PKCS#8, SHA-256.
//!
//! Promises: RSA-OAEP with SHA-256 and MGF1-SHA-256 and an empty label (RFC 8017), AES-256-GCM with a 96-bit nonce,
//! a 128-bit tag and no additional data (SP 800-38D). Keys live in [`SecretBuf`]s or in the provider's own objects.
//! A failed unwrap is not reported here: it yields a random key, so that it ends in the same failure, after the
//! same work, as an altered ciphertext. An operation on a key allocates in the secret part of the vault. It runs on a stack
//! of the vault, which is wiped at the end of the call or, outside a call, at the end of the operation. One provider per file,
//! chosen at compile time. If both features are on, AWS-LC is used.

#[cfg(feature = "aws-lc")]
mod aws_lc;
#[cfg(feature = "aws-lc")]
mod aws_lc_draw;
#[cfg(feature = "aws-lc")]
mod aws_lc_generate;
#[cfg(all(feature = "rustcrypto", any(test, not(feature = "aws-lc"))))]
#[cfg_attr(feature = "aws-lc", allow(dead_code, reason = "beside AWS-LC only the tests use it"))]
mod rust_crypto;

mod fingerprint;
mod hash;
#[cfg(feature = "attestation")]
mod verify;
#[cfg(all(feature = "attestation", feature = "aws-lc"))]
mod verify_aws_lc;
#[cfg(all(feature = "attestation", feature = "rustcrypto", any(test, not(feature = "aws-lc"))))]
#[cfg_attr(feature = "aws-lc", allow(dead_code, reason = "beside AWS-LC only the tests use it"))]
mod verify_rust_crypto;

#[cfg(feature = "aws-lc")]
use aws_lc as provider;
#[cfg(not(feature = "aws-lc"))]
use rust_crypto as provider;

#[cfg(all(feature = "attestation", feature = "aws-lc"))]
use verify_aws_lc as verifier;
#[cfg(all(feature = "attestation", not(feature = "aws-lc")))]
use verify_rust_crypto as verifier;

#[cfg(test)]
mod tests;
#[cfg(all(test, feature = "attestation", feature = "aws-lc", feature = "rustcrypto"))]
mod verify_tests;

pub(crate) use fingerprint::Fingerprint;
pub(crate) use hash::Hash;
pub(crate) use provider::{KeyPair, PublicKey, drawing, drawing_secretly, open, seal, sha256};
#[cfg(feature = "attestation")]
pub(crate) use verifier::{hash, on_curve, verify_ecdsa, verify_rsa};
#[cfg(feature = "attestation")]
pub(crate) use verify::{Curve, RsaPadding};

use crate::error::Result;
use crate::memory::SecretBuf;

/// Bytes of an AES-256 key.
pub(crate) const CONTENT_KEY_LEN: usize = 32;
/// Bytes of a GCM nonce.
pub(crate) const NONCE_LEN: usize = 12;
/// Bytes of a SHA-256 digest.
pub(crate) const DIGEST_LEN: usize = 32;
/// Bytes of a GCM tag.
pub(crate) const TAG_LEN: usize = 16;

/// The AES-256 key of one package.
#[derive(Debug)]
pub(crate) struct ContentKey(SecretBuf);

impl ContentKey {
    /// A fresh random key.
    pub(crate) fn generate() -> Result<ContentKey> {
        ContentKey::random_by(provider::fill_random)
    }

    fn random_by(fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<ContentKey> {
        let mut key = SecretBuf::zeroed(CONTENT_KEY_LEN, 0)?;
        fill(&mut key)?;
        Ok(ContentKey(key))
    }

    /// The key in `unwrapped`, if it has the size of one, otherwise a random one.
    fn from_unwrapped(unwrapped: &[u8], fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<ContentKey> {
        let mut key = ContentKey::random_by(fill)?;
        if unwrapped.len() == CONTENT_KEY_LEN {
            key.0.copy_from_slice(unwrapped);
        }
        Ok(key)
    }

    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl KeyPair {
    /// Whether the pair unwraps what is wrapped for it. Shows what its numbers cannot: that its primes are prime.
    pub(crate) fn unwraps(&self) -> Result<bool> {
        let key = ContentKey::generate()?;
        let unwrapped = self.unwrap_key(&PublicKey::from_spki(self.spki())?.wrap_key(&key)?)?;
        // Both keys end here, so the time that comparing them takes tells nothing.
        Ok(unwrapped.bytes() == key.bytes())
    }
}

/// Prepares the provider; before anything else of it is used, TLS included. Costs nothing when repeated.
pub(crate) fn ready() {
    provider::ready();
}

/// Fresh random bytes that need not be secret: a nonce (every content key seals once, so it cannot repeat under a key), a
/// salt, an initialisation vector.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    provider::fill_random(&mut bytes)?;
    Ok(bytes)
}
