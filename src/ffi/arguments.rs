//! What C hands in, checked: NULL, lengths, UTF-8. Each complaint names the parameter.

use std::ffi::{CStr, c_char};

use crate::error::{Error, Result};
use crate::memory;

/// A handle that other threads may be using too.
///
/// # Safety
/// `handle` is NULL, or came from this library and is not freed while `'a` lasts.
pub(super) unsafe fn shared<'a, T>(handle: *const T, name: &str) -> Result<&'a T> {
    // SAFETY: by the contract above, a non-NULL handle is alive for `'a`.
    unsafe { handle.as_ref() }.ok_or_else(|| null(name))
}

/// A handle that belongs to the calling thread.
///
/// # Safety
/// `handle` is NULL, or came from this library, is not freed while `'a` lasts, and no other thread uses it.
pub(super) unsafe fn exclusive<'a, T>(handle: *mut T, name: &str) -> Result<&'a mut T> {
    // SAFETY: by the contract above, a non-NULL handle is alive for `'a` and nobody else's.
    unsafe { handle.as_mut() }.ok_or_else(|| null(name))
}

/// A byte buffer. NULL and 0 is empty.
///
/// # Safety
/// `data` is NULL, or points to `len` bytes that stay readable and unchanged while `'a` lasts.
pub(super) unsafe fn bytes<'a>(data: *const u8, len: usize, name: &str) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Error::argument(format!(
            "{name} is NULL but its length is {len}; pass the data, or a length of 0"
        )));
    }
    if len > isize::MAX.unsigned_abs() {
        return Err(Error::argument(format!("the length of {name} is not possible; was it negative before a cast?")));
    }
    // SAFETY: non-NULL, within isize::MAX, and `len` bytes long by the contract above.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// NUL-terminated UTF-8.
///
/// # Safety
/// `text` is NULL, or points to a NUL-terminated string that stays readable and unchanged while `'a` lasts.
pub(super) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    if text.is_null() {
        return Err(null(name));
    }
    // SAFETY: non-NULL and NUL-terminated by the contract above.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| Error::argument(format!("{name} is not UTF-8; encode it as UTF-8")))
}

/// NUL-terminated UTF-8, or NULL for none.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn optional_text<'a>(value: *const c_char, name: &str) -> Result<Option<&'a str>> {
    // SAFETY: by the contract above.
    if value.is_null() { Ok(None) } else { unsafe { text(value, name) }.map(Some) }
}

/// Where an output goes: refused when NULL, before any work is done.
pub(super) fn output<T>(out: *mut T, name: &str) -> Result<*mut T> {
    if out.is_null() { Err(null(name)) } else { Ok(out) }
}

/// Hands a new object to the caller, who frees it. A call does not keep the object. If the log function may free an object
/// during a call, use [`super::handle`].
///
/// # Safety
/// `out` is writable; [`output`] has checked that it is not NULL.
pub(super) unsafe fn hand_out<T>(out: *mut *mut T, handle: T) {
    let handle = Box::into_raw(Box::new(handle));
    // SAFETY: writable by the contract above.
    unsafe { out.write(handle) };
}

/// The address of a text that a handle holds, or NULL.
pub(super) fn address(text: Option<&CStr>) -> *const c_char {
    text.map_or(std::ptr::null(), CStr::as_ptr)
}

/// Writes a length, if the caller wants it.
///
/// # Safety
/// `len` is NULL or writable.
pub(super) unsafe fn write_length(len: *mut usize, value: usize) {
    if !len.is_null() {
        // SAFETY: writable by the contract above.
        unsafe { len.write(value) };
    }
}

/// Fills a struct whose size is the caller's: what fits of `value`, and zeros behind what this library knows.
///
/// # Safety
/// `out` points to `size` writable bytes; `T` is a C struct without padding.
pub(super) unsafe fn write_sized<T: Copy>(out: *mut T, size: usize, value: &T) {
    let known = size.min(size_of::<T>());
    // SAFETY: by the contract above; `known` is within both.
    unsafe { std::ptr::copy_nonoverlapping((&raw const *value).cast::<u8>(), out.cast(), known) };
    // SAFETY: by the contract above; what is behind `known` is still within `size`.
    unsafe { out.cast::<u8>().add(known).write_bytes(0, size - known) };
}

/// Takes a handle back and drops it. NULL does nothing.
///
/// # Safety
/// `handle` is NULL, or came from [`hand_out`] or a `_new` function and is not used again by anybody.
pub(super) unsafe fn take_back<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: boxed by this library, and by the contract above nobody's any more.
        drop(unsafe { Box::from_raw(handle) });
    }
}

/// The error of a NULL. It may be made outside a guard, so signals are blocked here: a handler may fork.
pub(super) fn null(name: &str) -> Error {
    memory::undisturbed(|| Error::argument(format!("{name} is NULL; pass what the header asks for there")))
}
