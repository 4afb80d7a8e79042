//! Phase B: the key that signed, as the block describes it.

use super::algorithm::{NULL, Scheme, curve, hash, hash_id};
use super::check::Check;
use super::reader::Reader;
use super::trail::{Step, Trail, failed};
use crate::crypto::{self, Curve, Hash};

const RSA: u16 = 0x0001;
const ECC: u16 = 0x0023;

/// Restricted, sign, fixedTPM, fixedParent, sensitiveDataOrigin: it signs only what its TPM made, was made there, and
/// stays there.
const REQUIRED: u32 = 0x0005_0032;
/// userWithAuth, adminWithPolicy, noDA: who may use the key; says nothing of what it signs.
const FREE: u32 = 0x0000_04c0;

/// The sizes of RSA keys that verify: from the floor up to what a TPM can hold (TPM2_MAX_RSA_KEY_BYTES).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
/// The public exponent, when a TPM writes 0; and the smallest that is accepted.
const DEFAULT_EXPONENT: u32 = 65537;

/// The numbers of a public key.
#[derive(Debug)]
pub(super) enum Key {
    /// Both big endian, without leading zeros.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// Uncompressed (SEC 1, section 2.3.3), and on the curve.
    Ecc { curve: Curve, point: Vec<u8> },
}

/// An attestation key whose description is sound. That a TPM holds it is what nobody has proved.
#[derive(Debug)]
pub(super) struct Aik {
    pub(super) key: Key,
    pub(super) scheme: Scheme,
    pub(super) hash: Hash,
    pub(super) name_hash: Hash,
    /// Its Name: the number of the name's hash, and the hash of the public area as received.
    pub(super) name: Vec<u8>,
}

/// What is specific to a kind of key.
struct Kind {
    scheme: u16,
    scheme_hash: u16,
    key: Step<Key>,
    described: String,
}

/// Reads a TPM2B_PUBLIC.
pub(super) fn read(bytes: &[u8], trail: &mut Trail) -> Step<Aik> {
    let cut = || failed(Check::AikParse, "the public area is cut short");
    let mut reader = Reader::new(bytes);
    let Some(size) = reader.u16().map(usize::from) else { return cut() };
    let Some(area) = reader.bytes(size) else { return cut() };
    if !reader.is_done() {
        return failed(Check::AikTrailing, "bytes behind the public area");
    }
    let mut reader = Reader::new(area);
    let (Some(kind), Some(name_alg), Some(attributes), Some(policy)) =
        (reader.u16(), reader.u16(), reader.u32(), reader.sized(64))
    else {
        return cut();
    };
    let Some(name_hash) = hash(name_alg) else {
        return failed(Check::AikType, "its name is not by SHA-256, SHA-384 or SHA-512");
    };
    if !policy.is_empty() && policy.len() != name_hash.len() {
        return failed(Check::AikParse, "its policy is not a digest of its name's hash");
    }
    let kind = match kind {
        RSA => rsa(&mut reader)?,
        ECC => ecc(&mut reader)?,
        _ => return failed(Check::AikType, "neither RSA nor ECC"),
    };
    let Some(kind) = kind else { return cut() };
    trail.ok(Check::AikParse, "");
    trail.demand(Check::AikTrailing, reader.is_done(), "bytes behind the key inside the public area")?;
    trail.ok(Check::AikType, kind.described);
    let key = kind.key?;
    trail.ok(Check::AikWeak, "");
    judge_attributes(attributes, trail)?;
    let (scheme, hash) = scheme(&key, kind.scheme, kind.scheme_hash, trail)?;
    let name = [&hash_id(name_hash).to_be_bytes(), crypto::hash(name_hash, [area]).as_slice()].concat();
    Ok(Aik { key, scheme, hash, name_hash, name })
}

fn rsa(reader: &mut Reader<'_>) -> Step<Option<Kind>> {
    let Some((scheme, scheme_hash)) = symmetric_and_scheme(reader)? else { return Ok(None) };
    let (Some(bits), Some(exponent), Some(modulus)) = (reader.u16(), reader.u32(), reader.sized(512)) else {
        return Ok(None);
    };
    let bits = usize::from(bits);
    Ok(Some(Kind { scheme, scheme_hash, key: rsa_key(bits, exponent, modulus), described: format!("RSA-{bits}") }))
}

fn rsa_key(bits: usize, exponent: u32, modulus: &[u8]) -> Step<Key> {
    let weak = |why| failed(Check::AikWeak, why);
    if !RSA_BITS.contains(&bits) {
        return weak("RSA of less than 2048 or more than 4096 bits");
    }
    let full = modulus.first().is_some_and(|byte| *byte >= 0x80);
    if modulus.len() * 8 != bits || !full {
        return weak("the modulus is not as long as the key says");
    }
    if modulus.last().is_none_or(|byte| byte % 2 == 0) {
        return weak("the modulus is even");
    }
    let exponent = if exponent == 0 { DEFAULT_EXPONENT } else { exponent };
    if exponent < DEFAULT_EXPONENT || exponent.is_multiple_of(2) {
        return weak("the exponent is even, or smaller than 65537");
    }
    let exponent = exponent.to_be_bytes();
    let zeros = exponent.iter().take_while(|byte| **byte == 0).count();
    Ok(Key::Rsa { modulus: modulus.to_vec(), exponent: exponent[zeros..].to_vec() })
}

fn ecc(reader: &mut Reader<'_>) -> Step<Option<Kind>> {
    let Some((scheme, scheme_hash)) = symmetric_and_scheme(reader)? else { return Ok(None) };
    let (Some(curve_id), Some(kdf)) = (reader.u16(), reader.u16()) else { return Ok(None) };
    if kdf != NULL {
        return failed(Check::AikType, "it has a key derivation, which a signing key has not");
    }
    let Some(curve) = curve(curve_id) else {
        return failed(Check::AikWeak, "its curve is neither P-256 nor P-384");
    };
    let (Some(x), Some(y)) = (reader.sized(128), reader.sized(128)) else { return Ok(None) };
    Ok(Some(Kind { scheme, scheme_hash, key: ecc_key(curve, x, y), described: format!("ECC {curve:?}") }))
}

fn ecc_key(curve: Curve, x: &[u8], y: &[u8]) -> Step<Key> {
    let (Some(x), Some(y)) = (padded(x, curve.len()), padded(y, curve.len())) else {
        return failed(Check::AikWeak, "a coordinate is longer than the curve's");
    };
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    if !crypto::on_curve(curve, &point) {
        return failed(Check::AikWeak, "the point is not on the curve");
    }
    Ok(Key::Ecc { curve, point })
}

/// A number of at most `len` bytes, with zeros in front where there are fewer; some TPMs leave them out.
pub(super) fn padded(number: &[u8], len: usize) -> Option<Vec<u8>> {
    let zeros = len.checked_sub(number.len())?;
    Some([&vec![0; zeros], number].concat())
}

/// The scheme and its hash (0 for none), behind a symmetric algorithm that must be none.
fn symmetric_and_scheme(reader: &mut Reader<'_>) -> Step<Option<(u16, u16)>> {
    let (Some(symmetric), Some(scheme)) = (reader.u16(), reader.u16()) else { return Ok(None) };
    if symmetric != NULL {
        return failed(Check::AikType, "it has a symmetric algorithm, which a signing key has not");
    }
    match scheme {
        NULL => Ok(Some((NULL, 0))),
        known if Scheme::of(known).is_some() => Ok(reader.u16().map(|hash| (known, hash))),
        _ => failed(Check::AikScheme, "its scheme is not RSASSA, RSAPSS or ECDSA"),
    }
}

fn judge_attributes(attributes: u32, trail: &mut Trail) -> Step<()> {
    if attributes & !FREE != REQUIRED {
        return failed(
            Check::AikAttrs,
            format!(
                "0x{attributes:08x}: missing 0x{:08x}, not allowed 0x{:08x}",
                REQUIRED & !attributes,
                attributes & !FREE & !REQUIRED
            ),
        );
    }
    let free = [(0x40, "userWithAuth"), (0x80, "adminWithPolicy"), (0x400, "noDA")];
    let set: Vec<_> = free.iter().filter(|(bit, _)| attributes & bit != 0).map(|(_, name)| *name).collect();
    let set = if set.is_empty() { "none".to_owned() } else { set.join(", ") };
    trail.ok(Check::AikAttrs, format!("0x{attributes:08x}; of those left free: {set}"));
    Ok(())
}

fn scheme(key: &Key, id: u16, hash_id: u16, trail: &mut Trail) -> Step<(Scheme, Hash)> {
    let Some(scheme) = Scheme::of(id) else {
        return failed(Check::AikScheme, "it has no scheme, which a restricted signing key must have");
    };
    if matches!(key, Key::Rsa { .. }) == (scheme == Scheme::Ecdsa) {
        return failed(Check::AikScheme, "its scheme is for another kind of key");
    }
    let Some(hash) = hash(hash_id) else {
        return failed(Check::AikScheme, "its scheme's hash is not SHA-256, SHA-384 or SHA-512");
    };
    trail.ok(Check::AikScheme, format!("{} with {}", scheme.name(), super::bank::name(hash)));
    Ok((scheme, hash))
}
