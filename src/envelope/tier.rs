//! The security tiers, in rising order.

use crate::error::{Error, Result};

/// How the server is asked to run the model. A higher tier is a stronger promise of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// GPU.
    Standard,
    /// CPU and GPU balanced.
    High,
    /// CPU only; the server must have a TPM.
    Maximum,
}

impl Tier {
    /// Reads `standard`, `high` or `maximum`, case-sensitive.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for anything else.
    pub fn parse(name: &str) -> Result<Tier> {
        Tier::known(name.as_bytes())
            .ok_or_else(|| Error::argument("security_tier must be one of: standard, high, maximum (lower case)"))
    }

    pub(crate) fn known(name: &[u8]) -> Option<Tier> {
        match name {
            b"standard" => Some(Tier::Standard),
            b"high" => Some(Tier::High),
            b"maximum" => Some(Tier::Maximum),
            _ => None,
        }
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Standard => "standard",
            Tier::High => "high",
            Tier::Maximum => "maximum",
        }
    }
}
