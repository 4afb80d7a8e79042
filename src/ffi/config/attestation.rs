//! What a client asks of the quotes in its answers.

use super::super::attestation::nomyo_attestation_policy;
use super::super::error_handle::nomyo_error;
use super::{change, nomyo_config};
use crate::attestation::AttestationPolicy;

/// Sets what is asked of the TPM quote in every answer, also of those that nomyo_open() opens. Default, and for a NULL
/// `policy`: nothing; the quote is judged, and the verdict is in the answer.
///
/// `policy` is copied.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: no answer can fulfil it (BASELINE is required, and no value allowed).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_attestation(
    config: *mut nomyo_config,
    policy: *const nomyo_attestation_policy,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller promises that `policy` is NULL or a policy that is not freed during the call.
    let policy = unsafe { policy.as_ref() };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe {
        change(config, error, |config| match policy {
            Some(handle) => config.set_attestation(&handle.policy),
            None => config.set_attestation(&AttestationPolicy::new()),
        })
    }
}
