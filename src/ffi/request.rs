//! `nomyo_request`.

use std::ffi::c_char;
use std::ops::Deref;
use std::time::Duration;

use super::arguments::{bytes, exclusive, shared, take_back, text};
use super::cancel::nomyo_cancel;
use super::error::nomyo_error;
use super::guard::{guard, guard_value};
use crate::client::Request;
use crate::envelope::Tier;
use crate::error::Result;

/// The options of one call, over the client's. Belongs to one thread at a time while it is being changed; any number of
/// calls may read it at once.
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_request {
    request: Request,
}

/// The options that C gave, or none.
pub(super) enum Options<'a> {
    Given(&'a Request),
    None(Request),
}

impl Deref for Options<'_> {
    type Target = Request;

    fn deref(&self) -> &Request {
        match self {
            Options::Given(request) => request,
            Options::None(request) => request,
        }
    }
}

/// # Safety
/// `options` is NULL, or a request that is neither freed nor changed while `'a` lasts.
pub(super) unsafe fn options_or_none<'a>(options: *const nomyo_request) -> Options<'a> {
    // SAFETY: by the contract above.
    match unsafe { options.as_ref() } {
        Some(handle) => Options::Given(&handle.request),
        None => Options::None(Request::new()),
    }
}

/// Changes the options.
///
/// # Safety
/// `r` and `err` as in nomyo.h, Conventions.
unsafe fn change(
    r: *mut nomyo_request,
    err: *mut *mut nomyo_error,
    body: impl FnOnce(&mut Request) -> Result<()>,
) -> i32 {
    // SAFETY: by the contract above.
    guard(err, || body(&mut unsafe { exclusive(r, "request") }?.request))
}

/// Makes options that change nothing yet.
///
/// Any thread; blocks on nothing. Free them with nomyo_request_free(). NULL after an internal error.
#[unsafe(no_mangle)]
pub extern "C" fn nomyo_request_new() -> *mut nomyo_request {
    guard_value(std::ptr::null_mut(), || Box::into_raw(Box::new(nomyo_request { request: Request::new() })))
}

/// Frees options and wipes the API key in them. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_request_free(r: *mut nomyo_request) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { take_back(r) });
}

/// Asks for a security tier: `standard`, `high` or `maximum`. Default: none; the server chooses. An answer that says
/// it was made at a lower or an unknown tier is withheld (NOMYO_ERR_SECURITY); one that does not say is not.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: another text (case counts), or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_request_set_security_tier(
    r: *mut nomyo_request,
    tier: *const c_char,
    err: *mut *mut nomyo_error,
) -> i32 {
    let set = |request: &mut Request| {
        // SAFETY: the caller promises that `tier` is NULL or NUL-terminated.
        request.set_security_tier(Tier::parse(unsafe { text(tier, "tier") }?)?);
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(r, err, set) }
}

/// Uses another API key than the client's; a length of 0 sends none. `key` is copied.
///
/// @return NOMYO_OK, NOMYO_ERR_ARGUMENT: longer than 8192 bytes, or anything but visible ASCII in it; NOMYO_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_request_set_api_key(
    r: *mut nomyo_request,
    key: *const u8,
    len: usize,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(r, err, |request| request.set_api_key(bytes(key, len, "key")?)) }
}

/// Uses another timeout than the client's for the whole call, in milliseconds.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_request_set_timeout_ms(
    r: *mut nomyo_request,
    total: u64,
    err: *mut *mut nomyo_error,
) -> i32 {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(r, err, |request| request.set_timeout(Duration::from_millis(total))) }
}

/// Lets `cancel` end the calls made with these options. It is shared, not taken: free yours when you like.
///
/// @return NOMYO_OK, or NOMYO_ERR_ARGUMENT: NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_request_set_cancel(
    r: *mut nomyo_request,
    cancel: *const nomyo_cancel,
    err: *mut *mut nomyo_error,
) -> i32 {
    let set = |request: &mut Request| {
        // SAFETY: the caller promises that `cancel` is NULL or alive.
        request.set_cancel(&unsafe { shared(cancel, "cancel") }?.cancel);
        Ok(())
    };
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { change(r, err, set) }
}
