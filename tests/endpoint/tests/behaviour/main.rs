//! The endpoint from outside: started, asked over TLS, told to misbehave, and ended.

mod attestation;
mod client;
mod life;
mod misbehaviour;
mod protocol;
mod upstream;
