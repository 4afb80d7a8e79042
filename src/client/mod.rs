//! The client: configuration, one request, one response, and `create`, the pipeline that walks through the rooms.
//!
//! Promises: any number of threads may share a [`Client`]; while it waits for the server it holds no copy of the prompt; a
//! decrypted response is nowhere but in its [`Response`]; every call ends by its deadline and when it is cancelled. In a
//! forked child, and after a panic inside the library, it refuses to work.

mod api_key;
mod call_options;
mod client_certificate;
mod config;
mod create;
mod credential;
mod environment;
mod header;
mod keys;
mod pointer;
mod private_key_pem;
mod published_key;
mod response;
mod sealed;
#[cfg(all(test, feature = "attestation"))]
mod verdict_tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub use call_options::CallOptions;
pub use config::Config;
pub use private_key_pem::PrivateKeyPem;
pub use published_key::PublishedKey;
pub use response::{Response, ToolCall, Usage};
#[cfg(feature = "capi")]
pub(crate) use response::{Text, ToolCallPart};
pub use sealed::Sealed;

pub use crate::log::LogLevel;
pub use crate::wait::Cancel;

use self::client_certificate::CertificateAndKey;
use self::credential::Credential;
use self::header::Header;
use crate::attestation::AttestationPolicy;
use crate::crypto;
use crate::error::{Error, Result, Status};
use crate::files::Access;
use crate::keys::{ClientKeys, KeyDirectory, KnownServers, Password, Pins, ServerCache};
use crate::log::Log;
use crate::memory::{self, OwnProcess, Vote};
use crate::transport::{Settings, Transport};
use crate::wait::Wait;

/// The first thing that a call does, in messages.
const BEGINNING: &str = "it began";

/// A client of one server. Any number of threads may use it at once.
pub struct Client {
    shared: Arc<Shared>,
    /// Its calls use these where their own options say nothing.
    defaults: CallOptions,
}

/// The part that the handles of one client share. The keys are wiped with the last handle.
struct Shared {
    transport: OwnProcess<Transport>,
    keys: ClientKeys,
    /// Judges the private files that are read.
    key_access: Access,
    server: ServerCache,
    pins: Pins,
    known_servers: Option<KnownServers>,
    attestation_policy: AttestationPolicy,
    api_key: Option<Credential>,
    timeout: Duration,
    log: Log,
    poisoned: AtomicBool,
}

impl Client {
    /// Makes a client. Does not block: keys are generated and connections opened when they are first needed, or by
    /// [`warm_up`](Client::warm_up). Reads nothing from the environment.
    ///
    /// # Errors
    /// - [`Status::Security`]: the base URL is `http://` and the configuration does not allow it; or the memory policy
    ///   requires locks and the system has refused one.
    /// - [`Status::Argument`]: a key password without a key directory, or TLS pins or a client certificate for an
    ///   `http://` server.
    /// - [`Status::Forked`]: a parent process set the API key, the key password, a header or the client certificate of the
    ///   configuration.
    pub fn new(config: &Config) -> Result<Client> {
        config.check_credentials()?;
        if !config.base_url.is_secure() {
            if !config.allow_http {
                return Err(Error::new(
                    Status::Security,
                    format!(
                        "{} is not HTTPS: the API key would be readable on the way, and the server's key could be \
                         replaced; use https://, or allow HTTP for a server on this machine",
                        config.base_url.as_str()
                    ),
                ));
            }
            if !config.tls_pins.is_empty() {
                return Err(Error::argument(format!(
                    "{} has no TLS, so that no TLS pin can be checked; use https://, or remove the TLS pins",
                    config.base_url.as_str()
                )));
            }
            if config.client_certificate.is_some() {
                return Err(Error::argument(format!(
                    "{} has no TLS, so that no client certificate can be shown; use https://, or make the configuration without the certificate",
                    config.base_url.as_str()
                )));
            }
            config.log.write(
                LogLevel::Warn,
                "HTTP without TLS is in use: the API key is readable on the way and the server's key is unauthenticated",
            );
        }
        crypto::ready();
        if let Some(why) = memory::keys_outside() {
            config.log.write(LogLevel::Warn, why);
        }
        memory::settle();
        let vote = Vote::new(config.memory_policy);
        memory::enforce()?;
        let shared = Shared {
            transport: OwnProcess::new(Transport::new(Settings {
                base_url: config.base_url.clone(),
                connect_timeout: config.connect_timeout,
                max_retries: config.max_retries,
                rate: config.rate,
                proxy: config.proxy.clone(),
                response_limit: config.response_limit,
                roots: config.roots.clone(),
                tls_pins: config.tls_pins.clone(),
                client_certificate: config.client_certificate.as_ref().map(CertificateAndKey::read).transpose()?,
                post_quantum: config.post_quantum,
                user_agent: config.user_agent(),
                headers: config.headers.iter().map(Header::line).collect::<Result<_>>()?,
                log: config.log.clone(),
            })?),
            keys: ClientKeys::new(key_directory(config)?, config.key_rotation, config.log.clone(), vote),
            key_access: config.key_access(),
            server: ServerCache::new(config.server_key_ttl),
            pins: config.pins.clone(),
            known_servers: known_servers(config)?,
            attestation_policy: config.attestation_policy.clone(),
            api_key: config.api_key.as_ref().map(Credential::copied).transpose()?,
            timeout: config.timeout,
            log: config.log.clone(),
            poisoned: AtomicBool::new(false),
        };
        Ok(Client { shared: Arc::new(shared), defaults: CallOptions::new() })
    }

    /// Another handle of this client, with `options` as the defaults of its calls: their timeout and their cancel bound
    /// every function that blocks. The handles share the connections and the keys.
    ///
    /// # Errors
    /// [`Status::Memory`] for the copy of an API key; [`Status::Forked`] in a forked child.
    pub fn with_options(&self, options: &CallOptions) -> Result<Client> {
        self.usable()?;
        Ok(Client { shared: self.shared.clone(), defaults: options.over(&self.defaults)? })
    }

    /// Marks the client unusable: a panic may have left anything half-done.
    #[cfg(feature = "capi")]
    pub(crate) fn poison(&self) {
        self.shared.poisoned.store(true, Ordering::Relaxed);
    }

    /// Runs one call, unless it is cancelled before it begins.
    fn call<T>(&self, options: &CallOptions, body: impl FnOnce(&Wait) -> Result<T>) -> Result<T> {
        self.run(options, |wait| {
            wait.check(BEGINNING)?;
            body(wait)
        })
    }

    /// Runs one call: refuses an unusable client, bounds the call by its timeout and its cancel, and logs its failure.
    fn run<T>(&self, options: &CallOptions, body: impl FnOnce(&Wait) -> Result<T>) -> Result<T> {
        let run = || {
            self.usable()?;
            let timeout = options.timeout.or(self.defaults.timeout).unwrap_or(self.shared.timeout);
            let begun = options.begun.or(self.defaults.begun).unwrap_or_else(Instant::now);
            let wait = Wait::since(begun, timeout, options.cancel.as_ref().or(self.defaults.cancel.as_ref()));
            body(&wait)
        };
        run().inspect_err(|error| {
            let level = if error.status() == Status::Cancelled { LogLevel::Info } else { LogLevel::Error };
            self.shared.log.write(level, error);
        })
    }

    /// Refuses a client that was inherited by a fork or has seen a panic.
    fn usable(&self) -> Result<()> {
        self.shared.transport.get()?;
        if self.shared.poisoned.load(Ordering::Relaxed) {
            return Err(Error::internal("an earlier call on this client panicked; free it and make a new one"));
        }
        memory::enforce()
    }
}

fn key_directory(config: &Config) -> Result<Option<KeyDirectory>> {
    let password = config.key_password.as_ref().filter(|password| !password.is_empty());
    match (&config.key_dir, password) {
        (Some(dir), Some(password)) => {
            KeyDirectory::new(dir, Password::new(password.bytes()?)?, config.key_access()).map(Some)
        }
        (Some(dir), None) => KeyDirectory::new(dir, Password::new(b"")?, config.key_access()).map(Some),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Error::argument(
            "a key password is set and no key directory, so that it would protect nothing; set both or neither",
        )),
    }
}

fn known_servers(config: &Config) -> Result<Option<KnownServers>> {
    config.known_servers.as_deref().map(|file| KnownServers::new(file, &config.base_url)).transpose()
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}
