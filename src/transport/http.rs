//! The two calls: fetch the server's key, post a package.

use std::time::{Duration, Instant};

use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HeaderName, HeaderValue, USER_AGENT};

use super::event::Event;
use super::exchange::{self, Response, Seen, exchange};
use super::failure::{self, Place};
use super::pool::Pool;
use super::rate_limit::RateLimit;
use super::refusal;
use super::retry::{Attempts, Kind, doubts_the_key};
use super::{Post, Settings};
use crate::connection::{Dialer, Failure, Step};
use crate::error::{Error, Result, Status};
use crate::log::{Log, LogLevel};
use crate::memory::{SecretBuf, WireBuf};
use crate::wait::Wait;

/// The most that a key may have, in bytes.
const KEY_LIMIT: u64 = 64 * 1024;
/// Room for a response that does not say how long it is, to begin with.
const FIRST_READ: usize = 64 * 1024;
/// How long the body of an error is waited for.
const DETAILS_TIME: Duration = Duration::from_secs(5);

/// Pooled connections to one server. Any number of threads may share it.
pub(crate) struct Transport {
    dialer: Dialer,
    pool: Pool,
    base_url: crate::connection::BaseUrl,
    user_agent: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    max_retries: u32,
    rate_limit: Option<RateLimit>,
    response_limit: u64,
    /// The proxy's name, if there is one.
    proxy: Option<String>,
    trust: &'static str,
    log: Log,
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

    fn body(&self) -> &[u8] {
        match self {
            Call::Key => &[],
            Call::Chat(post) => post.body,
        }
    }
}

/// An attempt that failed, and whether its response had begun by then: the server may have done its work.
struct Failed {
    error: Error,
    begun: bool,
}

impl Transport {
    /// Opens no connection. `Status::Argument` if the environment names a proxy that cannot be used.
    pub(crate) fn new(settings: Settings) -> Result<Transport> {
        let via = settings.proxy.on_the_way_to(&settings.base_url)?;
        let (proxy, trust) = (via.as_ref().map(|via| via.name().to_owned()), settings.roots.name());
        let dialer = Dialer::new(crate::connection::Settings {
            server: settings.base_url.clone(),
            via,
            connect_timeout: settings.connect_timeout,
            roots: settings.roots,
            tls_pins: settings.tls_pins,
            client_certificate: settings.client_certificate,
            post_quantum: settings.post_quantum,
            user_agent: settings.user_agent.clone(),
        });
        Ok(Transport {
            dialer,
            pool: Pool::default(),
            base_url: settings.base_url,
            user_agent: settings.user_agent,
            headers: settings.headers,
            max_retries: settings.max_retries,
            rate_limit: settings.rate.map(RateLimit::new),
            response_limit: settings.response_limit,
            proxy,
            trust,
            log: settings.log,
        })
    }

    /// What a call may try: as many attempts as the client is set to, as long as `wait` allows.
    pub(crate) fn attempts(&self, wait: &Wait) -> Attempts {
        Attempts::new(wait.clone(), self.max_retries)
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

    /// The verified certificate chain of the last connection, as JSON. Fetches the server's key if there was none yet.
    pub(crate) fn tls_chain(&self, attempts: &mut Attempts) -> Result<String> {
        if !self.base_url.is_secure() {
            return Err(Error::argument("an http:// server has no certificate chain; use https://"));
        }
        if let Some(chain) = self.dialer.chain() {
            return Ok(chain);
        }
        self.fetch_server_key(attempts)?;
        self.dialer.chain().ok_or_else(|| Error::internal("a connection without a certificate chain"))
    }

    /// After an attempt that failed with `error`: waits as long as is due before the next, or gives the error back if there
    /// is to be none.
    pub(crate) fn again(&self, error: Error, attempts: &mut Attempts) -> Result<()> {
        let failed = error.clone();
        let time = attempts.wait_after(error)?;
        attempts.wait().check("it was about to wait before another attempt")?;
        self.log.write(LogLevel::Warn, format_args!("{failed}; another attempt is due in {} ms", time.as_millis()));
        attempts.wait().sleep(time, "it waited before another attempt")
    }

    /// Makes attempts until one succeeds, or no further one is due.
    fn insist(&self, call: &Call<'_>, attempts: &mut Attempts) -> Result<WireBuf> {
        let url = self.base_url.join(match call {
            Call::Key => "/pki/public_key",
            Call::Chat(_) => "/v1/chat/secure_completion",
        });
        let place = |attempt| Place { url: &url, proxy: self.proxy.as_deref(), attempt };
        let wait = attempts.wait().clone();
        loop {
            self.wait_for_a_turn(&place(attempts.made(call.kind())), &wait)?;
            let place = place(attempts.count(call.kind()));
            let event = call.begins(&self.log, place);
            let mut seen = Seen::default();
            let outcome = self.attempt(call, &place, &wait, &mut seen);
            event.ended(outcome.as_ref().err().map(|failed| &failed.error), &seen);
            if seen.answered {
                attempts.responded(std::mem::take(&mut seen.headers));
            }
            if matches!(call, Call::Chat(_)) && seen.sent > 0 {
                attempts.sent(seen.answered);
            }
            match outcome {
                Ok(body) => {
                    attempts.succeeded();
                    return Ok(body);
                }
                Err(Failed { error, begun }) => {
                    let error = error.with_attempts(place.attempt);
                    if begun || matches!(call, Call::Chat(_)) && doubts_the_key(&error) {
                        return Err(error);
                    }
                    self.again(error, attempts)?;
                }
            }
        }
    }

    /// Waits for as long as the client's own rate limit demands, if there is time left at all.
    fn wait_for_a_turn(&self, place: &Place<'_>, wait: &Wait) -> Result<()> {
        wait.check(format_args!("it was about to use the network ({place})"))?;
        let Some(limit) = &self.rate_limit else { return Ok(()) };
        let Some(turn) = limit.take(Instant::now(), wait.left()) else {
            return Err(Error::new(
                Status::Timeout,
                format!(
                    "the client's own rate limit leaves this call no turn before its deadline ({place}): send less at \
                     once, or allow more time or a higher rate"
                ),
            )
            .cut_short()
            .not_retryable());
        };
        if turn.wait.is_zero() {
            return Ok(());
        }
        self.log.write(LogLevel::Debug, format_args!("{place} waits {} ms for its turn", turn.wait.as_millis()));
        wait.sleep(turn.wait, "it waited for its turn under the client's rate limit")
            .inspect_err(|_| limit.give_back(&turn))
    }

    /// One attempt.
    fn attempt(
        &self,
        call: &Call<'_>,
        place: &Place<'_>,
        wait: &Wait,
        seen: &mut Seen,
    ) -> std::result::Result<WireBuf, Failed> {
        let step = Step::new(wait, place);
        let failed = |failure, begun| Failed { error: failure::of(failure, place, self.trust), begun };
        let response = match self.answered(call, place, &step, seen) {
            Ok(response) => response.map_err(|failure| failed(failure, seen.received > 0))?,
            Err(error) => return Err(Failed { error, begun: false }),
        };
        let status = response.status;
        if status != 200 {
            return Err(Failed { error: self.refused(response, call.kind(), place), begun: false });
        }
        let limit = match call {
            Call::Key => KEY_LIMIT,
            Call::Chat(_) => self.response_limit,
        };
        let body = body(response, limit, seen);
        let body =
            body.and_then(|body| body.map_err(|failure| failure::of(failure, place, self.trust).with_advice(call)));
        body.map_err(|error| Failed { error: error.with_http_status(200), begun: true })
    }

    /// The error that a response stands for.
    fn refused(&self, response: Response<'_>, kind: Kind, place: &Place<'_>) -> Error {
        let headers = response.headers.clone();
        refusal::of(response.status, kind, place, &headers, response.hastily(DETAILS_TIME))
    }

    /// Sends the request and waits for the head of its response. A pooled connection that turns out to be closed before a
    /// byte has left is replaced: that is no attempt.
    fn answered<'a>(
        &'a self,
        call: &Call<'_>,
        place: &Place<'_>,
        step: &Step<'a>,
        seen: &mut Seen,
    ) -> Result<std::result::Result<Response<'a>, Failure>> {
        loop {
            let link = match self.pool.take() {
                Some(link) => link,
                None => match self.dialer.open(step) {
                    Ok(channel) => super::link::Link::new(channel),
                    Err(failure) => return Ok(Err(failure)),
                },
            };
            let outcome = exchange(link, self.request(call, place)?, call.body(), step, &self.pool, seen);
            match outcome {
                Err(Failure::Io(_) | Failure::Closed) if seen.reused && seen.sent == 0 => {
                    self.log.write(LogLevel::Debug, format_args!("{} finds its idle connection closed", place.url));
                    *seen = Seen::default();
                }
                outcome => return Ok(outcome),
            }
        }
    }

    fn request(&self, call: &Call<'_>, place: &Place<'_>) -> Result<Request<()>> {
        let request = match call {
            Call::Key => Request::get(place.url),
            Call::Chat(_) => Request::post(place.url),
        };
        let mut request = request.header(USER_AGENT, &self.user_agent).header(ACCEPT, "*/*");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Call::Chat(post) = call {
            request = request.header(CONTENT_LENGTH, post.body.len());
            for (name, value) in post.headers {
                request = request.header(*name, *value);
            }
            if let Some(key) = post.api_key.filter(|key| !key.is_empty()) {
                request = request.header(AUTHORIZATION, bearer(key)?);
            }
        }
        request.body(()).map_err(|_| Error::internal("an unchecked header"))
    }
}

impl Error {
    /// What to do about a response that is too large.
    fn with_advice(self, call: &Call<'_>) -> Error {
        match call {
            _ if self.status() != Status::Protocol => self,
            Call::Key => self.because("check that it comes from a NOMYO endpoint"),
            Call::Chat(_) => self.because("raise the response limit, if a response may be that long"),
        }
    }
}

/// The body of a 200.
fn body(mut response: Response<'_>, limit: u64, seen: &mut Seen) -> Result<std::result::Result<WireBuf, Failure>> {
    let announced = response.announced();
    if announced.is_some_and(|len| len > limit) {
        return Ok(Err(Failure::LargeBody(limit)));
    }
    let expected = announced.and_then(|len| usize::try_from(len).ok()).unwrap_or(FIRST_READ);
    let reader = std::io::Read::take(&mut response, limit.saturating_add(1));
    let read = WireBuf::read_to_end(reader, expected)?;
    Ok(match read {
        Ok(body) => {
            seen.received += body.len() as u64;
            if body.len() as u64 > limit { Err(Failure::LargeBody(limit)) } else { Ok(body) }
        }
        Err(e) => Err(exchange::failure_of(e)),
    })
}

/// The Authorization header, marked so that no log or `Debug` shows it.
fn bearer(key: &[u8]) -> Result<HeaderValue> {
    let mut text = SecretBuf::with_capacity(key.len() + 7)?;
    text.push(b"Bearer ");
    text.push(key);
    let mut value = HeaderValue::from_bytes(&text).map_err(|_| Error::internal("an unchecked API key"))?;
    value.set_sensitive(true);
    Ok(value)
}
