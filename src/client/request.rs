//! The options of one call.

use std::time::Duration;

use super::api_key;
use super::config::not_zero;
use crate::envelope::{Chat, Tier};
use crate::error::{Error, Result};
use crate::memory::SecretBuf;
use crate::transport::Cancel;

/// Options of one call, over the client's. Belongs to one thread while it is being changed.
#[derive(Debug, Default)]
pub struct Request {
    tier: Option<Tier>,
    api_key: Option<SecretBuf>,
    pub(super) timeout: Option<Duration>,
    pub(super) cancel: Option<Cancel>,
}

impl Request {
    /// No options.
    pub fn new() -> Request {
        Request::default()
    }

    /// The security tier to ask for. Default: none; the server chooses.
    pub fn set_security_tier(&mut self, tier: Tier) {
        self.tier = Some(tier);
    }

    /// An API key instead of the client's; empty for none.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) unless it is at most 8192 visible ASCII characters.
    pub fn set_api_key(&mut self, key: &[u8]) -> Result<()> {
        self.api_key = Some(api_key::checked(key)?);
        Ok(())
    }

    /// A timeout for the whole call instead of the client's.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for zero.
    pub fn set_timeout(&mut self, total: Duration) -> Result<()> {
        self.timeout = Some(not_zero(total, "timeout")?);
        Ok(())
    }

    /// What cancels the call.
    pub fn set_cancel(&mut self, cancel: &Cancel) {
        self.cancel = Some(cancel.clone());
    }

    /// The tier of the call: the option's, or the one lifted out of the request JSON.
    pub(super) fn tier(&self, chat: &Chat<'_>) -> Result<Option<Tier>> {
        match (self.tier, chat.tier) {
            (Some(a), Some(b)) if a != b => Err(twice("security_tier")),
            (a, b) => Ok(a.or(b)),
        }
    }

    /// The API key of the call, if it has one of its own.
    pub(super) fn api_key(&self, chat: &Chat<'_>) -> Result<Option<SecretBuf>> {
        match (&self.api_key, &chat.api_key) {
            (Some(_), Some(_)) => Err(twice("api_key")),
            (Some(key), None) => SecretBuf::copy_of(key).map(Some),
            (None, Some(key)) => api_key::checked(key).map(Some),
            (None, None) => Ok(None),
        }
    }
}

fn twice(name: &str) -> Error {
    Error::argument(format!("{name} is given as an option and in the request; give it once"))
}
