//! The one pipeline: seal, send, open, judge.

use std::sync::Arc;

use super::{Client, Level, Request, Response, Sealed};
use crate::attestation;
use crate::envelope::{self, Chat, Tier};
use crate::error::{Error, Result, Status};
use crate::keys::{ClientPair, ServerKey};
use crate::memory::{self, SecretBuf};
use crate::transport::{Attempts, Post, doubts_the_key, still_wanted};

impl Client {
    /// Sends one chat request, encrypted, and waits for the whole answer, at most for the call's timeout.
    ///
    /// `json` is the OpenAI-style request body; it is read while the call lasts (again, should the server's key have
    /// changed), and not kept. Its members `security_tier` and `api_key` act as the options of that name and are not sent.
    ///
    /// # Errors
    /// [`Status::Argument`], [`Status::Forked`], and those of the client's keys and of the server's, before anything is
    /// sent; [`Status::Cancelled`] at any moment; the network's, the server's and the answer's statuses after that.
    pub fn create(&self, json: &[u8], options: &Request) -> Result<Response> {
        self.usable()?;
        let outcome = match &options.cancel {
            Some(cancel) => cancel.during(|| self.send(json, options)),
            None => self.send(json, options),
        };
        outcome.inspect_err(|e| self.log_failure(e))
    }

    fn send(&self, json: &[u8], options: &Request) -> Result<Response> {
        let (mut call, mut attempts) = self.begun(json, options)?;
        let mut key_is_known = false;
        loop {
            let refused = match self.exchange(&call, &mut attempts) {
                Err(error) if doubts_the_key(&error) => error,
                outcome => return outcome,
            };
            if !std::mem::replace(&mut key_is_known, true) {
                match self.sealed_anew(json, &call, &mut attempts) {
                    Ok(Some(sealed)) => {
                        call.sealed = sealed;
                        continue;
                    }
                    Err(error) if matches!(error.status(), Status::Pin | Status::Cancelled) => return Err(error),
                    _ => {}
                }
            }
            self.transport.get()?.again(refused, &mut attempts)?;
        }
    }

    fn exchange(&self, call: &Call, attempts: &mut Attempts) -> Result<Response> {
        let post = Post {
            body: &call.sealed.body,
            headers: &call.sealed.headers(),
            api_key: call.api_key.as_ref().or(self.api_key.as_ref()),
        };
        let answer = self.transport.get()?.post(&post, attempts)?;
        self.open(&call.sealed, &answer).map_err(|e| e.with_http_status(200).with_attempts(attempts.posts()))
    }

    /// Gets ready for the first call, now: generates the pair, connects, fetches the server's key. Blocks for at most
    /// the client's timeout, beside the key generation.
    ///
    /// # Errors
    /// [`Status::Forked`], and those of the key fetch.
    pub fn warm_up(&self) -> Result<()> {
        self.usable()?;
        self.keys.current(&still_wanted)?;
        memory::enforce()?;
        let fetched = self.fetched_server_key(None, &mut self.transport.get()?.attempts(self.timeout));
        fetched.map(|_| ()).inspect_err(|e| self.log_failure(e))
    }

    fn log_failure(&self, error: &Error) {
        let level = if error.status() == Status::Cancelled { Level::Info } else { Level::Error };
        self.log.write(level, error);
    }

    /// Seals a request for the server whose public key is `server_pem`, for callers with an HTTP stack of their own.
    /// Blocks on nothing but the first key generation.
    ///
    /// # Errors
    /// [`Status::Argument`] for a bad request,
    /// [`Status::Protocol`] for a bad server key, [`Status::Forked`].
    pub fn seal(&self, server_pem: &[u8], json: &[u8], options: &Request) -> Result<Sealed> {
        self.usable()?;
        let chat = Chat::read(json)?;
        options.api_key(&chat)?;
        let tier = options.tier(&chat)?;
        let server = ServerKey::from_pem(server_pem)?;
        self.pins.check(&server)?;
        seal_for(&server, self.keys.current(&still_wanted)?, &chat, tier, new_payload_id())
    }

    /// Opens `body`, the answer to `request`. Does not block.
    ///
    /// # Errors
    /// [`Status::Protocol`] when it is not a package,
    /// [`Status::Security`] when it does not decrypt or answers another request,
    /// [`Status::Attestation`] when the client's policy requires more than it proves, [`Status::Forked`].
    pub fn open(&self, request: &Sealed, body: &[u8]) -> Result<Response> {
        self.usable()?;
        let answer = envelope::open(body, &request.pair.keys, &request.expected())?;
        let quote_is_due = request.tier == Some(Tier::Maximum);
        let verdict =
            attestation::of_answer(answer.metadata(), &request.payload_id, quote_is_due, &self.attestation_policy);
        self.attestation_policy.admit(&verdict)?;
        Response::new(answer.json, request.payload_id.clone(), verdict)
    }

    /// The call, ready to be sent, and what it may try; the plaintext is gone when this returns. The deadline begins when the
    /// pair is there.
    fn begun(&self, json: &[u8], options: &Request) -> Result<(Call, Attempts)> {
        let chat = Chat::read(json)?;
        let (tier, api_key) = (options.tier(&chat)?, options.api_key(&chat)?);
        let pair = self.keys.current(&still_wanted)?;
        memory::enforce()?;
        still_wanted()?;
        let mut attempts = self.transport.get()?.attempts(options.timeout.unwrap_or(self.timeout));
        let server = self.admitted_server_key(None, &mut attempts)?;
        let sealed = seal_for(&server, pair, &chat, tier, new_payload_id())?;
        Ok((Call { sealed, server, api_key }, attempts))
    }

    /// The same request for the key that the server has now, if that is another one and is accepted.
    fn sealed_anew(&self, json: &[u8], call: &Call, attempts: &mut Attempts) -> Result<Option<Sealed>> {
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
        if let Some(known) = &self.known_servers {
            known.admit(&key, &still_wanted)?;
        }
        Ok(key)
    }

    /// The server's key, to be looked at: checked, and not remembered. Fetched when there is none, or only one that has
    /// failed.
    pub(super) fn fetched_server_key(
        &self,
        failed: Option<&Arc<ServerKey>>,
        attempts: &mut Attempts,
    ) -> Result<Arc<ServerKey>> {
        self.server.get(failed, attempts.deadline().at(), still_wanted, || {
            let pem = self.transport.get()?.fetch_server_key(attempts)?;
            let key =
                ServerKey::from_pem(&pem).map_err(|e| e.with_http_status(200).with_attempts(attempts.fetches()))?;
            self.pins.check(&key)?;
            if let Some(known) = &self.known_servers {
                known.check(&key)?;
            }
            Ok(key)
        })
    }
}

/// One call under way.
struct Call {
    sealed: Sealed,
    server: Arc<ServerKey>,
    api_key: Option<SecretBuf>,
}

fn new_payload_id() -> String {
    uuid::Uuid::new_v4().to_string()
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
