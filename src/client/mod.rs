//! The client: configuration, one request, one response, and `create`, the pipeline that walks through the rooms.
//!
//! Promises: a [`Client`] may be shared by any number of threads; while it waits for the server it holds no copy of
//! the prompt; a plaintext answer is nowhere but in its [`Response`]. In a forked child, and after a panic inside the
//! library, it refuses to work.

mod api_key;
mod config;
mod create;
mod keys;
mod pointer;
mod request;
mod response;
mod sealed;
#[cfg(all(test, feature = "attestation"))]
mod verdict_tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use config::Config;
pub use request::Request;
pub use response::Response;
#[cfg(feature = "capi")]
pub(crate) use response::Text;
pub use sealed::Sealed;

pub use crate::log::Level;
pub use crate::transport::Cancel;

use crate::attestation::AttestationPolicy;
use crate::error::{Error, Result, Status};
use crate::keys::{ClientKeys, KeyDirectory, KnownServers, Password, Pins, ServerCache};
use crate::log::Log;
use crate::memory::{self, OwnProcess, SecretBuf, Vote};
use crate::transport::{Settings, Transport};

/// A client of one server. Any number of threads may use it at once.
pub struct Client {
    /// Counts while the client lives.
    _vote: Vote,
    transport: OwnProcess<Transport>,
    keys: ClientKeys,
    server: ServerCache,
    pins: Pins,
    known_servers: Option<KnownServers>,
    attestation_policy: AttestationPolicy,
    api_key: Option<SecretBuf>,
    timeout: Duration,
    log: Log,
    poisoned: AtomicBool,
}

impl Client {
    /// Makes a client. Does not block: keys are generated and connections opened when they are first needed, or by
    /// [`warm_up`](Client::warm_up).
    ///
    /// # Errors
    /// [`Status::Security`] when the base URL is `http://` and the configuration does not allow it, or when the memory
    /// policy requires locks and the system has refused one; [`Status::Argument`] when a key password is set and no key
    /// directory is, or the environment names a proxy that cannot be used.
    pub fn new(config: &Config) -> Result<Client> {
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
            config.log.write(
                Level::Warn,
                "HTTP without TLS is in use: the API key is readable on the way and the server's key is unauthenticated",
            );
        }
        memory::settle();
        let vote = Vote::new(config.memory_policy);
        memory::enforce()?;
        Ok(Client {
            _vote: vote,
            transport: OwnProcess::new(Transport::new(Settings {
                base_url: config.base_url.clone(),
                connect_timeout: config.connect_timeout,
                max_retries: config.max_retries,
                rate: config.rate,
                proxy: config.proxy.clone(),
                response_limit: config.response_limit,
                roots: config.roots.clone(),
                user_agent: config.user_agent(),
                log: config.log.clone(),
            })?),
            keys: ClientKeys::new(key_directory(config)?, config.key_rotation, config.log.clone()),
            server: ServerCache::new(config.server_key_ttl),
            pins: config.pins.clone(),
            known_servers: known_servers(config)?,
            attestation_policy: config.attestation_policy.clone(),
            api_key: config.api_key.as_deref().map(SecretBuf::copy_of).transpose()?,
            timeout: config.timeout,
            log: config.log.clone(),
            poisoned: AtomicBool::new(false),
        })
    }

    /// Marks the client unusable: a panic may have left anything half-done.
    #[cfg(feature = "capi")]
    pub(crate) fn poison(&self) {
        self.poisoned.store(true, Ordering::Relaxed);
    }

    /// Refuses a client that was inherited by a fork or has seen a panic.
    fn usable(&self) -> Result<()> {
        self.transport.get()?;
        if self.poisoned.load(Ordering::Relaxed) {
            return Err(Error::internal("an earlier call on this client panicked; free it and make a new one"));
        }
        memory::enforce()
    }
}

fn key_directory(config: &Config) -> Result<Option<KeyDirectory>> {
    let password = config.key_password.as_ref().filter(|password| password.is_given());
    match (&config.key_dir, password) {
        (Some(dir), Some(password)) => Ok(Some(KeyDirectory::new(dir, password.copied()?))),
        (Some(dir), None) => Ok(Some(KeyDirectory::new(dir, Password::new(b"")?))),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Error::argument(
            "a key password is set and no key directory, so that it would protect nothing; set both or neither",
        )),
    }
}

fn known_servers(config: &Config) -> Result<Option<KnownServers>> {
    config.known_servers.as_deref().map(|file| KnownServers::new(file, config.base_url.as_str())).transpose()
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}
