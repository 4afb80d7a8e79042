//! What is asked of an answer.

use super::bank;
use super::level::AttestationLevel;
use super::verdict::Attestation;
use crate::crypto::Hash;
use crate::error::{Error, Result, Status};

/// What is asked of the quote in an answer. By default nothing: it is judged, and the verdict is in the answer. Belongs
/// to one thread while it is being changed.
#[derive(Clone, Debug, Default)]
pub struct AttestationPolicy {
    required: Option<AttestationLevel>,
    baseline: Vec<Allowed>,
}

/// A value that a register may have.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "attestation"), expect(dead_code, reason = "it is checked, and no quote is held against it"))]
struct Allowed {
    bank: Hash,
    index: u8,
    value: Vec<u8>,
}

impl AttestationPolicy {
    /// A policy that asks nothing.
    pub fn new() -> AttestationPolicy {
        AttestationPolicy::default()
    }

    /// Withholds answers that prove less than `level`.
    ///
    /// # Errors
    /// [`Status::Argument`] for a level below [`Consistent`](AttestationLevel::Consistent), which asks nothing.
    pub fn require(&mut self, level: AttestationLevel) -> Result<()> {
        if level < AttestationLevel::Consistent {
            return Err(Error::argument("only CONSISTENT and BASELINE can be required; lower levels prove nothing"));
        }
        self.required = Some(level);
        Ok(())
    }

    /// Adds a value that register `index` of `bank` may have; a register with several may have any of them. A register
    /// that has one here must be in every quote.
    ///
    /// # Errors
    /// [`Status::Argument`] for another bank than `sha256`, `sha384` and `sha512`, for an index above 15 (16 to 23 can
    /// be reset by software), and for what is not as many hex digits as the bank's values have.
    pub fn allow_pcr(&mut self, bank: &str, index: u32, hex: &str) -> Result<()> {
        let Some(bank) = bank::of(bank) else {
            return Err(Error::argument("bank is none of sha256, sha384, sha512"));
        };
        let Some(index) = u8::try_from(index).ok().filter(|index| *index < 16) else {
            return Err(Error::argument(
                "index is above 15; registers 16 to 23 can be reset by software and prove nothing",
            ));
        };
        let Some(value) = bank::value(bank, hex) else {
            return Err(Error::argument(format!(
                "hex is not {} hex digits, as a value in bank {} has",
                2 * bank.len(),
                bank::name(bank)
            )));
        };
        self.baseline.push(Allowed { bank, index, value });
        Ok(())
    }

    /// Refuses a policy that no answer can fulfil.
    pub(crate) fn checked(&self) -> Result<&AttestationPolicy> {
        if self.required == Some(AttestationLevel::Baseline) && self.baseline.is_empty() {
            return Err(Error::argument(
                "the policy requires BASELINE and allows no register value; add some, or require CONSISTENT",
            ));
        }
        Ok(self)
    }

    /// Withholds an answer that proves less than is required.
    pub(crate) fn admit(&self, verdict: &Attestation) -> Result<()> {
        match self.required {
            Some(required) if verdict.level() < required => Err(Error::new(
                Status::Attestation,
                format!(
                    "the attestation policy requires {}, and the answer is {}{}; the answer is withheld, but the prompt \
                     has already been sent",
                    required.name(),
                    verdict.level().name(),
                    verdict.reason()
                ),
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(feature = "attestation")]
impl AttestationPolicy {
    /// Whether answers can be withheld.
    pub(super) fn requires(&self) -> bool {
        self.required.is_some()
    }

    /// The registers of the baseline.
    pub(super) fn registers(&self) -> impl Iterator<Item = (Hash, u8)> {
        self.baseline.iter().map(|allowed| (allowed.bank, allowed.index))
    }

    /// Whether the register may have this value.
    pub(super) fn allows(&self, bank: Hash, index: u8, value: &[u8]) -> bool {
        self.baseline.iter().any(|a| a.bank == bank && a.index == index && a.value == value)
    }
}
