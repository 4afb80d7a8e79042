//! The algorithms of TCG's registry that a quote may use.

use crate::crypto::{Curve, Hash};

/// No algorithm (TPM_ALG_NULL).
pub(super) const NULL: u16 = 0x0010;

/// The hash with this number; SHA-1 and everything else is none.
pub(super) fn hash(id: u16) -> Option<Hash> {
    match id {
        0x000b => Some(Hash::Sha256),
        0x000c => Some(Hash::Sha384),
        0x000d => Some(Hash::Sha512),
        _ => None,
    }
}

/// The number of a hash.
pub(super) fn hash_id(hash: Hash) -> u16 {
    match hash {
        Hash::Sha256 => 0x000b,
        Hash::Sha384 => 0x000c,
        Hash::Sha512 => 0x000d,
    }
}

/// The curve with this number.
pub(super) fn curve(id: u16) -> Option<Curve> {
    match id {
        0x0003 => Some(Curve::P256),
        0x0004 => Some(Curve::P384),
        _ => None,
    }
}

/// The signature schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    RsaSsa,
    RsaPss,
    Ecdsa,
}

impl Scheme {
    /// The scheme with this number.
    pub(super) fn of(id: u16) -> Option<Scheme> {
        match id {
            0x0014 => Some(Scheme::RsaSsa),
            0x0016 => Some(Scheme::RsaPss),
            0x0018 => Some(Scheme::Ecdsa),
            _ => None,
        }
    }

    /// The name in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Scheme::RsaSsa => "RSASSA",
            Scheme::RsaPss => "RSAPSS",
            Scheme::Ecdsa => "ECDSA",
        }
    }
}
