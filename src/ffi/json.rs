//! `nomyo_json_string`.

use std::ffi::c_char;

use super::arguments::bytes;
use super::guard::guard_value;
use crate::json::escape;

/// Writes a text as a JSON string (RFC 8259, section 7), with its quotes and a NUL: for requests that are put together with
/// snprintf(). A prompt that is pasted between quotes without it can break the request, or add members to it.
///
/// Any thread; blocks on nothing. Nothing is allocated or kept. `out` holds the text afterwards: wipe it with nomyo_wipe().
///
/// @param text the text, `len` bytes of UTF-8.
/// @param out  receives the string, if `size` bytes are enough; otherwise nothing is written. Must not overlap `text`.
///             May be NULL if `size` is 0.
/// @return the bytes that are needed, the NUL included, at most 6 * `len` + 3; 0 if `text` is not UTF-8, or is NULL with a
///         length. More than `size` means that nothing was written.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_json_string(text: *const u8, len: usize, out: *mut c_char, size: usize) -> usize {
    guard_value(0, || {
        // SAFETY: the caller's promise (nomyo.h, Conventions).
        let Some(text) = unsafe { bytes(text, len, "text") }.ok().and_then(|text| std::str::from_utf8(text).ok())
        else {
            return 0;
        };
        let mut needed = 1_usize;
        escape(text, |piece| needed = needed.saturating_add(piece.len()));
        if needed <= size && !out.is_null() {
            let mut at = out.cast::<u8>();
            // SAFETY: `out` is not NULL; the pieces and the NUL have `needed` bytes together; and the caller promises `size` writable bytes there, apart from `text`.
            let mut put = |piece: &[u8]| unsafe {
                std::ptr::copy_nonoverlapping(piece.as_ptr(), at, piece.len());
                at = at.add(piece.len());
            };
            escape(text, &mut put);
            put(b"\0");
        }
        needed
    })
}
