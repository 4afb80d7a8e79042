//! What a client is made of, with defaults that need nothing set.

use std::env::VarError;
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use super::api_key;

use crate::error::{Error, Result};
use crate::log::{Level, Log};
use crate::memory::{Policy, SecretBuf};
use crate::transport::{BaseUrl, TrustedRoots};

const DEFAULT_BASE_URL: &str = "https://api.nomyo.ai";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(900);
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The configuration of a client. Belongs to one thread while it is being changed.
#[derive(Debug)]
pub struct Config {
    pub(super) base_url: BaseUrl,
    pub(super) api_key: Option<SecretBuf>,
    pub(super) allow_http: bool,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) roots: TrustedRoots,
    pub(super) memory_policy: Policy,
    pub(super) log: Log,
    binding: String,
}

impl Config {
    /// The defaults, and nothing from the environment.
    ///
    /// # Errors
    /// [`Status::Internal`](crate::Status::Internal) never, unless this library has a bug.
    pub fn new() -> Result<Config> {
        Ok(Config {
            base_url: BaseUrl::parse(DEFAULT_BASE_URL)?,
            api_key: None,
            allow_http: false,
            timeout: DEFAULT_TIMEOUT,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            roots: TrustedRoots::default(),
            memory_policy: Policy::default(),
            log: Log::default(),
            binding: format!("rust/{}", env!("CARGO_PKG_VERSION")),
        })
    }

    /// Reads `NOMYO_API_KEY` and `NOMYO_BASE_URL`; what is unset or empty changes nothing. Nothing changes on error.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) when a value cannot be used, or when a variable is set that
    /// would ask for protection this version does not have.
    pub fn load_env(&mut self) -> Result<()> {
        for name in ["NOMYO_SERVER_KEY_PIN", "NOMYO_KEY_DIR", "NOMYO_KEY_PASSWORD"] {
            if variable(name)?.is_some() {
                return Err(Error::argument(format!(
                    "{name} is set, and this version does not have what it asks for; unset it"
                )));
            }
        }
        let base_url = variable("NOMYO_BASE_URL")?.map(|url| BaseUrl::parse(&url)).transpose()?;
        let key = variable("NOMYO_API_KEY")?.map(|key| api_key::checked(key.as_bytes())).transpose()?;
        if let Some(base_url) = base_url {
            self.base_url = base_url;
        }
        if key.is_some() {
            self.api_key = key;
        }
        Ok(())
    }

    /// The server, as `https://host[:port][/path]`. Default: `https://api.nomyo.ai`.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) when it is not such a URL.
    pub fn set_base_url(&mut self, url: &str) -> Result<()> {
        self.base_url = BaseUrl::parse(url)?;
        Ok(())
    }

    /// The API key, sent as a bearer token; empty for none.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) unless it is at most 8192 visible ASCII characters.
    pub fn set_api_key(&mut self, key: &[u8]) -> Result<()> {
        self.api_key = Some(api_key::checked(key)?);
        Ok(())
    }

    /// Whether `http://` is allowed. Default: no.
    pub fn set_allow_http(&mut self, yes: bool) {
        self.allow_http = yes;
    }

    /// What to do about locking secrets in memory. Default: [`Policy::Prefer`]. The policy in force is the strictest of
    /// the clients that are alive.
    pub fn set_memory_policy(&mut self, policy: Policy) {
        self.memory_policy = policy;
    }

    /// The whole call, key fetch included. Default: 900 s.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for zero.
    pub fn set_timeout(&mut self, total: Duration) -> Result<()> {
        self.timeout = not_zero(total, "timeout")?;
        Ok(())
    }

    /// TCP and TLS of one connection; name resolution takes as long as the system's resolver is configured to.
    /// Default: 10 s.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for zero.
    pub fn set_connect_timeout(&mut self, limit: Duration) -> Result<()> {
        self.connect_timeout = not_zero(limit, "connect timeout")?;
        Ok(())
    }

    /// The CAs to believe, instead of the platform's trust store. Reads the PEM file now.
    ///
    /// # Errors
    /// [`Status::Io`](crate::Status::Io) when it cannot be read, [`Status::Argument`](crate::Status::Argument) when
    /// it holds no certificate.
    pub fn set_ca_file(&mut self, pem: &Path) -> Result<()> {
        self.roots = TrustedRoots::from_file(pem)?;
        Ok(())
    }

    /// Where log lines go, from `level` up in importance. Default: nowhere. No line holds a secret.
    pub fn set_log(&mut self, level: Level, sink: impl Fn(Level, &str) + Send + Sync + 'static) {
        self.log = Log::new(level, sink);
    }

    /// What the User-Agent calls the caller, as `name/version`: letters, digits, `.`, `-`, `+`, `_` around one `/`.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for anything else.
    pub fn set_binding(&mut self, binding: &str) -> Result<()> {
        let token = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+_".contains(&b));
        match binding.split_once('/') {
            Some((name, version)) if token(name) && token(version) && binding.len() <= 64 => {
                binding.clone_into(&mut self.binding);
                Ok(())
            }
            _ => Err(Error::argument("binding must be name/version, at most 64 characters, such as python/0.1.0")),
        }
    }

    pub(super) fn user_agent(&self) -> String {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        format!("nomyo-native/{} ({}; {os}-{arch})", env!("CARGO_PKG_VERSION"), self.binding)
    }
}

pub(super) fn not_zero(limit: Duration, name: &str) -> Result<Duration> {
    if limit.is_zero() {
        return Err(Error::argument(format!("a {name} of 0 leaves no time; give at least 1 ms")));
    }
    Ok(limit)
}

/// An environment variable; empty counts as unset.
fn variable(name: &str) -> Result<Option<Zeroizing<String>>> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(Zeroizing::new(value)).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Error::argument(format!("{name} is not UTF-8; set it again"))),
    }
}
