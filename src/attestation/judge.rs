//! The checks in their order: A the block, B the key, C the signature, D the quote, E the registers, F the context, G the
//! root of trust. What fails in A to E ends it, and so does a register that the baseline does not allow.

use super::Metadata;
use super::aik;
use super::block::{self, Block, Says};
use super::check::Check;
use super::context;
use super::level::AttestationLevel;
use super::pcr;
use super::policy::AttestationPolicy;
use super::quote;
use super::signature;
use super::trail::{Failure, Step, Trail, failed};
use super::verdict::{Attestation, AttestationFacts};
use crate::json::{Unfit, named};

/// Which request the answer says that it belongs to.
#[derive(Clone, Copy)]
enum PayloadId {
    /// This one: the envelope has compared the ids.
    Same,
    /// None.
    Unnamed,
    /// There is only the block.
    Unknown,
}

/// Judges the block in `metadata`.
pub(super) fn answer(
    metadata: Metadata<'_>,
    payload_id: &str,
    must_have_quote: bool,
    policy: &AttestationPolicy,
) -> Attestation {
    let mut trail = Trail::default();
    let id = if metadata.names_request { PayloadId::Same } else { PayloadId::Unnamed };
    let outcome = match named(metadata.json, ["tpm_attestation"]) {
        Ok([Some(block)]) if block != "null" => read(block, payload_id, id, policy, &mut trail),
        Ok(_) | Err(Unfit::NotAnObject) => Ok(Found::Nothing(
            AttestationLevel::Absent,
            Failure { check: Check::Absent, detail: "the answer has no block".into() },
        )),
        Err(Unfit::Twice) => failed(Check::FieldMissing, "the answer has two blocks"),
    };
    verdict(outcome, must_have_quote && policy.requires(), trail)
}

/// Judges the JSON text of a block.
pub(super) fn lone_block(json: &str, payload_id: &str, policy: &AttestationPolicy) -> Attestation {
    let mut trail = Trail::default();
    let outcome = read(json, payload_id, PayloadId::Unknown, policy, &mut trail);
    verdict(outcome, false, trail)
}

/// What was found in the place of a block.
enum Found {
    /// No quote.
    Nothing(AttestationLevel, Failure),
    /// A quote that passes every check.
    Quote(AttestationLevel, AttestationFacts),
}

fn read(json: &str, payload_id: &str, id: PayloadId, policy: &AttestationPolicy, trail: &mut Trail) -> Step<Found> {
    trail.ok(Check::Absent, "");
    match block::read(json, trail)? {
        Says::Unavailable => Ok(Found::Nothing(
            AttestationLevel::Unavailable,
            Failure { check: Check::Unavailable, detail: "the server says that it has no TPM".into() },
        )),
        Says::Quote(block) => judge(&block, payload_id, id, policy, trail),
    }
}

fn judge(
    block: &Block<'_>,
    payload_id: &str,
    id: PayloadId,
    policy: &AttestationPolicy,
    trail: &mut Trail,
) -> Step<Found> {
    let aik = aik::read(&block.aik, trail)?;
    let signed = quote::signed_part(&block.quote);
    signature::judge(&block.signature, &aik, signed, trail)?;
    let quote = quote::read(signed, payload_id, trail)?;
    match id {
        PayloadId::Same => trail.ok(Check::PayloadId, "the payload id in the answer is the request's"),
        PayloadId::Unnamed => {
            trail.skipped(Check::PayloadId, "there is no payload id in the answer; only the quote names the request");
        }
        PayloadId::Unknown => trail.skipped(Check::PayloadId, "there is only the block"),
    }
    let pcrs = pcr::judge(block, &quote, aik.hash, policy, trail)?;
    let hierarchy = context::hierarchy(&quote, &aik, trail)?;
    context::counters(&quote, trail);
    let baseline = context::baseline(&pcrs, policy, trail)?;
    context::root_of_trust(trail);
    let facts = AttestationFacts {
        pcr_count: u32::try_from(pcrs.len()).unwrap_or(u32::MAX),
        hierarchy,
        clock: quote.clock,
        reset_count: quote.reset_count,
        restart_count: quote.restart_count,
        firmware_version: quote.firmware_version,
        clock_safe: quote.safe,
    };
    let level = if baseline { AttestationLevel::Baseline } else { AttestationLevel::Consistent };
    Ok(Found::Quote(level, facts))
}

fn verdict(outcome: Step<Found>, quote_was_due: bool, trail: Trail) -> Attestation {
    let (level, facts, failure) = match outcome {
        Ok(Found::Quote(level, facts)) => (level, facts, None),
        Ok(Found::Nothing(_, mut failure)) if quote_was_due => {
            failure.detail = "no quote came, and tier maximum must have one".into();
            (AttestationLevel::Invalid, AttestationFacts::default(), Some(failure))
        }
        Ok(Found::Nothing(level, failure)) => (level, AttestationFacts::default(), Some(failure)),
        Err(failure) => (AttestationLevel::Invalid, AttestationFacts::default(), Some(failure)),
    };
    Attestation { level, facts, entries: trail.closed(failure) }
}
