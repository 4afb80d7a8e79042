//! Phases F and G: what else there is to say of a quote that is consistent; and what nobody can say, today.

use super::aik::Aik;
use super::algorithm::hash_id;
use super::bank;
use super::check::Check;
use super::pcr::Pcr;
use super::policy::AttestationPolicy;
use super::quote::Quote;
use super::trail::{Step, Trail, failed};
use crate::crypto;

/// The hierarchies that a primary key can be in, by their handles.
const HIERARCHIES: [(u32, &str); 4] =
    [(0x4000_0001, "owner"), (0x4000_000b, "endorsement"), (0x4000_0007, "null"), (0x4000_000c, "platform")];

/// Names the hierarchy of the key, if the quote names the key as a primary one; 0 if it does not.
pub(super) fn hierarchy(quote: &Quote<'_>, aik: &Aik, trail: &mut Trail) -> Step<u32> {
    let id = hash_id(aik.name_hash).to_be_bytes();
    if quote.signer.len() != 2 + aik.name_hash.len() || !quote.signer.starts_with(&id) {
        return failed(Check::Qsigner, "the signer's name is not one by the key's name hash");
    }
    let qualified = |handle: u32| crypto::hash(aik.name_hash, [&handle.to_be_bytes()[..], &aik.name]);
    let found = HIERARCHIES.iter().find(|(handle, _)| quote.signer[2..] == qualified(*handle));
    match found {
        Some((handle, name)) => {
            trail.ok(Check::Qsigner, format!("a primary key of the {name} hierarchy"));
            Ok(*handle)
        }
        None => {
            trail.warning(
                Check::Qsigner,
                "not a primary key as it is described: it has a parent, or its description has been changed",
            );
            Ok(0)
        }
    }
}

/// What the TPM says of its clock and its counters.
pub(super) fn counters(quote: &Quote<'_>, trail: &mut Trail) {
    if quote.safe {
        trail.ok(Check::ClockUnsafe, "");
    } else {
        trail.warning(Check::ClockUnsafe, "the TPM lost power without notice, and its clock may have gone back");
    }
    trail.skipped(Check::ResetRegressed, "nothing is remembered between answers, and each has a key of its own");
    trail.skipped(Check::FwPolicy, "outside the endorsement and platform hierarchies the TPM obfuscates the version");
    trail.skipped(Check::AikReused, "nothing is remembered between answers");
    trail.skipped(Check::AikNotPinned, "each answer has a key of its own: there is none to pin");
}

/// Holds the registers against the policy's baseline. Whether there is one.
pub(super) fn baseline(pcrs: &[Pcr], policy: &AttestationPolicy, trail: &mut Trail) -> Step<bool> {
    let mut any = false;
    for (bank, index) in policy.registers() {
        any = true;
        let value = pcrs.iter().find(|pcr| pcr.bank == bank && pcr.index == index).map(|pcr| pcr.value.as_slice());
        if !value.is_some_and(|value| policy.allows(bank, index, value)) {
            return failed(
                Check::PcrBaseline,
                format!("{}:{index} has a value that the policy does not allow", bank::name(bank)),
            );
        }
    }
    if any {
        trail.ok(Check::PcrBaseline, "");
    } else {
        trail.skipped(Check::PcrBaseline, "the policy allows no values");
    }
    Ok(any)
}

/// What would make it hardware, and is not there.
pub(super) fn root_of_trust(trail: &mut Trail) {
    trail.skipped(Check::TrustConfig, "the protocol has no root of trust");
    trail.skipped(Check::EkChain, "the server sends no certificate of its TPM");
    trail.skipped(Check::AikUnbound, "nothing binds the key to a TPM that somebody certifies");
    trail.skipped(Check::KeyUnbound, "the quote does not name the key that the prompt was encrypted to");
}
