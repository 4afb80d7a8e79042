//! What JavaScript passes in: copied, so that nothing is read while JavaScript could change it.
//!
//! Arguments are converted from left to right, and reading a plain object may run JavaScript, which may take the memory of
//! bytes away: an [`Input`] stands behind all objects, and is copied before anything else is done.

use napi::Either;
use napi::bindgen_prelude::Uint8ArraySlice;

/// Text, or bytes of UTF-8.
pub type Input<'a> = Either<String, Uint8ArraySlice<'a>>;

/// A copy in the vault, for another thread.
pub fn copied(input: Input<'_>) -> Vec<u8> {
    match input {
        Either::A(text) => text.into_bytes(),
        Either::B(bytes) => bytes.to_vec(),
    }
}

/// A copy of what may be absent, which is the same as empty.
pub fn copied_or_empty(input: Option<Input<'_>>) -> Vec<u8> {
    input.map_or_else(Vec::new, copied)
}
