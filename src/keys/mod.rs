//! The client's pair and the server's key.
//!
//! Promises: the client's pair is made once, on first use, by one thread while the others wait; a sealed request
//! holds on to the pair that it named. The server's key is checked (RSA, 3072 bits or more, a sound exponent) before
//! anything is sealed for it, and fetched by one thread at a time. There is no path from a key failure to sending
//! anything. Does not promise yet: files, rotation, pins.

mod client_pair;
mod server_cache;
mod server_key;

pub(crate) use client_pair::{ClientPair, LazyPair};
pub(crate) use server_cache::ServerCache;
pub(crate) use server_key::ServerKey;
