//! Verification by AWS-LC.

use aws_lc_rs::digest::{Context, SHA256, SHA384, SHA512};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, EcdsaVerificationAlgorithm, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPssSaltLength,
};

use super::verify::{Curve, RsaPadding};
use super::{Hash, ready};

/// The digest of `parts`, one behind the other.
pub(crate) fn hash<'a>(hash: Hash, parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    ready();
    let mut context = Context::new(match hash {
        Hash::Sha256 => &SHA256,
        Hash::Sha384 => &SHA384,
        Hash::Sha512 => &SHA512,
    });
    parts.into_iter().for_each(|part| context.update(part));
    context.finish().as_ref().to_vec()
}

/// Whether `signature` is one of `message` by the RSA key; `modulus` and `exponent` are big endian without leading
/// zeros, and a key of less than 2048 or more than 8192 bits verifies nothing.
pub(crate) fn verify_rsa(
    padding: RsaPadding,
    hash: Hash,
    modulus: &[u8],
    exponent: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    ready();
    let key = PublicKeyComponents { n: modulus, e: exponent };
    let fits = |parameters: &RsaParameters| key.verify(parameters, message, signature).is_ok();
    let (pkcs1, pss) = match hash {
        Hash::Sha256 => (&RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256),
        Hash::Sha384 => (&RSA_PKCS1_2048_8192_SHA384, RSA_PSS_2048_8192_SHA384),
        Hash::Sha512 => (&RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA512),
    };
    match padding {
        RsaPadding::Pkcs1 => fits(pkcs1),
        // As it comes, it expects a salt as long as the digest.
        RsaPadding::Pss => fits(&pss) || fits(&pss.with_pss_salt_length(RsaPssSaltLength::Max)),
    }
}

/// Whether `point`, uncompressed (SEC 1, section 2.3.3), is on the curve, and is not infinity.
pub(crate) fn on_curve(curve: Curve, point: &[u8]) -> bool {
    ready();
    ParsedPublicKey::new(ecdsa(curve, Hash::Sha256), point).is_ok()
}

/// Whether `r` and `s`, both as long as a coordinate, are a signature of `message` by the key `point`.
pub(crate) fn verify_ecdsa(curve: Curve, hash: Hash, point: &[u8], message: &[u8], r: &[u8], s: &[u8]) -> bool {
    ready();
    ParsedPublicKey::new(ecdsa(curve, hash), point).is_ok_and(|key| key.verify_sig(message, &as_der(r, s)).is_ok())
}

fn ecdsa(curve: Curve, hash: Hash) -> &'static EcdsaVerificationAlgorithm {
    match (curve, hash) {
        (Curve::P256, Hash::Sha256) => &ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Hash::Sha384) => &ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Hash::Sha512) => &ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Hash::Sha256) => &ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Hash::Sha384) => &ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Hash::Sha512) => &ECDSA_P384_SHA512_ASN1,
    }
}

/// `ECDSA-Sig-Value` (RFC 3279) of two numbers that are not zero and at most 48 bytes long.
fn as_der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let mut integers = Vec::with_capacity(r.len() + s.len() + 6);
    for number in [r, s] {
        let first = number.iter().position(|byte| *byte != 0).unwrap_or(number.len().saturating_sub(1));
        let digits = &number[first..];
        let sign: &[u8] = if digits.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
        integers.extend([0x02, short_len(sign.len() + digits.len())]);
        integers.extend([sign, digits].concat());
    }
    [&[0x30, short_len(integers.len())], integers.as_slice()].concat()
}

/// A length below 128, as DER writes it.
fn short_len(len: usize) -> u8 {
    u8::try_from(len).ok().filter(|len| *len < 0x80).expect("the numbers of the two curves are short")
}
