//! `nomyo_text`.

use std::ffi::{CString, c_char};

use super::arguments::{take_back, write_length};
use super::guard::guard_value;
use crate::error::{Error, Result};

/// A text that is no secret: a public key, a fingerprint. Any number of threads may read it at once; one frees it.
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_text {
    text: CString,
}

impl nomyo_text {
    pub(super) fn new(text: String) -> Result<nomyo_text> {
        let text = CString::new(text).map_err(|_| Error::internal("a text with a NUL in it"))?;
        Ok(nomyo_text { text })
    }
}

/// The text: UTF-8, NUL-terminated. `len`, unless NULL, receives its length in bytes without the NUL. Lives in `text`. NULL
/// for NULL.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_text_data(text: *const nomyo_text, len: *mut usize) -> *const c_char {
    // SAFETY: the caller promises that `text` is NULL or alive.
    let text = unsafe { text.as_ref() }.map(|text| &text.text);
    // SAFETY: the caller promises that `len`, unless NULL, is writable.
    unsafe { write_length(len, text.map_or(0, |text| text.as_bytes().len())) };
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}

/// Frees a text. NULL does nothing.
///
/// Any thread; blocks on nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_text_free(text: *mut nomyo_text) {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    guard_value((), || unsafe { take_back(text) });
}
