//! The configuration of a client, from a plain object that `lib/client.js` has checked.

use std::path::Path;
use std::time::Duration;

use napi_derive::napi;
use nomyo::{Config, Level, Result};

use crate::attestation::Policy;

/// What is absent stays at the library's default. Times are in milliseconds.
#[napi(object, object_to_js = false)]
pub struct Settings {
    pub base_url: Option<String>,
    pub allow_http: Option<bool>,
    pub timeout: Option<i64>,
    pub connect_timeout: Option<i64>,
    pub max_retries: Option<u32>,
    pub rate_limit: Option<RateLimit>,
    pub response_limit: Option<i64>,
    pub proxy: Option<String>,
    pub ca_file: Option<String>,
    pub server_key_pins: Option<Vec<String>>,
    pub known_servers: Option<String>,
    pub server_key_ttl: Option<i64>,
    pub key_dir: Option<String>,
    pub key_rotation_interval: Option<i64>,
    pub attestation: Option<Policy>,
    /// `"off"`, `"prefer"` or `"require"`.
    pub memory: Option<String>,
}

/// How many attempts may begin in a second, and how many at once.
#[napi(object, object_to_js = false)]
pub struct RateLimit {
    pub per_second: f64,
    pub burst: u32,
}

impl Settings {
    /// As a configuration, with the secrets that do not go by way of a plain object. `None` leaves one as it is.
    pub fn config(&self, api_key: Option<&[u8]>, key_password: Option<&[u8]>) -> Result<Config> {
        let mut config = Config::new()?;
        config.set_binding(concat!("node/", env!("CARGO_PKG_VERSION")))?;
        when(self.base_url.as_deref(), |url| config.set_base_url(url))?;
        when(api_key, |key| config.set_api_key(key))?;
        when(key_password, |password| config.set_key_password(password))?;
        config.set_allow_http(self.allow_http.unwrap_or(false));
        when(self.timeout, |ms| config.set_timeout(duration(ms)))?;
        when(self.connect_timeout, |ms| config.set_connect_timeout(duration(ms)))?;
        when(self.max_retries, |retries| config.set_max_retries(retries))?;
        when(self.rate_limit.as_ref(), |limit| config.set_rate_limit(limit.per_second, limit.burst))?;
        when(self.response_limit, |bytes| config.set_response_limit(bytes.unsigned_abs()))?;
        when(self.proxy.as_deref(), |url| config.set_proxy(url))?;
        when(self.ca_file.as_deref(), |file| config.set_ca_file(Path::new(file)))?;
        for pin in self.server_key_pins.iter().flatten() {
            config.add_server_key_pin(pin)?;
        }
        if let Some(file) = &self.known_servers {
            config.set_known_servers(Path::new(file));
        }
        if let Some(ttl) = self.server_key_ttl {
            config.set_server_key_ttl(duration(ttl));
        }
        if let Some(dir) = &self.key_dir {
            config.set_key_dir(Path::new(dir));
        }
        if let Some(after) = self.key_rotation_interval {
            config.set_key_rotation(duration(after));
        }
        when(self.attestation.as_ref(), |policy| config.set_attestation(&policy.read()?))?;
        config.set_memory_policy(match self.memory.as_deref() {
            Some("off") => nomyo::Policy::Off,
            Some("require") => nomyo::Policy::Require,
            _ => nomyo::Policy::default(),
        });
        Ok(config)
    }
}

/// The level of a number, as C numbers them.
pub fn level(number: i32) -> Level {
    match number {
        1 => Level::Error,
        2 => Level::Warn,
        3 => Level::Info,
        _ => Level::Debug,
    }
}

/// Never negative: `lib/` has checked it.
fn duration(ms: i64) -> Duration {
    Duration::from_millis(ms.unsigned_abs())
}

fn when<T>(value: Option<T>, set: impl FnOnce(T) -> Result<()>) -> Result<()> {
    value.map_or(Ok(()), set)
}
