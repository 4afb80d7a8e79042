//! The agent and its two calls: fetch the server's key, post a package.

use std::time::{Duration, Instant};

use ureq::http::Response;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use ureq::{Agent, Body, RequestBuilder};

use super::event::Event;
use super::exchange::Seen;
use super::failure::{self, Place};
use super::rate_limit::RateLimit;
use super::retry::{Attempts, Kind, doubts_the_key};
use super::{BaseUrl, Deadline, ProxyChoice, Rate, TrustedRoots, cancel, dial, refusal};
use crate::error::{Error, Result, Status};
use crate::log::{Level, Log};
use crate::memory::{SecretBuf, WireBuf};

/// The most that a key may have, in bytes.
const KEY_LIMIT: u64 = 64 * 1024;
/// Room for an answer that does not say how long it is, to begin with.
const FIRST_READ: usize = 64 * 1024;
/// Each of a connection's four buffers, in bytes. They are locked memory, of which there may be little.
const BUFFER: usize = 32 * 1024;
/// Idle connections kept, in all and for the one host that a client talks to.
const IDLE_CONNECTIONS: usize = 100;
/// How long an idle connection is kept: less than what NAT gateways and proxies allow.
const IDLE_AGE: Duration = Duration::from_secs(90);

/// What a transport is made of.
pub(crate) struct Settings {
    pub(crate) base_url: BaseUrl,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_retries: u32,
    pub(crate) rate: Option<Rate>,
    /// The largest answer that is read, in bytes.
    pub(crate) response_limit: u64,
    pub(crate) proxy: ProxyChoice,
    pub(crate) roots: TrustedRoots,
    pub(crate) user_agent: String,
    pub(crate) log: Log,
}

/// A pooled HTTP agent for one server. May be shared by any number of threads.
pub(crate) struct Transport {
    agent: Agent,
    base_url: BaseUrl,
    max_retries: u32,
    rate_limit: Option<RateLimit>,
    response_limit: u64,
    /// How the proxy is called, if there is one.
    proxy: Option<String>,
    trust: &'static str,
    log: Log,
}

/// A sealed request and the headers that go with it.
pub(crate) struct Post<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) headers: &'a [(&'static str, &'a str)],
    pub(crate) api_key: Option<&'a SecretBuf>,
}

/// One of the two requests.
enum Call<'a> {
    Key,
    Chat(&'a Post<'a>),
}

impl Call<'_> {
    fn kind(&self) -> Kind {
        match self {
            Call::Key => Kind::Fetch,
            Call::Chat(_) => Kind::Post,
        }
    }

    fn begins<'a>(&'a self, log: &'a Log, place: Place<'a>) -> Event<'a> {
        match self {
            Call::Key => Event::begins(log, "GET", place, None, 0),
            Call::Chat(post) => {
                let id = post.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-payload-id"));
                Event::begins(log, "POST", place, id.map(|(_, id)| *id), post.body.len())
            }
        }
    }
}

/// An attempt that failed, and whether its answer had begun by then: what the server did may be done already.
struct Failed {
    error: Error,
    answered: bool,
}

impl Transport {
    /// Makes the agent; opens no connection. `Status::Argument` when the environment names a proxy that cannot be used.
    pub(crate) fn new(settings: Settings) -> Result<Transport> {
        let via = settings.proxy.on_the_way_to(&settings.base_url)?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(settings.base_url.is_secure())
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(via.as_ref().map(|via| via.proxy.clone()))
            .user_agent(settings.user_agent)
            .accept_encoding("")
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .timeout_connect(Some(settings.connect_timeout))
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .max_idle_age(IDLE_AGE)
            .tls_config(settings.roots.tls_config())
            .build();
        let by_connect = via.as_ref().is_some_and(|via| !via.is_socks());
        Ok(Transport {
            agent: Agent::with_parts(config, dial::connector(by_connect), dial::Later),
            base_url: settings.base_url,
            max_retries: settings.max_retries,
            rate_limit: settings.rate.map(RateLimit::new),
            response_limit: settings.response_limit,
            proxy: via.map(|via| via.name),
            trust: settings.roots.name(),
            log: settings.log,
        })
    }

    /// What a call that begins now may try: as many attempts as the client is set to, for `total` at most.
    pub(crate) fn attempts(&self, total: Duration) -> Attempts {
        Attempts::new(Deadline::after(total), self.max_retries)
    }

    /// `GET /pki/public_key`: the PEM, at most 64 KiB.
    pub(crate) fn fetch_server_key(&self, attempts: &mut Attempts) -> Result<WireBuf> {
        self.insist(&Call::Key, attempts)
    }

    /// `POST /v1/chat/secure_completion`: the response package, as long as the limit allows. An error that
    /// [doubts the key](doubts_the_key) comes back at once; [`again`](Transport::again) is for the caller to decide.
    pub(crate) fn post(&self, post: &Post<'_>, attempts: &mut Attempts) -> Result<WireBuf> {
        self.insist(&Call::Chat(post), attempts)
    }

    /// After an attempt that failed with `error`: waits as long as is due before the next, or gives the error back when
    /// there is to be none. `Status::Cancelled` when the call is cancelled meanwhile.
    pub(crate) fn again(&self, error: Error, attempts: &mut Attempts) -> Result<()> {
        let made = error.attempts();
        let failed = error.clone();
        let wait = attempts.wait_after(error)?;
        self.log.write(Level::Warn, format_args!("{failed}; another attempt follows in {} ms", wait.as_millis()));
        cancel::sleep(wait).map_err(|e| e.with_attempts(made))
    }

    /// Makes attempts until one succeeds, or no further one is due.
    fn insist(&self, call: &Call<'_>, attempts: &mut Attempts) -> Result<WireBuf> {
        let url = self.base_url.join(match call {
            Call::Key => "/pki/public_key",
            Call::Chat(_) => "/v1/chat/secure_completion",
        });
        let place = |attempt| Place { url: &url, proxy: self.proxy.as_deref(), attempt };
        loop {
            let made = attempts.made(call.kind());
            self.wait_for_a_turn(&place(made), attempts.deadline()).map_err(|e| e.with_attempts(made))?;
            let place = place(attempts.count(call.kind()));
            let event = call.begins(&self.log, place);
            let outcome = self.attempt(call, &place, attempts.deadline());
            event.ended(outcome.as_ref().err().map(|failed| &failed.error));
            match outcome {
                Ok(answer) => {
                    attempts.succeeded();
                    return Ok(answer);
                }
                Err(Failed { error, answered }) => {
                    let error = error.with_attempts(place.attempt);
                    if answered || matches!(call, Call::Chat(_)) && doubts_the_key(&error) {
                        return Err(error);
                    }
                    self.again(error, attempts)?;
                }
            }
        }
    }

    /// Waits for as long as the client's own rate limit demands, if there is time left at all.
    fn wait_for_a_turn(&self, place: &Place<'_>, deadline: Deadline) -> Result<()> {
        let left = deadline.left();
        if left.is_zero() {
            return Err(deadline.passed(place));
        }
        let Some(limit) = &self.rate_limit else { return Ok(()) };
        let Some(turn) = limit.take(Instant::now(), left) else {
            return Err(Error::new(
                Status::Timeout,
                format!(
                    "the client's own rate limit leaves this call no turn before its deadline ({place}): send less at \
                     once, or allow more time or a higher rate"
                ),
            ));
        };
        if turn.wait.is_zero() {
            return Ok(());
        }
        self.log.write(Level::Debug, format_args!("{place} waits {} ms for its turn", turn.wait.as_millis()));
        cancel::sleep(turn.wait).inspect_err(|_| limit.give_back(&turn))
    }

    /// One attempt. A connection that turns out to have been closed while it was idle is none: then there is another, on a
    /// fresh one.
    fn attempt(&self, call: &Call<'_>, place: &Place<'_>, deadline: Deadline) -> std::result::Result<WireBuf, Failed> {
        let send = |fresh| {
            Seen::begin();
            self.send(call, place, deadline, fresh).map_err(|error| Failed { error, answered: false })
        };
        let mut answer = send(false)?;
        let Seen { received, idle, .. } = Seen::so_far();
        if matches!(answer, Err(ureq::Error::Io(_))) && idle && received == 0 && cancel::still_wanted().is_ok() {
            self.log.write(Level::Debug, format_args!("{} finds its idle connection closed", place.url));
            answer = send(true)?;
        }
        let (limit, advice) = match call {
            Call::Key => (KEY_LIMIT, "check that what answers is a NOMYO endpoint"),
            Call::Chat(_) => (self.response_limit, "raise the response limit, if an answer may be that long"),
        };
        self.read(answer, place, deadline, limit, || failure::too_large(limit, place, advice))
    }

    /// Sends the request and waits for the head of its answer; if it has to be a `fresh` connection, the idle ones are
    /// closed.
    fn send(
        &self,
        call: &Call<'_>,
        place: &Place<'_>,
        deadline: Deadline,
        fresh: bool,
    ) -> Result<std::result::Result<Response<Body>, ureq::Error>> {
        match call {
            Call::Key => Ok(bounded(self.agent.get(place.url), deadline, fresh).call()),
            Call::Chat(post) => {
                let request = bounded(self.agent.post(place.url), deadline, fresh);
                let mut request = request.header(CONTENT_TYPE, "application/octet-stream");
                for (name, value) in post.headers {
                    request = request.header(*name, *value);
                }
                if let Some(key) = post.api_key.filter(|key| !key.is_empty()) {
                    request = request.header(AUTHORIZATION, bearer(key)?);
                }
                Ok(request.send(post.body))
            }
        }
    }

    /// The body of a 200, or the error that the answer is.
    fn read(
        &self,
        answer: std::result::Result<Response<Body>, ureq::Error>,
        place: &Place<'_>,
        deadline: Deadline,
        limit: u64,
        too_large: impl Fn() -> Error,
    ) -> std::result::Result<WireBuf, Failed> {
        let failed = |e: &ureq::Error| failure::of(e, place, self.trust, deadline);
        let (head, body) = match answer {
            Ok(answer) => answer.into_parts(),
            Err(e) => return Err(Failed { error: failed(&e), answered: Seen::so_far().received > 0 }),
        };
        let status = head.status.as_u16();
        if status != 200 {
            return Err(Failed { error: refusal::of(status, place, &head.headers, body), answered: false });
        }
        let announced = body.content_length();
        let read = if announced.is_some_and(|len| len > limit) {
            Err(too_large())
        } else {
            let expected = announced.and_then(|len| usize::try_from(len).ok()).unwrap_or(FIRST_READ);
            // The agent refuses what is exactly as long as its limit.
            let reader = body.into_with_config().limit(limit.saturating_add(1)).reader();
            WireBuf::read_to_end(reader, expected).and_then(|read| {
                read.map_err(|e| match e.into() {
                    ureq::Error::BodyExceedsLimit(_) => too_large(),
                    e => failed(&e),
                })
            })
        };
        read.map_err(|error| Failed { error: error.with_http_status(200), answered: true })
    }
}

fn bounded<B>(request: RequestBuilder<B>, deadline: Deadline, fresh: bool) -> RequestBuilder<B> {
    let config = request.config().timeout_global(Some(deadline.left()));
    if fresh { config.max_idle_age(Duration::ZERO).build() } else { config.build() }
}

/// The Authorization header, marked so that no log or `Debug` shows it.
fn bearer(key: &SecretBuf) -> Result<HeaderValue> {
    let mut text = SecretBuf::with_capacity(key.len() + 7)?;
    text.push(b"Bearer ");
    text.push(key);
    let mut value = HeaderValue::from_bytes(&text).map_err(|_| Error::internal("an unchecked API key"))?;
    value.set_sensitive(true);
    Ok(value)
}
