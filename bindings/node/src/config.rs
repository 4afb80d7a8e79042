//! The configuration of a client, from a plain object that `lib/client.js` has checked.

use std::path::Path;

use napi_derive::napi;
use nomyo::{Config, LogLevel, Result};

use crate::attestation::Policy;
use crate::header::Header;
use crate::limits::milliseconds;

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
    pub headers: Option<Vec<Header>>,
    pub ca_file: Option<String>,
    /// PEM texts.
    pub more_cas: Option<Vec<String>>,
    /// A PEM text. Its key does not pass through a plain object.
    pub client_certificate: Option<String>,
    pub client_certificate_file: Option<String>,
    pub client_key_file: Option<String>,
    pub server_key_pins: Option<Vec<String>>,
    pub tls_pins: Option<Vec<String>>,
    pub post_quantum: Option<bool>,
    pub known_servers: Option<String>,
    pub server_key_ttl: Option<i64>,
    pub key_dir: Option<String>,
    pub key_rotation_interval: Option<i64>,
    pub key_group_read: Option<bool>,
    pub attestation: Option<Policy>,
    /// `"off"`, `"prefer"` or `"require"`.
    pub memory: Option<String>,
    /// The environment variables that stand for options that are absent.
    pub variables: Vec<Variable>,
}

/// An environment variable.
#[napi(object, object_to_js = false)]
pub struct Variable {
    pub name: String,
    pub value: String,
}

/// How many attempts may begin in a second, and how many at once.
#[napi(object, object_to_js = false)]
pub struct RateLimit {
    pub per_second: f64,
    pub burst: u32,
}

impl Settings {
    /// As a configuration, with the secrets, which do not pass through a plain object. `None` leaves one as it is.
    pub fn config(
        &self,
        api_key: Option<&[u8]>,
        key_password: Option<&[u8]>,
        client_key: Option<&[u8]>,
    ) -> Result<Config> {
        let mut config = Config::new();
        config.set_binding(concat!("node/", env!("CARGO_PKG_VERSION")))?;
        let set = |name: &str| self.variables.iter().find(|variable| variable.name == name);
        config.load_variables(|name| set(name).map(|variable| variable.value.clone()))?;
        when(self.base_url.as_deref(), |url| config.set_base_url(url))?;
        when(api_key, |key| config.set_api_key(key))?;
        when(key_password, |password| config.set_key_password(password))?;
        config.set_allow_http(self.allow_http.unwrap_or(false));
        when(self.timeout, |ms| config.set_timeout(milliseconds(ms)))?;
        when(self.connect_timeout, |ms| config.set_connect_timeout(milliseconds(ms)))?;
        when(self.max_retries, |retries| config.set_max_retries(retries))?;
        when(self.rate_limit.as_ref(), |limit| config.set_rate_limit(limit.per_second, limit.burst))?;
        when(self.response_limit, |bytes| config.set_response_limit(bytes.unsigned_abs()))?;
        when(self.proxy.as_deref(), |url| config.set_proxy(url))?;
        for header in self.headers.iter().flatten() {
            config.set_header(&header.name, header.value.as_bytes())?;
        }
        when(self.ca_file.as_deref(), |file| config.set_ca_file(Path::new(file)))?;
        for pem in self.more_cas.iter().flatten() {
            config.add_ca_pem(pem.as_bytes())?;
        }
        if let Some(yes) = self.key_group_read {
            config.set_key_group_read(yes);
        }
        if let (Some(certificate), Some(key)) = (&self.client_certificate, client_key) {
            config.set_client_certificate_pem(certificate.as_bytes(), key)?;
        }
        if let (Some(certificate), Some(key)) = (&self.client_certificate_file, &self.client_key_file) {
            config.set_client_certificate(Path::new(certificate), Path::new(key))?;
        }
        for pin in self.server_key_pins.iter().flatten() {
            config.add_server_key_pin(pin)?;
        }
        for pin in self.tls_pins.iter().flatten() {
            config.add_tls_pin(pin)?;
        }
        if let Some(yes) = self.post_quantum {
            config.set_post_quantum(yes);
        }
        if let Some(file) = &self.known_servers {
            config.set_known_servers(Path::new(file));
        }
        if let Some(ttl) = self.server_key_ttl {
            config.set_server_key_ttl(milliseconds(ttl));
        }
        if let Some(dir) = &self.key_dir {
            config.set_key_dir(Path::new(dir));
        }
        if let Some(after) = self.key_rotation_interval {
            config.set_key_rotation(milliseconds(after));
        }
        when(self.attestation.as_ref(), |policy| config.set_attestation(&policy.read()?))?;
        config.set_memory_policy(match self.memory.as_deref() {
            Some("off") => nomyo::MemoryPolicy::Off,
            Some("require") => nomyo::MemoryPolicy::Require,
            _ => nomyo::MemoryPolicy::default(),
        });
        Ok(config)
    }
}

/// The level of a number, as C numbers them.
pub fn level(number: i32) -> LogLevel {
    match number {
        1 => LogLevel::Error,
        2 => LogLevel::Warn,
        3 => LogLevel::Info,
        _ => LogLevel::Debug,
    }
}

fn when<T>(value: Option<T>, set: impl FnOnce(T) -> Result<()>) -> Result<()> {
    value.map_or(Ok(()), set)
}
