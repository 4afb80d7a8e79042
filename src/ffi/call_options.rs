//! `nomyo_call_options`.

use std::ffi::c_char;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::arguments::{bytes, exclusive, shared, text};
use super::cancel::nomyo_cancel;
use super::error_handle::nomyo_error;
use super::guard::{guard, guard_new, guard_value};
use super::handle::{give, keep_or_none, release};
use crate::client::CallOptions;
use crate::envelope::Tier;
use crate::error::Result;

/// The options of one call, over the client's. Belongs to one thread at a time while it is being changed; any number of
/// calls may read it at once.
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_call_options {
    options: CallOptions,
}

/// The options that C gave, or none.
pub(super) enum Options {
    Given(Arc<nomyo_call_options>),
    None(CallOptions),
}

impl Deref for Options {
    type Target = CallOptions;

    fn deref(&self) -> &CallOptions {
        match self {
            Options::Given(handle) => &handle.options,
            Options::None(options) => options,
        }
    }
}

/// # Safety
/// `options` is NULL, or options that are not freed yet and are not changed during the call.
pub(super) unsafe fn options_or_none(options: *const nomyo_call_options) -> Options {
    // SAFETY: by the contract above.
    unsafe { keep_or_none(options) }.map_or_else(|| Options::None(CallOptions::new()), Options::Given)
}

/// Changes the options.
///
/// # Safety
/// `options` and `error` as in nomyo.h, Conventions.
unsafe fn change(
    options: *mut nomyo_call_options,
    error: *mut *mut nomyo_error,
    body: impl FnOnce(&mut CallOptions) -> Result<()>,
) -> i32 {
    // SAFETY: by the contract above.
    guard(error, || body(&mut unsafe { exclusive(options, "options") }?.options))
}

/// Makes options that change nothing yet.
///
/// Any thread; blocks on nothing. Free them with nomyo_call_options_free(). NULL after an internal error, or
/// if there is no memory.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn nomyo_call_options_new() -> *mut nomyo_call_options {
    guard_new(|| give(nomyo_call_options { options: CallOptions::new() }))
}

/// Frees options and wipes the API key in them. NULL does nothing.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_call_options_free(options: *mut nomyo_call_options) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { release(options) });
}

/// Asks for a security tier: `standard`, `high` or `maximum`. Default: none; the server chooses. An answer that says
/// it was made at a lower or an unknown tier is withheld (NOMYO_ERR_SECURITY); one that does not say is not.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: another text (case counts), or NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_call_options_set_security_tier(
    options: *mut nomyo_call_options,
    tier: *const c_char,
    error: *mut *mut nomyo_error,
) -> i32 {
    let set = |request: &mut CallOptions| {
        // SAFETY: the caller promises that `tier` is NULL or NUL-terminated.
        request.set_security_tier(Tier::parse(unsafe { text(tier, "tier") }?)?);
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(options, error, set) }
}

/// Uses another API key than the client's; a length of 0 sends none. `key` is copied. The copy belongs to the process
/// that sets it. A forked child must set the key again: until then a call with these options is NOMYO_ERR_FORKED there.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, NOMYO_ERR_ARGUMENT: longer than 8192 bytes, or anything but visible ASCII in it; NOMYO_ERR_MEMORY.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_call_options_set_api_key(
    options: *mut nomyo_call_options,
    key: *const u8,
    len: usize,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(options, error, |options| options.set_api_key(bytes(key, len, "key")?)) }
}

/// Uses another timeout than the client's for the whole call, in milliseconds.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_call_options_set_timeout_ms(
    options: *mut nomyo_call_options,
    total: u64,
    error: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(options, error, |options| options.set_timeout(Duration::from_millis(total))) }
}

/// Lets `cancel` end the calls made with these options. It is shared, not taken: free yours when you like.
///
/// One thread at a time; blocks on nothing.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_call_options_set_cancel(
    options: *mut nomyo_call_options,
    cancel: *const nomyo_cancel,
    error: *mut *mut nomyo_error,
) -> i32 {
    let set = |request: &mut CallOptions| {
        // SAFETY: the caller promises that `cancel` is NULL or alive.
        request.set_cancel(&unsafe { shared(cancel, "cancel") }?.cancel);
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(options, error, set) }
}
