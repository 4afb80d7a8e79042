//! A sealed request, for callers with an HTTP stack of their own.

use std::collections::HashMap;
use std::sync::Arc;

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use nomyo::Sealed;

/// A request that only the server can open, and what its answer must fit. No plaintext.
#[napi]
pub struct NativeSealed {
    pub(crate) sealed: Arc<Sealed>,
}

#[napi]
impl NativeSealed {
    /// A copy of the HTTP body.
    #[napi]
    pub fn body(&self) -> Buffer {
        self.sealed.body().to_vec().into()
    }

    #[napi]
    pub fn headers(&self) -> HashMap<&'static str, String> {
        self.sealed.headers().into_iter().map(|(name, value)| (name, value.to_owned())).collect()
    }

    #[napi]
    pub fn payload_id(&self) -> String {
        self.sealed.payload_id().to_owned()
    }
}
