//! JSON (RFC 8259) as spans of the text that it stands in.
//!
//! Promises: [`read`] decides alone whether a text is JSON in UTF-8 that nests within the limit, in one pass. After that, a
//! [`Walk`] reads each byte at most once, steps over long strings without reading them, copies nothing and collects nothing, so
//! that the number of members costs no memory. Two names are equal only if they consist of the same code points: a lone
//! surrogate equals nothing but itself.

mod checked;
mod long_strings;
mod named;
mod scan;
mod text;
mod walk;

pub(crate) use checked::{Json, read};
pub(crate) use long_strings::LongStrings;
#[cfg(feature = "attestation")]
pub(crate) use named::named;
pub(crate) use named::{Unfit, places};
pub(crate) use scan::Invalid;
#[cfg(feature = "capi")]
pub(crate) use text::escape;
pub(crate) use text::{equals, unescape};
#[cfg(feature = "attestation")]
pub(crate) use text::{plain, same};
pub(crate) use walk::{Walk, members};
