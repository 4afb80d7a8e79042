//! Both providers verify the same signatures: the other one's, and those of every scheme, hash and key that TPMs have.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
    RsaEncoding, RsaPssSaltLength, RsaSignatureEncoding,
};
use p256::ecdsa::signature::hazmat::PrehashSigner;

use super::verify::{Curve, RsaPadding};
use super::{Hash, verify_aws_lc, verify_rust_crypto};

const HASHES: [Hash; 3] = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
const MESSAGE: &[u8] = b"a quote";

type VerifyRsa = fn(RsaPadding, Hash, &[u8], &[u8], &[u8], &[u8]) -> bool;
type VerifyEcdsa = fn(Curve, Hash, &[u8], &[u8], &[u8], &[u8]) -> bool;
const RSA: [VerifyRsa; 2] = [verify_aws_lc::verify_rsa, verify_rust_crypto::verify_rsa];
const ECDSA: [VerifyEcdsa; 2] = [verify_aws_lc::verify_ecdsa, verify_rust_crypto::verify_ecdsa];

fn rsa_pair() -> KeyPair {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/protocol/keys/client2048_private.pem");
    let pem = std::fs::read(path).expect("a fixture");
    let (_, der) = pem_rfc7468::decode_vec(&pem).expect("PEM");
    KeyPair::from_pkcs8(&der).expect("an RSA key")
}

fn rsa_signature(pair: &KeyPair, encoding: &'static dyn RsaEncoding) -> Vec<u8> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), MESSAGE, &mut signature).expect("a signature");
    signature
}

/// The encodings of a hash: PKCS#1, and PSS with the salts of a digest's length, the longest, and 20 bytes.
fn encodings(hash: Hash) -> (&'static dyn RsaEncoding, [&'static dyn RsaEncoding; 2], &'static dyn RsaEncoding) {
    const fn salted(encoding: RsaSignatureEncoding, len: RsaPssSaltLength) -> RsaSignatureEncoding {
        encoding.with_pss_salt_length(len)
    }
    match hash {
        Hash::Sha256 => (
            &RSA_PKCS1_SHA256,
            [&RSA_PSS_SHA256, &const { salted(RSA_PSS_SHA256, RsaPssSaltLength::Max) }],
            &const { salted(RSA_PSS_SHA256, RsaPssSaltLength::Custom(20)) },
        ),
        Hash::Sha384 => (
            &RSA_PKCS1_SHA384,
            [&RSA_PSS_SHA384, &const { salted(RSA_PSS_SHA384, RsaPssSaltLength::Max) }],
            &const { salted(RSA_PSS_SHA384, RsaPssSaltLength::Custom(20)) },
        ),
        Hash::Sha512 => (
            &RSA_PKCS1_SHA512,
            [&RSA_PSS_SHA512, &const { salted(RSA_PSS_SHA512, RsaPssSaltLength::Max) }],
            &const { salted(RSA_PSS_SHA512, RsaPssSaltLength::Custom(20)) },
        ),
    }
}

#[test]
fn both_digest_the_same() {
    for hash in HASHES {
        let ours = verify_aws_lc::hash(hash, [&b"one"[..], b"", b"two"]);
        assert_eq!(ours.len(), hash.len());
        assert_eq!(ours, verify_rust_crypto::hash(hash, [&b"onetwo"[..]]));
    }
}

#[test]
fn both_verify_rsa_with_either_padding_and_the_two_salts_of_tpms() {
    let pair = rsa_pair();
    let public = pkcs1::RsaPublicKeyRef::try_from(pair.public_key().as_ref()).expect("a public key");
    let (modulus, exponent) = (public.modulus.as_bytes(), public.public_exponent.as_bytes());
    for verify in RSA {
        for hash in HASHES {
            let fits = |padding, message: &[u8], signature: &[u8]| {
                verify(padding, hash, modulus, exponent, message, signature)
            };
            let (pkcs1, pss, odd) = encodings(hash);
            let pkcs1 = rsa_signature(&pair, pkcs1);
            assert!(fits(RsaPadding::Pkcs1, MESSAGE, &pkcs1), "{hash:?}");
            assert!(!fits(RsaPadding::Pss, MESSAGE, &pkcs1), "{hash:?}");
            for pss in pss.map(|encoding| rsa_signature(&pair, encoding)) {
                assert!(fits(RsaPadding::Pss, MESSAGE, &pss), "{hash:?}");
                assert!(!fits(RsaPadding::Pkcs1, MESSAGE, &pss), "{hash:?}");
                assert!(!fits(RsaPadding::Pss, b"another quote", &pss), "{hash:?}");
                for other in HASHES.into_iter().filter(|other| *other != hash) {
                    assert!(!verify(RsaPadding::Pss, other, modulus, exponent, MESSAGE, &pss), "{hash:?} {other:?}");
                }
            }
            assert!(!fits(RsaPadding::Pss, MESSAGE, &rsa_signature(&pair, odd)), "{hash:?}");
            for wrong in [&pkcs1[1..], &[&[0], pkcs1.as_slice()].concat(), &[], &[0xff; 256]] {
                assert!(!fits(RsaPadding::Pkcs1, MESSAGE, wrong), "{hash:?}");
            }
        }
    }
}

#[test]
fn both_verify_ecdsa_over_either_curve_with_every_hash() {
    let p256 = p256::ecdsa::SigningKey::from_slice(&[7; 32]).expect("a key");
    let p384 = p384::ecdsa::SigningKey::from_slice(&[7; 48]).expect("a key");
    for hash in HASHES {
        let digest = verify_rust_crypto::hash(hash, [MESSAGE]);
        let of_p256: p256::ecdsa::Signature = p256.sign_prehash(&digest).expect("a signature");
        let of_p384: p384::ecdsa::Signature = p384.sign_prehash(&digest).expect("a signature");
        let cases = [
            (Curve::P256, p256.verifying_key().to_sec1_point(false).as_bytes().to_vec(), of_p256.to_bytes().to_vec()),
            (Curve::P384, p384.verifying_key().to_sec1_point(false).as_bytes().to_vec(), of_p384.to_bytes().to_vec()),
        ];
        for (curve, point, signature) in cases {
            let (r, s) = signature.split_at(curve.len());
            for verify in ECDSA {
                assert!(verify(curve, hash, &point, MESSAGE, r, s), "{curve:?} {hash:?}");
                assert!(!verify(curve, hash, &point, b"another quote", r, s), "{curve:?} {hash:?}");
                assert!(!verify(curve, hash, &point, MESSAGE, s, r), "{curve:?} {hash:?}");
                for wrong in [vec![0; curve.len()], vec![0xff; curve.len()], curve.order().to_vec()] {
                    assert!(!verify(curve, hash, &point, MESSAGE, &wrong, s), "{curve:?} {hash:?}");
                    assert!(!verify(curve, hash, &point, MESSAGE, r, &wrong), "{curve:?} {hash:?}");
                }
            }
        }
    }
}

#[test]
fn numbers_with_zeros_in_front_verify_as_any_others() {
    // Deterministic signatures: among 2 000 of them, several have an r or s that DER writes shorter.
    let key = p256::ecdsa::SigningKey::from_slice(&[9; 32]).expect("a key");
    let point = key.verifying_key().to_sec1_point(false);
    let mut short = 0;
    for message in 0_u32..2_000 {
        let message = message.to_be_bytes();
        let digest = verify_rust_crypto::hash(Hash::Sha256, [&message[..]]);
        let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).expect("a signature");
        let signature = signature.to_bytes();
        let (r, s) = signature.split_at(32);
        if r[0] == 0 || s[0] == 0 {
            short += 1;
            for verify in ECDSA {
                assert!(verify(Curve::P256, Hash::Sha256, point.as_bytes(), &message, r, s));
            }
        }
    }
    assert!(short > 2, "{short}");
}

#[test]
fn both_refuse_points_that_are_not_on_the_curve() {
    let p256 = p256::ecdsa::SigningKey::from_slice(&[7; 32]).expect("a key").verifying_key().to_sec1_point(false);
    let p384 = p384::ecdsa::SigningKey::from_slice(&[7; 48]).expect("a key").verifying_key().to_sec1_point(false);
    for (curve, point) in [(Curve::P256, p256.as_bytes().to_vec()), (Curve::P384, p384.as_bytes().to_vec())] {
        for on_curve in [verify_aws_lc::on_curve, verify_rust_crypto::on_curve] {
            assert!(on_curve(curve, &point));
            let mut off = point.clone();
            *off.last_mut().expect("bytes") ^= 1;
            assert!(!on_curve(curve, &off));
            let infinity = [&[4], vec![0; 2 * curve.len()].as_slice()].concat();
            assert!(!on_curve(curve, &infinity));
            let beyond_the_field = [&[4], vec![0xff; 2 * curve.len()].as_slice()].concat();
            assert!(!on_curve(curve, &beyond_the_field));
        }
    }
}
