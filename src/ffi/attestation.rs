//! `nomyo_attestation_policy`, and the verdict on a quote.

use std::ffi::{CStr, c_char};

use super::arguments::{bytes, exclusive, output, take_back, text, write_sized};
use super::error_handle::nomyo_error;
use super::guard::{guard, guard_new, guard_value};
use crate::attestation::{Attestation, AttestationLevel, AttestationPolicy, Check, verify_attestation};
use crate::error::{Error, Result};

/// Attestation level: the answer came without a quote.
pub const NOMYO_ATTESTATION_ABSENT: i32 = 0;
/// Attestation level: the server says that it has no quote; or this library was built without attestation.
pub const NOMYO_ATTESTATION_UNAVAILABLE: i32 = 1;
/// Attestation level: a check failed. What cannot be decoded is invalid, never unknown.
pub const NOMYO_ATTESTATION_INVALID: i32 = 2;
/// Attestation level: the quote is well-formed, was made for this request, is signed by the key that came with it, and
/// covers the register values that came with it. WARNING: it proves no more. Nobody vouches for that key: a program
/// without a TPM can make such a quote, and whoever stands between can pass on somebody else's. It does not prove that a
/// TPM exists, which machine answered, that the values are good, or that the key which the prompt was encrypted to belongs
/// to that machine; and it comes with the answer, when the prompt has long been sent.
pub const NOMYO_ATTESTATION_CONSISTENT: i32 = 3;
/// Attestation level: CONSISTENT, and every register of the policy has one of its allowed values. That shows an honest
/// server drifting. WARNING: whoever knows the values can make such a quote without a TPM.
pub const NOMYO_ATTESTATION_BASELINE: i32 = 4;
/// Attestation level: reserved. Each answer has an attestation key of its own, so that there is none to pin.
pub const NOMYO_ATTESTATION_PINNED: i32 = 5;
/// Attestation level: reserved. The protocol has no certificate of a TPM today.
pub const NOMYO_ATTESTATION_CERTIFIED: i32 = 6;

/// What the TPM quote of an answer proves, and what it says. A copy: nothing to free. Everything behind `failed_check` is 0
/// unless `level` is at least NOMYO_ATTESTATION_CONSISTENT. Outside the endorsement and platform hierarchies a TPM
/// obfuscates the two counters and the firmware's version with constants of the key, so that they compare with nothing.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nomyo_attestation {
    /// One of the NOMYO_ATTESTATION_ levels.
    pub level: i32,
    /// The number of the check that failed, 0 when none did; nomyo_attestation_check_name() names it.
    pub failed_check: i32,
    /// How many registers (PCRs) the quote covers.
    pub pcr_count: u32,
    /// How many checks ended in a warning, which lowers no level; the report says which.
    pub warnings: u32,
    /// Milliseconds that the TPM has been powered on in its life.
    pub clock: u64,
    /// The version of the TPM's firmware.
    pub firmware_version: u64,
    /// How often the TPM was reset.
    pub reset_count: u32,
    /// How often it was resumed or restarted without a reset.
    pub restart_count: u32,
    /// 1 when the clock cannot have gone back since it was last seen.
    pub clock_safe: i32,
    /// The handle of the hierarchy that the key is a primary of: 0x40000001 owner, 0x4000000B endorsement, 0x40000007
    /// null, 0x4000000C platform; 0 when it is no primary as it is described, and then there is a warning.
    pub hierarchy: u32,
}

/// Fills the caller's struct with a verdict.
///
/// # Safety
/// `out` points to `size` writable bytes.
pub(super) unsafe fn write_verdict(out: *mut nomyo_attestation, size: usize, verdict: &Attestation) {
    let facts = verdict.facts();
    let value = nomyo_attestation {
        level: verdict.level().code(),
        failed_check: verdict.failed_check().map_or(0, |check| check.number),
        pcr_count: facts.pcr_count,
        warnings: u32::try_from(verdict.warnings()).unwrap_or(u32::MAX),
        clock: facts.clock,
        firmware_version: facts.firmware_version,
        reset_count: facts.reset_count,
        restart_count: facts.restart_count,
        clock_safe: i32::from(facts.clock_safe),
        hierarchy: facts.hierarchy,
    };
    // SAFETY: by the contract above; the fields leave no padding.
    unsafe { write_sized(out, size, &value) };
}

/// The level with a number, if there is one that a quote can reach.
fn level(number: i32) -> Option<AttestationLevel> {
    Some(match number {
        NOMYO_ATTESTATION_ABSENT => AttestationLevel::Absent,
        NOMYO_ATTESTATION_UNAVAILABLE => AttestationLevel::Unavailable,
        NOMYO_ATTESTATION_INVALID => AttestationLevel::Invalid,
        NOMYO_ATTESTATION_CONSISTENT => AttestationLevel::Consistent,
        NOMYO_ATTESTATION_BASELINE => AttestationLevel::Baseline,
        _ => return None,
    })
}

/// The name of a level, such as `"CONSISTENT"`; `"UNKNOWN"` for a number that no verdict has.
///
/// Any thread; blocks on nothing. The text is static: never free it.
#[unsafe(no_mangle)]
pub extern "C" fn nomyo_attestation_level_name(level: i32) -> *const c_char {
    self::level(level).map_or(c"UNKNOWN", AttestationLevel::c_name).as_ptr()
}

/// What a level means, in one sentence or two that can be shown to a person; `"UNKNOWN"` for a number that no verdict has.
///
/// Any thread; blocks on nothing. The text is static: never free it.
#[unsafe(no_mangle)]
pub extern "C" fn nomyo_attestation_level_meaning(level: i32) -> *const c_char {
    self::level(level).map_or(c"UNKNOWN", AttestationLevel::c_meaning).as_ptr()
}

/// The name of a check, such as `"TPM_NONCE_MISMATCH"` for 7018; `"NONE"` for 0 and `"UNKNOWN"` for any other number.
///
/// Any thread; blocks on nothing. The text is static: never free it.
#[unsafe(no_mangle)]
pub extern "C" fn nomyo_attestation_check_name(check: i32) -> *const c_char {
    check_name(check).as_ptr()
}

fn check_name(number: i32) -> &'static CStr {
    match Check::ALL.iter().find(|check| check.number() == number) {
        Some(check) => check.c_name(),
        None if number == 0 => c"NONE",
        None => c"UNKNOWN",
    }
}

/// What is asked of a TPM quote. Belongs to one thread at a time while it is being changed.
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_attestation_policy {
    pub(super) policy: AttestationPolicy,
}

/// Makes a policy that asks nothing: quotes are judged, and no answer is withheld.
///
/// Any thread; blocks on nothing. Free it with nomyo_attestation_policy_free(). NULL after an internal error, or
/// if there is no memory.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn nomyo_attestation_policy_new() -> *mut nomyo_attestation_policy {
    guard_new(|| Box::into_raw(Box::new(nomyo_attestation_policy { policy: AttestationPolicy::new() })))
}

/// Frees a policy. NULL does nothing. Configurations that it was given to keep their copy.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_attestation_policy_free(policy: *mut nomyo_attestation_policy) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { take_back(policy) });
}

/// Changes a policy.
///
/// # Safety
/// `policy` and `error` as in nomyo.h, Conventions.
unsafe fn change(
    policy: *mut nomyo_attestation_policy,
    error: *mut *mut nomyo_error,
    body: impl FnOnce(&mut AttestationPolicy) -> Result<()>,
) -> i32 {
    // SAFETY: by the contract above.
    guard(error, || body(&mut unsafe { exclusive(policy, "policy") }?.policy))
}

/// Withholds answers that prove less than `level`: NOMYO_ATTESTATION_CONSISTENT, or NOMYO_ATTESTATION_BASELINE, for which
/// nomyo_attestation_policy_allow_pcr() gives the values. An answer that is withheld is NOMYO_ERR_ATTESTATION, and wiped;
/// the message names the first check that failed. WARNING: the quote comes with the answer. When it is withheld, the
/// prompt has been sent and processed.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: a lower level, which asks nothing, or one that nothing can reach today.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_attestation_policy_require(
    policy: *mut nomyo_attestation_policy,
    level: i32,
    error: *mut *mut nomyo_error,
) -> i32 {
    let require = |policy: &mut AttestationPolicy| match self::level(level) {
        Some(level) => policy.require(level),
        None if [NOMYO_ATTESTATION_PINNED, NOMYO_ATTESTATION_CERTIFIED].contains(&level) => Err(Error::argument(
            "PINNED and CERTIFIED are reserved: the protocol has nothing that could reach them; require CONSISTENT or \
             BASELINE",
        )),
        None => Err(Error::argument("level is none of the NOMYO_ATTESTATION_ levels")),
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(policy, error, require) }
}

/// Adds a value that a register may have: `bank` is `sha256`, `sha384` or `sha512`, `index` 0 to 15, `hex` the value in hex
/// digits, in either case and without a prefix. Repeatable: a register with several values may have any of them. A register
/// that has one here must be in every quote; an answer whose register has none of its values is INVALID.
///
/// The values of registers 0 (firmware) and 7 (secure boot) change with updates and settings; 10 (IMA) changes all the
/// time.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: another bank; an index above 15 (software can reset registers 16 to 23); not as
///         many hex digits as the bank's values have.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_attestation_policy_allow_pcr(
    policy: *mut nomyo_attestation_policy,
    bank: *const c_char,
    index: u32,
    hex: *const c_char,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller promises that both texts are NULL or NUL-terminated.
    let allow =
        |policy: &mut AttestationPolicy| unsafe { policy.allow_pcr(text(bank, "bank")?, index, text(hex, "hex")?) };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(policy, error, allow) }
}

/// Judges an attestation block that was received elsewhere: `block_json` (`len` bytes) is the JSON object that an answer
/// has as `_metadata.tpm_attestation`, `payload_id` the id of the request that it was made for. `policy` may be NULL: nothing is
/// asked. `size` is `sizeof *out` as the caller was compiled, as for nomyo_memory_info_get().
///
/// Any thread; blocks on nothing.
///
/// @param out receives the verdict, INVALID included.
/// @return NOMYO_OK: there is a verdict; NOMYO_ERR_ATTESTATION: the policy requires more, and the message says why;
///         NOMYO_ERR_ARGUMENT: NULL, text that is not UTF-8, or a policy that no quote can fulfil.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_attestation_verify(
    block_json: *const u8,
    len: usize,
    payload_id: *const c_char,
    policy: *const nomyo_attestation_policy,
    out: *mut nomyo_attestation,
    size: usize,
    error: *mut *mut nomyo_error,
) -> i32 {
    guard(error, || {
        let out = output(out, "out")?;
        // SAFETY: the caller promises the bytes, a NUL-terminated id, and a policy that is NULL or alive.
        let (block, id, handle) =
            unsafe { (bytes(block_json, len, "block_json")?, text(payload_id, "payload_id")?, policy.as_ref()) };
        let policy = handle.map(|handle| handle.policy.clone()).unwrap_or_default();
        let verdict = verify_attestation(block, id, &policy)?;
        // SAFETY: `out` is not NULL, and the caller promises `size` writable bytes there.
        unsafe { write_verdict(out, size, &verdict) };
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_levels_are_those_of_rust() {
        for number in NOMYO_ATTESTATION_ABSENT..=NOMYO_ATTESTATION_BASELINE {
            assert_eq!(level(number).map(AttestationLevel::code), Some(number));
        }
        assert_eq!(level(NOMYO_ATTESTATION_PINNED), None);
        assert_eq!(level(-1), None);
    }

    #[test]
    fn every_check_has_one_number_and_one_name() {
        for (place, check) in Check::ALL.iter().enumerate() {
            assert_eq!(check_name(check.number()), check.c_name());
            assert!(Check::ALL[..place].iter().all(|other| other.c_name() != check.c_name()), "{check:?}");
        }
        assert_eq!((check_name(0), check_name(7000)), (c"NONE", c"UNKNOWN"));
    }
}
