//! The options of one call, as `lib/client.js` passes them to every function that can block.

use std::time::{Duration, Instant};

use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;
use nomyo::{Cancel, Result, Tier};

/// The options of one call. A function that sends no request has no use for the tier.
#[napi(object, object_to_js = false)]
pub struct CallOptions {
    pub security_tier: Option<String>,
    /// In milliseconds.
    pub timeout: Option<i64>,
}

/// The cancel of a call; absent if the caller has no signal.
pub type Signal<'a> = Option<ClassInstance<'a, NativeCancel>>;

/// The limits of a call, and its own API key.
pub struct Limits {
    tier: Option<String>,
    /// The timeout counts from here, also while the call waits for a thread.
    begun: Instant,
    timeout: Option<Duration>,
    cancel: Cancel,
    api_key: Option<Vec<u8>>,
}

impl Limits {
    /// `timeout` is the client's.
    pub fn new(
        options: CallOptions,
        timeout: Option<Duration>,
        signal: Signal<'_>,
        api_key: Option<Vec<u8>>,
    ) -> Limits {
        Limits {
            tier: options.security_tier,
            begun: Instant::now(),
            timeout: options.timeout.map(milliseconds).or(timeout),
            cancel: signal.map_or_else(Cancel::new, |signal| signal.cancel.clone()),
            api_key,
        }
    }

    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// When the timeout is over; `None` if the call has the library's default.
    pub fn due(&self) -> Option<Instant> {
        self.timeout.and_then(|timeout| self.begun.checked_add(timeout))
    }

    /// As the library's options of a call.
    pub fn of_the_library(&self) -> Result<nomyo::CallOptions> {
        let mut options = nomyo::CallOptions::new();
        if let Some(tier) = &self.tier {
            options.set_security_tier(Tier::parse(tier)?);
        }
        if let Some(key) = &self.api_key {
            options.set_api_key(key)?;
        }
        if let Some(timeout) = self.timeout {
            options.set_timeout(timeout)?;
        }
        options.set_begun(self.begun);
        options.set_cancel(&self.cancel);
        Ok(options)
    }
}

/// Never negative: `lib/` has checked it.
pub fn milliseconds(ms: i64) -> Duration {
    Duration::from_millis(ms.unsigned_abs())
}

/// Cancels the call that it is given to.
#[napi]
pub struct NativeCancel {
    cancel: Cancel,
}

#[napi]
impl NativeCancel {
    #[napi(constructor)]
    pub fn new() -> NativeCancel {
        NativeCancel { cancel: Cancel::new() }
    }

    /// Does not block.
    #[napi]
    pub fn trigger(&self) {
        self.cancel.trigger();
    }
}
