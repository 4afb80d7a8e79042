//! What a client asks of the quotes in its answers.

use super::super::attestation::nomyo_attestation_policy;
use super::super::error::nomyo_error;
use super::{change, nomyo_config};
use crate::attestation::AttestationPolicy;

/// Sets what is asked of the TPM quote in every answer, also of those that nomyo_open() opens. Default, and for a NULL
/// `p`: nothing; the quote is judged, and the verdict is in the answer.
///
/// `p` is copied.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: no answer can fulfil it (BASELINE is required, and no value allowed).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_config_set_attestation(
    c: *mut nomyo_config,
    p: *const nomyo_attestation_policy,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller promises that `p` is NULL or a policy that is not freed during the call.
    let policy = unsafe { p.as_ref() };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe {
        change(c, err, |config| match policy {
            Some(handle) => config.set_attestation(&handle.policy),
            None => config.set_attestation(&AttestationPolicy::new()),
        })
    }
}
