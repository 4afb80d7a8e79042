//! The three security tiers, in order.

use std::fmt;

/// A security tier of the protocol. Later is stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Tier {
    /// GPU.
    Standard,
    /// CPU and GPU balanced.
    High,
    /// CPU only, with a TPM.
    Maximum,
}

impl Tier {
    /// Reads the value of `X-Security-Tier`: exact and case-sensitive, as the SDKs send it.
    pub(crate) fn from_header(value: &str) -> Option<Tier> {
        match value {
            "standard" => Some(Tier::Standard),
            "high" => Some(Tier::High),
            "maximum" => Some(Tier::Maximum),
            _ => None,
        }
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Standard => "standard",
            Tier::High => "high",
            Tier::Maximum => "maximum",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
