//! How much an answer proves, in rising order.

/// How much an answer proves of the machine that it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
#[non_exhaustive]
pub enum AttestationLevel {
    /// No quote came.
    Absent = 0,
    /// The server says that it has none; or this library was built without the feature `attestation`.
    Unavailable = 1,
    /// A check failed.
    Invalid = 2,
    /// The quote is well-formed, fresh and agrees with itself. Anybody can make such a quote, with or without a TPM.
    Consistent = 3,
    /// And every register of the policy has an allowed value. Anybody who knows the values can make such a quote.
    Baseline = 4,
}

impl AttestationLevel {
    /// The number that C sees.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// The name in reports and messages.
    pub fn name(self) -> &'static str {
        match self {
            AttestationLevel::Absent => "ABSENT",
            AttestationLevel::Unavailable => "UNAVAILABLE",
            AttestationLevel::Invalid => "INVALID",
            AttestationLevel::Consistent => "CONSISTENT",
            AttestationLevel::Baseline => "BASELINE",
        }
    }

    /// What it means, for a person.
    pub fn meaning(self) -> &'static str {
        match self {
            AttestationLevel::Absent => "The answer came without a quote. Nothing is proved of the machine.",
            AttestationLevel::Unavailable => "There is no quote to judge. Nothing is proved of the machine.",
            AttestationLevel::Invalid => {
                "A check failed. What came as a quote proves nothing, and may be an attempt to deceive."
            }
            AttestationLevel::Consistent => {
                "The quote is well-formed, fresh and self-consistent. It does not prove that a TPM exists or which \
                 machine answered."
            }
            AttestationLevel::Baseline => {
                "The quote is well-formed, fresh and self-consistent, and the registers have the values that the policy \
                 allows. It does not prove that a TPM exists or which machine answered: who knows the values can make \
                 such a quote."
            }
        }
    }
}
