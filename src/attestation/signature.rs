//! Phase C: the signature, over the quote's bytes as received.

use super::aik::{Aik, Key, padded};
use super::algorithm::{Scheme, hash};
use super::check::Check;
use super::reader::Reader;
use super::trail::{Step, Trail, failed};
use crate::crypto::{self, Curve, RsaPadding};

/// Judges a TPMT_SIGNATURE of `quote` by `aik`.
pub(super) fn judge(bytes: &[u8], aik: &Aik, quote: &[u8], trail: &mut Trail) -> Step<()> {
    let cut = || failed(Check::SigParse, "the signature is cut short");
    let mut reader = Reader::new(bytes);
    let (Some(scheme), Some(hash_id)) = (reader.u16(), reader.u16()) else { return cut() };
    // What follows has the form of the scheme; a signature of another one would not be read at all.
    if Scheme::of(scheme) != Some(aik.scheme) {
        return failed(Check::SigSchemeMismatch, "not of the key's scheme");
    }
    let Some(first) = reader.sized(512) else { return cut() };
    let second = match aik.scheme {
        Scheme::Ecdsa => match reader.sized(128) {
            Some(second) => second,
            None => return cut(),
        },
        Scheme::RsaSsa | Scheme::RsaPss => &[],
    };
    trail.ok(Check::SigParse, "");
    trail.demand(Check::SigTrailing, reader.is_done(), "bytes behind the signature")?;
    if hash(hash_id).is_some_and(|hash| hash != aik.hash) {
        return failed(Check::SigSchemeMismatch, "not of the key's hash");
    }
    trail.ok(Check::SigSchemeMismatch, "");
    trail.demand(Check::SigHash, hash(hash_id).is_some(), "its hash is not SHA-256, SHA-384 or SHA-512")?;
    let valid = match &aik.key {
        Key::Rsa { modulus, exponent } => {
            trail.demand(Check::SigFormat, first.len() == modulus.len(), "not as long as the modulus")?;
            let padding = if aik.scheme == Scheme::RsaPss { RsaPadding::Pss } else { RsaPadding::Pkcs1 };
            crypto::verify_rsa(padding, aik.hash, modulus, exponent, quote, first)
        }
        Key::Ecc { curve, point } => {
            let (Some(r), Some(s)) = (in_range(*curve, first), in_range(*curve, second)) else {
                return failed(Check::SigFormat, "r or s is 0, or not below the order of the curve");
            };
            trail.ok(Check::SigFormat, "");
            crypto::verify_ecdsa(*curve, aik.hash, point, quote, &r, &s)
        }
    };
    trail.demand(Check::SigInvalid, valid, "not this key's signature of this quote")
}

/// One half of an ECDSA signature, as long as a coordinate.
fn in_range(curve: Curve, number: &[u8]) -> Option<Vec<u8>> {
    let number = padded(number, curve.len())?;
    let inside = number.iter().any(|byte| *byte != 0) && number.as_slice() < curve.order();
    inside.then_some(number)
}
