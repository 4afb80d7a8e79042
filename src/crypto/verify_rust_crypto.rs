//! Verification in pure Rust.

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::traits::{PublicKeyParts, SignatureScheme};
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Hash;
use super::verify::{Curve, RsaPadding};

/// The digest of `parts`, one behind the other.
pub(crate) fn hash<'a>(hash: Hash, parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    fn with<'a, D: Digest>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        parts.into_iter().fold(D::new(), |digest, part| digest.chain_update(part)).finalize().to_vec()
    }
    match hash {
        Hash::Sha256 => with::<Sha256>(parts),
        Hash::Sha384 => with::<Sha384>(parts),
        Hash::Sha512 => with::<Sha512>(parts),
    }
}

/// Whether `signature` is one of `message` by the RSA key; `modulus` and `exponent` are big endian without leading
/// zeros, and a key of less than 2048 or more than 4096 bits verifies nothing.
pub(crate) fn verify_rsa(
    padding: RsaPadding,
    hash: Hash,
    modulus: &[u8],
    exponent: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let number = BoxedUint::from_be_slice_vartime;
    let Ok(key) = RsaPublicKey::new(number(modulus), number(exponent)) else { return false };
    if key.n().bits() < 2048 {
        return false;
    }
    let digest = self::hash(hash, [message]);
    match (padding, hash) {
        (RsaPadding::Pkcs1, Hash::Sha256) => fits(Pkcs1v15Sign::new::<Sha256>(), &key, &digest, signature),
        (RsaPadding::Pkcs1, Hash::Sha384) => fits(Pkcs1v15Sign::new::<Sha384>(), &key, &digest, signature),
        (RsaPadding::Pkcs1, Hash::Sha512) => fits(Pkcs1v15Sign::new::<Sha512>(), &key, &digest, signature),
        (RsaPadding::Pss, hash) => {
            let longest = key.size().saturating_sub(hash.len() + 2);
            [hash.len(), longest].into_iter().any(|salt| match hash {
                Hash::Sha256 => fits(Pss::<Sha256>::new_with_salt(salt), &key, &digest, signature),
                Hash::Sha384 => fits(Pss::<Sha384>::new_with_salt(salt), &key, &digest, signature),
                Hash::Sha512 => fits(Pss::<Sha512>::new_with_salt(salt), &key, &digest, signature),
            })
        }
    }
}

fn fits(scheme: impl SignatureScheme, key: &RsaPublicKey, digest: &[u8], signature: &[u8]) -> bool {
    scheme.verify(key, digest, signature).is_ok()
}

/// Whether `point`, uncompressed (SEC 1, section 2.3.3), is on the curve, and is not infinity.
pub(crate) fn on_curve(curve: Curve, point: &[u8]) -> bool {
    match curve {
        Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(point).is_ok(),
        Curve::P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(point).is_ok(),
    }
}

/// Whether `r` and `s`, both as long as a coordinate, are a signature of `message` by the key `point`.
pub(crate) fn verify_ecdsa(curve: Curve, hash: Hash, point: &[u8], message: &[u8], r: &[u8], s: &[u8]) -> bool {
    let (digest, signature) = (self::hash(hash, [message]), [r, s].concat());
    match curve {
        Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .and_then(|key| key.verify_prehash(&digest, &p256::ecdsa::Signature::from_slice(&signature)?))
            .is_ok(),
        Curve::P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .and_then(|key| key.verify_prehash(&digest, &p384::ecdsa::Signature::from_slice(&signature)?))
            .is_ok(),
    }
}
