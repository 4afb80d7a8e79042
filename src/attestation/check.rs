//! The checks, in the order in which they are made. Names and numbers never change once shipped.

use std::ffi::CStr;

macro_rules! checks {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// One thing that is looked at.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(i32)]
        pub(crate) enum Check {
            $($(#[$doc])* $variant = $number,)*
        }

        impl Check {
            /// Every check, in order.
            pub(crate) const ALL: &[Check] = &[$(Check::$variant),*];

            /// The name, as C wants it.
            pub(crate) fn c_name(self) -> &'static CStr {
                match self {
                    $(Check::$variant => $name,)*
                }
            }
        }
    };
}

// 7000 and the number of the step; a second check of the same step has 7100.
checks! {
    /// A block is there.
    Absent = 7001, c"TPM_ABSENT";
    /// It says that there is a quote.
    Unavailable = 7002, c"TPM_UNAVAILABLE";
    /// It is a JSON object with the five other members, each once and of the right type.
    FieldMissing = 7003, c"TPM_FIELD_MISSING";
    /// Three of them are strict base64.
    Base64 = 7103, c"TPM_BASE64";
    /// None is larger than a quote needs.
    Oversize = 7004, c"TPM_OVERSIZE";
    /// The key is a TPM2B_PUBLIC.
    AikParse = 7005, c"TPM_AIK_PARSE";
    /// Nothing is behind it.
    AikTrailing = 7105, c"TPM_AIK_TRAILING";
    /// It is RSA or ECC, named by SHA-2, with neither a symmetric algorithm nor a key derivation.
    AikType = 7006, c"TPM_AIK_TYPE";
    /// It is strong enough, and its numbers are sound.
    AikWeak = 7007, c"TPM_AIK_WEAK";
    /// It may sign nothing but what a TPM made, and does not leave its TPM.
    AikAttrs = 7008, c"TPM_AIK_ATTRS";
    /// It has one scheme, with SHA-2.
    AikScheme = 7009, c"TPM_AIK_SCHEME";
    /// The signature is a TPMT_SIGNATURE.
    SigParse = 7010, c"TPM_SIG_PARSE";
    /// Nothing is behind it.
    SigTrailing = 7110, c"TPM_SIG_TRAILING";
    /// It is of the key's scheme and hash.
    SigSchemeMismatch = 7011, c"TPM_SIG_SCHEME_MISMATCH";
    /// Its hash is SHA-2.
    SigHash = 7012, c"TPM_SIG_HASH";
    /// Its numbers fit the key.
    SigFormat = 7013, c"TPM_SIG_FORMAT";
    /// It is the key's signature of the quote, as received.
    SigInvalid = 7014, c"TPM_SIG_INVALID";
    /// The quote begins as only what a TPM made may.
    AttestMagic = 7015, c"TPM_ATTEST_MAGIC";
    /// It is a quote, not another attestation.
    AttestType = 7016, c"TPM_ATTEST_TYPE";
    /// It is a TPMS_ATTEST.
    AttestParse = 7017, c"TPM_ATTEST_PARSE";
    /// Nothing is behind it.
    AttestTrailing = 7117, c"TPM_ATTEST_TRAILING";
    /// It was made for this request.
    NonceMismatch = 7018, c"TPM_NONCE_MISMATCH";
    /// The answer names this request, in the `payload_id` of its `_metadata`. Skipped if the server named none.
    PayloadId = 7019, c"TPM_PAYLOAD_ID";
    /// The quote covers registers, in every bank that it names.
    PcrSelectEmpty = 7020, c"TPM_PCR_SELECT_EMPTY";
    /// The banks are of SHA-2, and each is named once.
    PcrBank = 7021, c"TPM_PCR_BANK";
    /// The values that came are those of the registers that it covers, no more and no fewer.
    PcrSelectMismatch = 7022, c"TPM_PCR_SELECT_MISMATCH";
    /// What the block says of the selection is what was signed.
    PcrBanksText = 7023, c"TPM_PCR_BANKS_TEXT";
    /// Every register that must be covered is.
    PcrRequiredMissing = 7024, c"TPM_PCR_REQUIRED_MISSING";
    /// Every value is hex, of its bank's length.
    PcrValueFormat = 7025, c"TPM_PCR_VALUE_FORMAT";
    /// The values are those under the quote's digest.
    PcrDigestMismatch = 7026, c"TPM_PCR_DIGEST_MISMATCH";
    /// The firmware's registers have been extended.
    PcrUnextended = 7027, c"TPM_PCR_UNEXTENDED";
    /// No requirement rests on a register that software can reset.
    PcrResettable = 7028, c"TPM_PCR_RESETTABLE";
    /// The key is the primary that the quote names.
    Qsigner = 7029, c"TPM_QSIGNER";
    /// The clock has not gone back.
    ClockUnsafe = 7030, c"TPM_CLOCK_UNSAFE";
    /// The counters have not gone back.
    ResetRegressed = 7031, c"TPM_RESET_REGRESSED";
    /// The firmware's version is allowed.
    FwPolicy = 7032, c"TPM_FW_POLICY";
    /// The key has signed for no other request.
    AikReused = 7033, c"TPM_AIK_REUSED";
    /// The key is the pinned one.
    AikNotPinned = 7133, c"TPM_AIK_NOT_PINNED";
    /// Every register of the baseline has an allowed value.
    PcrBaseline = 7034, c"TPM_PCR_BASELINE";
    /// There is exactly one root of trust.
    TrustConfig = 7035, c"TPM_TRUST_CONFIG";
    /// A certificate leads to it.
    EkChain = 7036, c"TPM_EK_CHAIN";
    /// The key is bound to the certified one.
    AikUnbound = 7037, c"TPM_AIK_UNBOUND";
    /// The quote is bound to the key that the prompt was encrypted to.
    KeyUnbound = 7038, c"TPM_KEY_UNBOUND";
}

impl Check {
    /// The name in reports and messages.
    #[cfg(feature = "attestation")]
    pub(crate) fn name(self) -> &'static str {
        self.c_name().to_str().expect("names are ASCII")
    }

    /// The number that C sees.
    pub(crate) fn number(self) -> i32 {
        self as i32
    }
}
