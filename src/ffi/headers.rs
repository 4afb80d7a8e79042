//! The headers of a response, for C.

use std::ffi::{CString, c_char};

use once_cell::race::OnceBox;

use crate::headers::Headers;

/// The headers as a JSON object, built on first use: its address and length, or NULL and 0 if there are no headers.
pub(super) fn listed(headers: &Headers, json: &OnceBox<CString>) -> (*const c_char, usize) {
    if headers.iter().next().is_none() {
        return (std::ptr::null(), 0);
    }
    let json = json.get_or_init(|| {
        let object: serde_json::Map<_, _> =
            headers.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        Box::new(CString::new(serde_json::Value::Object(object).to_string()).unwrap_or_default())
    });
    (json.as_ptr(), json.as_bytes().len())
}
