//! The client's pair and the server's key.
//!
//! Promises: the client's pair is made or loaded once, on first use, by a thread of the library's own; every call waits
//! for it by its own deadline and its own cancel. A sealed request holds on to the pair that it named, also if the pair
//! is rotated meanwhile. A key file is never overwritten by accident, never half-written, never readable by others; a file
//! that cannot be loaded is an error and is left as it is. The server's key is checked (RSA, 3072 bits or more, a sound
//! exponent, the pins, the file of known servers) before anything is sealed for it, and fetched by one thread at a time.
//! There is no path from a key failure to sending anything.

mod client_keys;
mod client_pair;
mod key_directory;
mod key_file;
mod known_servers;
mod password;
mod pins;
mod private_key;
#[cfg(all(debug_assertions, not(miri)))]
mod ready_made;
mod rsa_numbers;
mod server_cache;
mod server_key;
mod snapshot;
mod spki;
mod task;

pub(crate) use client_keys::ClientKeys;
pub(crate) use client_pair::ClientPair;
pub(crate) use key_directory::KeyDirectory;
pub(crate) use known_servers::KnownServers;
pub(crate) use password::Password;
pub(crate) use pins::Pins;
pub(crate) use server_cache::ServerCache;
pub(crate) use server_key::ServerKey;
