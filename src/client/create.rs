//! The one pipeline: seal, send, open, judge.

use std::sync::Arc;

use super::credential::Credential;
use super::{BEGINNING, CallOptions, Client, Response, Sealed};
use crate::attestation;
use crate::crypto;
use crate::envelope::{self, Chat, Tier};
use crate::error::{Error, Result, Sent, Status};
use crate::keys::{ClientPair, ServerKey};
use crate::memory;
use crate::transport::{Attempts, Post, doubts_the_key};
use crate::wait::Wait;

impl Client {
    /// Sends one chat request, encrypted, and waits for the whole response, at most for the call's timeout.
    ///
    /// `json` is the OpenAI-style request body. It is read while the call lasts and not kept. Its members `security_tier`
    /// and `api_key` act as the options of that name and are not sent.
    ///
    /// # Errors
    /// Any status; [`Error::sent`] tells whether the request left this process.
    pub fn create(&self, json: &[u8], options: &CallOptions) -> Result<Response> {
        let mut sending = Sending::default();
        self.run(options, |wait| {
            let outcome = wait.check(BEGINNING).and_then(|()| self.sent(json, options, wait, &mut sending));
            outcome.map_err(|error| sending.explain(error))
        })
    }

    /// Sends the request, and sends it once more if the server's key has changed.
    fn sent(&self, json: &[u8], options: &CallOptions, wait: &Wait, sending: &mut Sending) -> Result<Response> {
        let mut attempts = self.shared.transport.get()?.attempts(wait);
        let outcome = self.pipeline(json, options, sending, &mut attempts);
        sending.attempts = Some(attempts);
        outcome
    }

    fn pipeline(
        &self,
        json: &[u8],
        options: &CallOptions,
        sending: &mut Sending,
        attempts: &mut Attempts,
    ) -> Result<Response> {
        let mut call = self.sealed_first(json, options, attempts)?;
        sending.payload_id = Some(call.sealed.payload_id.clone());
        let mut key_is_known = false;
        loop {
            let refused = match self.exchange(&call, attempts) {
                Err(error) if doubts_the_key(&error) => error,
                outcome => return outcome,
            };
            if !std::mem::replace(&mut key_is_known, true) {
                match self.sealed_again(json, &call, attempts) {
                    // The server has refused this request for its key alone. Sending it again is a retry all the same.
                    Ok(Some(_)) if !attempts.use_a_retry() => {
                        return Err(refused.because("the server's key has changed: the next call uses the new one"));
                    }
                    Ok(Some(sealed)) => {
                        call.sealed = sealed;
                        continue;
                    }
                    Err(error) if matches!(error.status(), Status::Pin | Status::Cancelled) => return Err(error),
                    Err(error) if attempts.wait().left().is_zero() => return Err(error),
                    _ => {}
                }
            }
            self.shared.transport.get()?.again(refused, attempts)?;
        }
    }

    fn exchange(&self, call: &Call, attempts: &mut Attempts) -> Result<Response> {
        let api_key = call.api_key.as_ref().or(self.defaults.own_api_key()).or(self.shared.api_key.as_ref());
        let post = Post {
            body: &call.sealed.body,
            headers: &call.sealed.headers(),
            api_key: api_key.map(Credential::bytes).transpose()?,
        };
        let body = self.shared.transport.get()?.post(&post, attempts)?;
        let response = self.opened(&call.sealed, &body, attempts.posts());
        response.map(|response| response.with_headers(attempts.headers())).map_err(|error| error.with_http_status(200))
    }

    /// Gets ready for the first call, now: loads or generates the pair, connects, fetches the server's key. Blocks for at
    /// most the client's timeout.
    ///
    /// # Errors
    /// [`Status::Forked`], and those of the client's keys and of the key fetch.
    pub fn warm_up(&self) -> Result<()> {
        self.call(&CallOptions::new(), |wait| {
            self.shared.keys.current(wait)?;
            memory::enforce_within()?;
            self.fetching(wait, |attempts| self.fetched_server_key(None, attempts).map(|_| ()))
        })
    }

    /// Seals a request for the server whose public key is `server_pem`, for callers with an HTTP stack of their own.
    /// Blocks on the file of known servers, and on the client's own pair if it has to be loaded or generated, for at most
    /// the call's timeout.
    ///
    /// # Errors
    /// - [`Status::Argument`]: a bad request.
    /// - [`Status::Protocol`]: a bad server key.
    /// - [`Status::Pin`]: not a pinned server key, or not the one in the file of known servers, which is only read.
    /// - [`Status::Cancelled`], [`Status::Timeout`], [`Status::Forked`], and those of the client's keys.
    pub fn seal(&self, server_pem: &[u8], json: &[u8], options: &CallOptions) -> Result<Sealed> {
        self.call(options, |wait| {
            let chat = Chat::read(json)?;
            options.api_key(&chat)?;
            let tier = options.tier(&chat)?.or(self.defaults.own_tier());
            let server = ServerKey::from_pem(server_pem)?;
            self.check_accepted(&server, wait)?;
            seal_for(&server, self.shared.keys.current(wait)?, &chat, tier, new_payload_id()?)
        })
    }

    /// Opens `body`, the response to `request`. Does not block.
    ///
    /// # Errors
    /// - [`Status::Protocol`]: it is not a package.
    /// - [`Status::Security`]: it does not decrypt, or responds to another request.
    /// - [`Status::Attestation`]: the client's policy requires more than it proves.
    /// - [`Status::Forked`].
    pub fn open(&self, request: &Sealed, body: &[u8]) -> Result<Response> {
        self.usable()?;
        self.opened(request, body, 0).inspect_err(|error| self.shared.log.write(super::LogLevel::Error, error))
    }

    fn opened(&self, request: &Sealed, body: &[u8], attempts: u32) -> Result<Response> {
        let answer = envelope::open(body, &request.pair.keys, &request.expected())?;
        let quote_is_due = request.tier == Some(Tier::Maximum);
        let policy = &self.shared.attestation_policy;
        let verdict = attestation::of_answer(answer.metadata(), &request.payload_id, quote_is_due, policy);
        policy.admit(&verdict)?;
        Response::new(answer, request.payload_id.clone(), verdict, attempts)
    }

    /// The call, ready to be sent. The plaintext is gone when this returns.
    fn sealed_first(&self, json: &[u8], options: &CallOptions, attempts: &mut Attempts) -> Result<Call> {
        let chat = Chat::read(json)?;
        let tier = options.tier(&chat)?.or(self.defaults.own_tier());
        let api_key = options.api_key(&chat)?;
        let pair = self.shared.keys.current(attempts.wait())?;
        memory::enforce_within()?;
        let server = self.admitted_server_key(None, attempts)?;
        let sealed = seal_for(&server, pair, &chat, tier, new_payload_id()?)?;
        Ok(Call { sealed, server, api_key })
    }

    /// The same request for the key that the server has now, if that is another one and is accepted.
    fn sealed_again(&self, json: &[u8], call: &Call, attempts: &mut Attempts) -> Result<Option<Sealed>> {
        let server = self.admitted_server_key(Some(&call.server), attempts)?;
        if server.fingerprint() == call.server.fingerprint() {
            return Ok(None);
        }
        let Sealed { pair, tier, payload_id, .. } = &call.sealed;
        seal_for(&server, pair.clone(), &Chat::read(json)?, *tier, payload_id.clone()).map(Some)
    }

    /// The server's key, to be sealed for.
    fn admitted_server_key(&self, failed: Option<&Arc<ServerKey>>, attempts: &mut Attempts) -> Result<Arc<ServerKey>> {
        let key = self.fetched_server_key(failed, attempts)?;
        if let Some(known) = &self.shared.known_servers {
            known.admit(&key, attempts.wait())?;
        }
        Ok(key)
    }

    /// Runs a call that sends no request; its error tells how many times the server's key was fetched.
    pub(super) fn fetching<T>(&self, wait: &Wait, body: impl FnOnce(&mut Attempts) -> Result<T>) -> Result<T> {
        let mut attempts = self.shared.transport.get()?.attempts(wait);
        body(&mut attempts).map_err(|error| {
            let made = attempts.fetches().max(error.attempts());
            error.with_attempts(made).with_headers(attempts.headers())
        })
    }

    /// The server's key, to be looked at: checked, and not remembered. Fetched if there is none, or only one that has
    /// failed.
    pub(super) fn fetched_server_key(
        &self,
        failed: Option<&Arc<ServerKey>>,
        attempts: &mut Attempts,
    ) -> Result<Arc<ServerKey>> {
        let wait = attempts.wait().clone();
        self.shared.server.get(failed, &wait, || {
            let pem = self.shared.transport.get()?.fetch_server_key(attempts)?;
            let key = ServerKey::from_pem(&pem).map_err(|error| error.with_http_status(200))?;
            self.check_accepted(&key, &wait)?;
            Ok(key)
        })
    }

    /// `Status::Pin` unless the pins and the file of known servers accept `key`. Remembers nothing.
    fn check_accepted(&self, key: &ServerKey, wait: &Wait) -> Result<()> {
        self.shared.pins.check(key)?;
        self.shared.known_servers.as_ref().map_or(Ok(()), |known| known.check(key, wait))
    }
}

/// One call under way.
struct Call {
    sealed: Sealed,
    server: Arc<ServerKey>,
    api_key: Option<Credential>,
}

/// The facts about the request that an error of the call tells.
#[derive(Default)]
struct Sending {
    payload_id: Option<String>,
    attempts: Option<Attempts>,
}

impl Sending {
    fn explain(&mut self, error: Error) -> Error {
        let made = self.attempts.as_ref().map_or(0, Attempts::count_of_either).max(error.attempts());
        let sent = self.attempts.as_ref().map_or(Sent::No, Attempts::what_was_sent);
        let headers = self.attempts.as_ref().map(Attempts::headers).unwrap_or_default();
        error.with_attempts(made).with_headers(headers).of_request(sent, self.payload_id.take())
    }
}

/// A version 4 UUID (RFC 9562), of the provider's random bytes.
fn new_payload_id() -> Result<String> {
    Ok(uuid::Builder::from_random_bytes(crypto::random()?).into_uuid().to_string())
}

fn seal_for(
    server: &ServerKey,
    pair: Arc<ClientPair>,
    chat: &Chat<'_>,
    tier: Option<Tier>,
    payload_id: String,
) -> Result<Sealed> {
    let body = envelope::seal(&chat.payload()?, &server.public)?;
    Ok(Sealed { body, payload_id, tier, pair })
}
