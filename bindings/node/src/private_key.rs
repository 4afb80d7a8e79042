//! A private key on its way to JavaScript: made on the thread of a call, handed over on the environment's own.

use napi::Env;
use napi_derive::napi;
use nomyo::PrivateKeyPem;

use crate::memory::{Secret, secret_of};
use crate::outcome::Outcome;

/// A private key in PEM, until it is taken.
#[napi]
pub struct NativePrivateKey {
    text: Option<PrivateKeyPem>,
}

impl From<PrivateKeyPem> for NativePrivateKey {
    fn from(text: PrivateKeyPem) -> NativePrivateKey {
        NativePrivateKey { text: Some(text) }
    }
}

#[napi]
impl NativePrivateKey {
    /// Moves the text into memory for a buffer. A second time, the memory has no bytes.
    #[napi]
    pub fn take(&mut self, env: &Env) -> Outcome<Secret> {
        let text = self.text.take();
        secret_of(env, text.as_deref().unwrap_or_default())
    }
}
