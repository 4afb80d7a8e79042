//! The one pipeline: seal, send, open.

use std::sync::Arc;

use super::{Client, Request, Response, Sealed};
use crate::envelope::{self, Chat, Tier};
use crate::error::Result;
use crate::keys::{ClientPair, ServerKey};
use crate::memory::{self, SecretBuf};
use crate::transport::{Deadline, Post, still_wanted};

impl Client {
    /// Sends one chat request, encrypted, and waits for the whole answer, at most for the call's timeout.
    ///
    /// `json` is the OpenAI-style request body; it is read before the first byte is sent, and not kept. Its members
    /// `security_tier` and `api_key` act as the options of that name and are not sent.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) and [`Status::Forked`](crate::Status::Forked) before anything
    /// is sent; [`Status::Cancelled`](crate::Status::Cancelled) at any moment; the network's, the server's and the
    /// answer's statuses after that.
    pub fn create(&self, json: &[u8], options: &Request) -> Result<Response> {
        self.usable()?;
        match &options.cancel {
            Some(cancel) => cancel.during(|| self.send(json, options)),
            None => self.send(json, options),
        }
    }

    fn send(&self, json: &[u8], options: &Request) -> Result<Response> {
        let (sealed, api_key, deadline) = self.sealed(json, options)?;
        let post = Post {
            body: &sealed.body,
            headers: &sealed.headers(),
            api_key: api_key.as_ref().or(self.api_key.as_ref()),
        };
        let answer = self.transport.get()?.post(&post, deadline)?;
        self.open(&sealed, &answer).map_err(|e| e.with_http_status(200).with_attempts(1))
    }

    /// Gets ready for the first call, now: generates the pair, connects, fetches the server's key. Blocks for at most
    /// the client's timeout, beside the key generation.
    ///
    /// # Errors
    /// [`Status::Forked`](crate::Status::Forked), and those of the key fetch.
    pub fn warm_up(&self) -> Result<()> {
        self.usable()?;
        self.pair.get()?;
        memory::enforce()?;
        self.server_key(Deadline::after(self.timeout)).map(|_| ())
    }

    /// Seals a request for the server whose public key is `server_pem`, for callers with an HTTP stack of their own.
    /// Blocks on nothing but the first key generation.
    ///
    /// # Errors
    /// [`Status::Argument`](crate::Status::Argument) for a bad request,
    /// [`Status::Protocol`](crate::Status::Protocol) for a bad server key, [`Status::Forked`](crate::Status::Forked).
    pub fn seal(&self, server_pem: &[u8], json: &[u8], options: &Request) -> Result<Sealed> {
        self.usable()?;
        let chat = Chat::read(json)?;
        options.api_key(&chat)?;
        let tier = options.tier(&chat)?;
        let server = ServerKey::from_pem(server_pem)?;
        seal_for(&server, self.pair.get()?, &chat, tier)
    }

    /// Opens `body`, the answer to `request`. Does not block.
    ///
    /// # Errors
    /// [`Status::Protocol`](crate::Status::Protocol) when it is not a package,
    /// [`Status::Security`](crate::Status::Security) when it does not decrypt or answers another request,
    /// [`Status::Forked`](crate::Status::Forked).
    pub fn open(&self, request: &Sealed, body: &[u8]) -> Result<Response> {
        self.usable()?;
        let answer = envelope::open(body, &request.pair.keys, &request.expected())?;
        Response::new(answer, request.payload_id.clone())
    }

    /// The request, sealed; its plaintext is gone when this returns. With it the API key, if it has one of its own, and
    /// the deadline, which begins when the pair is there.
    fn sealed(&self, json: &[u8], options: &Request) -> Result<(Sealed, Option<SecretBuf>, Deadline)> {
        let chat = Chat::read(json)?;
        let (tier, api_key) = (options.tier(&chat)?, options.api_key(&chat)?);
        let pair = self.pair.get()?;
        memory::enforce()?;
        still_wanted()?;
        let deadline = Deadline::after(options.timeout.unwrap_or(self.timeout));
        let server = self.server_key(deadline)?;
        Ok((seal_for(&server, pair, &chat, tier)?, api_key, deadline))
    }

    fn server_key(&self, deadline: Deadline) -> Result<Arc<ServerKey>> {
        self.server.get(deadline.at(), still_wanted, || {
            let pem = self.transport.get()?.fetch_server_key(deadline)?;
            ServerKey::from_pem(&pem).map_err(|e| e.with_http_status(200).with_attempts(1))
        })
    }
}

fn seal_for(server: &ServerKey, pair: Arc<ClientPair>, chat: &Chat<'_>, tier: Option<Tier>) -> Result<Sealed> {
    let body = envelope::seal(&chat.payload()?, &server.public)?;
    Ok(Sealed { body, payload_id: uuid::Uuid::new_v4().to_string(), tier, pair })
}
