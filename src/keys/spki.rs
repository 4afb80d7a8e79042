//! Public keys in PEM: SubjectPublicKeyInfo (RFC 5280) or PKCS#1 (RFC 8017).

use spki::der::asn1::{AnyRef, BitString};
use spki::der::{Decode, Encode};
use spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};

pub(super) const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The SubjectPublicKeyInfo (DER) in `pem`, which may have white space around it and CRLF in it, or why there is none.
pub(super) fn from_pem(pem: &[u8]) -> Result<Vec<u8>, &'static str> {
    let (label, der) = pem_rfc7468::decode_vec(pem.trim_ascii()).map_err(|_| "it is not PEM")?;
    match label {
        "PUBLIC KEY" => Ok(der),
        "RSA PUBLIC KEY" => around(&der).ok_or("its PKCS#1 form is broken"),
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" | "EC PRIVATE KEY" => {
            Err("it holds a private key, and this is the place of a public one")
        }
        _ => Err("its PEM label is neither PUBLIC KEY nor RSA PUBLIC KEY"),
    }
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
    info.subject_public_key.as_bytes().ok_or("its RSA numbers are broken")
}

/// The bits of an unsigned number, big-endian.
pub(super) fn bits(number: &[u8]) -> usize {
    let first = number.iter().position(|&byte| byte != 0).unwrap_or(number.len());
    number[first..].first().map_or(0, |byte| (number.len() - first) * 8 - byte.leading_zeros() as usize)
}
