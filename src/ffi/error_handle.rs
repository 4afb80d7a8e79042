//! The handle of an error.

use std::ffi::CString;

use once_cell::race::OnceBox;

use crate::error::Error;

/// Why a call failed. Any number of threads may read it at once; one frees it.
#[expect(non_camel_case_types, reason = "the name in C")]
pub struct nomyo_error {
    pub(super) error: Error,
    pub(super) message: CString,
    pub(super) payload_id: Option<CString>,
    /// Built on first use.
    pub(super) headers: OnceBox<CString>,
    /// The server's body and a NUL; empty if there is no body.
    pub(super) details: Vec<u8>,
}

impl nomyo_error {
    pub(super) fn new(error: Error) -> nomyo_error {
        let message = CString::new(error.message().replace('\0', "")).unwrap_or_default();
        let mut details = error.details().to_vec();
        if !details.is_empty() {
            details.push(0);
        }
        let payload_id = error.payload_id().and_then(|id| CString::new(id).ok());
        nomyo_error { error, message, payload_id, headers: OnceBox::new(), details }
    }
}
