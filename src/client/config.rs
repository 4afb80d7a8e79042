//! The configuration of a client, with defaults that need nothing set.

use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::api_key;
use super::client_certificate::{CertificateAndKey, chain_file};
use super::credential::Credential;
use super::environment::{variable, yes_or_no};
use super::header::{self, Header};
use crate::attestation::AttestationPolicy;
use crate::connection::{BaseUrl, ProxyChoice, TlsPins, TrustedRoots, Via};
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::keys::Pins;
use crate::log::{Log, LogLevel};
use crate::memory::{MemoryPolicy, SecretBuf};
use crate::transport::Rate;

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
    pub(super) api_key: Option<Credential>,
    pub(super) headers: Vec<Header>,
    pub(super) allow_http: bool,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) max_retries: u32,
    pub(super) rate: Option<Rate>,
    pub(super) proxy: ProxyChoice,
    pub(super) response_limit: u64,
    pub(super) roots: TrustedRoots,
    pub(super) tls_pins: TlsPins,
    pub(super) client_certificate: Option<CertificateAndKey>,
    pub(super) post_quantum: bool,
    pub(super) memory_policy: MemoryPolicy,
    pub(super) log: Log,
    pub(super) key_dir: Option<PathBuf>,
    pub(super) key_password: Option<Credential>,
    pub(super) key_rotation: Option<Duration>,
    pub(super) key_group_read: bool,
    pub(super) pins: Pins,
    pub(super) known_servers: Option<PathBuf>,
    pub(super) server_key_ttl: Duration,
    pub(super) attestation_policy: AttestationPolicy,
    binding: String,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            base_url: BaseUrl::default(),
            api_key: None,
            headers: Vec::new(),
            allow_http: false,
            timeout: DEFAULT_TIMEOUT,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            max_retries: DEFAULT_MAX_RETRIES,
            rate: None,
            proxy: ProxyChoice::default(),
            response_limit: DEFAULT_RESPONSE_LIMIT,
            roots: TrustedRoots::default(),
            tls_pins: TlsPins::default(),
            client_certificate: None,
            post_quantum: true,
            memory_policy: MemoryPolicy::default(),
            log: Log::default(),
            key_dir: None,
            key_password: None,
            key_rotation: Some(DEFAULT_KEY_ROTATION),
            key_group_read: false,
            pins: Pins::default(),
            known_servers: None,
            server_key_ttl: DEFAULT_SERVER_KEY_TTL,
            attestation_policy: AttestationPolicy::new(),
            binding: format!("rust/{}", env!("CARGO_PKG_VERSION")),
        }
    }
}

impl Config {
    /// The defaults, and nothing from the environment.
    pub fn new() -> Config {
        Config::default()
    }

    /// Reads the environment; nothing else in this library does.
    ///
    /// - `NOMYO_API_KEY`, `NOMYO_BASE_URL`, `NOMYO_KEY_DIR`, `NOMYO_KEY_PASSWORD`.
    /// - `NOMYO_KEY_GROUP_READ`: `1`, `true`, `yes`, `on`, or `0`, `false`, `no`, `off`, in either case.
    /// - `NOMYO_SERVER_KEY_PIN`, `NOMYO_TLS_PIN`: pins with commas between them, instead of those set so far.
    /// - `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in small letters first, unless a proxy has been set; and
    ///   `REQUEST_METHOD`, since `HTTP_PROXY` is a header of the request in a CGI program. The proxy in the settings of Windows or
    ///   macOS is not read.
    /// - `SSL_CERT_FILE`, `SSL_CERT_DIR`: the trust store, unless a CA file has been set.
    ///
    /// A variable that is unset or empty changes nothing.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument): a value cannot be used. Nothing is changed then.
    pub fn load_env(&mut self) -> Result<()> {
        self.load(&variable)
    }

    /// As [`load_env`](Config::load_env), with what `value` returns for a variable's name, instead of the process's
    /// environment: for runtimes that have an environment of their own, as Node's workers do.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument): a value cannot be used. Nothing is changed then.
    pub fn load_variables(&mut self, value: impl Fn(&str) -> Option<String>) -> Result<()> {
        self.load(&|name| Ok(value(name).map(Zeroizing::new).filter(|value| !value.is_empty())))
    }

    fn load(&mut self, variable: &impl Fn(&str) -> Result<Option<Zeroizing<String>>>) -> Result<()> {
        let base_url = variable("NOMYO_BASE_URL")?.map(|url| BaseUrl::parse(&url)).transpose()?;
        let key = variable("NOMYO_API_KEY")?.map(|key| api_key::checked(key.as_bytes())).transpose()?;
        let password = variable("NOMYO_KEY_PASSWORD")?.map(|text| key_password(text.as_bytes())).transpose()?;
        let key_dir = variable("NOMYO_KEY_DIR")?.map(|dir| PathBuf::from(dir.as_str()));
        let group_read =
            variable("NOMYO_KEY_GROUP_READ")?.map(|text| yes_or_no("NOMYO_KEY_GROUP_READ", &text)).transpose()?;
        let pins = variable("NOMYO_SERVER_KEY_PIN")?
            .map(|pins| {
                let mut all = Pins::default();
                pins.split(',').try_for_each(|pin| all.add(pin.trim())).map(|()| all)
            })
            .transpose()?;
        let tls_pins = variable("NOMYO_TLS_PIN")?
            .map(|pins| {
                let mut all = TlsPins::default();
                pins.split(',').try_for_each(|pin| all.add(pin.trim())).map(|()| all)
            })
            .transpose()?;
        let proxies = ProxyChoice::of_environment(variable)?;
        let path = |name| variable(name).map(|value| value.map(|value| PathBuf::from(value.as_str())));
        let store = (path("SSL_CERT_FILE")?, path("SSL_CERT_DIR")?);
        if let Some(base_url) = base_url {
            self.base_url = base_url;
        }
        self.api_key = key.or(self.api_key.take());
        self.key_password = password.or(self.key_password.take());
        self.key_dir = key_dir.or(self.key_dir.take());
        self.key_group_read = group_read.unwrap_or(self.key_group_read);
        if let Some(pins) = pins {
            self.pins = pins;
        }
        if let Some(pins) = tls_pins {
            self.tls_pins = pins;
        }
        self.proxy.look_up_in(proxies);
        self.roots.look_in(store.0, store.1);
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

    /// The API key, sent as a bearer token; empty for none. A forked child must set the key again.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) unless it is at most 8192 visible ASCII characters.
    pub fn set_api_key(&mut self, key: &[u8]) -> Result<()> {
        self.api_key = Some(api_key::checked(key)?);
        Ok(())
    }

    /// Adds a header to both requests, for a gateway in front of the server: at most 32. A name that was given before gets the
    /// new value. The value is treated as a secret. A forked child must set it again.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for a name that HTTP does not allow, a header that the client sets itself, a
    /// value of other than visible ASCII characters and spaces or of more than 8192 bytes, and a 33rd header.
    pub fn set_header(&mut self, name: &str, value: &[u8]) -> Result<()> {
        let header = Header::checked(name, value)?;
        self.headers.retain(|other| other.name != header.name);
        if self.headers.len() == header::MOST {
            return Err(Error::argument(format!("more than {} headers; leave some out", header::MOST)));
        }
        self.headers.push(header);
        Ok(())
    }

    /// Whether `http://` is allowed. Default: no.
    pub fn set_allow_http(&mut self, yes: bool) {
        self.allow_http = yes;
    }

    /// Sets how secrets are locked in memory. Default: [`MemoryPolicy::Prefer`]. The policy in force is the strictest of
    /// the clients that are alive.
    pub fn set_memory_policy(&mut self, policy: MemoryPolicy) {
        self.memory_policy = policy;
    }

    /// How many failed attempts of a call are retried, key fetch and request together. Default: 2.
    ///
    /// Retried are attempts that met HTTP 408, 409, 425, 429, any 5xx but 501 and 505, or no answer at all, unless the server
    /// says `x-should-retry`. Before a retry the call waits as long as the server's `Retry-After` says (up to two minutes;
    /// longer means no retry), otherwise 0.5 s, doubled each time up to 8 s, minus up to 25 % jitter. Not retried: a response
    /// that broke off after its first byte, a certificate or a package that was refused, a name that does not exist, a second
    /// 503 in a row, and a 503 that speaks of a rate limit. A pooled connection that turns out to be closed before a byte was
    /// written is replaced without counting.
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

    /// Timeout of a whole call: keys, key fetch, attempts, and the waits between them. Default: 900 s.
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

    /// The proxy, as `[scheme://][user:password@]host[:port]`. The scheme is http, https (both are asked to CONNECT),
    /// socks5 or socks5h (which are the same here); without one it is http. Empty for none. The proxy looks the server's
    /// name up, and sees only the TLS connection. Default: none, or what [`load_env`](Config::load_env) finds.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) if it is not such a URL.
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
        self.roots.take_file(pem)
    }

    /// Trusts the CAs in a PEM text too, beside the trust store or the CA file. If the system has no trust store, these alone are
    /// trusted.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) if it holds no certificate.
    pub fn add_ca_pem(&mut self, pem: &[u8]) -> Result<()> {
        self.roots.add_pem(pem)
    }

    /// Shows the server a client certificate, if it asks for one (mutual TLS). `chain` holds the client's certificate, then the
    /// intermediate ones. `key` holds its private key without encryption: RSA, ECDSA or Ed25519, as PKCS#8, PKCS#1 or SEC 1. A
    /// forked child must set it again. The client shows the certificate to no proxy.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) if a text cannot be read, or if the key is not that of the certificate.
    pub fn set_client_certificate_pem(&mut self, chain: &[u8], key: &[u8]) -> Result<()> {
        self.client_certificate = Some(CertificateAndKey::checked(chain, key)?);
        Ok(())
    }

    /// As [`set_client_certificate_pem`](Config::set_client_certificate_pem), from two files, which are read now. The key file
    /// must be private, as the key directory's are; [`set_key_group_read`](Config::set_key_group_read) counts if it came before.
    ///
    /// # Errors
    /// The errors of [`set_client_certificate_pem`](Config::set_client_certificate_pem), and:
    /// - [`Status::Key`](crate::Status::Key): the key file is missing, or others can read it.
    /// - [`Status::Io`](crate::Status::Io): a file cannot be read.
    pub fn set_client_certificate(&mut self, chain: &Path, key: &Path) -> Result<()> {
        let chain = chain_file(chain)?;
        let key = files::read(&files::absolute(key, "the key of the client certificate")?, self.key_access())?;
        self.set_client_certificate_pem(&chain, &key)
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
    pub fn set_log(&mut self, level: LogLevel, sink: impl Fn(LogLevel, &str) + Send + Sync + 'static) {
        self.log = Log::new(level, sink);
    }

    /// The directory that keeps the client's pair (`private_key.pem`, `public_key.pem`), looked at when the pair is first
    /// needed: loaded when both files are there, generated and saved when neither is, refused otherwise. Default: none;
    /// the pair lives in memory.
    pub fn set_key_dir(&mut self, dir: &Path) {
        self.key_dir = Some(dir.to_owned());
    }

    /// The password of the private file in the key directory; empty for none. A forked child must set the password again.
    ///
    /// # Errors
    /// [`Status::Memory`](crate::Status::Memory).
    pub fn set_key_password(&mut self, password: &[u8]) -> Result<()> {
        self.key_password = Some(key_password(password)?);
        Ok(())
    }

    /// How long a pair is used before a new one takes its place, in the key directory too; zero means never. Counted from the
    /// moment at which this client made or loaded it. Default: 24 hours.
    pub fn set_key_rotation(&mut self, after: Duration) {
        self.key_rotation = Some(after).filter(|after| !after.is_zero());
    }

    /// How private key files are judged.
    pub(super) fn key_access(&self) -> Access {
        if self.key_group_read { Access::Mounted } else { Access::Private }
    }

    /// Whether a private file that belongs to root may be readable by its group, as a Secret volume of Kubernetes has it.
    /// Default: no. A private file that its group can write, or that others can read, is refused all the same.
    pub fn set_key_group_read(&mut self, yes: bool) {
        self.key_group_read = yes;
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

    /// Accepts a certificate of the server: SHA-256 of its SubjectPublicKeyInfo, as 64 hexadecimal digits or `sha256/` and
    /// base64. At least one certificate of the verified chain (leaf, intermediate or root) must have one of the pins. Checked
    /// in the handshake, before the API key or the prompt leaves. Default: none.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for anything else.
    pub fn add_tls_pin(&mut self, sha256: &str) -> Result<()> {
        self.tls_pins.add(sha256)
    }

    /// Whether TLS offers the post-quantum key share X25519MLKEM768 (default: yes). Without it the first packet of a
    /// handshake is smaller, which some middleboxes need.
    pub fn set_post_quantum(&mut self, yes: bool) {
        self.post_quantum = yes;
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

    /// `Status::Forked` if a parent process set the API key or the key password.
    pub(super) fn check_credentials(&self) -> Result<()> {
        let values = self.headers.iter().map(Header::value);
        let key = self.client_certificate.as_ref().map(CertificateAndKey::key);
        let given = [&self.api_key, &self.key_password].into_iter().flatten().chain(values).chain(key);
        given.map(Credential::bytes).try_for_each(|bytes| bytes.map(|_| ()))
    }

    pub(super) fn user_agent(&self) -> String {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        format!("nomyo-native/{} ({}; {os}-{arch})", env!("CARGO_PKG_VERSION"), self.binding)
    }
}

fn key_password(password: &[u8]) -> Result<Credential> {
    Ok(Credential::new("key password", SecretBuf::copy_of(password)?))
}

pub(super) fn not_zero(limit: Duration, name: &str) -> Result<Duration> {
    if limit.is_zero() {
        return Err(Error::argument(format!("a {name} of 0 leaves no time; give at least 1 ms")));
    }
    Ok(limit)
}
