//! The verdict on one answer.

use super::level::AttestationLevel;
#[cfg(feature = "attestation")]
use super::trail::{Entry, Outcome};

/// What the quote of one answer proves. Holds nothing of the answer.
#[derive(Debug)]
pub struct Attestation {
    pub(super) level: AttestationLevel,
    pub(super) facts: AttestationFacts,
    #[cfg(feature = "attestation")]
    pub(super) entries: Vec<Entry>,
}

/// What a quote says, once it is at least [`Consistent`](AttestationLevel::Consistent); zeros otherwise. Outside the
/// endorsement and platform hierarchies a TPM obfuscates the counters and the firmware's version with a constant of the
/// key, so that they compare with nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttestationFacts {
    /// How many registers the quote covers.
    pub pcr_count: u32,
    /// The handle of the hierarchy that the key is a primary of; 0 when it is none as described.
    pub hierarchy: u32,
    /// Milliseconds that the TPM has been powered on.
    pub clock: u64,
    /// How often it was reset.
    pub reset_count: u32,
    /// How often it was resumed.
    pub restart_count: u32,
    /// The version of its firmware.
    pub firmware_version: u64,
    /// Whether the clock has not gone back.
    pub clock_safe: bool,
}

/// A check that a quote did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedCheck {
    /// Its number, as `nomyo_attestation_check_name()` knows it.
    pub number: i32,
    /// Its name.
    pub name: &'static str,
}

impl Attestation {
    /// How much is proved.
    pub fn level(&self) -> AttestationLevel {
        self.level
    }

    /// What the quote says.
    pub fn facts(&self) -> &AttestationFacts {
        &self.facts
    }
}

#[cfg(feature = "attestation")]
impl Attestation {
    /// The check that failed, if one did.
    pub fn failed_check(&self) -> Option<FailedCheck> {
        self.failed().map(|entry| FailedCheck { number: entry.check.number(), name: entry.check.name() })
    }

    /// How many checks ended in a warning: worth reading in the report, and no failure.
    pub fn warnings(&self) -> usize {
        self.entries.iter().filter(|entry| entry.outcome == Outcome::Warning).count()
    }

    /// Why the level is no higher, as the end of a sentence.
    pub(super) fn reason(&self) -> String {
        self.failed().map_or_else(String::new, |entry| format!(" ({}: {})", entry.check.name(), entry.detail))
    }

    fn failed(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.outcome == Outcome::Failed)
    }
}

#[cfg(not(feature = "attestation"))]
impl Attestation {
    /// The verdict of a library that judges nothing.
    pub(super) fn not_judged() -> Attestation {
        Attestation { level: AttestationLevel::Unavailable, facts: AttestationFacts::default() }
    }

    /// The check that failed: none is made.
    pub fn failed_check(&self) -> Option<FailedCheck> {
        None
    }

    /// How many checks ended in a warning: none is made.
    pub fn warnings(&self) -> usize {
        0
    }

    /// Why the level is no higher, as the end of a sentence.
    pub(super) fn reason(&self) -> String {
        format!(": {}", self.level.meaning())
    }
}
