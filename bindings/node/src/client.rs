//! A client, and its calls: promises, each of an [`Outcome`].

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{FnArgs, Function, Object, ToNapiValue};
use napi::threadsafe_function::ThreadsafeFunctionCallMode::NonBlocking;
use napi_derive::napi;
use nomyo::boundary::{contained, contained_on};
use nomyo::{Cancel, Client, Config, Request, Result, Tier};

use crate::call;
use crate::config::{Settings, level};
use crate::input::{Input, copied, copied_or_empty};
use crate::outcome::Outcome;
use crate::response::NativeResponse;
use crate::sealed::NativeSealed;

/// Receives the number of a level, and a line.
type Log<'a> = Function<'a, FnArgs<(i32, String)>, ()>;

/// A client. What is under way when it is closed goes on.
#[napi]
pub struct NativeClient {
    client: Option<Arc<Client>>,
}

/// Makes a client. `log` is called on the event loop, with lines up to `log_level`, and does not keep it alive.
#[napi]
pub fn make_client(
    settings: Settings,
    api_key: Option<Input<'_>>,
    key_password: Option<Input<'_>>,
    log_level: i32,
    log: Option<Log<'_>>,
) -> napi::Result<Outcome<NativeClient>> {
    let (api_key, key_password) = (api_key.map(copied), key_password.map(copied));
    let write = log
        .map(|log| {
            log.build_threadsafe_function::<(i32, String)>()
                .weak::<true>()
                .build_callback(|line| Ok(FnArgs::from(line.value)))
        })
        .transpose()?;
    let client = contained(|| {
        let mut config: Config = settings.config(api_key.as_deref(), key_password.as_deref())?;
        if let Some(write) = write {
            config.set_log(level(log_level), move |level, line| {
                // The environment may have ended; then nobody reads it.
                write.call((level as i32, line.to_owned()), NonBlocking);
            });
        }
        Client::new(&config)
    });
    Ok(client.map(|client| NativeClient { client: Some(Arc::new(client)) }).into())
}

/// The options of one call.
#[napi(object, object_to_js = false)]
pub struct CallOptions {
    pub security_tier: Option<String>,
    pub timeout: Option<i64>,
}

impl CallOptions {
    fn request(&self, api_key: Option<&[u8]>, cancel: Option<&Cancel>) -> Result<Request> {
        let mut request = Request::new();
        if let Some(tier) = &self.security_tier {
            request.set_security_tier(Tier::parse(tier)?);
        }
        if let Some(key) = api_key {
            request.set_api_key(key)?;
        }
        if let Some(ms) = self.timeout {
            request.set_timeout(Duration::from_millis(ms.unsigned_abs()))?;
        }
        if let Some(cancel) = cancel {
            request.set_cancel(cancel);
        }
        Ok(request)
    }
}

/// The server's public key.
#[napi(object, object_from_js = false)]
pub struct ServerKey {
    pub pem: String,
    pub fingerprint: String,
}

/// Cancels the call that it is given to.
#[napi]
pub struct NativeCancel {
    cancel: Cancel,
}

#[napi]
impl NativeCancel {
    #[napi(constructor)]
    pub fn new() -> NativeCancel {
        NativeCancel { cancel: Cancel::new() }
    }

    /// Does not block.
    #[napi]
    pub fn trigger(&self) {
        self.cancel.trigger();
    }
}

#[napi]
impl NativeClient {
    #[napi]
    pub fn close(&mut self) {
        self.client = None;
    }

    #[napi]
    pub fn create<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        cancel: &NativeCancel,
        json: Input<'_>,
        api_key: Option<Input<'_>>,
    ) -> napi::Result<Object<'env>> {
        let (json, api_key, cancel) = (copied(json), api_key.map(copied), cancel.cancel.clone());
        self.start(env, Some(cancel.clone()), move |client| {
            let request = options.request(api_key.as_deref(), Some(&cancel))?;
            client.create(&json, &request).map(NativeResponse::from)
        })
    }

    #[napi]
    pub fn warm_up<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        self.start(env, None, Client::warm_up)
    }

    #[napi]
    pub fn server_key<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        self.start(env, None, |client| {
            let (pem, fingerprint) = client.server_key()?;
            Ok(ServerKey { pem, fingerprint })
        })
    }

    #[napi]
    pub fn public_key<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        self.start(env, None, Client::public_key)
    }

    #[napi]
    pub fn generate_keys<'env>(
        &self,
        env: &'env Env,
        dir: Option<String>,
        password: Option<Input<'_>>,
    ) -> napi::Result<Object<'env>> {
        let password = copied_or_empty(password);
        self.start(env, None, move |client| client.generate_keys(dir.as_deref().map(Path::new), &password))
    }

    #[napi]
    pub fn load_keys<'env>(
        &self,
        env: &'env Env,
        private: String,
        public: Option<String>,
        password: Option<Input<'_>>,
    ) -> napi::Result<Object<'env>> {
        let password = copied_or_empty(password);
        self.start(env, None, move |client| {
            client.load_keys(Path::new(&private), public.as_deref().map(Path::new), &password)
        })
    }

    #[napi]
    pub fn save_keys<'env>(
        &self,
        env: &'env Env,
        dir: String,
        password: Option<Input<'_>>,
    ) -> napi::Result<Object<'env>> {
        let password = copied_or_empty(password);
        self.start(env, None, move |client| client.save_keys(Path::new(&dir), &password))
    }

    #[napi]
    pub fn rotate_keys<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        self.start(env, None, Client::rotate_keys)
    }

    #[napi]
    pub fn seal<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        server_pem: Input<'_>,
        json: Input<'_>,
    ) -> napi::Result<Object<'env>> {
        let (server_pem, json) = (copied(server_pem), copied(json));
        self.start(env, None, move |client| {
            let sealed = Arc::new(client.seal(&server_pem, &json, &options.request(None, None)?)?);
            Ok(NativeSealed { sealed })
        })
    }

    #[napi]
    pub fn open<'env>(&self, env: &'env Env, request: &NativeSealed, body: Input<'_>) -> napi::Result<Object<'env>> {
        let (sealed, body) = (Arc::clone(&request.sealed), copied(body));
        self.start(env, None, move |client| client.open(&sealed, &body).map(NativeResponse::from))
    }

    fn start<'env, T: ToNapiValue + Send + 'static>(
        &self,
        env: &'env Env,
        cancel: Option<Cancel>,
        work: impl FnOnce(&Client) -> Result<T> + Send + 'static,
    ) -> napi::Result<Object<'env>> {
        let client = self.client.clone().ok_or_else(|| napi::Error::from_reason("closed"))?;
        call::start(env, cancel, move || contained_on(&client, work))
    }
}
