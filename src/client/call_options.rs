//! The options of one call.

use std::time::{Duration, Instant};

use super::api_key;
use super::config::not_zero;
use super::credential::Credential;
use crate::envelope::{Chat, Tier};
use crate::error::{Error, Result};
use crate::wait::Cancel;

/// Options of one call, over the client's. Belongs to one thread while it is being changed.
#[derive(Debug, Default)]
pub struct CallOptions {
    tier: Option<Tier>,
    api_key: Option<Credential>,
    pub(super) timeout: Option<Duration>,
    pub(super) begun: Option<Instant>,
    pub(super) cancel: Option<Cancel>,
}

impl CallOptions {
    /// No options.
    pub fn new() -> CallOptions {
        CallOptions::default()
    }

    /// The security tier to ask for. Default: none; the server chooses.
    pub fn set_security_tier(&mut self, tier: Tier) {
        self.tier = Some(tier);
    }

    /// An API key instead of the client's; empty for none. A forked child must set the key again.
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

    /// The timeout counts from `begun` instead of the moment at which the call is made. For callers whose calls wait for a thread.
    pub fn set_begun(&mut self, begun: Instant) {
        self.begun = Some(begun);
    }

    /// A copy of these options, with those of `defaults` where these say nothing.
    pub(super) fn over(&self, defaults: &CallOptions) -> Result<CallOptions> {
        Ok(CallOptions {
            tier: self.tier.or(defaults.tier),
            api_key: self.api_key.as_ref().or(defaults.api_key.as_ref()).map(Credential::copied).transpose()?,
            timeout: self.timeout.or(defaults.timeout),
            begun: self.begun.or(defaults.begun),
            cancel: self.cancel.clone().or(defaults.cancel.clone()),
        })
    }

    /// The API key that was set, if one was.
    pub(super) fn own_api_key(&self) -> Option<&Credential> {
        self.api_key.as_ref()
    }

    /// The tier that was set, if one was.
    pub(super) fn own_tier(&self) -> Option<Tier> {
        self.tier
    }

    /// The handle that cancels the call.
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

    /// The API key of the call, if it has one of its own. `Status::Forked` if a parent process set it.
    pub(super) fn api_key(&self, chat: &Chat<'_>) -> Result<Option<Credential>> {
        match (&self.api_key, &chat.api_key) {
            (Some(_), Some(_)) => Err(twice("api_key")),
            (Some(key), None) => key.copied().map(Some),
            (None, Some(key)) => api_key::checked(key).map(Some),
            (None, None) => Ok(None),
        }
    }
}

fn twice(name: &str) -> Error {
    Error::argument(format!("{name} is given as an option and in the request; give it once"))
}
