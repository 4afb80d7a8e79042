//! How much an answer proves, in rising order.

use std::ffi::CStr;

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
        self.c_name().to_str().expect("names are ASCII")
    }

    /// What it means, in one sentence or two for a person.
    pub fn meaning(self) -> &'static str {
        self.c_meaning().to_str().expect("the sentences are ASCII")
    }

    /// The name, as C wants it.
    pub(crate) fn c_name(self) -> &'static CStr {
        match self {
            AttestationLevel::Absent => c"ABSENT",
            AttestationLevel::Unavailable => c"UNAVAILABLE",
            AttestationLevel::Invalid => c"INVALID",
            AttestationLevel::Consistent => c"CONSISTENT",
            AttestationLevel::Baseline => c"BASELINE",
        }
    }

    /// What it means, as C wants it.
    pub(crate) fn c_meaning(self) -> &'static CStr {
        match self {
            AttestationLevel::Absent => c"The answer came without a quote. Nothing is proved of the machine.",
            AttestationLevel::Unavailable if !cfg!(feature = "attestation") => {
                c"This library was built without attestation: no quote was judged. Nothing is proved of the machine."
            }
            AttestationLevel::Unavailable => {
                c"The server says that it has no quote. Nothing is proved of the machine."
            }
            AttestationLevel::Invalid => {
                c"A check failed. What came as a quote proves nothing, and may be an attempt to deceive."
            }
            AttestationLevel::Consistent => {
                c"The quote is well-formed, fresh and self-consistent. It does not prove that a TPM exists or which machine answered."
            }
            AttestationLevel::Baseline => {
                c"The quote is well-formed, fresh and self-consistent, and its registers have allowed values. It does not prove that a TPM exists or which machine answered."
            }
        }
    }
}
