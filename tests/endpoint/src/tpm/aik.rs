//! The key that signs one quote: its kind, its hierarchy, and the template that the TPM makes it from.

use serde::Deserialize;

use super::command::sized;
use crate::keys::random;

/// Which key.
#[derive(Clone, Copy, Default)]
pub(crate) struct Aik {
    pub scheme: Scheme,
    pub hierarchy: Hierarchy,
}

/// Its kind and how it signs: with SHA-256, or on P-384 with SHA-384.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scheme {
    #[default]
    Rsassa,
    Rsapss,
    EcdsaP256,
    EcdsaP384,
}

/// Whose seed it is made from.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hierarchy {
    #[default]
    Owner,
    Endorsement,
    Platform,
    Null,
}

impl Hierarchy {
    /// TPM_RH_OWNER and the others.
    pub fn handle(self) -> u32 {
        match self {
            Hierarchy::Owner => 0x4000_0001,
            Hierarchy::Null => 0x4000_0007,
            Hierarchy::Endorsement => 0x4000_000b,
            Hierarchy::Platform => 0x4000_000c,
        }
    }
}

impl Scheme {
    /// The TPMT_PUBLIC of a restricted signing key. One seed and one template make one key, so this one has random bytes
    /// where the public key will be.
    pub fn template(self) -> Vec<u8> {
        match self {
            Scheme::Rsassa => rsa(RSASSA),
            Scheme::Rsapss => rsa(RSAPSS),
            Scheme::EcdsaP256 => ecdsa(SHA256, NIST_P256, 32),
            Scheme::EcdsaP384 => ecdsa(SHA384, NIST_P384, 48),
        }
    }
}

const RSA: u16 = 0x0001;
const SHA256: u16 = 0x000b;
const SHA384: u16 = 0x000c;
const NULL: u16 = 0x0010;
const RSASSA: u16 = 0x0014;
const RSAPSS: u16 = 0x0016;
const ECDSA: u16 = 0x0018;
const ECC: u16 = 0x0023;
const NIST_P256: u16 = 0x0003;
const NIST_P384: u16 = 0x0004;
/// fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign; and no policy.
const ATTRIBUTES: [u16; 3] = [0x0005, 0x0072, 0];

fn rsa(scheme: u16) -> Vec<u8> {
    let bits = 2048;
    // An exponent of 0 is 65537.
    let public = template(RSA, &[NULL, scheme, SHA256, bits, 0, 0]);
    [public, sized(&random(256))].concat()
}

fn ecdsa(hash: u16, curve: u16, len: usize) -> Vec<u8> {
    let public = template(ECC, &[NULL, ECDSA, hash, curve, NULL]);
    [public, sized(&random(len)), sized(&random(len))].concat()
}

/// All but the unique part. The name is by SHA-256; what is symmetric, or derives keys, is NULL.
fn template(kind: u16, parameters: &[u16]) -> Vec<u8> {
    [&[kind, SHA256], &ATTRIBUTES[..], parameters].concat().into_iter().flat_map(u16::to_be_bytes).collect()
}
