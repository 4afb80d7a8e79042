//! The wire package: seal a request, open a response.
//!
//! Promises: a request is sealed once and cannot be sealed again; a response is opened only with the pair that its
//! request named, only if it is the answer to that request, and only whole. Plaintext is walked as borrowed spans,
//! decrypted in place and never deserialised into an owned tree. What is not a valid package is
//! [`Status::Protocol`](crate::Status::Protocol); what is valid and does not decrypt to an answer is one opaque
//! [`Status::Security`](crate::Status::Security).

mod metadata;
mod open;
mod package;
mod request;
mod seal;
mod tier;

#[cfg(test)]
mod fixture_tests;

pub(crate) use open::{Answer, Expected, open};
pub(crate) use request::Chat;
pub(crate) use seal::seal;
pub use tier::Tier;
