//! What a client is made of, with defaults that need nothing set.

use std::env::VarError;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::api_key;

use crate::attestation::AttestationPolicy;
use crate::error::{Error, Result};
use crate::keys::{Password, Pins};
use crate::log::{Level, Log};
use crate::memory::{Policy, SecretBuf};
use crate::transport::{BaseUrl, ProxyChoice, Rate, TrustedRoots, Via};

const DEFAULT_BASE_URL: &str = "https://api.nomyo.ai";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(900);
const DEFAULT_MAX_RETRIES: u32 = 2;
const MOST_RETRIES: u32 = 10;
const DEFAULT_RESPONSE_LIMIT: u64 = 64 * 1024 * 1024;
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_KEY_ROTATION: Duration = Duration::from_secs(24 * 3600);
const DEFAULT_SERVER_KEY_TTL: Duration = Duration::from_secs(300);

/// The configuration of a client. Belongs to one thread while it is being changed.
#[derive(Debug)]
pub struct Config {
    pub(super) base_url: BaseUrl,
    pub(super) api_key: Option<SecretBuf>,
    pub(super) allow_http: bool,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) max_retries: u32,
    pub(super) rate: Option<Rate>,
    pub(super) proxy: ProxyChoice,
    pub(super) response_limit: u64,
    pub(super) roots: TrustedRoots,
    pub(super) memory_policy: Policy,
    pub(super) log: Log,
    pub(super) key_dir: Option<PathBuf>,
    pub(super) key_password: Option<Password>,
    pub(super) key_rotation: Option<Duration>,
    pub(super) pins: Pins,
    pub(super) known_servers: Option<PathBuf>,
    pub(super) server_key_ttl: Duration,
    pub(super) attestation_policy: AttestationPolicy,
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
            max_retries: DEFAULT_MAX_RETRIES,
            rate: None,
            proxy: ProxyChoice::default(),
            response_limit: DEFAULT_RESPONSE_LIMIT,
            roots: TrustedRoots::default(),
            memory_policy: Policy::default(),
            log: Log::default(),
            key_dir: None,
            key_password: None,
            key_rotation: Some(DEFAULT_KEY_ROTATION),
            pins: Pins::default(),
            known_servers: None,
            server_key_ttl: DEFAULT_SERVER_KEY_TTL,
            attestation_policy: AttestationPolicy::new(),
            binding: format!("rust/{}", env!("CARGO_PKG_VERSION")),
        })
    }

    /// Reads `NOMYO_API_KEY`, `NOMYO_BASE_URL`, `NOMYO_KEY_DIR`, `NOMYO_KEY_PASSWORD` and `NOMYO_SERVER_KEY_PIN` (one pin
    /// or several, with commas between them, which replace those set so far); what is unset or empty changes nothing.
    /// Nothing changes on error.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) when a value cannot be used.
    pub fn load_env(&mut self) -> Result<()> {
        let base_url = variable("NOMYO_BASE_URL")?.map(|url| BaseUrl::parse(&url)).transpose()?;
        let key = variable("NOMYO_API_KEY")?.map(|key| api_key::checked(key.as_bytes())).transpose()?;
        let password = variable("NOMYO_KEY_PASSWORD")?.map(|text| Password::new(text.as_bytes())).transpose()?;
        let key_dir = variable("NOMYO_KEY_DIR")?.map(|dir| PathBuf::from(dir.as_str()));
        let pins = variable("NOMYO_SERVER_KEY_PIN")?
            .map(|pins| {
                let mut all = Pins::default();
                pins.split(',').try_for_each(|pin| all.add(pin.trim())).map(|()| all)
            })
            .transpose()?;
        if let Some(base_url) = base_url {
            self.base_url = base_url;
        }
        self.api_key = key.or(self.api_key.take());
        self.key_password = password.or(self.key_password.take());
        self.key_dir = key_dir.or(self.key_dir.take());
        if let Some(pins) = pins {
            self.pins = pins;
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

    /// How many failed attempts of a call are repeated, key fetch and request together: those that met 408, 409, 429, 500,
    /// 502, 503, 504 or no answer at all, unless the server says `x-should-retry`. Default: 2.
    ///
    /// Before each it waits as long as the server's `Retry-After` says (up to two minutes; longer means no further attempt),
    /// otherwise 0.5 s, doubled each time up to 8 s, less up to a quarter by chance. Never repeated: an answer that had
    /// begun, a certificate or a package that was refused, a name that does not exist, and a second 503 in a row or one that
    /// speaks of a rate limit. A connection that the server closed while it was idle is replaced once without counting.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for more than 10.
    pub fn set_max_retries(&mut self, retries: u32) -> Result<()> {
        if retries > MOST_RETRIES {
            return Err(Error::argument(format!("max_retries is at most {MOST_RETRIES}")));
        }
        self.max_retries = retries;
        Ok(())
    }

    /// The whole call: key fetch, attempts, and the waits between them. Default: 900 s.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for zero.
    pub fn set_timeout(&mut self, total: Duration) -> Result<()> {
        self.timeout = not_zero(total, "timeout")?;
        Ok(())
    }

    /// How long one connection may take to be there: its name, TCP and TLS. Default: 10 s.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for zero.
    pub fn set_connect_timeout(&mut self, limit: Duration) -> Result<()> {
        self.connect_timeout = not_zero(limit, "connect timeout")?;
        Ok(())
    }

    /// The proxy, as `scheme://[user:password@]host[:port]` with http, https (both are asked to CONNECT) or socks5; empty for
    /// none. It looks the server's name up, and sees TLS. Default: what `HTTPS_PROXY` (for an `http://` server
    /// `HTTP_PROXY`) or `ALL_PROXY` says when the client is made, unless `NO_PROXY` names the server.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) when it is not such a URL.
    pub fn set_proxy(&mut self, url: &str) -> Result<()> {
        self.proxy = if url.is_empty() { ProxyChoice::Direct } else { ProxyChoice::By(Via::parse(url)?) };
        Ok(())
    }

    /// How many attempts may begin in a second, all threads and the key fetch together, and how many at once after a pause;
    /// the others wait for their turn. 0 a second for no limit. Default: none.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for a rate below 0.001, above 1 000 000 or not a number, and for a
    /// burst of 0 with a rate.
    pub fn set_rate_limit(&mut self, per_second: f64, burst: u32) -> Result<()> {
        self.rate = if per_second == 0.0 { None } else { Some(Rate::new(per_second, burst)?) };
        Ok(())
    }

    /// The largest answer that is read, in bytes, as it comes over the wire. Default: 64 MiB.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for zero.
    pub fn set_response_limit(&mut self, bytes: u64) -> Result<()> {
        if bytes == 0 {
            return Err(Error::argument("a response limit of 0 refuses every answer; give at least some kilobytes"));
        }
        self.response_limit = bytes;
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

    /// What is asked of the TPM quote in every answer. Default: nothing; it is judged, and the verdict is in the answer.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) when no answer can fulfil the policy.
    pub fn set_attestation(&mut self, policy: &AttestationPolicy) -> Result<()> {
        self.attestation_policy = policy.checked()?.clone();
        Ok(())
    }

    /// Where log lines go, from `level` up in importance. Default: nowhere. No line holds a secret.
    pub fn set_log(&mut self, level: Level, sink: impl Fn(Level, &str) + Send + Sync + 'static) {
        self.log = Log::new(level, sink);
    }

    /// The directory that keeps the client's pair (`private_key.pem`, `public_key.pem`), looked at when the pair is first
    /// needed: loaded when both files are there, generated and saved when neither is, refused otherwise. Default: none;
    /// the pair lives in memory.
    pub fn set_key_dir(&mut self, dir: &Path) {
        self.key_dir = Some(dir.to_owned());
    }

    /// The password of the private file in the key directory; empty for none.
    ///
    /// # Errors
    /// [`Status::Memory`](crate::Status::Memory).
    pub fn set_key_password(&mut self, password: &[u8]) -> Result<()> {
        self.key_password = Some(Password::new(password)?);
        Ok(())
    }

    /// How long a pair is used before a new one takes its place, in the key directory too; zero for ever. Counted from the
    /// moment at which this client made or loaded it. Default: 24 hours.
    pub fn set_key_rotation(&mut self, after: Duration) {
        self.key_rotation = Some(after).filter(|after| !after.is_zero());
    }

    /// Accepts a key of the server: SHA-256 of its SubjectPublicKeyInfo, as 64 hexadecimal digits or `sha256/` and base64.
    /// May be called for several; with any, all other keys are refused. Default: none, any key is accepted.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for anything else.
    pub fn add_server_key_pin(&mut self, sha256: &str) -> Result<()> {
        self.pins.add(sha256)
    }

    /// The file that remembers the server's key at first use, and refuses another one from then on. Default: none.
    pub fn set_known_servers(&mut self, file: &Path) {
        self.known_servers = Some(file.to_owned());
    }

    /// How long the server's key is used before it is fetched again; zero for every request. Default: 300 s.
    pub fn set_server_key_ttl(&mut self, ttl: Duration) {
        self.server_key_ttl = ttl;
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
