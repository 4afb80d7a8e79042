//! What a TPM quote proves, and what is asked of it.

use napi::bindgen_prelude::BigInt;
use napi_derive::napi;
use nomyo::boundary::contained;
use nomyo::{Attestation, AttestationLevel, AttestationPolicy, Result};

use crate::input::{Input, copied};
use crate::outcome::Outcome;

/// What is asked of a quote.
#[napi(object, object_to_js = false)]
pub struct Policy {
    /// 0 asks nothing.
    pub require: i32,
    pub allowed: Vec<Allowed>,
}

/// A value that a register may have.
#[napi(object, object_to_js = false)]
pub struct Allowed {
    pub bank: String,
    pub index: u32,
    pub value: String,
}

impl Policy {
    pub fn read(&self) -> Result<AttestationPolicy> {
        let mut policy = AttestationPolicy::new();
        for Allowed { bank, index, value } in &self.allowed {
            policy.allow_pcr(bank, *index, value)?;
        }
        match self.require {
            0 => {}
            4 => policy.require(AttestationLevel::Baseline)?,
            _ => policy.require(AttestationLevel::Consistent)?,
        }
        Ok(policy)
    }
}

/// The verdict on a quote.
#[napi(object, object_from_js = false)]
pub struct Verdict {
    pub level: String,
    pub failed_check: Option<&'static str>,
    pub meaning: &'static str,
    pub warnings: u32,
    pub pcr_count: u32,
    pub hierarchy: u32,
    pub clock: BigInt,
    pub clock_safe: bool,
    pub firmware_version: BigInt,
    pub reset_count: u32,
    pub restart_count: u32,
}

impl From<&Attestation> for Verdict {
    fn from(verdict: &Attestation) -> Verdict {
        let facts = verdict.facts();
        Verdict {
            level: verdict.level().name().to_ascii_lowercase(),
            failed_check: verdict.failed_check().map(|check| check.name),
            meaning: verdict.level().meaning(),
            warnings: u32::try_from(verdict.warnings()).unwrap_or(u32::MAX),
            pcr_count: facts.pcr_count,
            hierarchy: facts.hierarchy,
            clock: facts.clock.into(),
            clock_safe: facts.clock_safe,
            firmware_version: facts.firmware_version.into(),
            reset_count: facts.reset_count,
            restart_count: facts.restart_count,
        }
    }
}

/// Judges a block that was received elsewhere. Blocks for a millisecond.
#[napi]
pub fn verify_attestation(policy: Policy, block: Input<'_>, payload_id: String) -> Outcome<Verdict> {
    let block = copied(block);
    let verdict = contained(|| nomyo::verify_attestation(&block, &payload_id, &policy.read()?));
    verdict.map(|verdict| Verdict::from(&verdict)).into()
}
