//! Public keys in PEM: SubjectPublicKeyInfo (RFC 5280) or PKCS#1 (RFC 8017).

use crate::pem::{self, Block};
use spki::der::asn1::{AnyRef, BitString};
use spki::der::{Decode, Encode};
use spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};

pub(super) const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Whether a private key may be in the text of a public one.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Beside {
    /// A file of one's own may hold both halves.
    PrivateIsIgnored,
    /// A server that shows its private key has no secret any more.
    PrivateIsRefused,
}

/// The SubjectPublicKeyInfo (DER, with NULL parameters) of the one public key in `pem`, or why there is none.
pub(super) fn from_pem(pem: &[u8], beside: Beside) -> Result<Vec<u8>, String> {
    let blocks = pem::blocks(pem)?;
    let holds_private = blocks.iter().any(Block::is_private);
    if holds_private && beside == Beside::PrivateIsRefused {
        return Err("it holds a private key, and this is the place of a public one".to_owned());
    }
    let mut public = blocks.iter().filter(|block| matches!(block.label, b"PUBLIC KEY" | b"RSA PUBLIC KEY"));
    let why = match (public.next(), public.next()) {
        (Some(block), None) => {
            let der = block.public()?;
            let pkcs1 = if block.label == b"PUBLIC KEY" { rsa_key(&der)? } else { &der };
            return around(pkcs1).ok_or_else(|| "its PKCS#1 form is broken".to_owned());
        }
        (Some(_), Some(_)) => "it holds several public keys, and one file may hold one; keep the right one in it",
        (None, _) if holds_private => {
            "it holds a private key and no public one; take the public one out: openssl pkey -in PRIVATE -pubout"
        }
        (None, _) if blocks.iter().any(|block| block.label.ends_with(b"CERTIFICATE")) => {
            "it holds a certificate; take the public key out: openssl x509 -pubkey -noout"
        }
        (None, _) => "its PEM label is neither PUBLIC KEY nor RSA PUBLIC KEY",
    };
    Err(why.to_owned())
}

/// The SubjectPublicKeyInfo of a PKCS#1 key.
fn around(pkcs1: &[u8]) -> Option<Vec<u8>> {
    let subject_public_key = BitString::from_bytes(pkcs1).ok()?;
    let algorithm = AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters: Some(AnyRef::NULL) };
    SubjectPublicKeyInfo { algorithm, subject_public_key }.to_der().ok()
}

/// The PKCS#1 key in a SubjectPublicKeyInfo (DER), or why there is none.
pub(super) fn rsa_key(spki: &[u8]) -> Result<&[u8], &'static str> {
    let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(|_| "it is not a SubjectPublicKeyInfo")?;
    if info.algorithm.oid != RSA_ENCRYPTION {
        return Err("it is not an RSA key");
    }
    if info.algorithm.parameters.is_some_and(|parameters| !parameters.is_null()) {
        return Err("its algorithm has parameters, and rsaEncryption has none");
    }
    info.subject_public_key.as_bytes().ok_or("its RSA numbers are broken")
}

/// The bits of an unsigned number, big-endian.
pub(super) fn bits(number: &[u8]) -> usize {
    let first = number.iter().position(|&byte| byte != 0).unwrap_or(number.len());
    number[first..].first().map_or(0, |byte| (number.len() - first) * 8 - byte.leading_zeros() as usize)
}
