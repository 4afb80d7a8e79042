//! Attestation: the TPM 2.0 quote that comes with an answer, checked in full, with a verdict in plain words.
//!
//! Promises: what is [`Consistent`](AttestationLevel::Consistent) was signed, after the payload id was chosen, by the
//! key that came with it, over exactly the bytes received, every one of which was read; it covers the registers that it
//! shows, and firmware and secure boot are among them. Whatever cannot be decoded is invalid, never unknown. Nothing here
//! panics, blocks, copies the answer, or quotes it in a report.
//!
//! Does not promise that there is a TPM. The key comes with the quote, nobody vouches for it, and the attributes that
//! speak of a TPM are bytes that its maker chose. Nor does the quote name the key that the prompt was encrypted to, so
//! that a genuine one can be relayed. What it would take is in SECURITY.md.
//!
//! The decoder is our own, in safe Rust: `libtss2-mu`, which the tests hold it against, reports malformed input on the
//! process's standard error and takes orders from environment variables. Without the feature `attestation` everything is
//! here and judges nothing: the level is [`Unavailable`](AttestationLevel::Unavailable).

#![forbid(unsafe_code)]

#[cfg(feature = "attestation")]
mod aik;
#[cfg(feature = "attestation")]
mod algorithm;
mod bank;
#[cfg(feature = "attestation")]
mod block;
#[cfg(any(feature = "attestation", feature = "capi"))]
mod check;
#[cfg(feature = "attestation")]
mod context;
#[cfg(feature = "attestation")]
mod judge;
mod level;
#[cfg(feature = "attestation")]
mod pcr;
mod policy;
#[cfg(feature = "attestation")]
mod quote;
#[cfg(feature = "attestation")]
mod reader;
mod report;
#[cfg(feature = "attestation")]
mod signature;
#[cfg(feature = "attestation")]
mod trail;
mod verdict;

#[cfg(all(test, feature = "attestation"))]
mod fixture_tests;
#[cfg(all(test, feature = "attestation"))]
pub(crate) mod forger;
#[cfg(all(test, feature = "attestation"))]
mod forger_tests;
#[cfg(all(test, feature = "attestation"))]
mod mutation_tests;

#[cfg(feature = "capi")]
pub(crate) use check::Check;
pub use level::AttestationLevel;
pub use policy::AttestationPolicy;
pub use verdict::{Attestation, AttestationFacts, FailedCheck};

use crate::error::{Error, Result};

/// `_metadata` of an answer, as the envelope found it.
#[derive(Clone, Copy)]
pub(crate) struct Metadata<'a> {
    /// Its JSON text, an object.
    pub(crate) json: &'a str,
    /// Whether the server wrote a payload id into it. The envelope refuses an answer whose id is not its request's.
    pub(crate) names_request: bool,
}

/// Judges the block in `metadata`. `must_have_quote` says that the tier is one that has a TPM: then an answer without a
/// quote is invalid, if the policy requires anything.
pub(crate) fn of_answer(
    metadata: Metadata<'_>,
    payload_id: &str,
    must_have_quote: bool,
    policy: &AttestationPolicy,
) -> Attestation {
    #[cfg(feature = "attestation")]
    return judge::answer(metadata, payload_id, must_have_quote, policy);
    #[cfg(not(feature = "attestation"))]
    {
        let _ = (metadata.json, metadata.names_request, payload_id, must_have_quote, policy);
        Attestation::not_judged()
    }
}

/// Judges an attestation block that was received elsewhere: the JSON object that answers have as
/// `_metadata.tpm_attestation`, made for `payload_id`.
///
/// # Errors
/// [`Status::Argument`](crate::Status::Argument) when `block` is not UTF-8, or the policy cannot be fulfilled;
/// [`Status::Attestation`](crate::Status::Attestation) when the policy requires more than the block proves. Everything
/// else is a verdict.
pub fn verify_attestation(block: &[u8], payload_id: &str, policy: &AttestationPolicy) -> Result<Attestation> {
    policy.checked()?;
    let block = std::str::from_utf8(block).map_err(|_| Error::argument("block is not UTF-8; pass the JSON text"))?;
    #[cfg(feature = "attestation")]
    let verdict = judge::lone_block(block, payload_id, policy);
    #[cfg(not(feature = "attestation"))]
    let verdict = {
        let _ = (block, payload_id);
        Attestation::not_judged()
    };
    policy.admit(&verdict)?;
    Ok(verdict)
}
