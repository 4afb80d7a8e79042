//! A promise of JavaScript's, and the right to settle it.

use std::ptr::null_mut;

use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, check_status, sys};

/// The right to settle a promise, once, on its environment's own thread. Any thread may hold or drop it.
pub struct Deferred(sys::napi_deferred);

// SAFETY: other threads move the pointer and nothing else; only `resolve` uses it, which needs the environment.
unsafe impl Send for Deferred {}

impl Deferred {
    pub fn new(env: &Env) -> napi::Result<(Deferred, Object<'_>)> {
        let (mut deferred, mut promise) = (null_mut(), null_mut());
        // SAFETY: the environment's own thread, and two places for pointers.
        check_status!(unsafe { sys::napi_create_promise(env.raw(), &raw mut deferred, &raw mut promise) })?;
        Ok((Deferred(deferred), Object::from_raw(env.raw(), promise)))
    }

    /// Resolves the promise with `value`, or rejects it if there is no such value in JavaScript.
    pub fn resolve<T: ToNapiValue>(self, env: &Env, value: T) {
        // SAFETY: the environment's own thread.
        match unsafe { T::to_napi_value(env.raw(), value) } {
            // SAFETY: the environment's own value; `self` was not used before. Nobody is left to hear of an error.
            Ok(value) => unsafe { sys::napi_resolve_deferred(env.raw(), self.0, value) },
            // SAFETY: the same.
            Err(error) => unsafe {
                let reason = napi::JsError::from(error).into_value(env.raw());
                sys::napi_reject_deferred(env.raw(), self.0, reason)
            },
        };
    }
}
