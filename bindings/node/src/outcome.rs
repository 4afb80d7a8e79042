//! How a call ended, as JavaScript gets it: `{value}` or `{failure}`, of which `lib/errors.js` makes an exception.

use napi::bindgen_prelude::{Buffer, JsObjectValue, Object, ToNapiValue};
use napi::{Env, sys};
use napi_derive::napi;
use nomyo::boundary::status_name;
use nomyo::{Error, Result, Sent};

use crate::header::Header;

/// What is known of an error.
#[napi(object, object_from_js = false)]
pub struct Failure {
    /// Such as `"NOMYO_ERR_PIN"`.
    pub status: &'static str,
    pub message: String,
    pub http_status: Option<u16>,
    pub retry_after_ms: Option<f64>,
    pub retryable: bool,
    pub attempts: u32,
    /// `"no"`, `"maybe"` or `"yes"`.
    pub sent: &'static str,
    pub payload_id: Option<String>,
    pub request_id: Option<String>,
    pub headers: Vec<Header>,
    pub details: Option<Buffer>,
}

impl Failure {
    /// The system gave no thread, or no memory for what a call needs.
    pub fn exhausted(message: &str) -> Failure {
        Failure {
            status: status_name(nomyo::Status::Memory),
            message: message.to_owned(),
            http_status: None,
            retry_after_ms: None,
            retryable: true,
            attempts: 0,
            sent: Sent::No.name(),
            payload_id: None,
            request_id: None,
            headers: Vec::new(),
            details: None,
        }
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Failure {
        let details = error.details();
        Failure {
            status: status_name(error.status()),
            message: error.message().to_owned(),
            http_status: error.http_status(),
            retry_after_ms: error.retry_after().map(|wait| wait.as_secs_f64() * 1000.0),
            retryable: error.is_retryable(),
            attempts: error.attempts(),
            sent: error.sent().name(),
            payload_id: error.payload_id().map(str::to_owned),
            request_id: error.request_id().map(str::to_owned),
            headers: Header::all(error.headers()),
            details: (!details.is_empty()).then(|| details.to_vec().into()),
        }
    }
}

/// How a call ended. May be sent to the thread of its environment, and dropped on any.
pub enum Outcome<T> {
    Value(T),
    Failed(Error),
    Exhausted(&'static str),
}

impl<T> From<Result<T>> for Outcome<T> {
    fn from(result: Result<T>) -> Outcome<T> {
        result.map_or_else(Outcome::Failed, Outcome::Value)
    }
}

impl<T: ToNapiValue> ToNapiValue for Outcome<T> {
    unsafe fn to_napi_value(env: sys::napi_env, outcome: Outcome<T>) -> napi::Result<sys::napi_value> {
        let mut object = Object::new(&Env::from_raw(env))?;
        match outcome {
            Outcome::Value(value) => object.set_named_property("value", value)?,
            Outcome::Failed(error) => object.set_named_property("failure", Failure::from(&error))?,
            Outcome::Exhausted(why) => object.set_named_property("failure", Failure::exhausted(why))?,
        }
        // SAFETY: the caller's environment, and an object that was made in it.
        unsafe { Object::to_napi_value(env, object) }
    }
}
